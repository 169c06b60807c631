// SPDX-License-Identifier: Apache-2.0
#include "interpscale/explanation_subject.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "interpscale/data/idx.hpp"

namespace interpscale::tool {
namespace {

namespace fs = std::filesystem;

/// Of a data set, and the block in which a streaming method passes over one.
constexpr std::size_t kDefaultSamples = 256;

/// The first `count` rows.
template <class T>
void cut(Matrix<T>& matrix, std::size_t count) {
  if (matrix.rows() > count) {
    Matrix<T> first(count, matrix.cols());
    copy<const T>(std::as_const(matrix).view().rows_from(0, count), first.view());
    matrix = std::move(first);
  }
}

template <class T>
Result<data::Samples<T>> load_data_set(const std::string& name) {
  const auto folder = data::find_dataset(name);
  if (!folder) {
    return tl::unexpected(folder.error());
  }
  Result<data::Split> split = data::load_idx_folder(*folder);
  if (!split) {
    return tl::unexpected(split.error());
  }
  data::standardise(*split);
  data::Samples<T> samples;
  samples.inputs = Matrix<T>(split->test.inputs.rows(), split->test.inputs.cols());
  copy(std::as_const(split->test.inputs).view(), samples.inputs.view());
  samples.labels = std::move(split->test.labels);
  return samples;
}

template <class T>
Result<data::Samples<T>> load_limited(const methods::MethodSpec& method,
                                      const ExplainRequest& request) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  const bool is_file = fs::is_regular_file(request.data, ignored);
  auto samples = is_file ? data::load_samples<T>(request.data) : load_data_set<T>(request.data);
  if (!samples) {
    return samples;
  }
  const std::size_t found = samples->inputs.rows();
  if (request.samples > found) {
    return fail("{}: found {} samples, wanted {}", request.data, found, request.samples);
  }
  std::size_t count = request.samples;
  if (count == 0) {
    count = is_file || method.streams ? found : std::min(found, kDefaultSamples);
  }
  cut(samples->inputs, count);
  cut(samples->donor, count);
  if (!samples->labels.empty()) {
    samples->labels.resize(count);
  }
  return samples;
}

template <class T>
Matrix<T> next_samples(const Matrix<T>& inputs) {
  const std::size_t count = inputs.rows();
  Matrix<T> donor(count, inputs.cols());
  for (std::size_t b = 0; b < count; ++b) {
    const std::span<const T> other = inputs.row((b + 1) % count);
    std::transform(other.begin(), other.end(), donor.row(b).begin(),
                   [count](T value) { return count == 1 ? -value : value; });
  }
  return donor;
}

template <class T>
Result<void> check_fit(const ExplainRequest& request, const nn::Topology& topology,
                       const data::Samples<T>& samples) {
  if (samples.inputs.cols() != topology.inputs) {
    return fail("{}: found inputs of {} numbers, wanted {}, which {} takes", request.data,
                samples.inputs.cols(), topology.inputs, request.model);
  }
  const auto bad = std::ranges::find_if(
      samples.labels, [&](std::uint32_t label) { return label >= topology.outputs; });
  if (bad != samples.labels.end()) {
    return fail("{}: sample {}: found the label {}, wanted 0 to {}, the outputs of {}",
                request.data, bad - samples.labels.begin(), *bad, topology.outputs - 1,
                request.model);
  }
  if (request.target && *request.target >= topology.outputs) {
    return fail("target: found {}, wanted 0 to {}, the outputs of {}", *request.target,
                topology.outputs - 1, request.model);
  }
  for (const std::size_t layer : request.layers) {
    if (layer == 0 || layer > topology.hidden.size()) {
      return fail("layer: found {}, wanted 1 to {}, the hidden layers of {}", layer,
                  topology.hidden.size(), request.model);
    }
  }
  return {};
}

}  // namespace

template <class T>
methods::Probe<T> ExplainSubject<T>::probe(const methods::MethodOptions& options,
                                           nn::Tape<T>& tape) const {
  methods::Probe<T> probe{.network = network,
                          .inputs = samples.inputs.view().rows_from(0, batch),
                          .labels = targets,
                          .baseline = samples.baseline,
                          .donor = samples.donor.view().rows_from(0, batch),
                          .options = options,
                          .tape = tape};
  if (streams) {
    probe.dataset = samples.inputs;
    probe.dataset_labels = samples.labels;
  }
  return probe;
}

template <class T>
methods::Problem ExplainSubject<T>::problem(const methods::MethodOptions& options) const {
  return {.topology = network.topology,
          .batch = batch,
          .options = options,
          .has_baseline = !samples.baseline.empty(),
          .dataset = streams ? samples.inputs.rows() : 0};
}

template <class T>
Result<ExplainSubject<T>> load_subject(const methods::MethodSpec& method,
                                       const ExplainRequest& request) {
  const auto activation = kernels::parse_activation(request.activation);
  if (!activation) {
    return tl::unexpected(activation.error());
  }
  Result<nn::Mlp<T>> network = data::load_network<T>(request.model, *activation);
  if (!network) {
    return tl::unexpected(network.error());
  }
  Result<data::Samples<T>> samples = load_limited<T>(method, request);
  if (!samples) {
    return tl::unexpected(samples.error());
  }
  if (Result<void> fits = check_fit(request, network->topology, *samples); !fits) {
    return tl::unexpected(fits.error());
  }
  if (samples->labels.empty() && (!request.target || method.streams)) {
    return fail("{}: found no tensor 'labels', wanted one{}", request.data,
                method.streams ? "" : ", or --target with the output to explain");
  }
  if (samples->donor.empty()) {
    samples->donor = next_samples(samples->inputs);
  }
  const std::size_t count = samples->inputs.rows();
  const std::size_t batch = method.streams ? std::min(count, kDefaultSamples) : count;
  ExplainSubject<T> subject{std::move(*network), std::move(*samples), batch,
                            std::vector<std::uint32_t>(batch, request.target.value_or(0)),
                            method.streams};
  if (!request.target) {
    std::copy_n(subject.samples.labels.begin(), batch, subject.targets.begin());
  }
  return subject;
}

template struct ExplainSubject<float>;
template struct ExplainSubject<double>;
template Result<ExplainSubject<float>> load_subject<float>(const methods::MethodSpec&,
                                                           const ExplainRequest&);
template Result<ExplainSubject<double>> load_subject<double>(const methods::MethodSpec&,
                                                             const ExplainRequest&);

}  // namespace interpscale::tool
