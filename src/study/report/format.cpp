// SPDX-License-Identifier: Apache-2.0
#include "study/report/format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "interpscale/core/require.hpp"

namespace interpscale::study {
namespace {

struct Unit {
  double factor;
  std::string_view name;
};

/// Three significant digits without an exponent, where the value has no more than four before the
/// point.
std::string three_digits(double value) {
  const double magnitude = std::abs(value);
  if (magnitude >= 1e4 || (magnitude > 0 && magnitude < 1e-3)) {
    return fmt::format("{:.2e}", value);
  }
  const int decimals = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string escaped_markdown(std::string_view field) {
  std::string escaped;
  for (const char c : field) {
    if (c == '|') {
      escaped += '\\';
    }
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string escaped_csv(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) {
    return field;
  }
  std::string escaped = "\"";
  for (const char c : field) {
    if (c == '"') {
      escaped += '"';
    }
    escaped += c;
  }
  return escaped + '"';
}

}  // namespace

std::string seconds_text(double seconds) {
  constexpr std::array<Unit, 4> kUnits{{{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
  const auto unit = std::ranges::find_if(
      kUnits, [&](const Unit& candidate) { return seconds >= candidate.factor; });
  const Unit& chosen = unit == kUnits.end() ? kUnits.back() : *unit;
  return fmt::format("{} {}", three_digits(seconds / chosen.factor), chosen.name);
}

std::string count_text(double count) {
  constexpr std::array<Unit, 4> kUnits{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  const auto unit = std::ranges::find_if(
      kUnits, [&](const Unit& candidate) { return count >= candidate.factor; });
  return unit == kUnits.end() ? fmt::format("{:.0f}", count)
                              : three_digits(count / unit->factor) + std::string(unit->name);
}

std::string with_interval(double value, const scaling::Interval& interval) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", value, interval.low, interval.high);
}

std::string ratio_with_interval(double value, const scaling::Interval& interval) {
  return fmt::format("{} [{}, {}]", three_digits(value), three_digits(interval.low),
                     three_digits(interval.high));
}

std::string percent_text(double share) {
  return fmt::format("{:.{}f} %", 100 * share, share < 0.1 ? 1 : 0);
}

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {}

void Table::add(std::vector<std::string> row) {
  require(row.size() == header_.size(), "Table: a row with other columns than the header");
  rows_.push_back(std::move(row));
}

std::string Table::markdown() const {
  const auto line = [](const std::vector<std::string>& fields) {
    std::string text = "|";
    for (const std::string& field : fields) {
      text += fmt::format(" {} |", escaped_markdown(field));
    }
    return text + "\n";
  };
  std::string text = line(header_) + "|:---|";
  for (std::size_t column = 1; column < header_.size(); ++column) {
    text += "---:|";
  }
  text += "\n";
  for (const std::vector<std::string>& row : rows_) {
    text += line(row);
  }
  return text;
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < header_.size(); ++column) {
    std::size_t width = header_[column].size();
    for (const std::vector<std::string>& row : rows_) {
      width = std::max(width, row[column].size());
    }
    widths.push_back(width);
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& fields) {
    text += fmt::format("{:<{}}", fields.front(), widths.front());
    for (std::size_t column = 1; column < fields.size(); ++column) {
      text += fmt::format("  {:>{}}", fields[column], widths[column]);
    }
    text += "\n";
  };
  append(header_);
  for (const std::vector<std::string>& row : rows_) {
    append(row);
  }
  return text;
}

std::string Table::csv() const {
  std::string text;
  const auto append = [&](const std::vector<std::string>& fields) {
    for (std::size_t column = 0; column < fields.size(); ++column) {
      text += fmt::format("{}{}", column == 0 ? "" : ",", escaped_csv(fields[column]));
    }
    text += "\n";
  };
  append(header_);
  std::ranges::for_each(rows_, append);
  return text;
}

}  // namespace interpscale::study
