// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/topology.hpp"

#include <string_view>
#include <utility>

#include "interpscale/core/require.hpp"

namespace interpscale::nn {
namespace {

bool extent_allowed(std::size_t extent) {
  return extent >= 1 && extent <= kLargestWidth;
}

tl::unexpected<Error> bad_extent(std::string_view what, std::size_t extent) {
  return fail("topology: {} is {}, wanted 1 to {}", what, extent, kLargestWidth);
}

}  // namespace

std::size_t Topology::fan_in(std::size_t layer) const {
  require(layer <= hidden.size(), "topology: no such layer");
  return layer == 0 ? inputs : hidden[layer - 1];
}

std::size_t Topology::fan_out(std::size_t layer) const {
  require(layer <= hidden.size(), "topology: no such layer");
  return layer == hidden.size() ? outputs : hidden[layer];
}

std::uint64_t Topology::parameters() const {
  std::uint64_t total = 0;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    total += std::uint64_t{fan_out(layer)} * (fan_in(layer) + 1);
  }
  return total;
}

std::uint64_t Topology::neurons() const {
  std::uint64_t total = 0;
  for (const std::size_t width : hidden) {
    total += width;
  }
  return total;
}

std::string Topology::name() const {
  std::string name = std::to_string(inputs);
  for (const std::size_t width : hidden) {
    name += '-' + std::to_string(width);
  }
  name += '-' + std::to_string(outputs) + '/';
  name += kernels::name_of(activation);
  return name;
}

Result<Topology> validated(Topology topology) {
  if (!extent_allowed(topology.inputs)) {
    return bad_extent("the number of inputs", topology.inputs);
  }
  if (topology.hidden.empty()) {
    return fail("topology: found no hidden layer, wanted at least one");
  }
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!extent_allowed(topology.hidden[layer])) {
      return bad_extent(fmt::format("the width of hidden layer {} (from 0)", layer),
                        topology.hidden[layer]);
    }
  }
  if (!extent_allowed(topology.outputs)) {
    return bad_extent("the number of outputs", topology.outputs);
  }
  return topology;
}

}  // namespace interpscale::nn
