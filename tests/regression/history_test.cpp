// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/history.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "interpscale/core/random.hpp"
#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

class ScratchFolder {
 public:
  ScratchFolder()
      : path_(fs::temp_directory_path() / fmt::format("interpscale-history-{}", getpid())) {
    fs::remove_all(path_);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

ResultSet results_of(double seconds) {
  ResultSet results;
  results.source = "sample";
  results.date = "2026-11-24T00:00:00Z";
  results.machine = {"AMD EPYC (TM)", 2, "AVX3_ZEN4", "simd", 1, ""};
  scaling::Observation cell;
  cell.name = "a";
  cell.rounds = {seconds, 1.01 * seconds, 0.99 * seconds};
  results.cells.push_back(cell);
  return results;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST_CASE("history: a revision is one line of its machine's file, however often it is added",
          "[regression][history]") {
  const ScratchFolder folder;
  const ResultSet results = results_of(1);
  const fs::path file = history_file(folder.path(), results.machine);
  CHECK(file.filename() == "amd-epyc-tm-2c-avx3-zen4-1t.jsonl");
  CHECK(append_history(folder.path(), results, "abc").value_or(false));
  const std::string once = text_of(file);
  CHECK_FALSE(append_history(folder.path(), results_of(2), "abc").value_or(true));
  CHECK(text_of(file) == once);
  CHECK(append_history(folder.path(), results_of(2), "def").value_or(false));
  const auto lines = read_history(file);
  REQUIRE(lines);
  REQUIRE(lines->size() == 2);
  CHECK((*lines)[0].revision == "abc");
  CHECK((*lines)[1].cells[0].seconds == Approx(2));
  CHECK((*lines)[0].cells[0].rounds == 3);
}

TEST_CASE("history: another machine has another file", "[regression][history]") {
  Machine machine = results_of(1).machine;
  const fs::path file = history_file("h", machine);
  machine.simd_target = "AVX2";
  CHECK(history_file("h", machine) != file);
}

TEST_CASE("history: what has no clean revision or no machine is refused", "[regression][history]") {
  const ScratchFolder folder;
  for (const char* revision : {"", "unknown", "abc with changes"}) {
    CHECK_FALSE(append_history(folder.path(), results_of(1), revision));
  }
  ResultSet nowhere = results_of(1);
  nowhere.machine.cpu.clear();
  CHECK_FALSE(append_history(folder.path(), nowhere, "abc"));
}

TEST_CASE("history: a malformed line is an error with file and line", "[regression][history]") {
  const ScratchFolder folder;
  REQUIRE(append_history(folder.path(), results_of(1), "abc"));
  const fs::path file = history_file(folder.path(), results_of(1).machine);
  std::ofstream(file, std::ios::app) << "{\"schema\": 1}\n";
  const auto lines = read_history(file);
  REQUIRE_FALSE(lines);
  CHECK_THAT(lines.error().message, Contains(file.string() + ":2"));
  CHECK_FALSE(append_history(folder.path(), results_of(1), "def"));
}

TEST_CASE("history: a step is named with its revision, a small one is left out",
          "[regression][history]") {
  const RandomStream random(3, 0);
  std::vector<HistoryLine> lines;
  for (std::uint64_t i = 0; i < 24; ++i) {
    const double noise = 1 + 0.004 * random.normal(i);
    lines.push_back(
        {fmt::format("r{}", i),
         "",
         {},
         {{"a", noise * (i < 12 ? 1 : 1.2), 0, 5}, {"b", noise * (i < 12 ? 1 : 1.02), 0, 5}}});
  }
  const auto series = history_series(lines, 0.03);
  REQUIRE(series.size() == 2);
  REQUIRE(series[0].changes.size() == 1);
  CHECK(series[0].changes[0].after == Approx(1.2).epsilon(0.01));
  CHECK(series[1].changes.empty());
  CHECK_THAT(to_text(lines, series), Contains("with revision r12"));
  CHECK(to_json(lines, series).at("series")[0].at("changes")[0].at("revision") == "r12");
}

}  // namespace
}  // namespace interpscale::regression
