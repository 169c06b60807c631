// The tax against whole trainings: an analysis of M samples over S(N) steps of the same network.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "interpscale/scaling/ratio.hpp"
#include "interpscale/study/analysis.hpp"
#include "study/analysis/fits.hpp"

namespace interpscale::study {
namespace {

using experiments::Figure;
using experiments::kAnalysedSamples;

/// The training task on the family's networks; null without one.
const TaskResult* task_of_family(const StudyResult& result) {
  const auto found = std::ranges::find_if(result.trainings, [&](const TaskResult& task) {
    return result.family && task.task.kind == kClassification &&
           task.task.inputs == result.family->inputs && task.task.depth == result.family->depth &&
           !task.sizes.empty();
  });
  return found == result.trainings.end() ? nullptr : &*found;
}

/// Declared FLOPs of an analysis of M samples over those of the study's batch, on the largest
/// network that the subject was measured on; 0 where the subject cannot be made.
double samples_factor(const SubjectResult& subject, const Plan& plan) {
  const CellResult* const largest = subject.largest();
  if (largest == nullptr) {
    return 0;
  }
  const nn::Topology topology{
      .inputs = largest->cell.quantities.inputs,
      .hidden = std::vector<std::size_t>(largest->cell.depth, largest->cell.width),
      .outputs = kStudyClasses,
      .activation = kernels::Activation::kRelu};
  const auto flops = [&](std::size_t batch) -> double {
    const Result<measure::Subject> made =
        make_subject({subject.subject, subject.variant, topology, batch, {}},
                     {plan.backend, plan.simd_target, plan.threads, plan.path_steps}, nullptr);
    return made ? static_cast<double>(made->quantities.flops) : 0;
  };
  const double batch = flops(plan.batch);
  return batch > 0 ? flops(kAnalysedSamples) / batch : 0;
}

void fit_against(const TaskResult& task, const StepsLaw& steps, double factor,
                 SubjectResult& subject) {
  experiments::TrainingTaxEvidence tax;
  tax.flavour = steps.flavour;
  tax.law = scaled(quotient_of(*subject.step_tax, *steps.steps), factor);
  tax.growth = scaling::growth_of(tax.law.exponent.interval, kTaxConstantWithin);
  const Figure method = sum_of(subject.step_tax->exponent, task.step->exponent);
  const Figure& training = steps.time->exponent;
  if (method.interval.low > 0 && training.interval.low > 0) {
    tax.in_training = quotient_of(method, training);
    subject.training_taxes.push_back(std::move(tax));
  } else {
    subject.notes.push_back(fmt::format(
        "No tax per training, {}: its exponent or training's may be zero.", steps.flavour));
  }
}

}  // namespace

void fit_training_taxes(StudyResult& result, const Plan& plan) {
  const TaskResult* const task = task_of_family(result);
  if (task == nullptr || !task->step) {
    if (!result.trainings.empty()) {
      result.notes.emplace_back(
          "No taxes per training: no training task stands on the family's networks.");
    }
    return;
  }
  for (SubjectResult& subject : result.subjects) {
    const double factor = subject.variant.empty() ? 0 : samples_factor(subject, plan);
    if (!subject.step_tax || factor <= 0) {
      continue;
    }
    for (const StepsLaw& steps : task->steps) {
      if (steps.steps && steps.time) {
        fit_against(*task, steps, factor, subject);
      }
    }
  }
}

}  // namespace interpscale::study
