// C13: do leaks compound as abstractions are stacked? The first 1, 2, ... hidden layers replaced by
// surrogates, against the sum of what each layer's surrogate leaks by itself.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>

#include "experiments/engine/laws.hpp"
#include "experiments/engine/networks_pieces.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"
#include "interpscale/modules/recursion.hpp"

namespace interpscale::experiments {
namespace {

using modules::SplicedNetwork;
using modules::Surrogate;
using modules::SurrogateKind;

constexpr std::array kKinds = {SurrogateKind::kLinear, SurrogateKind::kLowRankRelu};
/// Ranks of the surrogates: a layer's width over these.
constexpr std::array kDivisors = {4, 8, 16};
/// What the verdict is about.
constexpr SurrogateKind kJudgedKind = SurrogateKind::kLowRankRelu;
constexpr int kJudgedDivisor = 4;
/// Networks whose single leaks add up to more of what training gained say nothing: so much cannot
/// leak, whatever compounds.
constexpr double kLargestSum = 0.5;

/// "low_rank_relu_8": that kind, of an eighth of the width.
std::string name_of_size(SurrogateKind kind, int divisor) {
  return fmt::format("{}_{}", modules::name_of(kind), divisor);
}

/// 1, 2, ..., all layers replaced, from the inputs up.
void stack_up(const Specimen& specimen, SurrogateKind kind, int divisor, Laboratory& laboratory,
              Outcome& outcome) {
  const kernels::Context<float> context = laboratory.context();
  const std::string name = name_of_size(kind, divisor);
  const modules::RecursionOptions options{.surrogate = {.kind = kind, .seed = laboratory.seed()},
                                          .size_share = 1.0 / divisor,
                                          .reads = modules::Reads::kTrueActivations};
  std::vector<Surrogate> surrogates;
  const double seconds = seconds_of([&] {
    surrogates = modules::understand_in_order(specimen.network,
                                              modules::parts_by_layer(specimen.network.topology),
                                              specimen.fit, options, context);
  });
  NamedSeries stacked{name + "_stacked", {}};
  NamedSeries low{name + "_stacked_low", {}};
  NamedSeries high{name + "_stacked_high", {}};
  NamedSeries sums{name + "_single_sums", {}};
  double sum = 0;
  for (std::size_t l = 0; l < surrogates.size(); ++l) {
    const auto end = surrogates.begin() + static_cast<std::ptrdiff_t>(l + 1);
    const SplicedNetwork replaced(specimen.network, {surrogates.begin(), end});
    const modules::Leak leak =
        modules::leak_of(modules::losses_of(replaced, specimen.test, context), specimen.whole);
    sum += rise_with(specimen, {surrogates[l]}, context);
    stacked.values.push_back(leak.value);
    low.values.push_back(leak.low);
    high.values.push_back(leak.high);
    sums.values.push_back(sum);
  }
  outcome.figures.insert(outcome.figures.end(), {{name + "_leak", stacked.values.back()},
                                                 {name + "_single_sum", sum},
                                                 {name + "_fit_seconds", seconds}});
  outcome.series.insert(outcome.series.end(),
                        {std::move(stacked), std::move(low), std::move(high), std::move(sums)});
}

Result<void> measure(const Specimen& specimen, Laboratory& laboratory, Outcome& outcome) {
  for (const SurrogateKind kind : kKinds) {
    for (const int divisor : kDivisors) {
      stack_up(specimen, kind, divisor, laboratory, outcome);
    }
  }
  return {};
}

/// Leak of all layers over the sum of single ones; none where either is no rise, or the sum too
/// large a part of what training gained.
std::optional<double> ratio_of(const Outcome& outcome, const std::string& name) {
  const double leak = outcome.figure(name + "_leak").value_or(0);
  const double sum = outcome.figure(name + "_single_sum").value_or(0);
  const bool speaks = leak > 0 && sum > 0 && sum <= kLargestSum * gained_by_training(outcome);
  return speaks ? std::optional<double>(leak / sum) : std::nullopt;
}

std::vector<double> ratios_of(const std::vector<const Outcome*>& outcomes,
                              const std::string& name) {
  std::vector<double> ratios;
  for (const Outcome* outcome : outcomes) {
    if (const std::optional<double> ratio = ratio_of(*outcome, name)) {
      ratios.push_back(*ratio);
    }
  }
  return ratios;
}

/// "1.23 [1.10, 1.37] of 4 layers, ..." for each depth there is.
std::string by_depth(const std::vector<const Outcome*>& outcomes, const std::string& name) {
  std::map<double, std::vector<const Outcome*>> depths;
  for (const Outcome* outcome : outcomes) {
    depths[outcome->figure("depth").value_or(0)].push_back(outcome);
  }
  std::vector<std::string> parts;
  for (const auto& [depth, networks] : depths) {
    if (const auto mean = geometric_mean_of(ratios_of(networks, name))) {
      parts.push_back(fmt::format("{} of {:.0f} layers", described(*mean), depth));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

constexpr const char* kStatement =
    "Leaks compound as abstractions are stacked: all layers replaced leak more than the layers' "
    "single leaks add up to.";

std::vector<LedgerLine> settle(const Evidence& evidence) {
  const std::vector<const Outcome*> outcomes = evidence.outcomes_of("stacking");
  const std::string judged = name_of_size(kJudgedKind, kJudgedDivisor);
  const std::vector<double> ratios = ratios_of(outcomes, judged);
  const std::optional<Figure> ratio = geometric_mean_of(ratios);
  if (!ratio) {
    return {not_measured("C13", kStatement,
                         outcomes.empty()
                             ? "The study has stacked no surrogates."
                             : "Single leaks add up to nothing, or to what cannot leak.")};
  }
  LedgerLine line;
  line.claim = "C13";
  line.statement = kStatement;
  line.quantity = "leak of all layers' surrogates stacked over the sum of their single leaks";
  line.figure = ratio;
  line.detail = fmt::format(
      "{} networks, {} more whose single leaks add up to over {} of what training gained; {} of "
      "rank w/{}: {}",
      ratios.size(), outcomes.size() - ratios.size(), kLargestSum, modules::name_of(kJudgedKind),
      kJudgedDivisor, by_depth(outcomes, judged));
  for (const SurrogateKind kind : kKinds) {
    for (const int divisor : kDivisors) {
      const std::string name = name_of_size(kind, divisor);
      const auto other = geometric_mean_of(ratios_of(outcomes, name));
      if (other && name != judged) {
        line.detail +=
            fmt::format("; {} of w/{} {}", modules::name_of(kind), divisor, described(*other));
      }
    }
  }
  const std::string seconds = judged + "_fit_seconds";
  if (const std::string law = cost_law(shallowest(outcomes), seconds, "fitting all layers");
      !law.empty()) {
    line.detail += law + joint_law(outcomes, seconds);
  }
  line.rule =
      "compound (supported) if the interval over networks lies above 1, contradicted if below";
  line.verdict = judge_side(ratio->interval, 1);
  return {line};
}

std::vector<ReportTable> tables(const Evidence& evidence) {
  ReportTable table{
      "the first 1, 2, ... hidden layers replaced by surrogates fitted to true activations: the "
      "rise of the loss as a share of what training gained, over depth, beside the sum of the "
      "layers' single rises.",
      {"network", "seed", "surrogate", "rank", "leak, layer by layer", "all layers",
       "sum of single leaks", "ratio", "fit, training steps"},
      {}};
  for (const Outcome* outcome : evidence.outcomes_of("stacking")) {
    const double gain = gained_by_training(*outcome);
    const double step = outcome->figure("step_seconds").value_or(1);
    for (const SurrogateKind kind : kKinds) {
      for (const int divisor : kDivisors) {
        const std::string name = name_of_size(kind, divisor);
        const auto figure = [&](const char* what) {
          return outcome->figure(fmt::format("{}_{}", name, what)).value_or(0);
        };
        std::vector<std::string> layers;
        for (const double leak : outcome->values(name + "_stacked")) {
          layers.push_back(fmt::format("{:.3f}", leak / gain));
        }
        const std::optional<double> ratio = ratio_of(*outcome, name);
        table.rows.push_back({outcome->topology, fmt::format("{}", outcome->seed),
                              std::string(modules::name_of(kind)), fmt::format("w/{}", divisor),
                              fmt::format("{}", fmt::join(layers, " ")),
                              fmt::format("{:.3f}", figure("leak") / gain),
                              fmt::format("{:.3f}", figure("single_sum") / gain),
                              ratio ? fmt::format("{:.2f}", *ratio) : "-",
                              fmt::format("{:.0f}", figure("fit_seconds") / step)});
      }
    }
  }
  return {table};
}

}  // namespace

ExperimentSpec stacking() {
  constexpr double kSecondsAtReference = 5;
  ExperimentSpec spec;
  spec.name = "stacking";
  spec.summary = "Layer upon layer replaced by surrogates: leak against depth and single leaks.";
  spec.claims = {"C13"};
  spec.settle = settle;
  spec.tables = tables;
  spec.pieces = [](const ArgumentScale& scale) {
    const double seconds = kSecondsAtReference * static_cast<double>(scale.fit_examples) / 8000.0;
    return pieces_of_all_depths(scale, seconds, measure);
  };
  return spec;
}

}  // namespace interpscale::experiments
