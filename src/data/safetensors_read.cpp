// Networks and samples out of the tensors of a file.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "data/safetensors_file.hpp"

namespace interpscale::data {
namespace {

/// The layer a tensor belongs to: "net.2.weight" is the weight of index 2 under prefix "net.".
struct Role {
  std::string prefix;
  std::uint32_t index = 0;
  bool weight = false;
};

std::optional<Role> role_of(std::string_view name) {
  const std::size_t last_dot = name.rfind('.');
  if (last_dot == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view kind = name.substr(last_dot + 1);
  if (kind != "weight" && kind != "bias") {
    return std::nullopt;
  }
  const std::string_view owner = name.substr(0, last_dot);
  const std::size_t digits = owner.rfind('.') == std::string_view::npos ? 0 : owner.rfind('.') + 1;
  Role role{std::string(owner.substr(0, digits)), 0, kind == "weight"};
  const char* end = owner.data() + owner.size();
  const auto [stop, error] = std::from_chars(owner.data() + digits, end, role.index);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return role;
}

/// The weight and bias of one layer.
struct LayerTensors {
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;
};

/// Pairs by index, in rising order.
Result<std::vector<LayerTensors>> pair_up(const std::string& file, const Header& header) {
  std::map<std::uint32_t, LayerTensors> by_index;
  std::optional<std::string> prefix;
  for (const Tensor& tensor : header.tensors) {
    const auto role = role_of(tensor.name);
    if (!role) {
      return fail("{}: found tensor '{}', wanted names such as '0.weight' and '0.bias'", file,
                  tensor.name);
    }
    if (prefix.value_or(role->prefix) != role->prefix) {
      return fail("{}: tensor '{}': found the prefix '{}', wanted '{}' as elsewhere", file,
                  tensor.name, role->prefix, *prefix);
    }
    prefix = role->prefix;
    LayerTensors& layer = by_index[role->index];
    const Tensor*& place = role->weight ? layer.weight : layer.bias;
    if (place != nullptr) {
      return fail("{}: tensors '{}' and '{}' have the same place, wanted one of them", file,
                  place->name, tensor.name);
    }
    place = &tensor;
  }
  std::vector<LayerTensors> layers;
  for (const auto& [index, layer] : by_index) {
    if (layer.weight == nullptr || layer.bias == nullptr) {
      return fail("{}: found no tensor '{}{}.{}', wanted a weight and a bias for each index", file,
                  prefix.value_or(""), index, layer.weight == nullptr ? "weight" : "bias");
    }
    layers.push_back(layer);
  }
  return layers;
}

/// The topology, if the shapes chain.
Result<nn::Topology> topology_of(const std::string& file, const std::vector<LayerTensors>& layers,
                                 kernels::Activation activation) {
  if (layers.size() < 2) {
    return fail("{}: found {} layers, wanted a hidden layer and a read-out at least", file,
                layers.size());
  }
  nn::Topology topology;
  topology.activation = activation;
  std::uint64_t width = 0;
  for (const LayerTensors& layer : layers) {
    const std::vector<std::uint64_t>& shape = layer.weight->shape;
    if (shape.size() != 2 || layer.bias->shape.size() != 1 || layer.bias->shape[0] != shape[0]) {
      return fail("{}: tensors '{}' [{}] and '{}' [{}]: wanted the shapes [out, in] and [out]",
                  file, layer.weight->name, fmt::join(shape, ", "), layer.bias->name,
                  fmt::join(layer.bias->shape, ", "));
    }
    if (width != 0 && shape[1] != width) {
      return fail("{}: tensor '{}': found {} inputs, wanted {}, the outputs of the layer before",
                  file, layer.weight->name, shape[1], width);
    }
    if (width == 0) {
      topology.inputs = shape[1];
    } else {
      topology.hidden.push_back(width);
    }
    width = shape[0];
  }
  topology.outputs = width;
  return nn::validated(topology);
}

/// A tensor of one row or column, or of the shape [rows, cols].
template <class T>
Result<Matrix<T>> read_matrix(Source& source, const Header& header, const Tensor& tensor,
                              std::uint64_t rows, std::uint64_t cols) {
  const std::uint64_t elements = (tensor.end - tensor.begin) / bytes_of(tensor.dtype);
  if (tensor.shape.back() != cols || elements != rows * cols) {
    return fail("{}: tensor '{}': found the shape [{}], wanted [{}, {}]", source.name, tensor.name,
                fmt::join(tensor.shape, ", "), rows, cols);
  }
  Matrix<T> matrix(rows, cols);
  if (auto read = read_rows<T>(source, header, tensor, matrix); !read) {
    return tl::unexpected(read.error());
  }
  return matrix;
}

/// One matrix or vector of samples by its name.
template <class T>
Result<void> read_member(Source& source, const Header& header, const Tensor& tensor,
                         const Tensor& inputs, Samples<T>& samples) {
  const std::uint64_t rows = inputs.shape[0];
  if (tensor.name == "labels") {
    if (tensor.shape.size() != 1 || tensor.shape[0] != rows) {
      return fail("{}: tensor 'labels': found the shape [{}], wanted [{}], one for each input",
                  source.name, fmt::join(tensor.shape, ", "), rows);
    }
    auto labels = read_labels(source, header, tensor);
    if (!labels) {
      return tl::unexpected(labels.error());
    }
    samples.labels = std::move(*labels);
    return {};
  }
  if (tensor.name != "inputs" && tensor.name != "donor" && tensor.name != "baseline") {
    return fail("{}: found tensor '{}', wanted inputs, labels, donor and baseline only",
                source.name, tensor.name);
  }
  const bool is_baseline = tensor.name == "baseline";
  auto matrix = read_matrix<T>(source, header, tensor, is_baseline ? 1 : rows, inputs.shape[1]);
  if (!matrix) {
    return tl::unexpected(matrix.error());
  }
  (is_baseline              ? samples.baseline
   : tensor.name == "donor" ? samples.donor
                            : samples.inputs) = std::move(*matrix);
  return {};
}

/// The file as a source, to be handed to `read`.
template <class Read>
auto with_file(const std::filesystem::path& path, const Read& read)
    -> decltype(read(std::declval<Source&>())) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) {
    return fail("{}: cannot be read: {}", path.string(),
                error ? error.message() : std::string("it cannot be opened"));
  }
  Source source{path.string(), stream, bytes};
  return read(source);
}

}  // namespace

template <class T>
Result<nn::Mlp<T>> read_network(Source& source, kernels::Activation activation) {
  const auto header = read_header(source);
  if (!header) {
    return tl::unexpected(header.error());
  }
  const auto tensors = pair_up(source.name, *header);
  if (!tensors) {
    return tl::unexpected(tensors.error());
  }
  const auto topology = topology_of(source.name, *tensors, activation);
  if (!topology) {
    return tl::unexpected(topology.error());
  }
  nn::Mlp<T> network{*topology, nn::zero_layers<T>(*topology)};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    nn::DenseLayer<T>& layer = network.layers[l];
    const MatrixView<T> bias(layer.bias.data(), 1, layer.bias.size(), layer.bias.size());
    const LayerTensors& from = (*tensors)[l];
    if (auto read = read_rows<T>(source, *header, *from.weight, layer.weights); !read) {
      return tl::unexpected(read.error());
    }
    if (auto read = read_rows<T>(source, *header, *from.bias, bias); !read) {
      return tl::unexpected(read.error());
    }
  }
  return network;
}

template <class T>
Result<Samples<T>> read_samples(Source& source) {
  const auto header = read_header(source);
  if (!header) {
    return tl::unexpected(header.error());
  }
  const auto inputs = std::ranges::find(header->tensors, "inputs", &Tensor::name);
  if (inputs == header->tensors.end()) {
    return fail("{}: found no tensor 'inputs', wanted inputs [B, d] and labels [B]", source.name);
  }
  if (inputs->shape.size() != 2) {
    return fail("{}: tensor 'inputs': found the shape [{}], wanted [B, d]", source.name,
                fmt::join(inputs->shape, ", "));
  }
  Samples<T> samples;
  for (const Tensor& tensor : header->tensors) {
    if (auto read = read_member(source, *header, tensor, *inputs, samples); !read) {
      return tl::unexpected(read.error());
    }
  }
  return samples;
}

template <class T>
Result<nn::Mlp<T>> load_network(const std::filesystem::path& path, kernels::Activation activation) {
  return with_file(path, [&](Source& source) { return read_network<T>(source, activation); });
}

template <class T>
Result<Samples<T>> load_samples(const std::filesystem::path& path) {
  return with_file(path, [](Source& source) { return read_samples<T>(source); });
}

template Result<nn::Mlp<float>> read_network<float>(Source&, kernels::Activation);
template Result<nn::Mlp<double>> read_network<double>(Source&, kernels::Activation);
template Result<Samples<float>> read_samples<float>(Source&);
template Result<Samples<double>> read_samples<double>(Source&);
template Result<nn::Mlp<float>> load_network<float>(const std::filesystem::path&,
                                                    kernels::Activation);
template Result<nn::Mlp<double>> load_network<double>(const std::filesystem::path&,
                                                      kernels::Activation);
template Result<Samples<float>> load_samples<float>(const std::filesystem::path&);
template Result<Samples<double>> load_samples<double>(const std::filesystem::path&);

}  // namespace interpscale::data
