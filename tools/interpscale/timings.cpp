// SPDX-License-Identifier: Apache-2.0
#include "interpscale/timings.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "interpscale/data/csv.hpp"
#include "interpscale/measure/benchmark_file.hpp"

namespace interpscale::tool {
namespace {

/// One line of a file: a time at a size.
struct Timing {
  std::string series;
  std::vector<double> factors;
  double seconds;
};

/// Cells in the order in which their sizes first occur.
TimingSeries series_of(const std::string& name, const std::vector<std::string>& factors,
                       const std::vector<const Timing*>& timings) {
  TimingSeries series;
  series.name = name;
  for (const std::string& factor : factors) {
    series.factors.push_back({factor, {}});
  }
  std::map<std::vector<double>, std::size_t> places;
  for (const Timing* timing : timings) {
    const auto [place, is_new] = places.emplace(timing->factors, series.cells.size());
    if (is_new) {
      scaling::Observation cell;
      std::vector<std::string> words;
      for (std::size_t f = 0; f < factors.size(); ++f) {
        series.factors[f].values.push_back(timing->factors[f]);
        words.push_back(fmt::format("{} = {}", factors[f], timing->factors[f]));
      }
      cell.name = fmt::format("{}", fmt::join(words, ", "));
      series.cells.push_back(std::move(cell));
    }
    series.cells[place->second].rounds.push_back(timing->seconds);
  }
  const auto [fewest, most] = std::minmax_element(
      series.cells.begin(), series.cells.end(),
      [](const auto& a, const auto& b) { return a.rounds.size() < b.rounds.size(); });
  if (fewest->rounds.size() != most->rounds.size()) {
    series.notes.push_back(
        fmt::format("{} to {} times a cell: fitted to their medians, repetitions not resampled.",
                    fewest->rounds.size(), most->rounds.size()));
    for (scaling::Observation& cell : series.cells) {
      cell.rounds = {scaling::median(cell.rounds)};
    }
  }
  return series;
}

std::vector<TimingSeries> group(const std::vector<std::string>& factors,
                                const std::vector<Timing>& timings) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<const Timing*>> by_name;
  for (const Timing& timing : timings) {
    std::vector<const Timing*>& members = by_name[timing.series];
    if (members.empty()) {
      names.push_back(timing.series);
    }
    members.push_back(&timing);
  }
  std::vector<TimingSeries> all;
  for (const std::string& name : names) {
    all.push_back(series_of(name, factors, by_name[name]));
  }
  return all;
}

Result<std::vector<TimingSeries>> from_csv(const std::string& path, const TimingColumns& columns) {
  if (columns.factors.empty() || columns.time.empty()) {
    return fail("{}: wanted --x COLUMN and --y COLUMN to fit a CSV file's times", path);
  }
  const Result<data::CsvTable> table = data::CsvTable::read(path);
  if (!table) {
    return tl::unexpected(table.error());
  }
  std::vector<Timing> timings(table->rows());
  if (timings.empty()) {
    return fail("{}: found a header and no rows", path);
  }
  for (const std::string& factor : columns.factors) {
    const Result<std::vector<double>> values = table->positive_numbers(factor);
    if (!values) {
      return tl::unexpected(values.error());
    }
    for (std::size_t i = 0; i < timings.size(); ++i) {
      timings[i].factors.push_back((*values)[i]);
    }
  }
  const Result<std::vector<double>> times = table->positive_numbers(columns.time);
  if (!times) {
    return tl::unexpected(times.error());
  }
  std::size_t series = 0;
  if (!columns.series.empty()) {
    const Result<std::size_t> column = table->column(columns.series);
    if (!column) {
      return tl::unexpected(column.error());
    }
    series = *column;
  }
  for (std::size_t i = 0; i < timings.size(); ++i) {
    timings[i].seconds = (*times)[i];
    timings[i].series = columns.series.empty() ? columns.time : table->text(i, series);
  }
  return group(columns.factors, timings);
}

/// The factors of a run: named columns, or else its arguments.
std::vector<std::string> factors_of(const measure::BenchmarkRun& run,
                                    const TimingColumns& columns) {
  if (!columns.factors.empty()) {
    return columns.factors;
  }
  std::vector<std::string> names;
  for (std::size_t a = 0; a < run.arguments; ++a) {
    names.push_back(run.columns[a].first);
  }
  return names;
}

Result<Timing> timing_of(const measure::BenchmarkRun& run, const std::vector<std::string>& factors,
                         const TimingColumns& columns, const std::string& path) {
  Timing timing{run.family, {}, columns.time == "cpu_time" ? run.cpu_seconds : run.real_seconds};
  if (!(timing.seconds > 0)) {
    return fail("{}: benchmark '{}': found no cpu_time that is positive", path, run.name);
  }
  for (const std::string& factor : factors) {
    const auto found = std::find_if(run.columns.begin(), run.columns.end(),
                                    [&](const auto& column) { return column.first == factor; });
    if (found == run.columns.end()) {
      std::vector<std::string> names;
      for (const auto& [name, value] : run.columns) {
        names.push_back(name);
      }
      return fail("{}: benchmark '{}': found no argument or counter '{}', wanted one of: {}", path,
                  run.name, factor, fmt::join(names, ", "));
    }
    if (found->second <= 0) {
      return fail("{}: benchmark '{}': found {} = {}, wanted a positive number", path, run.name,
                  factor, found->second);
    }
    timing.factors.push_back(found->second);
  }
  return timing;
}

Result<std::vector<TimingSeries>> from_benchmark(const std::string& path,
                                                 const TimingColumns& columns) {
  if (!columns.time.empty() && columns.time != "real_time" && columns.time != "cpu_time") {
    return fail("{}: found --y {}, wanted real_time or cpu_time", path, columns.time);
  }
  const Result<measure::BenchmarkFile> file = measure::read_benchmark_file(path);
  if (!file) {
    return tl::unexpected(file.error());
  }
  // Families with other arguments are other series: each is grouped by itself.
  std::vector<std::string> families;
  std::map<std::string, std::pair<std::vector<std::string>, std::vector<Timing>>> by_family;
  for (const measure::BenchmarkRun& run : file->runs) {
    auto& [factors, timings] = by_family[run.family];
    if (timings.empty()) {
      factors = factors_of(run, columns);
      families.push_back(run.family);
    }
    Result<Timing> timing = timing_of(run, factors, columns, path);
    if (!timing) {
      return tl::unexpected(timing.error());
    }
    timings.push_back(std::move(*timing));
  }
  std::vector<TimingSeries> all;
  for (const std::string& family : families) {
    const auto& [factors, timings] = by_family[family];
    TimingSeries series = std::move(group(factors, timings).front());
    for (const measure::FailedBenchmark& failed : file->failed) {
      if (failed.name.starts_with(family)) {
        series.notes.push_back(
            fmt::format("left out, as it failed: {}: {}", failed.name, failed.message));
      }
    }
    all.push_back(std::move(series));
  }
  if (all.empty()) {
    const std::string failed =
        file->failed.empty()
            ? ""
            : fmt::format("; {}: {}", file->failed.front().name, file->failed.front().message);
    return fail("{}: found no benchmark with a time{}", path, failed);
  }
  return all;
}

}  // namespace

Result<std::vector<TimingSeries>> read_timings(const std::string& path,
                                               const TimingColumns& columns) {
  return path.ends_with(".json") ? from_benchmark(path, columns) : from_csv(path, columns);
}

}  // namespace interpscale::tool
