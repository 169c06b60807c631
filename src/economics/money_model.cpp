// SPDX-License-Identifier: Apache-2.0
#include "interpscale/economics/money_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/statistics.hpp"

namespace interpscale::economics {
namespace {

Result<void> check_positive(std::string_view name, double value) {
  if (!std::isfinite(value) || value <= 0) {
    return fail("{}: found {}, wanted a positive finite number", name, value);
  }
  return {};
}

Result<void> check(const MoneyInputs& inputs) {
  const std::pair<std::string_view, double> named[] = {
      {"training cost in dollars", inputs.training_dollars},
      {"person-years", inputs.person_years},
      {"dollars per person-year", inputs.dollars_per_person_year},
  };
  for (const auto& [name, value] : named) {
    if (const Result<void> positive = check_positive(name, value); !positive) {
      return positive;
    }
  }
  return {};
}

Result<void> check(const Correction& correction) {
  for (const double end : {correction.low, correction.high}) {
    if (const Result<void> positive = check_positive(correction.name, end); !positive) {
      return positive;
    }
  }
  if (correction.low > correction.high) {
    return fail("{}: found a range from {} to {}, wanted its lower end first", correction.name,
                correction.low, correction.high);
  }
  return {};
}

CorrectedRatio summarise(const std::string& name, std::vector<double> log_ratios) {
  constexpr double kTail = 0.025;
  std::sort(log_ratios.begin(), log_ratios.end());
  const auto at = [&](double probability) {
    return std::exp(scaling::quantile_of_sorted(log_ratios, probability));
  };
  return {name, at(0.5), {at(kTail), at(1 - kTail)}};
}

Result<void> check(const MoneyInputs& inputs, std::span<const Correction> corrections) {
  if (Result<void> checked = check(inputs); !checked) {
    return checked;
  }
  for (const Correction& correction : corrections) {
    if (Result<void> checked = check(correction); !checked) {
      return checked;
    }
  }
  return {};
}

double uncorrected_ratio(const MoneyInputs& inputs) {
  return inputs.person_years * inputs.dollars_per_person_year / inputs.training_dollars;
}

/// Divides each sample by a draw of correction number `stream_index`.
void apply(const Correction& correction, std::uint64_t stream_index, std::uint64_t seed,
           std::vector<double>& log_ratios) {
  const RandomStream stream(seed, stream_index);
  const double log_low = std::log(correction.low);
  const double log_width = std::log(correction.high) - log_low;
  for (std::size_t k = 0; k < log_ratios.size(); ++k) {
    log_ratios[k] -= log_low + log_width * stream.uniform(k);
  }
}

}  // namespace

Correction exactly(std::string name, double factor) {
  return {std::move(name), factor, factor};
}

Correction at_most(std::string name, double factor) {
  return {std::move(name), 1, factor};
}

Correction between(std::string name, double low, double high) {
  return {std::move(name), low, high};
}

Result<MoneyEstimate> estimate_money_ratio(const MoneyInputs& inputs,
                                           std::span<const Correction> corrections,
                                           const MonteCarloOptions& options) {
  require(options.samples >= 1000, "a 95 % interval needs 1000 samples at least");
  if (const Result<void> checked = check(inputs, corrections); !checked) {
    return tl::unexpected(checked.error());
  }
  MoneyEstimate estimate;
  estimate.training_dollars = inputs.training_dollars;
  estimate.understanding_dollars = inputs.person_years * inputs.dollars_per_person_year;
  estimate.uncorrected = uncorrected_ratio(inputs);
  estimate.median = estimate.uncorrected;
  estimate.interval = {estimate.uncorrected, estimate.uncorrected};

  std::vector<double> log_ratios(static_cast<std::size_t>(options.samples),
                                 std::log(estimate.uncorrected));
  for (std::size_t c = 0; c < corrections.size(); ++c) {
    apply(corrections[c], c, options.seed, log_ratios);
    estimate.steps.push_back(summarise(corrections[c].name, log_ratios));
  }
  if (!estimate.steps.empty()) {
    estimate.median = estimate.steps.back().median;
    estimate.interval = estimate.steps.back().interval;
  }
  return estimate;
}

std::vector<Sensitivity> tornado(const MoneyInputs& inputs,
                                 std::span<const Correction> corrections) {
  double median = uncorrected_ratio(inputs);
  for (const Correction& correction : corrections) {
    median /= std::sqrt(correction.low * correction.high);
  }
  std::vector<Sensitivity> bars;
  for (const Correction& correction : corrections) {
    const double half = std::sqrt(correction.high / correction.low);
    bars.push_back({correction.name, median * half, median / half});
  }
  std::ranges::stable_sort(bars, std::ranges::greater{},
                           [](const Sensitivity& bar) { return bar.at_low / bar.at_high; });
  return bars;
}

Result<std::vector<ProjectedRatio>> project_money_ratio(const MoneyInputs& inputs,
                                                        std::span<const Correction> corrections,
                                                        double parameters,
                                                        const scaling::Interval& tax_exponent,
                                                        std::span<const double> sizes,
                                                        const MonteCarloOptions& options) {
  if (const Result<void> checked = check(inputs, corrections); !checked) {
    return tl::unexpected(checked.error());
  }
  std::vector<double> log_ratios(static_cast<std::size_t>(options.samples),
                                 std::log(uncorrected_ratio(inputs)));
  for (std::size_t c = 0; c < corrections.size(); ++c) {
    apply(corrections[c], c, options.seed, log_ratios);
  }
  constexpr double kCentral95 = 1.959963984540054;
  const double middle = (tax_exponent.low + tax_exponent.high) / 2;
  const double deviation = (tax_exponent.high - tax_exponent.low) / (2 * kCentral95);
  const RandomStream exponents(options.seed, corrections.size());
  std::vector<ProjectedRatio> projected;
  for (const double size : sizes) {
    const double growth = std::log(size / parameters);
    std::vector<double> grown = log_ratios;
    for (std::size_t k = 0; k < grown.size(); ++k) {
      grown[k] += growth * (middle + deviation * exponents.normal(k));
    }
    const CorrectedRatio ratio = summarise("", std::move(grown));
    projected.push_back({size, ratio.median, ratio.interval});
  }
  return projected;
}

}  // namespace interpscale::economics
