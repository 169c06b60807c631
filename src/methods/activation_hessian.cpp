// How the loss bends in the activations of a layer: its Hessian within each layer, mean over the
// batch. Row j has the second derivatives against the neurons of j's own layer, in their columns
// among all n; the columns of other layers are zero.
//
// ReLU networks are linear around a sample but for the softmax: H = J^T (diag p - p p^T) J, and
// with diag p - p p^T = sum_c p_c (e_c - p)(e_c - p)^T it is a sum of squares of C backward passes,
// whose rows are stacked into products. Smooth units add the curvature of every later layer: H of a
// layer follows from the next one's, H_(l-1) = W^T (D H_l D + diag(g phi'')) W, which serves all
// layers in one sweep, where n Hessian-vector products would each run through all layers above.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/curvature.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec activation_hessian();

namespace {

using engine::layer_rows;
using kernels::Activation;
using kernels::Context;

/// The block of a layer's neurons with each other.
template <class T>
MatrixView<T> layer_block(MatrixView<T> out, const nn::Topology& topology, std::size_t layer) {
  return layer_rows(out, topology, layer)
      .cols_from(engine::first_row(topology, layer), topology.hidden[layer]);
}

template <class T>
void clear_all(MatrixView<T> out) {
  for (std::size_t row = 0; row < out.rows(); ++row) {
    std::fill(out.row(row).begin(), out.row(row).end(), T{0});
  }
}

/// Column by column: the derivative of the loss's gradient in h_l along unit i, by the chain rule
/// in forward mode over the backward pass.
std::vector<double> plain_column(const nn::Mlp<double>& network, const engine::PlainTrace& trace,
                                 const std::vector<std::vector<double>>& gradient,
                                 std::uint32_t label, std::size_t layer, std::size_t unit) {
  const Activation phi = network.topology.activation;
  const std::size_t hidden = trace.h.size();
  std::vector<std::vector<double>> z_rates(hidden);  // of layers above
  std::vector<double> rate(trace.h[layer].size(), 0.0);
  rate[unit] = 1.0;
  for (std::size_t above = layer + 1; above < hidden; ++above) {
    z_rates[above] = engine::plain_product(network.layers[above], rate);
    rate = z_rates[above];
    for (std::size_t j = 0; j < rate.size(); ++j) {
      rate[j] *= engine::plain_slope(phi, trace.z[above][j]);
    }
  }
  const std::vector<double> y_rate = engine::plain_product(network.layers.back(), rate);
  std::vector<double> p = engine::plain_metric_gradient(Metric::kLoss, trace.logits, label);
  p[label] += 1.0;
  double mean_rate = 0.0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    mean_rate += p[c] * y_rate[c];
  }
  std::vector<double> result(p.size());
  for (std::size_t c = 0; c < p.size(); ++c) {
    result[c] = p[c] * (y_rate[c] - mean_rate);
  }
  result = engine::plain_transposed_product(network.layers.back(), result);
  for (std::size_t above = hidden - 1; above > layer; --above) {
    for (std::size_t j = 0; j < result.size(); ++j) {
      const double z = trace.z[above][j];
      result[j] = engine::plain_slope(phi, z) * result[j] +
                  engine::plain_curvature(phi, z) * z_rates[above][j] * gradient[above][j];
    }
    result = engine::plain_transposed_product(network.layers[above], result);
  }
  return result;
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  clear_all(out);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto gradient = engine::plain_gradient(
        probe.network, trace,
        engine::plain_metric_gradient(Metric::kLoss, trace.logits, probe.labels[b]));
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      const MatrixView<double> block = layer_block(out, topology, layer);
      for (std::size_t i = 0; i < block.cols(); ++i) {
        const std::vector<double> column =
            plain_column(probe.network, trace, gradient, probe.labels[b], layer, i);
        for (std::size_t j = 0; j < column.size(); ++j) {
          block(j, i) += column[j] / batch;
        }
      }
    }
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  clear_all(out);
  if (topology.activation == Activation::kRelu) {
    engine::hessian_by_outputs(probe, context, out);
  } else {
    engine::hessian_by_layers(probe, context, out);
  }
}

Cost cost_fast(const Problem& problem) {
  return {problem.topology.activation == Activation::kRelu
              ? engine::hessian_by_outputs_flops(problem)
              : engine::hessian_by_layers_flops(problem),
          engine::floor_bytes(problem, problem.topology.neurons())};
}

std::uint64_t workspace_fast(const Problem& problem) {
  return problem.topology.activation == Activation::kRelu
             ? engine::hessian_by_outputs_bytes(problem)
             : engine::hessian_by_layers_bytes(problem);
}

/// Probabilities move by twice an error of the logits; a forward pass, two backward passes (one on
/// either side), and the mean.
double relative_rounding(const nn::Topology& topology, std::size_t batch, double output_scale,
                         double roundoff) {
  const double forward = engine::forward_rounding(topology, roundoff);
  return forward * (1.0 + 4.0 * output_scale) +
         2.0 * engine::backward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(batch * topology.outputs + 6, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, problem.batch, problem.output_scale,
                           engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

double output_scale_of(const Probe<double>& probe) {
  double scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  return scale;
}

Identity::Verdict symmetry(const Probe<double>& probe, const Context<double>&,
                           MatrixView<const double> values, double epsilon) {
  Identity::Verdict verdict;
  for (std::size_t j = 0; j < values.rows(); ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(values(j, i) - values(i, j)));
    }
  }
  verdict.allowed = 2.0 * engine::largest_magnitude(values) *
                    relative_rounding(probe.network.topology, probe.inputs.rows(),
                                      output_scale_of(probe), epsilon);
  return verdict;
}

/// A ReLU network's Hessians are positive semidefinite: no direction has a negative quadratic form.
/// Tried on every unit and every pair of units.
Identity::Verdict positive_on_relu(const Probe<double>& probe, const Context<double>&,
                                   MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  if (topology.activation != Activation::kRelu) {
    return {};
  }
  Identity::Verdict verdict;
  for (std::size_t j = 0; j < values.rows(); ++j) {
    verdict.deviation = std::fmax(verdict.deviation, -values(j, j));
    for (std::size_t i = 0; i < j; ++i) {
      const double pair =
          values(j, j) + values(i, i) - std::abs(values(j, i)) - std::abs(values(i, j));
      verdict.deviation = std::fmax(verdict.deviation, -pair);
    }
  }
  verdict.allowed =
      4.0 * engine::largest_magnitude(values) *
      relative_rounding(topology, probe.inputs.rows(), output_scale_of(probe), epsilon);
  return verdict;
}

/// Last hidden layer: W^T mean_b (diag p - p p^T) W, whatever the non-linearity.
Identity::Verdict last_layer(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const Matrix<double>& readout = probe.network.layers.back().weights;
  const auto batch = static_cast<double>(probe.inputs.rows());
  const MatrixView<const double> block = layer_block(values, topology, topology.hidden.size() - 1);
  Matrix<double> bend(topology.outputs, topology.outputs);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    std::vector<double> p =
        engine::plain_metric_gradient(Metric::kLoss, trace.logits, probe.labels[b]);
    p[probe.labels[b]] += 1.0;
    for (std::size_t c = 0; c < p.size(); ++c) {
      for (std::size_t e = 0; e < p.size(); ++e) {
        bend(c, e) += ((c == e ? p[c] : 0.0) - p[c] * p[e]) / batch;
      }
    }
  }
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t j = 0; j < block.rows(); ++j) {
    for (std::size_t i = 0; i < block.cols(); ++i) {
      double sum = 0.0;
      double terms = 0.0;
      for (std::size_t c = 0; c < bend.rows(); ++c) {
        for (std::size_t e = 0; e < bend.cols(); ++e) {
          sum += readout(c, j) * bend(c, e) * readout(e, i);
          terms += std::abs(readout(c, j) * bend(c, e) * readout(e, i));
        }
      }
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sum - block(j, i)));
      magnitude = std::fmax(magnitude, terms);
    }
  }
  verdict.allowed =
      magnitude * relative_rounding(topology, probe.inputs.rows(), output_scale_of(probe), epsilon);
  return verdict;
}

}  // namespace

MethodSpec activation_hessian() {
  return {
      .name = "activation_hessian",
      .summary =
          "second derivatives of the loss in the activations of a layer, mean over the batch",
      .formula =
          "mean_b d2 loss / dh_i dh_j for i, j of one layer; 0 for units of different layers",
      .source = "LeCun et al., Optimal brain damage, NIPS 1989; Hassibi and Stork, NIPS 1992",
      .columns = Columns::kNeurons,
      .statistics = {},
      .column_count = [](const Problem& problem) -> std::size_t {
        return problem.topology.neurons();
      },
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "ReLU: C backward passes and one product a layer; smooth units: "
                               "layer from layer by products of all samples in a tile",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"symmetric", symmetry},
                     {"ReLU: no negative quadratic form on one or two units", positive_on_relu},
                     {"last hidden layer: W^T mean_b (diag p - p p^T) W", last_layer}},
  };
}

}  // namespace interpscale::methods
