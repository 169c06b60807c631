// The exponent of a ratio of two times measured in the same rounds: the transparency tax.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

enum class Growth { kGrows, kConstant, kShrinks, kUndecided };

[[nodiscard]] std::string_view name_of(Growth growth);

/// constant: the interval inside +-`constant_within`, even where it excludes 0, since so small an
/// exponent, however certain, is no growth that matters; else grows: above 0; shrinks: below; else
/// undecided.
[[nodiscard]] Growth growth_of(const Interval& exponent, double constant_within);

/// ratio(N) = numerator / denominator, over the cells that both have.
struct RatioLaw {
  double exponent = 0;  ///< of the ratio in N, log-log
  Interval interval;    ///< paired bootstrap: the same rounds for numerator and denominator
  Growth growth = Growth::kUndecided;
  double at_reference = 0;  ///< the ratio the law gives at the reference size
  Interval at_reference_interval;
};

/// The growth by `growth_of`.
[[nodiscard]] Result<RatioLaw> fit_ratio(std::span<const double> sizes,
                                         std::span<const Observation> numerator,
                                         std::span<const Observation> denominator,
                                         double reference_size, double constant_within,
                                         const BootstrapOptions& options);

}  // namespace interpscale::scaling
