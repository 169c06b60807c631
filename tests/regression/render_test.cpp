// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/render.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

using Catch::Matchers::Contains;

Comparison sample() {
  Comparison comparison;
  comparison.base_label = "a";
  comparison.candidate_label = "b";
  comparison.threshold = 0.03;
  comparison.verdict = Verdict::kRegressed;
  CellComparison slow;
  slow.name = "x<1>&\"y\"";
  slow.base = 2e-6;
  slow.candidate = 2.2e-6;
  slow.rounds = 9;
  slow.ratio = 1.1;
  slow.interval = {1.08, 1.12};
  slow.verdict = Verdict::kRegressed;
  CellComparison steady = slow;
  steady.name = "steady";
  steady.verdict = Verdict::kUnchanged;
  CellComparison open = slow;
  open.name = "open";
  open.verdict = Verdict::kInconclusive;
  open.rounds_needed = 40;
  comparison.cells = {slow, steady, open};
  comparison.exponents = {{"family", 4, 1.0, 1.5, {0.4, 0.6}, {0.45, 0.55}, Verdict::kRegressed}};
  comparison.failed = {{"broken", "off by 3"}};
  comparison.control = Control{3, 0, 0.004};
  return comparison;
}

TEST_CASE("render: the terminal names cells, exponents, the A/A arm and the verdict",
          "[regression][render]") {
  const std::string text = to_text(sample());
  for (const char* words :
       {"2 us +- 0 %", "+10.00 % [+8.00 %, +12.00 %]", "inconclusive (9 rounds of about 40)",
        "family: N^1.00 became N^1.50", "exponents: 0 of 1 differences have 0",
        "the algorithm has changed", "failed: broken: off by 3",
        "A/A arm: 0 false alarms in 3 cells", "regressed: of 3 cells 1 regressed, 1 unchanged"}) {
    CHECK_THAT(text, Contains(words));
  }
}

TEST_CASE("render: markdown shows what is not unchanged before the whole", "[regression][render]") {
  const std::string text = to_markdown(sample());
  CHECK(text.find("| open |") < text.find("<details>"));
  CHECK(text.find("| steady |") > text.find("<details>"));
}

TEST_CASE("render: junit escapes names and counts outcomes", "[regression][render]") {
  const Comparison comparison = sample();
  const std::string text = to_junit({&comparison, 1});
  CHECK_THAT(text, Contains("tests=\"5\" failures=\"2\" errors=\"1\" skipped=\"1\""));
  CHECK_THAT(text, Contains("name=\"x&lt;1&gt;&amp;&quot;y&quot;\""));
}

TEST_CASE("render: json holds every figure", "[regression][render]") {
  const auto json = to_json(sample());
  CHECK(json.at("verdict") == "regressed");
  CHECK(json.at("cells").size() == 3);
  CHECK(json.at("cells")[0].at("interval")[0] == 1.08);
  CHECK(json.at("control").at("cells") == 3);
  CHECK(json.at("exponents")[0].at("difference")[1] == 0.6);
  CHECK(json.at("exponents")[0].at("difference_alone")[1] == 0.55);
}

TEST_CASE("render: quantities in units a person reads", "[regression][render]") {
  CHECK(quantity_text(Metric::kTime, 1.234e-4) == "123.4 us");
  CHECK(quantity_text(Metric::kTime, 2.5) == "2.5 s");
  CHECK(quantity_text(Metric::kInstructions, 45.6e6) == "45.6 M");
  CHECK(quantity_text(Metric::kInstructions, 12) == "12");
}

}  // namespace
}  // namespace interpscale::regression
