// `interpscale explain`: one analysis of one's own network, written to a file.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "interpscale/attribution_file.hpp"
#include "interpscale/backend_option.hpp"
#include "interpscale/commands.hpp"
#include "interpscale/explanation.hpp"
#include "interpscale/measure/environment.hpp"
#include "interpscale/methods/registry.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Clock = std::chrono::steady_clock;

struct ExplainOptions {
  ExplainRequest request;
  std::string method;
  std::string target = "label";
  std::string metric = "default";
  std::string precision = "f32";
  std::string out;
  bool json = false;
};

Result<methods::MethodSpec> find_method(const std::string& name) {
  std::vector<std::string> known;
  for (methods::MethodSpec& method : methods::all_methods()) {
    if (method.name == name) {
      return std::move(method);
    }
    known.push_back(method.name);
  }
  return fail("method '{}' is unknown; known are {}", name, fmt::join(known, ", "));
}

/// "label", or the number of an output.
Result<std::optional<std::uint32_t>> parse_target(const std::string& text) {
  if (text == "label") {
    return std::nullopt;
  }
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail("target: found '{}', wanted 'label' or the number of an output, from 0", text);
  }
  return index;
}

methods::Metric parse_metric(const std::string& name) {
  return name == "loss"     ? methods::Metric::kLoss
         : name == "target" ? methods::Metric::kTarget
                            : methods::Metric::kMethodDefault;
}

/// The rows of the layers that were asked for.
template <class T>
AttributionTable<T> chosen_rows(const std::string& method, const Explanation<T>& explanation,
                                std::vector<std::size_t> layers, Matrix<T>& values) {
  AttributionTable<T> table{method, explanation.columns, {}, {}};
  std::vector<std::size_t> sources;
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < explanation.rows_of_layer.size(); ++layer) {
    const bool chosen = layers.empty() || std::ranges::count(layers, layer + 1) > 0;
    for (std::size_t j = 0; j < explanation.rows_of_layer[layer]; ++j, ++row) {
      if (chosen) {
        table.rows.push_back({layer + 1, j});
        sources.push_back(row);
      }
    }
  }
  table.values = explanation.values;
  if (sources.size() < explanation.values.rows()) {
    values = Matrix<T>(sources.size(), explanation.values.cols());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      std::ranges::copy(explanation.values.row(sources[i]), values.row(i).begin());
    }
    table.values = values;
  }
  return table;
}

template <class T>
void print_summary(const ExplainOptions& options, const Explanation<T>& explanation,
                   std::size_t rows) {
  if (options.json) {
    const nlohmann::ordered_json json = {{"method", options.method},
                                         {"how", explanation.how},
                                         {"rows", rows},
                                         {"columns", explanation.columns.size()},
                                         {"samples", explanation.samples},
                                         {"seconds", explanation.seconds},
                                         {"planned_bytes", explanation.planned_bytes},
                                         {"threads", options.request.threads},
                                         {"out", options.out}};
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print("{}/{}: {} rows of {} columns from {} samples in {:.2f} s: {}\n", options.method,
             explanation.how, rows, explanation.columns.size(), explanation.samples,
             explanation.seconds, options.out);
}

/// A progress line with the time left, ten times a second at most.
class Reporter {
 public:
  explicit Reporter(std::string what) : what_(std::move(what)) {}

  void show(double fraction) {
    constexpr std::chrono::milliseconds kInterval{100};
    const Clock::time_point now = Clock::now();
    if (fraction < 0) {
      line_.show(0, what_ + ", by its definition", -1);
    } else if (now - shown_ >= kInterval) {
      shown_ = now;
      const double elapsed = std::chrono::duration<double>(now - start_).count();
      line_.show(std::min(fraction, 1.0), what_, elapsed * (1 - fraction) / fraction);
    }
  }
  void clear() { line_.clear(); }

 private:
  std::string what_;
  ProgressLine line_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

template <class T>
int explain_and_write(const methods::MethodSpec& method, const ExplainOptions& options) {
  Reporter reporter(method.name);
  const Result<Explanation<T>> explanation =
      explain<T>(method, options.request, [&](double fraction) { reporter.show(fraction); });
  reporter.clear();
  if (!explanation) {
    return fail_with(explanation.error(), kBadInput);
  }
  Matrix<T> chosen;
  const AttributionTable<T> table =
      chosen_rows(method.name, *explanation, options.request.layers, chosen);
  if (const Result<void> written = write_attribution(table, options.out); !written) {
    return fail_with(written.error(), kFailure);
  }
  print_summary(options, *explanation, table.rows.size());
  return kDone;
}

int explain_network(ExplainOptions options) {
  const Result<methods::MethodSpec> method = find_method(options.method);
  if (!method) {
    return fail_with(method.error(), kBadInput);
  }
  const auto target = parse_target(options.target);
  if (!target) {
    return fail_with(target.error(), kBadInput);
  }
  if (const Result<void> usable = check_attribution_path(options.out); !usable) {
    return fail_with(usable.error(), kBadInput);
  }
  options.request.target = *target;
  options.request.options.metric = parse_metric(options.metric);
  if (options.request.memory_bytes == 0) {
    options.request.memory_bytes = measure::read_environment().memory_bytes / 4;
  }
  if (options.precision == "f32") {
    return explain_and_write<float>(*method, options);
  }
  if (!options.request.variant.empty()) {
    return fail_with({"f64 runs the definition; wanted no --variant beside it"}, kBadInput);
  }
  return explain_and_write<double>(*method, options);
}

void add_inputs(CLI::App& command, ExplainOptions& options) {
  command
      .add_option("--model", options.request.model,
                  "A safetensors file: weight/bias pairs named as PyTorch's Sequential does")
      ->required();
  command
      .add_option("--data", options.request.data,
                  "A safetensors file with inputs [B, d] and labels [B] (donor [B, d], baseline "
                  "[d]), fashion-mnist, or a folder of IDX files")
      ->required();
  command.add_option("--method", options.method, "A name from `interpscale methods`")->required();
  command.add_option("--out", options.out, "FILE.safetensors, FILE.csv or FILE.json")->required();
  command.add_option("--activation", options.request.activation, "relu, softplus or tanh")
      ->check(CLI::IsMember({"relu", "softplus", "tanh"}))
      ->capture_default_str();
  command
      .add_option("--samples", options.request.samples,
                  "Of the data, from the first on (default: all of a safetensors file; of a "
                  "data set's test half, 256, or all if the method passes over one)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 31U));
}

void add_method_options(CLI::App& command, ExplainOptions& options) {
  methods::MethodOptions& method = options.request.options;
  command.add_option("--variant", options.request.variant, "naive or fast (default: fast)");
  command.add_option("--layer", options.request.layers, "Hidden layers, from 1 (default: all)")
      ->delimiter(',');
  command.add_option("--target", options.target, "F: the output of each sample's label, or INDEX")
      ->capture_default_str();
  command.add_option("--steps", method.steps, "K, nodes of a path, steps of an ascent")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command.add_option("--permutations", method.permutations, "T, of sampled orders")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command.add_option("--starts", method.starts, "Of an ascent, for each neuron")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("--radius", method.radius, "r, of the ball around zero an ascent stays in")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--epsilon", method.epsilon,
                  "Of relevance propagation's denominators, above zero")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--edges", method.edges,
                   "The score of every edge beside their summaries (edge_attribution)");
  command.add_option("--metric", options.metric, "What an effect is measured on: target or loss")
      ->check(CLI::IsMember({"default", "target", "loss"}))
      ->capture_default_str();
  command.add_option("--seed", method.seed, "Of everything drawn")->capture_default_str();
}

void add_running(CLI::App& command, ExplainOptions& options) {
  command
      .add_option("--precision", options.precision,
                  "f32: a variant's kernels; f64: the definition, in double precision")
      ->check(CLI::IsMember({"f32", "f64"}))
      ->capture_default_str();
  command.add_option("--threads", options.request.threads, "Results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--backend", options.request.backend, backend_help())->capture_default_str();
  command
      .add_option("--memory", options.request.memory_bytes,
                  "The most to plan for, such as 512MB (default: a quarter of the machine)")
      ->transform(CLI::AsSizeValue(false));
  command.add_flag("--json", options.json, "Print what was done as JSON");
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand("explain", "Analyse your own network, neuron by neuron");
  add_inputs(*command, *options);
  add_method_options(*command, *options);
  add_running(*command, *options);
  command->footer(
      "Rows are hidden neurons: layers are counted from 1, neurons in a layer from 0.\n"
      "Example, to be pasted:\n"
      "  interpscale train --hidden 64,32 --epochs 1 --save mlp.safetensors\n"
      "  interpscale explain --model mlp.safetensors --data fashion-mnist --method zero_ablation "
      "--out ablation.csv\n"
      "  sort -t, -k3,3gr ablation.csv | head -5");
  command->callback([options, &exit_code] { exit_code = explain_network(*options); });
}

}  // namespace interpscale::tool
