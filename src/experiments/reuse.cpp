// C15: are the neurons of a network those of another one that is understood already, and what does
// it cost to analyse only the rest? Neurons matched by correlation over data.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/engine/laws.hpp"
#include "experiments/engine/networks_pieces.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"
#include "interpscale/modules/lesion.hpp"
#include "interpscale/modules/match_neurons.hpp"

namespace interpscale::experiments {
namespace {

using modules::HiddenUnits;

/// A neuron is explained by one that shares half of its variance, if chance does not give as much.
constexpr double kHalfOfVariance = 0.70710678;  // a correlation: root of 1/2
/// Of neurons that vary, so many may exceed the chance level where nothing is shared.
constexpr double kChanceRate = 0.01;
constexpr std::size_t kShuffles = 2;
constexpr double kMost = 0.5;
constexpr double kBiasDeviation = 0.1;

/// Neurons of one network beside those of a known one.
struct Match {
  std::vector<bool> varies;         ///< [n]
  Matrix<float> correlations;       ///< [n, m], absolute
  std::vector<float> best_of_many;  ///< [n]
  double chance = 0;                ///< level of best-of-many correlations
  double threshold = 0;             ///< above which a neuron is explained
};

/// `neurons`: the network's standardised activations over `inputs`.
Match match(const Matrix<float>& neurons, const nn::Mlp<float>& known,
            MatrixView<const float> inputs, std::uint64_t seed,
            const kernels::Context<float>& context) {
  const Matrix<float> others = modules::standardised_activations(known, inputs, context);
  Match result;
  result.varies = modules::varying(neurons);
  result.correlations = modules::absolute_correlations(neurons, others, context);
  result.best_of_many = modules::best_of_many(result.correlations);
  result.chance = modules::chance_level(neurons, others, kChanceRate, kShuffles, seed, context);
  result.threshold = std::max(result.chance, kHalfOfVariance);
  return result;
}

/// Of the neurons in [first, last) that vary, the share whose match lies above the threshold.
double explained_share(const Match& match, const std::vector<float>& matched, std::size_t first,
                       std::size_t last) {
  std::size_t vary = 0;
  std::size_t explained = 0;
  for (std::size_t i = first; i < last; ++i) {
    vary += match.varies[i] ? 1U : 0U;
    explained += match.varies[i] && static_cast<double>(matched[i]) > match.threshold ? 1U : 0U;
  }
  return vary == 0 ? 0.0 : static_cast<double>(explained) / static_cast<double>(vary);
}

double explained_share(const Match& match) {
  return explained_share(match, match.best_of_many, 0, match.best_of_many.size());
}

/// The neurons that an analysis is left with: those that vary, or of them those not explained.
HiddenUnits left_over(const nn::Topology& topology, const Match& match, bool explained_too) {
  HiddenUnits units(topology.hidden.size());
  std::size_t index = 0;
  for (std::size_t l = 0; l < units.size(); ++l) {
    for (std::uint32_t j = 0; j < topology.hidden[l]; ++j, ++index) {
      const bool explained = static_cast<double>(match.best_of_many[index]) > match.threshold;
      if (match.varies[index] && (explained_too || !explained)) {
        units[l].push_back(j);
      }
    }
  }
  return units;
}

double analysis_seconds(const Specimen& specimen, const HiddenUnits& units,
                        const data::Dataset& analysed, const kernels::Context<float>& context) {
  return seconds_of([&] {
    static_cast<void>(modules::ablation_effects(specimen.network, units, analysed, context));
  });
}

/// Half as wide, of another seed: the network whose neurons count as understood. Returns the
/// standardised activations of the specimen, which matching makes.
Matrix<float> match_half_as_wide(const Specimen& specimen, const nn::Mlp<float>& known,
                                 Laboratory& laboratory, Outcome& outcome) {
  const kernels::Context<float> context = laboratory.context();
  const nn::Topology& topology = specimen.network.topology;
  Matrix<float> neurons;
  Match matched;
  const double matching = seconds_of([&] {
    neurons = modules::standardised_activations(specimen.network, specimen.test.inputs, context);
    matched = match(neurons, known, specimen.test.inputs, laboratory.seed(), context);
  });
  std::vector<float> pairs;
  const double pairing =
      seconds_of([&] { pairs = modules::best_one_to_one(matched.correlations); });
  const data::Dataset analysed = first_examples(specimen.test, kAnalysedSamples);
  const HiddenUnits rest = left_over(topology, matched, false);
  const double all =
      analysis_seconds(specimen, left_over(topology, matched, true), analysed, context);
  const double marginal = matching + analysis_seconds(specimen, rest, analysed, context);
  outcome.figures.insert(outcome.figures.end(),
                         {{"share", explained_share(matched)},
                          {"one_to_one_share", explained_share(matched, pairs, 0, pairs.size())},
                          {"chance_level", matched.chance},
                          {"threshold", matched.threshold},
                          {"unexplained", static_cast<double>(modules::count_units(rest))},
                          {"matching_seconds", matching},
                          {"pairing_seconds", pairing},
                          {"all_seconds", all},
                          {"marginal_seconds", marginal}});
  NamedSeries by_layer{"share_by_layer", {}};
  std::size_t first = 0;
  for (const std::size_t width : topology.hidden) {
    by_layer.values.push_back(explained_share(matched, matched.best_of_many, first, first + width));
    first += width;
  }
  outcome.series.push_back(std::move(by_layer));
  return neurons;
}

Result<void> measure(const Specimen& specimen, Laboratory& laboratory, Outcome& outcome) {
  const ArgumentScale& scale = laboratory.scale();
  const int other = (specimen.seed + 1) % std::max(scale.seeds, 2);
  const Result<nn::Mlp<float>> half =
      laboratory.network(std::max<std::size_t>(specimen.width / 2, 1), other);
  const Result<nn::Mlp<float>> smallest = laboratory.network(scale.widths.front(), other);
  const Result<nn::Mlp<float>> twin = laboratory.network(specimen.width, other);
  for (const auto* network : {&half, &smallest, &twin}) {
    if (!*network) {
      return tl::unexpected(network->error());
    }
  }
  const Matrix<float> neurons = match_half_as_wide(specimen, *half, laboratory, outcome);
  const nn::Mlp<float> untrained = nn::initialise_he<float>(
      half->topology, laboratory.seed() * 1000 + 500 + static_cast<std::uint64_t>(other),
      kBiasDeviation);
  const auto share = [&](const nn::Mlp<float>& known) {
    return explained_share(
        match(neurons, known, specimen.test.inputs, laboratory.seed(), laboratory.context()));
  };
  outcome.figures.insert(outcome.figures.end(), {{"smallest_share", share(*smallest)},
                                                 {"twin_share", share(*twin)},
                                                 {"untrained_share", share(untrained)}});
  return {};
}

constexpr const char* kFoundAgain =
    "Concepts found in one network are found again in another: a larger network's neurons are "
    "mostly those of one half as wide, of another seed.";
constexpr const char* kCheaper =
    "Reuse bends the cost: analysing only what a network half as wide does not explain grows more "
    "slowly in the number of neurons than analysing all.";

LedgerLine judge_shares(const std::vector<const Outcome*>& outcomes) {
  const std::optional<Figure> share = mean_of_figure(outcomes, "share");
  std::vector<double> gains;
  for (const Outcome* outcome : outcomes) {
    gains.push_back(outcome->figure("share").value_or(0) -
                    outcome->figure("untrained_share").value_or(0));
  }
  const std::optional<Figure> gain = mean_of(gains);
  if (!share || !gain) {
    return not_measured("C15", kFoundAgain, "The study has matched no neurons.");
  }
  LedgerLine line;
  line.claim = "C15";
  line.statement = kFoundAgain;
  line.quantity = "share of neurons with a match of half their variance, mean over networks";
  line.figure = share;
  const auto percent = [&](std::string_view name) {
    const std::optional<Figure> mean = mean_of_figure(outcomes, name);
    return mean ? 100 * mean->value : 0.0;
  };
  line.detail = fmt::format(
      "{} networks; one to one {:.0f} %, by the smallest network {:.0f} %, by one as wide {:.0f} "
      "%, by an untrained one half as wide {:.0f} %",
      outcomes.size(), percent("one_to_one_share"), percent("smallest_share"),
      percent("twin_share"), percent("untrained_share"));
  if (const auto growth = exponent_in_neurons(outcomes, "share")) {
    line.detail += fmt::format("; the share goes as n^{}", described(*growth));
  }
  line.rule = fmt::format(
      "supported if the interval over networks lies above {} and that of the lead over untrained "
      "networks above 0, contradicted if either lies below",
      kMost);
  const Verdict most = judge_side(share->interval, kMost);
  const Verdict more = judge_side(gain->interval, 0);
  if (most == Verdict::kContradicted || more == Verdict::kContradicted) {
    line.verdict = Verdict::kContradicted;
  } else {
    line.verdict = most == more ? most : Verdict::kUndecided;
  }
  return line;
}

LedgerLine judge_costs(const std::vector<const Outcome*>& outcomes) {
  const std::optional<Figure> saved =
      exponent_in_neurons(outcomes, "marginal_seconds", "all_seconds");
  const std::optional<Figure> marginal = exponent_in_neurons(outcomes, "marginal_seconds");
  const std::optional<Figure> all = exponent_in_neurons(outcomes, "all_seconds");
  if (!saved || !marginal || !all) {
    return not_measured("C15", kCheaper,
                        "The study has matched neurons in networks of fewer than four sizes.");
  }
  LedgerLine line;
  line.claim = "C15";
  line.statement = kCheaper;
  line.quantity = "exponent in n of the cost of matching and analysing the rest over that of all";
  line.figure = saved;
  line.detail =
      fmt::format("matching and the rest n^{}, all n^{}", described(*marginal), described(*all)) +
      cost_law(outcomes, "matching_seconds", "matching alone");
  line.rule = "supported if the interval lies below 0, contradicted if above";
  line.verdict = judge_below(saved->interval, 0);
  return line;
}

std::vector<ReportTable> tables(const Evidence& evidence) {
  ReportTable table{
      "neurons matched over the test samples to those of a network half as wide, of another seed: "
      "shares whose best match explains half of their variance; beside it other known networks, "
      "and zero ablation of all neurons or of the rest, in training steps.",
      {"network", "seed", "share", "one to one", "smallest", "as wide", "untrained", "by layer",
       "chance level", "matching", "all", "matching and rest", "of all"},
      {}};
  for (const Outcome* outcome : evidence.outcomes_of("reuse")) {
    const auto figure = [&](const char* name) { return outcome->figure(name).value_or(0); };
    const double step = outcome->figure("step_seconds").value_or(1);
    std::vector<std::string> layers;
    for (const double share : outcome->values("share_by_layer")) {
      layers.push_back(fmt::format("{:.2f}", share));
    }
    table.rows.push_back(
        {outcome->topology, fmt::format("{}", outcome->seed),
         fmt::format("{:.2f}", figure("share")), fmt::format("{:.2f}", figure("one_to_one_share")),
         fmt::format("{:.2f}", figure("smallest_share")),
         fmt::format("{:.2f}", figure("twin_share")),
         fmt::format("{:.2f}", figure("untrained_share")),
         fmt::format("{}", fmt::join(layers, " ")), fmt::format("{:.2f}", figure("chance_level")),
         fmt::format("{:.0f}", figure("matching_seconds") / step),
         fmt::format("{:.0f}", figure("all_seconds") / step),
         fmt::format("{:.0f}", figure("marginal_seconds") / step),
         fmt::format("{:.2f}",
                     figure("marginal_seconds") / std::max(figure("all_seconds"), 1e-12))});
  }
  return {table};
}

}  // namespace

ExperimentSpec reuse() {
  constexpr double kSecondsAtReference = 4;
  ExperimentSpec spec;
  spec.name = "reuse";
  spec.summary = "Neurons matched to those of an understood network: share, and cost of the rest.";
  spec.claims = {"C15"};
  spec.settle = [](const Evidence& evidence) {
    const std::vector<const Outcome*> outcomes = evidence.outcomes_of("reuse");
    return std::vector<LedgerLine>{judge_shares(outcomes), judge_costs(outcomes)};
  };
  spec.tables = tables;
  spec.pieces = [](const ArgumentScale& scale) {
    const double share = static_cast<double>(scale.test_examples) / 4000.0;
    return pieces_of_networks(scale, kSecondsAtReference * share, measure);
  };
  return spec;
}

}  // namespace interpscale::experiments
