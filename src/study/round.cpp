// A round, as its child process lives it.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "interpscale/measure/binding.hpp"
#include "interpscale/measure/driver.hpp"
#include "interpscale/measure/journal.hpp"
#include "interpscale/study/run.hpp"
#include "study/networks.hpp"
#include "study/round_order.hpp"
#include "study/training_steps.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;

/// Of measuring the machine's limits, each round.
constexpr double kLimitsSeconds = 0.3;

/// Where the threads of what is timed have been put.
struct Place {
  std::string binding = "unbound";
  std::vector<int> processors;  ///< of the first two; none on one thread
};

/// Pins the threads that a plan asks for, if there are several.
Place take_place(const Plan& plan) {
  if (plan.threads == 1) {
    return {};
  }
  const std::vector<int> allowed = measure::allowed_processors();
  const std::string binding = measure::bind_threads(plan.threads);
  return {binding,
          allowed.size() < 2 ? std::vector<int>{} : std::vector<int>{allowed[0], allowed[1]}};
}

RoundRecord describe_round(const Plan& plan, const Place& place, int round) {
  RoundRecord record;
  record.round = round;
  record.seed = round_seed(plan, round);
  record.environment = measure::read_environment();
  record.state = measure::read_machine_state();
  record.limits = measure::measure_limits(record.environment, kLimitsSeconds);
  record.threads = plan.threads;
  record.backend = plan.backend;
  record.simd_target = plan.simd_target.empty() ? record.limits.simd_target : plan.simd_target;
  record.binding = place.binding;
  if (!place.processors.empty()) {
    record.round_trip_nanoseconds =
        measure::round_trip_nanoseconds(place.processors[0], place.processors[1]);
  }
  return record;
}

Result<measure::Subject> subject_of(const CellRecord& cell, const Plan& plan,
                                    const std::shared_ptr<Specimens>& specimens) {
  const nn::Topology topology = topology_of(cell);
  if (topology.name() != cell.topology) {
    return fail("cell '{}': its topology is '{}', but depth, width and inputs make '{}'", cell.cell,
                cell.topology, topology.name());
  }
  const CellRequest request{cell.subject, cell.variant, topology, plan.batch,
                            specimens->active_pairs(cell.topology)};
  Result<measure::Subject> subject = make_subject(
      request, setting_of(plan), [specimens, topology] { return specimens->of(topology); });
  if (subject && subject->name != cell.cell) {
    return fail("cell '{}' is called '{}' by this build; start a new study", cell.cell,
                subject->name);
  }
  return subject;
}

TimingRecord record_of(const measure::Timing& timing, int round) {
  TimingRecord record;
  record.round = round;
  record.cell = timing.subject;
  record.status = timing.ok ? "ok" : "failed";
  record.reason = timing.reason;
  record.command =
      fmt::format("interpscale round --folder . --round {} --repeat {}", round, timing.subject);
  if (timing.ok) {
    record.seconds = timing.seconds;
    record.repetitions = timing.repetitions;
  }
  record.iterations = timing.iterations;
  record.steal_share = timing.steal_share;
  record.round_trips = timing.round_trips;
  return record;
}

measure::DriverOptions driver_options(const Plan& plan, const Place& place) {
  return {.min_seconds = plan.min_seconds,
          .warm_up_seconds = plan.warm_up_seconds,
          .repetitions = plan.repetitions,
          .verify = false,
          .processors = place.processors};
}

/// The subjects of these cells, in their order.
Result<std::vector<measure::Subject>> subjects_for(const std::vector<const CellRecord*>& cells,
                                                   const StudyJournal& journal,
                                                   const fs::path& folder) {
  const auto specimens = std::make_shared<Specimens>(folder, journal.networks);
  std::vector<measure::Subject> subjects;
  for (const CellRecord* cell : cells) {
    Result<measure::Subject> subject = subject_of(*cell, journal.plan, specimens);
    if (!subject) {
      return tl::unexpected(subject.error());
    }
    subjects.push_back(std::move(*subject));
  }
  return subjects;
}

/// Each step's forward pass is compared with its reference before it is timed: these are not cells.
Result<void> time_steps(const StudyJournal& journal, const Place& place, int round,
                        measure::Journal& out) {
  const std::vector<StepToTime> steps = steps_to_time(journal, round);
  std::vector<measure::Subject> subjects;
  subjects.reserve(steps.size());
  for (const StepToTime& step : steps) {
    subjects.push_back(step_subject(journal.plan, step));
  }
  measure::DriverOptions options = driver_options(journal.plan, place);
  options.verify = true;
  Result<void> written;
  auto step = steps.begin();
  measure::time_subjects(subjects, options, [&](const measure::Timing& timing) {
    StepRecord record = describe_step(journal.plan, *step++, round);
    record.status = timing.ok ? "ok" : "failed";
    record.reason = timing.reason;
    record.seconds = timing.ok ? timing.seconds : 0;
    record.repetitions = timing.ok ? timing.repetitions : std::vector<double>();
    record.iterations = timing.iterations;
    record.steal_share = timing.steal_share;
    written = out.append(to_json(record));
    return written.has_value();
  });
  return written;
}

}  // namespace

Result<void> run_round(const fs::path& folder, int round,
                       const std::vector<std::string>& only_cells) {
  const fs::path path = journal_file(folder);
  const Result<StudyJournal> journal = read_study_journal(path);
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  const std::vector<const CellRecord*> cells = cells_to_time(*journal, round, only_cells);
  const Result<std::vector<measure::Subject>> subjects = subjects_for(cells, *journal, folder);
  if (!subjects) {
    return tl::unexpected(subjects.error());
  }
  Result<measure::Journal> out = measure::Journal::open(path);
  if (!out) {
    return tl::unexpected(out.error());
  }
  const Place place = take_place(journal->plan);
  Result<void> written = out->append(to_json(describe_round(journal->plan, place, round)));
  if (!written) {
    return written;
  }
  measure::time_subjects(*subjects, driver_options(journal->plan, place),
                         [&](const measure::Timing& timing) {
                           written = out->append(to_json(record_of(timing, round)));
                           return written.has_value();
                         });
  if (!written || !only_cells.empty()) {
    return written;
  }
  return time_steps(*journal, place, round, *out);
}

Result<TimingRecord> repeat_timing(const fs::path& folder, int round, const std::string& cell) {
  const Result<StudyJournal> journal = read_study_journal(journal_file(folder));
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  for (const CellRecord& known : journal->cells) {
    if (known.cell == cell) {
      const Result<std::vector<measure::Subject>> subjects =
          subjects_for({&known}, *journal, folder);
      if (!subjects) {
        return tl::unexpected(subjects.error());
      }
      TimingRecord record;
      measure::time_subjects(*subjects, driver_options(journal->plan, take_place(journal->plan)),
                             [&](const measure::Timing& timing) {
                               record = record_of(timing, round);
                               return true;
                             });
      return record;
    }
  }
  return fail("{}: holds no cell '{}'", journal_file(folder).string(), cell);
}

}  // namespace interpscale::study
