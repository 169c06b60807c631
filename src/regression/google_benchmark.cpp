// Google Benchmark's file (measure/benchmark_file.hpp) as results that can be compared: repetitions
// as rounds, the machine and the revision from its context.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "interpscale/measure/benchmark_file.hpp"
#include "interpscale/regression/results.hpp"

namespace interpscale::regression {
namespace {

using measure::BenchmarkFile;
using measure::BenchmarkRun;

std::string text_or_empty(const BenchmarkFile& file, const std::string& key) {
  const auto at = file.context.find(key);
  return at == file.context.end() ? "" : at->second;
}

Machine machine_of(const BenchmarkFile& file) {
  Machine machine;
  machine.cpu = text_or_empty(file, "cpu");
  const std::string cores = text_or_empty(file, "num_cpus");
  std::from_chars(cores.data(), cores.data() + cores.size(), machine.cores);
  machine.simd_target = text_or_empty(file, "simd_target");
  machine.host = text_or_empty(file, "host_name");
  return machine;
}

/// "0.1.0, revision 1a2b..." as interpscale_bench writes it.
std::string revision_of(const BenchmarkFile& file) {
  constexpr std::string_view kWord = "revision ";
  const std::string text = text_or_empty(file, "interpscale");
  const std::size_t at = text.find(kWord);
  return at == std::string::npos ? "" : text.substr(at + kWord.size());
}

/// A counter of the run; 0 where it has none of that name.
double counter_of(const BenchmarkRun& run, std::string_view name) {
  const auto first = run.columns.begin() + static_cast<std::ptrdiff_t>(run.arguments);
  const auto at = std::find_if(first, run.columns.end(),
                               [name](const auto& column) { return column.first == name; });
  return at == run.columns.end() ? 0.0 : at->second;
}

void add_run(const BenchmarkRun& run, std::vector<scaling::Observation>& cells) {
  auto cell = std::find_if(cells.begin(), cells.end(),
                           [&run](const auto& other) { return other.name == run.run_name; });
  if (cell == cells.end()) {
    scaling::Observation observation;
    observation.name = run.run_name;
    observation.parameters = counter_of(run, "params");
    observation.neurons = counter_of(run, "neurons");
    cell = cells.insert(cells.end(), observation);
  }
  cell->rounds.push_back(run.real_seconds);
}

}  // namespace

Result<ResultSet> read_google_benchmark(const std::filesystem::path& path) {
  const Result<BenchmarkFile> file = measure::read_benchmark_file(path);
  if (!file) {
    return tl::unexpected(file.error());
  }
  if (file->context.empty()) {
    return fail("{}: not of Google Benchmark: found no \"context\" that names the machine",
                path.string());
  }
  ResultSet results;
  results.source = path.string();
  results.machine = machine_of(*file);
  results.date = text_or_empty(*file, "date");
  results.revision = revision_of(*file);
  for (const measure::FailedBenchmark& failed : file->failed) {
    results.failed.emplace_back(failed.name, failed.message);
  }
  for (const BenchmarkRun& run : file->runs) {
    if (!run.is_aggregate) {
      add_run(run, results.cells);
    }
  }
  if (results.cells.empty() && file->aggregates > 0) {
    return fail(
        "{}: holds aggregates only: keep the repetitions, with "
        "--benchmark_report_aggregates_only=false",
        path.string());
  }
  if (results.cells.empty() && results.failed.empty()) {
    return fail("{}: no benchmarks in it", path.string());
  }
  return results;
}

}  // namespace interpscale::regression
