// The presets' designs: three hidden layers or more, so that products between hidden layers
// dominate even where an analysis restarts behind the first (with two, a suffix is all rank-one
// updates and a narrow read-out, at half the share of peak); widths crossed with depths and input
// sizes, with slanted networks (deep and narrow, shallow and wide, few and many inputs) so that N
// and n come apart. The narrowest are there for the variants that grow with n N, which can afford
// few others, and fall below the floor of the cheap ones. SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/makers.hpp"
#include "interpscale/study/plan.hpp"
#include "study/expand_subjects.hpp"

namespace interpscale::study {
namespace {

/// Nine rounds of the standard study and what comes before them stay within a quarter of an hour.
constexpr double kStandardRoundSeconds = 88;
constexpr double kFullRoundSeconds = 160;

/// {inputs, width, depth}: first the family in which width alone grows, then the slanted ones.
std::vector<Shape> common_shapes() {
  return {{49, 32, 3},   {49, 48, 3},   {49, 64, 3},   {49, 96, 3},   {49, 128, 3}, {49, 192, 3},
          {49, 256, 3},  {49, 384, 3},  {784, 32, 3},  {784, 64, 3},  {49, 64, 12}, {49, 32, 12},
          {784, 64, 12}, {784, 128, 3}, {196, 128, 6}, {49, 128, 12}, {784, 256, 3}};
}

/// Small enough for the variants that grow with N^2 or n^2 N (edge_pruning, naive
/// pairwise_ablation) to afford a decade and a half of N. Variants that can afford it on wider
/// networks stay there.
std::vector<Shape> narrow_shapes() {
  return {{16, 6, 3},  {16, 8, 3},   {49, 8, 3},   {49, 12, 3}, {49, 16, 3},  {49, 24, 3},
          {784, 8, 3}, {784, 12, 3}, {16, 16, 12}, {16, 16, 3}, {196, 16, 3}, {784, 16, 3}};
}

std::vector<Shape> with(std::vector<Shape> shapes, const std::vector<Shape>& more) {
  shapes.insert(shapes.end(), more.begin(), more.end());
  return shapes;
}

/// What a round may take, shared out evenly among all subjects there are: a new method takes its
/// share from the others, not more time.
double share_of_round(double seconds) {
  return seconds / static_cast<double>(all_subjects().size());
}

/// A look at each kind of analysis, in about a minute; the other presets measure all there are.
std::vector<std::string> quick_subjects() {
  return {"forward",
          "backward",
          "training_step",
          "training_step_adam",
          "activation_statistics",
          "gradient_x_activation",
          "layer_conductance",
          "neuron_gradient",
          "zero_ablation"};
}

Plan quick() {
  Plan plan;
  plan.preset = "quick";
  plan.shapes = common_shapes();
  plan.subjects = quick_subjects();
  plan.rounds = 5;
  plan.path_steps = 2;
  plan.permutations = 2;
  plan.training_steps = 60;
  plan.cell_floor_seconds = 30e-6;
  plan.cell_budget_seconds = 0.9;
  plan.subject_seconds = 0.3;
  plan.cells_per_subject = 16;
  plan.min_seconds = 0.005;
  plan.warm_up_seconds = 0.002;
  plan.repetitions = 1;
  return plan;
}

Plan standard() {
  Plan plan = quick();
  plan.preset = "standard";
  plan.subjects.clear();
  plan.shapes =
      with(plan.shapes,
           {{49, 512, 3}, {49, 768, 3}, {784, 512, 3}, {196, 256, 8}, {49, 256, 12}, {49, 512, 6}});
  plan.shapes = with(plan.shapes, narrow_shapes());
  plan.rounds = 9;
  plan.kernel_rounds = 3;  // in one round, a kernel in some hundred takes twice its time
  plan.training_steps = 100;
  plan.cell_budget_seconds = 0.7;
  plan.subject_seconds = share_of_round(kStandardRoundSeconds);
  plan.trainings = *training_design("standard");
  plan.cells_per_subject = 23;
  plan.min_seconds = 0.01;
  plan.warm_up_seconds = 0.002;
  return plan;
}

Plan full() {
  Plan plan = standard();
  plan.preset = "full";
  plan.shapes = with(plan.shapes, {{784, 1024, 4}, {784, 2048, 3}, {196, 256, 12}});
  plan.rounds = 12;
  plan.path_steps = 8;
  plan.cell_budget_seconds = 3;
  plan.subject_seconds = share_of_round(kFullRoundSeconds);
  plan.trainings = *training_design("full");
  plan.cells_per_subject = 26;
  plan.min_seconds = 0.05;
  plan.warm_up_seconds = 0.02;
  return plan;
}

/// The experiments of the argument, and beside them the passes that training consists of.
Plan argument() {
  Plan plan = quick();
  plan.preset = "argument";
  plan.subjects = {"forward", "backward", "training_step"};
  plan.experiments = "standard";
  return plan;
}

Plan argument_quick() {
  Plan plan = argument();
  plan.preset = "argument-quick";
  plan.rounds = 3;
  plan.experiments = "quick";
  return plan;
}

constexpr Makers<Plan, 5> kPresets = {{{"quick", &quick},
                                       {"standard", &standard},
                                       {"full", &full},
                                       {"argument", &argument},
                                       {"argument-quick", &argument_quick}}};

}  // namespace

std::vector<std::string> preset_names() {
  return names_of(kPresets);
}

Result<Plan> preset(std::string_view name) {
  return make_by_name(kPresets, "preset", name);
}

}  // namespace interpscale::study
