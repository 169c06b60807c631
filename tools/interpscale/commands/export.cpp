// `interpscale export`: saved results in the formats of other tools.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <string>

#include "interpscale/commands_regression.hpp"
#include "interpscale/regression/exports.hpp"
#include "interpscale/saved_results.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

struct ExportOptions {
  std::string source;
  std::string format;
  std::string filter;
};

int export_saved(const ExportOptions& options) {
  const Result<std::string> text =
      read_results(options.source)
          .and_then([&](regression::ResultSet results) {
            return regression::filtered(std::move(results), options.filter);
          })
          .and_then([&](const regression::ResultSet& results) {
            return regression::export_results(results, options.format);
          });
  if (!text) {
    return fail_with(text.error(), kBadInput);
  }
  fmt::print("{}", *text);
  return kDone;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Write saved results in the format of another tool");
  command->add_option("source", options->source, "A study, or a file of Google Benchmark")
      ->required();
  command->add_option("--format", options->format, "github-action, bencher, extra-p or csv")
      ->required();
  command->add_option("--filter", options->filter, "Only cells that match (-: that do not)");
  command->footer(
      "Examples:\n"
      "  interpscale export quick --format bencher > bencher.json\n"
      "  interpscale export times.json --format github-action > benchmark.json");
  command->callback([options, &exit_code] { exit_code = export_saved(*options); });
}

}  // namespace interpscale::tool
