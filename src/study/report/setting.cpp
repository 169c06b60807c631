// SPDX-License-Identifier: Apache-2.0
#include "study/report/setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "study/report/format.hpp"

namespace interpscale::study {
namespace {

std::string peaks_text(const std::vector<RoundRecord>& rounds) {
  std::vector<double> peaks;
  for (const RoundRecord& round : rounds) {
    peaks.push_back(round.limits.flops_per_second);
  }
  const auto [low, high] = std::ranges::minmax(peaks);
  return fmt::format("{}FLOP/s (over rounds {} to {}), one thread, single precision",
                     count_text(scaling::median(peaks)), count_text(low), count_text(high));
}

std::string bandwidths_text(const measure::Limits& limits) {
  std::string text;
  for (const measure::Bandwidth& bandwidth : limits.bandwidths) {
    text += fmt::format("{}{} {}B/s", text.empty() ? "" : ", ", bandwidth.level,
                        count_text(bandwidth.bytes_per_second));
  }
  return text.empty() ? "not measured" : text;
}

std::string steal_text(const StudyResult& result) {
  std::vector<double> shares;
  for (const TimingRecord& timing : result.journal.timings) {
    shares.push_back(timing.steal_share);
  }
  return shares.empty()
             ? "no timings"
             : fmt::format("largest {} of a timing's time", percent_text(std::ranges::max(shares)));
}

/// Cells timed in both placements: the geometric mean of their median times' ratios, far over near.
std::string far_over_near_text(
    const std::map<std::string, std::map<measure::Placement, std::vector<double>>>& times) {
  double sum = 0.0;
  std::size_t cells = 0;
  for (const auto& [cell, by_placement] : times) {
    const auto near = by_placement.find(measure::Placement::kNear);
    const auto far = by_placement.find(measure::Placement::kFar);
    if (near != by_placement.end() && far != by_placement.end()) {
      sum += std::log(scaling::median(far->second) / scaling::median(near->second));
      ++cells;
    }
  }
  return cells == 0 ? ""
                    : fmt::format(
                          "; far takes {:.2f} times as long as near, in the geometric mean "
                          "over {} cells timed in both",
                          std::exp(sum / static_cast<double>(cells)), cells);
}

/// How many timings were taken in which placement, and what that made of the times.
std::string placements_text(const StudyJournal& journal) {
  std::map<measure::Placement, std::size_t> counts;
  std::map<std::string, std::map<measure::Placement, std::vector<double>>> times;
  for (const TimingRecord& timing : journal.timings) {
    if (timing.status == "ok") {
      const measure::Placement placement = measure::placement_of(timing.round_trips);
      ++counts[placement];
      times[timing.cell][placement].push_back(timing.seconds);
    }
  }
  std::string text;
  for (const auto& [placement, count] : counts) {
    text += fmt::format("{}{} timings {}", text.empty() ? "" : ", ", count,
                        measure::name_of(placement));
  }
  return text.empty() ? "no timings" : text + far_over_near_text(times);
}

std::string range_text(const StudyResult& result, std::uint64_t measure::Quantities::*size) {
  std::vector<double> sizes;
  for (const SubjectResult& subject : result.subjects) {
    for (const CellResult& cell : subject.cells) {
      sizes.push_back(static_cast<double>(cell.cell.quantities.*size));
    }
  }
  if (sizes.empty()) {
    return "no cells";
  }
  const auto [low, high] = std::ranges::minmax(sizes);
  return fmt::format("{} to {} ({:.1f} decades)", count_text(low), count_text(high),
                     std::log10(high / low));
}

/// "0.48 to 0.53" over the networks' layers.
std::string activity_text(const std::vector<NetworkRecord>& networks) {
  std::vector<double> shares;
  for (const NetworkRecord& network : networks) {
    shares.insert(shares.end(), network.active_share.begin(), network.active_share.end());
  }
  if (shares.empty()) {
    return "not recorded";
  }
  const auto [low, high] = std::ranges::minmax(shares);
  return fmt::format("{} to {} over layers, median {}", percent_text(low), percent_text(high),
                     percent_text(scaling::median(shares)));
}

}  // namespace

std::string setting_section(const StudyResult& result) {
  const StudyJournal& journal = result.journal;
  const Plan& plan = journal.plan;
  const RoundRecord& round = journal.rounds.front();
  const measure::Environment& environment = round.environment;
  Table table({"what", "value"});
  table.add({"CPU", fmt::format("{}, {} cores", environment.cpu, environment.cores)});
  table.add({"SIMD target", round.simd_target});
  table.add({"FMA peak", peaks_text(journal.rounds)});
  table.add({"read bandwidth", bandwidths_text(round.limits)});
  table.add({"operating system", environment.operating_system});
  table.add({"frequency governor", environment.governor});
  table.add({"compiler", fmt::format("{}; {}; {}", environment.compiler, environment.build_type,
                                     environment.flags)});
  table.add({"source revision",
             fmt::format("{} ({})", environment.revision,
                         environment.dirty ? "with uncommitted changes" : "as committed")});
  table.add({"timer", environment.benchmark_library});
  table.add({"plan", fmt::format("`{}`: {}, batch {}, {} backend, {} thread{}, K = {} path steps, "
                                 "T = {} orders, seed {}",
                                 plan.preset, plan.data, plan.batch, plan.backend, plan.threads,
                                 plan.threads == 1 ? "" : "s", plan.path_steps, plan.permutations,
                                 plan.seed)});
  table.add({"rounds", fmt::format("{} planned, {} in the journal; the first at {}", plan.rounds,
                                   journal.rounds.size(), round.state.time)});
  table.add({"stolen time", steal_text(result)});
  if (plan.threads > 1) {
    table.add({"threads' processors", round.binding});
    table.add({"placement of the processors", placements_text(result.journal)});
  }
  return "## Setting\n\n" + table.markdown();
}

std::string networks_section(const StudyResult& result) {
  const std::vector<NetworkRecord>& networks = result.journal.networks;
  if (networks.empty()) {
    return "## Networks\n\nThe journal holds no records of trained networks.\n";
  }
  std::string text = fmt::format(
      "## Networks\n\n{} networks, each trained for {} steps before it is analysed. Active units "
      "on the study's batch: {}.\n\n",
      networks.size(), result.journal.plan.training_steps, activity_text(networks));
  Table table({"network", "loss before", "after", "test accuracy", "active, by layer"});
  for (const NetworkRecord& network : networks) {
    std::string active;
    for (const double share : network.active_share) {
      active += fmt::format("{}{:.2f}", active.empty() ? "" : " ", share);
    }
    table.add({network.topology, fmt::format("{:.3f}", network.loss_before),
               fmt::format("{:.3f}", network.loss_after), percent_text(network.test_accuracy),
               active});
  }
  return text + table.markdown();
}

std::string design_section(const StudyResult& result) {
  std::size_t cells = 0;
  for (const SubjectResult& subject : result.subjects) {
    cells += subject.cells.size();
  }
  std::string text =
      fmt::format("## Design\n\n{} cells of {} subjects. N: {}; n: {}.", cells,
                  result.subjects.size(), range_text(result, &measure::Quantities::parameters),
                  range_text(result, &measure::Quantities::neurons));
  const SubjectResult* const training = result.find(result.tax_denominator, "");
  if (training != nullptr && training->joint) {
    const scaling::Identifiability& design = training->joint->identifiability;
    const std::string vif = std::isfinite(design.largest_vif)
                                ? fmt::format("{:.1f}", design.largest_vif)
                                : std::string("infinite");
    text += fmt::format(
        " On the cells of {}, N and n have a variance inflation factor of {} (bound {:.0f}) and "
        "the centred design a condition number of {:.3g}: their exponents {}.",
        result.tax_denominator, vif, scaling::kLargestVif, design.condition_number,
        design.identified ? "can be told apart" : "cannot be told apart (" + design.reason + ")");
  }
  return text +
         " Methods whose cost grows faster are measured on the smaller networks; each law "
         "states its own cells and factor.\n";
}

}  // namespace interpscale::study
