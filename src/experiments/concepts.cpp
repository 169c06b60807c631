// C16: how much of a network's neurons do known concepts explain, as it grows? Labels on images;
// on teacher-student data the teacher's own hidden units, and a stranger's as unfamiliar ones.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/engine/laws.hpp"
#include "experiments/engine/networks_pieces.hpp"
#include "interpscale/data/teacher.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"
#include "interpscale/modules/concept_coverage.hpp"
#include "interpscale/modules/match_neurons.hpp"

namespace interpscale::experiments {
namespace {

/// k: concepts that together may explain a neuron.
constexpr std::size_t kConcepts = 4;
/// An exponent within this of 0 is no growth that matters.
constexpr double kConstantWithin = 0.05;
constexpr std::size_t kTeacherInputs = 8;
constexpr std::size_t kTeacherWidth = 16;
constexpr std::size_t kTeacherOutputs = 4;
constexpr double kBiasDeviation = 0.1;
constexpr double kReferenceParameters = 1e5;

/// Mean over the columns' neurons that vary, in [first, last), of the share that i + 1 concepts
/// explain.
double mean_share(const Matrix<double>& explained, const std::vector<bool>& varies,
                  std::size_t first, std::size_t last, std::size_t i) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t neuron = first; neuron < last; ++neuron) {
    if (varies[neuron]) {
      sum += explained(neuron, i);
      ++count;
    }
  }
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

/// "<name>_single", "<name>_share", "<name>_seconds", and "<name>_share_by_layer".
void explain(const nn::Topology& topology, MatrixView<const float> neurons,
             MatrixView<const float> concepts, const std::string& name, Laboratory& laboratory,
             Outcome& outcome) {
  const std::size_t k = std::min(kConcepts, concepts.cols());
  Matrix<double> explained;
  const double seconds = seconds_of([&] {
    explained = modules::explained_by_concepts(neurons, concepts, k, laboratory.context());
  });
  const std::vector<bool> varies = modules::varying(neurons);
  const std::size_t all = varies.size();
  outcome.figures.insert(outcome.figures.end(),
                         {{name + "_single", mean_share(explained, varies, 0, all, 0)},
                          {name + "_share", mean_share(explained, varies, 0, all, k - 1)},
                          {name + "_seconds", seconds}});
  NamedSeries by_layer{name + "_share_by_layer", {}};
  std::size_t first = 0;
  for (const std::size_t width : topology.hidden) {
    by_layer.values.push_back(mean_share(explained, varies, first, first + width, k - 1));
    first += width;
  }
  outcome.series.push_back(std::move(by_layer));
}

Result<void> measure_labels(const Specimen& specimen, Laboratory& laboratory, Outcome& outcome) {
  const Matrix<float> neurons = modules::standardised_activations(
      specimen.network, specimen.test.inputs, laboratory.context());
  const Matrix<float> concepts =
      modules::label_concepts(specimen.test.labels, specimen.test.classes);
  explain(specimen.network.topology, neurons, concepts, "label", laboratory, outcome);
  return {};
}

data::TeacherStudent teacher_of(std::uint64_t seed) {
  return {{.inputs = kTeacherInputs,
           .hidden = {kTeacherWidth, kTeacherWidth},
           .outputs = kTeacherOutputs,
           .activation = kernels::Activation::kRelu},
          seed};
}

data::Dataset examples_of(const data::TeacherStudent& teacher, std::uint64_t index,
                          std::size_t count) {
  data::Batch batch;
  teacher.fill(index, count, batch);
  data::Dataset dataset;
  dataset.name = "teacher";
  dataset.inputs = std::move(batch.inputs);
  dataset.targets = std::move(batch.targets);
  return dataset;
}

nn::Topology student_of(const ArgumentScale& scale, std::size_t width) {
  return {.inputs = kTeacherInputs,
          .hidden = std::vector<std::size_t>(scale.depth, width),
          .outputs = kTeacherOutputs,
          .activation = kernels::Activation::kRelu};
}

/// A student of a teacher, whose hidden units are the familiar concepts.
Result<Outcome> run_student(std::size_t width, int seed, Laboratory& laboratory) {
  const ArgumentScale& scale = laboratory.scale();
  const std::uint64_t stream = laboratory.seed() * 1000 + static_cast<std::uint64_t>(seed);
  // Other streams than those of the students' initial weights, so that no unit is shared by birth.
  const data::TeacherStudent teacher = teacher_of(stream + 400);
  const data::TeacherStudent stranger = teacher_of(stream + 600);
  const data::Dataset train = examples_of(teacher, 0, scale.training_examples);
  const data::Dataset test = examples_of(teacher, 1, scale.test_examples);
  nn::Mlp<float> student =
      nn::initialise_he<float>(student_of(scale, width), stream, kBiasDeviation);
  laboratory.train(student, train, stream);

  const kernels::Context<float> context = laboratory.context();
  Outcome outcome;
  outcome.status = "ok";
  outcome.topology = student.topology.name();
  outcome.width = width;
  outcome.parameters = student.topology.parameters();
  outcome.neurons = student.topology.neurons();
  outcome.seed = seed;
  const nn::Mlp<float> silent{student.topology, nn::zero_layers<float>(student.topology)};
  const auto loss_of = [&](const nn::Mlp<float>& network) {
    return modules::losses_of(modules::SplicedNetwork(network, {}), test, context).loss;
  };
  const double guess = loss_of(silent);
  const double loss = loss_of(student);
  if (!(loss < guess)) {
    outcome.status = "failed";
    outcome.reason = fmt::format(
        "the student never trained: its loss of {:.4g} is no better than the {:.4g} of the mean",
        loss, guess);
    return outcome;
  }
  outcome.figures = {{"loss", loss},
                     {"learned", 1 - loss / guess},
                     {"step_seconds", laboratory.training_step_seconds(student, train)}};
  const auto start = std::chrono::steady_clock::now();
  const Matrix<float> neurons = modules::standardised_activations(student, test.inputs, context);
  const auto units = [&](const data::TeacherStudent& known) {
    return modules::standardised_activations(known.teacher(), test.inputs, context);
  };
  explain(student.topology, neurons, units(teacher), "teacher", laboratory, outcome);
  explain(student.topology, neurons, units(stranger), "stranger", laboratory, outcome);
  outcome.seconds = seconds_since(start);
  return outcome;
}

std::vector<Piece> pieces(const ArgumentScale& scale) {
  constexpr double kSecondsAtReference = 1;
  constexpr double kFlopsPerSecond = 40e9;
  std::vector<Piece> result = pieces_of_networks(scale, kSecondsAtReference, measure_labels);
  for (const std::size_t width : scale.widths) {
    for (int seed = 0; seed < scale.seeds; ++seed) {
      const auto parameters = static_cast<double>(student_of(scale, width).parameters());
      const double training = 6 * parameters *
                              static_cast<double>(scale.training_examples * scale.training_epochs) /
                              kFlopsPerSecond;
      result.push_back(
          {fmt::format("student of width {}, seed {}", width, seed),
           training + kSecondsAtReference * parameters / kReferenceParameters,
           [width, seed](Laboratory& laboratory) { return run_student(width, seed, laboratory); }});
    }
  }
  return result;
}

constexpr const char* kFamiliar =
    "A network is harder to explain where the concepts are unfamiliar: a stranger's units explain "
    "less of its neurons than its teacher's.";
constexpr const char* kLabelsFade =
    "The larger a network, the less of its neurons known concepts explain: labels of images.";
constexpr const char* kTeacherFades =
    "The larger a network, the less of its neurons known concepts explain: its teacher's units.";

LedgerLine judge_familiar(const std::vector<const Outcome*>& outcomes) {
  std::vector<double> ratios;
  for (const Outcome* outcome : outcomes) {
    const double own = outcome->figure("teacher_share").value_or(0);
    const double strange = outcome->figure("stranger_share").value_or(0);
    if (own > 0 && strange > 0) {
      ratios.push_back(own / strange);
    }
  }
  const std::optional<Figure> ratio = geometric_mean_of(ratios);
  const std::optional<Figure> own = mean_of_figure(outcomes, "teacher_share");
  const std::optional<Figure> strange = mean_of_figure(outcomes, "stranger_share");
  if (!ratio || !own || !strange) {
    return not_measured("C16", kFamiliar, "The study has no students of teachers.");
  }
  LedgerLine line;
  line.claim = "C16";
  line.statement = kFamiliar;
  line.quantity = fmt::format(
      "variance explained by the {} best of the teacher's units over that by a stranger's",
      kConcepts);
  line.figure = ratio;
  line.detail = fmt::format("{} students; R^2 {} by the teacher's units, {} by the stranger's",
                            ratios.size(), described(*own), described(*strange));
  line.rule = "supported if the interval over networks lies above 1, contradicted if below";
  line.verdict = judge_side(ratio->interval, 1);
  return line;
}

LedgerLine judge_fading(const std::vector<const Outcome*>& outcomes, const std::string& concepts,
                        const char* statement) {
  const std::optional<Figure> exponent = exponent_in_neurons(outcomes, concepts + "_share");
  const std::optional<Figure> share = mean_of_figure(outcomes, concepts + "_share");
  const std::optional<Figure> single = mean_of_figure(outcomes, concepts + "_single");
  if (!exponent || !share || !single) {
    return not_measured("C16", statement,
                        "The study has explained neurons in networks of fewer than four sizes.");
  }
  LedgerLine line;
  line.claim = "C16";
  line.statement = statement;
  line.quantity =
      fmt::format("exponent in n of the variance explained by the {} best concepts", kConcepts);
  line.figure = exponent;
  line.detail = fmt::format("mean R^2 over networks {}, by the best single one {}",
                            described(*share), described(*single)) +
                cost_law(outcomes, concepts + "_seconds", "explaining");
  line.rule = fmt::format(
      "supported if the interval lies below 0 and not within {} of it, contradicted if above or "
      "within",
      kConstantWithin);
  switch (scaling::growth_of(exponent->interval, kConstantWithin)) {
    case scaling::Growth::kShrinks:
      line.verdict = Verdict::kSupported;
      break;
    case scaling::Growth::kGrows:
    case scaling::Growth::kConstant:
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
      fmt::format(
          "share of the neurons' variance that the best single concept explains, and the {} best, "
          "mean over neurons; cost in training steps.",
          kConcepts),
      {"network", "seed", "concepts", "single", "best", "best, by layer", "cost"},
      {}};
  for (const Outcome* outcome : evidence.outcomes_of("concepts")) {
    const double step = outcome->figure("step_seconds").value_or(1);
    for (const std::string name : {"label", "teacher", "stranger"}) {
      const std::optional<double> share = outcome->figure(name + "_share");
      if (!share) {
        continue;
      }
      std::vector<std::string> layers;
      for (const double of_layer : outcome->values(name + "_share_by_layer")) {
        layers.push_back(fmt::format("{:.2f}", of_layer));
      }
      table.rows.push_back(
          {outcome->topology, fmt::format("{}", outcome->seed), name,
           fmt::format("{:.2f}", outcome->figure(name + "_single").value_or(0)),
           fmt::format("{:.2f}", *share), fmt::format("{}", fmt::join(layers, " ")),
           fmt::format("{:.1f}", outcome->figure(name + "_seconds").value_or(0) / step)});
    }
  }
  return {table};
}

}  // namespace

ExperimentSpec concepts() {
  ExperimentSpec spec;
  spec.name = "concepts";
  spec.summary = "How much of neurons' variance labels, or a teacher's units, explain.";
  spec.claims = {"C16"};
  spec.settle = [](const Evidence& evidence) {
    const std::vector<const Outcome*> outcomes = evidence.outcomes_of("concepts");
    return std::vector<LedgerLine>{judge_familiar(outcomes),
                                   judge_fading(outcomes, "label", kLabelsFade),
                                   judge_fading(outcomes, "teacher", kTeacherFades)};
  };
  spec.tables = tables;
  spec.pieces = pieces;
  return spec;
}

}  // namespace interpscale::experiments
