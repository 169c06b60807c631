// SPDX-License-Identifier: Apache-2.0
#include "scaling/bootstrap.hpp"

#include <algorithm>
#include <cmath>
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

ErrorResampler::ErrorResampler(const RoundTable& table, const LinearFit& law,
                               const BootstrapOptions& options)
    : table_(table), residual_stream_(options.seed, kResidualStream) {
  require(options.resamples >= 100, "an interval needs 100 resamples at least");
  const std::size_t rounds = table.rounds();
  counts_ = Matrix<double>(static_cast<std::size_t>(options.resamples), rounds);
  const RandomStream stream(options.seed, kRoundStream);
  for (std::size_t k = 0; k < counts_.rows(); ++k) {
    const std::span<double> counts = counts_.row(k);
    std::fill(counts.begin(), counts.end(), -1.0);
    for (std::size_t r = 0; r < rounds; ++r) {
      counts[stream.below(k * rounds + r, rounds)] += 1;
    }
  }
  // Counts have variance 1 and sum to 0, as influences do: the variances add up round by round.
  std::vector<double> influences(table.cells());
  double squares = 0;
  for (std::size_t r = 0; r < rounds; ++r) {
    for (std::size_t cell = 0; cell < influences.size(); ++cell) {
      influences[cell] = table.influence()(cell, r);
    }
    squares += law.solve(influences).sum_of_squares();
  }
  round_variance_ = squares / static_cast<double>(table.cells() - law.numbers());
}

ErrorScale ErrorResampler::scale(std::span<const double> residuals, std::size_t numbers) const {
  require(residuals.size() == table_.cells() && residuals.size() > numbers,
          "a law needs more cells than numbers");
  ErrorScale scale;
  const auto degrees = static_cast<double>(residuals.size() - numbers);
  const double mean_square =
      std::inner_product(residuals.begin(), residuals.end(), residuals.begin(), 0.0) / degrees;
  const double unexplained = std::max(0.0, mean_square - round_variance_);
  scale.rounds = round_variance_ > mean_square ? std::sqrt(mean_square / round_variance_) : 1;
  const double spread = centred_squares(residuals) / static_cast<double>(residuals.size());
  const double centre = mean(residuals);
  const double factor = spread > 0 ? std::sqrt(unexplained / spread) : 0;
  scale.residuals.assign(residuals.begin(), residuals.end());
  for (double& residual : scale.residuals) {
    residual = (residual - centre) * factor;
  }
  const double from_rounds = mean_square > 0 ? std::min(1.0, round_variance_ / mean_square) : 0;
  const double of_rounds = static_cast<double>(std::max<std::size_t>(table_.rounds(), 2) - 1);
  const double joined = 1 / (1 / degrees + from_rounds * from_rounds / of_rounds);
  scale.stretch = student_t_quantile(kUpperTail, joined) / kNormalQuantile;
  return scale;
}

void ErrorResampler::draw(std::size_t resample, const ErrorScale& scale,
                          std::span<double> errors) const {
  const std::span<const double> counts = counts_.row(resample);
  const std::vector<double>& common = table_.common_influence();
  const std::size_t cells = table_.cells();
  require(errors.size() == cells && scale.residuals.size() == cells, "errors of other cells");
  const double shared = std::inner_product(counts.begin(), counts.end(), common.begin(), 0.0);
  const double sign = resample % 2 == 0 ? 1 : -1;
  for (std::size_t i = 0; i < cells; ++i) {
    const std::span<const double> influence = table_.influence().row(i);
    const double own = std::inner_product(counts.begin(), counts.end(), influence.begin(), 0.0);
    const double residual = scale.residuals[residual_stream_.below(resample * cells + i, cells)];
    errors[i] = sign * (shared + scale.rounds * own + residual);
  }
}

Interval percentile_interval(double estimate, std::vector<double> deviations, double stretch) {
  std::sort(deviations.begin(), deviations.end());
  const double low = quantile_of_sorted(deviations, 1 - kUpperTail);
  const double high = quantile_of_sorted(deviations, kUpperTail);
  return {estimate + std::min(0.0, stretch * low), estimate + std::max(0.0, stretch * high)};
}

}  // namespace interpscale::scaling
