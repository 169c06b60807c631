// `interpscale round`: a child process of `run`. Hidden: nobody needs to call it, but a failed
// timing's record names the call that repeats it.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "interpscale/commands.hpp"
#include "interpscale/study/run.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

struct RoundOptions {
  std::string folder;
  int round = 0;
  std::vector<std::string> cells;
  std::string repeat;
  bool kernels = false;
};

int run_round(const RoundOptions& options) {
  if (options.repeat.empty()) {
    const Result<void> done = options.kernels
                                  ? study::run_kernel_round(options.folder, options.round)
                                  : study::run_round(options.folder, options.round, options.cells);
    if (!done) {
      print_error(done.error().message);
    }
    return done ? kDone : kFailure;
  }
  const Result<study::TimingRecord> timing =
      study::repeat_timing(options.folder, options.round, options.repeat);
  if (!timing) {
    print_error(timing.error().message);
    return kBadInput;
  }
  fmt::print("{}\n", study::to_json(*timing).dump(2));
  return timing->status == "ok" ? kDone : kFailure;
}

}  // namespace

void add_round(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RoundOptions>();
  CLI::App* command = app.add_subcommand("round", "One round of a study (started by `run`)");
  command->group("");
  command->add_option("--folder", options->folder, "The study's folder")->required();
  command->add_option("--round", options->round, "The round's number, from 0")
      ->required()
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--cell", options->cells, "Only this cell (may be repeated)");
  command->add_option("--repeat", options->repeat, "Time this cell again; print, do not record");
  command->add_flag("--kernels", options->kernels, "A kernel round: single kernel calls");
  command->footer(
      "Example, in a study's folder:\n"
      "  interpscale round --folder . --round 0 --repeat pass/forward/d:784/w:64/...");
  command->callback([options, &exit_code] { exit_code = run_round(*options); });
}

}  // namespace interpscale::tool
