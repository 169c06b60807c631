// SPDX-License-Identifier: Apache-2.0
#include "interpscale/fit_times.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "interpscale/scaling/one_factor.hpp"
#include "interpscale/study/law_json.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Json = nlohmann::ordered_json;

/// A series with its fit, or why there is none.
struct Fitted {
  const TimingSeries* series = nullptr;
  std::optional<scaling::OneFactorFit> one;
  std::optional<scaling::TwoFactorFit> several;
  std::string error;
  [[nodiscard]] bool ok() const { return error.empty(); }
};

Fitted fit_series(const TimingSeries& series) {
  Fitted fitted{&series, {}, {}, {}};
  if (series.factors.empty()) {
    fitted.error = "no argument or counter to fit against";
  } else if (series.factors.size() == 1) {
    auto fit = scaling::fit_one_factor(series.factors.front().values, series.cells, {});
    fitted.error = fit ? "" : fit.error().message;
    fitted.one = fit ? std::optional(std::move(*fit)) : std::nullopt;
  } else {
    auto fit = scaling::fit_factors(series.factors, series.cells, {});
    fitted.error = fit ? "" : fit.error().message;
    fitted.several = fit ? std::optional(std::move(*fit)) : std::nullopt;
  }
  return fitted;
}

/// What a reader is to be warned of, the series' own notes first.
std::vector<std::string> warnings_of(const Fitted& fitted) {
  std::vector<std::string> warnings = fitted.series->notes;
  if (fitted.one && fitted.one->has_break()) {
    const scaling::RegimeBreak& step = fitted.one->strongest_break;
    warnings.push_back(fmt::format(
        "the times take a step of x{:.2f} between {:g} and {:g} (p = {:.2g}): no one smooth law "
        "holds on both sides",
        std::exp(step.step), step.from, step.to, step.p_value));
  }
  if (fitted.one && fitted.one->theil_sen_disagrees) {
    warnings.push_back(fmt::format("Theil-Sen's slope {:.3f} disagrees", fitted.one->theil_sen));
  }
  return warnings;
}

Json to_json(const Fitted& fitted) {
  Json factors = Json::array();
  for (const scaling::Factor& factor : fitted.series->factors) {
    factors.push_back(factor.name);
  }
  Json json{{"series", fitted.series->name},
            {"factors", factors},
            {"cells", fitted.series->cells.size()},
            {"rounds", fitted.series->cells.front().rounds.size()}};
  if (fitted.ok()) {
    json.update(fitted.one ? study::to_json(*fitted.one) : study::to_json(*fitted.several));
  } else {
    json["error"] = fitted.error;
  }
  json["warnings"] = warnings_of(fitted);
  return json;
}

void print_one(const std::string& factor, const scaling::OneFactorFit& fit) {
  const scaling::CostLaw& law = fit.law;
  fmt::print("  time ~ {}^{:.3f}   95 % [{:.3f}, {:.3f}]   {}", factor, law.exponent,
             fit.exponent.low, fit.exponent.high, name_of(law.kind));
  if (law.kind == scaling::LawKind::kPowerWithOverhead) {
    fmt::print(", overhead {:.3g}", law.overhead);
  }
  fmt::print("\n  weights:");
  for (const scaling::CostLaw& candidate : fit.candidates) {
    fmt::print(" {} {:.2f} ({:.3f})", name_of(candidate.kind), candidate.weight,
               candidate.exponent);
  }
  fmt::print("\n  local slopes:");
  for (const scaling::LocalSlope& slope : fit.local_slopes) {
    fmt::print(" {:.2f}", slope.slope);
  }
  fmt::print("\n  Theil-Sen {:.3f}; the largest size, left out, is missed by {:+.1f} %\n",
             fit.theil_sen, 100 * std::expm1(fit.leave_largest_out_error));
}

void print_several(const scaling::TwoFactorFit& fit) {
  const scaling::Identifiability& design = fit.identifiability;
  if (!design.identified) {
    fmt::print("  not identified: {}\n", design.reason);
    return;
  }
  for (const scaling::Exponent& exponent : fit.exponents) {
    fmt::print("  {}^{:.3f}   95 % [{:.3f}, {:.3f}]   VIF {:.1f}\n", exponent.predictor,
               exponent.value, exponent.interval.low, exponent.interval.high, exponent.vif);
  }
  fmt::print("  R2 {:.4f}; condition number {:.1f}; best explained by {}\n", fit.r_squared,
             design.condition_number, fit.choice.chosen.empty() ? "-" : fit.choice.chosen);
}

void print_text(const Fitted& fitted) {
  fmt::print("{}: {} cells, {} round(s)\n", fitted.series->name, fitted.series->cells.size(),
             fitted.series->cells.front().rounds.size());
  if (fitted.one) {
    print_one(fitted.series->factors.front().name, *fitted.one);
  } else if (fitted.several) {
    print_several(*fitted.several);
  } else {
    fmt::print("  no law: {}\n", fitted.error);
  }
  for (const std::string& warning : warnings_of(fitted)) {
    fmt::print("  note: {}\n", warning);
  }
}

}  // namespace

int fit_times_file(const std::string& path, const TimingColumns& columns, bool json) {
  const Result<std::vector<TimingSeries>> all = read_timings(path, columns);
  if (!all) {
    return fail_with(all.error(), kBadInput);
  }
  std::vector<Fitted> fits;
  bool any = false;
  for (const TimingSeries& series : *all) {
    fits.push_back(fit_series(series));
    any = any || fits.back().ok();
  }
  if (!any) {
    return fail_with(
        Error{fmt::format("{}: '{}': {}", path, fits.front().series->name, fits.front().error)},
        kBadInput);
  }
  if (json) {
    Json array = Json::array();
    for (const Fitted& fitted : fits) {
      array.push_back(to_json(fitted));
    }
    fmt::print("{}\n", Json{{"file", path}, {"fits", array}}.dump(2));
  } else {
    for (const Fitted& fitted : fits) {
      print_text(fitted);
    }
  }
  return kDone;
}

}  // namespace interpscale::tool
