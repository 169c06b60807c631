// What each format's publishers say of it, checked line by line: github-action-benchmark's
// customSmallerIsBetter, Bencher Metric Format, Extra-P's JSON Lines, RFC 4180.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/exports.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::ordered_json;

ResultSet sample() {
  ResultSet results;
  results.source = "sample";
  for (const int width : {64, 128}) {
    scaling::Observation cell;
    cell.name = fmt::format("method/a, \"b\"/fast/d:784/w:{}/L:1/C:10/B:128", width);
    cell.parameters = 795.0 * width;
    cell.neurons = width;
    cell.batch = 128;
    cell.inputs = 784;
    cell.rounds = {1e-3 * width, 1.2e-3 * width, 1.1e-3 * width};
    results.cells.push_back(cell);
  }
  results.failed.emplace_back("c", "wrong");
  return results;
}

std::string exported(std::string_view format) {
  const auto text = export_results(sample(), format);
  REQUIRE(text);
  return *text;
}

TEST_CASE("export: github-action is a list of names, units and smaller-is-better values",
          "[regression][export]") {
  const Json list = Json::parse(exported("github-action"));
  REQUIRE(list.is_array());
  REQUIRE(list.size() == 2);
  const std::set<std::string> known{"name", "unit", "value", "range", "extra"};
  for (const Json& entry : list) {
    for (const auto& item : entry.items()) {
      CHECK(known.count(item.key()) == 1);
    }
    CHECK_FALSE(entry.at("name").get<std::string>().empty());
    CHECK(entry.at("unit") == "ns");
    CHECK(entry.at("value").is_number());
    CHECK(entry.at("range").is_string());
    CHECK(entry.at("extra").is_string());
  }
  CHECK(list[0].at("value").get<double>() == Approx(1.1e6 * 64));
}

TEST_CASE("export: bencher maps names to measures with a value between its bounds",
          "[regression][export]") {
  const Json all = Json::parse(exported("bencher"));
  REQUIRE(all.is_object());
  REQUIRE(all.size() == 2);
  for (const auto& item : all.items()) {
    const Json& latency = item.value().at("latency");
    CHECK(latency.size() == 3);
    CHECK(latency.at("lower_value").get<double>() <= latency.at("value").get<double>());
    CHECK(latency.at("value").get<double>() <= latency.at("upper_value").get<double>());
  }
}

TEST_CASE("export: extra-p is a point a line, every line with the same parameters",
          "[regression][export]") {
  std::istringstream lines(exported("extra-p"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json point = Json::parse(line);
    CHECK(point.at("metric") == "time");
    CHECK(point.at("value").is_number());
    CHECK_FALSE(point.at("callpath").get<std::string>().empty());
    std::vector<std::string> names;
    for (const auto& item : point.at("params").items()) {
      CHECK(item.value().is_number());
      names.push_back(item.key());
    }
    CHECK(names == std::vector<std::string>{"N", "n", "B", "d"});
  }
  CHECK(count == 6);
}

TEST_CASE("export: csv quotes what holds a comma or a quotation mark", "[regression][export]") {
  const std::string text = exported("csv");
  CHECK_THAT(text,
             Contains("cell,parameters,neurons,batch,inputs,rounds,median_seconds,low,high\n"));
  CHECK_THAT(text,
             Contains("\"method/a, \"\"b\"\"/fast/d:784/w:64/L:1/C:10/B:128\",50880,64,128,"));
}

TEST_CASE("export: nothing that is not a positive finite time gets out", "[regression][export]") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 0.0}) {
    ResultSet results = sample();
    results.cells[1].rounds[2] = bad;
    for (const std::string& format : export_formats()) {
      CHECK_FALSE(export_results(results, format));
    }
  }
  CHECK_FALSE(export_results({}, "csv"));
  const auto unknown = export_results(sample(), "xml");
  REQUIRE_FALSE(unknown);
  CHECK_THAT(unknown.error().message, Contains("github-action, bencher, extra-p, csv"));
  ResultSet sizeless = sample();
  sizeless.cells[0].parameters = 0;
  CHECK_FALSE(export_results(sizeless, "extra-p"));
}

}  // namespace
}  // namespace interpscale::regression
