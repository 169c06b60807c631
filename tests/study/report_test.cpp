// The files of a report: complete, each subject once a table, doubtful cells in sight.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/report.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/synthetic_journal.hpp"

namespace interpscale::study {
namespace {

StudyResult analysed(StudyJournal journal) {
  Result<StudyResult> result = analyse(std::move(journal), {.resamples = 200});
  REQUIRE(result.has_value());
  return std::move(*result);
}

StudyResult ordinary() {
  return analysed(synthetic::journal(synthetic::laws(), 0.01));
}

/// The text from `heading` to the next heading of the same level.
std::string section(const std::string& text, const std::string& heading) {
  const std::size_t begin = text.find("## " + heading);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin, text.find("\n## ", begin) - begin);
}

std::size_t rows_starting_with(const std::string& table, const std::string& first) {
  std::istringstream stream(table);
  std::size_t rows = 0;
  for (std::string line; std::getline(stream, line);) {
    rows += static_cast<std::size_t>(line.starts_with("| " + first + " |"));
  }
  return rows;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("report: each subject stands once in each table", "[study][report]") {
  const StudyResult result = ordinary();
  const std::string text = markdown_report(result);
  for (const SubjectResult& subject : result.subjects) {
    INFO(subject.label());
    const std::string laws = section(text, "Laws in parameters and neurons");
    const std::size_t inputs = laws.find("With the input size d");
    REQUIRE(inputs != std::string::npos);
    CHECK(rows_starting_with(laws.substr(0, inputs), subject.label()) == 1);
    CHECK(rows_starting_with(laws.substr(inputs), subject.label()) == 1);
    CHECK(rows_starting_with(section(text, "Laws in one measure"), subject.label()) == 1);
    CHECK(rows_starting_with(section(text, "Transparency tax"), subject.label()) ==
          (subject.subject == "training_step" ? 0 : 1));
  }
}

TEST_CASE("report: mistrusted, failed and left-out cells are shown with their reasons",
          "[study][report]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), 0.01);
  journal.cells.front().status = "failed";
  journal.cells.front().reason = "deviation 3 of 1 allowed";
  journal.left_out = {{"method/neuron_shapley/naive", "over the time budget"}};
  const std::string doubtful = journal.cells[1].cell;
  for (TimingRecord& record : journal.timings) {
    if (record.cell == doubtful) {
      record.steal_share = 0.2;
    }
  }
  const std::string caveats = section(markdown_report(analysed(std::move(journal))), "Caveats");
  CHECK(caveats.find("deviation 3 of 1 allowed") != std::string::npos);
  CHECK(caveats.find("| " + doubtful + " | mistrusted | yes |") != std::string::npos);
  CHECK(caveats.find("over the time budget") != std::string::npos);
}

TEST_CASE("report: times on several threads are told apart by the processors' placement",
          "[study][report]") {
  StudyJournal journal = synthetic::journal(synthetic::laws(), 0.01);
  journal.plan.threads = 2;
  for (RoundRecord& round : journal.rounds) {
    round.threads = 2;
    round.binding = "0,1";
  }
  const std::string cell = journal.timings.front().cell;
  for (TimingRecord& record : journal.timings) {
    record.round_trips = {60.0, 310.0};
    if (record.cell == cell) {
      const bool near = record.round % 2 == 0;
      record.round_trips = near ? std::vector{60.0, 80.0} : std::vector{300.0, 310.0};
      record.seconds = near ? 1.0 : 1.5;
    }
  }
  const std::string text = section(markdown_report(analysed(std::move(journal))), "Setting");
  CHECK(text.find("| threads' processors | 0,1 |") != std::string::npos);
  CHECK(text.find(" timings near, ") != std::string::npos);
  CHECK(text.find(" timings mixed") != std::string::npos);
  CHECK(text.find("far takes 1.50 times as long as near, in the geometric mean over 1 cells") !=
        std::string::npos);
}

TEST_CASE("report: figures are linked with alternative texts", "[study][report]") {
  const std::string text = markdown_report(ordinary());
  for (const char* name : {"laws_parameters", "laws_neurons", "exponents", "tax", "roofline"}) {
    const std::size_t link = text.find(std::string("](figures/") + name + ".png)");
    REQUIRE(link != std::string::npos);
    const std::size_t open = text.rfind("![", link);
    REQUIRE(open != std::string::npos);
    CHECK(link - open > 12);
  }
}

TEST_CASE("report: the tables have a line a cell and a line a subject", "[study][report]") {
  const StudyResult result = ordinary();
  CHECK(lines_of(laws_csv(result)) == 1 + result.subjects.size());
  CHECK(lines_of(cells_csv(result)) == 1 + result.journal.cells.size());
}

TEST_CASE("report: files are written whole, and nothing is left beside them", "[study][report]") {
  const auto folder = std::filesystem::temp_directory_path() / "interpscale_report_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const StudyResult result = ordinary();
  REQUIRE(write_report(result, folder).has_value());
  REQUIRE(write_report(result, folder).has_value());
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 4);
  CHECK(read(folder / "report.md") == markdown_report(result));
  CHECK(nlohmann::ordered_json::parse(read(folder / "report.json")) == to_json(result));
  std::filesystem::remove_all(folder);

  const Result<void> nowhere = write_report(result, folder / "missing");
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().message.find("missing") != std::string::npos);
}

}  // namespace interpscale::study
