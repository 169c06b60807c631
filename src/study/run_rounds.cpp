// The last stage of a study: rounds in child processes, watched over by their parent.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "interpscale/measure/child.hpp"
#include "study/round_order.hpp"
#include "study/run_state.hpp"
#include "study/training_steps.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;

/// A cell whose child dies this often in one round is recorded as failed.
constexpr int kMostCrashes = 2;

/// Whole lines that were added to a file since the last look.
class LineCounter {
 public:
  explicit LineCounter(const fs::path& path) : stream_(path, std::ios::binary | std::ios::ate) {}
  [[nodiscard]] int added() {
    int lines = 0;
    stream_.clear();
    for (char c = 0; stream_.get(c);) {
      lines += c == '\n' ? 1 : 0;
    }
    return lines;
  }

 private:
  std::ifstream stream_;
};

/// One round: children, one after another, until every cell has a timing or a failure.
class RoundKeeper {
 public:
  RoundKeeper(RunState& state, int round, std::vector<std::string> only_cells)
      : state_(state), round_(round), only_cells_(std::move(only_cells)) {}

  Result<void> run() {
    for (;;) {
      const std::vector<const CellRecord*> cells =
          cells_to_time(state_.journal, round_, only_cells_);
      const std::size_t left = cells.size() + steps_left().size();
      if (left == 0) {
        return {};
      }
      const Result<measure::ChildExit> child = run_child(cells);
      if (!child) {
        return tl::unexpected(child.error());
      }
      if (Result<void> read = read_journal_again(); !read) {
        return read;
      }
      if (Result<void> judged = judge(*child, left); !judged) {
        return judged;
      }
    }
  }

 private:
  /// Training steps are timed in whole rounds only.
  [[nodiscard]] std::vector<StepToTime> steps_left() const {
    return only_cells_.empty() ? steps_to_time(state_.journal, round_) : std::vector<StepToTime>();
  }

  [[nodiscard]] std::string stage() const {
    const int planned = state_.journal.plan.rounds;
    return round_ < planned ? fmt::format("round {} of {}", round_ + 1, planned)
                            : fmt::format("extra round {}", round_ - planned + 1);
  }

  Result<measure::ChildExit> run_child(const std::vector<const CellRecord*>& cells) {
    std::vector<std::string> arguments = {
        state_.options.program.string(), "round",   "--folder",
        state_.options.folder.string(),  "--round", std::to_string(round_)};
    for (const std::string& cell : only_cells_) {
      arguments.insert(arguments.end(), {"--cell", cell});
    }
    LineCounter lines(journal_file(state_.options.folder));
    // The child's first line is the round's record; then one line a cell, in the order of `cells`.
    std::size_t seen = 0;
    const double before = state_.done_seconds;
    const auto watch = [&] {
      seen += static_cast<std::size_t>(lines.added());
      double done = before;
      for (std::size_t i = 0; i + 1 < seen && i < cells.size(); ++i) {
        done += expected_timing_seconds(*cells[i], state_.journal.plan);
      }
      state_.done_seconds = done;
      const std::size_t timed = std::min(seen == 0 ? 0 : seen - 1, cells.size());
      state_.report(stage(), fmt::format("{} of {} cells", timed, cells.size()));
    };
    watch();
    Result<measure::ChildExit> child = measure::run_child(arguments, watch);
    state_.done_seconds = before;
    return child;
  }

  Result<void> read_journal_again() {
    Result<StudyJournal> journal = read_study_journal(journal_file(state_.options.folder));
    if (!journal) {
      return tl::unexpected(journal.error());
    }
    const std::size_t known = state_.journal.timings.size();
    std::map<std::string, const CellRecord*> cells;
    for (const CellRecord& cell : journal->cells) {
      cells[cell.cell] = &cell;
    }
    for (std::size_t i = known; i < journal->timings.size(); ++i) {
      state_.done_seconds +=
          expected_timing_seconds(*cells.at(journal->timings[i].cell), journal->plan);
    }
    state_.journal = std::move(*journal);
    return {};
  }

  /// After a child: nothing to say, a crash to count, or an error to pass on.
  Result<void> judge(const measure::ChildExit& child, std::size_t left_before) {
    const std::vector<const CellRecord*> cells = cells_to_time(state_.journal, round_, only_cells_);
    const std::vector<StepToTime> steps = steps_left();
    if (child.exited && child.status != 0) {
      constexpr std::string_view kPrefix = "interpscale: ";
      std::string message = child.last_error;
      if (message.starts_with(kPrefix)) {
        message.erase(0, kPrefix.size());
      }
      return fail("{}", message.empty() ? fmt::format("{}: the child exited with status {}",
                                                      stage(), child.status)
                                        : message);
    }
    if (child.exited && cells.size() + steps.size() == left_before) {
      return fail("{}: the child exited without a timing and without an error", stage());
    }
    if (child.exited || (cells.empty() && steps.empty())) {
      return {};
    }
    return cells.empty() ? count_crash(steps.front(), child) : count_crash(*cells.front(), child);
  }

  [[nodiscard]] static std::string last_words(const measure::ChildExit& child) {
    return fmt::format("killed by signal {} ({}), {} times{}", child.signal,
                       strsignal(child.signal), kMostCrashes,
                       child.last_error.empty() ? "" : "; it said: " + child.last_error);
  }

  Result<void> count_crash(const StepToTime& step, const measure::ChildExit& child) {
    if (++crashes_[name_of(step)] < kMostCrashes) {
      return {};
    }
    StepRecord record = describe_step(state_.journal.plan, step, round_);
    record.status = "failed";
    record.reason = last_words(child);
    if (const Result<void> ready = ensure_round_record(); !ready) {
      return ready;
    }
    if (Result<void> written = state_.out.append(to_json(record)); !written) {
      return written;
    }
    state_.journal.steps.push_back(std::move(record));
    return {};
  }

  Result<void> count_crash(const CellRecord& cell, const measure::ChildExit& child) {
    if (++crashes_[cell.cell] < kMostCrashes) {
      return {};
    }
    TimingRecord record;
    record.round = round_;
    record.cell = cell.cell;
    record.status = "failed";
    record.reason = last_words(child);
    record.command =
        fmt::format("interpscale round --folder . --round {} --repeat {}", round_, cell.cell);
    if (const Result<void> ready = ensure_round_record(); !ready) {
      return ready;
    }
    if (Result<void> written = state_.out.append(to_json(record)); !written) {
      return written;
    }
    state_.journal.timings.push_back(std::move(record));
    return {};
  }

  /// A child that crashes before it has written anything leaves a round without a record.
  Result<void> ensure_round_record() {
    for (const RoundRecord& record : state_.journal.rounds) {
      if (record.round == round_) {
        return {};
      }
    }
    return fail(
        "{}: the child dies by a signal before it has measured the machine; try: {} round "
        "--folder {} --round {}",
        stage(), state_.options.program.string(), state_.options.folder.string(), round_);
  }

  RunState& state_;
  int round_;
  std::vector<std::string> only_cells_;
  std::map<std::string, int> crashes_;
};

}  // namespace

Result<void> make_rounds(RunState& state, RunSummary& summary) {
  const Plan& plan = state.journal.plan;
  const int planned = plan.rounds;
  const int most = planned + plan.extra_rounds;
  for (int round = 0; round < planned; ++round) {
    if (Result<void> done = RoundKeeper(state, round, {}).run(); !done) {
      return done;
    }
  }
  for (int round = planned; round < most; ++round) {
    const std::vector<std::string> doubtful = mistrusted_cells(state.journal, round);
    if (doubtful.empty()) {
      break;
    }
    if (Result<void> done = RoundKeeper(state, round, doubtful).run(); !done) {
      return done;
    }
    ++summary.remeasured;
  }
  return {};
}

}  // namespace interpscale::study
