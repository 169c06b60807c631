// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/rules.hpp"

#include <cmath>
#include <utility>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/student_t.hpp"

namespace interpscale::experiments {
namespace {

/// z(1 - 0.025 / comparisons) / z(0.975); Student's t with this many degrees is normal to 1e-7.
double widening(std::size_t comparisons) {
  require(comparisons > 0, "widened: no comparisons");
  constexpr double kManyDegrees = 1e7;
  constexpr double kTail = 0.025;
  return scaling::student_t_quantile(1 - kTail / static_cast<double>(comparisons), kManyDegrees) /
         scaling::student_t_quantile(1 - kTail, kManyDegrees);
}

}  // namespace

Verdict judge_within(const scaling::Interval& interval, double low, double high) {
  if (interval.low >= low && interval.high <= high) {
    return Verdict::kSupported;
  }
  if (interval.low > high || interval.high < low) {
    return Verdict::kContradicted;
  }
  return Verdict::kUndecided;
}

Verdict judge_side(const scaling::Interval& interval, double level) {
  if (interval.low > level) {
    return Verdict::kSupported;
  }
  return interval.high < level ? Verdict::kContradicted : Verdict::kUndecided;
}

Figure widened(const Figure& figure, std::size_t comparisons) {
  if (comparisons <= 1) {
    return figure;
  }
  const double factor = widening(comparisons);
  return {figure.value,
          {figure.value - factor * (figure.value - figure.interval.low),
           figure.value + factor * (figure.interval.high - figure.value)}};
}

Figure widened_ratio(const Figure& figure, std::size_t comparisons) {
  require(figure.interval.low > 0 && figure.value > 0, "widened_ratio: not a ratio of times");
  if (comparisons <= 1) {
    return figure;  // not through the logarithm, which would round it
  }
  const Figure logs = widened(
      {std::log(figure.value), {std::log(figure.interval.low), std::log(figure.interval.high)}},
      comparisons);
  return {figure.value, {std::exp(logs.interval.low), std::exp(logs.interval.high)}};
}

std::vector<const SubjectEvidence*> taxed_methods(const Evidence& evidence) {
  std::vector<const SubjectEvidence*> methods;
  for (const SubjectEvidence& subject : evidence.subjects) {
    if (!subject.variant.empty() && subject.tax) {
      methods.push_back(&subject);
    }
  }
  return methods;
}

LedgerLine not_measured(std::string claim, std::string statement, std::string why) {
  LedgerLine line;
  line.claim = std::move(claim);
  line.statement = std::move(statement);
  line.detail = std::move(why);
  line.verdict = Verdict::kNotMeasured;
  return line;
}

}  // namespace interpscale::experiments
