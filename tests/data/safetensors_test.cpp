// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/safetensors.hpp"

#include <cstring>

#include "data/temporary_folder.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

using Catch::Matchers::Contains;
using testing::TemporaryFolder;

const nn::Topology kTopology{5, {7, 3}, 2, kernels::Activation::kRelu};

std::string length_of(std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);  // little-endian, as the host
  return bytes;
}

/// A file of `header` and `floats` values 0.5, 1.5, ...
std::string file_of(const std::string& header, std::size_t floats) {
  std::string bytes = length_of(header.size()) + header;
  for (std::size_t k = 0; k < floats; ++k) {
    const float value = static_cast<float>(k) + 0.5F;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return bytes;
}

std::string entry(const std::string& name, const std::string& shape, std::size_t begin,
                  std::size_t end) {
  return '"' + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[)" +
         std::to_string(begin) + ',' + std::to_string(end) + "]}";
}

/// A 2-1-1 network in 20 bytes; each entry may be replaced.
struct Entries {
  std::string weight0 = entry("0.weight", "[1,2]", 0, 8);
  std::string bias0 = entry("0.bias", "[1]", 8, 12);
  std::string weight1 = entry("2.weight", "[1,1]", 12, 16);
  std::string bias1 = entry("2.bias", "[1]", 16, 20);

  [[nodiscard]] std::string header() const {
    return '{' + weight0 + ',' + bias0 + ',' + weight1 + ',' + bias1 + '}';
  }
};

std::string error_of(const TemporaryFolder& folder, const std::string& bytes) {
  const auto path = folder.write("network", bytes);
  const auto network = load_network(path, kernels::Activation::kRelu);
  REQUIRE_FALSE(network.has_value());
  CHECK_THAT(network.error().message, Contains(path.string()));
  return network.error().message;
}

TEST_CASE("safetensors: a saved network comes back bit by bit", "[data][safetensors]") {
  const TemporaryFolder folder;
  const nn::Mlp<float> network = nn::initialise_he<float>(kTopology, 3, 0.1);
  REQUIRE(save_network(network, folder.path() / "a").has_value());
  const auto loaded = load_network(folder.path() / "a", kernels::Activation::kTanh);
  REQUIRE(loaded.has_value());
  CHECK(loaded->topology == nn::Topology{5, {7, 3}, 2, kernels::Activation::kTanh});
  for (std::size_t l = 0; l < 3; ++l) {
    const auto saved = network.layers[l].weights.padded();
    CHECK(std::memcmp(loaded->layers[l].weights.padded().data(), saved.data(),
                      saved.size_bytes()) == 0);
    CHECK(loaded->layers[l].bias == network.layers[l].bias);
  }
}

TEST_CASE("safetensors: the file is as the format says", "[data][safetensors]") {
  const TemporaryFolder folder;
  REQUIRE(save_network(nn::initialise_he<float>({2, {1}, 1}, 3), folder.path() / "a").has_value());
  const std::string bytes = folder.read("a");
  std::string header = Entries{}.header();
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string start = length_of(header.size()) + header;
  CHECK(bytes.substr(0, start.size()) == start);
  CHECK(bytes.size() == start.size() + 20);
}

TEST_CASE("safetensors: saving replaces a file and leaves nothing else behind",
          "[data][safetensors]") {
  const TemporaryFolder folder;
  folder.write("a", "something older");
  REQUIRE(save_network(nn::initialise_he<float>(kTopology, 3), folder.path() / "a").has_value());
  const auto files = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  CHECK(files == 1);
  CHECK(load_network(folder.path() / "a", kernels::Activation::kRelu).has_value());
  const auto nowhere =
      save_network(nn::initialise_he<float>(kTopology, 3), folder.path() / "none" / "a");
  REQUIRE_FALSE(nowhere.has_value());
  CHECK_THAT(nowhere.error().message, Contains("none/a: cannot be written: No such file"));
  std::filesystem::create_directory(folder.path() / "b");
  CHECK_FALSE(save_network(nn::initialise_he<float>(kTopology, 3), folder.path() / "b"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("safetensors: any prefix, rising indices in any order, and metadata are read",
          "[data][safetensors]") {
  const TemporaryFolder folder;
  const std::string header =
      R"({"__metadata__":{"format":"pt"},)" + entry("net.10.bias", "[1]", 0, 4) + ',' +
      entry("net.10.weight", "[1,1]", 4, 8) + ',' + entry("net.9.weight", "[1,2]", 8, 16) + ',' +
      entry("net.9.bias", "[1]", 16, 20) + "}   ";
  const auto network =
      load_network(folder.write("a", file_of(header, 5)), kernels::Activation::kRelu);
  REQUIRE(network.has_value());
  CHECK(network->topology == nn::Topology{2, {1}, 1, kernels::Activation::kRelu});
  CHECK(network->layers[0].weights(0, 1) == 3.5F);
  CHECK(network->layers[0].bias[0] == 4.5F);
  CHECK(network->layers[1].weights(0, 0) == 1.5F);
  CHECK(network->layers[1].bias[0] == 0.5F);
}

TEST_CASE("safetensors: a header that lies is refused", "[data][safetensors]") {
  const TemporaryFolder folder;
  const std::string good = Entries{}.header();
  REQUIRE(load_network(folder.write("network", file_of(good, 5)), kernels::Activation::kRelu));
  CHECK_THAT(error_of(folder, ""), Contains("byte 0: found 0 bytes"));
  CHECK_THAT(error_of(folder, "1234567"), Contains("byte 0: found 7 bytes"));
  CHECK_THAT(error_of(folder, length_of(1) + ""), Contains("found a header length of 1, wanted at "
                                                           "most 0"));
  CHECK_THAT(error_of(folder, length_of(~std::uint64_t{0}) + good),
             Contains("found a header length of 18446744073709551615"));
  CHECK_THAT(error_of(folder, file_of("{", 0)), Contains("the header is not JSON"));
  CHECK_THAT(error_of(folder, file_of("\xff\xfe", 0)), Contains("the header is not JSON"));
  CHECK_THAT(error_of(folder, file_of("[]", 0)), Contains("found a header of type array"));
  CHECK_THAT(error_of(folder, file_of(std::string(100000, '['), 0)),
             Contains("the header is not JSON"));
  CHECK_THAT(error_of(folder, file_of("{}", 0)), Contains("found 0 layers"));
  CHECK_THAT(error_of(folder, file_of(good, 4)), Contains("wanted a stretch of the 16 bytes"));
  CHECK_THAT(error_of(folder, file_of(good, 6)),
             Contains("found 4 bytes that belong to no tensor, wanted the end of the file"));
  CHECK_THAT(error_of(folder, file_of('{' + Entries{}.bias0 + ',' + good.substr(1), 5)),
             Contains("names tensor '0.bias' twice"));
}

TEST_CASE("safetensors: a header of more than 100 MB is refused before it is read",
          "[data][safetensors]") {
  const TemporaryFolder folder;
  const auto path = folder.write("network", length_of(100'000'001));
  std::filesystem::resize_file(path, 8 + 100'000'001);  // sparse: takes no room on disk
  const auto network = load_network(path, kernels::Activation::kRelu);
  REQUIRE_FALSE(network.has_value());
  CHECK_THAT(network.error().message,
             Contains("found a header length of 100000001") && Contains("at most 100000000"));
}

TEST_CASE("safetensors: a tensor that lies is refused", "[data][safetensors]") {
  const TemporaryFolder folder;
  Entries entries;
  const auto error = [&](std::size_t floats = 5) {
    return error_of(folder, file_of(entries.header(), floats));
  };
  SECTION("another dtype") {
    entries.bias0 = R"("0.bias":{"dtype":"F64","shape":[1],"data_offsets":[8,12]})";
    CHECK_THAT(error(), Contains("tensor '0.bias': found dtype \"F64\", wanted"));
  }
  SECTION("not an object") {
    entries.bias0 = R"("0.bias":7)";
    CHECK_THAT(error(), Contains("tensor '0.bias': found number, wanted an object"));
  }
  SECTION("a negative offset") {
    entries.bias0 = R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[-8,12]})";
    CHECK_THAT(error(), Contains("tensor '0.bias': wanted a shape of one or two extents and two"));
  }
  SECTION("no shape") {
    entries.bias0 = R"("0.bias":{"dtype":"F32","data_offsets":[8,12]})";
    CHECK_THAT(error(), Contains("tensor '0.bias': wanted a shape"));
  }
  SECTION("a shape whose product overflows") {
    entries.weight0 = entry("0.weight", "[4294967296,4294967296]", 0, 8);
    CHECK_THAT(error(), Contains("found an extent of 4294967296, wanted 1 to 1048576"));
  }
  SECTION("an extent of zero") {
    entries.weight0 = entry("0.weight", "[0,2]", 0, 8);
    CHECK_THAT(error(), Contains("found an extent of 0"));
  }
  SECTION("offsets in the wrong order") {
    entries.weight0 = entry("0.weight", "[1,2]", 8, 0);
    CHECK_THAT(error(), Contains("found data_offsets 8 to 0"));
  }
  SECTION("offsets behind the file's end") {
    entries.bias1 = entry("2.bias", "[1]", 18446744073709551612U, 18446744073709551615U);
    CHECK_THAT(error(), Contains("found data_offsets 18446744073709551612"));
  }
  SECTION("more bytes than the shape calls for") {
    entries.bias1 = entry("2.bias", "[1]", 16, 24);
    CHECK_THAT(error(6), Contains("tensor '2.bias': found 8 bytes, wanted 4 for its shape"));
  }
  SECTION("an overlap") {
    entries.bias1 = entry("2.bias", "[1]", 12, 16);
    CHECK_THAT(error(4), Contains("overlaps the one before it"));
  }
  SECTION("a gap") {
    entries.bias1 = entry("2.bias", "[1]", 20, 24);
    CHECK_THAT(error(6), Contains("tensor '2.bias' leaves a gap before it"));
  }
  SECTION("a number that is not finite") {
    const auto path = folder.write("network", file_of(entries.header(), 4) + "\xff\xff\xff\xff");
    const auto network = load_network(path, kernels::Activation::kRelu);
    REQUIRE_FALSE(network.has_value());
    CHECK_THAT(network.error().message, Contains("wanted a finite number"));
  }
}

TEST_CASE("safetensors: tensors that make no network are refused", "[data][safetensors]") {
  const TemporaryFolder folder;
  Entries entries;
  const auto error = [&] { return error_of(folder, file_of(entries.header(), 5)); };
  SECTION("a name that is no layer's") {
    entries.bias1 = entry("2.scale", "[1]", 16, 20);
    CHECK_THAT(error(), Contains("found tensor '2.scale', wanted names such as '0.weight'"));
  }
  SECTION("no index") {
    entries.bias1 = entry("x.bias", "[1]", 16, 20);
    CHECK_THAT(error(), Contains("found tensor 'x.bias'"));
  }
  SECTION("an index that does not fit") {
    entries.bias1 = entry("99999999999.bias", "[1]", 16, 20);
    CHECK_THAT(error(), Contains("found tensor '99999999999.bias'"));
  }
  SECTION("two prefixes") {
    entries.bias1 = entry("b.2.bias", "[1]", 16, 20);
    CHECK_THAT(error(), Contains("tensor 'b.2.bias': found the prefix 'b.', wanted ''"));
  }
  SECTION("a missing bias") {
    entries.bias1 = entry("4.bias", "[1]", 16, 20);
    CHECK_THAT(error(), Contains("found no tensor '2.bias'"));
  }
  SECTION("two spellings of one index") {
    entries.bias1 = entry("00.bias", "[1]", 16, 20);
    CHECK_THAT(error(), Contains("have the same place"));
  }
  SECTION("a bias of another length") {
    entries.weight0 = entry("0.weight", "[2,1]", 0, 8);
    CHECK_THAT(error(), Contains("'0.weight' [2, 1] and '0.bias' [1]: wanted the shapes"));
  }
  SECTION("layers that do not chain") {
    entries = {entry("0.weight", "[1,1]", 0, 4), entry("0.bias", "[1]", 4, 8),
               entry("2.weight", "[1,2]", 8, 16), entry("2.bias", "[1]", 16, 20)};
    CHECK_THAT(error(), Contains("tensor '2.weight': found 2 inputs, wanted 1"));
  }
}

TEST_CASE("safetensors: a missing file is named", "[data][safetensors]") {
  const TemporaryFolder folder;
  const auto network = load_network(folder.path() / "none", kernels::Activation::kRelu);
  REQUIRE_FALSE(network.has_value());
  CHECK_THAT(network.error().message, Contains("none: cannot be read: No such file"));
}

}  // namespace
}  // namespace interpscale::data
