// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/recursion.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "interpscale/core/require.hpp"
#include "modules/fitted_stages.hpp"

namespace interpscale::modules {
namespace {

/// The one layer that a part has neurons in.
std::size_t layer_of(const HiddenUnits& part) {
  std::size_t layer = part.size();
  for (std::size_t l = 0; l < part.size(); ++l) {
    require(part[l].empty() || layer == part.size(), "recursion: a part spans layers");
    layer = part[l].empty() ? layer : l;
  }
  require(layer < part.size(), "recursion: a part without neurons");
  return layer;
}

Matrix<float> copy_of(MatrixView<const float> values) {
  Matrix<float> result(values.rows(), values.cols());
  copy(values, result.view());
  return result;
}

Matrix<float> columns_of(const Matrix<float>& values, const std::vector<std::uint32_t>& columns) {
  Matrix<float> result(values.rows(), columns.size());
  for (std::size_t s = 0; s < values.rows(); ++s) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      result(s, j) = values(s, columns[j]);
    }
  }
  return result;
}

SurrogateOptions sized(const RecursionOptions& options, std::size_t neurons) {
  SurrogateOptions result = options.surrogate;
  result.size = static_cast<std::size_t>(
      std::max(1.0, std::ceil(options.size_share * static_cast<double>(neurons))));
  return result;
}

}  // namespace

std::string_view name_of(Reads reads) {
  return reads == Reads::kTrueActivations ? "true" : "own";
}

std::vector<HiddenUnits> parts_by_layer(const nn::Topology& topology) {
  std::vector<HiddenUnits> parts;
  for (std::size_t l = 0; l < topology.hidden.size(); ++l) {
    parts.push_back(whole_layer(topology, l));
  }
  return parts;
}

std::vector<HiddenUnits> parts_by_module(const std::vector<HiddenUnits>& modules) {
  std::vector<HiddenUnits> parts;
  const std::size_t layers = modules.empty() ? 0 : modules.front().size();
  for (std::size_t l = 0; l < layers; ++l) {
    for (const HiddenUnits& module : modules) {
      if (!module[l].empty()) {
        parts.emplace_back(layers);
        parts.back()[l] = module[l];
      }
    }
  }
  return parts;
}

std::vector<Surrogate> understand_in_order(const nn::Mlp<float>& network,
                                           const std::vector<HiddenUnits>& parts,
                                           const data::Dataset& dataset,
                                           const RecursionOptions& options,
                                           const kernels::Context<float>& context) {
  require(options.size_share > 0 && dataset.inputs.rows() > 0, "recursion: no size or no samples");
  const kernels::Activation phi = network.topology.activation;
  Matrix<float> actual = copy_of(dataset.inputs);
  Matrix<float> own = copy_of(dataset.inputs);
  std::vector<Surrogate> surrogates;
  for (std::size_t l = 0; l < network.topology.hidden.size(); ++l) {
    const nn::DenseLayer<float>& dense = network.layers[l];
    Matrix<float> z(actual.rows(), dense.weights.rows());
    context.backend.gemm(kernels::GemmCase::kNT, actual, dense.weights, z, {.bias = dense.bias},
                         context);
    const std::size_t below = surrogates.size();
    while (surrogates.size() < parts.size() && layer_of(parts[surrogates.size()]) == l) {
      const HiddenUnits& part = parts[surrogates.size()];
      Surrogate surrogate = own_shape(network, part);
      surrogate.front().stages = fitted_stages({copy_of(own), columns_of(z, part[l])}, phi,
                                               sized(options, part[l].size()), context);
      surrogates.push_back(std::move(surrogate));
    }
    context.backend.activate(phi, z, z, context);
    if (options.reads == Reads::kOwnOutputs) {
      const auto first = surrogates.begin() + static_cast<std::ptrdiff_t>(below);
      const SplicedNetwork spliced(network, {first, surrogates.end()});
      Matrix<float> above(own.rows(), z.cols());
      spliced.layer(l, own, above, context);
      own = std::move(above);
    } else {
      own = copy_of(z);
    }
    actual = std::move(z);
  }
  require(surrogates.size() == parts.size(), "recursion: parts whose layers descend");
  return surrogates;
}

}  // namespace interpscale::modules
