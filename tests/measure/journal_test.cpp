// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/journal.hpp"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "measure/scratch_folder.hpp"
#include "support/catch.hpp"

using interpscale::Result;
using interpscale::measure::Journal;
using interpscale::measure::read_journal;
using interpscale::testing::read_text;
using interpscale::testing::ScratchFolder;
using interpscale::testing::write_text;
using nlohmann::ordered_json;

namespace {

/// While it lives, no file of this process grows beyond `bytes`, and trying is an error, not death.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("journal: records come back in order, over several openings", "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  {
    Result<Journal> journal = Journal::open(path);
    REQUIRE(journal.has_value());
    REQUIRE(journal->append({{"kind", "a"}, {"text", "line\nbreak"}}).has_value());
  }
  Result<Journal> journal = Journal::open(path);
  REQUIRE(journal.has_value());
  REQUIRE(journal->append({{"kind", "b"}, {"values", {1.5, 2.0}}}).has_value());
  const auto records = read_journal(path);
  REQUIRE(records.has_value());
  REQUIRE(records->size() == 2);
  CHECK((*records)[0].at("text") == "line\nbreak");
  CHECK((*records)[1].at("values").at(0) == 1.5);
}

TEST_CASE("journal: a torn last line is forgiven, and cut off on opening", "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  // Longer than the blocks in which the file is read backwards.
  const std::string torn = R"({"kind":")" + std::string(10'000, 'x');
  write_text(path, "{\"kind\":\"a\"}\n" + torn);
  const auto records = read_journal(path);
  REQUIRE(records.has_value());
  CHECK(records->size() == 1);
  Result<Journal> journal = Journal::open(path);
  REQUIRE(journal.has_value());
  CHECK(read_text(path) == "{\"kind\":\"a\"}\n");
  REQUIRE(journal->append({{"kind", "b"}}).has_value());
  CHECK(read_text(path) == "{\"kind\":\"a\"}\n{\"kind\":\"b\"}\n");
}

TEST_CASE("journal: a file that is one torn line becomes empty", "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  write_text(path, "{\"kind\"");
  REQUIRE(Journal::open(path).has_value());
  CHECK(read_text(path).empty());
}

TEST_CASE("journal: anything malformed but a torn end is an error with file and line",
          "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  for (const std::string second : {"{\"kind\":", "", "[1]", "{\"seconds\":NaN}", "{\"x\":1e999}"}) {
    CAPTURE(second);
    write_text(path, "{\"kind\":\"a\"}\n" + second + "\n{\"kind\":\"b\"}\n");
    const auto records = read_journal(path);
    REQUIRE_FALSE(records.has_value());
    CHECK(records.error().message.find(path.string() + ":2:") != std::string::npos);
  }
}

TEST_CASE("journal: a missing file or folder is an error that names it", "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "absent" / "journal.jsonl";
  const auto records = read_journal(path);
  REQUIRE_FALSE(records.has_value());
  CHECK(records.error().message.find(path.string()) != std::string::npos);
  const auto journal = Journal::open(path);
  REQUIRE_FALSE(journal.has_value());
  CHECK(journal.error().message.find(path.string()) != std::string::npos);
  CHECK_FALSE(Journal::open(folder.path()).has_value());
}

TEST_CASE("journal: numbers that are not finite are refused wherever they stand",
          "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  Result<Journal> journal = Journal::open(path);
  REQUIRE(journal.has_value());
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(journal->append({{"seconds", nan}}).has_value());
  const auto nested =
      journal->append({{"environment", {{"limits", ordered_json::array({1.0, infinity})}}}});
  REQUIRE_FALSE(nested.has_value());
  CHECK(nested.error().message.find("/environment/limits/1") != std::string::npos);
  CHECK_FALSE(journal->append(ordered_json::array({1, 2})).has_value());
  CHECK_FALSE(journal->append({{"text", "\xff"}}).has_value());
  CHECK(read_text(path).empty());
}

TEST_CASE("journal: a full disk is an error and leaves whole records only", "[measure][journal]") {
  const ScratchFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  Result<Journal> journal = Journal::open(path);
  REQUIRE(journal.has_value());
  REQUIRE(journal->append({{"kind", "a"}}).has_value());
  const std::string before = read_text(path);
  const ordered_json record = {{"kind", "b"}, {"text", std::string(100, 'x')}};
  for (const rlim_t room : {0U, 10U}) {  // write fails; write takes a part
    CAPTURE(room);
    Result<void> appended;
    {
      const FileSizeLimit limit(before.size() + room);
      appended = journal->append(record);
    }
    REQUIRE_FALSE(appended.has_value());
    CHECK(appended.error().message.find(path.string()) != std::string::npos);
    CHECK(read_text(path) == before);
  }
  REQUIRE(journal->append(record).has_value());
  CHECK(read_journal(path)->size() == 2);
}
