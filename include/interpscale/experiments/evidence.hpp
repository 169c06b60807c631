// What experiments judge claims by: the fitted figures of a study, without the study.
// `study` fills it; rules read it and nothing else, so that they can be tested at their boundaries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/experiments/figure.hpp"
#include "interpscale/experiments/outcome.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/two_factor.hpp"

namespace interpscale::experiments {

/// The ratio of a subject's time to a training step's on the same batch, as a law in N.
struct TaxEvidence {
  Figure exponent;
  scaling::Growth growth = scaling::Growth::kUndecided;
  Figure at_reference;
  bool extrapolated = false;  ///< the reference size lies outside of the measured ones
};

/// A method's time over that of a whole training: one flavour.
struct TrainingTaxEvidence {
  std::string flavour;  ///< "to the target loss"
  PowerFigure law;      ///< for kAnalysedSamples samples, against N
  scaling::Growth growth = scaling::Growth::kUndecided;
  Figure in_training;  ///< exponent of the method's time in the training's
};

/// M: the samples of an analysis that is held against a whole training, at every size.
inline constexpr std::size_t kAnalysedSamples = 1024;

/// The figures of one subject and variant; absent where they could not be fitted.
struct SubjectEvidence {
  std::string subject;
  std::string variant;  ///< "" for passes
  std::size_t cells = 0;
  std::size_t mistrusted = 0;
  double smallest_parameters = 0;
  double largest_parameters = 0;
  std::optional<Figure> against_parameters;  ///< exponent in N alone
  std::optional<Figure> against_neurons;     ///< exponent in n alone
  std::optional<Figure> joint_parameters;    ///< exponents of the law in N and n
  std::optional<Figure> joint_neurons;
  std::optional<scaling::PredictorChoice> choice;
  std::optional<TaxEvidence> tax;
  std::optional<PowerFigure> step_tax;  ///< the same law, at the stated sizes
  std::vector<TrainingTaxEvidence> training_taxes;
  /// "zero_ablation (fast)", or the subject alone where there is no variant.
  [[nodiscard]] std::string label() const;
};

/// The size of one network of the study.
struct SizeEvidence {
  std::uint64_t inputs = 0;  ///< d
  std::uint64_t width = 0;   ///< w, of the hidden layers
  std::uint64_t depth = 0;   ///< L, hidden layers
  std::uint64_t parameters = 0;
  std::uint64_t neurons = 0;
};

/// Steps that training takes to a result, as a power law in N.
struct StepsEvidence {
  std::string flavour;  ///< "to the target loss", "to within 5 % of its own best loss"
  std::string detail;   ///< the target, sizes and censored runs
  bool to_own_best = false;
  std::optional<Figure> steps;  ///< exponent of S(N); absent where too few sizes get there
  std::optional<Figure> time;   ///< exponent of T_train(N) = S(N) x step
};

/// What came of one training task.
struct TrainingEvidence {
  std::string task;
  std::string setting;          ///< "squared error, teacher of 4 inputs, N from 121 to 17281"
  std::uint64_t dimension = 0;  ///< d of a teacher's inputs, uniform in a cube; 0: real data
  std::vector<StepsEvidence> steps;
  std::optional<Figure> loss_in_parameters;  ///< alpha_N: L ~ N^-alpha of converged networks
  std::optional<Figure> loss_in_compute;     ///< alpha_C: L ~ C^-alpha along the frontier
  std::optional<Figure> optimal_size;        ///< a: N_opt ~ C^a, from parabolas at fixed compute
};

struct Evidence {
  std::vector<SubjectEvidence> subjects;
  std::vector<SizeEvidence> sizes;  ///< each network once
  std::vector<TrainingEvidence> trainings;
  std::vector<Outcome> outcomes;  ///< of experiments that do work of their own; failed ones too
  std::string setting;            ///< on what it was measured: data, machine, backend, threads
  std::string tax_denominator;    ///< the subject that a tax is a ratio to
  double tax_reference_parameters = 1e6;

  /// Null where the study has no such subject.
  [[nodiscard]] const SubjectEvidence* find(std::string_view subject,
                                            std::string_view variant) const;
  /// Those of an experiment that are ok, in the journal's order.
  [[nodiscard]] std::vector<const Outcome*> outcomes_of(std::string_view experiment) const;
};

}  // namespace interpscale::experiments
