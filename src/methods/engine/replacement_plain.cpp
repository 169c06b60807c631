// The definition in obvious loops, what rounding may do, and the identities.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/engine/metric.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/replacement.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Context;

std::vector<PlainTrace> traces_of(const nn::Mlp<double>& network, MatrixView<const double> inputs) {
  std::vector<PlainTrace> traces;
  for (std::size_t b = 0; b < inputs.rows(); ++b) {
    traces.push_back(plain_forward(network, inputs.row(b)));
  }
  return traces;
}

/// The batch's passes, and what its neurons are replaced with.
class PlainValues {
 public:
  PlainValues(const Replacement& what, const Probe<double>& probe)
      : with_(what.with), traces_(traces_of(probe.network, probe.inputs)) {
    if (with_ == With::kDonor) {
      donors_ = traces_of(probe.network, probe.donor);
    }
  }

  [[nodiscard]] const PlainTrace& trace(std::size_t b) const { return traces_[b]; }

  [[nodiscard]] double replacement(std::size_t layer, std::size_t j, std::size_t b) const {
    double sum = 0.0;
    switch (with_) {
      case With::kZero:
        break;
      case With::kDonor:
        return donors_[b].h[layer][j];
      case With::kBatchMean:
        for (const PlainTrace& trace : traces_) {
          sum += trace.h[layer][j];
        }
        break;
    }
    return sum / static_cast<double>(traces_.size());
  }

 private:
  With with_;
  std::vector<PlainTrace> traces_;
  std::vector<PlainTrace> donors_;
};

/// effect(layer, j, b) for all neurons, into rows as `what` wants them.
template <class Effect>
void fill(const Replacement& what, const nn::Topology& topology, std::size_t batch,
          MatrixView<double> out, const Effect& effect) {
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      double sum = 0.0;
      for (std::size_t b = 0; b < batch; ++b) {
        const double one = effect(layer, j, b);
        sum += one;
        if (what.with == With::kDonor) {
          rows(j, b) = one;
        }
      }
      if (what.with != With::kDonor) {
        rows(j, 0) = sum / static_cast<double>(batch);
      }
    }
  }
}

void reference(const Replacement& what, const Probe<double>& probe, MatrixView<double> out) {
  const Metric metric = resolved(probe.options.metric, what.fallback);
  const PlainValues values(what, probe);
  fill(what, probe.network.topology, probe.inputs.rows(), out,
       [&](std::size_t layer, std::size_t j, std::size_t b) {
         const PlainPatch patch{layer, j, values.replacement(layer, j, b)};
         const PlainTrace patched = plain_forward(probe.network, probe.inputs.row(b), patch);
         return plain_metric(metric, patched.logits, probe.labels[b]) -
                plain_metric(metric, values.trace(b).logits, probe.labels[b]);
       });
}

/// The largest |logit| of the batch, in double.
double output_scale_of(const Probe<double>& probe) {
  double scale = 0.0;
  for (const PlainTrace& trace : traces_of(probe.network, probe.inputs)) {
    for (const double y : trace.logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  return scale;
}

Identity::Verdict check_unchanged(const Replacement& what, const Probe<double>& probe,
                                  MatrixView<const double> values) {
  const PlainValues plain(what, probe);
  Identity::Verdict verdict;
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < probe.network.topology.hidden[layer]; ++j, ++row) {
      bool all = true;
      for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
        const bool same = plain.trace(b).h[layer][j] == plain.replacement(layer, j, b);
        all = all && same;
        if (same && what.with == With::kDonor) {
          verdict.deviation = std::fmax(verdict.deviation, std::abs(values(row, b)));
        }
      }
      if (all && what.with != With::kDonor) {
        verdict.deviation = std::fmax(verdict.deviation, std::abs(values(row, 0)));
      }
    }
  }
  return verdict;
}

Identity::Verdict check_last_layer(const Replacement& what, const Probe<double>& probe,
                                   MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = resolved(probe.options.metric, what.fallback);
  const nn::DenseLayer<double>& readout = probe.network.layers.back();
  const PlainValues plain(what, probe);
  const std::size_t last = topology.hidden.size() - 1;
  const nn::Topology alone{topology.inputs, {topology.hidden.back()}, topology.outputs};
  Matrix<double> expected(topology.hidden.back(), values.cols());
  fill(what, alone, probe.inputs.rows(), expected, [&](std::size_t, std::size_t j, std::size_t b) {
    const PlainTrace& trace = plain.trace(b);
    std::vector<double> logits = trace.logits;
    const double change = plain.replacement(last, j, b) - trace.h[last][j];
    for (std::size_t c = 0; c < logits.size(); ++c) {
      logits[c] += change * readout.weights(c, j);
    }
    return plain_metric(metric, logits, probe.labels[b]) -
           plain_metric(metric, trace.logits, probe.labels[b]);
  });
  Identity::Verdict verdict;
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  for (std::size_t j = 0; j < rows.rows(); ++j) {
    for (std::size_t k = 0; k < rows.cols(); ++k) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(rows(j, k) - expected(j, k)));
    }
  }
  verdict.allowed = rounding_of_effect(topology, output_scale_of(probe), epsilon) +
                    forward_rounding(topology, epsilon) * largest_magnitude(expected.view());
  return verdict;
}

}  // namespace

Analysis<double> replacement_reference(const Replacement& what) {
  return [what](const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
    reference(what, probe, out);
  };
}

// Two metrics are subtracted. A loss moves by at most twice the largest error of a logit, and its
// own sum over C classes rounds relative to log C and twice the largest logit: the error scales
// with the logits, however small the effect is.
double rounding_of_effect(const nn::Topology& topology, double output_scale, double roundoff) {
  const double largest_loss = 2.0 * output_scale + std::log(static_cast<double>(topology.outputs));
  const double of_logits = 2.0 * output_scale * forward_rounding(topology, roundoff);
  const double of_sum = largest_loss * gamma(topology.outputs + kAroundAProduct, roundoff);
  return 2.0 * (of_logits + of_sum);
}

double effect_tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return rounding_of_effect(problem.topology, problem.output_scale, kFloatRoundoff) +
         forward_rounding(problem.topology, kFloatRoundoff) * largest_magnitude(reference_values);
}

Identity unchanged_neurons(const Replacement& what) {
  return {
      what.with == With::kDonor
          ? "a neuron has no effect on a sample where its donor activates it just as much"
          : "a neuron that is its replacement on every sample has no effect",
      [what](const Probe<double>& probe, const Context<double>&, MatrixView<const double> values,
             double) { return check_unchanged(what, probe, values); }};
}

Identity last_layer_closed_form(const Replacement& what) {
  return {
      "last hidden layer: the metric of y + (replacement - h_j) W_j minus the metric of y",
      [what](const Probe<double>& probe, const Context<double>&, MatrixView<const double> values,
             double epsilon) { return check_last_layer(what, probe, values, epsilon); }};
}

}  // namespace interpscale::methods::engine
