// What one piece of an experiment came to: a line of the journal, and what rules judge by.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace interpscale::experiments {

/// One figure: "leak_linear_8", 0.031.
struct NamedValue {
  std::string name;
  double value = 0;
};

/// Figures that belong together, in order: a loss for each number of modules replaced.
struct NamedSeries {
  std::string name;
  std::vector<double> values;
};

struct Outcome {
  std::string experiment;  ///< its name
  std::string piece;       ///< unique in its experiment: "width 64, seed 0"
  std::string status;      ///< "ok" or "failed"
  std::string reason;
  std::string topology;          ///< of the network that it is about
  std::size_t width = 0;         ///< of its hidden layers
  std::uint64_t parameters = 0;  ///< N
  std::uint64_t neurons = 0;     ///< n
  int seed = 0;
  double seconds = 0;  ///< of the whole piece, training left out
  std::vector<NamedValue> figures;
  std::vector<NamedSeries> series;

  [[nodiscard]] std::optional<double> figure(std::string_view name) const;
  /// Empty where there is none of that name.
  [[nodiscard]] std::vector<double> values(std::string_view name) const;
};

}  // namespace interpscale::experiments
