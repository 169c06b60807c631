// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "interpscale/study/analysis.hpp"
#include "study/report/training.hpp"

namespace interpscale::study {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinities: they become null, as does what is absent.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (const double value : values) {
    array.push_back(number(value));
  }
  return array;
}

Json interval_json(const scaling::Interval& interval) {
  return Json::array({number(interval.low), number(interval.high)});
}

Json law_json(const scaling::CostLaw& law) {
  return {{"kind", name_of(law.kind)},
          {"coefficient", number(law.coefficient)},
          {"exponent", number(law.exponent)},
          {"overhead", number(law.overhead)},
          {"sum_of_squares", number(law.sum_of_squares)},
          {"aicc", number(law.aicc)},
          {"weight", number(law.weight)}};
}

Json json_of(const scaling::OneFactorFit& fit) {
  Json candidates = Json::array();
  for (const scaling::CostLaw& law : fit.candidates) {
    candidates.push_back(law_json(law));
  }
  Json slopes = Json::array();
  for (const scaling::LocalSlope& slope : fit.local_slopes) {
    slopes.push_back(
        {{"from", number(slope.from)}, {"to", number(slope.to)}, {"slope", number(slope.slope)}});
  }
  return {{"law", law_json(fit.law)},
          {"exponent", number(fit.law.exponent)},
          {"interval", interval_json(fit.exponent)},
          {"candidates", candidates},
          {"local_slopes", slopes},
          {"residuals", numbers(fit.residuals)},
          {"theil_sen", number(fit.theil_sen)},
          {"theil_sen_disagrees", fit.theil_sen_disagrees},
          {"leave_largest_out_error", number(fit.leave_largest_out_error)}};
}

Json json_of(const scaling::TwoFactorFit& fit) {
  Json exponents = Json::object();
  for (const scaling::Exponent& exponent : fit.exponents) {
    exponents[exponent.predictor] = {{"exponent", number(exponent.value)},
                                     {"interval", interval_json(exponent.interval)},
                                     {"vif", number(exponent.vif)}};
  }
  const scaling::Identifiability& design = fit.identifiability;
  return {{"identified", design.identified},
          {"reason", design.reason},
          {"rank", design.rank},
          {"columns", design.columns},
          {"condition_number", number(design.condition_number)},
          {"largest_vif", number(design.largest_vif)},
          {"intercept", design.identified ? number(fit.intercept) : Json(nullptr)},
          {"exponents", exponents},
          {"r_squared", design.identified ? number(fit.r_squared) : Json(nullptr)},
          {"residuals", numbers(fit.residuals)},
          {"choice",
           {{"chosen", fit.choice.chosen},
            {"weight_N", number(fit.choice.weight_parameters)},
            {"weight_n", number(fit.choice.weight_neurons)},
            {"weight_both", number(fit.choice.weight_both)}}}};
}

Json json_of(const scaling::RatioLaw& law) {
  return {{"exponent", number(law.exponent)},
          {"interval", interval_json(law.interval)},
          {"growth", name_of(law.growth)},
          {"at_reference", number(law.at_reference)},
          {"at_reference_interval", interval_json(law.at_reference_interval)}};
}

template <class Fit>
Json optional_json(const std::optional<Fit>& fit) {
  return fit ? json_of(*fit) : Json(nullptr);
}

Json json_of(const CellResult& cell) {
  const measure::Quantities& quantities = cell.cell.quantities;
  const bool timed = !cell.rounds.empty();
  const auto if_timed = [&](double value) { return timed ? number(value) : Json(nullptr); };
  return {{"cell", cell.cell.cell},
          {"topology", cell.cell.topology},
          {"depth", cell.cell.depth},
          {"width", cell.cell.width},
          {"parameters", quantities.parameters},
          {"neurons", quantities.neurons},
          {"batch", quantities.batch},
          {"inputs", quantities.inputs},
          {"flops", quantities.flops},
          {"bytes", quantities.bytes},
          {"dense_flops", cell.cell.dense_flops},
          {"status", name_of(cell.status)},
          {"reason", cell.reason},
          {"command", cell.command},
          {"fitted", cell.fitted},
          {"rounds", cell.rounds},
          {"seconds", numbers(cell.seconds)},
          {"median_seconds", if_timed(cell.median_seconds)},
          {"relative_mad", if_timed(cell.trust.relative_mad)},
          {"drift", if_timed(cell.trust.drift)},
          {"share_of_peak", if_timed(cell.share_of_peak)},
          {"share_of_bandwidth", if_timed(cell.share_of_bandwidth)},
          {"verification",
           {{"deviation", number(cell.cell.verification.deviation)},
            {"allowed", number(cell.cell.verification.allowed)},
            {"compared", cell.cell.verification.compared}}}};
}

Json json_of(const TimeModel& model) {
  Json cells = Json::array();
  for (const PredictedCell& cell : model.cells) {
    cells.push_back({{"cell", cell.cell},
                     {"measured_seconds", number(cell.measured_seconds)},
                     {"predicted_seconds", number(cell.predicted_seconds)},
                     {"ratio", number(cell.ratio)}});
  }
  return {{"bound", kTimeModelWithin},
          {"within", model.within},
          {"not_predicted", model.not_predicted},
          {"explains", model.explains()},
          {"cells", cells}};
}

Json tax_json(const SubjectResult& subject, double reference) {
  if (!subject.tax) {
    return nullptr;
  }
  Json tax = json_of(*subject.tax);
  tax["extrapolated"] = subject.extrapolates_tax(reference);
  Json points = Json::array();
  for (const TaxPoint& point : subject.tax_points) {
    points.push_back({{"topology", point.topology},
                      {"parameters", number(point.parameters)},
                      {"ratio", number(point.ratio)}});
  }
  tax["points"] = points;
  return tax;
}

Json json_of(const SubjectResult& subject, double reference) {
  Json cells = Json::array();
  for (const CellResult& cell : subject.cells) {
    cells.push_back(json_of(cell));
  }
  return {
      {"subject", subject.subject},
      {"variant", subject.variant},
      {"label", subject.label()},
      {"fitted_rounds", subject.fitted_rounds},
      {"against_parameters", optional_json(subject.against_parameters)},
      {"against_neurons", optional_json(subject.against_neurons)},
      {"joint", optional_json(subject.joint)},
      {"joint_with_inputs", optional_json(subject.joint_with_inputs)},
      {"theory_against_parameters", optional_json(subject.theory_against_parameters)},
      {"theory_against_neurons", optional_json(subject.theory_against_neurons)},
      {"theory", optional_json(subject.theory)},
      {"theory_with_inputs", optional_json(subject.theory_with_inputs)},
      {"against_parameters_trusted_only", optional_json(subject.against_parameters_trusted_only)},
      {"joint_trusted_only", optional_json(subject.joint_trusted_only)},
      {"tax", tax_json(subject, reference)},
      {"training_taxes", training_taxes_json(subject)},
      {"theory_tax", optional_json(subject.theory_tax)},
      {"time_model",
       subject.time_model.cells.empty() ? Json(nullptr) : json_of(subject.time_model)},
      {"notes", subject.notes},
      {"cells", cells}};
}

Json json_of(const experiments::LedgerLine& line) {
  return {{"claim", line.claim},
          {"statement", line.statement},
          {"verdict", name_of(line.verdict)},
          {"quantity", line.quantity},
          {"value", line.figure ? number(line.figure->value) : Json(nullptr)},
          {"interval", line.figure ? interval_json(line.figure->interval) : Json(nullptr)},
          {"detail", line.detail},
          {"rule", line.rule},
          {"setting", line.setting},
          {"experiment", line.experiment}};
}

/// Records as they stand in the journal, without their kind.
template <class Record>
Json records_json(const std::vector<Record>& records) {
  Json array = Json::array();
  for (const Record& record : records) {
    Json json = to_json(record);
    json.erase("kind");
    array.push_back(std::move(json));
  }
  return array;
}

Json family_json(const std::optional<Family>& family) {
  return family ? Json{{"inputs", family->inputs}, {"depth", family->depth}} : Json(nullptr);
}

}  // namespace

Json to_json(const StudyResult& result) {
  Json subjects = Json::array();
  for (const SubjectResult& subject : result.subjects) {
    subjects.push_back(json_of(subject, result.tax_reference_parameters));
  }
  Json ledger = Json::array();
  for (const experiments::LedgerLine& line : result.ledger) {
    ledger.push_back(json_of(line));
  }
  return {{"schema", kSchemaVersion},
          {"kind", "report"},
          {"plan", to_json(result.journal.plan)},
          {"rounds", records_json(result.journal.rounds)},
          {"networks", records_json(result.journal.networks)},
          {"left_out", records_json(result.journal.left_out)},
          {"tax_denominator", result.tax_denominator},
          {"tax_reference_parameters", result.tax_reference_parameters},
          {"family", family_json(result.family)},
          {"notes", result.notes},
          {"ledger", ledger},
          {"trainings", trainings_json(result)},
          {"subjects", subjects}};
}

}  // namespace interpscale::study
