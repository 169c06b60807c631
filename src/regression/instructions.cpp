// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/instructions.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "interpscale/core/require.hpp"
#include "regression/exponents.hpp"
#include "regression/judge.hpp"
#include "regression/server.hpp"

namespace interpscale::regression {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, gone at the end.
class ScratchFolder {
 public:
  [[nodiscard]] static Result<ScratchFolder> make() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "interpscale-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr) {
      return fail("{}: cannot make a folder for callgrind's output", name);
    }
    return ScratchFolder(name);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, fs::path())) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

using Counts = std::map<std::size_t, double>;  // by the cell's index in its build

/// What callgrind wrote of one part: the trigger is the cell, "totals:" the instructions.
void read_part(const fs::path& path, Counts& counts) {
  constexpr std::string_view kTrigger = "desc: Trigger: Client Request: ";
  constexpr std::string_view kTotals = "totals: ";
  std::ifstream stream(path);
  std::optional<std::size_t> cell;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(kTrigger)) {
      cell = std::strtoull(line.c_str() + kTrigger.size(), nullptr, 10);
    } else if (line.starts_with(kTotals) && cell) {
      counts[*cell] = std::strtod(line.c_str() + kTotals.size(), nullptr);
    }
  }
}

Counts read_parts(const fs::path& folder) {
  Counts counts;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    read_part(entry.path(), counts);
  }
  return counts;
}

std::vector<std::string> callgrind(const fs::path& folder) {
  return {"valgrind", "--tool=callgrind", "--quiet", "--collect-atstart=no",
          "--callgrind-out-file=" + (folder / "counts").string()};
}

struct Counted {
  Greeting greeting;
  std::map<std::string, double> instructions;  ///< of one run, by cell
  std::vector<std::pair<std::string, std::string>> failed;
};

/// Counts those cells of a build that `chosen` keeps.
Result<Counted> count_cells(const Build& build, const CountOptions& options,
                            const std::function<void(const std::string&)>& progress) {
  const Result<ScratchFolder> scratch = ScratchFolder::make();
  if (!scratch) {
    return tl::unexpected(scratch.error());
  }
  std::vector<std::string> arguments = options.arguments;
  arguments.emplace_back(fmt::format("--simd-target={}", kCountedTarget));
  arguments.emplace_back("--threads=1");
  Result<Server> server =
      Server::start(build, callgrind(scratch->path()), arguments, {.answer_seconds = 300});
  if (!server) {
    return fail("{}; counting needs valgrind: tools/setup installs it", server.error().message);
  }
  Counted counted{server->greeting(), {}, {}};
  const Result<std::vector<bool>> kept = kept_by(options.filter, counted.greeting.order);
  if (!kept) {
    return tl::unexpected(kept.error());
  }
  for (std::size_t cell = 0; cell < kept->size(); ++cell) {
    if (!(*kept)[cell]) {
      continue;
    }
    const std::string& name = counted.greeting.order[cell];
    progress(name);
    constexpr double kShortest = 1e-9;  // a single warm run
    const Result<std::uint64_t> prepared = server->prepare(cell, false, kShortest);
    const Result<void> done =
        prepared ? server->count(options.iterations) : tl::unexpected(prepared.error());
    if (!done) {
      counted.failed.emplace_back(name, done.error().message);
    }
  }
  if (const Result<void> finished = server->finish(); !finished) {
    return tl::unexpected(finished.error());
  }
  for (const auto& [cell, instructions] : read_parts(scratch->path())) {
    if (cell < counted.greeting.order.size() && instructions > 0) {
      counted.instructions[counted.greeting.order[cell]] =
          instructions / static_cast<double>(options.iterations);
    }
  }
  return counted;
}

Verdict verdict_of(double log_ratio, double margin) {
  return log_ratio > margin    ? Verdict::kRegressed
         : log_ratio < -margin ? Verdict::kImproved
                               : Verdict::kUnchanged;
}

CellComparison compare_counts(const std::string& name, double base, double candidate,
                              double threshold) {
  CellComparison cell;
  cell.name = name;
  cell.base = base;
  cell.candidate = candidate;
  cell.rounds = 1;
  cell.ratio = candidate / base;
  cell.interval = {cell.ratio, cell.ratio};
  cell.confidence = 1;
  cell.p_value = 0;
  cell.verdict = verdict_of(std::log(cell.ratio), std::log1p(threshold));
  return cell;
}

}  // namespace

Result<Comparison> compare_instructions(const Build& base, const Build& candidate,
                                        const CountOptions& options) {
  require(options.iterations > 0 && options.threshold > 0, "iterations and a threshold");
  const auto start = std::chrono::steady_clock::now();
  const auto progress = [&options](double part) {
    return [&options, part](const std::string& name) {
      if (options.progress) {
        options.progress("counting " + name, part);
      }
    };
  };
  const Result<Counted> below = count_cells(base, options, progress(0.0));
  if (!below) {
    return tl::unexpected(below.error());
  }
  const Result<Counted> above = count_cells(candidate, options, progress(0.5));
  if (!above) {
    return tl::unexpected(above.error());
  }
  const Result<std::vector<std::string>> names =
      common_cells(below->greeting, above->greeting, options.filter);
  if (!names) {
    return tl::unexpected(names.error());
  }
  Comparison comparison;
  comparison.metric = Metric::kInstructions;
  comparison.threshold = options.threshold;
  comparison.failed = below->failed;
  comparison.failed.insert(comparison.failed.end(), above->failed.begin(), above->failed.end());
  introduce(below->greeting, above->greeting, options.filter, comparison);
  comparison.base_label = fmt::format("{} ({})", base.label, below->greeting.description);
  comparison.candidate_label = fmt::format("{} ({})", candidate.label, above->greeting.description);
  std::vector<SizedRatio> points;
  for (const std::string& name : *names) {
    const auto first = below->instructions.find(name);
    const auto second = above->instructions.find(name);
    if (first == below->instructions.end() || second == above->instructions.end()) {
      continue;  // among the failed
    }
    comparison.cells.push_back(
        compare_counts(name, first->second, second->second, options.threshold));
    points.push_back({name,
                      below->greeting.cells.at(name).problem.parameters,
                      first->second,
                      {std::log(comparison.cells.back().ratio), 0, 1}});
  }
  if (comparison.cells.empty()) {
    return fail("no instructions were counted{}",
                comparison.failed.empty() ? "" : ": " + comparison.failed.front().second);
  }
  comparison.exponents = compare_exponents(points);
  comparison.note = fmt::format(
      "instructions of the {} target under callgrind, one thread, {} of each cell: not the target "
      "that runs on a machine with wider vectors",
      kCountedTarget,
      options.iterations == 1 ? "one run" : fmt::format("{} runs", options.iterations));
  conclude(comparison);
  comparison.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return comparison;
}

}  // namespace interpscale::regression
