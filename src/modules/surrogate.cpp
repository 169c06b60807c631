// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/surrogate.hpp"

#include <algorithm>

#include "interpscale/core/require.hpp"

namespace interpscale::modules {

std::uint64_t UnitMap::parameters() const {
  std::uint64_t count = 0;
  for (const Stage& stage : stages) {
    count += stage.dense.weights.rows() * (stage.dense.weights.cols() + 1);
  }
  return count;
}

std::uint64_t parameters_of(const Surrogate& surrogate) {
  std::uint64_t count = 0;
  for (const UnitMap& map : surrogate) {
    count += map.parameters();
  }
  return count;
}

Surrogate own_shape(const nn::Mlp<float>& network, const HiddenUnits& module) {
  require(module.size() == network.topology.hidden.size(),
          "own shape: not one list of units a hidden layer");
  Surrogate surrogate;
  for (std::size_t l = 0; l < module.size(); ++l) {
    if (module[l].empty()) {
      continue;
    }
    const nn::DenseLayer<float>& from = network.layers[l];
    Stage stage{{Matrix<float>(module[l].size(), from.weights.cols()),
                 AlignedVector<float>(module[l].size())},
                true};
    for (std::size_t i = 0; i < module[l].size(); ++i) {
      std::ranges::copy(from.weights.row(module[l][i]), stage.dense.weights.row(i).begin());
      stage.dense.bias[i] = from.bias[module[l][i]];
    }
    surrogate.push_back({l, module[l], {std::move(stage)}});
  }
  return surrogate;
}

}  // namespace interpscale::modules
