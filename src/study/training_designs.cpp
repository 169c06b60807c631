// The presets' training tasks. docs/training.md says what the extents follow from.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/makers.hpp"
#include "interpscale/study/plan.hpp"

namespace interpscale::study {
namespace {

/// Best rates of early sweeps at width 16.
constexpr double kAdamRate = 0.02;
constexpr double kSgdRate = 0.1;

/// `count` run lengths, each twice the one before, the last of `longest` steps.
std::vector<std::size_t> doubling_to(std::size_t longest, int count) {
  std::vector<std::size_t> lengths(static_cast<std::size_t>(count));
  for (auto length = lengths.rbegin(); length != lengths.rend(); ++length, longest /= 2) {
    *length = longest;
  }
  return lengths;
}

TrainingTask regression(std::size_t inputs, std::vector<std::size_t> widths, std::size_t longest,
                        int lengths) {
  return {.name = fmt::format("teacher-d{}", inputs),
          .kind = std::string(kRegression),
          .inputs = inputs,
          .depth = 2,
          .widths = std::move(widths),
          .run_steps = doubling_to(longest, lengths),
          .seeds = 3,
          .middle_rate = kAdamRate,
          .sweep_steps = longest / 8};
}

/// On the networks of the study's family, so that a tax divides times of the same network.
TrainingTask classification(std::vector<std::size_t> widths, std::size_t longest, int lengths,
                            int seeds) {
  return {.name = "images-d49",
          .kind = std::string(kClassification),
          .inputs = 49,
          .depth = 3,
          .widths = std::move(widths),
          .run_steps = doubling_to(longest, lengths),
          .seeds = seeds,
          .middle_rate = kSgdRate,
          .sweep_steps = longest / 8};
}

std::vector<TrainingTask> none() {
  return {};
}

std::vector<TrainingTask> smoke() {
  return {{.name = "teacher-d4",
           .kind = std::string(kRegression),
           .inputs = 4,
           .depth = 1,
           .widths = {2, 4, 6, 8, 12},
           .run_steps = {16, 32, 64},
           .seeds = 2,
           .middle_rate = kAdamRate,
           .sweep_steps = 16}};
}

std::vector<TrainingTask> standard() {
  const std::vector<std::size_t> widths = {8, 12, 16, 24, 32, 48};
  return {regression(4, widths, 16384, 10), regression(6, widths, 16384, 10),
          regression(8, widths, 16384, 10), classification({32, 48, 64, 96, 128, 192}, 3840, 8, 2)};
}

std::vector<TrainingTask> full() {
  const std::vector<std::size_t> widths = {8, 12, 16, 24, 32, 48, 64, 96, 128};
  return {regression(4, widths, 65536, 12), regression(6, widths, 65536, 12),
          regression(8, widths, 65536, 12),
          classification({32, 48, 64, 96, 128, 192, 256, 384, 512}, 7680, 9, 2)};
}

constexpr Makers<std::vector<TrainingTask>, 4> kDesigns = {
    {{"none", &none}, {"smoke", &smoke}, {"standard", &standard}, {"full", &full}}};

}  // namespace

std::vector<std::string> training_design_names() {
  return names_of(kDesigns);
}

Result<std::vector<TrainingTask>> training_design(std::string_view name) {
  return make_by_name(kDesigns, "training design", name);
}

}  // namespace interpscale::study
