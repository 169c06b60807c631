// The circuit that a batch needs: edges (weights; biases stay) are removed one by one, in a fixed
// order, where the outputs' divergence from the original ones hardly rises.
//
// The order: the read-out first, then hidden layers from the last to the first; units ascending,
// their inputs ascending. So the layers below an edge are always whole, and its input activations
// those of the original network. The fast variant moves one pre-activation, reaches the next layer
// by a rank-one update, and computes the suffix alone. Decisions: methods/engine/circuit.hpp.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/circuit.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/suffix_pruning.hpp"

namespace interpscale::methods {

MethodSpec edge_pruning();

namespace {

using engine::Circuit;
using engine::first_row;
using engine::KeptEdges;
using engine::SuffixPruning;
using kernels::Context;
using kernels::Flops;

/// Shares of kept edges into and out of every hidden neuron. weights(l), l in [0, L]: those of the
/// circuit; kept(l, j, i): whether the edge is there.
template <class T, class Kept>
void write_shares(const nn::Topology& topology, const Kept& kept, MatrixView<T> out) {
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::size_t below = topology.fan_in(layer);
    const std::size_t above = topology.fan_out(layer + 1);
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
      std::size_t incoming = 0;
      std::size_t outgoing = 0;
      for (std::size_t i = 0; i < below; ++i) {
        incoming += kept(layer, j, i) ? 1U : 0U;
      }
      for (std::size_t k = 0; k < above; ++k) {
        outgoing += kept(layer + 1, k, j) ? 1U : 0U;
      }
      const std::size_t row = first_row(topology, layer) + j;
      out(row, 0) = static_cast<T>(incoming) / static_cast<T>(below);
      out(row, 1) = static_cast<T>(outgoing) / static_cast<T>(above);
    }
  }
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  nn::Mlp<double> circuit = probe.network;
  const std::size_t layers = circuit.layers.size();
  std::vector<std::vector<double>> original;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    original.push_back(engine::plain_forward(circuit, probe.inputs.row(b)).logits);
  }
  std::vector<std::vector<bool>> kept;
  for (const nn::DenseLayer<double>& layer : circuit.layers) {
    kept.emplace_back(layer.weights.rows() * layer.weights.cols(), true);
  }
  double now = 0.0;
  for (std::size_t layer = layers; layer-- > 0;) {
    Matrix<double>& weights = circuit.layers[layer].weights;
    for (std::size_t j = 0; j < weights.rows(); ++j) {
      for (std::size_t i = 0; i < weights.cols(); ++i) {
        const double weight = weights(j, i);
        weights(j, i) = 0.0;
        double sum = 0.0;
        for (std::size_t b = 0; b < original.size(); ++b) {
          sum += engine::divergence(original[b],
                                    engine::plain_forward(circuit, probe.inputs.row(b)).logits);
        }
        const double then = sum / static_cast<double>(original.size());
        if (engine::is_removed(then - now, probe.options.threshold)) {
          kept[layer][j * weights.cols() + i] = false;
          now = then;
        } else {
          weights(j, i) = weight;
        }
      }
    }
  }
  write_shares<double>(
      circuit.topology,
      [&](std::size_t layer, std::size_t j, std::size_t i) {
        return kept[layer][j * circuit.layers[layer].weights.cols() + i];
      },
      out);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::forward_layers(probe.network, 0, topology.hidden.size(), probe.inputs, h, context);
  Circuit circuit(probe, context);
  KeptEdges kept(topology, context.workspace);
  SuffixPruning pruning(probe, h, circuit, kept, context);
  pruning.prune_readout();
  // The shares of a layer's neurons are decided once its incoming edges are.
  for (std::size_t layer = topology.hidden.size();
       layer-- > engine::lowest_wanted(topology, probe.options);) {
    pruning.prune_hidden(layer);
  }
  write_shares<float>(topology, kept, out);
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const engine::LayerStack h(probe.tape, context.workspace);
  Circuit circuit(probe, context);
  KeptEdges kept(topology, context.workspace);
  for (std::size_t layer = topology.layers();
       layer-- > engine::lowest_wanted(topology, probe.options);) {
    circuit.enter(layer);
    for (std::size_t j = 0; j < topology.fan_out(layer); ++j) {
      for (std::size_t i = 0; i < topology.fan_in(layer); ++i) {
        circuit.propose(j, i);
        MatrixView<const float> below = probe.inputs;
        for (std::size_t l = 0; l < hidden; ++l) {
          engine::circuit_layer(probe, circuit, l, below, h[l], context);
          below = h[l];
        }
        engine::circuit_layer(probe, circuit, hidden, below, probe.tape.output(), context);
        if (circuit.decide(probe.tape.output())) {
          kept.remove(layer, j, i);
        }
      }
    }
  }
  write_shares<float>(topology, kept, out);
}

std::uint64_t edges_of(const nn::Topology& topology, std::size_t layer) {
  return std::uint64_t{topology.fan_out(layer)} * topology.fan_in(layer);
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return {engine::forward_layers_flops(topology, 0, topology.hidden.size(), problem.batch) +
              SuffixPruning::flops(problem),
          engine::floor_bytes(problem, 2)};
}

Cost cost_naive(const Problem& problem) {
  Flops edges = 0;
  for (std::size_t layer = engine::lowest_wanted(problem.topology, problem.options);
       layer < problem.topology.layers(); ++layer) {
    edges += edges_of(problem.topology, layer);
  }
  return {edges * (nn::forward_flops(problem.topology, problem.batch) +
                   Circuit::decision_flops(problem)),
          engine::floor_bytes(problem, 2)};
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) + Circuit::scratch_bytes(problem) +
         KeptEdges::bytes(problem.topology);
}

std::uint64_t workspace_fast(const Problem& problem) {
  return workspace_naive(problem) + SuffixPruning::scratch_bytes(problem);
}

/// Decisions are the reference's; what is left is one division, of numbers that floats hold.
double tolerance(const Problem&, MatrixView<const double>) {
  return engine::kFloatRoundoff;
}

/// What both ends of the edges between two layers say they have kept.
Identity::Verdict both_ends(const Probe<double>& probe, const Context<double>&,
                            MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict worst{0.0, epsilon};
  for (std::size_t layer = 0; layer + 1 < topology.hidden.size(); ++layer) {
    const MatrixView<const double> tails = engine::layer_rows(values, topology, layer);
    const MatrixView<const double> heads = engine::layer_rows(values, topology, layer + 1);
    double difference = 0.0;
    for (std::size_t j = 0; j < tails.rows(); ++j) {
      difference += tails(j, 1) / static_cast<double>(tails.rows());
    }
    for (std::size_t j = 0; j < heads.rows(); ++j) {
      difference -= heads(j, 0) / static_cast<double>(heads.rows());
    }
    worst.deviation = std::fmax(worst.deviation, std::abs(difference));
  }
  worst.allowed = 2.0 * epsilon + engine::gamma(2 * engine::widest_from(topology, 0), 0x1p-53);
  return worst;
}

/// Kept and removed edges add up to the weights: shares are whole numbers of a neuron's edges.
Identity::Verdict whole_edges(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict worst{0.0, 0.0};
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = engine::layer_rows(values, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const double incoming = rows(j, 0) * static_cast<double>(topology.fan_in(layer));
      const double outgoing = rows(j, 1) * static_cast<double>(topology.fan_out(layer + 1));
      worst.deviation = std::fmax(worst.deviation, std::abs(incoming - std::round(incoming)));
      worst.deviation = std::fmax(worst.deviation, std::abs(outgoing - std::round(outgoing)));
      worst.deviation = std::fmax(worst.deviation, std::fmax(-rows(j, 0), rows(j, 0) - 1.0));
      worst.deviation = std::fmax(worst.deviation, std::fmax(-rows(j, 1), rows(j, 1) - 1.0));
    }
  }
  const std::size_t most =
      std::max({topology.inputs, engine::widest_from(topology, 0), topology.outputs});
  worst.allowed = 2.0 * epsilon * static_cast<double>(most);
  return worst;
}

/// A neuron that is at zero on every sample tells nobody anything: none of its edges out is kept.
Identity::Verdict silent_neurons(const Probe<double>& probe, const Context<double>&,
                                 MatrixView<const double> values, double) {
  std::vector<bool> silent(values.rows(), true);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    std::size_t row = 0;
    for (const auto& layer : engine::plain_forward(probe.network, probe.inputs.row(b)).h) {
      for (const double h : layer) {
        silent[row] = silent[row] && h == 0.0;
        ++row;
      }
    }
  }
  Identity::Verdict verdict;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    verdict.deviation = std::fmax(verdict.deviation, silent[row] ? values(row, 1) : 0.0);
  }
  return verdict;
}

}  // namespace

MethodSpec edge_pruning() {
  return {
      .name = "edge_pruning",
      .summary = "shares of a neuron's edges that a greedily pruned circuit keeps",
      .formula =
          "edge by edge, last layer first: W_ji := 0 if mean_b KL(softmax y || softmax "
          "y(circuit)) rises by less than tau",
      .source = "Conmy et al., Towards automated circuit discovery, NeurIPS 2023",
      .columns = Columns::kStatistics,
      .statistics = {"incoming", "outgoing"},
      .column_count = [](const Problem&) { return std::size_t{2}; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a whole forward pass for every edge",
                    .exponents = {.parameters = 2, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "one pre-activation moved, a rank-one update of the next, and the "
                               "suffix, for every edge",
                    .exponents = {.parameters = 2, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"shares are whole numbers of edges, kept and removed together all of them",
                      whole_edges},
                     {"edges between two layers: as many kept by their tails as by their heads",
                      both_ends},
                     {"no edge out of a neuron that is zero on every sample is kept",
                      silent_neurons}},
  };
}

}  // namespace interpscale::methods
