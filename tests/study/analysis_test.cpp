// From a journal with planted laws back to the laws.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/analysis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/synthetic_journal.hpp"

namespace interpscale::study {
namespace {

constexpr scaling::BootstrapOptions kFewResamples{.resamples = 200};
constexpr double kNoise = 0.01;

StudyResult analysed(StudyJournal journal) {
  Result<StudyResult> result = analyse(std::move(journal), kFewResamples);
  REQUIRE(result.has_value());
  return std::move(*result);
}

const SubjectResult& subject(const StudyResult& result, std::string_view name,
                             std::string_view variant) {
  const SubjectResult* found = result.find(name, variant);
  REQUIRE(found != nullptr);
  return *found;
}

/// Every number of the JSON finite: dump() would otherwise write null and lose it.
void check_finite(const nlohmann::ordered_json& json) {
  if (json.is_number_float()) {
    CHECK(std::isfinite(json.get<double>()));
  }
  if (json.is_structured()) {
    for (const auto& element : json) {
      check_finite(element);
    }
  }
}

TimingRecord& timing(StudyJournal& journal, int round, const std::string& cell) {
  return *std::ranges::find_if(journal.timings, [&](const TimingRecord& candidate) {
    return candidate.round == round && candidate.cell == cell;
  });
}

void fail_timing(TimingRecord& record) {
  record.status = "failed";
  record.reason = "out of memory";
  record.command = "repeat me";
  record.seconds = 0;
}

const CellResult& cell_of(const SubjectResult& subject, const std::string& name) {
  const auto found = std::ranges::find(
      subject.cells, name,
      [](const CellResult& cell) -> const std::string& { return cell.cell.cell; });
  REQUIRE(found != subject.cells.end());
  return *found;
}

}  // namespace

TEST_CASE("analysis: planted exponents in N and n come back", "[study][analysis]") {
  const StudyResult result = analysed(synthetic::journal(synthetic::laws(), kNoise));
  REQUIRE(result.subjects.size() == synthetic::laws().size());
  for (const synthetic::Law& law : synthetic::laws()) {
    const SubjectResult& fitted = subject(result, law.subject, law.variant);
    INFO(fitted.label());
    REQUIRE(fitted.joint.has_value());
    REQUIRE(fitted.joint->identifiability.identified);
    // Log N and log n spread by more than 1.5 each after the other is taken out, over 18 cells of
    // medians with a standard error of 1.25 * kNoise / sqrt(5): a standard error of the exponents
    // below 0.002. Five of these.
    CHECK(fitted.joint->of("N")->value == Approx(law.parameters).margin(0.01));
    CHECK(fitted.joint->of("n")->value == Approx(law.neurons).margin(0.01));
    // FLOPs are the planted law rounded to whole numbers, at least some thousand.
    REQUIRE(fitted.theory.has_value());
    CHECK(fitted.theory->of("N")->value == Approx(law.parameters).margin(1e-3));
    CHECK(fitted.theory->of("n")->value == Approx(law.neurons).margin(1e-3));
  }
}

TEST_CASE("analysis: the tax is paired by network and round", "[study][analysis]") {
  // Without noise inside rounds, the rounds' common factors cancel exactly.
  const StudyResult result = analysed(synthetic::journal(synthetic::laws(), 0));
  const SubjectResult& keeps_up = subject(result, "gradient_x_activation", "fast");
  REQUIRE(keeps_up.tax.has_value());
  CHECK(keeps_up.tax->exponent == Approx(0).margin(1e-9));
  CHECK(keeps_up.tax->at_reference == Approx(0.7).epsilon(1e-9));
  CHECK(keeps_up.tax_points.size() == synthetic::topologies().size());

  const SubjectResult& falls_behind = subject(result, "zero_ablation", "naive");
  REQUIRE(falls_behind.tax.has_value());
  CHECK(falls_behind.tax->growth == scaling::Growth::kGrows);
  CHECK_FALSE(subject(result, "training_step", "").tax.has_value());
}

TEST_CASE("analysis: share of peak is of the same round's peak", "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), 0, 3);
  // FLOPs are 5e10 a second of the planted time: half of a peak of 1e11, a quarter of 2e11.
  journal.rounds[2].limits.flops_per_second = 2e11;
  const StudyResult result = analysed(std::move(journal));
  // Rounds differ by 3 % (one standard deviation): the median is a round at half of its peak.
  const double share = subject(result, "training_step", "").largest()->share_of_peak;
  CHECK(share == Approx(0.5).epsilon(0.15));
}

TEST_CASE("analysis: a mistrusted cell is fitted, marked, and left out in a second fit",
          "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), kNoise);
  const std::string name =
      synthetic::cell_name(synthetic::laws().front(), synthetic::topologies().back());
  for (int round = 0; round < 5; ++round) {
    timing(journal, round, name).seconds *= 1 + 0.3 * round;
  }
  const StudyResult result = analysed(std::move(journal));
  const SubjectResult& training = subject(result, "training_step", "");
  const CellResult& cell = cell_of(training, name);
  CHECK(cell.status == CellStatus::kMistrusted);
  CHECK_FALSE(cell.reason.empty());
  CHECK(cell.fitted);
  REQUIRE(training.joint_trusted_only.has_value());
  CHECK(training.joint_trusted_only->of("N")->value == Approx(1.0).margin(0.01));
  CHECK_FALSE(subject(result, "forward", "").joint_trusted_only.has_value());
}

TEST_CASE("analysis: a cell that failed in one round costs its subject that round",
          "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), kNoise);
  const std::string name =
      synthetic::cell_name(synthetic::laws().front(), synthetic::topologies().front());
  fail_timing(timing(journal, 2, name));
  const StudyResult result = analysed(std::move(journal));
  const SubjectResult& training = subject(result, "training_step", "");
  CHECK(training.fitted_rounds == std::vector<int>{0, 1, 3, 4});
  CHECK_FALSE(training.notes.empty());
  const CellResult& cell = cell_of(training, name);
  CHECK(cell.status == CellStatus::kMistrusted);
  CHECK(cell.reason.find("out of memory") != std::string::npos);
  CHECK(cell.command == "repeat me");
  CHECK(subject(result, "forward", "").fitted_rounds.size() == 5);
}

TEST_CASE("analysis: cells that failed are kept, and not fitted", "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), kNoise);
  const std::string never =
      synthetic::cell_name(synthetic::laws().front(), synthetic::topologies().front());
  const std::string seldom =
      synthetic::cell_name(synthetic::laws().front(), synthetic::topologies()[1]);
  for (int round = 0; round < 5; ++round) {
    fail_timing(timing(journal, round, never));
  }
  for (int round = 0; round < 3; ++round) {
    fail_timing(timing(journal, round, seldom));
  }
  const StudyResult result = analysed(std::move(journal));
  const SubjectResult& training = subject(result, "training_step", "");
  CHECK(training.cells.size() == synthetic::topologies().size());
  CHECK(cell_of(training, never).status == CellStatus::kFailed);
  CHECK_FALSE(cell_of(training, never).fitted);
  CHECK_FALSE(cell_of(training, seldom).fitted);
  CHECK(training.fitted_rounds.size() == 5);
  CHECK(training.joint.has_value());
}

TEST_CASE("analysis: rounds of another setting are left out", "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), kNoise);
  journal.rounds[1].threads = 2;
  journal.rounds[3].simd_target = "SSE2";
  const StudyResult result = analysed(std::move(journal));
  CHECK(subject(result, "training_step", "").fitted_rounds == std::vector<int>{0, 2, 4});
  CHECK(result.notes.size() == 2);
}

/// Every cell of the subject calls "multiply" of its own size, twice, and "transpose" once.
void plant_calls(StudyJournal& journal, const std::string& subject, double share) {
  for (std::size_t i = 0; i < journal.cells.size(); ++i) {
    const CellRecord& cell = journal.cells[i];
    if (cell.subject != subject) {
      continue;
    }
    const auto timed = std::ranges::find(journal.timings, cell.cell, &TimingRecord::cell);
    const std::string own = fmt::format("multiply/-/{}x1/0.0.0", i + 1);
    const std::string common = "transpose/-/4x4/0.0";
    journal.calls.push_back({cell.cell, {{own, 2}, {common, 1}}});
    for (int round = 0; round < 3; ++round) {
      const double seconds = share * timed->seconds * (1 + 0.5 * (round - 1));
      journal.kernels.push_back({round, own, "ok", "", seconds / 2, 2e11});
      if (journal.calls.size() == 1) {
        journal.kernels.push_back({round, common, "ok", "", 1e-15, 2e11});
      }
    }
  }
}

TEST_CASE("analysis: the time model adds up kernels, at the peak of the study's rounds",
          "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), 0);
  for (RoundRecord& round : journal.rounds) {
    round.limits.flops_per_second = 1e11;  // half of that of the kernel rounds
  }
  plant_calls(journal, "zero_ablation", 0.45);
  const StudyResult result = analysed(journal);
  const TimeModel& model = subject(result, "zero_ablation", "naive").time_model;
  REQUIRE(model.cells.size() == synthetic::topologies().size());
  CHECK(model.cells.front().ratio == Approx(0.9).epsilon(0.1));
  CHECK(model.explains());
  CHECK(subject(result, "forward", "").time_model.cells.empty());
  SECTION("a kernel without a time leaves its cell unexplained") {
    std::erase_if(journal.kernels, [&](const KernelRecord& record) {
      return record.kernel == journal.calls.back().calls.front().kernel;
    });
    const StudyResult gap = analysed(journal);
    const TimeModel& without = subject(gap, "zero_ablation", "naive").time_model;
    CHECK(without.not_predicted == 1);
    CHECK_FALSE(without.explains());
  }
  SECTION("between sizes that were timed, the model interpolates") {
    const std::string middle = journal.calls[1].calls.front().kernel;
    std::erase_if(journal.kernels,
                  [&](const KernelRecord& record) { return record.kernel == middle; });
    for (KernelRecord& record : journal.kernels) {
      if (record.kernel == journal.calls[0].calls.front().kernel) {
        record.seconds = 1;
      }
      if (record.kernel == journal.calls[2].calls.front().kernel) {
        record.seconds = 3;
      }
    }
    const StudyResult between = analysed(journal);
    const TimeModel& line = subject(between, "zero_ablation", "naive").time_model;
    CHECK(line.not_predicted == 0);
    const auto predicted =
        std::ranges::find(line.cells, journal.calls[1].cell, &PredictedCell::cell);
    REQUIRE(predicted != line.cells.end());
    CHECK(predicted->predicted_seconds == Approx(2 * 2 * 2.0));  // half the kernel rounds' peak
  }
  SECTION("a cell beyond 15 % leaves its subject unexplained") {
    for (KernelRecord& record : journal.kernels) {
      record.seconds *= record.kernel == journal.calls.back().calls.front().kernel ? 2 : 1;
    }
    const StudyResult off = analysed(journal);
    const TimeModel& beyond = subject(off, "zero_ablation", "naive").time_model;
    CHECK(beyond.within + 1 == beyond.cells.size());
    CHECK_FALSE(beyond.explains());
  }
}

TEST_CASE("analysis: a subject deviates where an exponent is a tenth off", "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), 0);
  CHECK_FALSE(deviates_from_theory(subject(analysed(journal), "zero_ablation", "naive")));
  for (TimingRecord& record : journal.timings) {
    for (const CellRecord& cell : journal.cells) {
      if (cell.cell == record.cell && cell.subject == "zero_ablation") {
        record.seconds *= std::pow(static_cast<double>(cell.quantities.neurons), 0.12);
      }
    }
  }
  CHECK(deviates_from_theory(subject(analysed(journal), "zero_ablation", "naive")));
}

TEST_CASE("analysis: a journal without rounds or cells says what to do", "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), kNoise);
  journal.rounds.clear();
  CHECK_FALSE(analyse(journal, kFewResamples).has_value());
  CHECK(analyse(StudyJournal{}, kFewResamples).error().message.find("run the study") !=
        std::string::npos);
}

TEST_CASE("analysis: JSON reads back and holds finite numbers only", "[study][analysis]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), kNoise);
  // One predictor twice: nothing can be told apart, and the inflation factor is infinite.
  for (CellRecord& cell : journal.cells) {
    cell.quantities.neurons = cell.quantities.parameters;
  }
  const nlohmann::ordered_json json = to_json(analysed(std::move(journal)));
  check_finite(json);
  CHECK(nlohmann::ordered_json::parse(json.dump()) == json);
  const auto training = std::ranges::find_if(
      json["subjects"], [](const auto& each) { return each["subject"] == "training_step"; });
  REQUIRE(training != json["subjects"].end());
  CHECK((*training)["tax"].is_null());
  CHECK((*training)["joint"]["identified"] == false);
  CHECK((*training)["joint"]["largest_vif"].is_null());
  CHECK(json["ledger"].size() >= 5);
}

TEST_CASE("analysis: the ledger judges the planted laws", "[study][analysis]") {
  const StudyResult result = analysed(synthetic::journal(synthetic::laws(), kNoise));
  for (const experiments::LedgerLine& line : result.ledger) {
    if (line.claim == "C1" || line.claim == "C5") {
      CHECK(line.verdict == experiments::Verdict::kSupported);
    }
    if (line.claim == "C6" && line.statement.find("zero_ablation") != std::string::npos) {
      CHECK(line.verdict == experiments::Verdict::kContradicted);
    }
    CHECK(line.setting.find("Synthetic CPU") != std::string::npos);
  }
}

}  // namespace interpscale::study
