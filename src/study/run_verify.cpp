// The second stage of a study: every cell is compared with its reference, once.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "study/networks.hpp"
#include "study/run_parallel.hpp"
#include "study/run_state.hpp"

namespace interpscale::study {
namespace {

/// What `verify` says of prepared work, as status, reason and figures.
void verify_into(const measure::Subject& subject, CellRecord& record) {
  const Result<std::unique_ptr<measure::Timed>> timed = subject.prepare();
  if (!timed) {
    record.reason = "preparation: " + timed.error().message;
    return;
  }
  const Result<measure::Verification> verified = (*timed)->verify();
  if (!verified) {
    record.reason = "verification: " + verified.error().message;
    return;
  }
  if (!std::isfinite(verified->deviation) || !std::isfinite(verified->allowed)) {
    record.reason = "verification: the deviation from the reference is not finite";
    return;
  }
  record.verification = *verified;
  record.status = "ok";
}

Result<CellRecord> verify_cell(const Cell& cell, const Plan& plan,
                               const std::shared_ptr<Specimens>& specimens) {
  const nn::Topology& topology = cell.request.topology;
  // What cannot be loaded fails as the cell is prepared.
  const Result<std::shared_ptr<const Specimen>> specimen = specimens->of(topology);
  const CellRequest request =
      specimen ? cell.request.on(**specimen, setting_of(plan)) : cell.request;
  const Result<measure::Subject> subject = make_subject(
      request, setting_of(plan), [specimens, topology] { return specimens->of(topology); });
  if (!subject) {
    return tl::unexpected(subject.error());
  }
  CellRecord record;
  record.cell = cell.name;
  record.subject = request.subject;
  record.variant = request.variant;
  record.topology = topology.name();
  record.depth = topology.hidden.size();
  record.width = topology.hidden.front();
  record.quantities = subject->quantities;
  record.dense_flops = cell.dense_flops;
  record.status = "failed";
  try {
    verify_into(*subject, record);
  } catch (const std::exception& problem) {
    record.reason = fmt::format("exception: {}", problem.what());
  }
  return record;
}

}  // namespace

Result<void> verify_cells(RunState& state) {
  std::set<std::string> known;
  for (const CellRecord& record : state.journal.cells) {
    known.insert(record.cell);
  }
  std::vector<const Cell*> cells;
  for (const Cell& cell : state.expansion.cells) {
    if (!known.contains(cell.name)) {
      cells.push_back(&cell);
    }
  }
  return for_each_in_parallel(
      cells.size(), worker_count(),
      [&](std::size_t i) {
        // Specimens of its own: workers share nothing.
        const auto specimens =
            std::make_shared<Specimens>(state.options.folder, state.journal.networks);
        return verify_cell(*cells[i], state.journal.plan, specimens);
      },
      [&](CellRecord record) -> Result<void> {
        if (Result<void> written = state.out.append(to_json(record)); !written) {
          return written;
        }
        state.done_seconds += expected_verification_seconds();
        state.report("verifying", record.cell);
        state.journal.cells.push_back(std::move(record));
        return {};
      });
}

}  // namespace interpscale::study
