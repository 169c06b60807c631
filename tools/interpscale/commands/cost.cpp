// `interpscale cost`: what understanding costs in money against training.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "interpscale/commands.hpp"
#include "interpscale/economics/money_file.hpp"
#include "interpscale/fitted_study.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Json = nlohmann::ordered_json;
using economics::MoneyCase;
using economics::MoneyEstimate;

/// To which sizes a ratio is projected.
constexpr std::array kSizes = {1e6, 1e8, 1e9, 1e10, 1e12};
/// An interval over more than three decades says nothing.
constexpr double kWidestInterval = 1e3;

struct CostOptions {
  std::string file;
  std::string study;
  std::string method;
  bool print_default = false;
  bool json = false;
};

/// "If people cost grows like this analysis."
struct Projection {
  std::string method;
  scaling::Interval exponent;  ///< of its tax in N
  std::vector<economics::ProjectedRatio> ratios;
};

Result<Projection> project(const MoneyCase& money, const CostOptions& options) {
  const Result<study::StudyResult> study = fitted_study(options.study);
  if (!study) {
    return tl::unexpected(study.error());
  }
  std::vector<std::string> known;
  for (const study::SubjectResult& subject : study->subjects) {
    if (!subject.tax) {
      continue;
    }
    const std::string name =
        subject.variant.empty() ? subject.subject : subject.subject + ":" + subject.variant;
    known.push_back(name);
    if (name == options.method) {
      auto ratios = economics::project_money_ratio(money.inputs, money.corrections,
                                                   money.parameters, subject.tax->interval, kSizes,
                                                   economics::MonteCarloOptions{});
      return std::move(ratios).map([&](std::vector<economics::ProjectedRatio> projected) {
        return Projection{name, subject.tax->interval, std::move(projected)};
      });
    }
  }
  return fail("{}: has no tax of '{}'; it has those of {}", options.study, options.method,
              known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
}

bool withheld(const economics::ProjectedRatio& ratio) {
  return ratio.interval.high / ratio.interval.low > kWidestInterval;
}

Json interval_json(const scaling::Interval& interval) {
  return Json::array({interval.low, interval.high});
}

Json to_json(const MoneyCase& money, const MoneyEstimate& estimate,
             const std::optional<Projection>& projection) {
  Json steps = Json::array();
  for (const economics::CorrectedRatio& step : estimate.steps) {
    steps.push_back({{"correction", step.name},
                     {"median", step.median},
                     {"interval", interval_json(step.interval)}});
  }
  Json bars = Json::array();
  for (const economics::Sensitivity& bar : economics::tornado(money.inputs, money.corrections)) {
    bars.push_back({{"correction", bar.name}, {"at_low", bar.at_low}, {"at_high", bar.at_high}});
  }
  Json sources = Json::object();
  for (const economics::MoneySource& source : money.sources) {
    sources[source.figure] = source.source;
  }
  Json json = {
      {"training_dollars", estimate.training_dollars},
      {"understanding_dollars", estimate.understanding_dollars},
      {"ratio", estimate.uncorrected},
      {"corrected", {{"median", estimate.median}, {"interval", interval_json(estimate.interval)}}},
      {"steps", steps},
      {"tornado", bars},
      {"sources", sources},
      {"projection", nullptr}};
  if (projection) {
    Json sizes = Json::array();
    for (const economics::ProjectedRatio& ratio : projection->ratios) {
      sizes.push_back(
          {{"parameters", ratio.parameters},
           {"extrapolated", true},
           {"median", withheld(ratio) ? Json(nullptr) : Json(ratio.median)},
           {"interval", withheld(ratio) ? Json(nullptr) : interval_json(ratio.interval)}});
    }
    json["projection"] = {{"method", projection->method},
                          {"tax_exponent", interval_json(projection->exponent)},
                          {"sizes", sizes}};
  }
  return json;
}

void print_projection(const Projection& projection) {
  fmt::print(
      "\nIf the cost of people grew like {} (tax exponent in N [{:.2f}, {:.2f}]); all "
      "extrapolated:\n",
      projection.method, projection.exponent.low, projection.exponent.high);
  for (const economics::ProjectedRatio& ratio : projection.ratios) {
    if (withheld(ratio)) {
      fmt::print("  N = {:<8.0e} withheld: its interval spans more than three decades\n",
                 ratio.parameters);
    } else {
      fmt::print("  N = {:<8.0e} {:>10.4g} x  [{:.3g}, {:.3g}]\n", ratio.parameters, ratio.median,
                 ratio.interval.low, ratio.interval.high);
    }
  }
}

void print_text(const MoneyCase& money, const MoneyEstimate& estimate,
                const std::optional<Projection>& projection) {
  fmt::print(
      "training       ${:>12.0f}\nunderstanding  ${:>12.0f}\nratio           {:>12.0f} x\n\n",
      estimate.training_dollars, estimate.understanding_dollars, estimate.uncorrected);
  for (const economics::CorrectedRatio& step : estimate.steps) {
    fmt::print("  after {:<42} {:>8.4g} x  [{:.3g}, {:.3g}]\n", step.name, step.median,
               step.interval.low, step.interval.high);
  }
  fmt::print("\ncorrected       {:>12.4g} x  [{:.3g}, {:.3g}] (95 % of the corrections' ranges)\n",
             estimate.median, estimate.interval.low, estimate.interval.high);
  fmt::print("\nWhat moves it most (the others at their medians):\n");
  for (const economics::Sensitivity& bar : economics::tornado(money.inputs, money.corrections)) {
    fmt::print("  {:<42} {:>8.4g} ... {:.4g}\n", bar.name, bar.at_high, bar.at_low);
  }
  if (projection) {
    print_projection(*projection);
  }
}

int cost(const CostOptions& options) {
  if (options.print_default) {
    fmt::print("{}", economics::default_money_text());
    return kDone;
  }
  const Result<MoneyCase> money =
      options.file.empty()
          ? economics::parse_money(economics::default_money_text(), "the default figures")
          : economics::read_money(options.file);
  if (!money) {
    return fail_with(money.error(), kBadInput);
  }
  const Result<MoneyEstimate> estimate = economics::estimate_money_ratio(
      money->inputs, money->corrections, economics::MonteCarloOptions{});
  if (!estimate) {
    return fail_with(estimate.error(), kBadInput);
  }
  std::optional<Projection> projection;
  if (!options.study.empty()) {
    Result<Projection> projected = project(*money, options);
    if (!projected) {
      return fail_with(projected.error(), kBadInput);
    }
    projection = std::move(*projected);
  }
  if (options.json) {
    fmt::print("{}\n", to_json(*money, *estimate, projection).dump(2));
  } else {
    print_text(*money, *estimate, projection);
  }
  return kDone;
}

}  // namespace

void add_cost(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CostOptions>();
  CLI::App* command =
      app.add_subcommand("cost", "What understanding costs in money against training, corrected");
  command->add_option("file", options->file, "Figures as TOML (default: those of the exchange)");
  CLI::Option* study = command->add_option(
      "--study", options->study, "A study's folder: projects the ratio over size with its taxes");
  CLI::Option* method = command->add_option("--method", options->method,
                                            "Whose tax exponent, such as zero_ablation:fast");
  study->needs(method);
  method->needs(study);
  command->add_flag("--print-default", options->print_default, "Print the default file, to edit");
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "The hours of people are an input here, never a result.\n"
      "Examples:\n"
      "  interpscale cost\n"
      "  interpscale cost --print-default > mine.toml; interpscale cost mine.toml --json\n"
      "  interpscale cost --study results/standard --method zero_ablation:fast");
  command->callback([options, &exit_code] { exit_code = cost(*options); });
}

}  // namespace interpscale::tool
