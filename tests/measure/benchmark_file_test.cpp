// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/benchmark_file.hpp"

#include <fmt/format.h>

#include "support/catch.hpp"

namespace interpscale::measure {
namespace {

using Catch::Matchers::Contains;

std::string file_of(const std::string& benchmarks) {
  return R"({"context": {"date": "2026-01-01", "load_avg": [0.1]}, "benchmarks": [)" + benchmarks +
         "]}";
}

std::string error_of(const std::string& text) {
  const auto file = parse_benchmark_file(text, "b.json");
  return file ? std::string() : file.error().message;
}

TEST_CASE("benchmark file: repetitions are kept, aggregates passed over", "[measure][benchmark]") {
  const auto file = parse_benchmark_file(
      file_of(
          R"({"name": "BM_sort/1024/repeats:2", "run_name": "BM_sort/1024/repeats:2", "run_type": "iteration", "repetitions": 2, "repetition_index": 0, "threads": 1, "iterations": 10, "real_time": 2.5, "cpu_time": 2.4, "time_unit": "us", "items_per_second": 4e8},
             {"name": "BM_sort/1024/repeats:2", "run_name": "BM_sort/1024/repeats:2", "run_type": "iteration", "repetition_index": 1, "real_time": 2.6, "cpu_time": 2.5, "time_unit": "us"},
             {"name": "BM_sort/1024/repeats:2_mean", "run_name": "BM_sort/1024/repeats:2", "run_type": "aggregate", "aggregate_name": "mean", "real_time": 2.55, "cpu_time": 2.45, "time_unit": "us"},
             {"name": "BM_sort_BigO", "run_name": "BM_sort", "run_type": "aggregate", "aggregate_name": "BigO", "cpu_coefficient": 1.0, "real_coefficient": NaN, "big_o": "NlgN", "time_unit": "ns"})"),
      "b.json");
  REQUIRE(file);
  REQUIRE(file->runs.size() == 2);
  CHECK(file->runs[0].family == "BM_sort");
  CHECK(file->runs[0].arguments == 1);
  CHECK(file->runs[0].columns[0] == std::pair<std::string, double>{"arg1", 1024});
  CHECK(file->runs[0].columns[1] == std::pair<std::string, double>{"items_per_second", 4e8});
  CHECK(file->runs[0].real_seconds == Approx(2.5e-6));
  CHECK(file->runs[1].cpu_seconds == Approx(2.5e-6));
  CHECK_FALSE(file->runs[0].is_aggregate);
  CHECK(file->runs[0].run_name == "BM_sort/1024/repeats:2");
  CHECK(file->aggregates == 2);
  CHECK(file->context == std::map<std::string, std::string>{{"date", "2026-01-01"}});
}

TEST_CASE("benchmark file: without a positive CPU time there is none", "[measure][benchmark]") {
  for (const char* time : {"0", "NaN", "-1"}) {
    const auto file = parse_benchmark_file(
        file_of(fmt::format(R"({{"name": "a", "real_time": 1, "cpu_time": {}}})", time)), "b.json");
    REQUIRE(file);
    CHECK(file->runs[0].cpu_seconds == 0);
  }
}

TEST_CASE("benchmark file: aggregates stand in where they are alone", "[measure][benchmark]") {
  const auto file = parse_benchmark_file(
      file_of(
          R"({"name": "k/gemm/m:64/n:32/threads:2_mean", "run_name": "k/gemm/m:64/n:32/threads:2", "run_type": "aggregate", "aggregate_name": "mean", "real_time": 9, "cpu_time": 9, "time_unit": "ms"},
             {"name": "k/gemm/m:64/n:32/threads:2_median", "run_name": "k/gemm/m:64/n:32/threads:2", "run_type": "aggregate", "aggregate_name": "median", "real_time": 8, "cpu_time": 8, "time_unit": "ms"},
             {"name": "k/gemm/m:64/n:32/threads:2_stddev", "run_name": "k/gemm/m:64/n:32/threads:2", "run_type": "aggregate", "aggregate_name": "stddev", "real_time": -NaN, "cpu_time": Infinity, "time_unit": "ms"},
             {"name": "old/8_mean", "real_time": 5, "cpu_time": 5, "time_unit": "s"})"),
      "b.json");
  REQUIRE(file);
  REQUIRE(file->runs.size() == 2);
  CHECK(file->runs[0].family == "k/gemm/threads:2");
  CHECK(file->runs[0].columns == std::vector<std::pair<std::string, double>>{{"m", 64}, {"n", 32}});
  CHECK(file->runs[0].real_seconds == Approx(8e-3));
  CHECK(file->runs[0].is_aggregate);
  CHECK(file->runs[1].family == "old");
  CHECK(file->runs[1].real_seconds == 5);
}

TEST_CASE("benchmark file: bare NaN and Infinity are numbers only outside of strings",
          "[measure][benchmark]") {
  const auto file = parse_benchmark_file(
      file_of(
          R"({"name": "NaN, \"Infinity\"", "real_time": 1, "cpu_time": 1, "time_unit": "s", "rate": -Infinity, "x": 3})"),
      "b.json");
  REQUIRE(file);
  CHECK(file->runs[0].family == "NaN, \"Infinity\"");
  CHECK(file->runs[0].columns == std::vector<std::pair<std::string, double>>{{"x", 3}});
  CHECK_THAT(error_of(file_of(R"({"name": "a/1", "real_time": NaN, "cpu_time": 1})")),
             Contains("b.json: benchmark 'a/1'") && Contains("real_time null"));
}

TEST_CASE("benchmark file: benchmarks that failed are listed", "[measure][benchmark]") {
  const auto file = parse_benchmark_file(
      file_of(
          R"({"name": "a/1", "error_occurred": true, "error_message": "no such device", "real_time": 0})"),
      "b.json");
  REQUIRE(file);
  CHECK(file->runs.empty());
  REQUIRE(file->failed.size() == 1);
  CHECK(file->failed[0].name == "a/1");
  CHECK(file->failed[0].message == "no such device");
}

TEST_CASE("benchmark file: what is none is an error", "[measure][benchmark]") {
  CHECK_THAT(error_of("{"), Contains("b.json") && Contains("no valid JSON"));
  CHECK_THAT(error_of("[1]"), Contains("'benchmarks'"));
  CHECK_THAT(error_of(file_of("{}")), Contains("without a name"));
  CHECK_THAT(error_of(file_of(R"({"name": "a", "real_time": 1, "cpu_time": 1, "time_unit": "h"})")),
             Contains("time_unit 'h'"));
  CHECK_THAT(error_of(file_of(R"({"name": "a", "real_time": 1, "time_unit": 7})")),
             Contains("wanted a string"));
  CHECK_THAT(error_of(file_of(R"({"name": "a", "real_time": -1, "cpu_time": 1})")),
             Contains("real_time -1"));
  CHECK_THAT(read_benchmark_file("none.json").error().message, Contains("none.json"));
}

}  // namespace
}  // namespace interpscale::measure
