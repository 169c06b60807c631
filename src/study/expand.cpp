// From a plan to its cells, and what they are assumed to take.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "interpscale/core/checked.hpp"
#include "interpscale/measure/driver.hpp"
#include "interpscale/study/plan.hpp"
#include "study/expand_design.hpp"
#include "study/expand_subjects.hpp"

namespace interpscale::study {
namespace {

/// Of `assumed_slowdown`.
constexpr std::size_t kVectorLength = 16;
constexpr double kHalfRateInputs = 24;
constexpr double kCallSeconds = 1e-6;
/// Overheads of the estimates: reading a network and preparing buffers; starting a child with its
/// limits; loading the data.
constexpr double kPrepareSeconds = 1e-3;
constexpr double kRoundStartSeconds = 1.0;
constexpr double kLoadSeconds = 1.5;

std::vector<Shape> shapes_of(const Plan& plan) {
  if (!plan.shapes.empty()) {
    return plan.shapes;
  }
  std::vector<Shape> shapes;
  for (const std::size_t inputs : plan.inputs) {
    for (const std::size_t depth : plan.depths) {
      for (const std::size_t width : plan.widths) {
        shapes.push_back({inputs, width, depth});
      }
    }
  }
  return shapes;
}

/// What one subject leaves out, by reason: one entry a reason, naming its networks.
class LeftOutOf {
 public:
  explicit LeftOutOf(const SubjectName& subject) : subject_(subject.text()) {}
  void add(const std::string& reason, const nn::Topology& topology) {
    const auto same = std::find_if(reasons_.begin(), reasons_.end(),
                                   [&](const auto& entry) { return entry.first == reason; });
    if (same == reasons_.end()) {
      reasons_.push_back({reason, topology.name()});
    } else {
      same->second += ", " + topology.name();
    }
  }
  void append_to(std::vector<LeftOut>& left_out) const {
    for (const auto& [reason, networks] : reasons_) {
      left_out.push_back({subject_, fmt::format("{}: {}", reason, networks)});
    }
  }

 private:
  std::string subject_;
  std::vector<std::pair<std::string, std::string>> reasons_;
};

/// All cells of one subject within the plan's floor and budget; the others go to `left_out`.
Result<std::vector<Cell>> affordable_cells(const SubjectName& subject, const Plan& plan,
                                           const std::vector<nn::Topology>& topologies,
                                           LeftOutOf& left_out) {
  const Setting setting = setting_of(plan);
  std::vector<Cell> cells;
  for (const nn::Topology& topology : topologies) {
    CellRequest request{subject.subject, subject.variant, topology, plan.batch, {}};
    const Result<measure::Subject> made = make_subject(request, setting, nullptr);
    if (!made) {
      return tl::unexpected(made.error());
    }
    const std::uint64_t flops = made->quantities.flops;
    const double seconds = assumed_seconds(flops, topology, plan.batch);
    if (seconds < plan.cell_floor_seconds) {
      left_out.add(fmt::format("below the floor of {:.2g} s", plan.cell_floor_seconds), topology);
    } else if (seconds > plan.cell_budget_seconds) {
      left_out.add(fmt::format("above the budget of {:.2g} s", plan.cell_budget_seconds), topology);
    } else {
      cells.push_back({made->name, std::move(request), flops});
    }
  }
  return cells;
}

/// Moves what a choice drops to `left_out`.
std::vector<Cell> keep(std::vector<Cell> cells, const std::vector<std::size_t>& kept,
                       const std::string& reason, LeftOutOf& left_out) {
  std::vector<Cell> result;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (std::binary_search(kept.begin(), kept.end(), i)) {
      result.push_back(std::move(cells[i]));
    } else {
      left_out.add(reason, cells[i].request.topology);
    }
  }
  return result;
}

std::vector<DesignPoint> design_points(const std::vector<Cell>& cells, const Plan& plan,
                                       const Shape& family) {
  std::vector<DesignPoint> points;
  for (const Cell& cell : cells) {
    const nn::Topology& topology = cell.request.topology;
    points.push_back(design_point(topology, assumed_round_seconds(cell, plan),
                                  assumed_slowdown(topology, plan.batch)));
    points.back().in_family =
        topology.inputs == family.inputs && topology.hidden.size() == family.depth;
  }
  return points;
}

/// The inputs and depth that most of the plan's shapes share (ties: fewer inputs, then fewer
/// layers); its width is not used.
Shape family_of(const std::vector<Shape>& shapes) {
  std::map<std::pair<std::size_t, std::size_t>, int> members;
  for (const Shape& shape : shapes) {
    ++members[{shape.inputs, shape.depth}];
  }
  const auto largest =
      std::max_element(members.begin(), members.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return {.inputs = largest->first.first, .width = 0, .depth = largest->first.second};
}

/// Chooses among a subject's cells, `fewest` of them at least: without the slow ones, then thinned
/// to the plan's bounds.
std::vector<Cell> design_of(const SubjectName& subject, const Plan& plan, std::vector<Cell> cells,
                            std::size_t fewest, LeftOutOf& left_out) {
  const Shape family = family_of(shapes_of(plan));
  if (!plan.shapes.empty()) {
    const std::vector<std::size_t> kept = without_slow(design_points(cells, plan, family), fewest);
    cells =
        keep(std::move(cells), kept, "products too small to run at the machine's rate", left_out);
  }
  if (subject.subject != "training_step") {
    const std::vector<std::size_t> kept = thinned(
        design_points(cells, plan, family),
        {.seconds = plan.subject_seconds, .most = plan.cells_per_subject, .fewest = fewest});
    cells =
        keep(std::move(cells), kept, "adds little to the design for the time it takes", left_out);
  }
  return cells;
}

double decades_of_parameters(const std::vector<Cell>& cells) {
  double least = HUGE_VAL;
  double most = 0.0;
  for (const Cell& cell : cells) {
    const auto parameters = static_cast<double>(cell.request.topology.parameters());
    least = std::min(least, parameters);
    most = std::max(most, parameters);
  }
  return cells.empty() ? 0.0 : std::log10(most / least);
}

bool tells_a_law(const std::vector<Cell>& cells) {
  return cells.size() >= kFewestCells && decades_of_parameters(cells) >= kFewestDecadesOfALaw;
}

/// The design on networks that are not narrow, where it tells a law; else that on all. (What the
/// machine loses in short rows bends exponents away from the algorithm's.)
std::vector<Cell> widest_design(const SubjectName& subject, const Plan& plan,
                                std::vector<Cell> cells, LeftOutOf& left_out) {
  const auto is_narrow = [](const Cell& cell) {
    return cell.request.topology.hidden.front() < kNarrow;
  };
  std::vector<Cell> wide;
  LeftOutOf left_out_of_wide = left_out;
  for (const Cell& cell : cells) {
    if (is_narrow(cell)) {
      left_out_of_wide.add("narrow: wider networks tell a law", cell.request.topology);
    } else {
      wide.push_back(cell);
    }
  }
  const bool has_narrow = !plan.shapes.empty() && wide.size() < cells.size();
  if (has_narrow) {
    std::vector<Cell> design =
        design_of(subject, plan, std::move(wide), kFewestCells, left_out_of_wide);
    if (tells_a_law(design)) {
      left_out = std::move(left_out_of_wide);
      return design;
    }
  }
  return design_of(subject, plan, std::move(cells), has_narrow ? kFewestNarrowCells : kFewestCells,
                   left_out);
}

/// In a preset, a subject that is too dear for enough networks is not measured at all: its few
/// cells would take their time and tell no exponent. A plan that asks for subjects by name gets
/// them.
std::vector<Cell> with_a_law(const Plan& plan, std::vector<Cell> cells, LeftOutOf& left_out) {
  if (plan.shapes.empty() || !plan.subjects.empty() || tells_a_law(cells)) {
    return cells;
  }
  const double decades = decades_of_parameters(cells);
  return keep(
      std::move(cells), {},
      fmt::format("{} cells over {:.2g} decades of N are too few for a law", cells.size(), decades),
      left_out);
}

}  // namespace

double assumed_slowdown(const nn::Topology& topology, std::size_t batch) {
  double weighted = 0;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    const auto fan_in = static_cast<double>(topology.fan_in(layer));
    const std::size_t fan_out = topology.fan_out(layer);
    weighted += (fan_in + 1) * static_cast<double>(round_up(fan_out, kVectorLength)) *
                (1 + kHalfRateInputs / fan_in);
  }
  const auto parameters = static_cast<double>(topology.parameters());
  const double pass = 2 * parameters * static_cast<double>(batch) / kAssumedFlopsPerSecond;
  return weighted / parameters + static_cast<double>(topology.layers()) * kCallSeconds / pass;
}

double assumed_seconds(std::uint64_t flops, const nn::Topology& topology, std::size_t batch) {
  return static_cast<double>(flops) * assumed_slowdown(topology, batch) / kAssumedFlopsPerSecond;
}

double assumed_round_seconds(const Cell& cell, const Plan& plan) {
  const double run = assumed_seconds(cell.dense_flops, cell.request.topology, plan.batch);
  if (run >= measure::kLongRunSeconds) {
    return kPrepareSeconds + 2 * run;
  }
  const double repetition = std::max(run, plan.min_seconds);
  return kPrepareSeconds + std::max(run, plan.warm_up_seconds) + plan.repetitions * repetition;
}

double assumed_study_seconds(const Expansion& expansion, const Plan& plan) {
  double total = kLoadSeconds + kRoundStartSeconds * plan.rounds + assumed_trainings_seconds(plan) +
                 assumed_experiments_seconds(plan);
  for (const nn::Topology& topology : expansion.topologies) {
    const std::uint64_t step = 6 * topology.parameters() * plan.batch;
    total += assumed_seconds(step * static_cast<std::uint64_t>(plan.training_steps), topology,
                             plan.batch);
  }
  for (const Cell& cell : expansion.cells) {
    total += kAssumedVerificationSeconds + assumed_round_seconds(cell, plan) * plan.rounds;
  }
  return total;
}

double design_vif(std::span<const nn::Topology> topologies) {
  std::vector<DesignPoint> points;
  for (const nn::Topology& topology : topologies) {
    points.push_back(design_point(topology, 0, 1));
  }
  return variance_inflation(points);
}

Result<Expansion> expand(const Plan& plan) {
  if (const Result<void> valid = validate(plan); !valid) {
    return tl::unexpected(valid.error());
  }
  std::vector<nn::Topology> topologies;
  for (const Shape& shape : shapes_of(plan)) {
    topologies.push_back({.inputs = shape.inputs,
                          .hidden = std::vector<std::size_t>(shape.depth, shape.width),
                          .outputs = kStudyClasses,
                          .activation = kernels::Activation::kRelu});
  }
  const Result<std::vector<SubjectName>> subjects = subjects_of(plan);
  if (!subjects) {
    return tl::unexpected(subjects.error());
  }
  Expansion expansion;
  for (const SubjectName& subject : *subjects) {
    LeftOutOf left_out(subject);
    Result<std::vector<Cell>> affordable = affordable_cells(subject, plan, topologies, left_out);
    if (!affordable) {
      return tl::unexpected(affordable.error());
    }
    std::vector<Cell> design = widest_design(subject, plan, std::move(*affordable), left_out);
    for (Cell& cell : with_a_law(plan, std::move(design), left_out)) {
      expansion.cells.push_back(std::move(cell));
    }
    left_out.append_to(expansion.left_out);
  }
  for (const nn::Topology& topology : topologies) {
    const bool used =
        std::any_of(expansion.cells.begin(), expansion.cells.end(),
                    [&](const Cell& cell) { return cell.request.topology == topology; });
    if (used) {
      expansion.topologies.push_back(topology);
    }
  }
  if (expansion.cells.empty()) {
    return fail("plan: no cell is left; the first reason: {}: {}", expansion.left_out.front().name,
                expansion.left_out.front().reason);
  }
  return expansion;
}

}  // namespace interpscale::study
