// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "interpscale/data/atomic_file.hpp"
#include "interpscale/data/safetensors.hpp"

namespace interpscale::data {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they stand in memory, which the format wants little-endian");

/// The header of tensors that stand one after another; padded to a multiple of eight bytes.
class HeaderText {
 public:
  void add(const std::string& name, const std::vector<std::size_t>& shape,
           std::size_t element_bytes) {
    std::size_t bytes = element_bytes;
    for (const std::size_t extent : shape) {
      bytes = checked_product(bytes, extent);
    }
    header_[name] = {{"dtype", element_bytes == sizeof(float) ? "F32" : "F64"},
                     {"shape", shape},
                     {"data_offsets", {offset_, offset_ + bytes}}};
    offset_ += bytes;
  }

  void write_to(AtomicFile& file) const {
    std::string text = header_.dump();
    text.resize(round_up(text.size(), 8), ' ');
    const std::uint64_t length = text.size();
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(text);
  }

 private:
  nlohmann::ordered_json header_ = nlohmann::ordered_json::object();
  std::size_t offset_ = 0;
};

/// The rows without their padding.
template <class T>
void write_rows(MatrixView<const T> rows, AtomicFile& file) {
  std::vector<T> packed;
  packed.reserve(rows.rows() * rows.cols());
  for (std::size_t j = 0; j < rows.rows(); ++j) {
    packed.insert(packed.end(), rows.row(j).begin(), rows.row(j).end());
  }
  file.write(std::as_bytes(std::span<const T>(packed)));
}

}  // namespace

Result<void> save_network(const nn::Mlp<float>& network, const std::filesystem::path& path) {
  HeaderText header;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Matrix<float>& weights = network.layers[l].weights;
    const std::string index = std::to_string(2 * l);  // odd ones are the activations
    header.add(index + ".weight", {weights.rows(), weights.cols()}, sizeof(float));
    header.add(index + ".bias", {weights.rows()}, sizeof(float));
  }
  AtomicFile file(path);
  header.write_to(file);
  for (const nn::DenseLayer<float>& layer : network.layers) {
    write_rows<float>(layer.weights, file);
    file.write(std::as_bytes(std::span(layer.bias)));
  }
  return file.keep();
}

template <class T>
Result<void> save_matrix(const std::string& name, MatrixView<const T> matrix,
                         const std::filesystem::path& path) {
  HeaderText header;
  header.add(name, {matrix.rows(), matrix.cols()}, sizeof(T));
  AtomicFile file(path);
  header.write_to(file);
  write_rows<T>(matrix, file);
  return file.keep();
}

template Result<void> save_matrix<float>(const std::string&, MatrixView<const float>,
                                         const std::filesystem::path&);
template Result<void> save_matrix<double>(const std::string&, MatrixView<const double>,
                                          const std::filesystem::path&);

}  // namespace interpscale::data
