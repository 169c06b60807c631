// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/argument.hpp"

#include "interpscale/core/makers.hpp"

namespace interpscale::experiments {
namespace {

ArgumentScale none() {
  return {};
}

ArgumentScale quick() {
  return {.name = "quick",
          .widths = {16, 24, 32, 48},
          .seeds = 2,
          .training_examples = 12000,
          .training_epochs = 3,
          .fit_examples = 3000,
          .test_examples = 2000,
          .clusters = 4,
          .shuffles = 50,
          .lesion_sets = 20,
          .surrogate_sizes = {1, 4, 16},
          .permutations = 99};
}

ArgumentScale standard() {
  return {.name = "standard",
          .widths = {32, 64, 96, 128, 192, 256},
          .seeds = 3,
          .training_examples = 60000,
          .training_epochs = 6,
          .fit_examples = 8000,
          .test_examples = 4000,
          .clusters = 8,
          .shuffles = 50,
          .lesion_sets = 50,
          .surrogate_sizes = {1, 2, 4, 8, 16},
          .permutations = 199};
}

constexpr Makers<ArgumentScale, 3> kScales = {
    {{"none", &none}, {"quick", &quick}, {"standard", &standard}}};

}  // namespace

std::vector<std::string> argument_scale_names() {
  return names_of(kScales);
}

Result<ArgumentScale> argument_scale(std::string_view name) {
  return make_by_name(kScales, "scale of experiments", name);
}

}  // namespace interpscale::experiments
