// C9: the constants. What each method, and a declared bundle of methods, costs at one size against
// a step of training and against whole trainings.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr double kLargeFactor = 100;
constexpr const char* kStatement =
    "Even where understanding scales with training, a constant factor of 100 may remain.";
constexpr const char* kPerStep = "per training step on the same batch";

/// Declared before measuring: one score, one intervention, one path, one visualisation, the
/// examples, the selectivity of each neuron.
constexpr std::array<std::string_view, 6> kFullAccount = {
    "gradient_x_activation", "zero_ablation", "neuron_integrated_gradients",
    "feature_visualization", "top_examples",  "class_selectivity"};
/// Named beside the bundle: measured at the reference size it would take hours.
constexpr std::string_view kBeside = "pairwise_ablation";

/// A method's tax at the reference size in one flavour.
struct Constant {
  const SubjectEvidence* method;
  Figure figure;
  bool extrapolated;
};

std::optional<Constant> constant_of(const SubjectEvidence& subject, const std::string& flavour,
                                    double reference) {
  if (flavour == kPerStep) {
    if (!subject.step_tax) {
      return std::nullopt;
    }
    return Constant{&subject, subject.step_tax->at[0], subject.step_tax->extrapolated(reference)};
  }
  for (const TrainingTaxEvidence& tax : subject.training_taxes) {
    if (tax.flavour == flavour) {
      return Constant{&subject, tax.law.at[0], tax.law.extrapolated(reference)};
    }
  }
  return std::nullopt;
}

/// All variants of a method compute the same: the cheapest stands for it.
std::optional<Constant> cheapest(const Evidence& evidence, std::string_view method,
                                 const std::string& flavour) {
  std::optional<Constant> best;
  for (const SubjectEvidence& subject : evidence.subjects) {
    if (subject.subject != method || subject.variant.empty()) {
      continue;
    }
    const std::optional<Constant> found = constant_of(subject, flavour, kStatedSizes[0]);
    if (found && (!best || found->figure.value < best->figure.value)) {
      best = found;
    }
  }
  return best;
}

std::vector<std::string> methods_of(const Evidence& evidence) {
  std::vector<std::string> names;
  for (const SubjectEvidence& subject : evidence.subjects) {
    if (!subject.variant.empty() && std::ranges::find(names, subject.subject) == names.end()) {
      names.push_back(subject.subject);
    }
  }
  return names;
}

LedgerLine judge(std::string what, const std::string& flavour, const Figure& figure,
                 bool extrapolated, std::string detail) {
  LedgerLine line;
  line.claim = "C9";
  line.statement = kStatement;
  line.quantity = fmt::format("tax of {} at N = {:.0e}, {}", what, kStatedSizes[0], flavour);
  line.detail = std::move(detail);
  if (flavour != kPerStep) {
    line.detail += fmt::format(
        "{}an analysis of M = {} samples, scaled from the batch by declared "
        "FLOPs",
        line.detail.empty() ? "" : "; ", kAnalysedSamples);
  }
  line.rule = fmt::format(
      "supported if the interval lies above {0:.0f}, contradicted if below {0:.0f}; withheld where "
      "it is extrapolated and spans more than three decades",
      kLargeFactor);
  if (extrapolated && withheld(figure)) {
    line.detail += "; withheld: extrapolated, over more than three decades";
    line.verdict = Verdict::kUndecided;
    return line;
  }
  line.figure = figure;
  if (extrapolated) {
    line.detail +=
        fmt::format("{}extrapolated beyond the measured sizes", line.detail.empty() ? "" : "; ");
  }
  line.verdict = judge_side(figure.interval, kLargeFactor);
  return line;
}

LedgerLine judge_bundle(const Evidence& evidence, const std::string& flavour) {
  std::vector<std::string_view> missing;
  std::optional<Figure> sum;
  bool extrapolated = false;
  for (const std::string_view method : kFullAccount) {
    const std::optional<Constant> part = cheapest(evidence, method, flavour);
    if (!part) {
      missing.push_back(method);
      continue;
    }
    sum = sum ? sum_of(*sum, part->figure) : part->figure;
    extrapolated = extrapolated || part->extrapolated;
  }
  std::string detail = fmt::format("the sum of {}", fmt::join(kFullAccount, ", "));
  if (const std::optional<Constant> beside = cheapest(evidence, kBeside, flavour)) {
    detail += fmt::format("; {} beside it: {:.3g} [{:.3g}, {:.3g}], from its law", kBeside,
                          beside->figure.value, beside->figure.interval.low,
                          beside->figure.interval.high);
  }
  if (!sum) {
    return not_measured("C9", kStatement,
                        fmt::format("The full account, {}: no part of it was measured.", flavour));
  }
  if (!missing.empty()) {
    detail += fmt::format("; without {}, not measured: a lower bound", fmt::join(missing, ", "));
  }
  LedgerLine line = judge("the full account", flavour, *sum, extrapolated, std::move(detail));
  // What is missing can only add.
  if (!missing.empty() && line.verdict == Verdict::kContradicted) {
    line.verdict = Verdict::kUndecided;
  }
  return line;
}

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<std::string> flavours = {kPerStep};
  for (const SubjectEvidence& subject : evidence.subjects) {
    for (const TrainingTaxEvidence& tax : subject.training_taxes) {
      if (std::ranges::find(flavours, tax.flavour) == flavours.end()) {
        flavours.push_back(tax.flavour);
      }
    }
  }
  std::vector<LedgerLine> lines;
  for (const std::string& flavour : flavours) {
    lines.push_back(judge_bundle(evidence, flavour));
  }
  // One line a method per step; the flavours of whole trainings stand in the report's table.
  for (const std::string& method : methods_of(evidence)) {
    if (const std::optional<Constant> constant = cheapest(evidence, method, kPerStep)) {
      lines.push_back(
          judge(constant->method->label(), kPerStep, constant->figure, constant->extrapolated, ""));
    }
  }
  return lines;
}

}  // namespace

ExperimentSpec full_account() {
  ExperimentSpec spec;
  spec.name = "full_account";
  spec.summary = "The tax at N = 10^6 of every method and of a declared bundle of methods.";
  spec.claims = {"C9"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
