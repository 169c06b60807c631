// C9: where the tax does not grow, is it nevertheless a factor of a hundred?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr double kLargeFactor = 100;
constexpr const char* kStatement =
    "Even where understanding scales with training, a constant "
    "factor of 100 may remain.";

bool keeps_up(const SubjectEvidence& method) {
  return method.tax->growth == scaling::Growth::kConstant ||
         method.tax->growth == scaling::Growth::kShrinks;
}

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<const SubjectEvidence*> methods = taxed_methods(evidence);
  std::erase_if(methods, [](const SubjectEvidence* method) { return !keeps_up(*method); });
  if (methods.empty()) {
    return {not_measured("C9", kStatement, "No method's tax was found constant or shrinking.")};
  }
  const auto dearest = *std::ranges::max_element(
      methods, {}, [](const SubjectEvidence* method) { return method->tax->at_reference.value; });

  LedgerLine line;
  line.claim = "C9";
  line.statement = kStatement;
  line.quantity = fmt::format("largest tax at N = {:.3g} among methods whose tax does not grow: {}",
                              evidence.tax_reference_parameters, dearest->label());
  line.figure = widened_ratio(dearest->tax->at_reference, methods.size());
  line.detail = fmt::format(
      "{} such method variants; the interval is widened for picking the largest; the batch is "
      "that of the training step{}",
      methods.size(), dearest->tax->extrapolated ? "; extrapolated beyond the measured sizes" : "");
  line.rule = fmt::format(
      "supported if the interval lies above {0:.0f}, contradicted if below {0:.0f}", kLargeFactor);
  if (line.figure->interval.low > kLargeFactor) {
    line.verdict = Verdict::kSupported;
  } else if (line.figure->interval.high < kLargeFactor) {
    line.verdict = Verdict::kContradicted;
  } else {
    line.verdict = Verdict::kUndecided;
  }
  return {line};
}

}  // namespace

ExperimentSpec constant_factor() {
  ExperimentSpec spec;
  spec.name = "constant_factor";
  spec.summary = "The tax at a reference size of the methods whose tax does not grow.";
  spec.claims = {"C9"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
