// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "interpscale/methods/registry.hpp"
#include "study/expand_subjects.hpp"
#include "support/catch.hpp"

namespace interpscale::study {
namespace {

using Catch::Matchers::Contains;

Plan crossed_plan() {
  Plan plan;
  plan.widths = {8, 16};
  plan.depths = {1, 2};
  plan.inputs = {16, 49};
  plan.subjects = {"forward", "backward"};
  return plan;
}

std::string validation_error(const std::function<void(Plan&)>& change) {
  Plan plan = crossed_plan();
  change(plan);
  const Result<void> valid = validate(plan);
  return valid ? "" : valid.error().message;
}

/// Cells by "subject:variant".
std::map<std::string, std::vector<nn::Topology>> designs(const Expansion& expansion) {
  std::map<std::string, std::vector<nn::Topology>> result;
  for (const Cell& cell : expansion.cells) {
    result[cell.request.subject + ":" + cell.request.variant].push_back(cell.request.topology);
  }
  return result;
}

double decades_of_parameters(const std::vector<nn::Topology>& topologies) {
  const auto fewer = [](const nn::Topology& a, const nn::Topology& b) {
    return a.parameters() < b.parameters();
  };
  const auto [low, high] = std::minmax_element(topologies.begin(), topologies.end(), fewer);
  return std::log10(static_cast<double>(high->parameters()) /
                    static_cast<double>(low->parameters()));
}

}  // namespace

TEST_CASE("plan: every preset is valid and is called by its name", "[study][plan]") {
  CHECK(preset_names() ==
        std::vector<std::string>{"quick", "standard", "full", "argument", "argument-quick"});
  for (const std::string& name : preset_names()) {
    const Result<Plan> plan = preset(name);
    REQUIRE(plan);
    CHECK(plan->preset == name);
    CHECK(validate(*plan));
  }
}

TEST_CASE("plan: an unknown preset is answered with the known ones", "[study][plan]") {
  const Result<Plan> plan = preset("fast");
  REQUIRE_FALSE(plan);
  CHECK(plan.error().message ==
        "preset 'fast' is unknown; known are quick, standard, full, argument, "
        "argument-quick");
}

TEST_CASE("plan: every subject's design tells N from n, in every preset", "[study][plan]") {
  const std::string name = GENERATE("quick", "standard", "full");
  const Plan plan = *preset(name);
  const Result<Expansion> expansion = expand(plan);
  REQUIRE(expansion);
  const auto cells = designs(*expansion);
  // None is too dear for a law.
  CHECK(cells.size() == subjects_of(plan)->size());
  for (const char* subject : {"training_step:", "zero_ablation:naive", "zero_ablation:fast",
                              "layer_conductance:naive", "neuron_gradient:naive"}) {
    CHECK(cells.contains(subject));
  }
  for (const auto& [subject, topologies] : cells) {
    INFO(name << ": " << subject << ", " << topologies.size() << " cells, VIF "
              << design_vif(topologies) << ", " << decades_of_parameters(topologies) << " decades");
    CHECK(topologies.size() >= 8);
    CHECK(design_vif(topologies) <= 8);
    CHECK(decades_of_parameters(topologies) >= 1.5);
  }
}

TEST_CASE("plan: presets keep to the time they promise", "[study][plan]") {
  // 90 seconds, 15 minutes and 90 minutes, less what machines differ by and deviating cells take
  // (the standard study's cells take half of what is assumed of them, its kernels a minute and a
  // half); of the argument 45 minutes and 3.
  const auto [name, seconds] =
      GENERATE(std::pair{"quick", 70.0}, std::pair{"standard", 800.0}, std::pair{"full", 4800.0},
               std::pair{"argument", 2400.0}, std::pair{"argument-quick", 150.0});
  const Plan plan = *preset(name);
  const Result<Expansion> expansion = expand(plan);
  REQUIRE(expansion);
  INFO(name << ": " << expansion->cells.size() << " cells, " << expansion->topologies.size()
            << " networks");
  CHECK(assumed_study_seconds(*expansion, plan) <= seconds);
}

TEST_CASE("plan: JSON gives the same plan back", "[study][plan]") {
  for (const std::string& name : preset_names()) {
    Plan plan = *preset(name);
    plan.seed = 18446744073709551615U;
    plan.subjects = {"forward"};
    const Result<Plan> read = plan_from_json(nlohmann::ordered_json::parse(to_json(plan).dump()));
    REQUIRE(read);
    CHECK(first_difference(plan, *read).empty());
    CHECK(read->shapes == plan.shapes);
    CHECK(read->seed == plan.seed);
  }
}

TEST_CASE("plan: a wrong field of its JSON is named", "[study][plan]") {
  nlohmann::ordered_json json = to_json(crossed_plan());
  SECTION("missing") {
    json.erase("widths");
    CHECK_THAT(plan_from_json(json).error().message, Contains("field 'widths' is missing"));
  }
  SECTION("of another type") {
    json["widths"][1] = -3;
    CHECK_THAT(plan_from_json(json).error().message,
               Contains("field 'widths[1]': found -3, wanted a whole number, 0 or more"));
  }
  SECTION("too large for its type") {
    json["rounds"] = 3'000'000'000;
    CHECK_THAT(plan_from_json(json).error().message, Contains("field 'rounds': found 3000000000"));
  }
  SECTION("unknown") {
    json["colour"] = "red";
    CHECK_FALSE(plan_from_json(json));
  }
  SECTION("no object at all") {
    CHECK_FALSE(plan_from_json(nlohmann::ordered_json::array()));
  }
}

TEST_CASE("plan: the first difference of two plans is named with both values", "[study][plan]") {
  Plan other = crossed_plan();
  CHECK(first_difference(crossed_plan(), other).empty());
  other.rounds = 9;
  other.seed = 2;
  CHECK(first_difference(crossed_plan(), other) == "rounds: 5 in the first, 9 in the second");
}

TEST_CASE("plan: absurd axes are refused by name", "[study][plan]") {
  CHECK(validation_error([](Plan&) {}).empty());
  CHECK_THAT(validation_error([](Plan& plan) {
               plan.widths = {8, 0};
             }),
             Contains("widths is 0, wanted 1 to 16384"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.widths = {1'000'000'000}; }),
             Contains("widths is 1000000000, wanted"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.depths.clear(); }),
             Contains("must each name at least one size"));
  CHECK_THAT(validation_error([](Plan& plan) {
               plan.depths = {3, 1, 3};
             }),
             Contains("depths names a size twice"));
  CHECK_THAT(validation_error([](Plan& plan) {
               plan.shapes = {{16, 8, 1}};
             }),
             Contains("give one or the other"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.rounds = 0; }), Contains("rounds is 0"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.threads = 0; }), Contains("threads is 0"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.batch = 0; }), Contains("batch is 0"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.min_seconds = std::nan(""); }),
             Contains("min_seconds is nan"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.backend = "cuda"; }),
             Contains("backend is 'cuda', wanted one of: simd"));
  CHECK_THAT(validation_error([](Plan& plan) { plan.subjects = {"backwards"}; }),
             Contains("subject 'backwards' is unknown; known are forward"));
}

TEST_CASE("plan: absurd training tasks are refused by name", "[study][plan][training]") {
  const TrainingTask good = training_design("smoke")->front();
  const auto error = [&](const std::function<void(TrainingTask&)>& change) {
    return validation_error([&](Plan& plan) {
      TrainingTask task = good;
      change(task);
      plan.trainings = {task};
    });
  };
  CHECK(error([](TrainingTask&) {}).empty());
  CHECK_THAT(error([](TrainingTask& task) { task.kind = "guessing"; }),
             Contains("teacher-d4: kind is 'guessing', wanted 'regression' or 'classification'"));
  CHECK_THAT(error([](TrainingTask& task) {
               task.run_steps = {32, 16};
             }),
             Contains("teacher-d4: run_steps must name at least one size, ascending"));
  CHECK_THAT(error([](TrainingTask& task) { task.widths.clear(); }),
             Contains("teacher-d4: widths must name"));
  CHECK_THAT(error([](TrainingTask& task) { task.seeds = 0; }), Contains("seeds is 0"));
  CHECK_THAT(error([](TrainingTask& task) { task.middle_rate = std::nan(""); }),
             Contains("middle_rate is nan"));
  CHECK_THAT(validation_error([&](Plan& plan) {
               plan.trainings = {good, good};
             }),
             Contains("the name 'teacher-d4' is empty or stands twice"));
}

TEST_CASE("plan: the presets train over about two decades of N, on the family's networks",
          "[study][plan][training]") {
  CHECK(preset("quick")->trainings.empty());
  for (const char* name : {"standard", "full"}) {
    const Plan plan = preset(name).value();
    for (const TrainingTask& task : plan.trainings) {
      const auto size = [&](std::size_t width) {
        return nn::Topology{.inputs = task.inputs,
                            .hidden = std::vector<std::size_t>(task.depth, width),
                            .outputs = task.kind == kRegression ? 1 : kStudyClasses};
      };
      INFO(name << ": " << task.name);
      CHECK(decades_of_parameters({size(task.widths.front()), size(task.widths.back())}) >=
            (std::string(name) == "full" ? 2.0 : 1.2));
      if (task.kind == kClassification) {
        for (const std::size_t width : task.widths) {
          const std::vector<Shape> shapes = preset(name)->shapes;
          CHECK(std::count(shapes.begin(), shapes.end(), Shape{task.inputs, width, task.depth}) ==
                1);
        }
      }
    }
  }
}

TEST_CASE("plan: explicit axes give the full crossing", "[study][plan]") {
  const Result<Expansion> expansion = expand(crossed_plan());
  REQUIRE(expansion);
  CHECK(expansion->cells.size() == 2 * 2 * 2 * 2);
  CHECK(expansion->topologies.size() == 2 * 2 * 2);
  CHECK(expansion->left_out.empty());
  std::set<std::string> names;
  for (const Cell& cell : expansion->cells) {
    names.insert(cell.name);
    CHECK(cell.dense_flops > 0);
  }
  CHECK(names.size() == expansion->cells.size());
}

TEST_CASE("plan: networks over the budget are left out, with the reason", "[study][plan]") {
  Plan plan = crossed_plan();
  plan.subjects = {"training_step"};
  plan.widths = {8, 256};
  // Between the widest narrow network (49-8-8-10) and the smallest wide one (16-256-10).
  const nn::Topology narrow{.inputs = 49, .hidden = {8, 8}, .outputs = 10};
  const nn::Topology wide{.inputs = 16, .hidden = {256}, .outputs = 10};
  plan.cell_budget_seconds =
      std::sqrt(assumed_seconds(6 * plan.batch * narrow.parameters(), narrow, plan.batch) *
                assumed_seconds(4 * plan.batch * wide.parameters(), wide, plan.batch));
  const Result<Expansion> expansion = expand(plan);
  REQUIRE(expansion);
  CHECK(expansion->cells.size() == 4);
  CHECK(expansion->topologies.size() == 4);
  REQUIRE(expansion->left_out.size() == 1);
  CHECK(expansion->left_out[0].name == "training_step");
  CHECK_THAT(expansion->left_out[0].reason, Contains("above the budget") &&
                                                Contains("16-256-10/relu, ") &&
                                                Contains("49-256-256-10/relu"));
}

TEST_CASE("plan: a study without any cell is an error with a reason", "[study][plan]") {
  Plan plan = crossed_plan();
  plan.cell_budget_seconds = 1e-9;
  const Result<Expansion> expansion = expand(plan);
  REQUIRE_FALSE(expansion);
  CHECK_THAT(expansion.error().message, Contains("no cell is left") && Contains("budget"));
}

TEST_CASE("plan: thinning spares the training step, eight cells and their range", "[study][plan]") {
  Plan plan = crossed_plan();
  plan.inputs = {16, 49, 196, 784};
  plan.widths = {8, 32, 128};
  plan.depths = {1, 2, 4};
  plan.subjects = {"training_step", "forward"};
  plan.cells_per_subject = 4;
  const Result<Expansion> expansion = expand(plan);
  REQUIRE(expansion);
  const auto cells = designs(*expansion);
  CHECK(cells.at("training_step:").size() == 36);
  const std::vector<nn::Topology>& kept = cells.at("forward:");
  CHECK(kept.size() == 8);
  CHECK(design_vif(kept) <= 8);
  CHECK(decades_of_parameters(kept) >= 1.6);
}

TEST_CASE("plan: variance inflation is infinite where N and n do not come apart", "[study][plan]") {
  const auto topology = [](std::size_t inputs, std::size_t width) {
    return nn::Topology{.inputs = inputs, .hidden = {width}, .outputs = 10};
  };
  const std::vector<nn::Topology> same_neurons = {topology(16, 8), topology(49, 8),
                                                  topology(784, 8)};
  CHECK(std::isinf(design_vif(same_neurons)));
  const std::vector<nn::Topology> too_few = {topology(16, 8), topology(784, 32)};
  CHECK(std::isinf(design_vif(too_few)));
  // The corners of a square in log n and, nearly, log N.
  const std::vector<nn::Topology> square = {topology(19, 64), topology(390, 64), topology(19, 128),
                                            topology(390, 128)};
  CHECK(design_vif(square) < 1.2);
  CHECK(design_vif(square) >= 1.0);
}

}  // namespace interpscale::study
