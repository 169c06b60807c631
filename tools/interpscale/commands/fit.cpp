// `interpscale fit`: the laws of a study, on the terminal.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "interpscale/commands.hpp"
#include "interpscale/fitted_study.hpp"
#include "interpscale/study/report.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

struct FitOptions {
  std::string path;
  bool json = false;
};

int fit(const FitOptions& options) {
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

}  // namespace

void add_fit(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<FitOptions>();
  CLI::App* command = app.add_subcommand("fit", "Fit a study's laws and print them");
  command->add_option("study", options->path, "A study's folder, or a journal")->required();
  command->add_flag("--json", options->json, "Everything, as in report.json");
  command->footer(
      "Examples:\n"
      "  interpscale fit quick\n"
      "  interpscale fit quick/journal.jsonl --json");
  command->callback([options, &exit_code] { exit_code = fit(*options); });
}

}  // namespace interpscale::tool
