// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/benchmark_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>

namespace interpscale::measure {
namespace {

using Json = nlohmann::json;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The text with NaN, Infinity and their negatives, outside of strings, turned into null.
std::string without_bare_infinities(std::string_view text) {
  constexpr std::array<std::string_view, 8> kTokens{"-NaN", "-nan", "-Infinity", "-inf",
                                                    "NaN",  "nan",  "Infinity",  "inf"};
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      result.append(text.substr(i, 2));
      i += 2;
      continue;
    }
    in_string = c == '"' ? !in_string : in_string;
    const auto token = std::find_if(kTokens.begin(), kTokens.end(), [&](std::string_view each) {
      const bool ends = i + each.size() >= text.size() || !is_word(text[i + each.size()]);
      return text.substr(i, each.size()) == each && ends;
    });
    const bool begins = i == 0 || !is_word(text[i - 1]);
    if (!in_string && begins && token != kTokens.end()) {
      result += "null";
      i += token->size();
    } else {
      result += c;
      ++i;
    }
  }
  return result;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole && std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

/// What Google Benchmark itself appends to a name: settings, not sizes.
bool is_setting(std::string_view part) {
  constexpr std::array<std::string_view, 3> kWords{"process_time", "real_time", "manual_time"};
  constexpr std::array<std::string_view, 4> kKeys{
      "min_time:", "min_warmup_time:", "iterations:", "repeats:"};
  return std::find(kWords.begin(), kWords.end(), part) != kWords.end() ||
         std::any_of(kKeys.begin(), kKeys.end(),
                     [part](std::string_view key) { return part.starts_with(key); });
}

/// "area/gemm/m:64/n:32" -> family "area/gemm", m = 64, n = 32; "BM_x/8/16" -> arg1 = 8, arg2 = 16.
/// "threads:2" stays with the family: times on other numbers of threads are another law's.
void split_name(BenchmarkRun& run, std::string_view name) {
  std::size_t places = 0;
  bool first = true;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), part.size() + 1));
    const std::size_t colon = part.find(':');
    const auto plain = number_in(part);
    const auto named =
        colon == std::string_view::npos ? std::nullopt : number_in(part.substr(colon + 1));
    if (!first && plain) {
      run.columns.emplace_back(fmt::format("arg{}", ++places), *plain);
    } else if (!first && !is_setting(part) && named && !part.starts_with("threads:")) {
      run.columns.emplace_back(part.substr(0, colon), *named);
    } else if (first || !is_setting(part)) {
      run.family += fmt::format("{}{}", first ? "" : "/", part);
    }
    first = false;
  }
  run.arguments = run.columns.size();
}

Result<double> seconds_of(const Json& benchmark, const char* key, const std::string& place) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
      {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}}};
  const std::string unit = benchmark.value("time_unit", "ns");
  const auto scale = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&unit](const auto& each) { return each.first == unit; });
  if (scale == kUnits.end()) {
    return fail("{}: found time_unit '{}', wanted ns, us, ms or s", place, unit);
  }
  const auto value = benchmark.find(key);
  if (value == benchmark.end() || !value->is_number() || !(value->get<double>() > 0)) {
    return fail("{}: found {} {}, wanted a finite positive number", place, key,
                value == benchmark.end() ? "missing" : value->dump());
  }
  return value->get<double>() * scale->second;
}

/// A benchmark's entry that is a time: nothing for standard deviations, complexities and the like.
enum class Kind { kRun, kMedian, kMean, kOther };

Kind kind_of(const Json& benchmark, const std::string& name) {
  std::string aggregate = benchmark.value("aggregate_name", "");
  if (!benchmark.contains("run_type")) {  // before version 1.5 the name alone tells
    for (const char* suffix : {"mean", "median", "stddev", "cv", "BigO", "RMS"}) {
      aggregate = name.ends_with(fmt::format("_{}", suffix)) ? suffix : aggregate;
    }
  } else if (benchmark["run_type"] != "aggregate") {
    return Kind::kRun;
  }
  return aggregate.empty()       ? Kind::kRun
         : aggregate == "median" ? Kind::kMedian
         : aggregate == "mean"   ? Kind::kMean
                                 : Kind::kOther;
}

/// The name that repetitions and aggregates share.
std::string run_name_of(const Json& benchmark, const std::string& name, Kind kind) {
  if (benchmark.contains("run_name") && benchmark["run_name"].is_string()) {
    return benchmark["run_name"];
  }
  const std::size_t suffix = kind == Kind::kRun ? std::string::npos : name.rfind('_');
  return name.substr(0, suffix);
}

void append_counters(BenchmarkRun& run, const Json& benchmark) {
  static const std::set<std::string_view> kOwn{"family_index", "per_family_instance_index",
                                               "repetitions",  "repetition_index",
                                               "threads",      "iterations",
                                               "real_time",    "cpu_time"};
  for (const auto& [key, value] : benchmark.items()) {
    if (value.is_number() && !kOwn.contains(key)) {
      run.columns.emplace_back(key, value.get<double>());
    }
  }
}

struct Entry {
  Kind kind;
  BenchmarkRun run;
};

Result<Entry> entry_of(const Json& benchmark, const std::string& name, const std::string& file) {
  const Kind kind = kind_of(benchmark, name);
  Entry entry{kind, {}};
  if (kind == Kind::kOther) {
    return entry;
  }
  const std::string place = fmt::format("{}: benchmark '{}'", file, name);
  const Result<double> real = seconds_of(benchmark, "real_time", place);
  if (!real) {
    return tl::unexpected(real.error());
  }
  entry.run.name = name;
  entry.run.run_name = run_name_of(benchmark, name, kind);
  entry.run.real_seconds = *real;
  entry.run.cpu_seconds = seconds_of(benchmark, "cpu_time", place).value_or(0.0);
  entry.run.is_aggregate = kind != Kind::kRun;
  split_name(entry.run, entry.run.run_name);
  append_counters(entry.run, benchmark);
  return entry;
}

/// The repetitions of each benchmark; else its median; else its mean.
std::vector<BenchmarkRun> best_of(std::vector<Entry> entries) {
  std::set<std::pair<std::string, Kind>> has;
  for (const Entry& entry : entries) {
    has.emplace(entry.run.run_name, entry.kind);
  }
  std::vector<BenchmarkRun> runs;
  for (Entry& entry : entries) {
    const bool runs_exist = has.contains({entry.run.run_name, Kind::kRun});
    const bool median_exists = has.contains({entry.run.run_name, Kind::kMedian});
    if (entry.kind == Kind::kRun || (entry.kind == Kind::kMedian && !runs_exist) ||
        (entry.kind == Kind::kMean && !runs_exist && !median_exists)) {
      runs.push_back(std::move(entry.run));
    }
  }
  return runs;
}

std::map<std::string, std::string> context_of(const Json& json) {
  std::map<std::string, std::string> context;
  const auto found = json.find("context");
  if (found != json.end() && found->is_object()) {
    for (const auto& [key, value] : found->items()) {
      if (value.is_string() || value.is_number()) {
        context[key] = value.is_string() ? value.get<std::string>() : value.dump();
      }
    }
  }
  return context;
}

/// One entry of "benchmarks": a run or aggregate into `entries`, or an error into `file.failed`.
Result<void> add_entry(const Json& benchmark, const std::string& name, BenchmarkFile& file,
                       std::vector<Entry>& entries) {
  if (!benchmark.is_object() || !benchmark.contains("name") || !benchmark["name"].is_string() ||
      benchmark["name"] == "") {
    return fail("{}: found an entry of \"benchmarks\" without a name", name);
  }
  const std::string own = benchmark["name"];
  for (const char* key : {"time_unit", "aggregate_name"}) {
    if (benchmark.contains(key) && !benchmark[key].is_string()) {
      return fail("{}: benchmark '{}': found {} {}, wanted a string", name, own, key,
                  benchmark[key].dump());
    }
  }
  const auto failed = benchmark.find("error_occurred");
  if (failed != benchmark.end() && *failed == true) {
    const auto message = benchmark.find("error_message");
    const bool has_message = message != benchmark.end() && message->is_string();
    file.failed.push_back({run_name_of(benchmark, own, Kind::kRun),
                           has_message ? message->get<std::string>() : "no message"});
    return {};
  }
  Result<Entry> entry = entry_of(benchmark, own, name);
  if (!entry) {
    return tl::unexpected(entry.error());
  }
  file.aggregates += entry->kind == Kind::kRun ? 0U : 1U;
  if (entry->kind != Kind::kOther) {
    entries.push_back(std::move(*entry));
  }
  return {};
}

/// The parsed text, or why it cannot be.
Result<Json> json_of(std::string_view text, const std::string& name) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail("{}: empty, wanted what --benchmark_format=json writes", name);
  }
  try {
    return Json::parse(without_bare_infinities(text));
  } catch (const Json::exception& problem) {
    return fail("{}: found no valid JSON, or one that is cut short: {}", name, problem.what());
  }
}

}  // namespace

Result<BenchmarkFile> parse_benchmark_file(std::string_view text, const std::string& name) {
  const Result<Json> json = json_of(text, name);
  if (!json) {
    return tl::unexpected(json.error());
  }
  if (!json->is_object() || !json->contains("benchmarks") || !(*json)["benchmarks"].is_array()) {
    return fail(
        "{}: not of Google Benchmark: found no list 'benchmarks', wanted what "
        "--benchmark_format=json writes",
        name);
  }
  BenchmarkFile file;
  file.context = context_of(*json);
  std::vector<Entry> entries;
  for (const Json& benchmark : (*json)["benchmarks"]) {
    if (const Result<void> added = add_entry(benchmark, name, file, entries); !added) {
      return tl::unexpected(added.error());
    }
  }
  file.runs = best_of(std::move(entries));
  return file;
}

Result<BenchmarkFile> read_benchmark_file(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    const int code = std::filesystem::is_directory(file) ? EISDIR : errno;
    return fail("{}: cannot open: {}", file.string(), std::generic_category().message(code));
  }
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  return parse_benchmark_file(text, file.string());
}

}  // namespace interpscale::measure
