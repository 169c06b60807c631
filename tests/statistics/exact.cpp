// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/loss_law.hpp"
#include "interpscale/scaling/one_factor.hpp"
#include "interpscale/scaling/two_factor.hpp"
#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

constexpr int kPart = 6;
constexpr double kExact = 1e-6;
const Noise kNone{.cell = 0, .rounds = 9};

/// The largest error over laws whose numbers are drawn anew each time.
struct Worst {
  double value = 0;
  void see(double found, double wanted) {
    value = std::max(value, std::abs(found - wanted) / std::max(1.0, std::abs(wanted)));
  }
};

double worst_one_factor(const Options& options, bool overhead) {
  Worst worst;
  for (int study = 0; study < options.studies; ++study) {
    Draws draws(options.seed, stream_of(100 * kPart + (overhead ? 1 : 0), study));
    const std::vector<double> sizes = geometric_sizes(8, 1e4, 1 + 2 * draws.uniform());
    std::vector<scaling::Observation> cells = cells_of(sizes);
    const double exponent = 0.5 + 2 * draws.uniform();
    const double share = overhead ? std::pow(10.0, -1.5 + 2 * draws.uniform()) : 0;
    const double least = exponent * std::log(sizes.front());
    time_cells(
        cells,
        [&](const scaling::Observation& cell) {
          return std::log(share + std::exp(exponent * std::log(cell.parameters) - least));
        },
        kNone, draws);
    const auto fit = scaling::fit_one_factor(sizes, cells, {100, 1});
    require(fit.has_value(), "an exact law can be fitted");
    worst.see(fit->law.exponent, exponent);
    worst.see(fit->exponent.low, exponent);
    worst.see(fit->exponent.high, exponent);
  }
  return worst.value;
}

double worst_two_factor(const Options& options) {
  Worst worst;
  for (int study = 0; study < options.studies; ++study) {
    Draws draws(options.seed, stream_of(100 * kPart + 2, study));
    std::vector<scaling::Observation> cells = slanted_design();
    const double of_parameters = 2 * draws.uniform();
    const double of_neurons = 2 * draws.uniform() - 1;
    time_cells(
        cells,
        [&](const scaling::Observation& cell) {
          return of_parameters * std::log(cell.parameters) + of_neurons * std::log(cell.neurons);
        },
        kNone, draws);
    const auto fit = scaling::fit_two_factors(cells, false, {100, 1});
    require(fit.has_value() && fit->identifiability.identified, "an exact law can be fitted");
    worst.see(fit->of("N")->value, of_parameters);
    worst.see(fit->of("n")->value, of_neurons);
  }
  return worst.value;
}

double worst_loss(const Options& options) {
  Worst worst;
  const int studies = std::max(1, options.studies / 10);
  for (int study = 0; study < studies; ++study) {
    Draws draws(options.seed, stream_of(100 * kPart + 3, study));
    const double alpha = 0.2 + 0.6 * draws.uniform();
    const double beta = 0.2 + 0.6 * draws.uniform();
    // Each term a tenth to twice of E at the smallest size.
    const scaling::LossLaw law{1, std::pow(1e5, alpha) * (0.1 + 2 * draws.uniform()),
                               std::pow(1e5, beta) * (0.1 + 2 * draws.uniform()), alpha, beta};
    std::vector<scaling::LossPoint> points(60);
    for (scaling::LossPoint& point : points) {
      point.parameters = 1e5 * std::pow(10.0, 3 * draws.uniform());
      point.data = 1e5 * std::pow(10.0, 3 * draws.uniform());
      point.loss = law(point.parameters, point.data);
    }
    const auto fit = scaling::fit_loss_of_parameters_and_data(points, {.bootstrap = {100, 1}});
    require(fit.has_value(), "an exact law can be fitted");
    worst.see(fit->law.irreducible, law.irreducible);
    worst.see(fit->law.parameters_coefficient, law.parameters_coefficient);
    worst.see(fit->law.data_coefficient, law.data_coefficient);
    worst.see(fit->law.parameters_exponent, alpha);
    worst.see(fit->law.data_exponent, beta);
  }
  return worst.value;
}

/// Of designs in which n = w L follows N ~ w^2 L (up to `slack` in log n), how many are refused.
int refused_designs(const Options& options, double slack) {
  int refused = 0;
  for (int study = 0; study < options.studies; ++study) {
    Draws draws(options.seed, stream_of(100 * kPart + 4, study));
    std::vector<scaling::Observation> cells = cells_of(geometric_sizes(10, 1e4, 3));
    for (scaling::Observation& cell : cells) {
      cell.neurons = std::sqrt(cell.parameters) * std::exp(slack * draws.normal());
    }
    time_cells(
        cells, [](const scaling::Observation& cell) { return std::log(cell.parameters); }, Noise{},
        draws);
    const auto fit = scaling::fit_two_factors(cells, false, {100, 1});
    require(fit.has_value(), "a design that identifies nothing is no error");
    refused += !fit->identifiability.identified && fit->exponents.empty() ? 1 : 0;
  }
  return refused;
}

}  // namespace

Table exact_laws(const Options& options) {
  Table table{
      "Exact laws, and designs that identify nothing",
      fmt::format("Laws with numbers drawn at random, times and losses without noise: the "
                  "largest error of any number (relative above 1). Wanted: at most {:g}. "
                  "Designs of {} studies in which log n follows log N exactly or within 5 % "
                  "(VIF in the hundreds). Wanted: all refused.",
                  kExact, options.studies),
      {"what", "found"},
      {},
      {}};
  const auto add = [&table](const char* what, double worst) {
    table.rows.push_back({what, fmt::format("{:.1e}", worst)});
    if (!(worst <= kExact)) {
      table.failures.emplace_back(what);
    }
  };
  add("power law: exponent and interval", worst_one_factor(options, false));
  add("power law with overhead: exponent and interval", worst_one_factor(options, true));
  add("law in N and n: both exponents", worst_two_factor(options));
  add("L(N, D): all five numbers", worst_loss(options));
  for (const double slack : {0.0, 0.05}) {
    const int refused = refused_designs(options, slack);
    const std::string what = fmt::format("n = N^1/2 within {:g} %: refused", 100 * slack);
    table.rows.push_back({what, fmt::format("{} of {}", refused, options.studies)});
    if (refused != options.studies) {
      table.failures.push_back(what);
    }
  }
  return table;
}

}  // namespace interpscale::selftest
