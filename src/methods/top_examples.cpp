// What a neuron answers to: the samples of a data set on which its activation is largest.
//
// A row holds the k samples' numbers, then their k activations, the largest first; of equal ones
// the earlier sample. A number is exact in float up to 2^24 samples. SPDX-License-Identifier:
// Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/streaming.hpp"

namespace interpscale::methods {

MethodSpec top_examples();

namespace {

using engine::layer_rows;
using kernels::Context;

constexpr std::size_t kMostSamples = std::size_t{1} << 24U;

/// k, at most D.
std::size_t kept(const MethodOptions& options, std::size_t samples) {
  return std::min(static_cast<std::size_t>(options.examples), samples);
}

std::size_t columns_of(const Problem& problem) {
  return 2 * kept(problem.options, problem.streamed_samples());
}

/// A full sort of every neuron's activations.
void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const MatrixView<const double> inputs = probe.streamed_inputs();
  std::vector<engine::PlainTrace> traces;
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    traces.push_back(engine::plain_forward(probe.network, inputs.row(s)));
  }
  const std::size_t count = kept(probe.options, inputs.rows());
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, probe.network.topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      std::vector<std::size_t> order(inputs.rows());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return traces[a].h[layer][j] > traces[b].h[layer][j];
      });
      for (std::size_t r = 0; r < count; ++r) {
        rows(j, r) = static_cast<double>(order[r]);
        rows(j, count + r) = traces[order[r]].h[layer][j];
      }
    }
  }
}

/// The best so far of some neurons, [k, neurons] each.
struct Rankings {
  MatrixView<float> values;
  MatrixView<float> numbers;

  Rankings(std::size_t kept, std::size_t neurons, Workspace& workspace)
      : values(workspace.matrix<float>(kept, neurons)),
        numbers(workspace.matrix<float>(kept, neurons)) {}

  /// Activations [rows, neurons] of samples from number `first` on, which come in rising order.
  void offer(MatrixView<const float> h, std::size_t first, const Context<float>& context) const {
    context.backend.update_largest(h, first, values, numbers, context);
  }
  /// Into the neurons' rows of the result: k numbers, then k values.
  void write(MatrixView<float> rows, const Context<float>& context) const {
    const std::size_t kept = values.rows();
    context.backend.transpose(numbers, rows.cols_from(0, kept), context);
    context.backend.transpose(values, rows.cols_from(kept, kept), context);
  }

  [[nodiscard]] static std::uint64_t bytes(std::size_t kept, std::size_t neurons) {
    return 2 * engine::matrix_bytes<float>(kept, neurons);
  }
};

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  require(probe.streamed_inputs().rows() <= kMostSamples, "top_examples: more than 2^24 samples");
  const std::size_t kept_samples = kept(probe.options, probe.streamed_inputs().rows());
  const Workspace::Scope scope(context.workspace);
  const auto rankings = context.workspace.vector<Rankings>(topology.hidden.size());
  const auto for_layers = [&](const auto& body) {
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      if (engine::wanted(probe.options, layer)) {
        body(layer);
      }
    }
  };
  for_layers([&](std::size_t layer) {
    rankings[layer] = Rankings(kept_samples, topology.hidden[layer], context.workspace);
  });
  engine::stream_activations(
      probe, engine::layers_wanted(topology, probe.options), context,
      [&](std::size_t first, const engine::LayerStack& h) {
        for_layers([&](std::size_t layer) { rankings[layer].offer(h[layer], first, context); });
      });
  for_layers(
      [&](std::size_t layer) { rankings[layer].write(layer_rows(out, topology, layer), context); });
}

/// A pass over the data set for every neuron.
void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  require(probe.streamed_inputs().rows() <= kMostSamples, "top_examples: more than 2^24 samples");
  const Workspace::Scope scope(context.workspace);
  const Rankings ranking(kept(probe.options, probe.streamed_inputs().rows()), 1, context.workspace);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      engine::stream_activations(probe, topology.hidden.size(), context,
                                 [&](std::size_t first, const engine::LayerStack& h) {
                                   ranking.offer(h[layer].cols_from(j, 1), first, context);
                                 });
      ranking.write(rows.rows_from(j, 1), context);
    }
  }
}

Cost cost_fast(const Problem& problem) {
  return {engine::stream_activations_flops(
              problem, engine::layers_wanted(problem.topology, problem.options)),
          engine::streamed_floor_bytes(problem, problem.topology.neurons(), columns_of(problem))};
}

Cost cost_naive(const Problem& problem) {
  Cost cost = cost_fast(problem);
  cost.flops = problem.topology.neurons() *
               engine::stream_activations_flops(problem, problem.topology.hidden.size());
  return cost;
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t bytes = engine::LayerStack::tape_bytes(topology) +
                        engine::vector_bytes<Rankings>(topology.hidden.size());
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (engine::wanted(problem.options, layer)) {
      bytes += Rankings::bytes(kept(problem.options, problem.streamed_samples()),
                               topology.hidden[layer]);
    }
  }
  return bytes;
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) +
         Rankings::bytes(kept(problem.options, problem.streamed_samples()), 1);
}

double largest_value(MatrixView<const double> values) {
  return engine::largest_magnitude(values.cols_from(values.cols() / 2, values.cols() / 2));
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return engine::forward_rounding(problem.topology, engine::kFloatRoundoff) *
         largest_value(reference_values);
}

/// Rank by rank, the difference in value; and for every sample found, that between the value found
/// and the exact one of this very sample. A sample that the exact list does not hold has at most
/// the last value of the list: rounding can have put it there only if it has very nearly that.
double deviation(MatrixView<const double> found, MatrixView<const double> exact) {
  const std::size_t count = exact.cols() / 2;
  double largest = 0.0;
  for (std::size_t row = 0; row < exact.rows(); ++row) {
    const auto numbers = exact.row(row).first(count);
    for (std::size_t r = 0; r < count; ++r) {
      const double value = found(row, count + r);
      const auto same = std::find(numbers.begin(), numbers.end(), found(row, r));
      const auto place =
          std::min<std::ptrdiff_t>(same - numbers.begin(), static_cast<std::ptrdiff_t>(count) - 1);
      const double own = exact(row, count + static_cast<std::size_t>(place));
      largest = std::fmax(
          largest, std::fmax(std::abs(value - exact(row, count + r)), std::abs(value - own)));
    }
  }
  return largest;
}

/// Every value is the activation of the sample beside it; values fall, and nothing outside of a
/// list is above its last.
Identity::Verdict lists_are_right(const Probe<double>& probe, const Context<double>&,
                                  MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const MatrixView<const double> inputs = probe.streamed_inputs();
  const std::size_t count = values.cols() / 2;
  Identity::Verdict verdict{0.0,
                            engine::forward_rounding(topology, epsilon) * largest_value(values)};
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, inputs.row(s));
    std::size_t row = 0;
    for (const std::vector<double>& h : trace.h) {
      for (const double activation : h) {
        const auto numbers = values.row(row).first(count);
        const auto place = std::find(numbers.begin(), numbers.end(), static_cast<double>(s));
        const double excess =
            place == numbers.end()
                ? activation - values(row, values.cols() - 1)
                : std::abs(activation -
                           values(row, count + static_cast<std::size_t>(place - numbers.begin())));
        verdict.deviation = std::fmax(verdict.deviation, excess);
        ++row;
      }
    }
  }
  for (std::size_t row = 0; row < values.rows(); ++row) {
    for (std::size_t r = 1; r < count; ++r) {
      verdict.deviation =
          std::fmax(verdict.deviation, values(row, count + r) - values(row, count + r - 1));
    }
  }
  return verdict;
}

std::vector<std::string> names_of(const Problem& problem) {
  std::vector<std::string> names;
  for (const char* kind : {"sample", "value"}) {
    for (std::size_t r = 0; r < columns_of(problem) / 2; ++r) {
      names.push_back(fmt::format("{}_{}", kind, r));
    }
  }
  return names;
}

}  // namespace

MethodSpec top_examples() {
  return {
      .name = "top_examples",
      .summary =
          "the k samples of a data set that activate a neuron most: k sample numbers, then "
          "their k activations, the largest first",
      .formula = "arg max_k over samples s of h_j(x_s); of equal ones the earlier",
      .source = "Erhan et al., Visualizing higher-layer features of a deep network, 2009",
      .columns = Columns::kExamples,
      .statistics = {},
      .column_count = columns_of,
      .column_names = names_of,
      .streams = true,
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a pass over the data set for every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "one pass in blocks of samples; the k best of each neuron are kept "
                               "sorted, many neurons side by side",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .deviation = deviation,
      .identities = {{"every value is its sample's activation, values fall, and no sample outside "
                      "of a list is above its last value",
                      lists_are_right}},
  };
}

}  // namespace interpscale::methods
