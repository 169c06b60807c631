// What came of training to a result: loss laws, steps to a result, the best size for a compute, and
// the whole trainings' time. docs/training.md states the rules.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/experiments/evidence.hpp"
#include "interpscale/scaling/loss_law.hpp"
#include "interpscale/scaling/optimal_size.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// A size counts as converged where the last doubling of the run length lowers the loss by no more
/// than this share.
inline constexpr double kConvergedWithin = 0.1;
/// The margins around each network's own best loss.
inline constexpr double kWideMargin = 0.05;
inline constexpr double kNarrowMargin = 0.01;

/// One width of a task: its runs put together.
struct TrainedSize {
  std::size_t width = 0;
  std::string topology;
  double parameters = 0;
  double learning_rate = 0;
  std::uint64_t flops_per_step = 0;
  std::vector<std::uint64_t> run_steps;     ///< ascending
  std::vector<std::vector<double>> losses;  ///< [seed][run length], at the run's end
  double best_loss = 0;                     ///< median over seeds of the least over run lengths
  double last_gain = 0;  ///< median over seeds of 1 - L(longest) / L(the one before)
  bool converged = false;
  std::vector<double> step_seconds;  ///< per round
  double tuning = 0;                 ///< steps of its sweep over those of one longest training
};

/// Where a run's steps to a loss lie.
enum class Reached {
  kYes,
  kBefore,  ///< the shortest run is there already: fewer steps than that
  kNever,   ///< no run is there, or the longest still improves by more than the margin
};

struct StepsToLoss {
  Reached reached = Reached::kNever;
  double steps = 0;  ///< kYes: interpolated; kBefore: the shortest; kNever: the longest run length
};

/// How many steps a run must be given for its end to be at `loss` or below: the first run length
/// that is, interpolated in log loss against log steps from the one before.
[[nodiscard]] StepsToLoss steps_to(double loss, const std::vector<std::uint64_t>& run_steps,
                                   const std::vector<double>& losses);
/// The same to (1 + margin) times the least of `losses`; never where that is the longest run's and
/// its last doubling gains more than the margin: the network's own best is then not known.
[[nodiscard]] StepsToLoss steps_to_own_best(double margin,
                                            const std::vector<std::uint64_t>& run_steps,
                                            const std::vector<double>& losses);

/// Steps to one result, over a task's sizes.
struct StepsLaw {
  std::string flavour;  ///< "to the target loss", ...
  bool to_own_best = false;
  double target = 0;                           ///< the loss, or the margin
  std::vector<std::vector<StepsToLoss>> runs;  ///< [size][seed]
  std::size_t censored = 0;                    ///< runs
  std::size_t sizes = 0;                       ///< whose median over seeds gets there: those fitted
  std::optional<experiments::PowerFigure> steps;  ///< S(N)
  std::optional<experiments::PowerFigure> time;   ///< S(N) x step, seconds
};

/// One training task of a study.
struct TaskResult {
  TrainingTask task;
  std::vector<TrainedSize> sizes;  ///< ascending
  double tuning = 0;               ///< the sweep's steps over one longest training's, median
  std::size_t failed = 0;          ///< runs for results whose loss did not stay finite
  std::optional<experiments::PowerFigure> step;  ///< seconds of one step
  /// L ~ N^-alpha of the converged sizes, without an irreducible loss: of a noiseless teacher there
  /// is none. The exponent is -alpha.
  std::optional<experiments::PowerFigure> loss_power;
  std::optional<scaling::LossFit> loss_law;           ///< E + A N^-alpha of the converged sizes
  std::optional<scaling::LossFit> joint_law;          ///< E + A N^-alpha + B D^-beta of all runs
  std::optional<scaling::OptimalSize> optimal;        ///< N_opt ~ C^a by parabolas
  std::optional<experiments::Figure> frontier_power;  ///< -alpha_C: L ~ C^-alpha_C at the optimum
  std::vector<StepsLaw> steps;
  std::vector<std::string> notes;
};

/// Everything that the journal's trainings and steps say, task by task.
[[nodiscard]] std::vector<TaskResult> analyse_trainings(const StudyJournal& journal,
                                                        const scaling::BootstrapOptions& options);

/// y = c N^exponent through positive values, [size][repeat]: rounds or seeds; the interval is
/// `fit_ratio`'s, repeats and scatter around the law.
[[nodiscard]] Result<experiments::PowerFigure> fit_power(
    const std::vector<double>& sizes, const std::vector<std::vector<double>>& values,
    const scaling::BootstrapOptions& options);

/// What experiments judge by.
[[nodiscard]] experiments::TrainingEvidence evidence_of(const TaskResult& task);

}  // namespace interpscale::study
