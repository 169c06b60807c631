// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/passes.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "interpscale/core/parallel.hpp"
#include "nn/backward_layers.hpp"

namespace interpscale::nn {
namespace {

using kernels::Activation;
using kernels::Context;
using kernels::Epilogue;
using kernels::GemmCase;

/// Hidden layer `layer` from its inputs [B, fan_in]: z and h of the tape.
template <class T>
void hidden_layer(const Mlp<T>& network, std::size_t layer, MatrixView<const T> below,
                  Tape<T>& tape, const Context<T>& context) {
  const Activation phi = network.topology.activation;
  const bool keeps_pre_activations = !tape.pre_activations.empty();
  const bool fused_relu = phi == Activation::kRelu && !keeps_pre_activations;
  const DenseLayer<T>& dense = network.layers[layer];
  const MatrixView<T> h = tape.activation(layer);
  const MatrixView<T> z =
      keeps_pre_activations ? tape.pre_activations[layer].view().rows_from(0, tape.batch) : h;
  context.backend.gemm(GemmCase::kNT, below, dense.weights, z,
                       Epilogue<T>{.bias = dense.bias, .relu = fused_relu}, context);
  if (!fused_relu) {
    context.backend.activate(phi, z, h, context);
  }
}

/// Hidden layers from `first` on, whose inputs are `below`, and the logits.
template <class T>
void layers_from(const Mlp<T>& network, std::size_t first, MatrixView<const T> below, Tape<T>& tape,
                 const Context<T>& context) {
  const std::size_t hidden = network.topology.hidden.size();
  for (std::size_t layer = first; layer < hidden; ++layer) {
    hidden_layer(network, layer, below, tape, context);
    below = tape.activation(layer);
  }
  const DenseLayer<T>& readout = network.layers[hidden];
  context.backend.gemm(GemmCase::kNT, below, readout.weights, tape.output(),
                       Epilogue<T>{.bias = readout.bias}, context);
}

}  // namespace

template <class T>
void forward(const Mlp<T>& network, MatrixView<const T> inputs, Tape<T>& tape,
             const Context<T>& context) {
  tape.batch = inputs.rows();
  require_tape_fits(network, tape);
  layers_from(network, 0, inputs, tape, context);
}

template <class T>
void forward_from(const Mlp<T>& network, std::size_t layer, Tape<T>& tape,
                  const Context<T>& context) {
  require_tape_fits(network, tape);
  require(layer < network.topology.hidden.size(), "forward_from: no such hidden layer");
  layers_from<T>(network, layer + 1, tape.activation(layer), tape, context);
}

template <class T>
void backward(const Mlp<T>& network, MatrixView<const T> inputs, const Tape<T>& tape,
              MatrixView<const T> output_gradient, std::vector<DenseLayer<T>>& gradients,
              const Context<T>& context) {
  require(gradients.size() == network.layers.size(), "backward: one gradient a layer");
  backward_layers<T>(network, inputs, tape, output_gradient, context,
                     [&](std::size_t layer, MatrixView<const T> dz, MatrixView<const T> below) {
                       context.backend.gemm(GemmCase::kTN, dz, below, gradients[layer].weights, {},
                                            context);
                       context.backend.column_sums(dz, T{0}, gradients[layer].bias, context);
                     });
}

template <class T>
void backward_activations(const Mlp<T>& network, const Tape<T>& tape,
                          MatrixView<const T> output_gradient, std::size_t first_layer,
                          std::vector<Matrix<T>>& activation_gradients, const Context<T>& context) {
  require_tape_fits(network, tape);
  const Topology& topology = network.topology;
  const std::size_t hidden = topology.hidden.size();
  require(first_layer < hidden, "backward_activations: no such hidden layer");
  require(output_gradient.rows() == tape.batch,
          "backward_activations: output gradient of another batch than the tape's");
  require(activation_gradients.size() == hidden, "backward_activations: one matrix a hidden layer");
  const Workspace::Scope scope(context.workspace);
  AlternatingScratch<T> scratch(topology, tape.batch, context.workspace);
  MatrixView<const T> dz = output_gradient;
  for (std::size_t layer = hidden; layer-- > first_layer;) {
    const MatrixView<T> dh = activation_gradients[layer].view().rows_from(0, tape.batch);
    context.backend.gemm(GemmCase::kNN, dz, network.layers[layer + 1].weights, dh, {}, context);
    if (layer > first_layer) {
      const MatrixView<T> dz_here = scratch.next(dh.cols());
      parallel_for(context.threads, dh.rows(), [&](std::size_t b) {
        std::copy(dh.row(b).begin(), dh.row(b).end(), dz_here.row(b).begin());
      });
      context.backend.multiply_by_slope(topology.activation, tape.activation(layer), dz_here,
                                        context);
      dz = dz_here;
    }
  }
}

template <class T>
std::vector<Matrix<T>> hidden_matrices(const Topology& topology, std::size_t batch) {
  std::vector<Matrix<T>> matrices;
  for (const std::size_t width : topology.hidden) {
    matrices.emplace_back(batch, width);
  }
  return matrices;
}

template void forward<float>(const Mlp<float>&, MatrixView<const float>, Tape<float>&,
                             const Context<float>&);
template void forward<double>(const Mlp<double>&, MatrixView<const double>, Tape<double>&,
                              const Context<double>&);
template void forward_from<float>(const Mlp<float>&, std::size_t, Tape<float>&,
                                  const Context<float>&);
template void forward_from<double>(const Mlp<double>&, std::size_t, Tape<double>&,
                                   const Context<double>&);
template void backward<float>(const Mlp<float>&, MatrixView<const float>, const Tape<float>&,
                              MatrixView<const float>, std::vector<DenseLayer<float>>&,
                              const Context<float>&);
template void backward<double>(const Mlp<double>&, MatrixView<const double>, const Tape<double>&,
                               MatrixView<const double>, std::vector<DenseLayer<double>>&,
                               const Context<double>&);
template void backward_activations<float>(const Mlp<float>&, const Tape<float>&,
                                          MatrixView<const float>, std::size_t,
                                          std::vector<Matrix<float>>&, const Context<float>&);
template void backward_activations<double>(const Mlp<double>&, const Tape<double>&,
                                           MatrixView<const double>, std::size_t,
                                           std::vector<Matrix<double>>&, const Context<double>&);
template std::vector<Matrix<float>> hidden_matrices<float>(const Topology&, std::size_t);
template std::vector<Matrix<double>> hidden_matrices<double>(const Topology&, std::size_t);

}  // namespace interpscale::nn
