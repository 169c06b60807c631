// Our analyses as one side of a comparison with PyTorch's: the fast variant of each, and its
// network, batch and values in files for the other side (tools/peers --analyses).
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "bench/peers/analysis_specimen.hpp"
#include "bench/peers/serve.hpp"
#include "interpscale/data/safetensors.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/measure/binding.hpp"
#include "interpscale/methods/registry.hpp"
#include "methods/engine/orders.hpp"

namespace interpscale::bench::peers {
namespace {

namespace fs = std::filesystem;

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

/// In the order in which they are compared.
constexpr std::array kCompared = {"attribution_patching", "neuron_gradient",
                                  "layer_conductance",    "zero_ablation",
                                  "activation_patching",  "neuron_integrated_gradients",
                                  "neuron_conductance",   "neuron_shapley"};

methods::MethodOptions compared_options() {
  methods::MethodOptions options;
  options.steps = static_cast<int>(kAnalysisSteps);
  return options;
}

/// A backend and its scratch memory, shared by all that is prepared with them.
struct Runtime {
  std::unique_ptr<kernels::Backend<float>> backend;
  Workspace workspace;
  int threads;

  [[nodiscard]] kernels::Context<float> context() { return {*backend, threads, workspace}; }
};

/// Layer l's orders, row t order t's units in turn: [T, w].
Matrix<float> orders_of(const methods::MethodOptions& options, std::size_t layer,
                        std::size_t width) {
  const methods::engine::Orders orders(options, layer);
  Matrix<float> rows(orders.count(), width);
  std::vector<std::uint32_t> order(width);
  for (std::size_t t = 0; t < rows.rows(); ++t) {
    orders.write(t, order);
    std::copy(order.begin(), order.end(), rows.row(t).begin());
  }
  return rows;
}

class Analysis : public Written {
 public:
  Analysis(methods::MethodSpec method, std::shared_ptr<const AnalysisSpecimen> specimen,
           std::shared_ptr<Runtime> runtime)
      : method_(std::move(method)),
        variant_(fast_variant(method_)),
        specimen_(std::move(specimen)),
        runtime_(std::move(runtime)),
        tape_(specimen_->specimen.network.topology, specimen_->specimen.inputs.rows()),
        problem_(methods::problem_of(probe(), runtime_->context())),
        out_(method_.rows(problem_), method_.column_count(problem_)) {}

  void run() override { variant_.run(probe(), runtime_->context(), out_); }

  /// That the values are finite; what they are is left to the comparison.
  Result<measure::Verification> verify() override {
    run();
    for (std::size_t i = 0; i < out_.rows(); ++i) {
      for (const float value : out_.row(i)) {
        if (!std::isfinite(value)) {
          return fail("{}: row {} holds a value that is not finite", method_.name, i);
        }
      }
    }
    return measure::Verification{};
  }

  /// Tensors in a file each: the network under PyTorch's names, "inputs", "donor", "labels",
  /// "orders_0" ..., and "values" of this method.
  Result<std::string> write(const fs::path& folder) override {
    const study::Specimen& on = specimen_->specimen;
    std::vector<Result<void>> written{
        data::save_network(on.network, folder / "network.safetensors")};
    const auto save = [&](const std::string& name, MatrixView<const float> matrix) {
      written.push_back(data::save_matrix<float>(name, matrix, folder / (name + ".safetensors")));
    };
    Matrix<float> labels(1, on.labels.size());
    std::copy(on.labels.begin(), on.labels.end(), labels.row(0).begin());
    save("inputs", on.inputs);
    save("donor", specimen_->donor);
    save("labels", labels);
    const std::vector<std::size_t>& hidden = on.network.topology.hidden;
    for (std::size_t layer = 0; layer < hidden.size(); ++layer) {
      save(fmt::format("orders_{}", layer), orders_of(compared_options(), layer, hidden[layer]));
    }
    save("values", out_);
    for (const Result<void>& one : written) {
      if (!one) {
        return tl::unexpected(one.error());
      }
    }
    return facts();
  }

  [[nodiscard]] std::uint64_t flops() const { return variant_.cost(problem_).flops; }

 private:
  static const methods::Variant& fast_variant(const methods::MethodSpec& method) {
    const auto fast = std::find_if(method.variants.begin(), method.variants.end(),
                                   [](const auto& variant) { return variant.name == "fast"; });
    require(fast != method.variants.end(), "a compared method has a fast variant");
    return *fast;
  }

  [[nodiscard]] methods::Probe<float> probe() {
    const study::Specimen& on = specimen_->specimen;
    return {.network = on.network,
            .inputs = on.inputs,
            .labels = on.labels,
            .baseline = {},
            .donor = specimen_->donor,
            .options = compared_options(),
            .tape = tape_};
  }

  /// Shares of active pairs by layer; the distance from kinks; and twice the method's tolerance:
  /// each side may be as far from the exact values.
  [[nodiscard]] std::string facts() const {
    Matrix<double> values(out_.rows(), out_.cols());
    double largest = 0.0;
    for (std::size_t i = 0; i < out_.rows(); ++i) {
      for (std::size_t k = 0; k < out_.cols(); ++k) {
        values(i, k) = static_cast<double>(out_(i, k));
        largest = std::fmax(largest, std::abs(values(i, k)));
      }
    }
    std::vector<double> activity;
    const std::vector<std::size_t>& hidden = problem_.topology.hidden;
    for (std::size_t layer = 0; layer < hidden.size(); ++layer) {
      activity.push_back(static_cast<double>(problem_.active_pairs[layer]) /
                         static_cast<double>(problem_.batch * hidden[layer]));
    }
    return nlohmann::ordered_json{{"activity", activity},
                                  {"kink_distance", specimen_->kink_distance},
                                  {"allowed", 2.0 * method_.tolerance(problem_, values)},
                                  {"largest", largest}}
        .dump();
  }

  methods::MethodSpec method_;
  methods::Variant variant_;
  std::shared_ptr<const AnalysisSpecimen> specimen_;
  std::shared_ptr<Runtime> runtime_;
  nn::Tape<float> tape_;
  methods::Problem problem_;
  Matrix<float> out_;  // [n, columns]
};

/// The network and batch of the width asked for last.
class Specimens {
 public:
  std::shared_ptr<const AnalysisSpecimen> of(std::size_t width) {
    if (specimen_ == nullptr || width != width_) {
      specimen_.reset();
      specimen_ = std::make_shared<const AnalysisSpecimen>(make_analysis_specimen(width));
      width_ = width;
    }
    return specimen_;
  }

 private:
  std::size_t width_ = 0;
  std::shared_ptr<const AnalysisSpecimen> specimen_;
};

/// "analysis/zero_ablation/w:256", by growing width.
std::vector<GridEntry> make_entries(const std::vector<std::size_t>& widths,
                                    const std::shared_ptr<Runtime>& runtime) {
  const auto specimens = std::make_shared<Specimens>();
  const std::vector<methods::MethodSpec> all = methods::all_methods();
  std::vector<GridEntry> entries;
  for (const std::size_t width : widths) {
    for (const std::string_view wanted : kCompared) {
      const auto method = std::find_if(all.begin(), all.end(),
                                       [&](const auto& spec) { return spec.name == wanted; });
      require(method != all.end(), "a compared method is registered");
      const std::string name = fmt::format("analysis/{}/w:{}", wanted, width);
      entries.push_back(
          {name, {}, [=, spec = *method]() -> Result<measure::Subject> {
             auto analysis = std::make_unique<Analysis>(spec, specimens->of(width), runtime);
             measure::Subject subject{name, {}, nullptr};
             subject.quantities.flops = analysis->flops();
             subject.prepare = [once = std::make_shared<std::unique_ptr<measure::Timed>>(std::move(
                                    analysis))]() -> Result<std::unique_ptr<measure::Timed>> {
               return std::move(*once);
             };
             return subject;
           }});
    }
  }
  return entries;
}

int run(int argc, char** argv) {
  int threads = 1;
  std::vector<std::size_t> widths = {16, 64, 128, 256, 512};
  CLI::App app(
      "Answers tools/peers --analyses, line by line: our analyses of 64-w-w-w-10 networks.");
  app.add_option("--threads", threads, "Threads")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--widths", widths, "Units of each hidden layer")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kUsageError;
  }
  auto backend = kernels::make_backend<float>("simd");
  require(backend.has_value(), "backend simd is always there");
  const std::string target(backend.value()->target());
  const auto runtime = std::make_shared<Runtime>(Runtime{std::move(*backend), {}, threads});
  return serve({.name = "interpscale",
                .version = target,
                .setup = "the fast variant of each method",
                .binding = threads > 1 ? measure::bind_threads(threads) : "unbound",
                .threads = threads},
               make_entries(widths, runtime));
}

}  // namespace
}  // namespace interpscale::bench::peers

int main(int argc, char** argv) {
  try {
    return interpscale::bench::peers::run(argc, argv);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}: {}\n", argv[0], problem.what());
    return interpscale::bench::peers::kFailed;
  }
}
