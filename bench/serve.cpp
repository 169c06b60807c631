// SPDX-License-Identifier: Apache-2.0
#include "bench/serve.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "bench/callgrind/collect.hpp"
#include "bench/grid.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/measure/environment.hpp"
#include "interpscale/measure/slice_timer.hpp"
#include "interpscale/study/planted.hpp"

namespace interpscale::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProtocol = 1;

Json greeting(const Options& options, const std::vector<GridEntry>& grid) {
  const measure::Environment environment = measure::read_environment();
  Json cells = Json::array();
  for (const GridEntry& entry : grid) {
    cells.push_back({{"name", entry.name},
                     {"parameters", entry.dense.parameters},
                     {"neurons", entry.dense.neurons},
                     {"batch", entry.dense.batch},
                     {"inputs", entry.dense.inputs},
                     {"flops", entry.dense.flops}});
  }
  const std::vector<std::string> targets = kernels::simd_targets();
  const std::string target = !options.setting.simd_target.empty() ? options.setting.simd_target
                             : targets.empty()                    ? "unknown"
                                                                  : targets.front();
  return {{"protocol", kProtocol},
          {"machine",
           {{"cpu", environment.cpu},
            {"cores", environment.cores},
            {"simd_target", target},
            {"backend", options.setting.backend},
            {"threads", options.setting.threads}}},
          {"build",
           {{"revision", environment.revision},
            {"dirty", environment.dirty},
            {"version", environment.version},
            {"compiler", environment.compiler},
            {"flags", environment.flags},
            {"build_type", environment.build_type},
            {"library", environment.benchmark_library},
            {"planted", std::string(study::planted())}}},
          {"cells", cells}};
}

/// The subject whose turn it is.
class Server {
 public:
  explicit Server(std::vector<GridEntry> grid) : grid_(std::move(grid)) {}

  [[nodiscard]] Result<Json> answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "prepare") {
      return prepare(words);
    }
    std::uint64_t iterations = 0;
    words >> iterations;
    if (!timer_ || !words || iterations == 0) {
      return fail("'{}': nothing is prepared, or no number of iterations", line);
    }
    if (verb == "time") {
      return timer_->time(iterations).map([](double seconds) {
        return Json{{"seconds", seconds}};
      });
    }
    if (verb == "count") {
      return count(iterations);
    }
    return fail("'{}': wanted prepare, time or count", line);
  }

 private:
  Result<Json> prepare(std::istringstream& words) {
    std::size_t cell = 0;
    int verify = 0;
    double seconds = 0;
    words >> cell >> verify >> seconds;
    if (!words || cell >= grid_.size() || !(seconds > 0)) {
      return fail("prepare: wanted a cell below {}, 0 or 1, and seconds", grid_.size());
    }
    timer_.reset();
    cell_ = cell;
    Result<measure::Subject> subject = grid_[cell].make();
    if (!subject) {
      return tl::unexpected(subject.error());
    }
    Result<measure::SliceTimer> timer =
        measure::SliceTimer::prepare(std::move(*subject), verify != 0);
    if (!timer) {
      return tl::unexpected(timer.error());
    }
    timer_.emplace(std::move(*timer));
    return timer_->calibrate(seconds).map([](std::uint64_t iterations) {
      return Json{{"iterations", iterations}};
    });
  }

  Result<Json> count(std::uint64_t iterations) {
    const Result<void> collected = collect(std::to_string(cell_), [&] {
      for (std::uint64_t i = 0; i < iterations; ++i) {
        timer_->timed().run();
      }
    });
    if (!collected) {
      return tl::unexpected(collected.error());
    }
    return Json{{"counted", iterations}};
  }

  std::vector<GridEntry> grid_;
  std::size_t cell_ = 0;
  std::optional<measure::SliceTimer> timer_;
};

}  // namespace

int serve(const Options& options) {
  std::vector<GridEntry> grid = make_grid(options);
  std::cout << greeting(options, grid).dump() << std::endl;
  Server server(std::move(grid));
  for (std::string line; std::getline(std::cin, line);) {
    const Result<Json> answer = server.answer(line);
    std::cout << (answer ? *answer : Json{{"error", answer.error().message}}).dump() << std::endl;
  }
  return 0;
}

}  // namespace interpscale::bench
