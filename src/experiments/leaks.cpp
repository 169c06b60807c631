// C12: can a module's surrogate be used in its place? Every module of a network replaced by a
// surrogate, one by one and all at once, against the surrogates' size, cost and speed.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/engine/laws.hpp"
#include "experiments/engine/networks_pieces.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"
#include "interpscale/modules/fit_surrogate.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::experiments {
namespace {

using Clock = std::chrono::steady_clock;
using modules::HiddenUnits;
using modules::SplicedNetwork;
using modules::Surrogate;
using modules::SurrogateKind;

constexpr std::array kKinds = {SurrogateKind::kLinear, SurrogateKind::kLowRankRelu,
                               SurrogateKind::kMlp};
/// A surrogate that raises the loss by more than this share of what training gained leaks.
constexpr double kLeakTolerated = 0.05;
constexpr std::size_t kTimedBatch = 128;

/// Seconds of one forward pass over 128 test samples: the least of several slices' medians would
/// flatter, so the median.
double forward_seconds(const SplicedNetwork& network, const data::Dataset& dataset,
                       const kernels::Context<float>& context) {
  constexpr int kSlices = 9;
  constexpr int kPasses = 8;
  const std::size_t rows = std::min(kTimedBatch, dataset.inputs.rows());
  nn::Tape<float> tape(network.network().topology, rows);
  std::vector<double> slices;
  for (int slice = 0; slice <= kSlices; ++slice) {
    const Clock::time_point start = Clock::now();
    for (int pass = 0; pass < kPasses; ++pass) {
      network.forward(dataset.inputs.view().rows_from(0, rows), tape, context);
    }
    if (slice > 0) {  // the first one warms up
      slices.push_back(seconds_since(start) / kPasses);
    }
  }
  return scaling::median(slices);
}

/// What came of one kind and size, all modules of one network.
struct Fitted {
  std::vector<Surrogate> surrogates;
  double seconds = 0;  ///< of all fits
};

Fitted fit_all(const Specimen& specimen, const std::vector<HiddenUnits>& found,
               const modules::SurrogateOptions& options, const kernels::Context<float>& context) {
  Fitted fitted;
  const Clock::time_point start = Clock::now();
  for (const HiddenUnits& module : found) {
    fitted.surrogates.push_back(
        modules::fit_surrogate(specimen.network, module, specimen.fit, options, context));
  }
  fitted.seconds = seconds_since(start);
  return fitted;
}

void measure_kind(const Specimen& specimen, const std::vector<HiddenUnits>& found,
                  SurrogateKind kind, double whole_seconds, Laboratory& laboratory,
                  Outcome& outcome) {
  const kernels::Context<float> context = laboratory.context();
  const std::string name(modules::name_of(kind));
  std::vector<NamedSeries> series(9);
  const std::array names = {"leak",       "leak_low", "leak_high",   "single_leaks", "accuracy",
                            "parameters", "speed",    "fit_seconds", "sizes"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    series[i].name = fmt::format("{}_{}", name, names[i]);
  }
  for (const std::size_t size : laboratory.scale().surrogate_sizes) {
    const Fitted fitted =
        fit_all(specimen, found, {.kind = kind, .size = size, .seed = laboratory.seed()}, context);
    const SplicedNetwork all(specimen.network, fitted.surrogates);
    const modules::SampleLosses losses = modules::losses_of(all, specimen.test, context);
    const modules::Leak leak = modules::leak_of(losses, specimen.whole);
    double single = 0;
    for (const Surrogate& surrogate : fitted.surrogates) {
      single += rise_with(specimen, {surrogate}, context);
    }
    const double share = static_cast<double>(all.parameters()) /
                         static_cast<double>(specimen.network.topology.parameters());
    const std::array values = {leak.value,
                               leak.low,
                               leak.high,
                               single,
                               losses.accuracy,
                               share,
                               whole_seconds / forward_seconds(all, specimen.test, context),
                               fitted.seconds,
                               static_cast<double>(size)};
    for (std::size_t i = 0; i < values.size(); ++i) {
      series[i].values.push_back(values[i]);
    }
  }
  outcome.figures.push_back({name + "_least_leak", *std::ranges::min_element(series[0].values)});
  outcome.figures.push_back({name + "_fit_seconds", series[7].values.back()});
  outcome.series.insert(outcome.series.end(), series.begin(), series.end());
}

Result<void> measure(const Specimen& specimen, Laboratory& laboratory, Outcome& outcome) {
  const modules::WeightGraph graph(specimen.network);
  const auto clustering = modules::spectral_modules(
      graph, {.clusters = laboratory.scale().clusters, .seed = laboratory.seed()});
  if (!clustering) {
    return tl::unexpected(clustering.error());
  }
  const std::vector<HiddenUnits> found = modules::hidden_modules(graph, *clustering);
  const double whole_seconds =
      forward_seconds(SplicedNetwork(specimen.network, {}), specimen.test, laboratory.context());
  outcome.figures.push_back({"forward_seconds", whole_seconds});
  outcome.figures.push_back({"modules", static_cast<double>(found.size())});
  for (const SurrogateKind kind : kKinds) {
    measure_kind(specimen, found, kind, whole_seconds, laboratory, outcome);
  }
  return {};
}

/// The kind and size with the least leak among those whose spliced network is faster.
struct FastSplice {
  double leak_share = 0;  ///< of what training gained
  double speed = 0;
  std::string what;
};

std::optional<FastSplice> best_fast_splice(const Outcome& outcome) {
  std::optional<FastSplice> best;
  for (const SurrogateKind kind : kKinds) {
    const std::string name(modules::name_of(kind));
    const std::vector<double> leaks = outcome.values(name + "_leak");
    const std::vector<double> speeds = outcome.values(name + "_speed");
    const std::vector<double> sizes = outcome.values(name + "_sizes");
    for (std::size_t i = 0; i < std::min({leaks.size(), speeds.size(), sizes.size()}); ++i) {
      const double share = leaks[i] / gained_by_training(outcome);
      if (speeds[i] > 1 && (!best || share < best->leak_share)) {
        best = FastSplice{share, speeds[i], fmt::format("{} of size {:.0f}", name, sizes[i])};
      }
    }
  }
  return best;
}

constexpr const char* kStatement =
    "A network whose modules are all replaced by faster surrogates does its work (no leak).";

std::vector<LedgerLine> settle(const Evidence& evidence) {
  const std::vector<const Outcome*> outcomes = evidence.outcomes_of("leaks");
  std::vector<double> shares;
  std::string largest;
  std::size_t slow = 0;
  for (const Outcome* outcome : outcomes) {
    const std::optional<FastSplice> best = best_fast_splice(*outcome);
    if (!best) {
      ++slow;
      continue;
    }
    shares.push_back(best->leak_share);
    largest =
        fmt::format("{} in {}, {:.2f} times as fast", best->what, outcome->topology, best->speed);
  }
  const std::optional<Figure> mean = mean_of(shares);
  if (!mean) {
    return {not_measured("C12", kStatement,
                         outcomes.empty() ? "The study has no leaks of surrogates."
                                          : "No spliced network was faster than the whole.")};
  }
  LedgerLine line;
  line.claim = "C12";
  line.statement = kStatement;
  line.quantity = "leak of the best faster splice, as a share of what training gained";
  line.figure = mean;
  line.detail = fmt::format(
      "{} networks, {} more without any faster splice; all modules replaced; of the last, {}",
      shares.size(), slow, largest);
  line.rule = fmt::format(
      "supported if the interval over networks lies below {}, contradicted (all abstractions "
      "leak) if above",
      kLeakTolerated);
  line.verdict = judge_below(mean->interval, kLeakTolerated);
  return {line};
}

std::vector<ReportTable> tables(const Evidence& evidence) {
  ReportTable table{
      "all modules of a network replaced by surrogates: the rise of the loss as a share of what "
      "training gained, with the sum of the modules' single rises beside it.",
      {"network", "seed", "surrogate", "size", "parameters", "fit, training steps", "speed", "leak",
       "sum of single leaks", "accuracy"},
      {}};
  for (const Outcome* outcome : evidence.outcomes_of("leaks")) {
    for (const SurrogateKind kind : kKinds) {
      const std::string name(modules::name_of(kind));
      const auto values = [&](const char* what) {
        return outcome->values(fmt::format("{}_{}", name, what));
      };
      const std::vector<double> sizes = values("sizes");
      const double gain = gained_by_training(*outcome);
      const double step = outcome->figure("step_seconds").value_or(1);
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        table.rows.push_back(
            {outcome->topology, fmt::format("{}", outcome->seed), name,
             fmt::format("{:.0f}", sizes[i]),
             fmt::format("{:.0f} %", 100 * values("parameters")[i]),
             fmt::format("{:.0f}", values("fit_seconds")[i] / step),
             fmt::format("{:.2f} x", values("speed")[i]),
             fmt::format("{:.3f} [{:.3f}, {:.3f}]", values("leak")[i] / gain,
                         values("leak_low")[i] / gain, values("leak_high")[i] / gain),
             fmt::format("{:.3f}", values("single_leaks")[i] / gain),
             fmt::format("{:.3f}", values("accuracy")[i])});
      }
    }
  }
  return {table};
}

}  // namespace

ExperimentSpec leaks() {
  constexpr double kSecondsAtReference = 40;
  ExperimentSpec spec;
  spec.name = "leaks";
  spec.summary = "Surrogates in the place of modules: leak against size, fit cost and speed.";
  spec.claims = {"C12"};
  spec.settle = settle;
  spec.tables = tables;
  spec.pieces = [](const ArgumentScale& scale) {
    const double share =
        static_cast<double>(scale.fit_examples * scale.surrogate_sizes.size()) / (8000.0 * 5.0);
    return pieces_of_networks(scale, kSecondsAtReference * share, measure);
  };
  return spec;
}

}  // namespace interpscale::experiments
