// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/curvature.hpp"

#include <algorithm>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Activation;
using kernels::Context;
using kernels::Flops;
using kernels::GemmCase;

/// Rows that fill a matrix product.
constexpr std::size_t kRowsToStack = 256;
/// Bytes of a tile's two buffers.
constexpr std::size_t kTileBytes = std::size_t{4} << 20U;

MatrixView<float> block_of(MatrixView<float> out, const nn::Topology& topology, std::size_t layer) {
  return layer_rows(out, topology, layer)
      .cols_from(first_row(topology, layer), topology.hidden[layer]);
}

/// A forward pass, and errors(b, c) = p_c - [c = label].
void errors_of(const Probe<float>& probe, const LayerStack& h, MatrixView<float> errors,
               const Context<float>& context) {
  const Workspace::Scope scope(context.workspace);
  const std::size_t hidden = probe.network.topology.hidden.size();
  const MatrixView<float> logits = context.workspace.matrix<float>(errors.rows(), errors.cols());
  const std::span<float> losses = context.workspace.vector<float>(errors.rows());
  forward_layers(probe.network, 0, hidden, probe.inputs, h, context);
  forward_readout(probe.network, h[hidden - 1], logits, context);
  context.backend.cross_entropy_gradient(logits, probe.labels, 1.0F, losses, errors, context);
}

Flops errors_flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return forward_layers_flops(topology, 0, topology.hidden.size(), problem.batch) +
         readout_flops(topology, problem.batch) +
         kernels::cross_entropy_gradient_flops(problem.batch, topology.outputs);
}

std::uint64_t errors_bytes(const Problem& problem) {
  return 2 * matrix_bytes<float>(problem.batch, problem.topology.outputs) +
         vector_bytes<float>(problem.batch);
}

/// p of sample b.
float probability(const Probe<float>& probe, MatrixView<const float> errors, std::size_t b,
                  std::size_t c) {
  return errors(b, c) + (c == probe.labels[b] ? 1.0F : 0.0F);
}

std::size_t samples_by_outputs(const Problem& problem) {
  return std::clamp<std::size_t>(kRowsToStack / problem.topology.outputs, 1, problem.batch);
}

/// rows(s C + c, e) := sqrt(p_c) ([c = e] - p_e), for the samples from `first` on.
void root_rows(const Probe<float>& probe, MatrixView<const float> errors, std::size_t first,
               MatrixView<float> rows) {
  const std::size_t classes = rows.cols();
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const std::size_t b = first + r / classes;
    const std::size_t c = r % classes;
    const float root = std::sqrt(std::max(probability(probe, errors, b, c), 0.0F));
    for (std::size_t e = 0; e < classes; ++e) {
      rows(r, e) = root * ((c == e ? 1.0F : 0.0F) - probability(probe, errors, b, e));
    }
  }
}

Problem without_activity(const Probe<float>& probe) {
  return {.topology = probe.network.topology,
          .batch = probe.inputs.rows(),
          .options = probe.options,
          .active_pairs = {}};
}

}  // namespace

void hessian_by_outputs(const Probe<float>& probe, const Context<float>& context,
                        MatrixView<float> out) {
  const nn::Mlp<float>& network = probe.network;
  const nn::Topology& topology = network.topology;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t classes = topology.outputs;
  const std::size_t tile = samples_by_outputs(without_activity(probe));
  const std::size_t widest = widest_from(topology, 0);
  const std::size_t lowest = lowest_wanted(topology, probe.options);
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const LayerStack h(probe.tape, context.workspace);
  const MatrixView<float> errors = context.workspace.matrix<float>(batch, classes);
  errors_of(probe, h, errors, context);
  const MatrixView<float> roots = context.workspace.matrix<float>(tile * classes, classes);
  const MatrixView<float> repeated = context.workspace.matrix<float>(tile * classes, widest);
  PingPong scratch(tile * classes, widest, context.workspace);
  const auto mean = 1.0F / static_cast<float>(batch);
  for (std::size_t first = 0; first < batch; first += tile) {
    const std::size_t rows = std::min(tile, batch - first) * classes;
    root_rows(probe, errors, first, roots.rows_from(0, rows));
    MatrixView<const float> above = roots.rows_from(0, rows);
    for (std::size_t layer = topology.hidden.size(); layer-- > lowest;) {
      const std::size_t width = topology.hidden[layer];
      const MatrixView<float> v = scratch.next(rows, width);
      context.backend.gemm(GemmCase::kNN, above, network.layers[layer + 1].weights, v, {}, context);
      if (wanted(probe.options, layer)) {
        context.backend.gemm(GemmCase::kTN, v, v, block_of(out, topology, layer),
                             {.alpha = mean, .beta = first == 0 ? 0.0F : 1.0F}, context);
      }
      if (layer > lowest) {
        const MatrixView<float> slopes = repeated.rows_from(0, rows).cols_from(0, width);
        parallel_for(context.threads, rows, [&](std::size_t r) {
          std::copy_n(h[layer].row_data(first + r / classes), width, slopes.row_data(r));
        });
        context.backend.multiply_by_slope(topology.activation, slopes, v, context);
      }
      above = v;
    }
  }
}

Flops hessian_by_outputs_flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t tile = samples_by_outputs(problem);
  const std::size_t lowest = lowest_wanted(topology, problem.options);
  const bool scaled = 1.0F / static_cast<float>(problem.batch) != 1.0F;
  Flops flops = errors_flops(problem);
  for (std::size_t first = 0; first < problem.batch; first += tile) {
    const std::size_t rows = std::min(tile, problem.batch - first) * topology.outputs;
    for (std::size_t layer = topology.hidden.size(); layer-- > lowest;) {
      const std::size_t width = topology.hidden[layer];
      flops += kernels::gemm_flops({rows, width, topology.fan_out(layer + 1)});
      flops += wanted(problem.options, layer)
                   ? kernels::gemm_flops({width, width, rows},
                                         {.scaled = scaled, .accumulated = first > 0})
                   : 0;
      flops += layer > lowest ? kernels::multiply_by_slope_flops(topology.activation,
                                                                 std::uint64_t{rows} * width)
                              : 0;
    }
  }
  return flops;
}

std::uint64_t hessian_by_outputs_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t rows = samples_by_outputs(problem) * topology.outputs;
  const std::size_t widest = widest_from(topology, 0);
  return LayerStack::tape_bytes(topology) + errors_bytes(problem) +
         matrix_bytes<float>(rows, topology.outputs) + matrix_bytes<float>(rows, widest) +
         PingPong::bytes(rows, widest);
}

namespace {

/// The larger of the widest hidden layer and the outputs.
std::size_t widest_side(const nn::Topology& topology) {
  return std::max(widest_from(topology, 0), topology.outputs);
}

std::size_t samples_by_layers(const Problem& problem) {
  const std::size_t side = widest_side(problem.topology);
  const std::size_t bytes = std::min(problem.options.workspace_bytes, kTileBytes);
  return std::clamp<std::size_t>(bytes / (2 * sizeof(float) * checked_product(side, side)), 1,
                                 problem.batch);
}

/// curvature[l] := g phi''(z) of smooth units, from g = dloss/dh_l, for layers above the lowest
/// wanted: phi'' = -2 h phi' of tanh, phi' - phi'^2 of softplus.
void curvatures_of(const Probe<float>& probe, const LayerStack& h, MatrixView<const float> errors,
                   const LayerStack& curvature, const Context<float>& context) {
  const Activation phi = probe.network.topology.activation;
  visit_gradients(
      probe.network, h, lowest_wanted(probe.network.topology, probe.options), context,
      [&](MatrixView<float> gradient) {
        context.backend.gemm(GemmCase::kNN, errors, probe.network.layers.back().weights, gradient,
                             {}, context);
      },
      [&](std::size_t layer, MatrixView<const float> gradient) {
        if (layer == lowest_wanted(probe.network.topology, probe.options)) {
          return;
        }
        const Workspace::Scope scope(context.workspace);
        const MatrixView<float> bent = curvature[layer];
        copy(gradient, bent);
        context.backend.multiply_by_slope(phi, h[layer], bent, context);
        const MatrixView<float> factor = context.workspace.matrix<float>(bent.rows(), bent.cols());
        copy(MatrixView<const float>(phi == Activation::kTanh ? h[layer] : bent), factor);
        if (phi == Activation::kTanh) {
          context.backend.multiply(bent, factor, bent, context);
          for (std::size_t b = 0; b < bent.rows(); ++b) {
            for (float& value : bent.row(b)) {
              value *= -2.0F;
            }
          }
          return;
        }
        context.backend.multiply_by_slope(phi, h[layer], factor, context);
        for (std::size_t b = 0; b < bent.rows(); ++b) {
          for (std::size_t j = 0; j < bent.cols(); ++j) {
            bent(b, j) -= factor(b, j);
          }
        }
      });
}

Flops curvatures_flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Activation phi = topology.activation;
  const std::size_t lowest = lowest_wanted(topology, problem.options);
  Flops flops = target_gradients_flops(topology, lowest, problem.batch) +
                kernels::gemm_flops({problem.batch, topology.hidden.back(), topology.outputs});
  for (std::size_t layer = lowest + 1; layer < topology.hidden.size(); ++layer) {
    const std::uint64_t elements = std::uint64_t{problem.batch} * topology.hidden[layer];
    flops += kernels::multiply_by_slope_flops(phi, elements);
    flops += phi == Activation::kTanh ? kernels::multiply_flops(elements)
                                      : kernels::multiply_by_slope_flops(phi, elements);
  }
  return flops;
}

/// The next H = W^T S W of every sample: S [rows, S rows] -> [cols, S cols], W [rows, cols].
MatrixView<float> enclosed(MatrixView<const float> inner, MatrixView<const float> weights,
                           PingPong& scratch, const Context<float>& context) {
  const std::size_t rows = weights.rows();
  const std::size_t cols = weights.cols();
  const std::size_t samples = inner.cols() / rows;
  const MatrixView<float> half = scratch.next(rows, samples * cols);
  for (std::size_t s = 0; s < samples; ++s) {
    context.backend.gemm(GemmCase::kNN, inner.cols_from(s * rows, rows), weights,
                         half.cols_from(s * cols, cols), {}, context);
  }
  const MatrixView<float> whole = scratch.next(cols, samples * cols);
  context.backend.gemm(GemmCase::kTN, weights, half, whole, {}, context);
  return whole;
}

Flops enclosed_flops(std::size_t rows, std::size_t cols, std::size_t samples) {
  return samples * kernels::gemm_flops({rows, cols, rows}) +
         kernels::gemm_flops({cols, samples * cols, rows});
}

/// D H D + diag(curvature) of every sample, in another buffer than `hessian`.
MatrixView<float> bent_inside(MatrixView<float> hessian, Activation phi, MatrixView<const float> h,
                              MatrixView<const float> curvature, PingPong& scratch,
                              const Context<float>& context) {
  const std::size_t width = hessian.rows();
  context.backend.scale_jacobian_rows(phi, h, width, hessian, context);
  const MatrixView<float> turned = scratch.next(width, hessian.cols());
  for (std::size_t s = 0; s < h.rows(); ++s) {
    context.backend.transpose(hessian.cols_from(s * width, width),
                              turned.cols_from(s * width, width), context);
  }
  context.backend.scale_jacobian_rows(phi, h, width, turned, context);
  for (std::size_t s = 0; s < h.rows(); ++s) {
    for (std::size_t j = 0; j < width; ++j) {
      turned(j, s * width + j) += curvature(s, j);
    }
  }
  return turned;
}

}  // namespace

void hessian_by_layers(const Probe<float>& probe, const Context<float>& context,
                       MatrixView<float> out) {
  const nn::Mlp<float>& network = probe.network;
  const nn::Topology& topology = network.topology;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t classes = topology.outputs;
  const std::size_t tile = samples_by_layers(without_activity(probe));
  const std::size_t side = widest_side(topology);
  const std::size_t lowest = lowest_wanted(topology, probe.options);
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const LayerStack h(probe.tape, context.workspace);
  const MatrixView<float> errors = context.workspace.matrix<float>(batch, classes);
  const LayerStack curvature(topology, batch, context.workspace);
  errors_of(probe, h, errors, context);
  curvatures_of(probe, h, errors, curvature, context);
  PingPong scratch(side, checked_product(tile, side), context.workspace);
  const auto mean = 1.0F / static_cast<float>(batch);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    clear(block_of(out, topology, layer));
  }
  for (std::size_t first = 0; first < batch; first += tile) {
    const std::size_t samples = std::min(tile, batch - first);
    MatrixView<float> inner = scratch.next(classes, samples * classes);
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t c = 0; c < classes; ++c) {
        const float p = probability(probe, errors, first + s, c);
        for (std::size_t e = 0; e < classes; ++e) {
          inner(c, s * classes + e) =
              p * ((c == e ? 1.0F : 0.0F) - probability(probe, errors, first + s, e));
        }
      }
    }
    for (std::size_t layer = topology.hidden.size(); layer-- > lowest;) {
      const MatrixView<float> hessian =
          enclosed(inner, network.layers[layer + 1].weights, scratch, context);
      if (wanted(probe.options, layer)) {
        context.backend.accumulate_jacobian(hessian, mean, false, block_of(out, topology, layer),
                                            context);
      }
      if (layer > lowest) {
        inner = bent_inside(hessian, topology.activation, h[layer].rows_from(first, samples),
                            curvature[layer].rows_from(first, samples), scratch, context);
      }
    }
  }
}

Flops hessian_by_layers_flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t tile = samples_by_layers(problem);
  const std::size_t lowest = lowest_wanted(topology, problem.options);
  Flops flops = errors_flops(problem) + curvatures_flops(problem);
  for (std::size_t first = 0; first < problem.batch; first += tile) {
    const std::size_t samples = std::min(tile, problem.batch - first);
    for (std::size_t layer = topology.hidden.size(); layer-- > lowest;) {
      const std::size_t width = topology.hidden[layer];
      flops += enclosed_flops(topology.fan_out(layer + 1), width, samples);
      flops += wanted(problem.options, layer)
                   ? kernels::accumulate_jacobian_flops(width, samples, width)
                   : 0;
      flops += layer > lowest ? 2 * kernels::scale_jacobian_rows_flops(topology.activation, width,
                                                                       samples, width)
                              : 0;
    }
  }
  return flops;
}

std::uint64_t hessian_by_layers_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = widest_from(topology, 0);
  const std::size_t side = widest_side(topology);
  return LayerStack::tape_bytes(topology) + LayerStack::bytes(topology, problem.batch) +
         errors_bytes(problem) + PingPong::bytes(problem.batch, widest) +
         matrix_bytes<float>(problem.batch, widest) +
         PingPong::bytes(side, checked_product(samples_by_layers(problem), side));
}

}  // namespace interpscale::methods::engine
