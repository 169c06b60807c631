// SPDX-License-Identifier: Apache-2.0
#include "study/report/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "study/report/format.hpp"
#include "study/training.hpp"

namespace interpscale::study {
namespace {

using experiments::Figure;
using experiments::PowerFigure;

constexpr const char* kAbsent = "-";

std::string exponent_text(const std::optional<PowerFigure>& law) {
  return law ? with_interval(law->exponent.value, law->exponent.interval) : kAbsent;
}

std::string negated_text(const Figure& figure) {
  return with_interval(-figure.value, {-figure.interval.high, -figure.interval.low});
}

/// A law's value at a size, marked where it is extrapolated, withheld where that says nothing.
std::string stated_text(const PowerFigure& law, std::size_t place) {
  const Figure& figure = law.at[place];
  if (!law.extrapolated(experiments::kStatedSizes[place])) {
    return ratio_with_interval(figure.value, figure.interval);
  }
  if (experiments::withheld(figure)) {
    return "withheld: extrapolated over more than three decades";
  }
  return ratio_with_interval(figure.value, figure.interval) + " (extrapolated)";
}

std::string crossing_text(const PowerFigure& law, double level) {
  const std::optional<Figure> crossing = experiments::crossing(law, level);
  if (!crossing) {
    return kAbsent;
  }
  const bool beyond = law.extrapolated(crossing->value);
  if (experiments::withheld(*crossing)) {
    return fmt::format("withheld{}", beyond ? ": extrapolated" : "");
  }
  return fmt::format("{} [{}, {}]{}", count_text(crossing->value),
                     count_text(crossing->interval.low), count_text(crossing->interval.high),
                     beyond ? " (extrapolated)" : "");
}

std::string sizes_table(const TaskResult& task) {
  Table table({"width", "N", "learning rate", "best loss", "last doubling gains", "converged",
               "step", "longest run"});
  for (const TrainedSize& size : task.sizes) {
    const double step = size.step_seconds.empty() ? 0 : scaling::median(size.step_seconds);
    table.add(
        {fmt::format("{}", size.width), count_text(size.parameters),
         fmt::format("{:.3g}", size.learning_rate), fmt::format("{:.4g}", size.best_loss),
         fmt::format("{:.1f} %", 100 * size.last_gain), size.converged ? "yes" : "no",
         step > 0 ? seconds_text(step) : kAbsent,
         step > 0 ? seconds_text(step * static_cast<double>(size.run_steps.back())) : kAbsent});
  }
  return table.markdown();
}

std::string steps_table(const TaskResult& task) {
  Table table({"result", "loss or margin", "sizes", "censored runs", "S(N), exponent",
               "T_train(N), exponent", "T_train at N = 1M"});
  for (const StepsLaw& law : task.steps) {
    table.add({law.flavour,
               law.target <= 0   ? kAbsent
               : law.to_own_best ? percent_text(law.target)
                                 : fmt::format("{:.4g}", law.target),
               fmt::format("{} of {}", law.sizes, task.sizes.size()),
               fmt::format("{}", law.censored), exponent_text(law.steps), exponent_text(law.time),
               law.time ? stated_text(*law.time, 0) + " s" : kAbsent});
  }
  return table.markdown();
}

std::string loss_text(const TaskResult& task) {
  std::string text;
  const bool teacher = task.task.kind == kRegression;
  if (task.loss_power) {
    text += fmt::format(
        "L ~ N^-alpha of the converged sizes: alpha = {}{}. ",
        negated_text(task.loss_power->exponent),
        teacher ? fmt::format(" beside 4/d = {:.2f}", 4.0 / static_cast<double>(task.task.inputs))
                : "");
  }
  if (task.loss_law) {
    text += fmt::format(
        "With an irreducible loss: alpha = {}, E = {}. ",
        with_interval(task.loss_law->law.parameters_exponent,
                      task.loss_law->intervals.parameters_exponent),
        ratio_with_interval(task.loss_law->law.irreducible, task.loss_law->intervals.irreducible));
  }
  if (task.joint_law) {
    text += fmt::format(
        "Joint law of all runs, E + A N^-alpha + B D^-beta: alpha = {}, beta = {}, implied a = "
        "{}. ",
        with_interval(task.joint_law->law.parameters_exponent,
                      task.joint_law->intervals.parameters_exponent),
        with_interval(task.joint_law->law.data_exponent, task.joint_law->intervals.data_exponent),
        with_interval(task.joint_law->optimal_exponent, task.joint_law->optimal_exponent_interval));
  }
  if (task.optimal) {
    const auto counted = std::ranges::count_if(
        task.optimal->budgets, [](const auto& budget) { return budget.reason.empty(); });
    text += fmt::format("Parabolas at {} fixed amounts of compute: N_opt ~ C^a with a = {}. ",
                        counted, with_interval(task.optimal->exponent, task.optimal->interval));
  }
  if (task.frontier_power) {
    text += fmt::format("Along them L ~ C^-{}. ", negated_text(*task.frontier_power));
  }
  return text;
}

std::string task_text(const TaskResult& task) {
  std::string text = fmt::format(
      "\n### {}\n\n{} of {} inputs, {} hidden layers, {}, {} seeds, runs of {} to {} steps.",
      task.task.name,
      task.task.kind == kRegression ? "Squared error of a random teacher"
                                    : "Cross-entropy on the study's data",
      task.task.inputs, task.task.depth, name_of_optimizer(optimizer_of(task.task)),
      task.task.seeds, task.task.run_steps.front(), task.task.run_steps.back());
  if (task.sizes.empty()) {
    return text + " No size has all of its runs.\n";
  }
  text += fmt::format(
      " The price of tuning: the sweep of each width takes {:.2f} times the steps of one longest "
      "training. {}\n\n{}\n{}",
      task.tuning, loss_text(task), sizes_table(task), steps_table(task));
  for (const std::string& note : task.notes) {
    text += fmt::format("\n- {}", note);
  }
  return text + (task.notes.empty() ? "" : "\n");
}

}  // namespace

std::string training_section(const StudyResult& result) {
  if (result.trainings.empty()) {
    return "## Training to a result\n\nThe study trains nothing to a result.\n";
  }
  std::string text =
      "## Training to a result\n\n"
      "Every run has a schedule of its own (warm-up, then a cosine to zero), so that its end is "
      "what a training of that length gives; S(N) is the run length that a result takes, "
      "interpolated between lengths. A run that never gets there, or that still improves by more "
      "than the margin at its last doubling, is censored, as is one whose shortest length is there "
      "already; a law is fitted to the sizes whose median over seeds is not censored. The easy "
      "target is what "
      "the worst size reaches with 5 % to spare, the hard one what the middle size does. T_train = "
      "S(N) times the seconds of a step, timed in the rounds with nothing beside it. Literature, "
      "language models, training compute along the optimum: N^1.37 (Kaplan et al. 2020), N^1.52 or "
      "N^1.6 by equating single-variable slopes, N^2.0 (Hoffmann et al. 2022), N^1.95 +- .08 (its "
      "replication).\n";
  for (const TaskResult& task : result.trainings) {
    text += task_text(task);
  }
  return text +
         "\n![Loss curves by width](figures/loss_curves.png)\n"
         "\n![Loss against parameters, with law and 4/d](figures/loss_laws.png)\n"
         "\n![Steps to a result against parameters](figures/steps.png)\n";
}

std::string training_tax_section(const StudyResult& result) {
  std::string text =
      "## Tax against whole trainings\n\n"
      "An analysis of M = 1,024 samples over a whole training of the same network. Exponent: that "
      "of the tax per step less that of the steps, each with its own resampling; in training: the "
      "exponent of the method's time in the training's. Crossing: where the law reaches 1.\n";
  Table table({"subject", "flavour", "exponent in N", "verdict", "in training", "at N = 1M",
               "at N = 1G", "at N = 1T", "crosses 1 at N"});
  Table steps(
      {"subject", "exponent in N", "at N = 1M", "at N = 1G", "at N = 1T", "crosses 1 at N"});
  for (const SubjectResult& subject : result.subjects) {
    if (subject.variant.empty()) {
      continue;
    }
    if (subject.step_tax) {
      const PowerFigure& law = *subject.step_tax;
      steps.add({subject.label(), with_interval(law.exponent.value, law.exponent.interval),
                 stated_text(law, 0), stated_text(law, 1), stated_text(law, 2),
                 crossing_text(law, 1)});
    }
    for (const experiments::TrainingTaxEvidence& tax : subject.training_taxes) {
      table.add({subject.label(), tax.flavour,
                 with_interval(tax.law.exponent.value, tax.law.exponent.interval),
                 std::string(name_of(tax.growth)),
                 with_interval(tax.in_training.value, tax.in_training.interval),
                 stated_text(tax.law, 0), stated_text(tax.law, 1), stated_text(tax.law, 2),
                 crossing_text(tax.law, 1)});
    }
  }
  text += table.empty() ? "\nNo method could be held against a whole training.\n"
                        : fmt::format("\n{}", table.markdown());
  if (!steps.empty()) {
    text += fmt::format("\nThe tax per training step on the same batch, extrapolated:\n\n{}",
                        steps.markdown());
  }
  return text + "\n![Tax by flavour](figures/tax_flavours.png)\n";
}

}  // namespace interpscale::study
