// C14: understand the first parts of a network, then the next ones from the understood outputs of
// the first: surrogates built in order, by module and by layer, on their own outputs or on true
// activations.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/recursion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "experiments/engine/laws.hpp"
#include "experiments/engine/networks_pieces.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

using modules::HiddenUnits;
using modules::Reads;
using modules::SplicedNetwork;
using modules::Surrogate;

constexpr std::array kReads = {Reads::kTrueActivations, Reads::kOwnOutputs};
constexpr std::array kWays = {"modules", "layers"};
constexpr modules::SurrogateKind kKind = modules::SurrogateKind::kLowRankRelu;
/// Rank of a part's surrogate: an eighth of the part's neurons.
constexpr int kDivisor = 8;
/// A recursion that raises the loss by more than this share of what training gained leaks.
constexpr double kLeakTolerated = 0.05;
/// A tax exponent within this of 0 is no growth that matters.
constexpr double kConstantWithin = 0.05;

/// "modules_own": what was built in this way.
std::string name_of_way(std::string_view way, Reads reads) {
  return fmt::format("{}_{}", way, modules::name_of(reads));
}

/// The leak with all surrogates of the first 1, 2, ... layers in place.
std::vector<double> leaks_by_layer(const Specimen& specimen,
                                   const std::vector<Surrogate>& surrogates,
                                   const kernels::Context<float>& context) {
  std::vector<double> leaks;
  for (std::size_t l = 0; l + 1 < specimen.network.topology.hidden.size(); ++l) {
    std::vector<Surrogate> placed;
    std::ranges::copy_if(surrogates, std::back_inserter(placed),
                         [l](const Surrogate& surrogate) { return surrogate.front().layer <= l; });
    leaks.push_back(rise_with(specimen, std::move(placed), context));
  }
  return leaks;
}

void understand(const Specimen& specimen, const std::vector<HiddenUnits>& parts,
                const std::string& name, Reads reads, Laboratory& laboratory, Outcome& outcome) {
  const kernels::Context<float> context = laboratory.context();
  const modules::RecursionOptions options{.surrogate = {.kind = kKind, .seed = laboratory.seed()},
                                          .size_share = 1.0 / kDivisor,
                                          .reads = reads};
  std::vector<Surrogate> surrogates;
  const double seconds = seconds_of([&] {
    surrogates =
        modules::understand_in_order(specimen.network, parts, specimen.fit, options, context);
  });
  NamedSeries leaks{name + "_leaks", leaks_by_layer(specimen, surrogates, context)};
  const SplicedNetwork all(specimen.network, surrogates);
  const modules::SampleLosses losses = modules::losses_of(all, specimen.test, context);
  const modules::Leak leak = modules::leak_of(losses, specimen.whole);
  leaks.values.push_back(leak.value);
  const double share = static_cast<double>(all.parameters()) /
                       static_cast<double>(specimen.network.topology.parameters());
  outcome.figures.insert(outcome.figures.end(), {{name + "_leak", leak.value},
                                                 {name + "_leak_low", leak.low},
                                                 {name + "_leak_high", leak.high},
                                                 {name + "_accuracy", losses.accuracy},
                                                 {name + "_parameters", share},
                                                 {name + "_seconds", seconds}});
  outcome.series.push_back(std::move(leaks));
}

Result<void> measure(const Specimen& specimen, Laboratory& laboratory, Outcome& outcome) {
  const modules::WeightGraph graph(specimen.network);
  const auto clustering = modules::spectral_modules(
      graph, {.clusters = laboratory.scale().clusters, .seed = laboratory.seed()});
  if (!clustering) {
    return tl::unexpected(clustering.error());
  }
  const std::array ways = {modules::parts_by_module(modules::hidden_modules(graph, *clustering)),
                           modules::parts_by_layer(specimen.network.topology)};
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    outcome.figures.push_back(
        {fmt::format("{}_parts", kWays[way]), static_cast<double>(ways[way].size())});
    for (const Reads reads : kReads) {
      understand(specimen, ways[way], name_of_way(kWays[way], reads), reads, laboratory, outcome);
    }
  }
  return {};
}

constexpr const char* kMakesUp =
    "Parts understood from the understood outputs of those before them make up for errors: "
    "surrogates built module by module on the surrogates' own outputs leak less than on true "
    "activations.";
constexpr const char* kWhole =
    "Recursion from the first modules on gives an account of the whole network: all surrogates "
    "built on each other's outputs do its work.";
constexpr const char* kCost = "The cost of the whole recursion keeps up with training.";

std::optional<Figure> own_over_true(const std::vector<const Outcome*>& outcomes,
                                    std::string_view way) {
  std::vector<double> ratios;
  for (const Outcome* outcome : outcomes) {
    const auto leak = [&](Reads reads) {
      return outcome->figure(name_of_way(way, reads) + "_leak").value_or(0);
    };
    if (leak(Reads::kOwnOutputs) > 0 && leak(Reads::kTrueActivations) > 0) {
      ratios.push_back(leak(Reads::kOwnOutputs) / leak(Reads::kTrueActivations));
    }
  }
  return geometric_mean_of(ratios);
}

std::optional<Figure> own_share(const std::vector<const Outcome*>& outcomes, std::string_view way) {
  std::vector<double> shares;
  for (const Outcome* outcome : outcomes) {
    const auto leak = outcome->figure(name_of_way(way, Reads::kOwnOutputs) + "_leak");
    if (leak) {
      shares.push_back(*leak / gained_by_training(*outcome));
    }
  }
  return mean_of(shares);
}

LedgerLine judge_ratio(const std::vector<const Outcome*>& outcomes) {
  const std::optional<Figure> ratio = own_over_true(outcomes, "modules");
  const std::optional<Figure> layers = own_over_true(outcomes, "layers");
  if (!ratio || !layers) {
    return not_measured("C14", kMakesUp, "The study has built no surrogates upon each other.");
  }
  LedgerLine line;
  line.claim = "C14";
  line.statement = kMakesUp;
  line.quantity = "leak of surrogates built on own outputs over that of ones built on true ones";
  line.figure = ratio;
  line.detail = fmt::format("{} networks, {} of rank m/{} for m neurons; layer by layer {}",
                            outcomes.size(), modules::name_of(kKind), kDivisor, described(*layers));
  line.rule = "supported if the interval over networks lies below 1, contradicted if above";
  line.verdict = judge_below(ratio->interval, 1);
  return line;
}

LedgerLine judge_whole(const std::vector<const Outcome*>& outcomes) {
  const std::optional<Figure> share = own_share(outcomes, "modules");
  const std::optional<Figure> layers = own_share(outcomes, "layers");
  if (!share || !layers) {
    return not_measured("C14", kWhole, "The study has built no surrogates upon each other.");
  }
  LedgerLine line;
  line.claim = "C14";
  line.statement = kWhole;
  line.quantity = "leak of the recursion by modules, as a share of what training gained";
  line.figure = share;
  line.detail = fmt::format("{} networks; layer by layer {}", outcomes.size(), described(*layers));
  if (const auto size = mean_of_figure(outcomes, "modules_own_parameters")) {
    line.detail +=
        fmt::format(", with {:.0f} % of the network's parameters by modules", 100 * size->value);
  }
  line.rule =
      fmt::format("supported if the interval lies below {}, contradicted if above", kLeakTolerated);
  line.verdict = judge_below(share->interval, kLeakTolerated);
  return line;
}

LedgerLine judge_cost(const std::vector<const Outcome*>& outcomes) {
  const std::string seconds = name_of_way("modules", Reads::kOwnOutputs) + "_seconds";
  const std::vector<const Outcome*> by_width = shallowest(outcomes);
  const auto tax = exponent_in_parameters(by_width, seconds, "step_seconds");
  if (!tax) {
    return not_measured("C14", kCost,
                        "The study has built surrogates upon each other in networks of fewer than "
                        "four sizes.");
  }
  LedgerLine line;
  line.claim = "C14";
  line.statement = kCost;
  line.quantity = "exponent in N of the recursion's time over that of a training step";
  line.figure = tax;
  line.detail = fmt::format("networks that differ in width alone{}",
                            cost_law(by_width, seconds, "recursion by modules")) +
                joint_law(outcomes, seconds);
  if (const auto layers = exponent_in_parameters(
          by_width, name_of_way("layers", Reads::kOwnOutputs) + "_seconds", "step_seconds")) {
    line.detail += fmt::format("; layer by layer over a step N^{}", described(*layers));
  }
  line.rule = fmt::format(
      "supported if the interval lies below 0 or within {} of it, contradicted if above",
      kConstantWithin);
  switch (scaling::growth_of(tax->interval, kConstantWithin)) {
    case scaling::Growth::kConstant:
    case scaling::Growth::kShrinks:
      line.verdict = Verdict::kSupported;
      break;
    case scaling::Growth::kGrows:
      line.verdict = Verdict::kContradicted;
      break;
    case scaling::Growth::kUndecided:
      line.verdict = Verdict::kUndecided;
      break;
  }
  return line;
}

std::vector<ReportTable> tables(const Evidence& evidence) {
  ReportTable table{
      fmt::format("surrogates ({} of rank m/{} for m neurons) built from the inputs up, by module "
                  "and by layer, on true activations and on the surrogates' own outputs: the rise "
                  "of the loss as a share of what training gained.",
                  modules::name_of(kKind), kDivisor),
      {"network", "seed", "parts", "built on", "parameters", "leak, layer by layer", "leak of all",
       "accuracy", "cost, training steps"},
      {}};
  for (const Outcome* outcome : evidence.outcomes_of("recursion")) {
    const double gain = gained_by_training(*outcome);
    const double step = outcome->figure("step_seconds").value_or(1);
    for (const char* way : kWays) {
      for (const Reads reads : kReads) {
        const std::string name = name_of_way(way, reads);
        const auto figure = [&](const char* what) {
          return outcome->figure(fmt::format("{}_{}", name, what)).value_or(0);
        };
        std::vector<std::string> leaks;
        for (const double leak : outcome->values(name + "_leaks")) {
          leaks.push_back(fmt::format("{:.3f}", leak / gain));
        }
        table.rows.push_back(
            {outcome->topology, fmt::format("{}", outcome->seed),
             fmt::format("{:.0f} by {}", outcome->figure(fmt::format("{}_parts", way)).value_or(0),
                         way),
             std::string(modules::name_of(reads)),
             fmt::format("{:.0f} %", 100 * figure("parameters")),
             fmt::format("{}", fmt::join(leaks, " ")),
             fmt::format("{:.3f} [{:.3f}, {:.3f}]", figure("leak") / gain,
                         figure("leak_low") / gain, figure("leak_high") / gain),
             fmt::format("{:.3f}", figure("accuracy")),
             fmt::format("{:.0f}", figure("seconds") / step)});
      }
    }
  }
  return {table};
}

}  // namespace

ExperimentSpec recursion() {
  constexpr double kSecondsAtReference = 8;
  ExperimentSpec spec;
  spec.name = "recursion";
  spec.summary = "Surrogates built upon each other, by module and by layer: leak and cost.";
  spec.claims = {"C14"};
  spec.settle = [](const Evidence& evidence) {
    const std::vector<const Outcome*> outcomes = evidence.outcomes_of("recursion");
    return std::vector<LedgerLine>{judge_ratio(outcomes), judge_whole(outcomes),
                                   judge_cost(outcomes)};
  };
  spec.tables = tables;
  spec.pieces = [](const ArgumentScale& scale) {
    const double seconds = kSecondsAtReference * static_cast<double>(scale.fit_examples) / 8000.0;
    return pieces_of_all_depths(scale, seconds, measure);
  };
  return spec;
}

}  // namespace interpscale::experiments
