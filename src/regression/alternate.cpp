// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/alternate.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/measure/environment.hpp"
#include "regression/exponents.hpp"
#include "regression/sequence.hpp"
#include "regression/server.hpp"

namespace interpscale::regression {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr std::size_t kBase = 0;
constexpr std::size_t kCandidate = 1;
constexpr std::size_t kBaseAgain = 2;
constexpr std::size_t kProcesses = 3;

using Times = std::array<double, kProcesses>;

/// Who runs in which order in a block: everybody follows and precedes everybody else as often.
constexpr std::array<std::array<std::size_t, kProcesses>, 6> kTurns{
    {{kBase, kCandidate, kBaseAgain},
     {kBaseAgain, kCandidate, kBase},
     {kCandidate, kBase, kBaseAgain},
     {kBaseAgain, kBase, kCandidate},
     {kCandidate, kBaseAgain, kBase},
     {kBase, kBaseAgain, kCandidate}}};

/// One cell's part of one round.
struct CellRound {
  double log_ratio = 0;  ///< candidate against the base processes
  double control = 0;    ///< one base process against the other
  Times seconds{};       ///< medians over blocks
};

/// What has been measured of one cell.
struct CellHistory {
  std::string name;
  std::array<std::size_t, kProcesses> index{};  ///< as each build lists it
  scaling::Observation base;
  scaling::Observation candidate;
  bool failed = false;
};

class Alternation {
 public:
  Alternation(const Build& base, const Build& candidate, const AlternateOptions& options)
      : builds_{&base, &candidate, &base}, options_(options) {}

  Result<Comparison> run();

 private:
  Result<void> meet();
  Result<void> round(std::size_t number);
  Result<void> measure(std::size_t cell, std::size_t number);
  Result<CellRound> time_cell(const CellHistory& cell, std::size_t number);
  Result<std::vector<Server>> start(std::size_t number);
  Comparison conclude();

  std::array<const Build*, kProcesses> builds_;
  const AlternateOptions& options_;
  Clock::time_point start_ = Clock::now();
  std::vector<Server> servers_;
  std::vector<CellHistory> cells_;
  std::optional<Sequence> verdicts_;
  std::vector<std::vector<double>> control_;  // per cell
  Comparison comparison_;
  std::size_t rounds_ = 0;
};

/// The three processes, the one that is started first changing from round to round (A B A', A' B
/// A).
Result<std::vector<Server>> Alternation::start(std::size_t number) {
  const measure::PeerOptions peer{.core = options_.one_core ? static_cast<int>(number) %
                                                                  measure::read_environment().cores
                                                            : -1};
  std::array<std::optional<Server>, kProcesses> started;
  for (const std::size_t who : kTurns[number % kTurns.size()]) {
    Result<Server> server = Server::start(*builds_[who], {}, options_.arguments, peer);
    if (!server) {
      return tl::unexpected(server.error());
    }
    started[who].emplace(std::move(*server));
  }
  std::vector<Server> servers;
  for (std::optional<Server>& server : started) {
    servers.push_back(std::move(*server));
  }
  return servers;
}

/// Which cells there are, from the greetings of the first round's processes.
Result<void> Alternation::meet() {
  Result<std::vector<Server>> servers = start(0);
  if (!servers) {
    return tl::unexpected(servers.error());
  }
  servers_ = std::move(*servers);
  const Greeting& base = servers_[kBase].greeting();
  const Greeting& candidate = servers_[kCandidate].greeting();
  const Result<std::vector<std::string>> names = common_cells(base, candidate, options_.filter);
  if (!names) {
    return tl::unexpected(names.error());
  }
  if (const std::string difference = difference_of(base.machine, candidate.machine);
      !difference.empty()) {
    if (!options_.allow_different_targets) {
      return fail(
          "the builds run differently here ({}); to compare them all the same: "
          "--allow-different-machines",
          difference);
    }
    comparison_.note = "the builds run differently here, as asked: " + difference;
  }
  introduce(base, candidate, options_.filter, comparison_);
  comparison_.base_label = fmt::format("{} ({})", builds_[kBase]->label, base.description);
  comparison_.candidate_label =
      fmt::format("{} ({})", builds_[kCandidate]->label, candidate.description);
  for (const std::string& name : *names) {
    const Offer& offer = base.cells.at(name);
    const Offer& other = candidate.cells.at(name);
    cells_.push_back(
        {name, {offer.index, other.index, offer.index}, offer.problem, other.problem, false});
  }
  verdicts_.emplace(cells_.size(), std::log1p(options_.threshold));
  control_.resize(cells_.size());
  return {};
}

Result<CellRound> Alternation::time_cell(const CellHistory& cell, std::size_t number) {
  std::uint64_t iterations = 1;
  for (std::size_t who = 0; who < kProcesses; ++who) {
    const bool verifies = number == 0 && who != kBaseAgain;
    const Result<std::uint64_t> prepared =
        servers_[who].prepare(cell.index[who], verifies, options_.slice_seconds);
    if (!prepared) {
      return tl::unexpected(prepared.error());
    }
    iterations = who == kBase ? *prepared : iterations;
  }
  std::array<std::vector<double>, kProcesses> slices;
  std::vector<double> log_ratios;
  std::vector<double> controls;
  for (int block = 0; block < options_.blocks; ++block) {
    Times times{};
    for (const std::size_t who :
         kTurns[(number + static_cast<std::size_t>(block)) % kTurns.size()]) {
      const Result<double> seconds = servers_[who].time(iterations);
      if (!seconds) {
        return tl::unexpected(seconds.error());
      }
      times[who] = *seconds;
      slices[who].push_back(*seconds);
    }
    const double base = (std::log(times[kBase]) + std::log(times[kBaseAgain])) / 2;
    log_ratios.push_back(std::log(times[kCandidate]) - base);
    controls.push_back(std::log(times[kBaseAgain] / times[kBase]));
  }
  CellRound result{scaling::median(log_ratios), scaling::median(controls), {}};
  for (std::size_t who = 0; who < kProcesses; ++who) {
    result.seconds[who] = scaling::median(slices[who]);
  }
  return result;
}

Result<void> Alternation::measure(std::size_t cell, std::size_t number) {
  CellHistory& history = cells_[cell];
  const Result<CellRound> timed = time_cell(history, number);
  if (!timed) {
    comparison_.failed.emplace_back(history.name, timed.error().message);
    verdicts_->drop(cell);
    history.failed = true;
    servers_.clear();  // one of them may be gone
    Result<std::vector<Server>> again = start(number);
    if (!again) {
      return tl::unexpected(again.error());
    }
    servers_ = std::move(*again);
    return {};
  }
  verdicts_->add(cell, timed->log_ratio);
  control_[cell].push_back(timed->control);
  history.base.rounds.push_back(std::sqrt(timed->seconds[kBase] * timed->seconds[kBaseAgain]));
  history.candidate.rounds.push_back(timed->seconds[kCandidate]);
  return {};
}

Result<void> Alternation::round(std::size_t number) {
  if (servers_.empty()) {
    Result<std::vector<Server>> servers = start(number);
    if (!servers) {
      return tl::unexpected(servers.error());
    }
    servers_ = std::move(*servers);
  }
  const std::vector<std::size_t> order =
      RandomStream(options_.seed, number).permutation(cells_.size());
  for (const std::size_t cell : order) {
    if (!verdicts_->is_open(cell)) {
      continue;
    }
    if (const Result<void> measured = measure(cell, number); !measured) {
      return measured;
    }
    if (options_.progress) {
      options_.progress(fmt::format("round {}, {} of {} cells undecided", number + 1,
                                    verdicts_->open_cells(), cells_.size()),
                        std::min(1.0, seconds_since(start_) / options_.budget_seconds));
    }
  }
  servers_.clear();
  ++rounds_;
  verdicts_->end_round(rounds_);
  return {};
}

Comparison Alternation::conclude() {
  verdicts_->conclude();
  const double margin = std::log1p(options_.threshold);
  std::vector<SizedRatio> points;
  std::vector<LogRatio> controls;
  Control control;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    const CellHistory& history = cells_[cell];
    if (history.failed) {
      continue;
    }
    const LogRatio ratio = verdicts_->ratio(cell);
    comparison_.cells.push_back(describe(history.base, history.candidate));
    enter(verdicts_->judgement(cell), ratio, margin, comparison_.cells.back());
    points.push_back(
        {history.name, history.base.parameters, scaling::median(history.base.rounds), ratio});
    controls.push_back(log_ratio_of(control_[cell]));
    control.largest = std::max(control.largest, std::abs(std::expm1(controls.back().mean)));
  }
  for (const Judgement& judgement : judge(controls, margin, kFamilyLevel)) {
    ++control.cells;
    control.false_alarms +=
        judgement.verdict == Verdict::kRegressed || judgement.verdict == Verdict::kImproved ? 1U
                                                                                            : 0U;
  }
  comparison_.control = control;
  comparison_.exponents = compare_exponents(points);
  comparison_.threshold = options_.threshold;
  regression::conclude(comparison_);
  return comparison_;
}

Result<Comparison> Alternation::run() {
  const measure::MachineState before = measure::read_machine_state();
  if (const Result<void> met = meet(); !met) {
    return tl::unexpected(met.error());
  }
  double slowest = 0;
  double first = 0;
  while (verdicts_->open_cells() > 0 && rounds_ < options_.most_rounds) {
    // The first round verifies: what it takes says little of the others.
    const double expected = rounds_ < 2 ? 0 : slowest;
    if (seconds_since(start_) + expected > options_.budget_seconds) {
      break;
    }
    const Clock::time_point begin = Clock::now();
    if (const Result<void> done = round(rounds_); !done) {
      return tl::unexpected(done.error());
    }
    (rounds_ == 1 ? first : slowest) = seconds_since(begin);
  }
  if (rounds_ < kFewestRounds && verdicts_->open_cells() > 0) {
    const double each = slowest > 0 ? slowest : first;
    return fail(
        "{:g} s were enough for {} rounds of {} cells, wanted at least {}: allow {:.0f} s "
        "or more, or choose fewer cells with a filter",
        options_.budget_seconds, rounds_, cells_.size(), kFewestRounds,
        std::ceil(1.2 * (first + static_cast<double>(kFewestRounds) * each)));
  }
  comparison_.steal_share = measure::steal_share(before, measure::read_machine_state());
  comparison_.seconds = seconds_since(start_);
  return conclude();
}

}  // namespace

Result<Comparison> compare_builds(const Build& base, const Build& candidate,
                                  const AlternateOptions& options) {
  require(options.budget_seconds > 0 && options.slice_seconds > 0 && options.blocks > 0 &&
              options.threshold > 0 && options.most_rounds >= kFewestRounds,
          "a comparison needs time, blocks, rounds and a threshold");
  return Alternation(base, candidate, options).run();
}

}  // namespace interpscale::regression
