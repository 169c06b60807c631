// What a layer knows about the classes, and which of its neurons say it: the weights of a ridge
// regression of the one-hot labels on the layer's activations.
//
// W = argmin sum_s norm(y_s - ybar - W^T (h_s - hbar))^2 + lambda norm(W)^2, with lambda = ridge
// times the mean over neurons of sum_s h_j^2 (1 where a layer is silent): the intercept is not
// penalised, and lambda scales with the activations.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/spec.hpp"
#include "methods/engine/cholesky.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/plain_ridge.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/streaming.hpp"

namespace interpscale::methods {

MethodSpec linear_probe();

namespace {

using engine::layer_rows;
using kernels::Context;
using kernels::Flops;

constexpr kernels::EpilogueCost kAccumulated{.accumulated = true, .beta_is_one = true};

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const std::vector<engine::PlainTrace> traces = engine::plain_traces(probe);
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    engine::NormalEquations equations = engine::plain_normal_equations(probe, traces, layer);
    engine::plain_solve(equations.gram, equations.rhs);
    copy<const double>(std::as_const(equations.rhs).view(),
                       layer_rows(out, probe.network.topology, layer));
  }
}

/// The normal equations of one layer as they grow block by block.
class LayerFit {
 public:
  LayerFit(std::size_t width, std::size_t classes, Workspace& workspace)
      : gram_(workspace.matrix<float>(width, width)),
        rhs_(workspace.matrix<float>(width, classes)),
        sums_(workspace.matrix<float>(1, width)) {}

  /// h [rows, w]; targets [rows, C], centred. Sums begin with the first block.
  void add(bool begun, MatrixView<const float> h, MatrixView<const float> targets,
           const Context<float>& context) {
    const kernels::Epilogue<float> accumulate{.beta = begun ? 1.0F : 0.0F};
    context.backend.gemm(kernels::GemmCase::kTN, h, h, gram_, accumulate, context);
    context.backend.gemm(kernels::GemmCase::kTN, h, targets, rhs_, accumulate, context);
    context.backend.column_sums(h, begun ? 1.0F : 0.0F, sums_.row(0), context);
  }

  /// The weights [w, C], of `samples` that have been added.
  MatrixView<const float> solve(std::size_t samples, double ridge, const Context<float>& context) {
    const std::size_t width = gram_.rows();
    double squares = 0.0;
    for (std::size_t j = 0; j < width; ++j) {
      squares += static_cast<double>(gram_(j, j));
      sums_(0, j) /= static_cast<float>(samples);
    }
    context.backend.gemm(kernels::GemmCase::kTN, sums_, sums_, gram_,
                         {.alpha = -static_cast<float>(samples), .beta = 1.0F}, context);
    const double lambda = engine::ridge_penalty(ridge, squares, width);
    for (std::size_t j = 0; j < width; ++j) {
      gram_(j, j) = static_cast<float>(static_cast<double>(gram_(j, j)) + lambda);
    }
    engine::solve_positive_definite(gram_, rhs_, context);
    return rhs_;
  }

  [[nodiscard]] static Flops add_flops(bool begun, std::size_t width, std::size_t classes,
                                       std::size_t rows) {
    const kernels::EpilogueCost cost = begun ? kAccumulated : kernels::EpilogueCost{};
    return kernels::gemm_flops({width, width, rows}, cost) +
           kernels::gemm_flops({width, classes, rows}, cost) +
           kernels::column_sums_flops(rows, width, begun);
  }
  [[nodiscard]] static Flops solve_flops(std::size_t width, std::size_t classes) {
    kernels::EpilogueCost cost = kAccumulated;
    cost.scaled = true;
    return kernels::gemm_flops({width, width, 1}, cost) +
           engine::solve_positive_definite_flops(width, classes);
  }
  [[nodiscard]] static std::uint64_t bytes(std::size_t width, std::size_t classes) {
    return engine::matrix_bytes<float>(width, width) + engine::matrix_bytes<float>(width, classes) +
           engine::matrix_bytes<float>(1, width);
  }

 private:
  MatrixView<float> gram_;  // sum h h^T
  MatrixView<float> rhs_;   // sum h (y - ybar)^T, then the weights
  MatrixView<float> sums_;  // sum h, then the mean
};

/// One-hot labels of a block, less the classes' shares of the data set.
class CentredTargets {
 public:
  CentredTargets(const Probe<float>& probe, Workspace& workspace)
      : labels_(probe.streamed_labels()),
        on_(workspace.vector<float>(probe.network.topology.outputs)),
        off_(workspace.vector<float>(probe.network.topology.outputs)),
        rows_(workspace.matrix<float>(probe.inputs.rows(), probe.network.topology.outputs)) {
    std::fill(off_.begin(), off_.end(), 0.0F);
    for (const std::uint32_t label : labels_) {
      off_[label] += 1.0F;
    }
    for (std::size_t c = 0; c < off_.size(); ++c) {
      off_[c] /= -static_cast<float>(labels_.size());
      on_[c] = 1.0F + off_[c];
    }
  }

  [[nodiscard]] MatrixView<const float> block(std::size_t first, std::size_t count,
                                              const Context<float>& context) const {
    const MatrixView<float> rows = rows_.rows_from(0, count);
    context.backend.one_hot(labels_.subspan(first, count), on_, off_, rows, context);
    return rows;
  }

  [[nodiscard]] static std::uint64_t bytes(const Problem& problem) {
    return 2 * engine::vector_bytes<float>(problem.topology.outputs) +
           engine::matrix_bytes<float>(problem.batch, problem.topology.outputs);
  }

 private:
  std::span<const std::uint32_t> labels_;
  std::span<float> on_;   // 1 less the class's share
  std::span<float> off_;  // minus the share
  MatrixView<float> rows_;
};

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const Workspace::Scope scope(context.workspace);
  const CentredTargets targets(probe, context.workspace);
  const auto fits = context.workspace.vector<LayerFit>(hidden);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    if (engine::wanted(probe.options, layer)) {
      fits[layer] = LayerFit(topology.hidden[layer], topology.outputs, context.workspace);
    }
  }
  engine::stream_activations(probe, engine::layers_wanted(topology, probe.options), context,
                             [&](std::size_t first, const engine::LayerStack& h) {
                               const auto block = targets.block(first, h.rows(), context);
                               for (std::size_t layer = 0; layer < hidden; ++layer) {
                                 if (engine::wanted(probe.options, layer)) {
                                   fits[layer].add(first > 0, h[layer], block, context);
                                 }
                               }
                             });
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    if (engine::wanted(probe.options, layer)) {
      context.backend.copy(
          fits[layer].solve(probe.streamed_inputs().rows(), probe.options.ridge, context),
          layer_rows(out, topology, layer), context);
    }
  }
}

/// Pass, products and factorisation of its layer again for every neuron.
void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  const CentredTargets targets(probe, context.workspace);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const Workspace::Scope neuron_scope(context.workspace);
      LayerFit fit(topology.hidden[layer], topology.outputs, context.workspace);
      engine::stream_activations(probe, topology.hidden.size(), context,
                                 [&](std::size_t first, const engine::LayerStack& h) {
                                   fit.add(first > 0, h[layer],
                                           targets.block(first, h.rows(), context), context);
                                 });
      const MatrixView<const float> weights =
          fit.solve(probe.streamed_inputs().rows(), probe.options.ridge, context);
      std::copy(weights.row(j).begin(), weights.row(j).end(), rows.row(j).begin());
    }
  }
}

Flops fit_flops(const Problem& problem, std::size_t layer) {
  const std::size_t width = problem.topology.hidden[layer];
  const std::size_t classes = problem.topology.outputs;
  const std::size_t samples = problem.streamed_samples();
  Flops flops = LayerFit::solve_flops(width, classes);
  for (std::size_t first = 0; first < samples; first += problem.batch) {
    flops +=
        LayerFit::add_flops(first > 0, width, classes, std::min(problem.batch, samples - first));
  }
  return flops;
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Cost cost{
      engine::stream_activations_flops(problem, engine::layers_wanted(topology, problem.options)),
      engine::streamed_floor_bytes(problem, topology.neurons(), topology.outputs)};
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    cost.flops += engine::wanted(problem.options, layer) ? fit_flops(problem, layer) : 0;
  }
  return cost;
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Cost cost{topology.neurons() * engine::stream_activations_flops(problem, topology.hidden.size()),
            engine::streamed_floor_bytes(problem, topology.neurons(), topology.outputs)};
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    cost.flops += topology.hidden[layer] * fit_flops(problem, layer);
  }
  return cost;
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t fits = engine::vector_bytes<LayerFit>(topology.hidden.size());
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (engine::wanted(problem.options, layer)) {
      fits += LayerFit::bytes(topology.hidden[layer], topology.outputs);
    }
  }
  const std::size_t widest = engine::widest_from(topology, 0);
  return CentredTargets::bytes(problem) + fits +
         std::max(engine::LayerStack::tape_bytes(topology),
                  engine::cholesky_bytes(widest, topology.outputs));
}

std::uint64_t workspace_naive(const Problem& problem) {
  const std::size_t widest = engine::widest_from(problem.topology, 0);
  const std::size_t classes = problem.topology.outputs;
  return CentredTargets::bytes(problem) + LayerFit::bytes(widest, classes) +
         std::max(engine::LayerStack::tape_bytes(problem.topology),
                  engine::cholesky_bytes(widest, classes));
}

/// Relative error of the normal equations: two activations' each, and a sum over the samples; and
/// of the factorisation, a sum over the columns.
double equations_rounding(const nn::Topology& topology, std::size_t samples, double roundoff) {
  const std::size_t widest = engine::widest_from(topology, 0);
  return 2.0 * engine::forward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(samples + widest + 4, roundoff);
}

/// A perturbation dA of the normal equations moves their solution by A^-1 dA W. No eigenvalue of A
/// is below lambda; dA, of mixed signs, is as large as a random matrix of its entries: sqrt(w)
/// times the mean diagonal, which is lambda / ridge.
double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  const auto widest = static_cast<double>(engine::widest_from(problem.topology, 0));
  const double amplification = engine::kConditioning * std::sqrt(widest) / problem.options.ridge;
  return amplification *
         equations_rounding(problem.topology, problem.streamed_samples(), engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// The residual of the normal equations is a matter of rounding alone, however ill they are
/// conditioned.
Identity::Verdict normal_equations(const Probe<double>& probe, const Context<double>&,
                                   MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::vector<engine::PlainTrace> traces = engine::plain_traces(probe);
  Identity::Verdict verdict;
  double scale = 0.0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const engine::NormalEquations equations = engine::plain_normal_equations(probe, traces, layer);
    const MatrixView<const double> weights = layer_rows(values, topology, layer);
    for (std::size_t j = 0; j < weights.rows(); ++j) {
      for (std::size_t c = 0; c < weights.cols(); ++c) {
        double residual = -equations.rhs(j, c);
        // A term of the right-hand side is at most the norms of its two factors.
        double size = std::sqrt(equations.gram(j, j) * static_cast<double>(traces.size()));
        for (std::size_t i = 0; i < weights.rows(); ++i) {
          residual += equations.gram(j, i) * weights(i, c);
          size += std::abs(equations.gram(j, i) * weights(i, c));
        }
        verdict.deviation = std::fmax(verdict.deviation, std::abs(residual));
        scale = std::fmax(scale, size);
      }
    }
  }
  verdict.allowed = equations_rounding(topology, traces.size(), epsilon) * scale;
  return verdict;
}

/// The weights of a sample's classes compete: targets sum to one, so a neuron's weights sum to
/// zero.
Identity::Verdict weights_compete(const Probe<double>& probe, const Context<double>&,
                                  MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    double sum = 0.0;
    for (const double weight : values.row(row)) {
      sum += weight;
    }
    verdict.deviation = std::fmax(verdict.deviation, std::abs(sum));
  }
  const auto widest = static_cast<double>(engine::widest_from(topology, 0));
  verdict.allowed = engine::kConditioning * std::sqrt(widest) / probe.options.ridge *
                    equations_rounding(topology, probe.streamed_inputs().rows(), epsilon) *
                    engine::largest_magnitude(values);
  return verdict;
}

}  // namespace

MethodSpec linear_probe() {
  return {
      .name = "linear_probe",
      .summary =
          "a neuron's weight for each class in a ridge regression of the labels on its layer",
      .formula =
          "W = (sum (h - hbar)(h - hbar)^T + lambda I)^-1 sum (h - hbar)(y - ybar)^T, lambda "
          "= ridge mean_j sum h_j^2",
      .source =
          "Alain and Bengio, Understanding intermediate layers using linear classifier "
          "probes, 2016",
      .columns = Columns::kClasses,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.topology.outputs; },
      .streams = true,
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "pass over the data set, products and factorisation again for "
                               "every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "one pass; h^T h and h^T y added up block by block, one blocked "
                               "Cholesky factorisation a layer",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"the weights solve the normal equations", normal_equations},
                     {"a neuron's weights sum to zero over the classes", weights_compete}},
  };
}

}  // namespace interpscale::methods
