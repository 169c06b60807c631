// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/loss_law.hpp"
#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

using scaling::LossFit;
using scaling::LossLaw;
using scaling::LossLawIntervals;
using scaling::LossPoint;

constexpr int kPart = 5;
constexpr double kLowestCoverage = 0.92;
constexpr double kHighestCoverage = 0.99;
/// Interval fits of hundreds of points take a tenth of a second: fewer draws than of times.
constexpr int kResamples = 400;
const LossLaw kJoint{1.8172, 482.01, 2085.43, 0.3478, 0.3658};
const LossLaw kOfSize{0.03, 5, 0, 0.66, 0};

struct Number {
  const char* name;
  double LossLaw::*value;
  scaling::Interval LossLawIntervals::*interval;
};

constexpr std::array<Number, 5> kNumbers{
    {{"E", &LossLaw::irreducible, &LossLawIntervals::irreducible},
     {"A", &LossLaw::parameters_coefficient, &LossLawIntervals::parameters_coefficient},
     {"B", &LossLaw::data_coefficient, &LossLawIntervals::data_coefficient},
     {"alpha", &LossLaw::parameters_exponent, &LossLawIntervals::parameters_exponent},
     {"beta", &LossLaw::data_exponent, &LossLawIntervals::data_exponent}}};

/// 245 runs, N and D log-uniform over 3 and 2.5 decades.
LossFit joint_study(std::uint64_t stream, const Options& options) {
  Draws draws(options.seed, stream);
  std::vector<LossPoint> points(245);
  for (LossPoint& point : points) {
    point.parameters = 1e7 * std::pow(10.0, 3 * draws.uniform());
    point.data = 1e9 * std::pow(10.0, 2.5 * draws.uniform());
    point.loss = kJoint(point.parameters, point.data) * std::exp(0.01 * draws.normal());
  }
  const auto fit =
      scaling::fit_loss_of_parameters_and_data(points, {.bootstrap = {kResamples, stream}});
  require(fit.has_value(), "simulated runs can be fitted");
  return *fit;
}

/// 8 sizes over two decades, 3 seeds each.
LossFit size_study(std::uint64_t stream, const Options& options) {
  Draws draws(options.seed, stream);
  std::vector<LossPoint> points;
  for (const double size : geometric_sizes(8, 1e3, 2)) {
    for (int seed = 0; seed < 3; ++seed) {
      points.push_back({size, 0, kOfSize(size, 0) * std::exp(0.02 * draws.normal())});
    }
  }
  const auto fit = scaling::fit_loss_of_parameters(points, {.bootstrap = {kResamples, stream}});
  require(fit.has_value(), "simulated runs can be fitted");
  return *fit;
}

void add_rows(Table& table, const char* runs, const LossLaw& law,
              const std::vector<LossFit>& fits) {
  const auto count = static_cast<double>(fits.size());
  const auto add = [&](const char* name, double truth, auto value, auto interval) {
    double covered = 0, half_widths = 0, squares = 0;
    for (const LossFit& fit : fits) {
      const double error = value(fit) / truth - 1;
      covered += interval(fit).contains(truth) ? 1 : 0;
      half_widths += interval(fit).half_width() / truth;
      squares += error * error;
    }
    table.rows.push_back({runs, name, fmt::format("{:.1f} %", 100 * covered / count),
                          fmt::format("{:.3g} %", 100 * half_widths / count),
                          fmt::format("{:.3g} %", 100 * std::sqrt(squares / count))});
    if (!within(covered / count, kLowestCoverage, kHighestCoverage,
                static_cast<int>(fits.size()))) {
      table.failures.push_back(fmt::format("{}: {}", runs, name));
    }
  };
  for (const Number& number : kNumbers) {
    if (law.*number.value == 0) {
      continue;
    }
    add(
        number.name, law.*number.value, [&](const LossFit& fit) { return fit.law.*number.value; },
        [&](const LossFit& fit) { return fit.intervals.*number.interval; });
  }
  if (law.data_exponent != 0) {
    add(
        "a", law.data_exponent / (law.parameters_exponent + law.data_exponent),
        [](const LossFit& fit) { return fit.optimal_exponent; },
        [](const LossFit& fit) { return fit.optimal_exponent_interval; });
  }
}

}  // namespace

Table loss_law_coverage(const Options& options) {
  Table table{
      "Loss laws",
      fmt::format("{} studies a row, {} draws an interval. L(N, D): 245 runs with 1 % noise "
                  "in the loss; L(N): 8 sizes over two decades, 3 seeds, 2 % noise. Wanted: "
                  "coverage between {:g} and {:g} %.",
                  options.loss_studies, kResamples, 100 * kLowestCoverage, 100 * kHighestCoverage),
      {"law", "number", "coverage", "mean half width", "rms error"},
      {},
      {}};
  std::vector<LossFit> joint(static_cast<std::size_t>(options.loss_studies));
  parallel_for(options.threads, joint.size(), [&](std::size_t k) {
    joint[k] = joint_study(stream_of(100 * kPart, static_cast<int>(k)), options);
  });
  add_rows(table, "L(N, D)", kJoint, joint);
  std::vector<LossFit> of_size(static_cast<std::size_t>(options.loss_studies));
  parallel_for(options.threads, of_size.size(), [&](std::size_t k) {
    of_size[k] = size_study(stream_of(100 * kPart + 1, static_cast<int>(k)), options);
  });
  add_rows(table, "L(N)", kOfSize, of_size);
  return table;
}

}  // namespace interpscale::selftest
