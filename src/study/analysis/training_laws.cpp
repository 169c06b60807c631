// SPDX-License-Identifier: Apache-2.0
#include "study/analysis/training_laws.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "interpscale/study/analysis.hpp"

namespace interpscale::study {
namespace {

using experiments::Figure;
using experiments::PowerFigure;
using scaling::BootstrapOptions;
using scaling::Observation;

/// The easy target is what every size reaches at its best, with this to spare; the hard one, what
/// the middle size does.
constexpr double kTargetSpare = 0.05;
constexpr std::size_t kFewestSizes = 4;

template <class T>
std::optional<T> or_note(Result<T> result, const std::string& what, TaskResult& task) {
  if (!result) {
    task.notes.push_back(fmt::format("No {}: {}.", what, result.error().message));
    return std::nullopt;
  }
  return std::move(*result);
}

using SizeFilter = std::function<bool(const TrainedSize&)>;

std::vector<scaling::LossPoint> best_points(const TaskResult& task, const SizeFilter& take) {
  std::vector<scaling::LossPoint> points;
  for (const TrainedSize& size : task.sizes) {
    for (const std::vector<double>& losses : size.losses) {
      if (take(size)) {
        points.push_back({size.parameters, 0, *std::ranges::min_element(losses)});
      }
    }
  }
  return points;
}

/// A law of loss in N from each seed's own best, of the converged sizes.
void fit_loss_of_size(TaskResult& task, const BootstrapOptions& options) {
  const SizeFilter converged = [](const TrainedSize& size) { return size.converged; };
  std::vector<double> sizes;
  std::vector<std::vector<double>> best;
  for (const TrainedSize& size : task.sizes) {
    if (converged(size)) {
      sizes.push_back(size.parameters);
      best.emplace_back();
      for (const std::vector<double>& losses : size.losses) {
        best.back().push_back(*std::ranges::min_element(losses));
      }
    }
  }
  task.loss_power = or_note(fit_power(sizes, best, options), "power law of loss in N", task);
  task.loss_law =
      or_note(scaling::fit_loss_of_parameters(best_points(task, converged)), "loss law in N", task);
}

/// Ladders of annealed runs as curves: the loss that a run of so much compute ends at.
std::vector<scaling::LossCurve> ladders(const TaskResult& task) {
  std::vector<scaling::LossCurve> curves;
  for (const TrainedSize& size : task.sizes) {
    std::vector<double> compute;
    for (const std::uint64_t steps : size.run_steps) {
      compute.push_back(static_cast<double>(steps) * static_cast<double>(size.flops_per_step));
    }
    for (const std::vector<double>& losses : size.losses) {
      curves.push_back({size.parameters, compute, losses});
    }
  }
  return curves;
}

/// Doublings from the least compute of any run to the most.
std::vector<double> budgets(const std::vector<scaling::LossCurve>& curves) {
  double least = curves.front().compute.front();
  double most = 0;
  for (const scaling::LossCurve& curve : curves) {
    least = std::min(least, curve.compute.front());
    most = std::max(most, curve.compute.back());
  }
  std::vector<double> result;
  for (double compute = least; compute <= most; compute *= 2) {
    result.push_back(compute);
  }
  return result;
}

void fit_compute(TaskResult& task, const BootstrapOptions& options) {
  const std::vector<scaling::LossCurve> curves = ladders(task);
  task.optimal =
      or_note(fit_optimal_size(curves, budgets(curves), options), "best size for a compute", task);
  if (!task.optimal) {
    return;
  }
  std::vector<double> compute;
  std::vector<std::vector<double>> losses;
  for (const scaling::ComputeBudget& budget : task.optimal->budgets) {
    if (budget.reason.empty()) {
      compute.push_back(budget.compute);
      losses.push_back({budget.loss});
    }
  }
  if (const std::optional<PowerFigure> law =
          or_note(fit_power(compute, losses, options), "power law of loss in compute", task)) {
    task.frontier_power = law->exponent;
  }
}

/// The median over seeds, a censored run counting as fewer or more steps than any other; nothing
/// where a run that the median rests on is censored.
std::optional<double> median_steps(std::vector<StepsToLoss> runs) {
  const auto place = [](const StepsToLoss& run) {
    const int rank = run.reached == Reached::kBefore ? 0 : run.reached == Reached::kYes ? 1 : 2;
    return std::pair(rank, run.steps);
  };
  std::ranges::sort(runs, {}, place);
  const StepsToLoss& lower = runs[(runs.size() - 1) / 2];
  const StepsToLoss& upper = runs[runs.size() / 2];
  if (lower.reached != Reached::kYes || upper.reached != Reached::kYes) {
    return std::nullopt;
  }
  return (lower.steps + upper.steps) / 2;
}

StepsLaw steps_law(const TaskResult& task, std::string flavour, double target, bool own_best,
                   const BootstrapOptions& options) {
  StepsLaw law;
  law.flavour = std::move(flavour);
  law.to_own_best = own_best;
  law.target = target;
  std::vector<double> sizes;
  std::vector<std::vector<double>> steps;
  for (const TrainedSize& size : task.sizes) {
    std::vector<StepsToLoss> runs;
    for (const std::vector<double>& losses : size.losses) {
      runs.push_back(own_best ? steps_to_own_best(target, size.run_steps, losses)
                              : steps_to(target, size.run_steps, losses));
      law.censored += runs.back().reached == Reached::kYes ? 0U : 1U;
    }
    if (const std::optional<double> median = median_steps(runs)) {
      sizes.push_back(size.parameters);
      steps.push_back({*median});
    }
    law.runs.push_back(std::move(runs));
  }
  law.sizes = sizes.size();
  if (law.sizes >= kFewestSizes) {
    if (Result<PowerFigure> fitted = fit_power(sizes, steps, options)) {
      law.steps = std::move(*fitted);
    }
  }
  return law;
}

/// S at the compute-optimal point: C = (N / c)^(1 / a) over the FLOPs of a step. Its interval is
/// that of 1 / a, turned around the middle of the sizes that the parabolas found.
std::optional<PowerFigure> optimal_steps(const TaskResult& task, const BootstrapOptions& options) {
  const scaling::OptimalSize& optimal = *task.optimal;
  if (!(optimal.interval.low > 0)) {
    return std::nullopt;
  }
  std::vector<double> sizes;
  std::vector<std::vector<double>> flops;
  for (const TrainedSize& size : task.sizes) {
    sizes.push_back(size.parameters);
    flops.push_back({static_cast<double>(size.flops_per_step)});
  }
  const Result<PowerFigure> step = fit_power(sizes, flops, options);
  std::vector<double> found;
  for (const scaling::ComputeBudget& budget : optimal.budgets) {
    if (budget.reason.empty()) {
      found.push_back(budget.optimal_parameters);
    }
  }
  if (!step || found.empty()) {
    return std::nullopt;
  }
  const auto [low, high] = std::ranges::minmax(found);
  const double middle = std::sqrt(low * high);
  const Figure inverse{1 / optimal.exponent, {1 / optimal.interval.high, 1 / optimal.interval.low}};
  PowerFigure compute;
  compute.exponent = inverse;
  compute.smallest = low;
  compute.largest = high;
  const double compute_at_middle = std::pow(middle / optimal.coefficient, inverse.value);
  for (std::size_t i = 0; i < experiments::kStatedSizes.size(); ++i) {
    const double ratio = experiments::kStatedSizes[i] / middle;
    const double ends[] = {std::pow(ratio, inverse.interval.low),
                           std::pow(ratio, inverse.interval.high)};
    compute.at[i] = scaled(Figure{std::pow(ratio, inverse.value),
                                  {std::min(ends[0], ends[1]), std::max(ends[0], ends[1])}},
                           compute_at_middle);
  }
  return quotient_of(compute, *step);
}

}  // namespace

Result<PowerFigure> fit_power(const std::vector<double>& sizes,
                              const std::vector<std::vector<double>>& values,
                              const BootstrapOptions& options) {
  std::vector<Observation> numerator;
  std::vector<Observation> ones;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string name = fmt::format("size {:.6g}", sizes[i]);
    numerator.push_back({.name = name, .rounds = values[i]});
    ones.push_back({.name = name, .rounds = std::vector<double>(values[i].size(), 1)});
  }
  PowerFigure law;
  for (std::size_t i = 0; i < experiments::kStatedSizes.size(); ++i) {
    const Result<scaling::RatioLaw> fit = fit_ratio(
        sizes, numerator, ones, experiments::kStatedSizes[i], kTaxConstantWithin, options);
    if (!fit) {
      return tl::unexpected(fit.error());
    }
    law.exponent = {fit->exponent, fit->interval};
    law.at[i] = {fit->at_reference, fit->at_reference_interval};
  }
  const auto [smallest, largest] = std::ranges::minmax(sizes);
  law.smallest = smallest;
  law.largest = largest;
  return law;
}

void fit_step_time(TaskResult& task, const BootstrapOptions& options) {
  std::vector<double> sizes;
  std::vector<std::vector<double>> seconds;
  std::size_t fewest = task.sizes.front().step_seconds.size();
  for (const TrainedSize& size : task.sizes) {
    fewest = std::min(fewest, size.step_seconds.size());
  }
  if (fewest == 0) {
    task.notes.emplace_back("No seconds: the steps of some size were not timed.");
    return;
  }
  for (const TrainedSize& size : task.sizes) {
    sizes.push_back(size.parameters);
    seconds.emplace_back(size.step_seconds.begin(),
                         size.step_seconds.begin() + static_cast<std::ptrdiff_t>(fewest));
  }
  task.step = or_note(fit_power(sizes, seconds, options), "law of a step's time", task);
}

void fit_losses(TaskResult& task, std::size_t batch, const BootstrapOptions& options) {
  fit_loss_of_size(task, options);
  std::vector<scaling::LossPoint> points;
  for (const TrainedSize& size : task.sizes) {
    for (const std::vector<double>& losses : size.losses) {
      for (std::size_t i = 0; i < losses.size(); ++i) {
        points.push_back({size.parameters,
                          static_cast<double>(size.run_steps[i]) * static_cast<double>(batch),
                          losses[i]});
      }
    }
  }
  task.joint_law =
      or_note(scaling::fit_loss_of_parameters_and_data(points), "joint loss law in N and D", task);
  fit_compute(task, options);
}

void fit_steps(TaskResult& task, const BootstrapOptions& options) {
  std::vector<double> best;
  for (const TrainedSize& size : task.sizes) {
    best.push_back(size.best_loss);
  }
  std::ranges::sort(best, std::ranges::greater{});
  const double easy = (1 + kTargetSpare) * best.front();
  const double hard = (1 + kTargetSpare) * best[best.size() / 2];
  task.steps = {steps_law(task, "to the easy target loss", easy, false, options),
                steps_law(task, "to the hard target loss", hard, false, options),
                steps_law(task, "to within 5 % of its own best", kWideMargin, true, options),
                steps_law(task, "to within 1 % of its own best", kNarrowMargin, true, options)};
  if (task.optimal) {
    StepsLaw law;
    law.flavour = "compute-optimal";
    law.steps = optimal_steps(task, options);
    for (const scaling::ComputeBudget& budget : task.optimal->budgets) {
      law.sizes += budget.reason.empty() ? 1U : 0U;
    }
    task.steps.push_back(std::move(law));
  }
  for (StepsLaw& law : task.steps) {
    if (law.steps && task.step) {
      law.time = product_of(*law.steps, *task.step);
    }
  }
}

}  // namespace interpscale::study
