// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/loss.hpp"

#include <cmath>
#include <limits>

#include "nn/problem.hpp"
#include "support/catch.hpp"

namespace interpscale::nn {
namespace {

TEST_CASE("loss: squared error by hand", "[nn]") {
  Matrix<double> outputs(2, 2);
  Matrix<double> values(2, 2);
  outputs(0, 0) = 3.0;
  outputs(1, 1) = -1.0;
  values(0, 0) = 1.0;
  const auto reference = testing::backend<double>("reference");
  Workspace workspace;
  const kernels::Context<double> context(*reference, 1, workspace);
  std::vector<double> losses(2);
  Matrix<double> gradient(2, 2);
  const double loss = loss_and_gradient<double>(Loss::kMeanSquaredError, outputs,
                                                {.values = values}, losses, gradient, context);
  CHECK(losses == std::vector<double>{2.0, 0.5});
  CHECK(loss == 1.25);
  CHECK(gradient(0, 0) == 1.0);   // 2 (3 - 1) / C / B
  CHECK(gradient(1, 1) == -0.5);  // 2 (-1 - 0) / C / B
  CHECK(gradient(0, 1) == 0.0);
}

TEST_CASE("loss: equal logits cost log C, however large they are", "[nn]") {
  Matrix<float> outputs(1, 4);
  std::ranges::fill(outputs.row(0), 1e30F);
  const auto reference = testing::backend<float>("reference");
  Workspace workspace;
  const kernels::Context<float> context(*reference, 1, workspace);
  const std::vector<std::uint32_t> labels{2};
  std::vector<float> losses(1);
  Matrix<float> gradient(1, 4);
  const double loss = loss_and_gradient<float>(Loss::kCrossEntropy, outputs, {.labels = labels},
                                               losses, gradient, context);
  CHECK(std::abs(loss - std::log(4.0)) <
        4.0 * static_cast<double>(std::numeric_limits<float>::epsilon()));
  CHECK(gradient(0, 0) == 0.25F);
  CHECK(gradient(0, 2) == -0.75F);
}

TEST_CASE("loss: answers of another shape are a contract violation", "[nn]") {
  Matrix<double> outputs(2, 2);
  Matrix<double> gradient(2, 2);
  std::vector<double> losses(2);
  const auto reference = testing::backend<double>("reference");
  Workspace workspace;
  const kernels::Context<double> context(*reference, 1, workspace);
  CHECK_THROWS_AS(
      loss_and_gradient<double>(Loss::kCrossEntropy, outputs, {}, losses, gradient, context),
      ContractViolation);
  CHECK_THROWS_AS(
      loss_and_gradient<double>(Loss::kMeanSquaredError, outputs, {}, losses, gradient, context),
      ContractViolation);
}

TEST_CASE("accuracy: the largest output counts, the first of equal ones", "[nn]") {
  Matrix<float> outputs(4, 3);
  outputs(0, 2) = 1.0F;
  outputs(1, 0) = -1.0F;  // 1 and 2 are equal: 1
  outputs(2, 0) = 5.0F;
  const std::vector<std::uint32_t> labels{2, 1, 1, 2};
  CHECK(accuracy<float>(outputs, labels) == 0.5);
}

}  // namespace
}  // namespace interpscale::nn
