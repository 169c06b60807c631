// The stage of a study that does the experiments of the argument: piece by piece, each on disk
// before the next begins, so that what a piece times has the machine to itself.
// SPDX-License-Identifier: Apache-2.0
#include "study/run_experiments.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "interpscale/experiments/laboratory.hpp"
#include "interpscale/experiments/registry.hpp"
#include "study/run_state.hpp"

namespace interpscale::study {
namespace {

using experiments::ArgumentScale;
using experiments::ExperimentSpec;
using experiments::Laboratory;
using experiments::Outcome;
using experiments::Piece;

bool is_done(const StudyJournal& journal, const std::string& experiment, const Piece& piece) {
  return std::ranges::any_of(journal.experiments, [&](const Outcome& outcome) {
    return outcome.experiment == experiment && outcome.piece == piece.name;
  });
}

/// visit(experiment's name, piece) for every piece of the plan's scale.
void for_each_piece(const Plan& plan,
                    const std::function<void(const std::string&, const Piece&)>& visit) {
  const Result<ArgumentScale> scale = experiments::argument_scale(plan.experiments);
  if (!scale || scale->widths.empty()) {
    return;
  }
  for (const ExperimentSpec& experiment : experiments::all_experiments()) {
    if (experiment.pieces) {
      for (const Piece& piece : experiment.pieces(*scale)) {
        visit(experiment.name, piece);
      }
    }
  }
}

Result<Laboratory> open_laboratory(const RunState& state) {
  const Plan& plan = state.journal.plan;
  Result<ArgumentScale> scale = experiments::argument_scale(plan.experiments);
  if (!scale) {
    return tl::unexpected(scale.error());
  }
  const std::filesystem::path folder = state.options.folder / "networks";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail("{}: cannot be made: {}", folder.string(), error.message());
  }
  return Laboratory::open({.scale = std::move(*scale),
                           .data = plan.data,
                           .folder = folder,
                           .backend = plan.backend,
                           .simd_target = plan.simd_target,
                           .training_threads = static_cast<int>(worker_count()),
                           .seed = plan.seed});
}

}  // namespace

double assumed_experiments_seconds(const Plan& plan) {
  double seconds = 0;
  for_each_piece(plan,
                 [&](const std::string&, const Piece& piece) { seconds += piece.assumed_seconds; });
  return seconds;
}

double experiment_seconds_done(const StudyJournal& journal) {
  double seconds = 0;
  for_each_piece(journal.plan, [&](const std::string& experiment, const Piece& piece) {
    seconds += is_done(journal, experiment, piece) ? piece.assumed_seconds : 0;
  });
  return seconds;
}

Result<void> make_experiments(RunState& state) {
  std::vector<std::pair<std::string, Piece>> missing;
  for_each_piece(state.journal.plan, [&](const std::string& experiment, const Piece& piece) {
    if (!is_done(state.journal, experiment, piece)) {
      missing.emplace_back(experiment, piece);
    }
  });
  if (missing.empty()) {
    return {};
  }
  Result<Laboratory> laboratory = open_laboratory(state);
  if (!laboratory) {
    return tl::unexpected(laboratory.error());
  }
  for (const auto& [experiment, piece] : missing) {
    state.report("experiments", experiment + ", " + piece.name);
    Result<Outcome> outcome = piece.run(*laboratory);
    if (!outcome) {
      return tl::unexpected(outcome.error());
    }
    outcome->experiment = experiment;
    outcome->piece = piece.name;
    if (Result<void> written = state.out.append(to_json(*outcome)); !written) {
      return written;
    }
    state.journal.experiments.push_back(std::move(*outcome));
    state.done_seconds += piece.assumed_seconds;
  }
  return {};
}

}  // namespace interpscale::study
