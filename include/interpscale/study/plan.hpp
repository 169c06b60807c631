// What a study will measure: axes, presets, and the cells they expand to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

/// A plan is a value: everything that decides what is measured, and nothing else.
struct Plan {
  std::string preset = "quick";
  std::string data = "fashion-mnist";  ///< a data set's name or folder, or "teacher-student"
  std::vector<std::size_t> widths;
  std::vector<std::size_t> depths;    ///< hidden layers
  std::vector<std::size_t> inputs;    ///< d; for 28 x 28 images: 784, 196, 49, 16
  std::vector<std::string> subjects;  ///< "training_step", "zero_ablation:fast", ...
  std::size_t batch = 128;
  int rounds = 5;
  int threads = 1;
  std::string backend = "simd";
  std::string simd_target;
  int path_steps = 32;
  int training_steps = 100;          ///< that each network is trained for before it is analysed
  double cell_budget_seconds = 0.5;  ///< a cell whose declared FLOPs would take longer is left out
  double min_seconds = 0.02;         ///< timed for at least this long, each repetition
  int repetitions = 3;
  std::uint64_t seed = 1;
};

[[nodiscard]] std::vector<std::string> preset_names();
[[nodiscard]] Result<Plan> preset(std::string_view name);
/// An error that names the axis, what was found and what is allowed.
[[nodiscard]] Result<void> validate(const Plan& plan);
[[nodiscard]] nlohmann::ordered_json to_json(const Plan& plan);
[[nodiscard]] Result<Plan> plan_from_json(const nlohmann::ordered_json& json);

/// One problem x one thing to time.
struct Cell {
  std::string name;  ///< the subject's name: unique in a plan
  CellRequest request;
};

/// A problem or subject that the plan names but does not measure, and why.
struct LeftOut {
  std::string name;
  std::string reason;
};

struct Expansion {
  std::vector<nn::Topology> topologies;
  std::vector<Cell> cells;
  std::vector<LeftOut> left_out;  ///< over the time budget, mostly
};

[[nodiscard]] Result<Expansion> expand(const Plan& plan);

}  // namespace interpscale::study
