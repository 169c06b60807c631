// SPDX-License-Identifier: Apache-2.0
#include "bench/registration.hpp"

#include <benchmark/benchmark.h>

#include <exception>
#include <utility>

#include "bench/context.hpp"

namespace interpscale::bench {

struct Stage::Act {
  std::string name;
  measure::Quantities quantities;
  std::unique_ptr<measure::Timed> timed;
};

namespace {

/// Once an iteration, as a rate or, divided by `unit`, as a share of it.
benchmark::Counter rate(std::uint64_t amount, double unit = 1.0) {
  return {static_cast<double>(amount) / unit, benchmark::Counter::kIsIterationInvariantRate};
}

void add_counters(benchmark::State& state, const measure::Quantities& quantities, double peak) {
  if (quantities.parameters > 0) {
    state.counters["params"] = static_cast<double>(quantities.parameters);
  }
  if (quantities.neurons > 0) {
    state.counters["neurons"] = static_cast<double>(quantities.neurons);
  }
  state.counters["FLOP/s"] = rate(quantities.flops);
  state.counters["bytes/s"] = rate(quantities.bytes);
  if (peak > 0.0) {
    state.counters[kPeakShare] = rate(quantities.flops, peak);
  }
}

}  // namespace

Result<std::shared_ptr<Stage::Act>> Stage::prepare(const GridEntry& entry) {
  const Result<measure::Subject> subject = entry.make();
  if (!subject) {
    return tl::unexpected(subject.error());
  }
  Result<std::unique_ptr<measure::Timed>> timed = subject->prepare();
  if (!timed) {
    return tl::unexpected(timed.error());
  }
  if (!verified_[entry.name]) {
    if (const Result<measure::Verification> verified = (*timed)->verify(); !verified) {
      return tl::unexpected(verified.error());
    }
    verified_[entry.name] = true;
  }
  return std::make_shared<Act>(Act{entry.name, subject->quantities, std::move(*timed)});
}

std::shared_ptr<Stage::Act> Stage::prepared(const GridEntry& entry) {
  if (current_ == nullptr || current_->name != entry.name) {
    current_.reset();
    if (failures_.contains(entry.name)) {
      return nullptr;
    }
    try {
      Result<std::shared_ptr<Act>> act = prepare(entry);
      if (!act) {
        failures_[entry.name] = act.error().message;
        return nullptr;
      }
      current_ = std::move(*act);
    } catch (const std::exception& problem) {
      failures_[entry.name] = problem.what();
    }
  }
  return current_;
}

void Stage::register_all(const std::vector<GridEntry>& grid) {
  for (const GridEntry& entry : grid) {
    benchmark::RegisterBenchmark(entry.name.c_str(),
                                 [this, entry](benchmark::State& state) {
                                   const std::shared_ptr<Act> act = prepared(entry);
                                   if (act == nullptr) {
                                     state.SkipWithError(failures_.at(entry.name).c_str());
                                     return;
                                   }
                                   try {
                                     for (auto iteration : state) {
                                       benchmark::DoNotOptimize(iteration);
                                       act->timed->run();
                                       benchmark::ClobberMemory();
                                     }
                                   } catch (const std::exception& problem) {
                                     failures_[entry.name] = problem.what();
                                     current_.reset();
                                     state.SkipWithError(problem.what());
                                     return;
                                   }
                                   add_counters(state, act->quantities, peak_);
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace interpscale::bench
