// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "interpscale/study/analysis.hpp"
#include "interpscale/study/law_json.hpp"
#include "study/report/json_values.hpp"
#include "study/report/training.hpp"

namespace interpscale::study {
namespace {

Json json_of(const scaling::RatioLaw& law) {
  return {{"exponent", number(law.exponent)},
          {"interval", interval_json(law.interval)},
          {"growth", name_of(law.growth)},
          {"at_reference", number(law.at_reference)},
          {"at_reference_interval", interval_json(law.at_reference_interval)}};
}

Json json_of(const scaling::OneFactorFit& fit) {
  return to_json(fit);
}
Json json_of(const scaling::TwoFactorFit& fit) {
  return to_json(fit);
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
          {"experiments", records_json(result.journal.experiments)},
          {"subjects", subjects}};
}

}  // namespace interpscale::study
