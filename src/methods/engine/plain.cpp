// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/plain.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace interpscale::methods::engine {
namespace {

std::vector<double> plain_layer(const nn::DenseLayer<double>& dense, std::span<const double> h) {
  std::vector<double> z(dense.bias.begin(), dense.bias.end());
  for (std::size_t j = 0; j < z.size(); ++j) {
    for (std::size_t i = 0; i < h.size(); ++i) {
      z[j] += dense.weights(j, i) * h[i];
    }
  }
  return z;
}

}  // namespace

double plain_activation(kernels::Activation phi, double z) {
  switch (phi) {
    case kernels::Activation::kRelu:
      return std::max(z, 0.0);
    case kernels::Activation::kSoftplus:
      return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
    case kernels::Activation::kTanh:
      break;
  }
  return std::tanh(z);
}

PlainTrace plain_forward(const nn::Mlp<double>& network, std::span<const double> x,
                         const std::optional<PlainPatch>& patch) {
  PlainTrace trace;
  std::span<const double> below = x;
  const std::size_t hidden = network.topology.hidden.size();
  trace.h.reserve(hidden);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    trace.z.push_back(plain_layer(network.layers[layer], below));
    std::vector<double> h;
    for (const double z : trace.z.back()) {
      h.push_back(plain_activation(network.topology.activation, z));
    }
    if (patch && patch->layer == layer) {
      h[patch->unit] = patch->value;
    }
    trace.h.push_back(h);
    below = trace.h.back();
  }
  trace.logits = plain_layer(network.layers.back(), below);
  return trace;
}

std::vector<double> plain_logits_from(const nn::Mlp<double>& network, std::size_t layer,
                                      std::vector<double> h) {
  for (std::size_t above = layer + 1; above < network.topology.hidden.size(); ++above) {
    h = plain_layer(network.layers[above], h);
    for (double& value : h) {
      value = plain_activation(network.topology.activation, value);
    }
  }
  return plain_layer(network.layers.back(), h);
}

double plain_slope(kernels::Activation phi, double z) {
  switch (phi) {
    case kernels::Activation::kRelu:
      return z > 0.0 ? 1.0 : 0.0;
    case kernels::Activation::kSoftplus:
      return 1.0 / (1.0 + std::exp(-z));
    case kernels::Activation::kTanh:
      break;
  }
  return 1.0 - std::tanh(z) * std::tanh(z);
}

double plain_curvature(kernels::Activation phi, double z) {
  const double slope = plain_slope(phi, z);
  switch (phi) {
    case kernels::Activation::kRelu:
      return 0.0;
    case kernels::Activation::kSoftplus:
      return slope * (1.0 - slope);
    case kernels::Activation::kTanh:
      break;
  }
  return -2.0 * std::tanh(z) * slope;
}

std::vector<double> plain_product(const nn::DenseLayer<double>& dense, std::span<const double> v) {
  std::vector<double> product(dense.weights.rows(), 0.0);
  for (std::size_t j = 0; j < product.size(); ++j) {
    for (std::size_t i = 0; i < v.size(); ++i) {
      product[j] += dense.weights(j, i) * v[i];
    }
  }
  return product;
}

std::vector<double> plain_transposed_product(const nn::DenseLayer<double>& dense,
                                             std::span<const double> g) {
  std::vector<double> product(dense.weights.cols(), 0.0);
  for (std::size_t j = 0; j < g.size(); ++j) {
    for (std::size_t i = 0; i < product.size(); ++i) {
      product[i] += g[j] * dense.weights(j, i);
    }
  }
  return product;
}

std::vector<std::vector<double>> plain_gradient(const nn::Mlp<double>& network,
                                                const PlainTrace& trace,
                                                std::span<const double> output_gradient) {
  std::vector<std::vector<double>> gradients(trace.h.size());
  std::vector<double> above(output_gradient.begin(), output_gradient.end());
  for (std::size_t layer = trace.h.size(); layer-- > 0;) {
    gradients[layer] = plain_transposed_product(network.layers[layer + 1], above);
    above = gradients[layer];
    for (std::size_t j = 0; j < above.size(); ++j) {
      above[j] *= plain_slope(network.topology.activation, trace.z[layer][j]);
    }
  }
  return gradients;
}

std::vector<std::vector<double>> plain_target_gradient(const nn::Mlp<double>& network,
                                                       const PlainTrace& trace,
                                                       std::size_t output) {
  std::vector<double> one_hot(trace.logits.size(), 0.0);
  one_hot[output] = 1.0;
  return plain_gradient(network, trace, one_hot);
}

std::vector<std::vector<double>> plain_unit_gradient(const nn::Mlp<double>& network,
                                                     const PlainTrace& trace, std::size_t layer,
                                                     std::size_t unit) {
  const kernels::Activation phi = network.topology.activation;
  std::vector<std::vector<double>> gradients(layer + 1);
  gradients[layer].assign(trace.z[layer].size(), 0.0);
  gradients[layer][unit] = plain_slope(phi, trace.z[layer][unit]);
  for (std::size_t k = layer; k-- > 0;) {
    gradients[k] = plain_transposed_product(network.layers[k + 1], gradients[k + 1]);
    for (std::size_t j = 0; j < gradients[k].size(); ++j) {
      gradients[k][j] *= plain_slope(phi, trace.z[k][j]);
    }
  }
  return gradients;
}

std::vector<double> plain_input_gradient(const nn::Mlp<double>& network, const PlainTrace& trace,
                                         std::size_t layer, std::size_t unit) {
  const auto gradients = plain_unit_gradient(network, trace, layer, unit);
  return plain_transposed_product(network.layers[0], gradients[0]);
}

std::vector<std::vector<double>> plain_direction(const nn::Mlp<double>& network,
                                                 const PlainTrace& trace,
                                                 std::span<const double> direction) {
  std::vector<std::vector<double>> derivatives;
  derivatives.reserve(trace.h.size());
  std::span<const double> below = direction;
  for (std::size_t layer = 0; layer < trace.h.size(); ++layer) {
    const Matrix<double>& weights = network.layers[layer].weights;
    std::vector<double> derivative(weights.rows(), 0.0);
    for (std::size_t j = 0; j < derivative.size(); ++j) {
      for (std::size_t i = 0; i < below.size(); ++i) {
        derivative[j] += weights(j, i) * below[i];
      }
      derivative[j] *= plain_slope(network.topology.activation, trace.z[layer][j]);
    }
    derivatives.push_back(std::move(derivative));
    below = derivatives.back();
  }
  return derivatives;
}

double plain_loss(std::span<const double> logits, std::uint32_t label) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const double y : logits) {
    sum += std::exp(y - largest);
  }
  return largest + std::log(sum) - logits[label];
}

double plain_metric(Metric metric, std::span<const double> logits, std::uint32_t label) {
  return metric == Metric::kTarget ? logits[label] : plain_loss(logits, label);
}

std::vector<double> plain_metric_gradient(Metric metric, std::span<const double> logits,
                                          std::uint32_t label) {
  std::vector<double> gradient(logits.size(), 0.0);
  if (metric == Metric::kTarget) {
    gradient[label] = 1.0;
    return gradient;
  }
  for (std::size_t c = 0; c < logits.size(); ++c) {
    gradient[c] = std::exp(-plain_loss(logits, static_cast<std::uint32_t>(c)));
  }
  gradient[label] -= 1.0;
  return gradient;
}

std::vector<double> plain_path_point(const Probe<double>& probe, std::size_t b, double t) {
  std::vector<double> point(probe.inputs.cols());
  for (std::size_t i = 0; i < point.size(); ++i) {
    const double from = probe.baseline.empty() ? 0.0 : probe.baseline(0, i);
    point[i] = from + t * (probe.inputs(b, i) - from);
  }
  return point;
}

}  // namespace interpscale::methods::engine
