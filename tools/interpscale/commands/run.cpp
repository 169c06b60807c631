// `interpscale run`: a study, from a preset and what overrides it.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "interpscale/backend_option.hpp"
#include "interpscale/commands.hpp"
#include "interpscale/fitted_study.hpp"
#include "interpscale/study/report.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

namespace fs = std::filesystem;
using study::Plan;

/// What the axes are where only some of them are given.
const std::vector<std::size_t> kDefaultWidths = {64, 128, 256, 512};
const std::vector<std::size_t> kDefaultDepths = {1, 2, 4};
const std::vector<std::size_t> kDefaultInputs = {784, 196};

/// CLI11 reads "-8" as 2^64 - 8 where a size is wanted.
CLI::Validator not_negative() {
  return CLI::Validator(
      [](std::string& text) {
        return text.starts_with('-') ? "found " + text + ", wanted 0 or more" : std::string();
      },
      "");
}

struct StudyOptions {
  std::string preset = "quick";
  std::string out;
  bool json = false;
  bool no_report = false;
  bool plan_only = false;
  bool quick = false;                                 ///< the preset's quick form
  std::vector<std::function<void(Plan&)>> overrides;  ///< of the options that were given
};

/// Adds an option that overrides one field of the preset's plan.
template <class T>
void add_override(CLI::App& command, StudyOptions& options, const std::string& name, T Plan::*field,
                  const std::string& description) {
  auto value = std::make_shared<T>();
  CLI::Option* option = command.add_option(name, *value, description);
  if constexpr (!std::is_arithmetic_v<T> && !std::is_same_v<T, std::string>) {
    option->delimiter(',');
  } else {
    option->take_last();
  }
  if constexpr (std::is_unsigned_v<T>) {
    option->check(not_negative());
  }
  options.overrides.push_back([option, value, field](Plan& plan) {
    if (option->count() > 0) {
      plan.*field = *value;
    }
  });
}

/// Given axes replace the preset's design by their full crossing: nothing is thinned out.
void add_axes(CLI::App& command, StudyOptions& options) {
  auto widths = std::make_shared<std::vector<std::size_t>>();
  auto depths = std::make_shared<std::vector<std::size_t>>();
  auto inputs = std::make_shared<std::vector<std::size_t>>();
  command.add_option("--widths", *widths, "Units of each hidden layer, such as 64,128,256")
      ->delimiter(',')
      ->check(not_negative());
  command.add_option("--depths", *depths, "Hidden layers, such as 1,2,4")
      ->delimiter(',')
      ->check(not_negative());
  command.add_option("--inputs", *inputs, "Inputs; of 28 x 28 images: 784, 196, 49, 16")
      ->delimiter(',')
      ->check(not_negative());
  options.overrides.push_back([widths, depths, inputs](Plan& plan) {
    if (widths->empty() && depths->empty() && inputs->empty()) {
      return;
    }
    plan.shapes.clear();
    plan.widths = widths->empty() ? kDefaultWidths : *widths;
    plan.depths = depths->empty() ? kDefaultDepths : *depths;
    plan.inputs = inputs->empty() ? kDefaultInputs : *inputs;
    plan.cell_floor_seconds = 0;
    plan.subject_seconds = 0;
    plan.cells_per_subject = 0;
  });
}

void add_overrides(CLI::App& command, StudyOptions& options) {
  add_axes(command, options);
  add_override(command, options, "--data", &Plan::data,
               "A data set's name or folder, or teacher-student");
  add_override(command, options, "--subjects", &Plan::subjects,
               "What to time, such as training_step,zero_ablation:fast");
  add_override(command, options, "--batch", &Plan::batch, "Samples of the batch");
  add_override(command, options, "--rounds", &Plan::rounds, "Fresh processes for each cell");
  add_override(command, options, "--kernel-rounds", &Plan::kernel_rounds,
               "Fresh processes that time the kernels of cells which theory does not explain");
  add_override(command, options, "--extra-rounds", &Plan::extra_rounds,
               "At most, for cells that are mistrusted");
  add_override(command, options, "--threads", &Plan::threads, "Threads of what is timed");
  add_override(command, options, "--backend", &Plan::backend, backend_help());
  add_override(command, options, "--simd-target", &Plan::simd_target,
               "An instruction set by Highway's name");
  add_override(command, options, "--path-steps", &Plan::path_steps, "Nodes of a path integral");
  add_override(command, options, "--permutations", &Plan::permutations, "Orders that are sampled");
  add_override(command, options, "--training-steps", &Plan::training_steps,
               "Of each network before it is analysed");
  add_override(command, options, "--cell-floor", &Plan::cell_floor_seconds,
               "Leave out cells assumed to take less, seconds");
  add_override(command, options, "--cell-budget", &Plan::cell_budget_seconds,
               "Leave out cells assumed to take more, seconds");
  add_override(command, options, "--subject-seconds", &Plan::subject_seconds,
               "A subject's share of a round; 0: no bound");
  add_override(command, options, "--cells-per-subject", &Plan::cells_per_subject,
               "At most; 0: no bound");
  add_override(command, options, "--min-seconds", &Plan::min_seconds,
               "Length of a repetition, at least");
  add_override(command, options, "--warm-up", &Plan::warm_up_seconds, "Before timing, seconds");
  add_override(command, options, "--repetitions", &Plan::repetitions, "In one process");
  add_override(command, options, "--seed", &Plan::seed, "Of everything random");
  add_override(command, options, "--experiments", &Plan::experiments,
               "Scale of the argument's experiments: none, quick or standard");
  auto trainings = std::make_shared<std::string>();
  command
      .add_option("--trainings", *trainings,
                  "Tasks to train to a result on, by the name of their design")
      ->take_last()
      ->check(CLI::IsMember(study::training_design_names()))
      ->each([&options, trainings](const std::string&) {
        options.overrides.emplace_back(
            [trainings](Plan& plan) { plan.trainings = *study::training_design(*trainings); });
      });
}

/// Fits and writes the report into the study's folder.
Result<fs::path> report_on(const fs::path& folder) {
  const Result<study::StudyResult> result = fitted_study(folder);
  if (!result) {
    return tl::unexpected(result.error());
  }
  if (const Result<void> written = study::write_report(*result, folder); !written) {
    return tl::unexpected(written.error());
  }
  return folder / "report.md";
}

void print_summary(const study::RunSummary& summary, const fs::path& folder,
                   const std::string& report, bool json) {
  if (json) {
    const nlohmann::ordered_json line = {{"folder", folder.string()},
                                         {"cells", summary.cells},
                                         {"timings", summary.timings},
                                         {"failed", summary.failed},
                                         {"extra_rounds", summary.remeasured},
                                         {"resumed", summary.resumed},
                                         {"report", report}};
    fmt::print("{}\n", line.dump(2));
    return;
  }
  fmt::print("{} cells, {} timings, {} failed, {} extra rounds: {}\n", summary.cells,
             summary.timings, summary.failed, summary.remeasured,
             study::journal_file(folder).string());
  if (!report.empty()) {
    fmt::print("report: {}\n", report);
  }
}

/// What a subject of the plan is measured on.
struct SubjectRange {
  std::size_t cells = 0;
  double fewest = 0;  ///< N
  double most = 0;
  double seconds = 0;  ///< assumed, a round
};

/// The cells a plan expands to, subject by subject, and what they are assumed to take.
int show_plan(const Plan& plan, bool json) {
  const Result<study::Expansion> expansion = study::expand(plan);
  if (!expansion) {
    return fail_with(expansion.error(), kBadInput);
  }
  std::map<std::string, SubjectRange> subjects;
  for (const study::Cell& cell : expansion->cells) {
    const auto& [subject, variant] = std::pair{cell.request.subject, cell.request.variant};
    SubjectRange& range = subjects[variant.empty() ? subject : subject + ":" + variant];
    const auto parameters = static_cast<double>(cell.request.topology.parameters());
    range.fewest = range.cells == 0 ? parameters : std::min(range.fewest, parameters);
    range.most = std::max(range.most, parameters);
    range.seconds += study::assumed_round_seconds(cell, plan);
    ++range.cells;
  }
  const double total = study::assumed_study_seconds(*expansion, plan);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [subject, range] : subjects) {
    const double decades = std::log10(range.most / range.fewest);
    list.push_back({{"subject", subject},
                    {"cells", range.cells},
                    {"decades", decades},
                    {"round_seconds", range.seconds}});
    if (!json) {
      fmt::print("{:<36} {:>3} cells, N {:.2g} to {:.2g} ({:.1f} decades), {:.2f} s a round\n",
                 subject, range.cells, range.fewest, range.most, decades, range.seconds);
    }
  }
  if (json) {
    const nlohmann::ordered_json plan_json = {{"cells", expansion->cells.size()},
                                              {"networks", expansion->topologies.size()},
                                              {"rounds", plan.rounds},
                                              {"assumed_seconds", total},
                                              {"subjects", list}};
    fmt::print("{}\n", plan_json.dump(2));
  } else {
    fmt::print("{} cells on {} networks, {} rounds: about {} in all\n", expansion->cells.size(),
               expansion->topologies.size(), plan.rounds, clock_text(total));
  }
  return kDone;
}

int run_study(StudyOptions options) {
  if (options.quick && options.preset != "quick") {
    options.preset += "-quick";
  }
  Result<Plan> plan = study::preset(options.preset);
  if (!plan) {
    return fail_with(plan.error(), kBadInput);
  }
  for (const auto& apply : options.overrides) {
    apply(*plan);
  }
  if (options.plan_only) {
    return show_plan(*plan, options.json);
  }
  const fs::path folder = options.out.empty() ? "study-" + options.preset : options.out;
  if (const Result<void> usable = study::check_study(*plan, folder); !usable) {
    return fail_with(usable.error(), kBadInput);
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail_with({"/proc/self/exe: " + error.message()}, kFailure);
  }
  ProgressLine line;
  const Result<study::RunSummary> summary = study::run_study(
      *plan, {.folder = folder, .program = program, .progress = [&](const study::Progress& at) {
                line.show(at.fraction, at.stage + ": " + at.detail, at.seconds_left);
              }});
  if (!summary) {
    line.clear();
    return fail_with(summary.error(), kFailure);
  }
  std::string report;
  if (!options.no_report) {
    line.show(1, "fitting", -1);
    const Result<fs::path> written = report_on(folder);
    line.clear();
    if (!written) {
      return fail_with(written.error(), kFailure);
    }
    report = written->string();
  }
  line.clear();
  print_summary(*summary, folder, report, options.json);
  if (summary->failed > 0) {
    print_error(fmt::format("{} of the study's cells or timings failed; their records say why",
                            summary->failed));
    return kFailure;
  }
  return kDone;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StudyOptions>();
  CLI::App* command = app.add_subcommand("run", "Measure a study, fit its laws, write its report");
  command->add_option("--preset", options->preset, "quick, standard, full or argument")
      ->capture_default_str();
  command->add_flag("--quick", options->quick, "The preset's quick form: argument has one");
  command->add_option("--out", options->out, "The study's folder (study-PRESET)");
  command->add_flag("--json", options->json, "Print the summary as JSON");
  command->add_flag("--no-report", options->no_report, "Measure only");
  command->add_flag("--plan", options->plan_only,
                    "Measure nothing: show the cells and the time they are assumed to take");
  add_overrides(*command, *options);
  command->footer(
      "An interrupted study is carried on by the same command. Axes that are given replace the\n"
      "preset's design by their full crossing.\n"
      "Examples:\n"
      "  interpscale run --preset quick --out quick\n"
      "  interpscale run --preset standard --plan\n"
      "  interpscale run --preset argument --quick --out argument\n"
      "  interpscale run --preset standard --subjects training_step,zero_ablation --out ablation\n"
      "  interpscale run --widths 64,128,256 --depths 1,2,4 --inputs 784,196 --rounds 9 --out "
      "mine");
  command->callback([options, &exit_code] { exit_code = run_study(*options); });
}

}  // namespace interpscale::tool
