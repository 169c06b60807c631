// Figures over networks and seeds: means with intervals, and power laws in N and n.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/experiments/figure.hpp"
#include "interpscale/experiments/outcome.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {

/// Mean of at least two values with Student's 95 % interval; none of fewer.
[[nodiscard]] std::optional<Figure> mean_of(const std::vector<double>& values);

/// The geometric mean of positive values, its interval that of their logarithms.
[[nodiscard]] std::optional<Figure> geometric_mean_of(const std::vector<double>& values);

/// Exponent in N of a positive figure, or of its ratio to the figure `over` of the same outcomes:
/// seeds are repeats; at least four sizes with as many seeds each, or none.
[[nodiscard]] std::optional<Figure> exponent_in_parameters(
    const std::vector<const Outcome*>& outcomes, std::string_view figure,
    std::string_view over = {});

/// The same in n, the hidden neurons.
[[nodiscard]] std::optional<Figure> exponent_in_neurons(const std::vector<const Outcome*>& outcomes,
                                                        std::string_view figure,
                                                        std::string_view over = {});

/// "1.02 [0.95, 1.10]".
[[nodiscard]] std::string described(const Figure& figure);

/// A time as a law, for the detail of a ledger line: "; WHAT takes time ~ N^.. [..] or n^.. [..],
/// over that of a training step ~ N^.. [..]". Empty where there are too few sizes.
[[nodiscard]] std::string cost_law(const std::vector<const Outcome*>& outcomes,
                                   std::string_view seconds, std::string_view what);

/// ", as a joint law N^.. [..] n^.. [..]": networks that differ in width and depth; or why not.
[[nodiscard]] std::string joint_law(const std::vector<const Outcome*>& outcomes,
                                    std::string_view figure);

/// Those of the least depth (figure `depth`): the networks that differ in width alone.
[[nodiscard]] std::vector<const Outcome*> shallowest(const std::vector<const Outcome*>& outcomes);

/// The mean of a figure over the outcomes that have it; none of fewer than two.
[[nodiscard]] std::optional<Figure> mean_of_figure(const std::vector<const Outcome*>& outcomes,
                                                   std::string_view figure);

/// supported: the interval lies below `level`; contradicted: above; otherwise undecided.
[[nodiscard]] Verdict judge_below(const scaling::Interval& interval, double level);

}  // namespace interpscale::experiments
