// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/time_model.hpp"

#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "interpscale/kernels/kernel_call.hpp"
#include "interpscale/study/analysis.hpp"

namespace interpscale::study {
namespace {

/// By family and size, the median over kernel rounds of what a call takes, in FMAs at the peak.
using KernelCosts = std::map<kernels::CallFamily, std::map<std::size_t, double>>;

KernelCosts kernel_costs(const StudyJournal& journal) {
  std::map<std::string_view, std::vector<double>> rounds;
  for (const KernelRecord& record : journal.kernels) {
    if (record.status == "ok") {
      rounds[record.kernel].push_back(record.seconds * record.flops_per_second);
    }
  }
  KernelCosts costs;
  for (auto& [kernel, cost] : rounds) {
    if (const auto call = kernels::parse_kernel_call(kernel); call) {
      costs[kernels::family_of(*call)][call->extents.front()] = scaling::median(std::move(cost));
    }
  }
  return costs;
}

/// Between the two nearest sizes that were timed, a straight line; nothing beyond the last ones.
std::optional<double> cost_of(std::string_view kernel, const KernelCosts& costs) {
  const auto call = kernels::parse_kernel_call(kernel);
  const auto family = call ? costs.find(kernels::family_of(*call)) : costs.end();
  if (family == costs.end()) {
    return std::nullopt;
  }
  const std::size_t size = call->extents.front();
  const auto above = family->second.lower_bound(size);
  if (above == family->second.end()) {
    return std::nullopt;
  }
  if (above->first == size) {
    return above->second;
  }
  if (above == family->second.begin()) {
    return std::nullopt;
  }
  const auto below = std::prev(above);
  const double share =
      static_cast<double>(size - below->first) / static_cast<double>(above->first - below->first);
  return below->second + share * (above->second - below->second);
}

double median_peak(const StudyJournal& journal) {
  std::vector<double> peaks;
  for (const RoundRecord& round : journal.rounds) {
    peaks.push_back(round.limits.flops_per_second);
  }
  return scaling::median(std::move(peaks));
}

std::optional<double> sum_of(const CallsRecord& record, const KernelCosts& costs) {
  double sum = 0;
  for (const CallsRecord::Count& call : record.calls) {
    const std::optional<double> cost = cost_of(call.kernel, costs);
    if (!cost) {
      return std::nullopt;
    }
    sum += static_cast<double>(call.count) * *cost;
  }
  return sum;
}

}  // namespace

TimeModel predict_times(const SubjectResult& subject, const StudyJournal& journal) {
  TimeModel model;
  if (journal.kernels.empty()) {
    return model;
  }
  std::map<std::string_view, const CallsRecord*> calls;
  for (const CallsRecord& record : journal.calls) {
    calls[record.cell] = &record;
  }
  const KernelCosts costs = kernel_costs(journal);
  const double peak = median_peak(journal);
  for (const CellResult& cell : subject.cells) {
    if (!cell.fitted) {
      continue;
    }
    const auto found = calls.find(cell.cell.cell);
    const std::optional<double> cost =
        found == calls.end() ? std::nullopt : sum_of(*found->second, costs);
    if (!cost) {
      ++model.not_predicted;
      continue;
    }
    const double predicted = *cost / peak;
    const double ratio = predicted / cell.median_seconds;
    model.within += static_cast<std::size_t>(std::abs(ratio - 1) <= kTimeModelWithin);
    model.cells.push_back({cell.cell.cell, cell.median_seconds, predicted, ratio});
  }
  return model;
}

}  // namespace interpscale::study
