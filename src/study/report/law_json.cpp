// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/law_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "study/report/json_values.hpp"

namespace interpscale::study {
namespace {

Json law_json(const scaling::CostLaw& law) {
  return {{"kind", name_of(law.kind)},
          {"coefficient", number(law.coefficient)},
          {"exponent", number(law.exponent)},
          {"overhead", number(law.overhead)},
          {"sum_of_squares", number(law.sum_of_squares)},
          {"aicc", number(law.aicc)},
          {"weight", number(law.weight)}};
}

}  // namespace

Json to_json(const scaling::OneFactorFit& fit) {
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
          {"leave_largest_out_error", number(fit.leave_largest_out_error)},
          {"strongest_break",
           {{"from", number(fit.strongest_break.from)},
            {"to", number(fit.strongest_break.to)},
            {"factor", number(std::exp(fit.strongest_break.step))},
            {"p_value", number(fit.strongest_break.p_value)},
            {"flagged", fit.has_break()}}}};
}

Json to_json(const scaling::TwoFactorFit& fit) {
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

}  // namespace interpscale::study
