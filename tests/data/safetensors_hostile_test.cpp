// Files that lie: every one is answered by one message that says where and what, and by nothing
// worse. tests/fuzz looks for further ones.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <vector>

#include "data/safetensors_bytes.hpp"
#include "data/safetensors_file.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

using Catch::Matchers::Contains;
using testing::bytes_of_value;
using testing::Entries;
using testing::entry;
using testing::file_of;
using testing::length_of;
using testing::with_header;

/// One damaged file and what must be said of it.
struct Hostile {
  std::string what;
  std::string bytes;
  std::vector<std::string> said;
};

template <class Read>
void check(const std::vector<Hostile>& cases, const Read& read) {
  for (const Hostile& hostile : cases) {
    INFO(hostile.what);
    std::istringstream stream(hostile.bytes);
    Source source{"the-file", stream, hostile.bytes.size()};
    const auto found = read(source);
    REQUIRE_FALSE(found.has_value());
    const std::string& message = found.error().message;
    CHECK(message.rfind("the-file: ", 0) == 0);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 400);
    for (const std::string& fragment : hostile.said) {
      CHECK_THAT(message, Contains(fragment));
    }
  }
}

void check_networks(const std::vector<Hostile>& cases) {
  check(cases,
        [](Source& source) { return read_network<float>(source, kernels::Activation::kRelu); });
}

/// The small network with one entry replaced.
std::string network_with(const std::function<void(Entries&)>& change, std::size_t floats = 5) {
  Entries entries;
  change(entries);
  return file_of(entries.header(), floats);
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST_CASE("safetensors: a file whose length or header's frame lies", "[data][safetensors]") {
  const std::string good = Entries{}.header();
  check_networks({
      {"nothing", "", {"byte 0: found 0 bytes", "wanted a header length of 8"}},
      {"seven bytes", "1234567", {"byte 0: found 7 bytes"}},
      {"a length and no header", length_of(1), {"found a header length of 1, wanted at most 0"}},
      {"the largest length", length_of(~std::uint64_t{0}) + good, {"18446744073709551615"}},
      {"a length one too long", length_of(good.size() + 1) + good, {"byte 0", "wanted at most"}},
      {"a length one too short", length_of(good.size() - 1) + good, {"is not JSON", "byte"}},
      {"a length of zero", length_of(0) + good, {"byte 9", "is not JSON"}},
      {"an open brace", file_of("{", 0), {"is not JSON"}},
      {"no text in any encoding", file_of("\xff\xfe", 0), {"is not JSON"}},
      {"a name that is not UTF-8", file_of("{\"\xc3\x28\":{}}", 0), {"is not JSON"}},
      {"a lone surrogate", file_of(R"({"\ud800":{}})", 0), {"is not JSON"}},
      {"a NUL inside", file_of(std::string("{\0}", 3), 0), {"is not JSON"}},
      {"an array", file_of("[]", 0), {"byte 9", "found an array, wanted one object"}},
      {"a number", file_of("7", 0), {"found 7, wanted one object"}},
      {"two documents", file_of(good + good, 5), {"is not JSON"}},
      {"a comment", file_of("/* */" + good, 5), {"is not JSON"}},
      {"half a million brackets", file_of(nested(500000), 0), {"wanted one object"}},
      {"deep nesting inside an entry",
       file_of("{\"a\":" + nested(100000) + '}', 0),
       {"byte", "tensor 'a': found an array, wanted an object"}},
      {"deep nesting inside metadata",
       file_of("{\"__metadata__\":{\"a\":" + nested(100000) + "}}", 0),
       {"found an array, wanted texts in __metadata__"}},
      {"deep nesting inside a shape",
       file_of("{\"a\":{\"shape\":" + nested(100000) + "}}", 0),
       {"tensor 'a': found an array, wanted one or two extents"}},
      {"metadata twice",
       file_of(R"({"__metadata__":{},"__metadata__":{}})", 0),
       {"found __metadata__ twice"}},
      {"metadata that is a number", file_of(R"({"__metadata__":1})", 0), {"found 1"}},
      {"no tensor", file_of("{}", 0), {"found 0 layers, wanted a hidden layer and a read-out"}},
      {"a name of a million letters",
       file_of('{' + entry(std::string(1000000, 'a'), "[1]", 0, 4) + '}', 1),
       {"found a tensor name of 1000000 bytes, wanted 1 to 200"}},
      {"a name without letters", file_of('{' + entry("", "[1]", 0, 4) + '}', 1), {"of 0 bytes"}},
      {"a name with a line's end",
       file_of('{' + entry("a\\nb", "[1]", 0, 4) + '}', 1),
       {"found a tensor name of 3 bytes, wanted 1 to 200 printable ones"}},
      {"a text without an end", file_of("{\"" + std::string(1000000, 'a'), 0), {"is not JSON"}},
  });
}

TEST_CASE("safetensors: a tensor whose entry lies", "[data][safetensors]") {
  const auto bias0 = [](const std::string& text) {
    return network_with([&](Entries& entries) { entries.bias0 = text; });
  };
  const std::string largest = "18446744073709551615";
  check_networks({
      {"a number for an entry", bias0(R"("0.bias":7)"), {"'0.bias': found 7, wanted an object"}},
      {"null for an entry", bias0(R"("0.bias":null)"), {"found null"}},
      {"an entry without fields", bias0(R"("0.bias":{})"), {"'0.bias': found no dtype"}},
      {"no dtype", bias0(R"("0.bias":{"shape":[1],"data_offsets":[8,12]})"), {"found no dtype"}},
      {"no shape", bias0(R"("0.bias":{"dtype":"F32","data_offsets":[8,12]})"), {"no shape"}},
      {"no offsets", bias0(R"("0.bias":{"dtype":"F32","shape":[1]})"), {"no data_offsets"}},
      {"an unknown dtype",
       bias0(entry("0.bias", "[1]", 8, 12, "BF16")),
       {"found dtype 'BF16', wanted a dtype of F32, F64, I32 or I64"}},
      {"a dtype that is a number", bias0(R"("0.bias":{"dtype":32,"shape":[1]})"), {"found 32"}},
      {"integers for a bias",
       bias0(entry("0.bias", "[1]", 8, 12, "I32")),
       {"'0.bias': found dtype I32, wanted F32 or F64"}},
      {"a dtype of another size",
       bias0(entry("0.bias", "[1]", 8, 12, "F64")),
       {"found data_offsets 8 to 12, wanted 8 bytes for the shape [1] of F64"}},
      {"a field twice", bias0(R"("0.bias":{"dtype":"F32","dtype":"F32"})"), {"'dtype' twice"}},
      {"a field of its own",
       bias0(R"("0.bias":{"dtype":"F32","strides":[1]})"),
       {"found the field 'strides', wanted dtype, shape and data_offsets"}},
      {"no extent", bias0(entry("0.bias", "[]", 8, 12)), {"found 0 extents"}},
      {"three extents", bias0(entry("0.bias", "[1,1,1]", 8, 12)), {"wanted one or two extents"}},
      {"an extent of zero", bias0(entry("0.bias", "[0]", 8, 8)), {"found the shape [0]"}},
      {"a negative extent", bias0(entry("0.bias", "[-1]", 8, 12)), {"found -1, wanted one or two"}},
      {"a broken extent", bias0(entry("0.bias", "[1.5]", 8, 12)), {"found 1.5"}},
      {"an extent in words", bias0(entry("0.bias", "[\"1\"]", 8, 12)), {"found '1'"}},
      {"an extent beyond 64 bits",
       bias0(entry("0.bias", "[36893488147419103232]", 8, 12)),
       {"found 36893488147419103232"}},
      {"a number beyond any range", bias0(entry("0.bias", "[1e999]", 8, 12)), {"is not JSON"}},
      {"extents whose product overflows",
       bias0(entry("0.bias", "[4294967296,4294967296]", 8, 12)),
       {"found the shape [4294967296, 4294967296]", "fits 64 bits"}},
      {"bytes that overflow",
       bias0(entry("0.bias", "[9223372036854775808]", 8, 12)),
       {"fits 64 bits"}},
      {"one offset",
       bias0(R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8]})"),
       {"found 1 extents and 1 data_offsets"}},
      {"three offsets",
       bias0(R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12,16]})"),
       {"found 16, wanted two data_offsets"}},
      {"a negative offset",
       bias0(R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[-8,12]})"),
       {"found -8, wanted two data_offsets"}},
      {"a broken offset",
       bias0(R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8.0,12]})"),
       {"found 8.0"}},
      {"offsets in the wrong order",
       bias0(entry("0.bias", "[1]", 12, 8)),
       {"found data_offsets 12 to 8"}},
      {"more bytes than the shape",
       bias0(entry("0.bias", "[1]", 8, 16)),
       {"found data_offsets 8 to 16, wanted 4 bytes"}},
      {"offsets at the end of all numbers",
       bias0(entry("0.bias", "[1]", 18446744073709551611U, 18446744073709551615U)),
       {largest}},
  });
}

TEST_CASE("safetensors: tensors that lie about each other", "[data][safetensors]") {
  const std::string good = Entries{}.header();
  check_networks({
      {"a truncated tensor", file_of(good, 4), {"'2.bias'", "wanted a stretch of the 16 bytes"}},
      {"one byte short",
       file_of(good, 5).substr(0, 8 + good.size() + 19),
       {"wanted a stretch of the 19 bytes"}},
      {"bytes behind the last tensor",
       file_of(good, 6),
       {"found 4 bytes that belong to no tensor, wanted the end of the file"}},
      {"a name twice",
       file_of('{' + Entries{}.bias0 + ',' + good.substr(1), 5),
       {"names tensor '0.bias' twice"}},
      {"an overlap",
       network_with([](Entries& e) { e.bias1 = entry("2.bias", "[1]", 12, 16); }, 4),
       {"overlaps the one before it"}},
      {"a gap",
       network_with([](Entries& e) { e.bias1 = entry("2.bias", "[1]", 20, 24); }, 6),
       {"'2.bias' leaves a gap before it"}},
      {"data that begin late",
       network_with(
           [](Entries& e) {
             e = {entry("0.weight", "[1,2]", 4, 12), entry("0.bias", "[1]", 12, 16),
                  entry("2.weight", "[1,1]", 16, 20), entry("2.bias", "[1]", 20, 24)};
           },
           6),
       {"'0.weight' leaves a gap before it"}},
      {"not a number",
       with_header(good, file_of("", 4).substr(8) + "\xff\xff\xff\xff"),
       {"tensor '2.bias': found", "wanted a finite number"}},
      {"infinity",
       with_header(good, bytes_of_value(HUGE_VALF) + file_of("", 4).substr(8)),
       {"tensor '0.weight': found inf"}},
  });
}

TEST_CASE("safetensors: tensors that make no network", "[data][safetensors]") {
  const auto bias1 = [](const std::string& name) {
    return network_with([&](Entries& entries) { entries.bias1 = entry(name, "[1]", 16, 20); });
  };
  check_networks({
      {"a name that is no layer's",
       bias1("2.scale"),
       {"found tensor '2.scale', wanted names such as '0.weight'"}},
      {"no index", bias1("x.bias"), {"found tensor 'x.bias'"}},
      {"a negative index", bias1("-2.bias"), {"found tensor '-2.bias'"}},
      {"an index that does not fit", bias1("99999999999.bias"), {"'99999999999.bias'"}},
      {"two prefixes", bias1("b.2.bias"), {"'b.2.bias': found the prefix 'b.', wanted ''"}},
      {"a missing bias", bias1("4.bias"), {"found no tensor '2.bias'"}},
      {"two spellings of one index", bias1("00.bias"), {"have the same place"}},
      {"a bias of another length",
       network_with([](Entries& e) { e.weight0 = entry("0.weight", "[2,1]", 0, 8); }),
       {"'0.weight' [2, 1] and '0.bias' [1]: wanted the shapes"}},
      {"a weight that is a vector",
       network_with([](Entries& e) { e.weight0 = entry("0.weight", "[2]", 0, 8); }),
       {"'0.weight' [2]"}},
      {"layers that do not chain",
       network_with([](Entries& e) {
         e = {entry("0.weight", "[1,1]", 0, 4), entry("0.bias", "[1]", 4, 8),
              entry("2.weight", "[1,2]", 8, 16), entry("2.bias", "[1]", 16, 20)};
       }),
       {"tensor '2.weight': found 2 inputs, wanted 1"}},
      {"a single layer",
       file_of('{' + entry("0.weight", "[1,2]", 0, 8) + ',' + entry("0.bias", "[1]", 8, 12) + '}',
               3),
       {"found 1 layers"}},
  });
}

TEST_CASE("safetensors: samples that lie", "[data][safetensors]") {
  const std::string inputs = entry("inputs", "[2,2]", 0, 16);
  const std::string floats = file_of("", 4).substr(8);
  const auto labelled = [&](const std::string& labels, const std::string& data) {
    return with_header('{' + inputs + ',' + labels + '}', floats + data);
  };
  const std::string zero = bytes_of_value(std::int64_t{0});
  const std::string two_labels = entry("labels", "[2]", 16, 32, "I64");
  const std::vector<Hostile> cases = {
      {"no inputs",
       file_of('{' + entry("labels", "[1]", 0, 4, "I32") + '}', 1),
       {"found no tensor 'inputs'"}},
      {"inputs that are a vector",
       file_of('{' + entry("inputs", "[4]", 0, 16) + '}', 4),
       {"'inputs': found the shape [4], wanted [B, d]"}},
      {"inputs of integers",
       file_of('{' + entry("inputs", "[2,2]", 0, 16, "I32") + '}', 4),
       {"'inputs': found dtype I32, wanted F32 or F64"}},
      {"labels of floats",
       labelled(entry("labels", "[2]", 16, 24), zero),
       {"'labels': found dtype F32, wanted I64 or I32"}},
      {"too few labels",
       labelled(entry("labels", "[1]", 16, 24, "I64"), zero),
       {"'labels': found the shape [1], wanted [2]"}},
      {"labels in a matrix",
       labelled(entry("labels", "[2,1]", 16, 32, "I64"), zero + zero),
       {"'labels': found the shape [2, 1]"}},
      {"a negative label",
       labelled(two_labels, zero + bytes_of_value(std::int64_t{-1})),
       {"'labels': found the label -1, wanted 0 to 2147483647"}},
      {"a label beyond 31 bits",
       labelled(two_labels, zero + bytes_of_value(std::int64_t{1} << 40)),
       {"found the label 1099511627776"}},
      {"a donor of another shape",
       labelled(entry("donor", "[1,2]", 16, 24), zero),
       {"'donor': found the shape [1, 2], wanted [2, 2]"}},
      {"a baseline of another length",
       labelled(entry("baseline", "[3]", 16, 28), floats.substr(0, 12)),
       {"'baseline': found the shape [3], wanted [1, 2]"}},
      {"another tensor",
       labelled(entry("weights", "[2]", 16, 24), zero),
       {"found tensor 'weights', wanted inputs, labels, donor and baseline only"}},
      {"a double beyond float",
       with_header('{' + entry("inputs", "[1,1]", 0, 8, "F64") + '}', bytes_of_value(1e300)),
       {"found 1e+300, wanted a finite number in single precision"}},
  };
  check(cases, [](Source& source) { return read_samples<float>(source); });
}

}  // namespace
}  // namespace interpscale::data
