// How figures are written in reports, and tables of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/scaling/observation.hpp"

namespace interpscale::study {

/// "1.23 ms": three significant digits, in s, ms, us or ns.
[[nodiscard]] std::string seconds_text(double seconds);
/// "1.23e+06" as "1.23M": k, M, G, T from a thousand up.
[[nodiscard]] std::string count_text(double count);
/// "0.98 [0.95, 1.01]"
[[nodiscard]] std::string with_interval(double value, const scaling::Interval& interval);
/// "12.3 [11.8, 12.9]": three significant digits, for ratios of any size.
[[nodiscard]] std::string ratio_with_interval(double value, const scaling::Interval& interval);
/// "42 %"
[[nodiscard]] std::string percent_text(double share);

/// Rows of equally many columns under a header.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// The first column left-aligned, the others right-aligned; '|' escaped.
  [[nodiscard]] std::string markdown() const;
  /// Padded columns for a terminal.
  [[nodiscard]] std::string text() const;
  /// RFC 4180; fields with commas, quotes or line ends are quoted.
  [[nodiscard]] std::string csv() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace interpscale::study
