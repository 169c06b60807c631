// The network one sample at a time, in double precision and obvious loops: what the references of
// the methods are written with. Shares nothing with the kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "interpscale/kernels/activation.hpp"
#include "interpscale/methods/probe.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::methods::engine {

/// One sample's way through the network.
struct PlainTrace {
  std::vector<std::vector<double>> z;  ///< pre-activations of hidden layers, [L][w_l]
  std::vector<std::vector<double>> h;  ///< activations, [L][w_l]
  std::vector<double> logits;          ///< y, [C]
};

/// Unit `unit` of hidden layer `layer` (from 0) is given `value` after its non-linearity.
struct PlainPatch {
  std::size_t layer;
  std::size_t unit;
  double value;
};

[[nodiscard]] PlainTrace plain_forward(const nn::Mlp<double>& network, std::span<const double> x,
                                       const std::optional<PlainPatch>& patch = std::nullopt);

/// The logits that follow from activations `h` of hidden layer `layer`.
[[nodiscard]] std::vector<double> plain_logits_from(const nn::Mlp<double>& network,
                                                    std::size_t layer, std::vector<double> h);

/// phi(z).
[[nodiscard]] double plain_activation(kernels::Activation phi, double z);

/// phi'(z).
[[nodiscard]] double plain_slope(kernels::Activation phi, double z);

/// phi''(z).
[[nodiscard]] double plain_curvature(kernels::Activation phi, double z);

/// W v, without the bias, [fan_out].
[[nodiscard]] std::vector<double> plain_product(const nn::DenseLayer<double>& dense,
                                                std::span<const double> v);

/// dF/dh_l of F = y[output], [L][w_l].
[[nodiscard]] std::vector<std::vector<double>> plain_target_gradient(const nn::Mlp<double>& network,
                                                                     const PlainTrace& trace,
                                                                     std::size_t output);

/// dM/dh_l of any M of the logits, [L][w_l]; `output_gradient` [C] is dM/dy.
[[nodiscard]] std::vector<std::vector<double>> plain_gradient(
    const nn::Mlp<double>& network, const PlainTrace& trace,
    std::span<const double> output_gradient);

/// da/dz_k for k = 0 ... layer, a = h_layer[unit]: [layer + 1][w_k].
[[nodiscard]] std::vector<std::vector<double>> plain_unit_gradient(const nn::Mlp<double>& network,
                                                                   const PlainTrace& trace,
                                                                   std::size_t layer,
                                                                   std::size_t unit);

/// da/dx of a = h_layer[unit], [d].
[[nodiscard]] std::vector<double> plain_input_gradient(const nn::Mlp<double>& network,
                                                       const PlainTrace& trace, std::size_t layer,
                                                       std::size_t unit);

/// Derivatives of all activations along a direction of the inputs, sum_i dh_l/dx_i direction_i,
/// in forward mode: [L][w_l].
[[nodiscard]] std::vector<std::vector<double>> plain_direction(const nn::Mlp<double>& network,
                                                               const PlainTrace& trace,
                                                               std::span<const double> direction);

/// W^T g: sum over the units of a layer of g[j] W(j, i), [fan_in].
[[nodiscard]] std::vector<double> plain_transposed_product(const nn::DenseLayer<double>& dense,
                                                           std::span<const double> g);

/// -log softmax(logits)[label].
[[nodiscard]] double plain_loss(std::span<const double> logits, std::uint32_t label);

/// What an effect is measured on, for one sample: y[label] or the loss.
[[nodiscard]] double plain_metric(Metric metric, std::span<const double> logits,
                                  std::uint32_t label);

/// Its gradient in the logits, [C].
[[nodiscard]] std::vector<double> plain_metric_gradient(Metric metric,
                                                        std::span<const double> logits,
                                                        std::uint32_t label);

/// x' + t (x - x') for sample b of the probe; x' is zero where the probe has no baseline.
[[nodiscard]] std::vector<double> plain_path_point(const Probe<double>& probe, std::size_t b,
                                                   double t);

}  // namespace interpscale::methods::engine
