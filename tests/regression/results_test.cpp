// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/results.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

using Catch::Matchers::Contains;

/// A file that is gone at the end of a test.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("interpscale-results-{}-{}.json", getpid(), ++count_)) {
    std::ofstream(path_) << text;
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

std::string entry(const std::string& name, const std::string& time) {
  return fmt::format(R"({{"name": "{0}", "run_name": "{0}", "run_type": "iteration",
    "real_time": {1}, "cpu_time": {1}, "time_unit": "us", "params": 50890, "iterations": 9}})",
                     name, time);
}

/// An aggregate as Debian's version writes it: a variation over nothing is the bare word NaN.
std::string aggregate(const std::string& name, const std::string& value) {
  return fmt::format(R"({{"name": "{0}_cv", "run_name": "{0}", "run_type": "aggregate",
    "aggregate_name": "cv", "real_time": {1}, "cpu_time": {1}, "time_unit": "us"}})",
                     name, value);
}

std::string file_of(const std::vector<std::string>& entries, const std::string& cpu = "A",
                    const std::string& target = "AVX2") {
  return fmt::format(R"({{"context": {{"host_name": "h", "num_cpus": 2, "cpu": "{}",
    "simd_target": "{}", "interpscale": "0.1.0, revision abc"}}, "benchmarks": [{}]}})",
                     cpu, target, fmt::join(entries, ","));
}

std::vector<std::string> rounds(double seconds, int count = 6) {
  std::vector<std::string> entries;
  for (int r = 0; r < count; ++r) {
    entries.push_back(entry("a/w:64", fmt::format("{}", seconds * (1 + 0.001 * r))));
  }
  return entries;
}

std::string error_of(const std::string& text) {
  const ScratchFile file(text);
  const auto results = read_google_benchmark(file.path());
  REQUIRE_FALSE(results);
  CHECK_THAT(results.error().message, Contains(file.path().string()));
  return results.error().message;
}

TEST_CASE("google benchmark: repetitions are rounds, aggregates are passed over",
          "[regression][results]") {
  std::vector<std::string> entries = rounds(12.5);
  entries.push_back(aggregate("a/w:64", "NaN"));
  entries.push_back(aggregate("a/w:64", "-Infinity"));
  const ScratchFile file(file_of(entries));
  const auto results = read_google_benchmark(file.path());
  REQUIRE(results);
  REQUIRE(results->cells.size() == 1);
  CHECK(results->cells[0].name == "a/w:64");
  CHECK(results->cells[0].rounds.size() == 6);
  CHECK(results->cells[0].rounds[0] == Approx(12.5e-6));
  CHECK(results->cells[0].parameters == 50890);
  CHECK(results->machine.cpu == "A");
  CHECK(results->machine.simd_target == "AVX2");
  CHECK(results->revision == "abc");
}

TEST_CASE("google benchmark: a word that looks like NaN inside a string stays", "[regression]") {
  std::vector<std::string> entries = rounds(1);
  entries.push_back(entry("NaN and \\\"Infinity\\\"", "3"));
  const ScratchFile file(file_of(entries));
  const auto results = read_google_benchmark(file.path());
  REQUIRE(results);
  CHECK(results->cells[1].name == "NaN and \"Infinity\"");
}

TEST_CASE("google benchmark: what cannot be used is one message that names file and fault",
          "[regression][results]") {
  CHECK_THAT(error_of(""), Contains("empty"));
  CHECK_THAT(error_of(file_of(rounds(1)).substr(0, 300)), Contains("cut short"));
  CHECK_THAT(error_of("[1, 2]"), Contains("not of Google Benchmark"));
  CHECK_THAT(error_of(file_of({})), Contains("no benchmarks"));
  CHECK_THAT(error_of(file_of({aggregate("a", "1")})), Contains("aggregates only"));
  CHECK_THAT(error_of(file_of({entry("a", "NaN")})), Contains("'a'") && Contains("finite"));
  CHECK_THAT(error_of(file_of({"{}"})), Contains("without a name"));
  CHECK_FALSE(read_google_benchmark("/nowhere/at-all.json"));
}

ResultSet results_of(const std::string& text) {
  const ScratchFile file(text);
  auto results = read_google_benchmark(file.path());
  REQUIRE(results);
  return *results;
}

TEST_CASE("saved results: a wider threshold, and a word about it", "[regression][results]") {
  const ResultSet base = results_of(file_of(rounds(10)));
  const auto comparison = compare_saved(base, results_of(file_of(rounds(13))), {}, false);
  REQUIRE(comparison);
  CHECK(comparison->verdict == Verdict::kRegressed);
  CHECK(comparison->threshold == 0.10);
  CHECK_THAT(comparison->note, Contains("not measured side by side"));
  CHECK(compare_saved(base, base, {}, false)->verdict == Verdict::kUnchanged);
}

TEST_CASE("saved results: other machines and targets are refused unless asked for",
          "[regression][results]") {
  const ResultSet base = results_of(file_of(rounds(10)));
  for (const auto& [text, word] : {std::pair{file_of(rounds(10), "B"), "CPU: A in the base"},
                                   std::pair{file_of(rounds(10), "A", "AVX3"), "SIMD target"}}) {
    const ResultSet other = results_of(text);
    const auto refused = compare_saved(base, other, {}, false);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Contains(word) && Contains("--allow-different-machines"));
    const auto asked = compare_saved(base, other, {}, true);
    REQUIRE(asked);
    CHECK_THAT(asked->note, Contains("across machines, as asked"));
  }
}

TEST_CASE("saved results: too few rounds are refused with the number needed",
          "[regression][results]") {
  const ResultSet base = results_of(file_of(rounds(10, 1)));
  const auto refused = compare_saved(base, base, {}, false);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message,
             Contains("found 1 round, wanted at least 5") && Contains("repetitions=5"));
}

TEST_CASE("saved results: a benchmark that failed keeps the verdict from being good",
          "[regression][results]") {
  const ResultSet base = results_of(file_of(rounds(10)));
  ResultSet candidate = base;
  candidate.failed.emplace_back("b", "wrong");
  CHECK(compare_saved(base, candidate, {}, false)->verdict == Verdict::kInconclusive);
}

TEST_CASE("filter: keeps what matches, or with a minus what does not", "[regression][results]") {
  std::vector<std::string> entries = rounds(1);
  entries.push_back(entry("b/w:64", "3"));
  const ResultSet results = results_of(file_of(entries));
  CHECK(filtered(results, "^b")->cells.size() == 1);
  CHECK(filtered(results, "-^b")->cells[0].name == "a/w:64");
  CHECK_FALSE(filtered(results, "nothing"));
  CHECK_FALSE(filtered(results, "("));
}

}  // namespace
}  // namespace interpscale::regression
