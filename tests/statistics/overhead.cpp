// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/one_factor.hpp"
#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

constexpr int kPart = 2;
constexpr double kWithin = 0.01;

/// What each estimator says of one study whose true exponent is 1.
struct Exponents {
  double power;
  double theil_sen;
  double chosen;
};

Exponents run_study(double share, const Noise& noise, std::uint64_t stream,
                    const Options& options) {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  std::vector<scaling::Observation> cells = cells_of(sizes);
  Draws draws(options.seed, stream);
  time_cells(
      cells,
      [&](const scaling::Observation& cell) {
        return std::log(1e-9 * (cell.parameters + share * sizes.front()));
      },
      noise, draws);
  const auto fit = scaling::fit_one_factor(sizes, cells, {options.resamples, stream});
  require(fit.has_value(), "a simulated study can be fitted");
  const auto power = std::find_if(
      fit->candidates.begin(), fit->candidates.end(),
      [](const scaling::CostLaw& law) { return law.kind == scaling::LawKind::kPower; });
  return {power->exponent, fit->theil_sen, fit->law.exponent};
}

}  // namespace

Table overhead_table(const Options& options) {
  Table table{"Overhead: the plain power law, Theil-Sen and the chosen law on a + b N",
              fmt::format("{} studies a row, 8 sizes over two decades; a in parts of the smallest "
                          "b N. Medians over studies; the true exponent is 1. Wanted: the chosen "
                          "law's median exponent, and its median distance from 1, within {:g}.",
                          options.studies, kWithin),
              {"a", "noise", "power law", "Theil-Sen", "chosen law", "its distance from 1"},
              {},
              {}};
  const std::vector<std::pair<std::string, Noise>> noises{
      {"1 % in each time, 9 rounds", {}}, {"1 % in each cell, one round", {.rounds = 1}}};
  int row = 0;
  for (const double share : {0.1, 0.3, 1.0}) {
    for (const auto& [name, noise] : noises) {
      std::vector<Exponents> all(static_cast<std::size_t>(options.studies));
      parallel_for(options.threads, all.size(), [&, noise = noise](std::size_t k) {
        all[k] =
            run_study(share, noise, stream_of(100 * kPart + row, static_cast<int>(k)), options);
      });
      const auto median_of = [&all](auto value) {
        std::vector<double> values;
        for (const Exponents& each : all) {
          values.push_back(value(each));
        }
        return scaling::median(std::move(values));
      };
      const double chosen = median_of([](const Exponents& e) { return e.chosen; });
      const double distance = median_of([](const Exponents& e) { return std::abs(e.chosen - 1); });
      table.rows.push_back(
          {fmt::format("{:.0f} %", 100 * share), name,
           fmt::format("{:.3f}", median_of([](const Exponents& e) { return e.power; })),
           fmt::format("{:.3f}", median_of([](const Exponents& e) { return e.theil_sen; })),
           fmt::format("{:.4f}", chosen), fmt::format("{:.4f}", distance)});
      if (std::abs(chosen - 1) > kWithin || distance > kWithin) {
        table.failures.push_back(fmt::format("a = {:g} with {}", share, name));
      }
      ++row;
    }
  }
  return table;
}

}  // namespace interpscale::selftest
