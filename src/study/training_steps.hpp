// The training steps of training tasks, timed in rounds: the seconds of T_train = steps x step.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "interpscale/measure/timed.hpp"
#include "interpscale/study/plan.hpp"
#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// One task's network whose step is to be timed.
struct StepToTime {
  std::string task;
  std::size_t width = 0;
};

/// "training_step/task:<task>/w:<width>".
[[nodiscard]] std::string name_of(const StepToTime& step);

/// In the order of the round's seed: the networks of the plan's tasks without a step in this round.
/// None in rounds beyond the plan's.
[[nodiscard]] std::vector<StepToTime> steps_to_time(const StudyJournal& journal, int round);

/// A step of the task's optimizer on a random network and batch (dense products: values decide
/// nothing). Verified by its forward pass, against the double-precision reference.
[[nodiscard]] measure::Subject step_subject(const Plan& plan, const StepToTime& step);

/// The record of a step: everything but what a timing says.
[[nodiscard]] StepRecord describe_step(const Plan& plan, const StepToTime& step, int round);

}  // namespace interpscale::study
