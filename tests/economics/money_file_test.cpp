// SPDX-License-Identifier: Apache-2.0
#include "interpscale/economics/money_file.hpp"

#include "support/catch.hpp"

namespace interpscale::economics {
namespace {

using Catch::Matchers::Contains;

constexpr std::string_view kHead = R"([training]
dollars = 50
parameters = 1e6
source = "a"
[understanding]
person_years = 10
dollars_per_person_year = 250e3
source = "b"
)";

std::string error_of(std::string_view more, std::string_view head = kHead) {
  const auto read = parse_money(std::string(head) + std::string(more), "file.toml");
  return read ? "" : read.error().message;
}

TEST_CASE("money file: the default holds the exchange's figures, each with its source",
          "[economics]") {
  const auto money = parse_money(default_money_text(), "default");
  REQUIRE(money);
  CHECK(money->corrections.size() == 6);
  CHECK(money->sources.size() == money->corrections.size() + 2);
  const auto estimate = estimate_money_ratio(money->inputs, money->corrections, {});
  REQUIRE(estimate);
  CHECK(estimate->uncorrected == 50000);
  CHECK(estimate->interval.low < estimate->median);
  CHECK(estimate->interval.high < estimate->uncorrected);
}

TEST_CASE("money file: each kind of correction", "[economics]") {
  const auto money = parse_money(std::string(kHead) + R"(
[[correction]]
name = "fixed"
factor = 10
source = "c"
[[correction]]
name = "bounded"
at_most = 2
source = "d"
[[correction]]
name = "ranged"
range = [0.5, 4]
source = "e"
)",
                                 "file.toml");
  REQUIRE(money);
  REQUIRE(money->corrections.size() == 3);
  CHECK(money->corrections[0].low == 10);
  CHECK(money->corrections[0].high == 10);
  CHECK(money->corrections[1].low == 1);
  CHECK(money->corrections[1].high == 2);
  CHECK(money->corrections[2].low == 0.5);
  CHECK(money->corrections[2].high == 4);
}

TEST_CASE("money file: what is wrong is named with its place", "[economics]") {
  CHECK(error_of("").empty());
  CHECK_THAT(error_of("colour = 3"), Contains("file.toml: line 9"));
  CHECK_THAT(error_of("colour = 3"), Contains("found the key 'colour'"));
  CHECK_THAT(error_of("[extra]\na = 1"), Contains("line 9, column 1: the file: found the key"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nrange = [2, 1]\nsource = \"s\""),
             Contains("line 11, column 9: x: found a range from 2 to 1"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nrange = [-1, 1]\nsource = \"s\""),
             Contains("x: found -1, wanted a positive finite number"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nfactor = inf\nsource = \"s\""),
             Contains("wanted a positive finite number"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nfactor = \"2\"\nsource = \"s\""),
             Contains("wanted a positive finite number"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nat_most = 0.5\nsource = \"s\""),
             Contains("found at_most 0.5, wanted 1 or more"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nfactor = 2\nat_most = 2\nsource = \"s\""),
             Contains("wanted one of factor, at_most and range"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nfactor = 2"), Contains("wanted 'source'"));
  CHECK_THAT(error_of("[[correction]]\nname = \"x\"\nfactor = 2\nsource = \"s\"\n"
                      "[[correction]]\nname = \"x\"\nfactor = 2\nsource = \"s\""),
             Contains("'x' stands twice"));
  CHECK_THAT(error_of("correction = 4", ""), Contains("wanted a table [training]"));
  CHECK_THAT(error_of("[[", kHead), Contains("file.toml: line 9"));
  CHECK_THAT(error_of("", "[training]\ndollars = 5\nsource = \"s\""),
             Contains("training: the key 'parameters' is missing"));
}

TEST_CASE("money file: a file that cannot be read says what is wanted", "[economics]") {
  const auto read = read_money("/nonexistent/money.toml");
  REQUIRE_FALSE(read);
  CHECK_THAT(read.error().message, Contains("/nonexistent/money.toml: cannot be read"));
}

}  // namespace
}  // namespace interpscale::economics
