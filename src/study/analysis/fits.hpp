// The laws of one subject, from its fitted cells.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "interpscale/study/analysis.hpp"

namespace interpscale::study {

/// Fills all fits of `subject` but the tax; `fitted_rounds` and the cells' marks must stand.
void fit_laws(SubjectResult& subject, const std::optional<Family>& family,
              const scaling::BootstrapOptions& options);

/// Fills the tax of `subject` on `denominator`: same networks, same rounds.
void fit_tax(SubjectResult& subject, const SubjectResult& denominator,
             const std::optional<Family>& family, double reference_parameters,
             const scaling::BootstrapOptions& options);

/// Every method's tax against whole trainings of the family's networks, from its tax per step, for
/// M = 1,024 samples: the declared FLOPs say what these cost over the study's batch.
void fit_training_taxes(StudyResult& result, const Plan& plan);

}  // namespace interpscale::study
