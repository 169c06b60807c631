// What a study will measure: axes, presets, and the cells they expand to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

/// One network of a plan: d inputs, `depth` hidden layers of `width` units each.
struct Shape {
  std::size_t inputs = 0;
  std::size_t width = 0;
  std::size_t depth = 0;
  bool operator==(const Shape&) const = default;
};

/// The classes of every problem a study measures: Fashion-MNIST's ten, or a teacher's.
inline constexpr std::size_t kStudyClasses = 10;
/// The name of the data that need no files: a teacher's inputs, labelled with its largest output.
inline constexpr std::string_view kSyntheticData = "teacher-student";

/// What the plan supposes of any machine, so that it expands the same on all of them: the rate of
/// wide products.
inline constexpr double kAssumedFlopsPerSecond = 70e9;
inline constexpr double kAssumedVerificationSeconds = 12e-3;  ///< of one cell
inline constexpr double kAssumedTrainingCores = 2;  ///< that train networks to a result at once

/// A teacher's targets under squared error, or the plan's data under cross-entropy.
inline constexpr std::string_view kRegression = "regression";
inline constexpr std::string_view kClassification = "classification";

/// One task that networks of several widths are trained to a result on: every width from `seeds`
/// initialisations, once for each run length, each run under a schedule of its own (warm-up, then a
/// cosine to zero), so that every run's end is a network that has converged as far as its length
/// allows. docs/training.md states the rules.
struct TrainingTask {
  std::string name;                    ///< unique in a plan: "teacher-d4"
  std::string kind;                    ///< kRegression or kClassification
  std::size_t inputs = 0;              ///< d
  std::size_t depth = 0;               ///< hidden layers of the networks that learn
  std::vector<std::size_t> widths;     ///< ascending
  std::vector<std::size_t> run_steps;  ///< the run lengths, ascending
  int seeds = 0;
  /// The middle of the sweep of learning rates at width 16; elsewhere times (16 / width)^(1/2).
  double middle_rate = 0;
  std::size_t sweep_steps = 0;  ///< length of each run of the sweep
  bool operator==(const TrainingTask&) const = default;
};

/// A plan is a value: everything that decides what is measured, and nothing else.
struct Plan {
  std::string preset = "quick";
  std::string data = "fashion-mnist";  ///< a data set's name or folder, or "teacher-student"
  /// The networks one by one (the presets' designs); or empty, and the axes below are crossed.
  std::vector<Shape> shapes;
  std::vector<std::size_t> widths;
  std::vector<std::size_t> depths;    ///< hidden layers
  std::vector<std::size_t> inputs;    ///< d; for 28 x 28 images: 784, 196, 49, 16
  std::vector<std::string> subjects;  ///< "training_step", "zero_ablation:fast", ...; empty: all
  std::size_t batch = 128;
  int rounds = 5;
  int extra_rounds = 2;  ///< at most, of the cells that are mistrusted after `rounds`
  int threads = 1;
  std::string backend = "simd";
  std::string simd_target;
  int path_steps = 32;
  int permutations = 25;
  std::vector<TrainingTask> trainings;  ///< to a result; empty: none
  std::string experiments = "none";     ///< the scale of experiments::argument_scale
  int training_steps = 100;             ///< that each network is trained for before it is analysed
  double cell_floor_seconds = 0;  ///< a cell whose declared FLOPs take less is left out: overhead
  double cell_budget_seconds = 0.5;   ///< a cell whose declared FLOPs would take longer is left out
  double subject_seconds = 0;         ///< a subject's share of a round (see `expand`); 0: no bound
  std::size_t cells_per_subject = 0;  ///< at most; 0: no bound
  int kernel_rounds = 0;  ///< of the kernels in cells that theory does not explain (see run.hpp)
  double min_seconds = 0.02;  ///< timed for at least this long, each repetition
  double warm_up_seconds = 0.01;
  int repetitions = 3;
  std::uint64_t seed = 1;
};

/// How the plan's subjects are run.
[[nodiscard]] Setting setting_of(const Plan& plan);

[[nodiscard]] std::vector<std::string> preset_names();
[[nodiscard]] Result<Plan> preset(std::string_view name);
/// The designs of training to a result, by name: "none", "smoke" (seconds), "standard" (minutes),
/// "full" (under half an hour on two cores).
[[nodiscard]] std::vector<std::string> training_design_names();
[[nodiscard]] Result<std::vector<TrainingTask>> training_design(std::string_view name);
/// An error that names the axis, what was found and what is allowed.
[[nodiscard]] Result<void> validate(const Plan& plan);
[[nodiscard]] nlohmann::ordered_json to_json(const Plan& plan);
[[nodiscard]] Result<Plan> plan_from_json(const nlohmann::ordered_json& json);
/// "rounds: 5 in the first, 9 in the second", or "" for equal plans.
[[nodiscard]] std::string first_difference(const Plan& first, const Plan& second);

/// One problem x one thing to time.
struct Cell {
  std::string name;  ///< the subject's name: unique in a plan
  CellRequest request;
  std::uint64_t dense_flops = 0;  ///< declared cost if every unit were active
};

/// A subject that the plan does not measure on some of its networks: why, and on which.
struct LeftOut {
  std::string name;    ///< "zero_ablation:naive"
  std::string reason;  ///< "above the budget of 0.1 s: 784-512-10/relu, 196-512-10/relu"
};

struct Expansion {
  std::vector<nn::Topology> topologies;  ///< of the cells, each once
  std::vector<Cell> cells;
  std::vector<LeftOut> left_out;  ///< over the time budget, mostly
};

/// Every subject on every shape, except (each left out with its reason)
/// - cells below `cell_floor_seconds` or above `cell_budget_seconds` by `assumed_seconds`;
/// - where the design names the shapes: networks whose products are too small to run near a
///   machine's rate (`assumed_slowdown` above 1.5), the slowest first, as long as eight cells, a
///   VIF of 6, 1.6 decades of N and the family (below) remain. Time lost in short rows and calls is
///   the machine's: it would bend the measured exponents away from the algorithm's;
/// - where a subject's cells together exceed `subject_seconds` a round or `cells_per_subject`: the
///   cell that costs most per information about (log N, log n), again and again, down to eight
///   cells and 1.6 decades. Information is what log det of the normal equations loses with the cell
///   (D-optimality). The training step, the denominator of every ratio, is spared this.
/// Where the design names the shapes, networks narrower than 32 are considered only if the others
/// leave a subject fewer than eight cells or 1.5 decades of N.
/// Of the family (the inputs and depth with the most widths: where width alone grows) five stay.
/// A preset leaves a subject out altogether where fewer than eight cells or 1.5 decades are left.
[[nodiscard]] Result<Expansion> expand(const Plan& plan);

/// By how much the products of a forward pass are slower than wide ones: short sums (24 inputs cost
/// as much again), rows that do not fill vectors of 16, and a microsecond a call.
[[nodiscard]] double assumed_slowdown(const nn::Topology& topology, std::size_t batch);
/// What one run of a subject is assumed to take.
[[nodiscard]] double assumed_seconds(std::uint64_t flops, const nn::Topology& topology,
                                     std::size_t batch);
/// What one cell is assumed to take in one round: preparation, warm-up, repetitions.
[[nodiscard]] double assumed_round_seconds(const Cell& cell, const Plan& plan);
/// What the plan's trainings to a result are assumed to take, on kAssumedTrainingCores.
[[nodiscard]] double assumed_trainings_seconds(const Plan& plan);
/// What the plan's experiments are assumed to take.
[[nodiscard]] double assumed_experiments_seconds(const Plan& plan);
/// What the whole study is assumed to take: networks, verification, trainings, rounds.
[[nodiscard]] double assumed_study_seconds(const Expansion& expansion, const Plan& plan);

/// Variance inflation of log N (and of log n) in the design of these problems; infinite when the
/// two cannot be told apart.
[[nodiscard]] double design_vif(std::span<const nn::Topology> topologies);

}  // namespace interpscale::study
