// The verdict rules at their boundaries, and the ledger that they make.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "interpscale/core/require.hpp"
#include "interpscale/experiments/registry.hpp"
#include "interpscale/experiments/rules.hpp"
#include "support/catch.hpp"

namespace interpscale::experiments {
namespace {

Figure figure(double low, double high) {
  return {(low + high) / 2, {low, high}};
}

SubjectEvidence pass(const std::string& name, Figure against_parameters) {
  SubjectEvidence subject;
  subject.subject = name;
  subject.cells = 9;
  subject.smallest_parameters = 1e4;
  subject.largest_parameters = 1e6;
  subject.against_parameters = against_parameters;
  return subject;
}

SubjectEvidence taxed(const std::string& name, Figure exponent, scaling::Growth growth,
                      Figure at_reference) {
  SubjectEvidence subject;
  subject.subject = name;
  subject.variant = "fast";
  subject.tax = TaxEvidence{exponent, growth, at_reference};
  return subject;
}

ExperimentSpec experiment(const std::string& name) {
  const std::vector<ExperimentSpec> all = all_experiments();
  const auto found = std::ranges::find(all, name, &ExperimentSpec::name);
  REQUIRE(found != all.end());
  return *found;
}

Verdict single_verdict(const std::string& name, const Evidence& evidence,
                       const std::string& claim) {
  std::vector<LedgerLine> lines = experiment(name).settle(evidence);
  std::erase_if(lines, [&](const LedgerLine& line) { return line.claim != claim; });
  REQUIRE(lines.size() == 1);
  return lines.front().verdict;
}

constexpr double kStep = 1e-9;  // far above rounding of numbers near 1, far below any band

}  // namespace

TEST_CASE("rules: an interval is judged by the band, bounds included", "[experiments]") {
  CHECK(judge_within({0.9, 1.1}, 0.9, 1.1) == Verdict::kSupported);
  CHECK(judge_within({0.9 - kStep, 1.1}, 0.9, 1.1) == Verdict::kUndecided);
  CHECK(judge_within({0.9, 1.1 + kStep}, 0.9, 1.1) == Verdict::kUndecided);
  CHECK(judge_within({1.1, 1.3}, 0.9, 1.1) == Verdict::kUndecided);
  CHECK(judge_within({1.1 + kStep, 1.3}, 0.9, 1.1) == Verdict::kContradicted);
  CHECK(judge_within({0.5, 0.9}, 0.9, 1.1) == Verdict::kUndecided);
  CHECK(judge_within({0.5, 0.9 - kStep}, 0.9, 1.1) == Verdict::kContradicted);
}

TEST_CASE("rules: a figure picked out of several has a wider interval", "[experiments]") {
  const Figure one{1.0, {0.8, 1.4}};
  CHECK(widened(one, 1).interval.low == 0.8);
  // Two comparisons: z(0.9875) / z(0.975) = 2.241402727604947 / 1.959963984540054.
  const Figure two = widened(one, 2);
  const double factor = 2.241402727604947 / 1.959963984540054;
  // Student's t with 1e7 degrees is the normal to about z^2 / (4 * 1e7) in relative terms.
  CHECK(two.interval.low == Approx(1 - 0.2 * factor).epsilon(1e-6));
  CHECK(two.interval.high == Approx(1 + 0.4 * factor).epsilon(1e-6));
  CHECK(two.value == 1.0);

  const Figure ratio = widened_ratio({2.0, {1.0, 4.0}}, 2);
  CHECK(std::log(ratio.interval.high / 2) == Approx(factor * std::log(2.0)).epsilon(1e-6));
  CHECK(std::log(2 / ratio.interval.low) == Approx(factor * std::log(2.0)).epsilon(1e-6));
}

TEST_CASE("cost_of_a_step: linear within a tenth, by the whole interval", "[experiments][C1]") {
  const auto verdicts = [](Figure backward) {
    Evidence evidence;
    evidence.subjects = {pass("backward", backward)};
    return experiment("cost_of_a_step").settle(evidence).front().verdict;
  };
  CHECK(verdicts(figure(0.95, 1.05)) == Verdict::kSupported);
  CHECK(verdicts(figure(0.95, 1.15)) == Verdict::kUndecided);
  CHECK(verdicts(figure(1.15, 1.2)) == Verdict::kContradicted);
  CHECK(verdicts(figure(0.6, 0.8)) == Verdict::kContradicted);
}

TEST_CASE("cost_of_a_step: what was not measured says so", "[experiments][C1]") {
  const std::vector<LedgerLine> lines = experiment("cost_of_a_step").settle(Evidence{});
  REQUIRE(lines.size() == 2);
  for (const LedgerLine& line : lines) {
    CHECK(line.verdict == Verdict::kNotMeasured);
    CHECK_FALSE(line.figure.has_value());
    CHECK_FALSE(line.detail.empty());
  }
}

TEST_CASE("growth_of_size: exact exponents of N in n", "[experiments][C5]") {
  Evidence evidence;
  // N = n^2 along width; N = n along depth (made-up sizes, so that the exponents are round).
  evidence.sizes = {{16, 10, 2, 400, 20}, {16, 20, 2, 1600, 40}, {16, 20, 4, 3200, 80}};
  const std::vector<LedgerLine> lines = experiment("growth_of_size").settle(evidence);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].figure->value == Approx(2.0).margin(1e-12));
  CHECK(lines[0].verdict == Verdict::kSupported);
  CHECK(lines[1].figure->value == Approx(1.0).margin(1e-12));
  CHECK(lines[2].figure->value == Approx(1.5).margin(1e-12));

  evidence.sizes[1].parameters = 1700;  // steeper than n^2
  CHECK(experiment("growth_of_size").settle(evidence)[0].verdict == Verdict::kContradicted);
  evidence.sizes[1].inputs = 32;  // another input size: not the same growth
  CHECK(experiment("growth_of_size").settle(evidence)[0].verdict == Verdict::kNotMeasured);
}

TEST_CASE("growth_of_size: depth is followed from two hidden layers on", "[experiments][C5]") {
  Evidence evidence;
  evidence.sizes = {{16, 1024, 1, 27658, 1024}, {16, 1024, 2, 1077258, 2048}};
  for (const LedgerLine& line : experiment("growth_of_size").settle(evidence)) {
    CHECK(line.verdict == Verdict::kNotMeasured);
  }
}

TEST_CASE("keeping_up: one verdict a method, from its tax", "[experiments][C6]") {
  using scaling::Growth;
  Evidence evidence;
  const Figure at_reference = figure(2, 3);
  evidence.subjects = {
      pass("training_step", figure(0.95, 1.05)),
      taxed("a", figure(-0.01, 0.01), Growth::kConstant, at_reference),
      taxed("b", figure(-0.3, -0.2), Growth::kShrinks, at_reference),
      taxed("c", figure(0.4, 0.6), Growth::kGrows, at_reference),
      taxed("d", figure(-0.2, 0.2), Growth::kUndecided, at_reference),
  };
  std::vector<LedgerLine> lines = experiment("keeping_up").settle(evidence);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].verdict == Verdict::kSupported);
  CHECK(lines[1].verdict == Verdict::kSupported);
  CHECK(lines[2].verdict == Verdict::kContradicted);
  CHECK(lines[3].verdict == Verdict::kUndecided);
}

TEST_CASE("keeping_up: sub-linear needs an interval below 0 after widening", "[experiments][C8]") {
  using scaling::Growth;
  const auto verdict = [](std::vector<Figure> exponents) {
    Evidence evidence;
    for (const Figure& exponent : exponents) {
      evidence.subjects.push_back(taxed("m", exponent, Growth::kUndecided, figure(2, 3)));
    }
    return single_verdict("keeping_up", evidence, "C8");
  };
  CHECK(verdict({figure(-0.2, -kStep)}) == Verdict::kSupported);
  CHECK(verdict({figure(-0.2, 0)}) == Verdict::kUndecided);
  // The same interval, one of two: widened over 0.
  CHECK(verdict({figure(-0.2, -kStep), figure(0.1, 0.2)}) == Verdict::kUndecided);
  CHECK(verdict({figure(-0.2, -0.1), figure(0.1, 0.2)}) == Verdict::kSupported);
  CHECK(verdict({figure(0, 0.2), figure(0.1, 0.2)}) == Verdict::kContradicted);
  CHECK(verdict({figure(-kStep, 0.2), figure(0.1, 0.2)}) == Verdict::kUndecided);
  CHECK(verdict({}) == Verdict::kNotMeasured);
}

TEST_CASE("measure_of_size: neurons must not matter at given parameters", "[experiments][C7]") {
  const auto verdict = [](Figure neurons) {
    Evidence evidence;
    SubjectEvidence subject = taxed("m", figure(0, 0), scaling::Growth::kUndecided, figure(2, 3));
    subject.joint_parameters = figure(0.9, 1.1);
    subject.joint_neurons = neurons;
    evidence.subjects = {subject};
    return single_verdict("measure_of_size", evidence, "C7");
  };
  CHECK(verdict(figure(-0.1, 0.1)) == Verdict::kSupported);
  CHECK(verdict(figure(-0.1, 0.1 + kStep)) == Verdict::kUndecided);
  CHECK(verdict(figure(0.1 + kStep, 0.5)) == Verdict::kContradicted);
  CHECK(verdict(figure(-0.5, -0.1 - kStep)) == Verdict::kContradicted);
  CHECK(single_verdict("measure_of_size", Evidence{}, "C7") == Verdict::kNotMeasured);
}

TEST_CASE("constant_factor: only methods that keep up are asked for 100", "[experiments][C9]") {
  using scaling::Growth;
  const auto verdict = [](Growth growth, Figure at_reference) {
    Evidence evidence;
    evidence.subjects = {taxed("m", figure(0, 0), growth, at_reference)};
    return single_verdict("constant_factor", evidence, "C9");
  };
  CHECK(verdict(Growth::kConstant, figure(100 + kStep, 200)) == Verdict::kSupported);
  CHECK(verdict(Growth::kConstant, figure(100, 200)) == Verdict::kUndecided);
  CHECK(verdict(Growth::kShrinks, figure(1, 100)) == Verdict::kUndecided);
  CHECK(verdict(Growth::kShrinks, figure(1, 99)) == Verdict::kContradicted);
  CHECK(verdict(Growth::kGrows, figure(200, 300)) == Verdict::kNotMeasured);
}

TEST_CASE("registry: experiments have names of their own and declare their claims",
          "[experiments]") {
  std::set<std::string> names;
  for (const ExperimentSpec& spec : all_experiments()) {
    CHECK(names.insert(spec.name).second);
    CHECK_FALSE(spec.summary.empty());
    CHECK_FALSE(spec.claims.empty());
    CHECK(spec.settle);
  }
  CHECK(names.size() >= 5);
}

TEST_CASE("ledger: in the order of claims, each line with experiment and setting",
          "[experiments]") {
  Evidence evidence;
  evidence.setting = "synthetic";
  const std::vector<LedgerLine> ledger = claims_ledger(all_experiments(), evidence);
  std::vector<std::string> claims;
  for (const LedgerLine& line : ledger) {
    CHECK(line.setting == "synthetic");
    CHECK_FALSE(line.experiment.empty());
    claims.push_back(line.claim);
  }
  CHECK(claims == std::vector<std::string>{"C1",  "C1",  "C2",  "C3",  "C4",  "C5",  "C5",
                                           "C5",  "C6",  "C7",  "C8",  "C8",  "C9",  "C9",
                                           "C10", "C11", "C11", "C11", "C12", "C13", "C14",
                                           "C14", "C14", "C15", "C15", "C16", "C16", "C16"});
}

TEST_CASE("ledger: an undeclared claim is a mistake", "[experiments]") {
  ExperimentSpec spec;
  spec.name = "stray";
  spec.claims = {"C1"};
  spec.settle = [](const Evidence&) {
    return std::vector<LedgerLine>{not_measured("C2", "stray", "stray")};
  };
  CHECK_THROWS_AS(claims_ledger({spec}, Evidence{}), ContractViolation);
}

TEST_CASE("money: the exchange's ratio does not survive its own corrections", "[experiments]") {
  const std::vector<LedgerLine> lines = experiment("money").settle(Evidence{});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].claim == "C10");
  CHECK(lines[0].statement.find("50000 times") != std::string::npos);
  REQUIRE(lines[0].figure);
  CHECK(lines[0].figure->interval.high < 50000);
  CHECK(lines[0].verdict == Verdict::kContradicted);
}

}  // namespace interpscale::experiments
