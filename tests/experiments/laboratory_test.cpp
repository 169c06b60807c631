// The experiments of the argument end to end, on images made up for the purpose.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/laboratory.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "interpscale/core/random.hpp"
#include "interpscale/experiments/registry.hpp"
#include "support/catch.hpp"

namespace interpscale::experiments {
namespace {

/// A folder of its own, gone at the end, with a data set of IDX files in it.
class ImageFolder {
 public:
  ImageFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "interpscale-laboratory-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    write_half("train", 640, 1);
    write_half("t10k", 256, 2);
  }
  ImageFolder(const ImageFolder&) = delete;
  ImageFolder& operator=(const ImageFolder&) = delete;
  ~ImageFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  static void write_word(std::ofstream& stream, std::uint32_t word) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      stream.put(static_cast<char>(word >> shift & 0xffU));
    }
  }
  /// Class c lights up the rows from 2 c on, over noise.
  void write_half(const std::string& half, std::uint32_t count, std::uint64_t stream) const {
    std::ofstream images(path_ / (half + "-images-idx3-ubyte"), std::ios::binary);
    std::ofstream labels(path_ / (half + "-labels-idx1-ubyte"), std::ios::binary);
    for (const std::uint32_t word : {0x803U, count, 28U, 28U}) {
      write_word(images, word);
    }
    write_word(labels, 0x801);
    write_word(labels, count);
    const RandomStream noise(7, stream);
    std::uint64_t index = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t label = i % 10;
      labels.put(static_cast<char>(label));
      for (std::uint32_t pixel = 0; pixel < 784; ++pixel) {
        const std::uint32_t row = pixel / 28;
        const bool lit = row >= 2 * label && row < 2 * label + 6;
        images.put(static_cast<char>(noise.below(index++, 100) + (lit ? 120U : 0U)));
      }
    }
  }

  std::filesystem::path path_;
};

ArgumentScale tiny(std::size_t epochs) {
  return {.name = "tiny",
          .widths = {12},
          .seeds = 1,
          .depth = 2,
          .training_examples = 640,
          .training_epochs = epochs,
          .fit_examples = 300,
          .test_examples = 256,
          .clusters = 3,
          .shuffles = 4,
          .lesion_sets = 3,
          .surrogate_sizes = {1, 4},
          .permutations = 19};
}

Laboratory laboratory_in(const ImageFolder& folder, std::size_t epochs) {
  Result<Laboratory> laboratory = Laboratory::open({.scale = tiny(epochs),
                                                    .data = folder.path().string(),
                                                    .folder = folder.path(),
                                                    .training_threads = 2});
  REQUIRE(laboratory);
  return std::move(*laboratory);
}

}  // namespace

TEST_CASE("argument: every experiment with work of its own does a piece", "[experiments]") {
  const ImageFolder folder;
  Laboratory laboratory = laboratory_in(folder, 20);
  for (const ExperimentSpec& experiment : all_experiments()) {
    if (!experiment.pieces) {
      continue;
    }
    INFO(experiment.name);
    const std::vector<Piece> pieces = experiment.pieces(laboratory.scale());
    REQUIRE_FALSE(pieces.empty());
    const Result<Outcome> outcome = pieces.front().run(laboratory);
    REQUIRE(outcome);
    INFO(outcome->reason);
    CHECK(outcome->status == "ok");
    CHECK(std::ranges::all_of(outcome->figures,
                              [](const NamedValue& f) { return std::isfinite(f.value); }));
    for (const NamedSeries& series : outcome->series) {
      CHECK_FALSE(series.values.empty());
      CHECK(std::ranges::all_of(series.values, [](double v) { return std::isfinite(v); }));
    }
    CHECK(outcome->seconds > 0);
  }
}

TEST_CASE("argument: a trained network is kept, and read back to the bit", "[experiments]") {
  const ImageFolder folder;
  Laboratory first = laboratory_in(folder, 2);
  const Result<nn::Mlp<float>> trained = first.network(12, 0);
  REQUIRE(trained);
  Laboratory second = laboratory_in(folder, 2);
  const Result<nn::Mlp<float>> read = second.network(12, 0);
  REQUIRE(read);
  for (std::size_t l = 0; l < 3; ++l) {
    for (std::size_t i = 0; i < trained->layers[l].weights.rows(); ++i) {
      CHECK(std::ranges::equal(trained->layers[l].weights.row(i), read->layers[l].weights.row(i)));
    }
  }
}

TEST_CASE("argument: a network that never trained is a failed outcome that says so",
          "[experiments]") {
  const ImageFolder folder;
  Laboratory untrained = laboratory_in(folder, 0);
  const std::vector<ExperimentSpec> all = all_experiments();
  const auto leaks = std::ranges::find(all, "leaks", &ExperimentSpec::name);
  const Result<Outcome> outcome = leaks->pieces(untrained.scale()).front().run(untrained);
  REQUIRE(outcome);
  CHECK(outcome->status == "failed");
  CHECK_THAT(outcome->reason, Catch::Matchers::Contains("the network never trained: its loss of"));
}

TEST_CASE("argument: data that are missing are an error", "[experiments]") {
  const ImageFolder folder;
  Result<Laboratory> laboratory =
      Laboratory::open({.scale = tiny(1), .data = "/nowhere", .folder = folder.path()});
  REQUIRE(laboratory);
  const Result<nn::Mlp<float>> network = laboratory->network(12, 0);
  REQUIRE_FALSE(network);
  CHECK_THAT(network.error().message, Catch::Matchers::Contains("/nowhere"));
}

}  // namespace interpscale::experiments
