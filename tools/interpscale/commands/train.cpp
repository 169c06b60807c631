// `interpscale train`: one network, trained to a result.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "interpscale/backend_option.hpp"
#include "interpscale/commands.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/data/idx.hpp"
#include "interpscale/data/safetensors.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Clock = std::chrono::steady_clock;

struct TrainOptions {
  std::string data = "fashion-mnist";
  std::vector<std::size_t> hidden = {256, 128, 100};
  std::string activation = "relu";
  std::string optimizer = "adam";
  std::string backend = "simd";
  std::string save;
  data::FitOptions fit;
  bool json = false;
};

/// What a training came to, for printing.
struct Outcome {
  nn::Topology topology;
  data::FitResult fit;
  data::Evaluation test;
  double seconds = 0;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The data set, standardised.
Result<data::Split> load(const std::string& name) {
  const auto folder = data::find_dataset(name);
  if (!folder) {
    return tl::unexpected(folder.error());
  }
  Result<data::Split> split = data::load_idx_folder(*folder);
  if (split) {
    data::standardise(*split);
  }
  return split;
}

Result<nn::Topology> topology_for(const TrainOptions& options, const data::Dataset& train) {
  const auto activation = kernels::parse_activation(options.activation);
  if (!activation) {
    return tl::unexpected(activation.error());
  }
  return nn::validated({.inputs = train.inputs.cols(),
                        .hidden = options.hidden,
                        .outputs = train.classes,
                        .activation = *activation});
}

/// Trains `network` with a progress line.
Outcome train_and_test(const TrainOptions& options, const data::Split& split,
                       const kernels::Backend<float>& backend, nn::Mlp<float>& network) {
  ProgressLine line;
  const Clock::time_point start = Clock::now();
  Clock::time_point last_shown = start;
  const auto progress = [&](const data::FitProgress& at) {
    constexpr std::chrono::milliseconds kInterval{100};
    if (Clock::now() - last_shown >= kInterval) {
      last_shown = Clock::now();
      const double fraction = static_cast<double>(at.step) / static_cast<double>(at.steps);
      line.show(
          fraction,
          fmt::format("epoch {} of {}, loss {:.4f}", at.epoch + 1, options.fit.epochs, at.loss),
          seconds_since(start) * (1 - fraction) / fraction);
    }
    return true;
  };
  Outcome outcome;
  outcome.topology = network.topology;
  outcome.fit = data::train(network, split.train, options.fit, backend, progress);
  outcome.seconds = seconds_since(start);
  Workspace workspace;
  outcome.test = data::evaluate(network, split.test,
                                kernels::Context<float>(backend, options.fit.threads, workspace));
  return outcome;
}

void print_outcome(const TrainOptions& options, const Outcome& outcome) {
  if (!options.json) {
    fmt::print("{}: test accuracy {:.4f}, loss {:.4f}, {} epochs in {:.1f} s\n",
               outcome.topology.name(), outcome.test.accuracy, outcome.test.loss,
               options.fit.epochs, outcome.seconds);
    return;
  }
  const nlohmann::ordered_json json = {{"test_accuracy", outcome.test.accuracy},
                                       {"test_loss", outcome.test.loss},
                                       {"first_loss", outcome.fit.first_loss},
                                       {"last_epoch_loss", outcome.fit.last_epoch_loss},
                                       {"epochs", options.fit.epochs},
                                       {"steps", outcome.fit.steps},
                                       {"seconds", outcome.seconds},
                                       {"topology", outcome.topology.name()},
                                       {"parameters", outcome.topology.parameters()},
                                       {"neurons", outcome.topology.neurons()},
                                       {"data", options.data},
                                       {"batch", options.fit.batch},
                                       {"rate", options.fit.peak_rate},
                                       {"optimizer", options.optimizer},
                                       {"seed", options.fit.seed},
                                       {"threads", options.fit.threads},
                                       {"backend", options.backend},
                                       {"saved", options.save}};
  fmt::print("{}\n", json.dump(2));
}

int train(TrainOptions options) {
  options.fit.optimizer.kind =
      options.optimizer == "adam" ? nn::OptimizerKind::kAdam : nn::OptimizerKind::kSgd;
  const auto backend = kernels::make_backend<float>(options.backend);
  if (!backend) {
    return fail_with(backend.error(), kBadInput);
  }
  const Result<data::Split> split = load(options.data);
  if (!split) {
    return fail_with(split.error(), kBadInput);
  }
  const Result<nn::Topology> topology = topology_for(options, split->train);
  if (!topology) {
    return fail_with(topology.error(), kBadInput);
  }
  nn::Mlp<float> network = nn::initialise_he<float>(*topology, options.fit.seed);
  const Outcome outcome = train_and_test(options, *split, **backend, network);
  if (!options.save.empty()) {
    if (const Result<void> saved = data::save_network(network, options.save); !saved) {
      return fail_with(saved.error(), kFailure);
    }
  }
  print_outcome(options, outcome);
  return kDone;
}

}  // namespace

void add_train(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = app.add_subcommand("train", "Train one network and test it");
  command->add_option("--data", options->data, "fashion-mnist, or a folder of IDX files")
      ->capture_default_str();
  command->add_option("--hidden", options->hidden, "Widths of the hidden layers")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, std::size_t{16384}))
      ->capture_default_str();
  command->add_option("--activation", options->activation, "relu, softplus or tanh")
      ->check(CLI::IsMember({"relu", "softplus", "tanh"}))
      ->capture_default_str();
  command->add_option("--epochs", options->fit.epochs, "Passes over the training half")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100000}))
      ->capture_default_str();
  command->add_option("--batch", options->fit.batch, "Samples of a step")
      ->check(CLI::Range(std::size_t{1}, std::size_t{65536}))
      ->capture_default_str();
  command->add_option("--rate", options->fit.peak_rate, "The highest learning rate")
      ->check(CLI::Range(1e-9, 1e3))
      ->capture_default_str();
  command->add_option("--optimizer", options->optimizer, "adam or sgd (momentum 0.9)")
      ->check(CLI::IsMember({"adam", "sgd"}))
      ->capture_default_str();
  command->add_option("--seed", options->fit.seed, "Of weights and order")->capture_default_str();
  command->add_option("--threads", options->fit.threads, "Results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--backend", options->backend, backend_help())->capture_default_str();
  command->add_option("--save", options->save, "Write the network to this safetensors file");
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->footer(
      "Examples:\n"
      "  interpscale train --epochs 3\n"
      "  interpscale train --hidden 256,128,100 --threads 2 --save mlp.safetensors --json");
  command->callback([options, &exit_code] { exit_code = train(*options); });
}

}  // namespace interpscale::tool
