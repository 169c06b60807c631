// Fitted cost laws as JSON: what the report and `interpscale fit` print.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "interpscale/scaling/one_factor.hpp"
#include "interpscale/scaling/two_factor.hpp"

namespace interpscale::study {

/// law, exponent, interval, candidates (with their AICc and weights), local_slopes, residuals,
/// theil_sen, theil_sen_disagrees, leave_largest_out_error, strongest_break. Infinities are null.
[[nodiscard]] nlohmann::ordered_json to_json(const scaling::OneFactorFit& fit);

/// identified and why not, rank, VIF, condition_number, exponents by factor, r_squared, residuals,
/// the predictor choice's weights (of the first factor under weight_N, of the second weight_n).
[[nodiscard]] nlohmann::ordered_json to_json(const scaling::TwoFactorFit& fit);

}  // namespace interpscale::study
