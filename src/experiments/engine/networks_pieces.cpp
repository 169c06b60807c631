// SPDX-License-Identifier: Apache-2.0
#include "experiments/engine/networks_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "interpscale/scaling/observation.hpp"

namespace interpscale::experiments {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kReferenceParameters = 1e5;
constexpr double kImageInputs = 49;

double assumed_parameters(std::size_t width, std::size_t depth) {
  const auto w = static_cast<double>(width);
  return (kImageInputs + 1) * w + static_cast<double>(depth - 1) * (w + 1) * w +
         (w + 1) * static_cast<double>(kImageClasses);
}

/// Assumed seconds of training, with the set-up that the first piece pays for most of all.
double assumed_training(const ArgumentScale& scale, double parameters) {
  constexpr double kFlopsPerSecond = 25e9;
  return 6 * parameters * static_cast<double>(scale.training_examples * scale.training_epochs) /
         kFlopsPerSecond;
}

Result<Outcome> run_piece(std::size_t width, std::size_t depth, int seed, Laboratory& laboratory,
                          const NetworkWork& work) {
  Result<nn::Mlp<float>> network = laboratory.network(width, seed, depth);
  if (!network) {
    return tl::unexpected(network.error());
  }
  const Result<const data::Split*> split = laboratory.images();
  const Result<const data::Dataset*> fit = laboratory.fit_examples();
  const Result<double> step = laboratory.training_step_seconds(*network);
  if (!split || !fit || !step) {
    return tl::unexpected(!split ? split.error() : !fit ? fit.error() : step.error());
  }
  Specimen specimen{std::move(*network), width, seed, **fit, (*split)->test, {}};
  specimen.whole = modules::losses_of(modules::SplicedNetwork(specimen.network, {}), specimen.test,
                                      laboratory.context());
  Outcome outcome;
  outcome.status = "ok";
  outcome.topology = specimen.network.topology.name();
  outcome.width = width;
  outcome.parameters = specimen.network.topology.parameters();
  outcome.neurons = specimen.network.topology.neurons();
  outcome.seed = seed;
  const double guess = std::log(static_cast<double>(specimen.network.topology.outputs));
  if (!(specimen.whole.loss < guess)) {
    outcome.status = "failed";
    outcome.reason = fmt::format(
        "the network never trained: its loss of {:.4g} is no better than the {:.4g} of equal odds",
        specimen.whole.loss, guess);
    return outcome;
  }
  outcome.figures = {{"depth", static_cast<double>(depth)},
                     {"loss", specimen.whole.loss},
                     {"accuracy", specimen.whole.accuracy},
                     {"step_seconds", *step}};
  const double prepared = laboratory.preparation_seconds();
  const Clock::time_point start = Clock::now();
  if (Result<void> done = work(specimen, laboratory, outcome); !done) {
    outcome.status = "failed";
    outcome.reason = done.error().message;
  }
  outcome.seconds = seconds_since(start) - (laboratory.preparation_seconds() - prepared);
  return outcome;
}

/// One for each seed.
void append_pieces(const ArgumentScale& scale, std::size_t width, std::size_t depth,
                   double seconds_at_reference, const NetworkWork& work,
                   std::vector<Piece>& pieces) {
  const double parameters = assumed_parameters(width, depth);
  for (int seed = 0; seed < scale.seeds; ++seed) {
    const std::string deep = depth == scale.depth ? "" : fmt::format(", depth {}", depth);
    pieces.push_back({fmt::format("width {}{}, seed {}", width, deep, seed),
                      assumed_training(scale, parameters) +
                          seconds_at_reference * parameters / kReferenceParameters,
                      [width, depth, seed, work](Laboratory& laboratory) {
                        return run_piece(width, depth, seed, laboratory, work);
                      }});
  }
}

}  // namespace

std::vector<Piece> pieces_of_networks(const ArgumentScale& scale, double seconds_at_reference,
                                      const NetworkWork& work) {
  std::vector<Piece> pieces;
  for (const std::size_t width : scale.widths) {
    append_pieces(scale, width, scale.depth, seconds_at_reference, work, pieces);
  }
  return pieces;
}

std::vector<Piece> pieces_of_all_depths(const ArgumentScale& scale, double seconds_at_reference,
                                        const NetworkWork& work) {
  std::vector<Piece> pieces = pieces_of_networks(scale, seconds_at_reference, work);
  for (std::size_t i = 0; i < std::min<std::size_t>(scale.widths.size(), 2); ++i) {
    for (const std::size_t times : {2U, 3U}) {
      append_pieces(scale, scale.widths[i], times * scale.depth, seconds_at_reference, work,
                    pieces);
    }
  }
  return pieces;
}

double seconds_of(const std::function<void()>& work) {
  constexpr double kLong = 0.02;  // seconds, of which an interruption is a small part
  constexpr int kRepetitions = 5;
  std::vector<double> seconds;
  do {
    const Clock::time_point start = Clock::now();
    work();
    seconds.push_back(seconds_since(start));
  } while (seconds.back() < kLong && seconds.size() < kRepetitions);
  return scaling::median(seconds);
}

double rise_with(const Specimen& specimen, std::vector<modules::Surrogate> placed,
                 const kernels::Context<float>& context) {
  const modules::SplicedNetwork spliced(specimen.network, std::move(placed));
  return modules::losses_of(spliced, specimen.test, context).loss - specimen.whole.loss;
}

double gained_by_training(const Outcome& outcome) {
  return std::log(static_cast<double>(kImageClasses)) - outcome.figure("loss").value_or(0);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace interpscale::experiments
