// The fields of a plan, in the order in which they are written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>

#include "interpscale/study/plan.hpp"

namespace interpscale::study {

/// `Record`, constant or not: a description serves the writer and the reader alike.
template <class T, class Record>
concept Described = std::same_as<std::remove_const_t<T>, Record>;

template <class Visitor, Described<Shape> T>
void describe(Visitor& field, T& shape) {
  field("inputs", shape.inputs);
  field("width", shape.width);
  field("depth", shape.depth);
}

template <class Visitor, Described<TrainingTask> T>
void describe(Visitor& field, T& task) {
  field("name", task.name);
  field("kind", task.kind);
  field("inputs", task.inputs);
  field("depth", task.depth);
  field("widths", task.widths);
  field("run_steps", task.run_steps);
  field("seeds", task.seeds);
  field("middle_rate", task.middle_rate);
  field("sweep_steps", task.sweep_steps);
}

template <class Visitor, Described<Plan> T>
void describe(Visitor& field, T& plan) {
  field("preset", plan.preset);
  field("data", plan.data);
  field("shapes", plan.shapes);
  field("widths", plan.widths);
  field("depths", plan.depths);
  field("inputs", plan.inputs);
  field("subjects", plan.subjects);
  field("batch", plan.batch);
  field("rounds", plan.rounds);
  field("extra_rounds", plan.extra_rounds);
  field("threads", plan.threads);
  field("backend", plan.backend);
  field("simd_target", plan.simd_target);
  field("path_steps", plan.path_steps);
  field("permutations", plan.permutations);
  field("trainings", plan.trainings);
  field.later("experiments", plan.experiments);
  field("training_steps", plan.training_steps);
  field("cell_floor_seconds", plan.cell_floor_seconds);
  field("cell_budget_seconds", plan.cell_budget_seconds);
  field("subject_seconds", plan.subject_seconds);
  field("cells_per_subject", plan.cells_per_subject);
  field("kernel_rounds", plan.kernel_rounds);
  field("min_seconds", plan.min_seconds);
  field("warm_up_seconds", plan.warm_up_seconds);
  field("repetitions", plan.repetitions);
  field("seed", plan.seed);
}

}  // namespace interpscale::study
