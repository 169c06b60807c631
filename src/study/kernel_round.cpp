// A kernel round, as its child process lives it.
// SPDX-License-Identifier: Apache-2.0
#include "study/kernel_round.hpp"

#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/measure/driver.hpp"
#include "interpscale/measure/journal.hpp"
#include "interpscale/study/run.hpp"
#include "study/round_order.hpp"
#include "study/subjects/kernel_replay.hpp"

namespace interpscale::study {
namespace {

/// Of measuring the FMA peak.
constexpr double kLimitsSeconds = 0.3;
/// A stream of a round's seed, beyond that of its cells' order.
constexpr std::uint64_t kKernelStream = 1;

Result<std::vector<measure::Subject>> replays(const std::vector<std::string>& kernels,
                                              const Plan& plan) {
  std::vector<measure::Subject> subjects;
  for (const std::string& kernel : kernels) {
    const Result<kernels::KernelCall> call = kernels::parse_kernel_call(kernel);
    if (!call) {
      return tl::unexpected(call.error());
    }
    Result<measure::Subject> subject = replay_subject(*call, setting_of(plan));
    if (!subject) {
      return tl::unexpected(subject.error());
    }
    subjects.push_back(std::move(*subject));
  }
  return subjects;
}

KernelRecord record_of(const measure::Timing& timing, const std::string& kernel, int round,
                       double flops_per_second) {
  KernelRecord record;
  record.round = round;
  record.kernel = kernel;
  record.status = timing.ok ? "ok" : "failed";
  record.reason = timing.reason;
  record.seconds = timing.ok ? timing.seconds : 0;
  record.flops_per_second = flops_per_second;
  return record;
}

/// Tails of tiles come in hundreds of sizes. Of a family's sizes the least and the largest are
/// timed, and of those between them as many as leave no larger step than this, where there are that
/// many; the model interpolates.
constexpr double kLargestStep = 1.25;

std::set<std::string> representatives(const std::vector<CallsRecord>& records) {
  std::map<kernels::CallFamily, std::map<std::size_t, std::string>> families;
  std::set<std::string> chosen;
  for (const CallsRecord& record : records) {
    for (const CallsRecord::Count& count : record.calls) {
      if (const auto call = kernels::parse_kernel_call(count.kernel); call) {
        families[kernels::family_of(*call)][call->extents.front()] = count.kernel;
      } else {
        chosen.insert(count.kernel);  // whoever times it says what is wrong with it
      }
    }
  }
  for (const auto& [family, sizes] : families) {
    std::size_t last = 0;
    for (auto size = sizes.begin(); size != sizes.end(); ++size) {
      const auto next = std::next(size);
      const bool largest = next == sizes.end();
      if (last == 0 || largest ||
          static_cast<double>(next->first) > kLargestStep * static_cast<double>(last)) {
        chosen.insert(size->second);
        last = size->first;
      }
    }
  }
  return chosen;
}

}  // namespace

std::vector<std::string> kernels_to_time(const StudyJournal& journal, int round) {
  std::set<std::string> kernels = representatives(journal.calls);
  for (const KernelRecord& record : journal.kernels) {
    if (record.round == round) {
      kernels.erase(record.kernel);
    }
  }
  const std::vector<std::string> sorted(kernels.begin(), kernels.end());
  std::vector<std::string> ordered;
  for (const std::size_t i :
       RandomStream(round_seed(journal.plan, round), kKernelStream).permutation(sorted.size())) {
    ordered.push_back(sorted[i]);
  }
  return ordered;
}

Result<void> run_kernel_round(const std::filesystem::path& folder, int round) {
  const std::filesystem::path path = journal_file(folder);
  const Result<StudyJournal> journal = read_study_journal(path);
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  const Plan& plan = journal->plan;
  const std::vector<std::string> kernels = kernels_to_time(*journal, round);
  const Result<std::vector<measure::Subject>> subjects = replays(kernels, plan);
  if (!subjects) {
    return tl::unexpected(subjects.error());
  }
  Result<measure::Journal> out = measure::Journal::open(path);
  if (!out) {
    return tl::unexpected(out.error());
  }
  const double peak =
      measure::measure_limits(measure::read_environment(), kLimitsSeconds).flops_per_second;
  Result<void> written;
  std::size_t next = 0;
  measure::time_subjects(
      *subjects,
      {.min_seconds = plan.min_seconds / 2,
       .warm_up_seconds = plan.warm_up_seconds,
       .repetitions = 1,
       .verify = false},
      [&](const measure::Timing& timing) {
        written = out->append(to_json(record_of(timing, kernels[next++], round, peak)));
        return written.has_value();
      });
  return written;
}

}  // namespace interpscale::study
