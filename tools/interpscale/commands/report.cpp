// `interpscale report`: writes a study's report again, from its journal.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/report.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "interpscale/commands.hpp"
#include "interpscale/fitted_study.hpp"
#include "interpscale/study/run.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::string folder;
  bool json = false;
};

int report(const ReportOptions& options) {
  const fs::path folder = options.folder;
  const Result<study::StudyResult> result = fitted_study(study::journal_file(folder));
  if (!result) {
    return fail_with(result.error(), kBadInput);
  }
  if (const Result<void> written = study::write_report(*result, folder); !written) {
    return fail_with(written.error(), kFailure);
  }
  if (options.json) {
    const nlohmann::ordered_json summary = {
        {"folder", folder.string()},
        {"subjects", result->subjects.size()},
        {"files", {"report.md", "report.json", "cells.csv", "laws.csv"}}};
    fmt::print("{}\n", summary.dump());
  } else {
    fmt::print("{}\n", (folder / "report.md").string());
  }
  return kDone;
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "Write a study's report from its journal");
  command->add_option("folder", options->folder, "The study's folder")->required();
  command->add_flag("--json", options->json, "Print what was written as JSON");
  command->footer(
      "Examples:\n"
      "  interpscale report quick\n"
      "  tools/plot quick");
  command->callback([options, &exit_code] { exit_code = report(*options); });
}

}  // namespace interpscale::tool
