// A layer's activations in terms of more, sparser features: a dictionary of m = r w latents, of
// which each sample uses k, trained by plain gradient descent; and how much each latent is used and
// explains.
//
// With x = h / s (s^2 the mean of norm(h)^2 over the first block): codes z = topk(W_e x + b_e),
// xhat = sum_i z_i d_i + b_d, loss = mean norm(xhat - x)^2. Atoms d_i start as random unit vectors,
// W_e as their transpose, biases as zeros. A step takes the next block of B samples, wrapping
// around, and moves W_e, d, b_e and b_d by -rate times the loss's gradient. After the last step a
// pass over all samples measures, for every latent, its density (share of samples that use it),
// what the residual would grow by without it, as a share of the variance, and the variance that its
// layer's dictionary explains in all.
//
// A step is smooth but for the choice of k, which rounding makes differently where two codes are
// nearly equal. Over few steps that concerns a sample here and there; the tolerance says so.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/spec.hpp"
#include "methods/engine/dictionary.hpp"
#include "methods/engine/dictionary_training.hpp"
#include "methods/engine/plain_dictionary.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/streaming.hpp"

namespace interpscale::methods {

MethodSpec sparse_autoencoder();

namespace {

using engine::active_of;
using engine::Dictionary;
using engine::latents_of;
using kernels::Context;
using kernels::Flops;

using engine::kDictionaryColumns;

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  engine::plain_dictionaries(probe, out);
}

std::size_t rows_of(const Problem& problem) {
  return static_cast<std::size_t>(problem.options.latents_per_unit) * problem.topology.neurons();
}

/// The dictionaries of all layers that are wanted, and the pass over a block that feeds them.
class Training {
 public:
  Training(const Probe<float>& probe, const Context<float>& context)
      : probe_(probe),
        context_(context),
        topology_(probe.network.topology),
        layers_(engine::layers_wanted(topology_, probe.options)),
        dictionaries_(context.workspace.vector<Dictionary>(topology_.hidden.size())),
        scratch_(probe.inputs.rows(), latents_of(probe.options, engine::widest_from(topology_, 0)),
                 engine::widest_from(topology_, 0), context.workspace) {
    for_each_layer([&](std::size_t layer) {
      dictionaries_[layer] = Dictionary(topology_.hidden[layer], probe.options, context.workspace);
    });
  }

  void train() {
    const MatrixView<const float> inputs = probe_.streamed_inputs();
    const std::size_t block = probe_.inputs.rows();
    const std::size_t blocks = (inputs.rows() + block - 1) / block;
    probe_.tape.batch = block;
    const engine::LayerStack stack(probe_.tape, context_.workspace);
    for (std::size_t step = 0; step < static_cast<std::size_t>(probe_.options.dictionary_steps);
         ++step) {
      const std::size_t first = step % blocks * block;
      const std::size_t count = std::min(block, inputs.rows() - first);
      const engine::LayerStack h = stack.window(0, count);
      engine::forward_layers(probe_.network, 0, layers_, inputs.rows_from(first, count), h,
                             context_);
      for_each_layer([&](std::size_t layer) {
        const engine::DictionaryScratch with = part(count, layer);
        if (step == 0) {
          dictionaries_[layer].begin(probe_.options, layer, h[layer], with, context_);
        }
        dictionaries_[layer].step(h[layer], probe_.options.dictionary_rate, with, context_);
      });
    }
  }

  void measure(MatrixView<float> out) {
    engine::stream_activations(
        probe_, layers_, context_, [&](std::size_t, const engine::LayerStack& h) {
          for_each_layer([&](std::size_t layer) {
            dictionaries_[layer].measure(h[layer], part(h.rows(), layer), context_);
          });
        });
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < topology_.hidden.size(); ++layer) {
      const std::size_t latents = latents_of(probe_.options, topology_.hidden[layer]);
      if (engine::wanted(probe_.options, layer)) {
        dictionaries_[layer].write(probe_.streamed_inputs().rows(),
                                   part(probe_.inputs.rows(), layer), context_,
                                   out.rows_from(row, latents));
      }
      row += latents;
    }
  }

 private:
  template <class Body>
  void for_each_layer(const Body& body) const {
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      if (engine::wanted(probe_.options, layer)) {
        body(layer);
      }
    }
  }
  [[nodiscard]] engine::DictionaryScratch part(std::size_t rows, std::size_t layer) const {
    const std::size_t width = topology_.hidden[layer];
    return scratch_.part(rows, latents_of(probe_.options, width), width);
  }

  const Probe<float>& probe_;
  const Context<float>& context_;
  const nn::Topology& topology_;
  std::size_t layers_;
  std::span<Dictionary> dictionaries_;
  engine::DictionaryScratch scratch_;
};

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  require(probe.options.dictionary_steps >= 1, "a dictionary takes at least one step");
  const Workspace::Scope scope(context.workspace);
  Training training(probe, context);
  training.train();
  training.measure(out);
}

/// All steps of a layer, its last pass, and what comes before and after.
Flops dictionary_flops(const Problem& problem, std::size_t width) {
  const std::size_t latents = latents_of(problem.options, width);
  const std::size_t samples = problem.streamed_samples();
  const std::size_t block = std::min(problem.batch, samples);
  const std::size_t blocks = (samples + block - 1) / block;
  const std::size_t last = samples - (blocks - 1) * block;
  const auto steps = static_cast<std::size_t>(problem.options.dictionary_steps);
  const std::size_t short_steps = steps / blocks;  // those that take the last block
  return Dictionary::begin_flops(block, latents, width) +
         (steps - short_steps) * Dictionary::step_flops(block, latents, width) +
         short_steps * Dictionary::step_flops(last, latents, width) +
         (blocks - 1) * Dictionary::measure_flops(block, latents, width) +
         Dictionary::measure_flops(last, latents, width) +
         kernels::multiply_flops(std::uint64_t{latents} * width) +
         kernels::gemm_flops({1, latents, width});
}

/// Samples of all steps.
std::size_t samples_of_training(const Problem& problem) {
  const std::size_t samples = problem.streamed_samples();
  const std::size_t block = std::min(problem.batch, samples);
  const std::size_t blocks = (samples + block - 1) / block;
  const auto steps = static_cast<std::size_t>(problem.options.dictionary_steps);
  return steps / blocks * samples + steps % blocks * block;
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t layers = engine::layers_wanted(topology, problem.options);
  Cost cost{engine::stream_activations_flops(problem, layers) +
                engine::forward_layers_flops(topology, 0, layers, samples_of_training(problem)),
            engine::streamed_floor_bytes(problem, rows_of(problem), kDictionaryColumns)};
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (engine::wanted(problem.options, layer)) {
      cost.flops += dictionary_flops(problem, topology.hidden[layer]);
    }
  }
  return cost;
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  std::uint64_t bytes =
      engine::vector_bytes<Dictionary>(topology.hidden.size()) +
      engine::DictionaryScratch::bytes(problem.batch, latents_of(problem.options, widest), widest) +
      2 * engine::LayerStack::tape_bytes(topology);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (engine::wanted(problem.options, layer)) {
      bytes += Dictionary::bytes(topology.hidden[layer], problem.options);
    }
  }
  return bytes;
}

/// Relative error of one step's results.
double step_rounding(const nn::Topology& topology, std::size_t samples, double roundoff) {
  const std::size_t widest = engine::widest_from(topology, 0);
  return 2.0 * engine::forward_rounding(topology, roundoff) +
         engine::kConditioning *
             engine::gamma(2 * (widest + engine::kAroundAProduct) + samples, roundoff);
}

/// Steps add their rounding, and each carries what came before it on, expanded by at most
/// 1 + 2 rate: the loss's curvature is positive but for the term of the residual, of norm one at
/// most. On top, one sample of a latent may be chosen otherwise, at a near-tie: it is 1 / D of a
/// density and, with two sides to a choice, 2 / D of an explained variance.
double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  const double steps = problem.options.dictionary_steps;
  const double expansion = std::pow(1.0 + 2.0 * problem.options.dictionary_rate, steps);
  const auto samples = static_cast<double>(problem.streamed_samples());
  const bool chooses =
      problem.options.active_latents <
      static_cast<int>(latents_of(problem.options, engine::widest_from(problem.topology, 0)));
  return std::fmax(1.0, engine::largest_magnitude(reference_values)) *
         (expansion * (steps + 1.0) *
              step_rounding(problem.topology, problem.streamed_samples(), engine::kFloatRoundoff) +
          (chooses ? 2.0 / samples : 0.0));
}

/// Every sample uses k latents of a layer.
Identity::Verdict densities_add_up(const Probe<double>& probe, const Context<double>&,
                                   MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  std::size_t row = 0;
  for (const std::size_t width : topology.hidden) {
    const std::size_t latents = latents_of(probe.options, width);
    const auto active = static_cast<double>(active_of(probe.options, width));
    double sum = 0.0;
    for (std::size_t i = 0; i < latents; ++i) {
      sum += values(row++, 0);
    }
    verdict.deviation = std::fmax(verdict.deviation, std::abs(sum - active));
    verdict.allowed = std::fmax(verdict.allowed, engine::gamma(latents + 2, epsilon) * active);
  }
  return verdict;
}

/// A layer's rows agree on what its dictionary explains, which is never more than all.
Identity::Verdict layers_agree(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  Identity::Verdict verdict{0.0, epsilon};
  std::size_t row = 0;
  for (const std::size_t width : probe.network.topology.hidden) {
    const std::size_t latents = latents_of(probe.options, width);
    for (std::size_t i = 0; i < latents; ++i) {
      const double explained = values(row + i, 2);
      verdict.deviation = std::fmax(
          verdict.deviation, std::fmax(std::abs(explained - values(row, 2)), explained - 1.0));
    }
    row += latents;
  }
  return verdict;
}

}  // namespace

MethodSpec sparse_autoencoder() {
  return {
      .name = "sparse_autoencoder",
      .summary =
          "a row for each of m = r w latents of a dictionary of the layer, of which a sample "
          "uses k: share of samples that use it, and variance explained",
      .formula = "min mean_s norm(sum_i z_i d_i + b_d - x)^2, z = topk(W_e x + b_e), x = h / s",
      .source =
          "Gao et al., Scaling and evaluating sparse autoencoders, 2024; Makhzani and Frey, "
          "k-Sparse Autoencoders, ICLR 2014",
      .columns = Columns::kStatistics,
      .statistics = {"density", "explained_variance", "explained_by_layer"},
      .column_count = [](const Problem&) { return kDictionaryColumns; },
      .row_count = rows_of,
      .streams = true,
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "all layers' dictionaries at once, five products a step and block; "
                               "gradients are added to the weights by the products themselves",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"the densities of a layer sum to k", densities_add_up},
                     {"a layer's dictionary explains at most all of its variance", layers_agree}},
  };
}

}  // namespace interpscale::methods
