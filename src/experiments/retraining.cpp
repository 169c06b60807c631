// C11: modules retrained, each alone, toward a model of it: do their errors go together, and does
// the network degrade gracefully as more and more of them are replaced?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "experiments/engine/laws.hpp"
#include "experiments/engine/networks_pieces.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"
#include "interpscale/modules/fit_surrogate.hpp"
#include "interpscale/modules/lesion.hpp"
#include "interpscale/modules/retrain.hpp"
#include "interpscale/modules/shuffled_weights.hpp"

namespace interpscale::experiments {
namespace {

using Clock = std::chrono::steady_clock;
using modules::HiddenUnits;
using modules::SplicedNetwork;
using modules::Surrogate;

/// Graceful: the loss rises by no more than this times the sum of the modules' own rises, which is
/// what independent errors add up to in second order.
constexpr double kGracefulWithin = 2;
constexpr double kSmallP = 0.05;
/// The model that each module is retrained toward.
constexpr modules::SurrogateKind kModel = modules::SurrogateKind::kLowRankRelu;
constexpr std::size_t kModelSize = 4;

/// n-cut, the null of shuffled weights, and lesions of the modules found.
Result<std::vector<HiddenUnits>> find_modules(const Specimen& specimen, Laboratory& laboratory,
                                              Outcome& outcome) {
  const ArgumentScale& scale = laboratory.scale();
  const modules::SpectralOptions options{.clusters = scale.clusters, .seed = laboratory.seed()};
  const Clock::time_point start = Clock::now();
  const modules::WeightGraph graph(specimen.network);
  const auto clustering = modules::spectral_modules(graph, options);
  if (!clustering) {
    return tl::unexpected(clustering.error());
  }
  outcome.figures.push_back({"clustering_seconds", seconds_since(start)});
  const auto null = modules::compare_with_shuffles(specimen.network, clustering->ncut, options,
                                                   scale.shuffles, laboratory.seed());
  if (!null) {
    return tl::unexpected(null.error());
  }
  outcome.figures.insert(outcome.figures.end(), {{"ncut", clustering->ncut},
                                                 {"shuffled_mean", null->mean},
                                                 {"shuffled_std", null->deviation},
                                                 {"z", null->z},
                                                 {"p", null->p}});
  std::vector<HiddenUnits> found = modules::hidden_modules(graph, *clustering);
  NamedSeries between{"weights_between_clusters", {}};  // [k, k], row by row
  const Matrix<double> weights = modules::weights_between(graph, *clustering);
  for (std::size_t c = 0; c < weights.rows(); ++c) {
    between.values.insert(between.values.end(), weights.row(c).begin(), weights.row(c).end());
  }
  outcome.series.push_back(std::move(between));
  NamedSeries rise{"lesion_loss_increase", {}};
  NamedSeries scores{"lesion_z", {}};
  for (const HiddenUnits& module : found) {
    const modules::Lesion lesion =
        modules::lesion(specimen.network, specimen.whole.loss, module, specimen.test,
                        scale.lesion_sets, laboratory.seed(), laboratory.context());
    rise.values.push_back(lesion.loss_increase);
    scores.values.push_back(lesion.z);
  }
  outcome.series.push_back(std::move(rise));
  outcome.series.push_back(std::move(scores));
  return found;
}

/// Retrains every module alone.
std::vector<Surrogate> retrain_all(const Specimen& specimen, const std::vector<HiddenUnits>& found,
                                   Laboratory& laboratory) {
  std::vector<Surrogate> retrained;
  for (std::size_t m = 0; m < found.size(); ++m) {
    const std::uint64_t seed = laboratory.seed() * 1000 + m;
    const Surrogate model = modules::fit_surrogate(
        specimen.network, found[m], specimen.fit,
        {.kind = kModel, .size = kModelSize, .seed = seed}, laboratory.context());
    retrained.push_back(modules::retrain_toward(specimen.network, model, specimen.fit,
                                                {.seed = seed}, laboratory.context()));
  }
  return retrained;
}

/// What the outputs [samples, classes] of `replaced` are above those of the network itself.
void subtract(MatrixView<const float> own, MatrixView<float> replaced) {
  for (std::size_t s = 0; s < own.rows(); ++s) {
    for (std::size_t c = 0; c < own.cols(); ++c) {
      replaced(s, c) -= own(s, c);
    }
  }
}

/// Each module replaced alone: its leak into `single`; returns what that does to every output.
std::vector<Matrix<float>> replace_alone(const Specimen& specimen,
                                         const std::vector<Surrogate>& retrained,
                                         const kernels::Context<float>& context,
                                         std::vector<double>& single) {
  const std::size_t samples = specimen.test.inputs.rows();
  const std::size_t classes = specimen.network.topology.outputs;
  Matrix<float> own(samples, classes);
  static_cast<void>(
      modules::losses_of(SplicedNetwork(specimen.network, {}), specimen.test, context, own));
  std::vector<Matrix<float>> errors;
  for (const Surrogate& module : retrained) {
    Matrix<float> outputs(samples, classes);
    const modules::SampleLosses alone = modules::losses_of(
        SplicedNetwork(specimen.network, {module}), specimen.test, context, outputs);
    subtract(own, outputs);
    errors.push_back(std::move(outputs));
    single.push_back(alone.loss - specimen.whole.loss);
  }
  return errors;
}

/// 0, 1, 2, ..., all modules replaced: losses and accuracies, beside the loss that independent
/// errors would give, the network's own plus the single leaks so far.
void replace_one_more_at_a_time(const Specimen& specimen, const std::vector<Surrogate>& retrained,
                                const std::vector<double>& single,
                                const kernels::Context<float>& context, Outcome& outcome) {
  NamedSeries losses{"losses", {specimen.whole.loss}};
  NamedSeries predicted{"predicted_losses", {specimen.whole.loss}};
  NamedSeries accuracies{"accuracies", {specimen.whole.accuracy}};
  std::vector<Surrogate> replaced;
  for (std::size_t m = 0; m < retrained.size(); ++m) {
    replaced.push_back(retrained[m]);
    const modules::SampleLosses together =
        modules::losses_of(SplicedNetwork(specimen.network, replaced), specimen.test, context);
    losses.values.push_back(together.loss);
    accuracies.values.push_back(together.accuracy);
    predicted.values.push_back(predicted.values.back() + single[m]);
  }
  outcome.figures.push_back({"leak", losses.values.back() - specimen.whole.loss});
  outcome.figures.push_back({"predicted_leak", predicted.values.back() - specimen.whole.loss});
  outcome.series.insert(outcome.series.end(),
                        {std::move(losses), std::move(predicted), std::move(accuracies)});
}

Result<void> measure(const Specimen& specimen, Laboratory& laboratory, Outcome& outcome) {
  const Result<std::vector<HiddenUnits>> found = find_modules(specimen, laboratory, outcome);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->size() < 2) {
    return fail("{} holds {} module with hidden neurons, wanted two or more", outcome.topology,
                found->size());
  }
  const Clock::time_point start = Clock::now();
  const std::vector<Surrogate> retrained = retrain_all(specimen, *found, laboratory);
  outcome.figures.push_back({"retraining_seconds", seconds_since(start)});

  NamedSeries single{"single_leaks", {}};
  const std::vector<Matrix<float>> errors =
      replace_alone(specimen, retrained, laboratory.context(), single.values);
  const modules::ErrorCorrelation correlation =
      modules::correlate_errors(errors, laboratory.scale().permutations, laboratory.seed());
  outcome.figures.insert(outcome.figures.end(), {{"correlation", correlation.mean},
                                                 {"correlation_rms", correlation.root_mean_square},
                                                 {"correlation_p", correlation.p}});
  replace_one_more_at_a_time(specimen, retrained, single.values, laboratory.context(), outcome);
  outcome.series.push_back(std::move(single));
  return {};
}

double figure_of(const Outcome& outcome, std::string_view name) {
  return outcome.figure(name).value_or(0);
}

constexpr const char* kUncorrelated = "Modules retrained independently have uncorrelated errors.";
constexpr const char* kGraceful =
    "Replacing all modules by ones retrained toward their models reduces performance rather than "
    "being a catastrophe.";
constexpr const char* kClusterable =
    "A trained network has modules: it is more clusterable than its weights are by chance.";

LedgerLine judge_clusters(const std::vector<const Outcome*>& outcomes) {
  std::vector<double> scores;
  std::size_t remarkable = 0;
  for (const Outcome* outcome : outcomes) {
    scores.push_back(figure_of(*outcome, "z"));
    remarkable += figure_of(*outcome, "p") < kSmallP ? 1U : 0U;
  }
  const std::optional<Figure> mean = mean_of(scores);
  if (!mean) {
    return not_measured("C11", kClusterable, "The study has no clustered networks.");
  }
  LedgerLine line;
  line.claim = "C11";
  line.statement = kClusterable;
  line.quantity = "z of n-cut against shuffled weights, mean over networks";
  line.figure = mean;
  line.detail = fmt::format("{} networks, {} with p < {}", scores.size(), remarkable, kSmallP);
  line.detail += cost_law(outcomes, "clustering_seconds", "clustering");
  line.rule = "supported if the interval over networks lies below 0, contradicted if above";
  line.verdict = judge_below(mean->interval, 0);
  return line;
}

LedgerLine judge_correlation(const std::vector<const Outcome*>& outcomes) {
  /// Correlations within this of 0 add less than a tenth to the sum of eight modules' errors.
  constexpr double kSmall = 0.1;
  std::vector<double> means;
  std::size_t dependent = 0;
  for (const Outcome* outcome : outcomes) {
    means.push_back(figure_of(*outcome, "correlation"));
    dependent += figure_of(*outcome, "correlation_p") < kSmallP ? 1U : 0U;
  }
  const std::optional<Figure> mean = mean_of(means);
  if (!mean) {
    return not_measured("C11", kUncorrelated, "The study has no retrained modules.");
  }
  LedgerLine line;
  line.claim = "C11";
  line.statement = kUncorrelated;
  line.quantity = "correlation of two modules' errors at the outputs, mean over networks";
  line.figure = mean;
  line.detail = fmt::format("{} networks, independence rejected at p < {} in {}", means.size(),
                            kSmallP, dependent);
  line.rule = fmt::format(
      "supported if the interval lies within {} of 0, contradicted if wholly outside", kSmall);
  line.verdict = judge_within(mean->interval, -kSmall, kSmall);
  return line;
}

LedgerLine judge_degradation(const std::vector<const Outcome*>& outcomes) {
  std::vector<double> ratios;
  std::size_t useless = 0;
  for (const Outcome* outcome : outcomes) {
    const double predicted = figure_of(*outcome, "predicted_leak");
    const double leak = figure_of(*outcome, "leak");
    if (predicted > 0 && leak > 0) {
      ratios.push_back(leak / predicted);
    }
    useless += leak >= gained_by_training(*outcome) ? 1U : 0U;
  }
  const std::optional<Figure> ratio = geometric_mean_of(ratios);
  if (!ratio) {
    return not_measured("C11", kGraceful, "The study has no retrained modules.");
  }
  LedgerLine line;
  line.claim = "C11";
  line.statement = kGraceful;
  line.quantity =
      "rise of the loss with all modules replaced, over the sum of the single modules' rises";
  line.figure = ratio;
  line.detail =
      fmt::format("{} networks, {} of them no better than equal odds when all modules are replaced",
                  outcomes.size(), useless);
  line.rule = fmt::format(
      "graceful (supported) if the interval lies below {} and no network falls to equal odds; "
      "catastrophic (contradicted) if it lies above, or most networks do",
      kGracefulWithin);
  if (ratio->interval.low > kGracefulWithin || 2 * useless > outcomes.size()) {
    line.verdict = Verdict::kContradicted;
  } else if (ratio->interval.high < kGracefulWithin && useless == 0) {
    line.verdict = Verdict::kSupported;
  } else {
    line.verdict = Verdict::kUndecided;
  }
  return line;
}

std::vector<ReportTable> tables(const Evidence& evidence) {
  ReportTable clusters{
      "modules by n-cut, against shuffled weights, and what they do: lesions against random sets "
      "of as many neurons in each layer.",
      {"network", "seed", "n-cut", "shuffled", "z", "p", "lesion z, median", "clustering"},
      {}};
  ReportTable replaced{
      fmt::format(
          "modules retrained, each alone, toward a model of it ({} of size {}), then put in "
          "place together: the loss rises by so much of what training gained.",
          modules::name_of(kModel), kModelSize),
      {"network", "seed", "modules", "correlation of errors", "p", "sum of single rises",
       "all at once", "accuracy before", "after"},
      {}};
  for (const Outcome* outcome : evidence.outcomes_of("retraining")) {
    const auto figure = [&](const char* name) { return figure_of(*outcome, name); };
    const std::vector<double> lesions = outcome->values("lesion_z");
    const std::vector<double> accuracies = outcome->values("accuracies");
    if (lesions.empty() || accuracies.empty()) {
      continue;
    }
    const double gained = gained_by_training(*outcome);
    clusters.rows.push_back(
        {outcome->topology, fmt::format("{}", outcome->seed), fmt::format("{:.3f}", figure("ncut")),
         fmt::format("{:.3f}", figure("shuffled_mean")), fmt::format("{:.1f}", figure("z")),
         fmt::format("{:.3f}", figure("p")), fmt::format("{:.2f}", scaling::median(lesions)),
         fmt::format("{:.3g} s", figure("clustering_seconds"))});
    replaced.rows.push_back(
        {outcome->topology, fmt::format("{}", outcome->seed), fmt::format("{}", lesions.size()),
         fmt::format("{:.3f}", figure("correlation")),
         fmt::format("{:.3f}", figure("correlation_p")),
         fmt::format("{:.3f}", figure("predicted_leak") / gained),
         fmt::format("{:.3f}", figure("leak") / gained), fmt::format("{:.3f}", accuracies.front()),
         fmt::format("{:.3f}", accuracies.back())});
  }
  return {clusters, replaced};
}

}  // namespace

ExperimentSpec retraining() {
  constexpr double kSecondsAtReference = 25;
  ExperimentSpec spec;
  spec.name = "retraining";
  spec.summary = "Modules by n-cut, retrained toward their surrogates: errors and degradation.";
  spec.claims = {"C11"};
  spec.settle = [](const Evidence& evidence) {
    const std::vector<const Outcome*> outcomes = evidence.outcomes_of("retraining");
    return std::vector<LedgerLine>{judge_clusters(outcomes), judge_correlation(outcomes),
                                   judge_degradation(outcomes)};
  };
  spec.tables = tables;
  spec.pieces = [](const ArgumentScale& scale) {
    const double share = static_cast<double>(scale.fit_examples) / 8000.0;
    return pieces_of_networks(scale, kSecondsAtReference * share, measure);
  };
  return spec;
}

}  // namespace interpscale::experiments
