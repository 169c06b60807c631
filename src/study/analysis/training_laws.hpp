// The fits to one training task.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "interpscale/scaling/observation.hpp"
#include "interpscale/study/training_result.hpp"

namespace interpscale::study {

/// Seconds of a step against N.
void fit_step_time(TaskResult& result, const scaling::BootstrapOptions& options);
/// Loss against N, against N and D = steps x batch, and against compute.
void fit_losses(TaskResult& result, std::size_t batch, const scaling::BootstrapOptions& options);
/// Steps to the results, and T_train with them; after `fit_step_time` and `fit_losses`.
void fit_steps(TaskResult& result, const scaling::BootstrapOptions& options);

}  // namespace interpscale::study
