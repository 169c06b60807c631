// The lines of a study's journal. results/schema describes the same in JSON Schema.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/experiments/outcome.hpp"
#include "interpscale/measure/driver.hpp"
#include "interpscale/measure/environment.hpp"
#include "interpscale/measure/limits.hpp"
#include "interpscale/measure/timed.hpp"
#include "interpscale/study/plan.hpp"

namespace interpscale::study {

inline constexpr int kSchemaVersion = 2;

/// kind "network": one trained network of the study.
struct NetworkRecord {
  std::string topology;  ///< Topology::name()
  double loss_before = 0;
  double loss_after = 0;
  double test_accuracy = 0;
  double seconds = 0;
  std::vector<double> active_share;         ///< per hidden layer, on the study's batch
  std::vector<std::uint64_t> active_pairs;  ///< per hidden layer
};

/// kind "cell": what a cell is, and that it was verified (once a study).
struct CellRecord {
  std::string cell;
  std::string subject;
  std::string variant;  ///< "" for passes
  std::string topology;
  std::size_t depth = 0;
  std::size_t width = 0;  ///< of the first hidden layer
  measure::Quantities quantities;
  std::uint64_t dense_flops = 0;  ///< declared cost if every unit were active
  std::string status;             ///< "ok" or "failed" (then it is not timed)
  std::string reason;
  measure::Verification verification;
};

/// kind "round": a child process has started.
struct RoundRecord {
  int round = 0;
  std::uint64_t seed = 0;
  measure::Environment environment;
  measure::MachineState state;
  measure::Limits limits;
  int threads = 1;
  std::string backend;
  std::string simd_target;
  std::string binding;  ///< the threads' processors, "0,1"; "unbound" where nothing was pinned
  double round_trip_nanoseconds = 0;  ///< 0 for one thread
};

/// kind "timing": one cell in one round. status "ok" or "failed".
struct TimingRecord {
  int round = 0;
  std::string cell;
  std::string status;
  std::string reason;
  std::string command;  ///< repeats this timing alone
  double seconds = 0;
  std::vector<double> repetitions;
  std::uint64_t iterations = 0;
  double steal_share = 0;
  std::vector<double> round_trips;  ///< before and after, on more than one thread; nanoseconds
};

/// kind "calls": the kernel calls that one run of a cell is made of.
struct CallsRecord {
  struct Count {
    std::string kernel;  ///< kernels::name_of its call
    std::uint64_t count = 0;
  };
  std::string cell;
  std::vector<Count> calls;
};

/// kind "kernel": one kernel call timed by itself, in one of the plan's kernel rounds. status "ok"
/// or "failed".
struct KernelRecord {
  int round = 0;
  std::string kernel;
  std::string status;
  std::string reason;
  double seconds = 0;
  double flops_per_second = 0;  ///< the FMA peak that its process measured
};

/// A point of a loss curve: after `steps` steps the network saw `samples` samples.
struct CurvePoint {
  std::uint64_t steps = 0;
  std::uint64_t samples = 0;
  std::uint64_t flops = 0;  ///< of the steps, as the kernels count
  double seconds = 0;  ///< spent in steps so far; other runs share the machine: no clean timing
  double loss = 0;     ///< mean over the task's test examples
};

/// kind "training": one run of a training task. status "ok" or "failed" (the loss was not finite).
struct TrainingRecord {
  std::string task;
  std::string purpose;  ///< "sweep" (of learning rates) or "result"
  std::string topology;
  std::size_t width = 0;
  std::uint64_t parameters = 0;
  int seed = 0;  ///< from 0: of the initial values and of the samples' order
  std::string optimizer;
  double learning_rate = 0;  ///< the schedule's peak
  std::size_t batch = 0;
  std::uint64_t steps = 0;  ///< the run's length
  std::uint64_t flops_per_step = 0;
  std::string status;
  std::string reason;
  double loss = 0;                ///< at the end, on the task's test examples; 0 where failed
  double accuracy = 0;            ///< likewise; 0 in regression
  std::vector<CurvePoint> curve;  ///< from step 0 on, at steps of about equal ratio
};

/// kind "step": one training step of a task's network, timed in a round. status "ok" or "failed".
struct StepRecord {
  int round = 0;
  std::string task;
  std::string topology;
  std::size_t width = 0;
  std::string status;
  std::string reason;
  double seconds = 0;
  std::vector<double> repetitions;
  std::uint64_t iterations = 0;
  double steal_share = 0;
};

/// A journal, read back: a plan, then what has been done of it. Rounds 0 ... plan.rounds - 1 visit
/// every cell; later ones only those that were mistrusted by then. A round that was interrupted has
/// a `round` record for each child process that worked on it.
struct StudyJournal {
  Plan plan;
  std::vector<NetworkRecord> networks;
  std::vector<CellRecord> cells;
  std::vector<RoundRecord> rounds;
  std::vector<TimingRecord> timings;
  std::vector<CallsRecord> calls;  ///< of cells whose times the declared FLOPs do not explain
  std::vector<KernelRecord> kernels;
  std::vector<LeftOut> left_out;  ///< kind "left_out"
  std::vector<TrainingRecord> trainings;
  std::vector<StepRecord> steps;
  std::vector<experiments::Outcome> experiments;  ///< kind "experiment"
};

[[nodiscard]] nlohmann::ordered_json study_record(const Plan& plan);
[[nodiscard]] nlohmann::ordered_json to_json(const NetworkRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const CellRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const RoundRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const TimingRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const LeftOut& record);
[[nodiscard]] nlohmann::ordered_json to_json(const CallsRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const KernelRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const TrainingRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const StepRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const experiments::Outcome& record);

/// Errors name file, line and field. What stands twice is an error (a topology, a cell, a round's
/// timing of a cell, a task's run, a round's step of a task's network, an experiment's piece), and
/// so is what refers to something unknown (a timing of no cell or round). A torn last line is
/// forgiven.
[[nodiscard]] Result<StudyJournal> read_study_journal(const std::filesystem::path& path);

}  // namespace interpscale::study
