// SPDX-License-Identifier: Apache-2.0
#include "scaling/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/statistics.hpp"
#include "interpscale/scaling/student_t.hpp"

namespace interpscale::scaling {
namespace {

constexpr std::uint64_t kRoundStream = 0;
constexpr std::uint64_t kResidualStream = 1;
constexpr double kUpperTail = 0.975;
constexpr double kNormalQuantile = 1.959963984540054;

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Sum of squared deviations from the mean.
double centred_squares(std::span<const double> values) {
  const double centre = mean(values);
  return std::accumulate(values.begin(), values.end(), 0.0, [centre](double sum, double value) {
    return sum + (value - centre) * (value - centre);
  });
}

}  // namespace

ErrorResampler::ErrorResampler(const RoundTable& table, const BootstrapOptions& options)
    : rounds_(table.rounds()), residual_stream_(options.seed, kResidualStream) {
  require(options.resamples >= 100, "an interval needs 100 resamples at least");
  const auto resamples = static_cast<std::size_t>(options.resamples);
  round_errors_ = Matrix<double>(resamples, table.cells());
  const RandomStream stream(options.seed, kRoundStream);
  const std::vector<double>& observed = table.log_medians();
  std::vector<unsigned> counts(rounds_);
  double squares = 0;
  for (std::size_t k = 0; k < resamples; ++k) {
    std::fill(counts.begin(), counts.end(), 0U);
    for (std::size_t r = 0; r < rounds_; ++r) {
      ++counts[stream.below(k * rounds_ + r, rounds_)];
    }
    const std::span<double> errors = round_errors_.row(k);
    table.log_medians_of(counts, errors);
    std::transform(errors.begin(), errors.end(), observed.begin(), errors.begin(), std::minus<>());
    squares += centred_squares(errors);
  }
  round_variance_ = squares / (static_cast<double>(resamples) *
                               static_cast<double>(std::max<std::size_t>(table.cells() - 1, 1)));
}

LackOfFit ErrorResampler::lack_of_fit(std::span<const double> residuals,
                                      std::size_t numbers) const {
  require(residuals.size() == round_errors_.cols() && residuals.size() > numbers,
          "a law needs more cells than numbers");
  LackOfFit lack;
  lack.draws.assign(residuals.begin(), residuals.end());
  lack.degrees_of_freedom = static_cast<double>(residuals.size() - numbers);
  const double squares =
      std::inner_product(residuals.begin(), residuals.end(), residuals.begin(), 0.0);
  lack.variance = std::max(0.0, squares / lack.degrees_of_freedom - round_variance_);
  const double spread = centred_squares(residuals) / static_cast<double>(residuals.size());
  const double centre = mean(residuals);
  const double scale = spread > 0 ? std::sqrt(lack.variance / spread) : 0;
  for (double& draw : lack.draws) {
    draw = (draw - centre) * scale;
  }
  return lack;
}

void ErrorResampler::draw(std::size_t resample, const LackOfFit& lack,
                          std::span<double> errors) const {
  const std::span<const double> from_rounds = round_errors_.row(resample);
  const std::size_t cells = from_rounds.size();
  require(errors.size() == cells && lack.draws.size() == cells, "errors of other cells");
  const double sign = resample % 2 == 0 ? 1 : -1;
  for (std::size_t i = 0; i < cells; ++i) {
    errors[i] =
        sign * (from_rounds[i] + lack.draws[residual_stream_.below(resample * cells + i, cells)]);
  }
}

double ErrorResampler::stretch(const LackOfFit& lack) const {
  const double total = round_variance_ + lack.variance;
  const double share = total > 0 ? lack.variance / total : 1;
  const double from_rounds =
      rounds_ > 1 ? (1 - share) * (1 - share) / static_cast<double>(rounds_ - 1) : 0;
  const double degrees = 1 / (from_rounds + share * share / lack.degrees_of_freedom);
  return student_t_quantile(kUpperTail, degrees) / kNormalQuantile;
}

Interval percentile_interval(double estimate, std::vector<double> deviations, double stretch) {
  std::sort(deviations.begin(), deviations.end());
  const double low = quantile_of_sorted(deviations, 1 - kUpperTail);
  const double high = quantile_of_sorted(deviations, kUpperTail);
  return {estimate + std::min(0.0, stretch * low), estimate + std::max(0.0, stretch * high)};
}

}  // namespace interpscale::scaling
