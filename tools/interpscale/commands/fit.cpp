// `interpscale fit`: the laws of a study, or a law of anyone's own numbers, on the terminal.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "interpscale/commands.hpp"
#include "interpscale/fit_loss.hpp"
#include "interpscale/fitted_study.hpp"
#include "interpscale/study/report.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

struct FitOptions {
  std::string path;
  std::string law = "cost";
  LossColumns loss;
  bool json = false;
};

int fit_study(const FitOptions& options) {
  const Result<study::StudyResult> result = fitted_study(options.path);
  if (!result) {
    return fail_with(result.error(), kBadInput);
  }
  if (options.json) {
    fmt::print("{}\n", study::to_json(*result).dump(2));
  } else {
    fmt::print("{}", study::laws_text(*result));
  }
  return kDone;
}

int fit(const FitOptions& options) {
  if (options.law == "loss") {
    if (options.loss.parameters.empty() || options.loss.loss.empty()) {
      return fail_with(Error{"--law loss: wanted --params COLUMN and --loss COLUMN"}, kBadInput);
    }
    return fit_loss_file(options.path, options.loss, options.json);
  }
  return fit_study(options);
}

}  // namespace

void add_fit(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<FitOptions>();
  CLI::App* command =
      app.add_subcommand("fit", "Fit the laws of a study, or of numbers in a file, and print them");
  command
      ->add_option("source", options->path, "A study's folder or journal; a CSV file (--law loss)")
      ->required();
  command->add_option("--law", options->law, "cost: times against sizes; loss: losses of runs")
      ->check(CLI::IsMember({"cost", "loss"}))
      ->capture_default_str();
  command->add_option("--params", options->loss.parameters, "Loss law: the column of N");
  CLI::Option* flop =
      command->add_option("--flop", options->loss.flop, "Loss law: training FLOPs; D = FLOP / 6N");
  command->add_option("--data", options->loss.data, "Loss law: the column of D, instead of --flop")
      ->excludes(flop);
  command->add_option("--loss", options->loss.loss, "Loss law: the column of losses");
  command->add_flag("--json", options->json, "Everything, as in report.json");
  command->footer(
      "Examples:\n"
      "  interpscale fit quick\n"
      "  interpscale fit quick/journal.jsonl --json\n"
      "  interpscale fit --law loss --params N --flop C --loss L runs.csv");
  command->callback([options, &exit_code] { exit_code = fit(*options); });
}

}  // namespace interpscale::tool
