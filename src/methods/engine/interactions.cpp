// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/interactions.hpp"

#include <algorithm>
#include <cmath>

#include "methods/engine/metric.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/replacement.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Context;

namespace {

constexpr Replacement kAlone{With::kZero, Metric::kLoss};

/// metric(both at zero) - metric(first) - metric(second) + metric, for one sample.
void add_sample(const Probe<double>& probe, std::size_t b, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = interaction_metric(probe.options);
  const auto measure = [&](const std::vector<double>& logits) {
    return plain_metric(metric, logits, probe.labels[b]);
  };
  const auto weight = 1.0 / static_cast<double>(probe.inputs.rows());
  const double whole = measure(plain_forward(probe.network, probe.inputs.row(b)).logits);
  std::vector<PlainTrace> without;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
      without.push_back(
          plain_forward(probe.network, probe.inputs.row(b), PlainPatch{layer, j, 0.0}));
    }
  }
  for (std::size_t first = 0; first < without.size(); ++first) {
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
        const std::size_t second = first_row(topology, layer) + j;
        if (second < first) {
          continue;
        }
        std::vector<double> h = without[first].h[layer];
        h[j] = 0.0;
        const double both = measure(plain_logits_from(probe.network, layer, h));
        const double interaction = weight * (both - measure(without[first].logits) -
                                             measure(without[second].logits) + whole);
        out(first, second) += interaction;
        out(second, first) = out(first, second);
      }
    }
  }
}

/// Four metrics are added and subtracted: twice what an effect has. The effects of both neurons
/// alone, each at most a loss, are summed over the samples in single precision.
double rounding_of_interaction(const nn::Topology& topology, std::size_t samples,
                               double output_scale, double largest_value, double roundoff) {
  const double largest_loss = 2.0 * output_scale + std::log(static_cast<double>(topology.outputs));
  return 2.0 * rounding_of_effect(topology, output_scale, roundoff) +
         2.0 * gamma(samples + kAroundAProduct, roundoff) * largest_loss +
         forward_rounding(topology, roundoff) * largest_value;
}

double allowed_of(const Probe<double>& probe, MatrixView<const double> values, double epsilon) {
  double scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : plain_forward(probe.network, probe.inputs.row(b)).logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  return rounding_of_interaction(probe.network.topology, probe.inputs.rows(), scale,
                                 largest_magnitude(values), epsilon);
}

Identity::Verdict symmetric(const Probe<double>&, const Context<double>&,
                            MatrixView<const double> values, double) {
  Identity::Verdict verdict;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(values(i, j) - values(j, i)));
    }
  }
  return verdict;
}

/// A neuron that is silenced twice is silenced once: Delta_ii = Delta_i.
Identity::Verdict inclusion_exclusion(const Probe<double>& probe, const Context<double>& context,
                                      MatrixView<const double> values, double epsilon) {
  Matrix<double> alone(values.rows(), 1);
  replacement_reference(kAlone)(probe, context, alone);
  Identity::Verdict verdict{0.0, allowed_of(probe, values, epsilon)};
  for (std::size_t i = 0; i < values.rows(); ++i) {
    verdict.deviation = std::fmax(verdict.deviation, std::abs(values(i, i) + alone(i, 0)));
  }
  return verdict;
}

/// In the last hidden layer all four metrics are of y less some of h_j W_(:, j): no pass. For F the
/// interaction is 0.
Identity::Verdict last_layer(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const std::size_t width = topology.hidden[last];
  const Metric metric = interaction_metric(probe.options);
  Matrix<double> expected(width, width);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const PlainTrace trace = plain_forward(probe.network, probe.inputs.row(b));
    const auto without = [&](double with_i, std::size_t i, double with_j, std::size_t j) {
      std::vector<double> y = trace.logits;
      for (std::size_t c = 0; c < y.size(); ++c) {
        y[c] -= with_i * trace.h[last][i] * probe.network.layers.back().weights(c, i) +
                with_j * trace.h[last][j] * probe.network.layers.back().weights(c, j);
      }
      return plain_metric(metric, y, probe.labels[b]);
    };
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        expected(i, j) += (without(1, i, 1, j) - without(1, i, 0, j) - without(0, i, 1, j) +
                           without(0, i, 0, j)) /
                          static_cast<double>(probe.inputs.rows());
      }
    }
  }
  Identity::Verdict verdict{0.0, allowed_of(probe, values, epsilon)};
  const std::size_t first = first_row(topology, last);
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double value = values(first + i, first + j);
      const double target = metric == Metric::kTarget ? 0.0 : expected(i, j);
      verdict.deviation = std::fmax(verdict.deviation, std::abs(value - target));
    }
  }
  return verdict;
}

}  // namespace

Metric interaction_metric(const MethodOptions& options) {
  return resolved(options.metric, kAlone.fallback);
}

bool interactions_vanish(const nn::Topology& topology, Metric metric, std::size_t layer) {
  return metric == Metric::kTarget && layer + 1 == topology.hidden.size();
}

void plain_interactions(const Probe<double>& probe, const Context<double>&,
                        MatrixView<double> out) {
  for (std::size_t row = 0; row < out.rows(); ++row) {
    std::fill(out.row(row).begin(), out.row(row).end(), 0.0);
  }
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    add_sample(probe, b, out);
  }
}

double interaction_tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return rounding_of_interaction(problem.topology, problem.batch, problem.output_scale,
                                 largest_magnitude(reference_values), kFloatRoundoff);
}

std::vector<Identity> interaction_identities() {
  return {{"symmetric", symmetric},
          {"the diagonal is minus the effect of zero ablation", inclusion_exclusion},
          {"last hidden layer: from logits alone; 0 for F", last_layer}};
}

}  // namespace interpscale::methods::engine
