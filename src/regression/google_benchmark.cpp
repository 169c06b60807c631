// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "interpscale/regression/results.hpp"

namespace interpscale::regression {
namespace {

using Json = nlohmann::ordered_json;

/// The bare words NaN, -NaN, Infinity and -Infinity outside of strings, made `null`.
void blank_not_finite(std::string& text) {
  bool inside_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && inside_string) {
      ++i;
    } else if (text[i] == '"') {
      inside_string = !inside_string;
    } else if (!inside_string) {
      for (const std::string_view word : {"-Infinity", "Infinity", "-NaN", "NaN"}) {
        if (text.compare(i, word.size(), word) == 0) {
          text.replace(i, word.size(), "null");
          break;
        }
      }
    }
  }
}

std::optional<double> unit_seconds(const std::string& unit) {
  for (const auto& [name, seconds] :
       {std::pair{"ns", 1e-9}, std::pair{"us", 1e-6}, std::pair{"ms", 1e-3}, std::pair{"s", 1.0}}) {
    if (unit == name) {
      return seconds;
    }
  }
  return std::nullopt;
}

double number_or_zero(const Json& json, const char* field) {
  const auto at = json.find(field);
  return at != json.end() && at->is_number() ? at->get<double>() : 0.0;
}

std::string text_or_empty(const Json& json, const char* field) {
  const auto at = json.find(field);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Machine machine_of(const Json& context) {
  Machine machine;
  machine.cpu = text_or_empty(context, "cpu");
  machine.cores = static_cast<int>(number_or_zero(context, "num_cpus"));
  machine.simd_target = text_or_empty(context, "simd_target");
  machine.host = text_or_empty(context, "host_name");
  return machine;
}

/// "0.1.0, revision 1a2b..." as interpscale_bench writes it.
std::string revision_of(const Json& context) {
  constexpr std::string_view kWord = "revision ";
  const std::string text = text_or_empty(context, "interpscale");
  const std::size_t at = text.find(kWord);
  return at == std::string::npos ? "" : text.substr(at + kWord.size());
}

/// One entry of "benchmarks", into its cell.
Result<void> add_entry(const Json& entry, ResultSet& results, std::size_t& aggregates) {
  if (!entry.is_object() || text_or_empty(entry, "name").empty()) {
    return fail("{}: an entry of \"benchmarks\" without a \"name\"", results.source);
  }
  const std::string run_name = text_or_empty(entry, "run_name");
  const std::string name = run_name.empty() ? text_or_empty(entry, "name") : run_name;
  if (text_or_empty(entry, "run_type") == "aggregate") {
    ++aggregates;
    return {};
  }
  if (entry.value("error_occurred", false)) {
    results.failed.emplace_back(name, text_or_empty(entry, "error_message"));
    return {};
  }
  const std::optional<double> unit = unit_seconds(text_or_empty(entry, "time_unit"));
  const auto time = entry.find("real_time");
  if (!unit || time == entry.end() || !time->is_number()) {
    return fail("{}: benchmark '{}': found {} {}, wanted a finite \"real_time\" in ns, us, ms or s",
                results.source, name, time == entry.end() ? "no real_time" : time->dump(),
                text_or_empty(entry, "time_unit"));
  }
  auto cell = std::find_if(results.cells.begin(), results.cells.end(),
                           [&name](const auto& other) { return other.name == name; });
  if (cell == results.cells.end()) {
    scaling::Observation observation;
    observation.name = name;
    observation.parameters = number_or_zero(entry, "params");
    observation.neurons = number_or_zero(entry, "neurons");
    cell = results.cells.insert(results.cells.end(), observation);
  }
  cell->rounds.push_back(*unit * time->get<double>());
  return {};
}

Result<ResultSet> read_entries(const Json& json, ResultSet results) {
  const auto benchmarks = json.find("benchmarks");
  const auto context = json.find("context");
  if (!json.is_object() || benchmarks == json.end() || !benchmarks->is_array() ||
      context == json.end() || !context->is_object()) {
    return fail("{}: not of Google Benchmark: wanted an object with \"context\" and \"benchmarks\"",
                results.source);
  }
  results.machine = machine_of(*context);
  results.date = text_or_empty(*context, "date");
  results.revision = revision_of(*context);
  std::size_t aggregates = 0;
  for (const Json& entry : *benchmarks) {
    if (const Result<void> added = add_entry(entry, results, aggregates); !added) {
      return tl::unexpected(added.error());
    }
  }
  if (results.cells.empty() && aggregates > 0) {
    return fail(
        "{}: holds aggregates only: keep the repetitions, with "
        "--benchmark_report_aggregates_only=false",
        results.source);
  }
  if (results.cells.empty() && results.failed.empty()) {
    return fail("{}: no benchmarks in it", results.source);
  }
  return results;
}

}  // namespace

Result<ResultSet> read_google_benchmark(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) {
    return fail("{}: cannot be read", path.string());
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail("{}: empty, wanted Google Benchmark's JSON", path.string());
  }
  blank_not_finite(text);
  try {
    ResultSet results;
    results.source = path.string();
    return read_entries(Json::parse(text), std::move(results));
  } catch (const Json::exception& problem) {
    return fail("{}: not JSON, or cut short: {}", path.string(), problem.what());
  }
}

}  // namespace interpscale::regression
