// SPDX-License-Identifier: Apache-2.0
#include "regression/log_ratio.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/student_t.hpp"

namespace interpscale::regression {
namespace {

struct Moments {
  double mean = 0;
  double variance_of_mean = 0;
  double degrees_of_freedom = 0;
};

Moments moments_of(const std::vector<double>& values) {
  require(values.size() >= 2, "a spread needs two values at least");
  const auto count = static_cast<double>(values.size());
  Moments moments;
  for (const double value : values) {
    moments.mean += value / count;
  }
  for (const double value : values) {
    const double deviation = value - moments.mean;
    moments.variance_of_mean += deviation * deviation / (count - 1) / count;
  }
  moments.degrees_of_freedom = count - 1;
  return moments;
}

std::vector<double> logs_of(const std::vector<double>& times) {
  std::vector<double> logs(times.size());
  std::transform(times.begin(), times.end(), logs.begin(), [](double t) { return std::log(t); });
  return logs;
}

}  // namespace

double LogRatio::lower_tail(double hypothesis) const {
  if (standard_error == 0) {
    return mean < hypothesis ? 0 : 1;
  }
  return scaling::student_t_cdf((mean - hypothesis) / standard_error, degrees_of_freedom);
}

double LogRatio::upper_tail(double hypothesis) const {
  if (standard_error == 0) {
    return mean > hypothesis ? 0 : 1;
  }
  return scaling::student_t_cdf((hypothesis - mean) / standard_error, degrees_of_freedom);
}

scaling::Interval LogRatio::interval(double level) const {
  const double reach = -scaling::student_t_quantile(level / 2, degrees_of_freedom) * standard_error;
  return {mean - reach, mean + reach};
}

LogRatio log_ratio_of(const std::vector<double>& log_ratios) {
  const Moments moments = moments_of(log_ratios);
  return {moments.mean, std::sqrt(moments.variance_of_mean), moments.degrees_of_freedom};
}

LogRatio paired_log_ratio(const std::vector<double>& base, const std::vector<double>& candidate) {
  require(base.size() == candidate.size(), "pairs need as many rounds of both");
  std::vector<double> logs(base.size());
  std::transform(candidate.begin(), candidate.end(), base.begin(), logs.begin(),
                 [](double above, double below) { return std::log(above / below); });
  return log_ratio_of(logs);
}

LogRatio unpaired_log_ratio(const std::vector<double>& base, const std::vector<double>& candidate) {
  const Moments below = moments_of(logs_of(base));
  const Moments above = moments_of(logs_of(candidate));
  const double variance = below.variance_of_mean + above.variance_of_mean;
  const double spread_of_variance =
      below.variance_of_mean * below.variance_of_mean / below.degrees_of_freedom +
      above.variance_of_mean * above.variance_of_mean / above.degrees_of_freedom;
  const double degrees =
      spread_of_variance > 0 ? variance * variance / spread_of_variance : below.degrees_of_freedom;
  return {above.mean - below.mean, std::sqrt(variance), degrees};
}

}  // namespace interpscale::regression
