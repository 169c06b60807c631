// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/time_model.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "interpscale/study/analysis.hpp"
#include "study/analysis/rounds.hpp"

namespace interpscale::study {
namespace {

/// By topology, those cells of a pass that have times.
using PassCells = std::map<std::string_view, const CellResult*>;

PassCells cells_of(std::string_view pass, const std::vector<SubjectResult>& subjects) {
  PassCells cells;
  for (const SubjectResult& subject : subjects) {
    if (subject.subject == pass && subject.variant.empty()) {
      for (const CellResult& cell : subject.cells) {
        if (cell.status != CellStatus::kFailed && cell.cell.quantities.flops > 0) {
          cells[cell.cell.topology] = &cell;
        }
      }
    }
  }
  return cells;
}

/// flops of `cell` x (seconds of the passes / FLOPs of the passes), and by how much that misses;
/// medians over the rounds that all of them share.
std::optional<PredictedCell> predict(const CellResult& cell, const std::vector<PassCells>& passes) {
  std::vector<int> rounds = cell.rounds;
  double flops = 0;
  for (const PassCells& pass : passes) {
    const auto found = pass.find(cell.cell.topology);
    if (found == pass.end() || found->second->cell.quantities.batch != cell.cell.quantities.batch) {
      return std::nullopt;
    }
    rounds = common_rounds(rounds, found->second->rounds);
    flops += static_cast<double>(found->second->cell.quantities.flops);
  }
  if (rounds.empty()) {
    return std::nullopt;
  }
  std::vector<double> pass_seconds(rounds.size(), 0.0);
  for (const PassCells& pass : passes) {
    const std::vector<double> seconds = seconds_in(*pass.at(cell.cell.topology), rounds);
    std::ranges::transform(pass_seconds, seconds, pass_seconds.begin(), std::plus<>());
  }
  const std::vector<double> measured = seconds_in(cell, rounds);
  std::vector<double> predicted;
  std::vector<double> ratios;
  for (std::size_t r = 0; r < rounds.size(); ++r) {
    predicted.push_back(static_cast<double>(cell.cell.quantities.flops) * pass_seconds[r] / flops);
    ratios.push_back(predicted.back() / measured[r]);
  }
  return PredictedCell{cell.cell.cell, scaling::median(std::move(predicted)),
                       scaling::median(std::move(ratios))};
}

}  // namespace

TimeModel predict_times(const SubjectResult& subject, const std::vector<SubjectResult>& subjects) {
  std::vector<PassCells> passes{cells_of("forward", subjects), cells_of("backward", subjects)};
  TimeModel model;
  model.reference = "forward + backward";
  bool is_reference = subject.subject == "forward" || subject.subject == "backward";
  if (passes[0].empty() || passes[1].empty()) {
    passes = {cells_of("training_step", subjects)};
    model.reference = "training_step";
    is_reference = subject.subject == "training_step";
  }
  if (is_reference && subject.variant.empty()) {
    return model;
  }
  for (const CellResult& cell : subject.cells) {
    if (cell.status == CellStatus::kFailed || cell.cell.quantities.flops == 0) {
      continue;
    }
    if (const std::optional<PredictedCell> predicted = predict(cell, passes)) {
      model.within += static_cast<std::size_t>(std::abs(predicted->ratio - 1) <= kTimeModelWithin);
      model.cells.push_back(*predicted);
    }
  }
  return model;
}

}  // namespace interpscale::study
