// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/exports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "interpscale/scaling/statistics.hpp"
#include "regression/exponents.hpp"

namespace interpscale::regression {
namespace {

using Json = nlohmann::ordered_json;
using scaling::Observation;

constexpr double kNanoseconds = 1e9;

Result<std::string> github_action(const ResultSet& results) {
  Json list = Json::array();
  for (const Observation& cell : results.cells) {
    list.push_back({{"name", cell.name},
                    {"unit", "ns"},
                    {"value", kNanoseconds * scaling::median(cell.rounds)},
                    {"range", fmt::format("{:.3g}", kNanoseconds * scaling::mad(cell.rounds))},
                    {"extra", fmt::format("rounds: {}", cell.rounds.size())}});
  }
  return list.dump(2) + "\n";
}

Result<std::string> bencher(const ResultSet& results) {
  Json all = Json::object();
  for (const Observation& cell : results.cells) {
    const auto [low, high] = std::minmax_element(cell.rounds.begin(), cell.rounds.end());
    all[cell.name] = {{"latency",
                       {{"value", kNanoseconds * scaling::median(cell.rounds)},
                        {"lower_value", kNanoseconds * *low},
                        {"upper_value", kNanoseconds * *high}}}};
  }
  return all.dump(2) + "\n";
}

Result<std::string> extra_p(const ResultSet& results) {
  std::string lines;
  for (const Observation& cell : results.cells) {
    if (cell.parameters <= 0) {
      return fail(
          "{}: cell '{}' does not say how many parameters it has: Extra-P fits times to "
          "them (leave the cell out with --filter)",
          results.source, cell.name);
    }
    for (const double seconds : cell.rounds) {
      const Json line = {
          {"params",
           {{"N", cell.parameters}, {"n", cell.neurons}, {"B", cell.batch}, {"d", cell.inputs}}},
          {"callpath", family_of(cell.name)},
          {"metric", "time"},
          {"value", seconds}};
      lines += line.dump() + "\n";
    }
  }
  return lines;
}

/// RFC 4180: quoted where it must be.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

Result<std::string> csv(const ResultSet& results) {
  std::string lines = "cell,parameters,neurons,batch,inputs,rounds,median_seconds,low,high\n";
  for (const Observation& cell : results.cells) {
    const auto [low, high] = std::minmax_element(cell.rounds.begin(), cell.rounds.end());
    lines += fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_field(cell.name), cell.parameters,
                         cell.neurons, cell.batch, cell.inputs, cell.rounds.size(),
                         scaling::median(cell.rounds), *low, *high);
  }
  return lines;
}

struct Format {
  const char* name;
  Result<std::string> (*write)(const ResultSet&);
};

constexpr Format kFormats[] = {
    {"github-action", github_action}, {"bencher", bencher}, {"extra-p", extra_p}, {"csv", csv}};

}  // namespace

std::vector<std::string> export_formats() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) {
    names.emplace_back(format.name);
  }
  return names;
}

Result<std::string> export_results(const ResultSet& results, std::string_view format) {
  if (results.cells.empty()) {
    return fail("{}: no cell with a time to export", results.source);
  }
  for (const Observation& cell : results.cells) {
    for (const double seconds : cell.rounds) {
      if (!std::isfinite(seconds) || seconds <= 0) {
        return fail("{}: cell '{}': found time {}, wanted a positive finite number", results.source,
                    cell.name, seconds);
      }
    }
  }
  for (const Format& each : kFormats) {
    if (format == each.name) {
      return each.write(results);
    }
  }
  return fail("format '{}' is unknown; known are {}", format, fmt::join(export_formats(), ", "));
}

}  // namespace interpscale::regression
