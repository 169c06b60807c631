// What a neuron tells about the class: the mutual information of its being active with the label,
// and its mean activation on each class.
//
// I = sum over (active or not, c) of p(a, c) log(p(a, c) / (p(a) p(c))), in nats, from counts over
// the data set. A class without samples has the mean 0.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/spec.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/streaming.hpp"

namespace interpscale::methods {

MethodSpec class_selectivity();

namespace {

using engine::layer_rows;
using kernels::Context;

/// A row: the mutual information, then C class-conditional means.
std::size_t columns_of(const Problem& problem) {
  return 1 + problem.topology.outputs;
}

/// active[c] of the samples[c] samples of class c had the neuron active.
double mutual_information(std::span<const std::uint64_t> active,
                          std::span<const std::uint64_t> samples) {
  double total = 0.0;
  double total_active = 0.0;
  for (std::size_t c = 0; c < samples.size(); ++c) {
    total += static_cast<double>(samples[c]);
    total_active += static_cast<double>(active[c]);
  }
  double information = 0.0;
  for (std::size_t c = 0; c < samples.size(); ++c) {
    const auto of_class = static_cast<double>(samples[c]);
    const auto on = static_cast<double>(active[c]);
    const std::array<std::pair<double, double>, 2> cells = {
        std::pair{on, total_active}, std::pair{of_class - on, total - total_active}};
    for (const auto& [joint, marginal] : cells) {
      if (joint > 0.0) {
        information += joint / total * std::log(joint * total / (marginal * of_class));
      }
    }
  }
  return std::max(information, 0.0);
}

std::vector<std::uint64_t> class_sizes(std::span<const std::uint32_t> labels, std::size_t classes) {
  std::vector<std::uint64_t> sizes(classes, 0);
  for (const std::uint32_t label : labels) {
    ++sizes[label];
  }
  return sizes;
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const std::size_t classes = probe.network.topology.outputs;
  const MatrixView<const double> inputs = probe.streamed_inputs();
  const auto labels = probe.streamed_labels();
  const std::vector<std::uint64_t> samples = class_sizes(labels, classes);
  std::vector<engine::PlainTrace> traces;
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    traces.push_back(engine::plain_forward(probe.network, inputs.row(s)));
  }
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, probe.network.topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      std::vector<std::uint64_t> active(classes, 0);
      std::vector<double> sums(classes, 0.0);
      for (std::size_t s = 0; s < traces.size(); ++s) {
        active[labels[s]] += traces[s].h[layer][j] > 0.0 ? 1U : 0U;
        sums[labels[s]] += traces[s].h[layer][j];
      }
      rows(j, 0) = mutual_information(active, samples);
      for (std::size_t c = 0; c < classes; ++c) {
        rows(j, 1 + c) = samples[c] == 0 ? 0.0 : sums[c] / static_cast<double>(samples[c]);
      }
    }
  }
}

/// What is known of the classes, and the one-hot labels of a block: 1 / (samples of the class)
/// where a sample belongs, so that a product with them adds up means.
class Classes {
 public:
  Classes(const Probe<float>& probe, Workspace& workspace)
      : labels_(probe.streamed_labels()),
        sizes_(workspace.vector<float>(probe.network.topology.outputs)),
        shares_(workspace.vector<float>(sizes_.size())),
        zeros_(workspace.vector<float>(sizes_.size())),
        rows_(workspace.matrix<float>(probe.inputs.rows(), sizes_.size())) {
    std::fill(sizes_.begin(), sizes_.end(), 0.0F);
    std::fill(zeros_.begin(), zeros_.end(), 0.0F);
    for (const std::uint32_t label : labels_) {
      sizes_[label] += 1.0F;
    }
    std::transform(sizes_.begin(), sizes_.end(), shares_.begin(),
                   [](float size) { return size > 0.0F ? 1.0F / size : 0.0F; });
  }

  [[nodiscard]] std::span<const float> sizes() const { return sizes_; }
  [[nodiscard]] std::span<const std::uint32_t> labels(std::size_t first, std::size_t count) const {
    return labels_.subspan(first, count);
  }
  [[nodiscard]] MatrixView<const float> shares(std::size_t first, std::size_t count,
                                               const Context<float>& context) const {
    const MatrixView<float> rows = rows_.rows_from(0, count);
    context.backend.one_hot(labels(first, count), shares_, zeros_, rows, context);
    return rows;
  }

  [[nodiscard]] static std::uint64_t bytes(const Problem& problem) {
    const std::size_t classes = problem.topology.outputs;
    return 3 * engine::vector_bytes<float>(classes) +
           engine::matrix_bytes<float>(problem.batch, classes);
  }

 private:
  std::span<const std::uint32_t> labels_;
  std::span<float> sizes_;
  std::span<float> shares_;
  std::span<float> zeros_;
  MatrixView<float> rows_;
};

/// Of some neurons: active samples of each class [C, w]; and what becomes columns of the result,
/// [1 + C, w]: the information, then the means.
struct Tally {
  MatrixView<float> active;
  MatrixView<float> columns;

  Tally(std::size_t classes, std::size_t width, Workspace& workspace)
      : active(workspace.matrix<float>(classes, width)),
        columns(workspace.matrix<float>(1 + classes, width)) {}

  /// Adds a block, whose first sample is number `first`; shares as `Classes` has them.
  void add(MatrixView<const float> h, MatrixView<const float> shares, const Classes& classes,
           std::size_t first, const Context<float>& context) const {
    const MatrixView<float> means = columns.rows_from(1, active.rows());
    context.backend.gemm(kernels::GemmCase::kTN, shares, h, means,
                         kernels::Epilogue<float>{.beta = first == 0 ? 0.0F : 1.0F}, context);
    context.backend.count_positive(h, classes.labels(first, h.rows()), first > 0, active, context);
  }
  void write(const Classes& classes, MatrixView<float> rows, const Context<float>& context) const {
    context.backend.mutual_information(active, classes.sizes(), columns.row(0), context);
    context.backend.transpose(columns, rows, context);
  }

  /// Of a block, and of the result.
  [[nodiscard]] static kernels::Flops add_flops(std::size_t classes, std::size_t width,
                                                std::size_t rows, bool begun) {
    return kernels::gemm_flops({classes, width, rows},
                               {.accumulated = begun, .beta_is_one = true}) +
           kernels::count_positive_flops(std::uint64_t{rows} * width);
  }
  [[nodiscard]] static kernels::Flops write_flops(std::size_t classes, std::size_t width) {
    return kernels::mutual_information_flops(classes, width);
  }
  [[nodiscard]] static std::uint64_t bytes(std::size_t classes, std::size_t width) {
    return engine::matrix_bytes<float>(classes, width) +
           engine::matrix_bytes<float>(1 + classes, width);
  }
};

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  const Classes classes(probe, context.workspace);
  const auto tallies = context.workspace.vector<Tally>(topology.hidden.size());
  const auto for_layers = [&](const auto& body) {
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      if (engine::wanted(probe.options, layer)) {
        body(layer);
      }
    }
  };
  for_layers([&](std::size_t layer) {
    tallies[layer] = Tally(topology.outputs, topology.hidden[layer], context.workspace);
  });
  engine::stream_activations(probe, engine::layers_wanted(topology, probe.options), context,
                             [&](std::size_t first, const engine::LayerStack& h) {
                               const MatrixView<const float> shares =
                                   classes.shares(first, h.rows(), context);
                               for_layers([&](std::size_t layer) {
                                 tallies[layer].add(h[layer], shares, classes, first, context);
                               });
                             });
  for_layers([&](std::size_t layer) {
    tallies[layer].write(classes, layer_rows(out, topology, layer), context);
  });
}

/// A pass over the data set, and the tally of its one unit, for every neuron.
void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  const Classes classes(probe, context.workspace);
  const Tally tally(topology.outputs, 1, context.workspace);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      engine::stream_activations(probe, topology.hidden.size(), context,
                                 [&](std::size_t first, const engine::LayerStack& h) {
                                   tally.add(h[layer].cols_from(j, 1),
                                             classes.shares(first, h.rows(), context), classes,
                                             first, context);
                                 });
      tally.write(classes, rows.rows_from(j, 1), context);
    }
  }
}

/// Of the tally of `width` units, over all blocks.
kernels::Flops tally_flops(const Problem& problem, std::size_t width) {
  const std::size_t classes = problem.topology.outputs;
  const std::size_t samples = problem.streamed_samples();
  kernels::Flops flops = Tally::write_flops(classes, width);
  for (std::size_t first = 0; first < samples; first += problem.batch) {
    flops += Tally::add_flops(classes, width, std::min(problem.batch, samples - first), first > 0);
  }
  return flops;
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Cost cost{
      engine::stream_activations_flops(problem, engine::layers_wanted(topology, problem.options)),
      engine::streamed_floor_bytes(problem, topology.neurons(), columns_of(problem))};
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (engine::wanted(problem.options, layer)) {
      cost.flops += tally_flops(problem, topology.hidden[layer]);
    }
  }
  return cost;
}

Cost cost_naive(const Problem& problem) {
  Cost cost = cost_fast(problem);
  cost.flops = problem.topology.neurons() *
               (engine::stream_activations_flops(problem, problem.topology.hidden.size()) +
                tally_flops(problem, 1));
  return cost;
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t bytes = engine::LayerStack::tape_bytes(topology) + Classes::bytes(problem) +
                        engine::vector_bytes<Tally>(topology.hidden.size());
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (engine::wanted(problem.options, layer)) {
      bytes += Tally::bytes(topology.outputs, topology.hidden[layer]);
    }
  }
  return bytes;
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) + Classes::bytes(problem) +
         Tally::bytes(problem.topology.outputs, 1);
}

/// Means: the activations' error and that of a class's sum, over block after block. Information is
/// a sum of 2 C terms of exact counts, each a share times the logarithm of a quotient that is off
/// by three roundings; a term is at most log 2 C / e, and shares sum to 1.
double rounding_of_values(const nn::Topology& topology, std::size_t samples, double largest,
                          double roundoff) {
  return engine::forward_rounding(topology, roundoff) * largest +
         engine::kConditioning * engine::gamma(samples + 4, roundoff) * largest +
         engine::gamma(2 * topology.outputs + engine::kAroundAProduct, roundoff) *
             std::log(2.0 * static_cast<double>(topology.outputs));
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return rounding_of_values(problem.topology, problem.streamed_samples(),
                            engine::largest_magnitude(reference_values), engine::kFloatRoundoff);
}

/// I <= H(active or not), the entropy of a coin with the neuron's share of active samples; and
/// I >= 0. Where the activity is constant, H and so I is 0.
Identity::Verdict below_entropy(const Probe<double>& probe, const Context<double>&,
                                MatrixView<const double> values, double epsilon) {
  const MatrixView<const double> inputs = probe.streamed_inputs();
  std::vector<double> active(values.rows(), 0.0);
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    std::size_t row = 0;
    for (const auto& layer : engine::plain_forward(probe.network, inputs.row(s)).h) {
      for (const double h : layer) {
        active[row++] += h > 0.0 ? 1.0 : 0.0;
      }
    }
  }
  Identity::Verdict verdict{
      0.0, rounding_of_values(probe.network.topology, inputs.rows(), 0.0, epsilon)};
  for (std::size_t row = 0; row < values.rows(); ++row) {
    const double p = active[row] / static_cast<double>(inputs.rows());
    const double entropy =
        p == 0.0 || p == 1.0 ? 0.0 : -p * std::log(p) - (1.0 - p) * std::log1p(-p);
    verdict.deviation =
        std::fmax(verdict.deviation, std::fmax(values(row, 0) - entropy, -values(row, 0)));
  }
  return verdict;
}

/// The class means, weighted by the classes' shares, are the mean over the data set.
Identity::Verdict means_add_up(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  const MatrixView<const double> inputs = probe.streamed_inputs();
  const std::vector<std::uint64_t> sizes =
      class_sizes(probe.streamed_labels(), probe.network.topology.outputs);
  const auto samples = static_cast<double>(inputs.rows());
  std::vector<double> surplus(values.rows(), 0.0);
  for (std::size_t row = 0; row < values.rows(); ++row) {
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      surplus[row] -= values(row, 1 + c) * static_cast<double>(sizes[c]) / samples;
    }
  }
  for (std::size_t s = 0; s < inputs.rows(); ++s) {
    std::size_t row = 0;
    for (const auto& layer : engine::plain_forward(probe.network, inputs.row(s)).h) {
      for (const double h : layer) {
        surplus[row++] += h / samples;
      }
    }
  }
  return {engine::largest_magnitude({surplus.data(), 1, surplus.size(), surplus.size()}),
          rounding_of_values(probe.network.topology, inputs.rows(),
                             engine::largest_magnitude(values), epsilon)};
}

std::vector<std::string> names_of(const Problem& problem) {
  std::vector<std::string> names = {"mutual_information"};
  for (std::size_t c = 0; c < problem.topology.outputs; ++c) {
    names.push_back(fmt::format("mean_{}", c));
  }
  return names;
}

}  // namespace

MethodSpec class_selectivity() {
  return {
      .name = "class_selectivity",
      .summary =
          "mutual information of a neuron's being active with the label, in nats, then its "
          "mean activation on each class",
      .formula = "I(h_j > 0; label); E[h_j | label = c]",
      .source =
          "Morcos et al., On the importance of single directions for generalization, ICLR "
          "2018",
      .columns = Columns::kClasses,
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
                    .summary = "one pass in blocks of samples; activations times one-hot labels, "
                               "activity counted",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"information is not negative and at most the entropy of the activity",
                      below_entropy},
                     {"class means weighted by the classes' shares are the mean", means_add_up}},
  };
}

}  // namespace interpscale::methods
