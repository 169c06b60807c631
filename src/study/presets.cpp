// The presets' designs. Widths and depths are crossed with slanted cells (deep and narrow, shallow
// and wide, few and many inputs), so that N and n come apart; tiny networks are there for the
// variants that grow with n^2 or N^2, which can afford no others, and fall below the floor of the
// cheap ones.
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "interpscale/study/plan.hpp"

namespace interpscale::study {
namespace {

/// {inputs, width, depth}, from the smallest to the largest.
std::vector<Shape> small_shapes() {
  return {{16, 2, 1},   {784, 2, 1}, {16, 4, 1},   {196, 4, 1},  {16, 8, 1},   {49, 8, 1},
          {196, 8, 1},  {784, 8, 1}, {16, 8, 4},   {784, 8, 4},  {16, 8, 12},  {784, 16, 1},
          {16, 16, 4},  {16, 32, 1}, {16, 32, 3},  {784, 32, 1}, {196, 32, 4}, {16, 64, 1},
          {784, 64, 1}, {49, 64, 4}, {49, 64, 12}, {196, 128, 1}};
}

std::vector<Shape> with(std::vector<Shape> shapes, const std::vector<Shape>& more) {
  shapes.insert(shapes.end(), more.begin(), more.end());
  return shapes;
}

Plan quick() {
  Plan plan;
  plan.preset = "quick";
  plan.shapes = with(
      small_shapes(),
      {{784, 128, 3}, {49, 128, 8}, {784, 256, 1}, {196, 256, 3}, {784, 512, 1}, {196, 512, 3}});
  plan.rounds = 5;
  plan.path_steps = 8;
  plan.training_steps = 60;
  plan.cell_floor_seconds = 20e-6;
  plan.cell_budget_seconds = 0.1;
  plan.subject_seconds = 0.12;
  plan.cells_per_subject = 10;
  plan.min_seconds = 0.003;
  plan.warm_up_seconds = 0.001;
  plan.repetitions = 1;
  return plan;
}

Plan standard() {
  Plan plan = quick();
  plan.preset = "standard";
  plan.shapes = with(plan.shapes,
                     {{784, 64, 8}, {784, 256, 6}, {49, 512, 2}, {784, 1024, 1}, {196, 1024, 2}});
  plan.rounds = 9;
  plan.path_steps = 32;
  plan.training_steps = 100;
  plan.cell_budget_seconds = 0.5;
  plan.subject_seconds = 1.2;
  plan.cells_per_subject = 14;
  plan.min_seconds = 0.01;
  plan.warm_up_seconds = 0.005;
  plan.repetitions = 3;
  return plan;
}

Plan full() {
  Plan plan = standard();
  plan.preset = "full";
  plan.shapes = with(plan.shapes, {{784, 1024, 4}, {784, 2048, 1}, {196, 256, 12}});
  plan.rounds = 15;
  plan.cell_budget_seconds = 2;
  plan.subject_seconds = 5;
  plan.cells_per_subject = 20;
  plan.min_seconds = 0.05;
  plan.warm_up_seconds = 0.02;
  return plan;
}

constexpr std::array kPresets = {std::pair{"quick", &quick}, std::pair{"standard", &standard},
                                 std::pair{"full", &full}};

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : kPresets) {
    names.emplace_back(name);
  }
  return names;
}

Result<Plan> preset(std::string_view name) {
  for (const auto& [known, make] : kPresets) {
    if (name == known) {
      return make();
    }
  }
  return fail("preset '{}' is unknown; known are {}", name, fmt::join(preset_names(), ", "));
}

}  // namespace interpscale::study
