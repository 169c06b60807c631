// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/fit.hpp"

#include <cmath>
#include <cstring>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

constexpr std::size_t kClasses = 3;

/// Points around one of three centres, which are far apart.
Dataset clusters(std::size_t count) {
  const RandomStream stream(9, 0);
  Dataset dataset;
  dataset.name = "clusters";
  dataset.inputs = Matrix<float>(count, 4);
  dataset.classes = kClasses;
  for (std::size_t b = 0; b < count; ++b) {
    const std::size_t label = b % kClasses;
    for (std::size_t i = 0; i < 4; ++i) {
      dataset.inputs(b, i) =
          static_cast<float>(0.3 * stream.normal(4 * b + i)) + (i == label ? 2.0F : 0.0F);
    }
    dataset.labels.push_back(static_cast<std::uint32_t>(label));
  }
  return dataset;
}

nn::Mlp<float> small_network() {
  return nn::initialise_he<float>({4, {16, 9}, kClasses, kernels::Activation::kRelu}, 2);
}

FitOptions short_fit() {
  FitOptions options;
  options.epochs = 6;
  options.batch = 16;
  options.peak_rate = 1e-2;
  return options;
}

TEST_CASE("learning rate: linear to the peak, then half a cosine to zero", "[data][fit]") {
  FitOptions options;
  options.peak_rate = 2.0;
  options.warmup_fraction = 0.1;
  CHECK(learning_rate(options, 0, 100) == Approx(0.2));
  CHECK(learning_rate(options, 9, 100) == Approx(2.0));
  CHECK(learning_rate(options, 10, 100) == Approx(2.0));
  CHECK(learning_rate(options, 55, 100) == Approx(1.0));
  CHECK(learning_rate(options, 99, 100) == Approx(1.0 + std::cos(89.0 / 90.0 * std::acos(-1.0))));
  CHECK_THROWS_AS(learning_rate(options, 100, 100), ContractViolation);
  options.warmup_fraction = 0.0;
  CHECK(learning_rate(options, 0, 100) == 2.0);
  options.warmup_fraction = 1.0;
  CHECK(learning_rate(options, 99, 100) == 2.0);
  options.schedule = Schedule::kConstant;
  CHECK(learning_rate(options, 99, 100) == 2.0);
}

TEST_CASE("train: well separated clusters are learnt", "[data][fit]") {
  const Dataset dataset = clusters(150);
  const auto backend = kernels::make_backend<float>("reference").value();
  Workspace workspace;
  const kernels::Context<float> context(*backend, 1, workspace);
  nn::Mlp<float> network = small_network();
  const Evaluation before = evaluate(network, dataset, context);
  const FitResult result = train(network, dataset, short_fit(), *backend);
  const Evaluation after = evaluate(network, dataset, context);
  CHECK(result.steps == 60);
  CHECK(result.last_epoch_loss < result.first_loss);
  CHECK(after.loss < 0.5 * before.loss);
  CHECK(after.accuracy > 0.95);
}

TEST_CASE("train: squared error where the data set has targets", "[data][fit]") {
  Dataset dataset = clusters(150);
  dataset.targets = Matrix<float>(150, kClasses);
  for (std::size_t b = 0; b < 150; ++b) {
    dataset.targets(b, dataset.labels[b]) = 1.0F;
  }
  dataset.labels.clear();
  const auto backend = kernels::make_backend<float>("reference").value();
  Workspace workspace;
  const kernels::Context<float> context(*backend, 1, workspace);
  nn::Mlp<float> network = small_network();
  const Evaluation before = evaluate(network, dataset, context);
  (void)train(network, dataset, short_fit(), *backend);
  const Evaluation after = evaluate(network, dataset, context);
  CHECK(after.loss < 0.2 * before.loss);
  CHECK(after.accuracy == 0.0);
}

TEST_CASE("train: same options, same bits, on one and two threads, watched or not", "[data][fit]") {
  const Dataset dataset = clusters(150);
  const auto backend = kernels::make_backend<float>("reference").value();
  FitOptions options = short_fit();
  nn::Mlp<float> one = small_network();
  (void)train(one, dataset, options, *backend);
  options.threads = 2;
  nn::Mlp<float> two = small_network();
  std::size_t calls = 0;
  (void)train(two, dataset, options, *backend, [&](const FitProgress& progress) {
    ++calls;
    CHECK(progress.step == calls);
    CHECK(progress.steps == 60);
    CHECK(progress.epoch == (calls - 1) / 10);
    CHECK(progress.learning_rate == learning_rate(options, calls - 1, 60));
    return true;
  });
  CHECK(calls == 60);
  for (std::size_t l = 0; l < 3; ++l) {
    const auto a = one.layers[l].weights.padded();
    CHECK(std::memcmp(a.data(), two.layers[l].weights.padded().data(), a.size_bytes()) == 0);
    CHECK(one.layers[l].bias == two.layers[l].bias);
  }
  options.seed = 2;
  nn::Mlp<float> other = small_network();
  (void)train(other, dataset, options, *backend);
  CHECK(other.layers[2].bias != one.layers[2].bias);
}

TEST_CASE("train: the callback ends the training", "[data][fit]") {
  const Dataset dataset = clusters(150);
  const auto backend = kernels::make_backend<float>("reference").value();
  nn::Mlp<float> network = small_network();
  const FitResult result = train(network, dataset, short_fit(), *backend,
                                 [](const FitProgress& progress) { return progress.step < 13; });
  CHECK(result.steps == 13);
}

TEST_CASE("evaluate: chunks add up to the whole", "[data][fit]") {
  const Dataset dataset = clusters(1024 + 77);
  const auto backend = kernels::make_backend<float>("reference").value();
  Workspace workspace;
  const kernels::Context<float> context(*backend, 1, workspace);
  const nn::Mlp<float> network = small_network();
  const auto part = [&](std::size_t first, std::size_t count) {
    Dataset chunk;
    chunk.inputs = Matrix<float>(count, 4);
    copy(dataset.inputs.view().rows_from(first, count), chunk.inputs.view());
    const auto begin = dataset.labels.begin() + static_cast<std::ptrdiff_t>(first);
    chunk.labels.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    chunk.classes = kClasses;
    return evaluate(network, chunk, context);
  };
  const Evaluation whole = evaluate(network, dataset, context);
  const Evaluation first = part(0, 500);
  const Evaluation second = part(500, 601);
  CHECK(whole.loss == Approx((500.0 * first.loss + 601.0 * second.loss) / 1101.0).epsilon(1e-12));
  CHECK(whole.accuracy ==
        Approx((500.0 * first.accuracy + 601.0 * second.accuracy) / 1101.0).epsilon(1e-12));
}

TEST_CASE("train: a data set of another network is a contract violation", "[data][fit]") {
  const auto backend = kernels::make_backend<float>("reference").value();
  nn::Mlp<float> network = nn::initialise_he<float>({5, {4}, kClasses}, 1);
  CHECK_THROWS_AS(train(network, clusters(9), short_fit(), *backend), ContractViolation);
  network = nn::initialise_he<float>({4, {4}, kClasses - 1}, 1);
  CHECK_THROWS_AS(train(network, clusters(9), short_fit(), *backend), ContractViolation);
}

}  // namespace
}  // namespace interpscale::data
