// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "study/report/training.hpp"

namespace interpscale::study {
namespace {

using Json = nlohmann::ordered_json;
using experiments::Figure;
using experiments::PowerFigure;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json interval_json(const scaling::Interval& interval) {
  return Json::array({number(interval.low), number(interval.high)});
}

Json json_of(const Figure& figure) {
  return {{"value", number(figure.value)}, {"interval", interval_json(figure.interval)}};
}

Json json_of(const PowerFigure& law) {
  Json at = Json::array();
  for (std::size_t i = 0; i < experiments::kStatedSizes.size(); ++i) {
    const double size = experiments::kStatedSizes[i];
    const bool extrapolated = law.extrapolated(size);
    Json figure = json_of(law.at[i]);
    if (extrapolated && experiments::withheld(law.at[i])) {
      figure = {{"value", nullptr}, {"interval", nullptr}};
    }
    figure["parameters"] = size;
    figure["extrapolated"] = extrapolated;
    at.push_back(std::move(figure));
  }
  return {{"exponent", number(law.exponent.value)},
          {"interval", interval_json(law.exponent.interval)},
          {"smallest", number(law.smallest)},
          {"largest", number(law.largest)},
          {"at", at}};
}

Json json_of(const scaling::LossFit& fit) {
  const scaling::LossLaw& law = fit.law;
  const scaling::LossLawIntervals& intervals = fit.intervals;
  return {{"E", number(law.irreducible)},
          {"A", number(law.parameters_coefficient)},
          {"B", number(law.data_coefficient)},
          {"alpha", number(law.parameters_exponent)},
          {"beta", number(law.data_exponent)},
          {"objective", number(fit.objective)},
          {"exponent_n", number(fit.optimal_exponent)},
          {"intervals",
           {{"E", interval_json(intervals.irreducible)},
            {"A", interval_json(intervals.parameters_coefficient)},
            {"B", interval_json(intervals.data_coefficient)},
            {"alpha", interval_json(intervals.parameters_exponent)},
            {"beta", interval_json(intervals.data_exponent)},
            {"exponent_n", interval_json(fit.optimal_exponent_interval)}}}};
}

Json json_of(const scaling::OptimalSize& optimal) {
  Json budgets = Json::array();
  for (const scaling::ComputeBudget& budget : optimal.budgets) {
    budgets.push_back({{"compute", number(budget.compute)},
                       {"parameters", number(budget.optimal_parameters)},
                       {"loss", number(budget.loss)},
                       {"reason", budget.reason}});
  }
  return {{"exponent", number(optimal.exponent)},
          {"interval", interval_json(optimal.interval)},
          {"coefficient", number(optimal.coefficient)},
          {"budgets", budgets}};
}

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? json_of(*value) : Json(nullptr);
}

const char* name_of(Reached reached) {
  switch (reached) {
    case Reached::kYes:
      return "reached";
    case Reached::kBefore:
      return "before the shortest";
    case Reached::kNever:
      break;
  }
  return "not reached";
}

Json json_of(const StepsLaw& law) {
  Json runs = Json::array();
  for (const std::vector<StepsToLoss>& of_size : law.runs) {
    Json seeds = Json::array();
    for (const StepsToLoss& run : of_size) {
      seeds.push_back({{"reached", name_of(run.reached)}, {"steps", number(run.steps)}});
    }
    runs.push_back(std::move(seeds));
  }
  return {{"flavour", law.flavour},
          {"to_own_best", law.to_own_best},
          {"target", number(law.target)},
          {"sizes", law.sizes},
          {"censored", law.censored},
          {"runs", runs},
          {"steps", optional_json(law.steps)},
          {"seconds", optional_json(law.time)}};
}

Json json_of(const TrainedSize& size) {
  return {{"width", size.width},
          {"topology", size.topology},
          {"parameters", number(size.parameters)},
          {"learning_rate", number(size.learning_rate)},
          {"flops_per_step", size.flops_per_step},
          {"run_steps", size.run_steps},
          {"losses", size.losses},
          {"best_loss", number(size.best_loss)},
          {"last_gain", number(size.last_gain)},
          {"converged", size.converged},
          {"step_seconds", size.step_seconds},
          {"tuning", number(size.tuning)}};
}

/// The curves of the longest runs of the first seed: what the figure draws.
Json curves_json(const TaskResult& task, const StudyJournal& journal) {
  Json curves = Json::array();
  for (const TrainingRecord& record : journal.trainings) {
    if (record.task != task.task.name || record.purpose != "result" || record.seed != 0 ||
        record.status != "ok" || record.steps != task.task.run_steps.back()) {
      continue;
    }
    Json points = Json::array();
    for (const CurvePoint& point : record.curve) {
      points.push_back({{"steps", point.steps},
                        {"samples", point.samples},
                        {"flops", point.flops},
                        {"seconds", number(point.seconds)},
                        {"loss", number(point.loss)}});
    }
    curves.push_back({{"width", record.width}, {"points", points}});
  }
  return curves;
}

}  // namespace

Json trainings_json(const StudyResult& result) {
  Json tasks = Json::array();
  for (const TaskResult& task : result.trainings) {
    Json sizes = Json::array();
    for (const TrainedSize& size : task.sizes) {
      sizes.push_back(json_of(size));
    }
    Json steps = Json::array();
    for (const StepsLaw& law : task.steps) {
      steps.push_back(json_of(law));
    }
    tasks.push_back({{"task", task.task.name},
                     {"kind", task.task.kind},
                     {"inputs", task.task.inputs},
                     {"depth", task.task.depth},
                     {"tuning", number(task.tuning)},
                     {"failed", task.failed},
                     {"reference_alpha", task.task.kind == kRegression
                                             ? Json(4.0 / static_cast<double>(task.task.inputs))
                                             : Json(nullptr)},
                     {"sizes", sizes},
                     {"step", optional_json(task.step)},
                     {"loss_power", optional_json(task.loss_power)},
                     {"loss_law", optional_json(task.loss_law)},
                     {"joint_law", optional_json(task.joint_law)},
                     {"optimal_size", optional_json(task.optimal)},
                     {"frontier_power", optional_json(task.frontier_power)},
                     {"steps", steps},
                     {"curves", curves_json(task, result.journal)},
                     {"notes", task.notes}});
  }
  return tasks;
}

Json training_taxes_json(const SubjectResult& subject) {
  Json taxes = Json::array();
  for (const experiments::TrainingTaxEvidence& tax : subject.training_taxes) {
    Json json = json_of(tax.law);
    json["flavour"] = tax.flavour;
    json["growth"] = scaling::name_of(tax.growth);
    json["samples"] = experiments::kAnalysedSamples;
    json["in_training"] = json_of(tax.in_training);
    taxes.push_back(std::move(json));
  }
  return {{"per_step", optional_json(subject.step_tax)}, {"per_training", taxes}};
}

}  // namespace interpscale::study
