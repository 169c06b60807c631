// Any bytes at all, read as a network and as samples in both precisions: an error must be one line
// that names the file, a success must hold finite numbers and shapes that chain, and the sanitizers
// must have nothing to say. Built by clang's libFuzzer (see CMakeLists.txt here); tools/fuzz runs
// it.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>

#include "data/safetensors_file.hpp"

namespace interpscale::data {
namespace {

template <class T>
void check_finite(MatrixView<const T> matrix) {
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    require(std::all_of(matrix.row(i).begin(), matrix.row(i).end(),
                        [](T value) { return std::isfinite(value); }),
            "a number that is not finite was let in");
  }
}

template <class T>
void check(const nn::Mlp<T>& network) {
  require(nn::validated(network.topology).has_value(), "an impossible topology was let in");
  require(network.layers.size() == network.topology.layers(), "layers are missing");
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const nn::DenseLayer<T>& layer = network.layers[l];
    require(layer.weights.rows() == network.topology.fan_out(l) &&
                layer.weights.cols() == network.topology.fan_in(l) &&
                layer.bias.size() == network.topology.fan_out(l),
            "shapes do not chain");
    check_finite<T>(layer.weights);
  }
}

template <class T>
void check(const Samples<T>& samples) {
  const std::size_t count = samples.inputs.rows();
  require(!samples.inputs.empty(), "samples without inputs were let in");
  require(samples.labels.empty() || samples.labels.size() == count, "labels are missing");
  require(samples.donor.empty() || samples.donor.rows() == count, "donors are missing");
  check_finite<T>(samples.inputs);
  check_finite<T>(samples.donor);
  check_finite<T>(samples.baseline);
}

template <class Read>
void try_reading(const std::string& bytes, const Read& read) {
  std::istringstream stream(bytes);
  Source source{"the-file", stream, bytes.size()};
  const auto found = read(source);
  if (found) {
    check(*found);
    return;
  }
  const std::string& message = found.error().message;
  require(message.rfind("the-file: ", 0) == 0, "a message does not name the file");
  require(message.size() < 1000, "a message is too long to read");
}

void try_all(const std::string& bytes) {
  const auto activation = kernels::Activation::kRelu;
  try_reading(bytes, [&](Source& source) { return read_network<float>(source, activation); });
  try_reading(bytes, [&](Source& source) { return read_network<double>(source, activation); });
  try_reading(bytes, [](Source& source) { return read_samples<float>(source); });
  try_reading(bytes, [](Source& source) { return read_samples<double>(source); });
}

/// A header of the stated length (two bytes, little-endian, cut to what there is), then data:
/// mutations keep the frame whole, and get at what is behind it.
std::string framed(std::string_view input) {
  if (input.size() < 2) {
    return std::string(input);
  }
  std::uint16_t stated = 0;
  std::memcpy(&stated, input.data(), sizeof(stated));
  input.remove_prefix(sizeof(stated));
  const std::uint64_t length = std::min<std::uint64_t>(stated, input.size());
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes.append(input);
}

}  // namespace
}  // namespace interpscale::data

/// The first byte chooses: even, the rest is a file; odd, the rest is to be framed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (!input.empty()) {
    const std::string_view rest = input.substr(1);
    interpscale::data::try_all(input.front() % 2 == 0 ? std::string(rest)
                                                      : interpscale::data::framed(rest));
  }
  return 0;
}
