// The file is not trusted: every number in it is held against the file's size or a limit before it
// is used to allocate or to seek. Format: huggingface/safetensors, README, "Format".
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "interpscale/core/checked.hpp"
#include "interpscale/data/safetensors.hpp"

namespace interpscale::data {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are read as they stand in the file, which is little-endian");

using nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;

struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::uint64_t begin = 0;  // within the data, that is, behind the header
  std::uint64_t end = 0;
};

struct Header {
  std::uint64_t data_begin = 0;  // offset in the file
  std::uint64_t data_bytes = 0;
  std::vector<Tensor> tensors;
};

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

/// One JSON document without repeated names on its first level.
Result<json> parse_header(const std::string& file, const std::string& text) {
  std::set<std::string> names;
  std::string repeated;
  const json::parser_callback_t note_names = [&](int depth, json::parse_event_t event,
                                                 json& value) {
    if (event == json::parse_event_t::key && depth == 1 &&
        !names.insert(value.get<std::string>()).second) {
      repeated = value.get<std::string>();
    }
    return true;
  };
  json header;
  try {
    header = json::parse(text, note_names);
  } catch (const json::parse_error& error) {
    return fail("{}: byte {}: the header is not JSON: {}", file, kLengthBytes + error.byte,
                error.what());
  }
  if (!header.is_object()) {
    return fail("{}: byte {}: found a header of type {}, wanted an object", file, kLengthBytes,
                header.type_name());
  }
  if (!repeated.empty()) {
    return fail("{}: the header names tensor '{}' twice, wanted distinct names", file, repeated);
  }
  return header;
}

/// An array of non-negative integers, or nothing.
std::optional<std::vector<std::uint64_t>> integers(const json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) {
    return std::nullopt;
  }
  std::vector<std::uint64_t> values;
  for (const json& value : *found) {
    if (!value.is_number_unsigned()) {
      return std::nullopt;
    }
    values.push_back(value.get<std::uint64_t>());
  }
  return values;
}

/// One entry of the header: dtype, shape and extent are consistent and inside the data.
Result<Tensor> tensor_of(const std::string& file, const std::string& name, const json& entry,
                         std::uint64_t data_bytes) {
  if (!entry.is_object() || entry.value("dtype", json()) != "F32") {
    return fail("{}: tensor '{}': found {}, wanted an object with dtype \"F32\"", file, name,
                entry.is_object() ? "dtype " + entry.value("dtype", json()).dump()
                                  : std::string(entry.type_name()));
  }
  const auto shape = integers(entry, "shape");
  const auto offsets = integers(entry, "data_offsets");
  if (!shape || shape->empty() || shape->size() > 2 || !offsets || offsets->size() != 2) {
    return fail("{}: tensor '{}': wanted a shape of one or two extents and two data_offsets", file,
                name);
  }
  std::size_t bytes = sizeof(float);
  for (const std::uint64_t extent : *shape) {
    if (extent == 0 || extent > nn::kLargestWidth || multiply_overflows(bytes, extent, &bytes)) {
      return fail("{}: tensor '{}': found an extent of {}, wanted 1 to {}", file, name, extent,
                  nn::kLargestWidth);
    }
  }
  const std::uint64_t begin = (*offsets)[0];
  const std::uint64_t end = (*offsets)[1];
  if (begin > end || end > data_bytes) {
    return fail(
        "{}: tensor '{}': found data_offsets {} to {}, wanted a stretch of the {} bytes "
        "behind the header",
        file, name, begin, end, data_bytes);
  }
  if (end - begin != bytes) {
    return fail("{}: tensor '{}': found {} bytes, wanted {} for its shape", file, name, end - begin,
                bytes);
  }
  return Tensor{name, {shape->begin(), shape->end()}, begin, end};
}

/// The data are exactly the tensors, one after another: no overlap, no gap, nothing behind.
Result<void> check_tiling(const std::string& file, Header& header) {
  std::ranges::sort(header.tensors, {}, &Tensor::begin);
  std::uint64_t expected = 0;
  for (const Tensor& tensor : header.tensors) {
    if (tensor.begin != expected) {
      return fail("{}: byte {}: tensor '{}' {}, wanted it to begin at byte {}", file,
                  header.data_begin + tensor.begin, tensor.name,
                  tensor.begin < expected ? "overlaps the one before it" : "leaves a gap before it",
                  header.data_begin + expected);
    }
    expected = tensor.end;
  }
  if (expected != header.data_bytes) {
    return fail("{}: byte {}: found {} bytes that belong to no tensor, wanted the end of the file",
                file, header.data_begin + expected, header.data_bytes - expected);
  }
  return {};
}

Result<Header> read_header(const std::string& file, std::ifstream& stream,
                           std::uint64_t file_bytes) {
  std::uint64_t length = 0;
  if (file_bytes < kLengthBytes || !stream.read(reinterpret_cast<char*>(&length), sizeof(length))) {
    return fail("{}: byte 0: found {} bytes, wanted a header length of {}", file, file_bytes,
                kLengthBytes);
  }
  if (length > file_bytes - kLengthBytes || length > kLargestHeader) {
    return fail(
        "{}: byte 0: found a header length of {}, wanted at most {} (the rest of the file) "
        "and at most {}",
        file, length, file_bytes - kLengthBytes, kLargestHeader);
  }
  std::string text(length, '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(length))) {
    return fail("{}: byte {}: the header of {} bytes cannot be read", file, kLengthBytes, length);
  }
  const auto entries = parse_header(file, text);
  if (!entries) {
    return tl::unexpected(entries.error());
  }
  Header header{kLengthBytes + length, file_bytes - kLengthBytes - length, {}};
  for (const auto& [name, entry] : entries->items()) {
    if (name == "__metadata__") {
      continue;
    }
    auto tensor = tensor_of(file, name, entry, header.data_bytes);
    if (!tensor) {
      return tl::unexpected(tensor.error());
    }
    header.tensors.push_back(std::move(*tensor));
  }
  if (auto tiled = check_tiling(file, header); !tiled) {
    return tl::unexpected(tiled.error());
  }
  return header;
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
  std::size_t width = 0;
  for (const LayerTensors& layer : layers) {
    const std::vector<std::size_t>& shape = layer.weight->shape;
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

/// Rows of finite numbers from a tensor's bytes.
Result<void> read_rows(const std::string& file, std::ifstream& stream, const Header& header,
                       const Tensor& tensor, MatrixView<float> out) {
  std::uint64_t offset = header.data_begin + tensor.begin;
  stream.seekg(static_cast<std::streamoff>(offset));
  for (std::size_t i = 0; i < out.rows(); ++i) {
    const std::span<float> row = out.row(i);
    if (!stream.read(reinterpret_cast<char*>(row.data()),
                     static_cast<std::streamsize>(row.size_bytes()))) {
      return fail("{}: byte {}: tensor '{}' cannot be read", file, offset, tensor.name);
    }
    const auto bad = std::ranges::find_if(row, [](float value) { return !std::isfinite(value); });
    if (bad != row.end()) {
      return fail("{}: byte {}: tensor '{}': found {}, wanted a finite number", file,
                  offset + sizeof(float) * static_cast<std::size_t>(bad - row.begin()), tensor.name,
                  *bad);
    }
    offset += row.size_bytes();
  }
  return {};
}

}  // namespace

Result<nn::Mlp<float>> load_network(const std::filesystem::path& path,
                                    kernels::Activation activation) {
  const std::string file = path.string();
  std::error_code error;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) {
    return fail("{}: cannot be read: {}", file,
                error ? error.message() : std::string("it cannot be opened"));
  }
  const auto header = read_header(file, stream, file_bytes);
  if (!header) {
    return tl::unexpected(header.error());
  }
  const auto tensors = pair_up(file, *header);
  if (!tensors) {
    return tl::unexpected(tensors.error());
  }
  const auto topology = topology_of(file, *tensors, activation);
  if (!topology) {
    return tl::unexpected(topology.error());
  }
  nn::Mlp<float> network{*topology, nn::zero_layers<float>(*topology)};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    nn::DenseLayer<float>& layer = network.layers[l];
    const MatrixView<float> bias(layer.bias.data(), 1, layer.bias.size(), layer.bias.size());
    if (auto read = read_rows(file, stream, *header, *(*tensors)[l].weight, layer.weights); !read) {
      return tl::unexpected(read.error());
    }
    if (auto read = read_rows(file, stream, *header, *(*tensors)[l].bias, bias); !read) {
      return tl::unexpected(read.error());
    }
  }
  return network;
}

}  // namespace interpscale::data
