// `interpscale fit`: the laws of a study, or a law of anyone's own numbers, on the terminal.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "interpscale/commands.hpp"
#include "interpscale/fit_loss.hpp"
#include "interpscale/fit_times.hpp"
#include "interpscale/fitted_study.hpp"
#include "interpscale/study/report.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

struct FitOptions {
  std::string path;
  std::string law = "cost";
  LossColumns loss;
  TimingColumns times;
  std::string second_factor;
  std::vector<std::string> other_factors;
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

/// Timings: a CSV file or Google Benchmark's JSON. A study is a folder or a journal (.jsonl).
bool holds_timings(const std::string& path) {
  return path.ends_with(".csv") || path.ends_with(".json");
}

int fit_times(const FitOptions& options) {
  TimingColumns columns = options.times;
  if (!options.second_factor.empty()) {
    columns.factors.push_back(options.second_factor);
  }
  columns.factors.insert(columns.factors.end(), options.other_factors.begin(),
                         options.other_factors.end());
  return fit_times_file(options.path, columns, options.json);
}

int fit(const FitOptions& options) {
  if (options.law == "loss") {
    if (options.loss.parameters.empty() || options.loss.loss.empty()) {
      return fail_with(Error{"--law loss: wanted --params COLUMN and --loss COLUMN"}, kBadInput);
    }
    return fit_loss_file(options.path, options.loss, options.json);
  }
  const bool columns_are_named = !options.times.factors.empty() || !options.times.time.empty();
  if (columns_are_named ||
      (holds_timings(options.path) && !std::filesystem::is_directory(options.path))) {
    return fit_times(options);
  }
  return fit_study(options);
}

}  // namespace

void add_fit(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<FitOptions>();
  CLI::App* command =
      app.add_subcommand("fit", "Fit the laws of a study, or of numbers in a file, and print them");
  command
      ->add_option("source", options->path,
                   "A study's folder or journal; a CSV file; Google Benchmark's JSON (.json)")
      ->required();
  command->add_option("--law", options->law, "cost: times against sizes; loss: losses of runs")
      ->check(CLI::IsMember({"cost", "loss"}))
      ->capture_default_str();
  CLI::Option* x = command
                       ->add_option("--x", options->times.factors,
                                    "Times: the measure of size; of a .json file an argument or "
                                    "counter (default: its arguments)")
                       ->expected(1);
  CLI::Option* x2 =
      command->add_option("--x2", options->second_factor, "Times: a second measure of size")
          ->needs(x);
  command->add_option("--factor", options->other_factors, "Times: further ones, one an option")
      ->needs(x2);
  command->add_option("--y", options->times.time,
                      "Times: the column; of a .json file real_time (default) or cpu_time");
  command->add_option("--by", options->times.series,
                      "Times of a CSV file: rows that differ in this column are fitted apart");
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
      "  interpscale fit times.csv --x n --y seconds\n"
      "  interpscale fit times.csv --x parameters --x2 neurons --y seconds --by method\n"
      "  interpscale fit benchmark.json\n"
      "  interpscale fit --law loss --params N --flop C --loss L runs.csv");
  command->callback([options, &exit_code] { exit_code = fit(*options); });
}

}  // namespace interpscale::tool
