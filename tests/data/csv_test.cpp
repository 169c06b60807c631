// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/csv.hpp"

#include <string>

#include "data/temporary_folder.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

using Catch::Matchers::Contains;

std::string parse_error(std::string_view text) {
  const auto table = CsvTable::parse(text, "t.csv");
  return table ? std::string() : table.error().message;
}

std::string number_error(std::string_view text, std::string_view column = "x") {
  const auto table = CsvTable::parse(text, "t.csv");
  REQUIRE(table);
  const auto values = table->positive_numbers(column);
  return values ? std::string() : values.error().message;
}

TEST_CASE("csv: plain rows, whatever ends the lines", "[data][csv]") {
  for (const char* text : {"x,y\n1,2\n3,4\n", "x,y\r\n1,2\r\n3,4", "x,y\r1,2\r3,4\r",
                           "\xEF\xBB\xBFx,y\n\n1,2\n3,4\n\n", " x , y\n 1 ,\t2\n3,+4e0\n"}) {
    CAPTURE(text);
    const auto table = CsvTable::parse(text, "t.csv");
    REQUIRE(table);
    REQUIRE(table->rows() == 2);
    CHECK(table->header() == std::vector<std::string>{"x", "y"});
    CHECK(*table->positive_numbers("x") == std::vector<double>{1, 3});
    CHECK(*table->positive_numbers("y") == std::vector<double>{2, 4});
  }
}

TEST_CASE("csv: quoted fields hold commas, quotes and line breaks", "[data][csv]") {
  const auto table =
      CsvTable::parse("\"a \"\"b\"\", c\",y\r\n\"one\r\ntwo\",1e-3\r\nlast,2.5e+10\r\n", "t.csv");
  REQUIRE(table);
  CHECK(table->header().front() == "a \"b\", c");
  CHECK(table->text(0, 0) == "one\r\ntwo");
  CHECK(table->place(1, 1) == "t.csv:4:6");
  CHECK(*table->positive_numbers("y") == std::vector<double>{1e-3, 2.5e10});
}

TEST_CASE("csv: broken tables are errors with line and column", "[data][csv]") {
  CHECK_THAT(parse_error(""), Contains("t.csv") && Contains("found nothing"));
  CHECK_THAT(parse_error("x,y\n1,2\n3\n"), Contains("t.csv:3: found 1 fields, wanted 2"));
  CHECK_THAT(parse_error("x,y\n1,2,3\n"), Contains("t.csv:2: found 3 fields"));
  CHECK_THAT(parse_error("x,y\n1,\"2\n3,4\n"), Contains("t.csv:2:3:") && Contains("not closed"));
  CHECK_THAT(parse_error("x,y\n\"1\"2,3\n"), Contains("t.csv:2:4:") && Contains("closing quote"));
  CHECK_THAT(parse_error(std::string_view("x,y\n1,\0\n", 8)), Contains("byte 6"));
}

TEST_CASE("csv: what is no positive number is refused with its place", "[data][csv]") {
  CHECK(number_error("x,y\n1,a\n").empty());
  CHECK_THAT(number_error("x,y\n1,2\nabc,2\n"),
             Contains("t.csv:3:1: column 'x': found 'abc', wanted a positive number"));
  for (const char* value : {"", "nan", "NaN", "inf", "-1", "0", "1e999", "1 2", "0x10", "1;2",
                            "+-1", "--1", "\"1,5\""}) {
    CAPTURE(value);
    CHECK_THAT(number_error("y,x\n1,2\n1," + std::string(value) + "\n"),
               Contains("t.csv:3:3: column 'x'"));
  }
}

TEST_CASE("csv: a column that is missing or occurs twice is an error", "[data][csv]") {
  CHECK_THAT(number_error("a,b\n1,2\n"), Contains("no column 'x'") && Contains("a, b"));
  CHECK_THAT(number_error("x,x\n1,2\n"), Contains("two columns 'x'"));
}

TEST_CASE("csv: files are read, and those that cannot be are named", "[data][csv]") {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("times.csv", "x,y\r\n1,2\r\n");
  const auto table = CsvTable::read(path);
  REQUIRE(table);
  CHECK(table->rows() == 1);
  CHECK_THAT(CsvTable::read(folder.path() / "none.csv").error().message,
             Contains("none.csv") && Contains("No such file"));
  CHECK_THAT(CsvTable::read(folder.path()).error().message, Contains("directory"));
}

}  // namespace
}  // namespace interpscale::data
