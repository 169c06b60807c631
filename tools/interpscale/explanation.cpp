// SPDX-License-Identifier: Apache-2.0
#include "interpscale/explanation.hpp"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>

#include "interpscale/explanation_subject.hpp"
#include "interpscale/kernels/counting_backend.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::tool {
namespace {

using Clock = std::chrono::steady_clock;
using methods::MethodSpec;
using methods::Problem;
using methods::Variant;

template <class T>
std::uint64_t bytes_of(const Matrix<T>& matrix) {
  return sizeof(T) * matrix.padded().size();
}

/// What a run holds besides its method's scratch: network, samples, activations, result.
template <class T>
std::uint64_t resident_bytes(const MethodSpec& method, const ExplainSubject<T>& subject,
                             const Problem& problem) {
  const auto matrix = [](std::size_t rows, std::size_t cols) {
    return std::uint64_t{rows} * round_up(cols, kCacheLineBytes / sizeof(T)) * sizeof(T);
  };
  std::uint64_t bytes = bytes_of(subject.samples.inputs) + bytes_of(subject.samples.donor) +
                        bytes_of(subject.samples.baseline) +
                        matrix(method.rows(problem), method.column_count(problem)) +
                        matrix(problem.batch, problem.topology.outputs);
  for (std::size_t layer = 0; layer < problem.topology.layers(); ++layer) {
    bytes += bytes_of(subject.network.layers[layer].weights);
    bytes += matrix(1, subject.network.layers[layer].bias.size());
  }
  for (const std::size_t width : problem.topology.hidden) {
    bytes += matrix(problem.batch, width);
  }
  return bytes;
}

/// An error that names what is wanted, what is given and what would help, unless it fits.
Result<void> check_memory(const std::string& what, std::uint64_t wanted, std::uint64_t given) {
  if (wanted > given) {
    return fail(
        "memory: {} wants {} bytes ({} MiB), found {} ({} MiB); raise --memory or lower "
        "--samples",
        what, wanted, (wanted >> 20) + 1, given, given >> 20);
  }
  return {};
}

Result<Variant> variant_of(const MethodSpec& method, const std::string& wanted) {
  std::vector<std::string> known;
  for (const Variant& variant : method.variants) {
    if (variant.name == wanted || (wanted.empty() && &variant == &method.variants.back())) {
      return variant;
    }
    known.push_back(variant.name);
  }
  return fail("{}: variant '{}' is unknown; known are {}", method.name, wanted,
              fmt::join(known, ", "));
}

template <class T>
Explanation<T> empty_explanation(const MethodSpec& method, const Problem& problem) {
  Explanation<T> result;
  result.columns = method.names(problem);
  const std::size_t rows = method.rows(problem);
  const std::size_t rows_of_neuron = rows / static_cast<std::size_t>(problem.topology.neurons());
  for (const std::size_t width : problem.topology.hidden) {
    result.rows_of_layer.push_back(width * rows_of_neuron);
  }
  result.values = Matrix<T>(rows, method.column_count(problem));
  result.samples = problem.streamed_samples();
  return result;
}

/// The definition, on one thread: it has no kernels whose calls would show how far it is.
Result<Explanation<double>> run(const MethodSpec& method, const ExplainRequest& request,
                                const methods::MethodOptions& options,
                                const ExplainSubject<double>& subject,
                                const ExplainProgress& progress) {
  const Problem problem = subject.problem(options);
  const std::uint64_t resident = resident_bytes(method, subject, problem);
  if (auto fits = check_memory("the reference", resident, request.memory_bytes); !fits) {
    return tl::unexpected(fits.error());
  }
  const auto backend = kernels::make_backend<double>("reference");
  if (!backend) {
    return tl::unexpected(backend.error());
  }
  nn::Tape<double> tape(problem.topology, problem.batch);
  Workspace workspace;
  const kernels::Context<double> context(**backend, 1, workspace);
  Explanation<double> result = empty_explanation<double>(method, problem);
  result.how = "reference";
  result.planned_bytes = resident;
  progress(-1);
  const Clock::time_point start = Clock::now();
  method.reference(subject.probe(options, tape), context, result.values);
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

/// One variant. The plan is its resident and scratch memory; what a backend packs comes on top.
Result<Explanation<float>> run(const MethodSpec& method, const ExplainRequest& request,
                               const methods::MethodOptions& wanted,
                               const ExplainSubject<float>& subject,
                               const ExplainProgress& progress) {
  const Result<Variant> variant = variant_of(method, request.variant);
  if (!variant) {
    return tl::unexpected(variant.error());
  }
  methods::MethodOptions options = wanted;
  const std::uint64_t resident = resident_bytes(method, subject, subject.problem(options));
  const std::string what = method.name + "/" + variant->name;
  if (auto fits = check_memory(what, resident, request.memory_bytes); !fits) {
    return tl::unexpected(fits.error());
  }
  // Tiles beyond the default gain nothing; a smaller budget makes them smaller.
  options.workspace_bytes =
      std::min<std::size_t>(options.workspace_bytes, request.memory_bytes - resident);
  const std::uint64_t scratch = variant->workspace_bytes(subject.problem(options));
  if (auto fits = check_memory(what, resident + scratch, request.memory_bytes); !fits) {
    return tl::unexpected(fits.error());
  }
  const auto backend = kernels::make_backend<float>(request.backend);
  if (!backend) {
    return tl::unexpected(backend.error());
  }
  nn::Tape<float> tape(subject.network.topology, subject.batch);
  Workspace workspace;
  {
    const Workspace::Scope scope(workspace);
    (void)workspace.vector<std::byte>(scratch);  // one block for all of it
  }
  const methods::Probe<float> probe = subject.probe(options, tape);
  nn::forward<float>(probe.network, probe.inputs, tape, {**backend, request.threads, workspace});
  const Problem problem = methods::problem_of(probe);
  const auto total = static_cast<double>(std::max<std::uint64_t>(variant->cost(problem).flops, 1));
  const auto counting = kernels::make_counting_backend<float>(
      **backend, nullptr,
      [&](kernels::Flops done) { progress(static_cast<double>(done) / total); });
  Explanation<float> result = empty_explanation<float>(method, problem);
  result.how = variant->name;
  result.planned_bytes = resident + scratch;
  const Clock::time_point start = Clock::now();
  variant->run(probe, {*counting, request.threads, workspace}, result.values);
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

}  // namespace

template <class T>
Result<Explanation<T>> explain(const MethodSpec& method, const ExplainRequest& request,
                               const ExplainProgress& progress) {
  const Result<ExplainSubject<T>> subject = load_subject<T>(method, request);
  if (!subject) {
    return tl::unexpected(subject.error());
  }
  methods::MethodOptions options = request.options;
  for (const std::size_t layer : request.layers) {
    options.layers.push_back(layer - 1);
  }
  return run(method, request, options, *subject, progress);
}

template Result<Explanation<float>> explain<float>(const MethodSpec&, const ExplainRequest&,
                                                   const ExplainProgress&);
template Result<Explanation<double>> explain<double>(const MethodSpec&, const ExplainRequest&,
                                                     const ExplainProgress&);

}  // namespace interpscale::tool
