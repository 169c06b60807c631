// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/safetensors.hpp"

#include <cstring>

#include "data/safetensors_bytes.hpp"
#include "data/temporary_folder.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

using Catch::Matchers::Contains;
using testing::bytes_of_value;
using testing::Entries;
using testing::entry;
using testing::file_of;
using testing::length_of;
using testing::TemporaryFolder;
using testing::with_header;

const nn::Topology kTopology{5, {7, 3}, 2, kernels::Activation::kRelu};

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

TEST_CASE("safetensors: single and double precision are read as either", "[data][safetensors]") {
  const TemporaryFolder folder;
  const std::string header =
      '{' + entry("0.weight", "[1,1]", 0, 8, "F64") + ',' + entry("0.bias", "[1]", 8, 12) + ',' +
      entry("2.weight", "[1,1]", 12, 16) + ',' + entry("2.bias", "[1]", 16, 24, "F64") + '}';
  const std::string data =
      bytes_of_value(0.1) + bytes_of_value(0.25F) + bytes_of_value(-3.0F) + bytes_of_value(1e-30);
  const auto path = folder.write("a", with_header(header, data));
  const auto exact = load_network<double>(path, kernels::Activation::kTanh);
  const auto rounded = load_network<float>(path, kernels::Activation::kTanh);
  REQUIRE((exact.has_value() && rounded.has_value()));
  CHECK(exact->layers[0].weights(0, 0) == 0.1);
  CHECK(exact->layers[0].bias[0] == 0.25);
  CHECK(exact->layers[1].bias[0] == 1e-30);
  CHECK(rounded->layers[0].weights(0, 0) == 0.1F);
  CHECK(rounded->layers[1].weights(0, 0) == -3.0F);
}

TEST_CASE("safetensors: samples with labels, a donor and a baseline", "[data][safetensors]") {
  const TemporaryFolder folder;
  const std::string header =
      '{' + entry("inputs", "[2,2]", 0, 16) + ',' + entry("labels", "[2]", 16, 32, "I64") + ',' +
      entry("donor", "[2,2]", 32, 64, "F64") + ',' + entry("baseline", "[2]", 64, 72) + '}';
  std::string data;
  for (const float value : {1.0F, 2.0F, 3.0F, 4.0F}) {
    data += bytes_of_value(value);
  }
  data += bytes_of_value(std::int64_t{7}) + bytes_of_value(std::int64_t{0});
  for (const double value : {5.0, 6.0, 7.0, 8.5}) {
    data += bytes_of_value(value);
  }
  data += bytes_of_value(-1.0F) + bytes_of_value(-2.0F);
  const auto samples = load_samples(folder.write("a", with_header(header, data)));
  REQUIRE(samples.has_value());
  CHECK(samples->inputs(1, 0) == 3.0F);
  CHECK(samples->labels == std::vector<std::uint32_t>{7, 0});
  CHECK(samples->donor(1, 1) == 8.5F);
  CHECK(samples->baseline.rows() == 1);
  CHECK(samples->baseline(0, 1) == -2.0F);
}

TEST_CASE("safetensors: a matrix is written as one tensor", "[data][safetensors]") {
  const TemporaryFolder folder;
  Matrix<double> matrix(2, 3);
  matrix(1, 2) = 2.5;
  REQUIRE(save_matrix<double>("inputs", matrix, folder.path() / "a").has_value());
  const auto samples = load_samples<double>(folder.path() / "a");
  REQUIRE(samples.has_value());
  CHECK(samples->inputs.rows() == 2);
  CHECK(samples->inputs(1, 2) == 2.5);
  CHECK(samples->labels.empty());
}

TEST_CASE("safetensors: a missing file is named", "[data][safetensors]") {
  const TemporaryFolder folder;
  const auto network = load_network(folder.path() / "none", kernels::Activation::kRelu);
  REQUIRE_FALSE(network.has_value());
  CHECK_THAT(network.error().message, Contains("none: cannot be read: No such file"));
}

}  // namespace
}  // namespace interpscale::data
