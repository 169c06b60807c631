// C10: is understanding a network 50,000 times as dear as training it? The exchange's figures give
// that ratio by construction; what is judged is what its own corrections leave of it.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/core/require.hpp"
#include "interpscale/economics/money_file.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

std::vector<LedgerLine> settle(const Evidence&) {
  const auto money = economics::parse_money(economics::default_money_text(), "the default figures");
  require(money.has_value(), "the default figures of the money model cannot be read");
  const auto estimate = economics::estimate_money_ratio(money->inputs, money->corrections,
                                                        economics::MonteCarloOptions{});
  require(estimate.has_value(), "the default figures of the money model make no ratio");
  LedgerLine line;
  line.claim = "C10";
  line.statement = fmt::format(
      "Understanding an image classifier costs {:.0f} times as much money as training it.",
      estimate->uncorrected);
  line.quantity = "ratio after the named corrections";
  line.figure = Figure{estimate->median, estimate->interval};
  line.detail = fmt::format(
      "before them ${:.3g} / ${:.3g} = {:.0f}; figures and ranges are inputs, the hours of people "
      "among them, not measurements; the interval is 95 % of the corrections' ranges",
      estimate->understanding_dollars, estimate->training_dollars, estimate->uncorrected);
  line.rule =
      "supported if the corrected interval contains the uncorrected ratio, else contradicted";
  const bool contained = estimate->interval.low <= estimate->uncorrected &&
                         estimate->uncorrected <= estimate->interval.high;
  line.verdict = contained ? Verdict::kSupported : Verdict::kContradicted;
  return {line};
}

}  // namespace

ExperimentSpec money() {
  ExperimentSpec spec;
  spec.name = "money";
  spec.summary = "The exchange's ratio of money, and what its corrections leave of it.";
  spec.claims = {"C10"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
