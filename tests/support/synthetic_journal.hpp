// A journal with planted laws, as a study would have written it: log-normal noise, a common factor
// for each round, and cells whose N and n can be told apart.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "interpscale/nn/topology.hpp"
#include "interpscale/study/records.hpp"

namespace interpscale::study::synthetic {

/// T = coefficient N^parameters n^neurons, and FLOPs of the same form.
struct Law {
  std::string subject;
  std::string variant;
  double coefficient = 0;
  double parameters = 0;
  double neurons = 0;
};

inline std::vector<nn::Topology> topologies() {
  std::vector<nn::Topology> all;
  for (const std::size_t inputs : {16U, 784U}) {
    for (const std::size_t width : {16U, 64U, 256U}) {
      for (const std::size_t depth : {1U, 4U, 12U}) {
        all.push_back({inputs, std::vector<std::size_t>(depth, width), 10});
      }
    }
  }
  return all;
}

inline double planted(const Law& law, const nn::Topology& topology) {
  return law.coefficient * std::pow(static_cast<double>(topology.parameters()), law.parameters) *
         std::pow(static_cast<double>(topology.neurons()), law.neurons);
}

inline std::string cell_name(const Law& law, const nn::Topology& topology) {
  return fmt::format("{}/{}/{}/d:{}/w:{}/L:{}", law.variant.empty() ? "pass" : "method",
                     law.subject, law.variant.empty() ? "-" : law.variant, topology.inputs,
                     topology.hidden.front(), topology.hidden.size());
}

inline RoundRecord round_record(int number) {
  RoundRecord round;
  round.round = number;
  round.environment.cpu = "Synthetic CPU";
  round.environment.revision = "0123abcd";
  round.limits.flops_per_second = 1e11;
  round.limits.bandwidths = {{"L1", 32 << 10, 2e11}, {"memory", 1 << 30, 2e10}};
  round.backend = "simd";
  round.simd_target = "AVX2";
  return round;
}

/// `noise`: standard deviation of a log time within a round; rounds differ by 3 %.
inline StudyJournal journal(const std::vector<Law>& laws, double noise, int rounds = 5) {
  StudyJournal made;
  made.plan.preset = "synthetic";
  made.plan.rounds = rounds;
  std::mt19937_64 engine(20261123);
  std::normal_distribution<double> normal;
  for (const nn::Topology& topology : topologies()) {
    made.networks.push_back({topology.name(), 2.3, 0.5, 0.8, 1.0, {0.5}, {100}});
  }
  for (const Law& law : laws) {
    for (const nn::Topology& topology : topologies()) {
      CellRecord cell;
      cell.cell = cell_name(law, topology);
      cell.subject = law.subject;
      cell.variant = law.variant;
      cell.topology = topology.name();
      cell.depth = topology.hidden.size();
      cell.width = topology.hidden.front();
      cell.quantities = {topology.parameters(),
                         topology.neurons(),
                         128,
                         topology.inputs,
                         static_cast<std::uint64_t>(5e10 * planted(law, topology)) + 1,
                         4 * topology.parameters()};
      cell.status = "ok";
      made.cells.push_back(cell);
    }
  }
  for (int round = 0; round < rounds; ++round) {
    made.rounds.push_back(round_record(round));
    const double common = 0.03 * normal(engine);
    for (const Law& law : laws) {
      for (const nn::Topology& topology : topologies()) {
        TimingRecord timing;
        timing.round = round;
        timing.cell = cell_name(law, topology);
        timing.status = "ok";
        timing.seconds = planted(law, topology) * std::exp(common + noise * normal(engine));
        made.timings.push_back(timing);
      }
    }
  }
  return made;
}

/// Training linear in N; one method that keeps up, one that does not.
inline std::vector<Law> laws() {
  return {{"training_step", "", 1e-9, 1.0, 0.0},
          {"backward", "", 6e-10, 1.0, 0.0},
          {"forward", "", 3e-10, 1.0, 0.0},
          {"gradient_x_activation", "fast", 7e-10, 1.0, 0.0},
          {"zero_ablation", "naive", 2e-10, 1.0, 1.0}};
}

}  // namespace interpscale::study::synthetic
