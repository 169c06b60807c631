// SPDX-License-Identifier: Apache-2.0
#include "regression/judge.hpp"

#include <algorithm>
#include <cmath>

#include "interpscale/scaling/statistics.hpp"
#include "interpscale/scaling/student_t.hpp"
#include "regression/holm.hpp"

namespace interpscale::regression {
namespace {

using scaling::Interval;

/// Two-sided p of the hypothesis nearest to proof: beyond the margin, beyond its opposite, inside.
double smallest_p(const LogRatio& ratio, double margin) {
  const double regressed = ratio.upper_tail(margin);
  const double improved = ratio.lower_tail(-margin);
  const double unchanged = std::max(ratio.lower_tail(margin), ratio.upper_tail(-margin));
  return std::min(1.0, 2 * std::min({regressed, improved, unchanged}));
}

Verdict verdict_of(const Interval& log_interval, double margin) {
  if (log_interval.low > margin) {
    return Verdict::kRegressed;
  }
  if (log_interval.high < -margin) {
    return Verdict::kImproved;
  }
  const bool inside = log_interval.low >= -margin && log_interval.high <= margin;
  return inside ? Verdict::kUnchanged : Verdict::kInconclusive;
}

/// n with (t + z) s / sqrt(n) = distance from the margin, s the spread of a single round.
std::size_t rounds_needed(const LogRatio& ratio, double level, double margin) {
  constexpr double kNineInTen = 1.2816;  // the standard normal quantile
  constexpr double kWorthIt = 1000;
  const double distance = std::abs(std::abs(ratio.mean) - margin);
  const double rounds = ratio.degrees_of_freedom + 1;
  const double reach = kNineInTen - scaling::student_t_quantile(level / 2, rounds);
  const double needed = rounds * std::pow(reach * ratio.standard_error / distance, 2);
  return needed <= kWorthIt ? static_cast<std::size_t>(std::ceil(std::max(needed, rounds + 1))) : 0;
}

Verdict worst_of(const Comparison& comparison) {
  std::vector<Verdict> verdicts;
  for (const CellComparison& cell : comparison.cells) {
    verdicts.push_back(cell.verdict);
  }
  for (const ExponentComparison& exponent : comparison.exponents) {
    if (exponent.verdict == Verdict::kRegressed) {
      verdicts.push_back(exponent.verdict);
    }
  }
  if (!comparison.failed.empty()) {
    verdicts.push_back(Verdict::kInconclusive);
  }
  for (const Verdict verdict : {Verdict::kRegressed, Verdict::kInconclusive, Verdict::kImproved}) {
    if (std::find(verdicts.begin(), verdicts.end(), verdict) != verdicts.end()) {
      return verdict;
    }
  }
  return Verdict::kUnchanged;
}

}  // namespace

std::vector<Judgement> judge(std::span<const LogRatio> ratios, double margin, double alpha) {
  std::vector<double> p_values;
  for (const LogRatio& ratio : ratios) {
    p_values.push_back(smallest_p(ratio, margin));
  }
  const std::vector<double> levels = holm_levels(p_values, alpha);
  std::vector<Judgement> judgements;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const Interval interval = ratios[i].interval(levels[i]);
    judgements.push_back({interval, levels[i], p_values[i], verdict_of(interval, margin)});
  }
  return judgements;
}

CellComparison describe(const scaling::Observation& base, const scaling::Observation& candidate) {
  CellComparison cell;
  cell.name = base.name;
  cell.base = scaling::median(base.rounds);
  cell.candidate = scaling::median(candidate.rounds);
  cell.base_spread = scaling::mad(base.rounds) / cell.base;
  cell.candidate_spread = scaling::mad(candidate.rounds) / cell.candidate;
  cell.rounds = std::min(base.rounds.size(), candidate.rounds.size());
  return cell;
}

void enter(const Judgement& judgement, const LogRatio& ratio, double margin, CellComparison& cell) {
  cell.ratio = std::exp(ratio.mean);
  cell.interval = {std::exp(judgement.log_interval.low), std::exp(judgement.log_interval.high)};
  cell.confidence = 1 - judgement.level;
  cell.p_value = judgement.p_value;
  cell.verdict = judgement.verdict;
  if (cell.verdict == Verdict::kInconclusive) {
    cell.rounds_needed = rounds_needed(ratio, judgement.level, margin);
  }
}

void conclude(Comparison& comparison) {
  double sum = 0;
  for (const CellComparison& cell : comparison.cells) {
    sum += std::log(cell.ratio);
  }
  const auto count = static_cast<double>(std::max<std::size_t>(comparison.cells.size(), 1));
  comparison.geometric_mean_ratio = std::exp(sum / count);
  comparison.verdict = worst_of(comparison);
}

}  // namespace interpscale::regression
