// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/dataset.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "interpscale/data/batches.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

/// `count` images of 4 x 6 pixels, pixel (r, c) of image i = 100 i + 6 r + c.
Dataset counting_images(std::size_t count) {
  Dataset dataset;
  dataset.name = "counting";
  dataset.inputs = Matrix<float>(count, 24);
  dataset.classes = 10;
  dataset.image_rows = 4;
  dataset.image_cols = 6;
  for (std::size_t i = 0; i < count; ++i) {
    std::iota(dataset.inputs.row(i).begin(), dataset.inputs.row(i).end(),
              100.0F * static_cast<float>(i));
    dataset.labels.push_back(static_cast<std::uint32_t>(i % 10));
  }
  return dataset;
}

TEST_CASE(
    "standardise: the training half has mean 0 and deviation 1, the test half is shifted alike",
    "[data]") {
  Split split{counting_images(5), counting_images(2)};
  const float difference = split.test.inputs(1, 0) - split.train.inputs(0, 0);
  standardise(split);
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < 5; ++i) {
    for (const float value : split.train.inputs.row(i)) {
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  // Each value is rounded once to float: 120 values of at most 2 deviate by at most 2 eps each.
  const double bound = 2.0 * static_cast<double>(std::numeric_limits<float>::epsilon());
  CHECK(std::abs(sum / 120.0) < bound);
  CHECK(std::abs(squares / 120.0 - 1.0) < 4.0 * bound);
  CHECK(split.test.inputs(1, 3) == split.train.inputs(1, 3));
  CHECK(split.test.inputs(1, 0) - split.train.inputs(0, 0) < difference);
}

TEST_CASE("standardise: constant inputs become zero", "[data]") {
  Split split{counting_images(1), counting_images(1)};
  std::ranges::fill(split.train.inputs.row(0), 3.0F);
  std::ranges::fill(split.test.inputs.row(0), 4.0F);
  standardise(split);
  CHECK(split.train.inputs(0, 5) == 0.0F);
  CHECK(split.test.inputs(0, 5) == 1.0F);
}

TEST_CASE("pooled: every block becomes its mean", "[data]") {
  const auto small = pooled(counting_images(2), 2);
  REQUIRE(small.has_value());
  CHECK(small->image_rows == 2);
  CHECK(small->image_cols == 3);
  CHECK(small->inputs.cols() == 6);
  CHECK(small->inputs(0, 0) == (0.0F + 1.0F + 6.0F + 7.0F) / 4.0F);
  CHECK(small->inputs(1, 5) == 100.0F + (16.0F + 17.0F + 22.0F + 23.0F) / 4.0F);
  CHECK(small->labels == counting_images(2).labels);
  CHECK(small->name == "counting-pooled2");
}

TEST_CASE("pooled: a factor that does not divide the sides is refused", "[data]") {
  CHECK(pooled(counting_images(1), 4).error().message ==
        "data set 'counting': found images of 4 x 6 pixels, wanted sides that 4 divides");
  CHECK_FALSE(pooled(counting_images(1), 0).has_value());
  Dataset table = counting_images(1);
  table.image_rows = table.image_cols = 0;
  table.inputs = Matrix<float>();
  CHECK(pooled(table, 2).error().message ==
        "data set 'counting' holds no images, wanted images to pool");
}

TEST_CASE("batches: every example once an epoch, the last batch smaller, labels with their inputs",
          "[data]") {
  const Dataset dataset = counting_images(23);
  Batches batches(dataset, 10, 5);
  REQUIRE(batches.per_epoch() == 3);
  Batch batch;
  std::vector<int> seen(23, 0);
  for (std::size_t index = 0; index < 3; ++index) {
    const std::size_t rows = batches.fill(1, index, batch);
    CHECK(rows == (index == 2 ? 3 : 10));
    for (std::size_t r = 0; r < rows; ++r) {
      const auto example = static_cast<std::size_t>(batch.inputs(r, 0)) / 100;
      ++seen[example];
      CHECK(batch.labels[r] == example % 10);
      CHECK(batch.inputs(r, 23) == dataset.inputs(example, 23));
    }
  }
  CHECK(seen == std::vector<int>(23, 1));
}

TEST_CASE("batches: a pure function of seed, epoch and index", "[data]") {
  const Dataset dataset = counting_images(50);
  const auto first_inputs = [&](std::uint64_t seed, std::vector<std::size_t> epochs) {
    Batches batches(dataset, 8, seed);
    Batch batch;
    for (const std::size_t epoch : epochs) {
      (void)batches.fill(epoch, 3, batch);
    }
    std::vector<float> result;
    for (std::size_t r = 0; r < 8; ++r) {
      result.push_back(batch.inputs(r, 0));
    }
    return result;
  };
  CHECK(first_inputs(1, {4}) == first_inputs(1, {0, 9, 4}));
  CHECK(first_inputs(1, {4}) != first_inputs(1, {5}));
  CHECK(first_inputs(1, {4}) != first_inputs(2, {4}));
}

TEST_CASE("batches: no buffer moves after the first fill", "[data]") {
  const Dataset dataset = counting_images(23);
  Batches batches(dataset, 10, 5);
  Batch batch;
  (void)batches.fill(0, 0, batch);
  const float* inputs = batch.inputs.view().data();
  const std::uint32_t* labels = batch.labels.data();
  (void)batches.fill(0, 2, batch);
  (void)batches.fill(1, 0, batch);
  CHECK(batch.inputs.view().data() == inputs);
  CHECK(batch.labels.data() == labels);
}

TEST_CASE("batches: targets are copied where a data set has them", "[data]") {
  Dataset dataset = counting_images(6);
  dataset.labels.clear();
  dataset.targets = Matrix<float>(6, 2);
  for (std::size_t i = 0; i < 6; ++i) {
    dataset.targets(i, 1) = dataset.inputs(i, 0) + 0.5F;
  }
  const Batch batch = sample(dataset, 4, 1);
  CHECK(batch.labels.empty());
  REQUIRE(batch.targets.rows() == 4);
  for (std::size_t r = 0; r < 4; ++r) {
    CHECK(batch.targets(r, 1) == batch.inputs(r, 0) + 0.5F);
  }
}

TEST_CASE("sample: a larger sample begins with the smaller one", "[data]") {
  const Dataset dataset = counting_images(30);
  const Batch small = sample(dataset, 4, 3);
  const Batch large = sample(dataset, 30, 3);
  REQUIRE(small.inputs.rows() == 4);
  for (std::size_t r = 0; r < 4; ++r) {
    CHECK(small.inputs(r, 0) == large.inputs(r, 0));
    CHECK(small.labels[r] == large.labels[r]);
  }
  CHECK_THROWS_AS(sample(dataset, 31, 3), ContractViolation);
}

}  // namespace
}  // namespace interpscale::data
