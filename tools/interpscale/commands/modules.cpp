// `interpscale modules`: how clusterable a network is, against its own weights shuffled.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/backend_option.hpp"
#include "interpscale/commands.hpp"
#include "interpscale/core/parallel.hpp"
#include "interpscale/data/safetensors.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/modules/polynomial_network.hpp"
#include "interpscale/modules/shuffled_weights.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

/// What the progress line supposes of a machine: products, and work on a graph's edges.
constexpr double kAssumedFlopsPerSecond = 50e9;
constexpr double kAssumedEdgesPerSecond = 0.6e6;

struct ModulesOptions {
  std::string task = "polynomial";
  std::string model;
  std::string initial = "glorot";
  std::string backend = "simd";
  std::size_t seeds = 5;
  std::size_t epochs = 20;
  std::size_t shuffles = 50;
  modules::SpectralOptions spectral;
  bool json = false;
};

/// One network: its seed where it was trained here.
struct Subject {
  std::optional<std::uint64_t> seed;
  nn::Mlp<float> network;
  std::optional<double> test_mse;
};

struct Outcome {
  modules::Clustering clustering;
  modules::ShuffledNull null;
};

/// Adds up assumed seconds of work done, from any thread.
class WorkMeter {
 public:
  explicit WorkMeter(double total) : total_(total) {}

  void add(double seconds, const std::string& what) {
    const std::lock_guard lock(mutex_);
    done_ += seconds;
    const double fraction = std::min(done_ / total_, 1.0);
    const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    constexpr std::chrono::milliseconds kInterval{100};
    if (Clock::now() - last_shown_ >= kInterval && fraction > 0) {
      last_shown_ = Clock::now();
      line_.show(fraction, what, elapsed * (1 - fraction) / fraction);
    }
  }
  void clear() { line_.clear(); }

 private:
  std::mutex mutex_;
  ProgressLine line_;
  double total_;
  double done_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_shown_ = start_;
};

double training_seconds(const modules::PolynomialOptions& options) {
  const double weights = 2.0 * 256 + 3.0 * 256 * 256 + 256.0 * 512;
  return 6 * weights * static_cast<double>(options.samples * options.epochs) /
         kAssumedFlopsPerSecond;
}

double clustering_seconds(const nn::Mlp<float>& network) {
  return static_cast<double>(network.topology.parameters()) / kAssumedEdgesPerSecond;
}

modules::PolynomialOptions training_of(const ModulesOptions& options, std::uint64_t seed) {
  modules::PolynomialOptions training;
  training.epochs = options.epochs;
  training.initial = options.initial == "he" ? modules::InitialWeights::kHeNormal
                                             : modules::InitialWeights::kGlorotUniform;
  training.seed = seed;
  return training;
}

/// Trains the task's networks, a seed each, several at once.
std::vector<Subject> train_subjects(const ModulesOptions& options,
                                    const kernels::Backend<float>& backend, WorkMeter& meter) {
  std::vector<Subject> subjects(options.seeds);
  parallel_for(options.spectral.threads, options.seeds, [&](std::size_t seed) {
    const modules::PolynomialOptions training = training_of(options, seed);
    const double seconds = training_seconds(training);
    double last = 0;
    modules::PolynomialNetwork trained =
        modules::train_polynomial_network(training, backend, [&](double share) {
          meter.add(seconds * (share - last), fmt::format("training seed {}", seed));
          last = share;
        });
    subjects[seed] = {seed, std::move(trained.network), trained.test_mse};
  });
  return subjects;
}

Result<Outcome> judge(const ModulesOptions& options, const Subject& subject, WorkMeter& meter) {
  modules::SpectralOptions spectral = options.spectral;
  spectral.seed = subject.seed.value_or(0);
  const std::string what =
      subject.seed ? fmt::format("clustering seed {}", *subject.seed) : std::string("clustering");
  Result<modules::Clustering> clustering =
      modules::spectral_modules(modules::WeightGraph(subject.network), spectral);
  if (!clustering) {
    return tl::unexpected(clustering.error());
  }
  const double seconds = clustering_seconds(subject.network);
  meter.add(seconds, what);
  Result<modules::ShuffledNull> null =
      modules::compare_with_shuffles(subject.network, clustering->ncut, spectral, options.shuffles,
                                     spectral.seed, [&] { meter.add(seconds, what); });
  if (!null) {
    return tl::unexpected(null.error());
  }
  return Outcome{std::move(*clustering), std::move(*null)};
}

/// One list a quantity, one value a network.
Json to_json(const ModulesOptions& options, const std::vector<Subject>& subjects,
             const std::vector<Outcome>& outcomes, double seconds) {
  Json json = {{"task", options.model.empty() ? Json(options.task) : Json(nullptr)},
               {"model", options.model.empty() ? Json(nullptr) : Json(options.model)},
               {"topology", subjects.front().network.topology.name()},
               {"clusters", options.spectral.clusters},
               {"shuffles", options.shuffles},
               {"restarts", options.spectral.restarts},
               {"seeds", Json::array()}};
  for (const char* list : {"ncut", "shuffled_mean", "shuffled_std", "z", "p", "test_mse"}) {
    json[list] = Json::array();
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    json["seeds"].push_back(subjects[i].seed ? Json(*subjects[i].seed) : Json(nullptr));
    json["ncut"].push_back(outcome.clustering.ncut);
    json["shuffled_mean"].push_back(outcome.null.mean);
    json["shuffled_std"].push_back(outcome.null.deviation);
    json["z"].push_back(outcome.null.z);
    json["p"].push_back(outcome.null.p);
    json["test_mse"].push_back(subjects[i].test_mse ? Json(*subjects[i].test_mse) : Json(nullptr));
  }
  json["seconds"] = seconds;
  return json;
}

void print_table(const ModulesOptions& options, const std::vector<Subject>& subjects,
                 const std::vector<Outcome>& outcomes, double seconds) {
  fmt::print("{}, k = {}, {} shuffles\n\n{:<6} {:>8} {:>14} {:>14} {:>7} {:>7} {:>9}\n",
             subjects.front().network.topology.name(), options.spectral.clusters, options.shuffles,
             "seed", "n-cut", "shuffled mean", "shuffled std", "z", "p", "test MSE");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const modules::ShuffledNull& null = outcomes[i].null;
    fmt::print("{:<6} {:>8.4f} {:>14.4f} {:>14.4f} {:>7.2f} {:>7.3f} {:>9}\n",
               subjects[i].seed ? fmt::format("{}", *subjects[i].seed) : "-",
               outcomes[i].clustering.ncut, null.mean, null.deviation, null.z, null.p,
               subjects[i].test_mse ? fmt::format("{:.4g}", *subjects[i].test_mse) : "-");
  }
  fmt::print(
      "\nBelow its shuffles (z < 0), a network is more clusterable than its weights are by "
      "chance. {:.0f} s\n",
      seconds);
}

int find_modules(ModulesOptions options) {
  const Clock::time_point start = Clock::now();
  const auto backend = kernels::make_backend<float>(options.backend);
  if (!backend) {
    return fail_with(backend.error(), kBadInput);
  }
  // Known before minutes of training.
  constexpr std::size_t kPolynomialUnits = 2 + 4 * 256 + 512;
  if (options.model.empty() && options.spectral.clusters > kPolynomialUnits) {
    return fail_with({fmt::format("clusters: found {}, wanted 1 to {}: the network has {} units",
                                  options.spectral.clusters, kPolynomialUnits, kPolynomialUnits)},
                     kBadInput);
  }
  std::vector<Subject> subjects;
  double total = 0;
  if (!options.model.empty()) {
    // The graph has weights alone: what the units do to their sums plays no part.
    Result<nn::Mlp<float>> network = data::load_network(options.model, kernels::Activation::kRelu);
    if (!network) {
      return fail_with(network.error(), kBadInput);
    }
    subjects.push_back({std::nullopt, std::move(*network), std::nullopt});
    total = static_cast<double>(options.shuffles + 1) * clustering_seconds(subjects[0].network);
  } else {
    constexpr double kPolynomialEdges = 330e3;
    total = static_cast<double>(options.seeds) *
            (training_seconds(training_of(options, 0)) +
             static_cast<double>(options.shuffles + 1) * kPolynomialEdges / kAssumedEdgesPerSecond);
  }
  WorkMeter meter(total);
  if (options.model.empty()) {
    subjects = train_subjects(options, **backend, meter);
  }
  std::vector<Outcome> outcomes;
  for (const Subject& subject : subjects) {
    Result<Outcome> outcome = judge(options, subject, meter);
    if (!outcome) {
      meter.clear();
      return fail_with(outcome.error(), kBadInput);
    }
    outcomes.push_back(std::move(*outcome));
  }
  meter.clear();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (options.json) {
    fmt::print("{}\n", to_json(options, subjects, outcomes, seconds).dump(2));
  } else {
    print_table(options, subjects, outcomes, seconds);
  }
  return kDone;
}

}  // namespace

void add_modules(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ModulesOptions>();
  options->spectral.threads = 2;
  CLI::App* command =
      app.add_subcommand("modules", "How clusterable a network is, against its weights shuffled");
  CLI::Option* task = command->add_option("--task", options->task, "Networks to train: polynomial")
                          ->check(CLI::IsMember({"polynomial"}))
                          ->capture_default_str();
  CLI::Option* model =
      command->add_option("--model", options->model, "Your own network, a safetensors file");
  CLI::Option* seeds = command->add_option("--seeds", options->seeds, "Networks of the task")
                           ->check(CLI::Range(std::size_t{1}, std::size_t{1000}))
                           ->capture_default_str();
  CLI::Option* epochs = command->add_option("--epochs", options->epochs, "Of each training")
                            ->check(CLI::Range(std::size_t{1}, std::size_t{1000}))
                            ->capture_default_str();
  for (CLI::Option* option : {task, seeds, epochs}) {
    option->excludes(model);
  }
  command
      ->add_option("--initial", options->initial,
                   "Initial weights: glorot (uniform) or he (normal)")
      ->check(CLI::IsMember({"glorot", "he"}))
      ->capture_default_str()
      ->excludes(model);
  command->add_option("--clusters", options->spectral.clusters, "k")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20U))
      ->capture_default_str();
  command->add_option("--shuffles", options->shuffles, "Networks with shuffled weights")
      ->check(CLI::Range(std::size_t{2}, std::size_t{100000}))
      ->capture_default_str();
  command->add_option("--restarts", options->spectral.restarts, "Of k-means")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10000}))
      ->capture_default_str();
  command->add_option("--threads", options->spectral.threads, "Results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--backend", options->backend, backend_help())->capture_default_str();
  command->add_flag("--json", options->json, "As JSON: each quantity a list over the networks");
  command->footer(
      "Examples:\n"
      "  interpscale modules --task polynomial --clusters 12 --seeds 5 --json\n"
      "  interpscale modules --model mlp.safetensors --clusters 8");
  command->callback([options, &exit_code] { exit_code = find_modules(*options); });
}

}  // namespace interpscale::tool
