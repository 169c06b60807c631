// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/topology.hpp"

#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

namespace interpscale::nn {
namespace {

TEST_CASE("topology: extents, parameters, neurons and name follow from the widths", "[nn]") {
  const Topology topology{7, {5, 3}, 2, kernels::Activation::kTanh};
  CHECK(topology.layers() == 3);
  CHECK(topology.fan_in(0) == 7);
  CHECK(topology.fan_out(0) == 5);
  CHECK(topology.fan_in(2) == 3);
  CHECK(topology.fan_out(2) == 2);
  CHECK_THROWS_AS(topology.fan_in(3), ContractViolation);
  CHECK(topology.parameters() == 7 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2);
  CHECK(topology.neurons() == 8);
  CHECK(topology.name() == "7-5-3-2/tanh");
}

TEST_CASE("topology: an extent out of range is named in the error", "[nn]") {
  CHECK(validated({4, {3}, 2}).has_value());
  CHECK(validated({4, {kLargestWidth}, 2}).has_value());
  CHECK(validated({0, {3}, 2}).error().message ==
        "topology: the number of inputs is 0, wanted 1 to 1048576");
  CHECK(validated({4, {}, 2}).error().message ==
        "topology: found no hidden layer, wanted at least one");
  CHECK(validated({4, {3, kLargestWidth + 1}, 2}).error().message ==
        "topology: the width of hidden layer 1 (from 0) is 1048577, wanted 1 to 1048576");
  CHECK(validated({4, {3}, 0}).error().message ==
        "topology: the number of outputs is 0, wanted 1 to 1048576");
}

}  // namespace
}  // namespace interpscale::nn
