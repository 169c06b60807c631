// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "interpscale/data/safetensors.hpp"

namespace interpscale::data {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they stand in memory, which the format wants little-endian");

/// A file that is gone at the end unless `keep_as` succeeded.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : name_(target.string() + ".part-XXXXXX"), descriptor_(::mkstemp(name_.data())) {}
  ~TemporaryFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(name_.c_str());
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] bool opened() const { return descriptor_ >= 0; }

  [[nodiscard]] bool write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) {
        continue;
      }
      if (written <= 0) {
        return false;
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
  }

  /// On disk and under its final name; the folder's entry as well.
  [[nodiscard]] bool keep_as(const std::filesystem::path& target) {
    constexpr mode_t kReadableByAll = 0644;
    if (::fchmod(descriptor_, kReadableByAll) != 0 || ::fsync(descriptor_) != 0 ||
        ::rename(name_.c_str(), target.c_str()) != 0) {
      return false;
    }
    ::close(descriptor_);
    descriptor_ = -1;
    const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    if (directory < 0) {
      return false;
    }
    const bool flushed = ::fsync(directory) == 0;
    ::close(directory);
    return flushed;
  }

 private:
  std::string name_;
  int descriptor_;
};

/// Describes each layer's weight and bias, one after another; padded to a multiple of eight bytes.
std::string header_of(const nn::Mlp<float>& network) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::size_t offset = 0;
  const auto add = [&](const std::string& name, const std::vector<std::size_t>& shape,
                       std::size_t elements) {
    const std::size_t end = offset + elements * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {offset, end}}};
    offset = end;
  };
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Matrix<float>& weights = network.layers[l].weights;
    const std::string index = std::to_string(2 * l);  // odd ones are the activations
    add(index + ".weight", {weights.rows(), weights.cols()}, weights.rows() * weights.cols());
    add(index + ".bias", {weights.rows()}, weights.rows());
  }
  std::string text = header.dump();
  text.resize(round_up(text.size(), 8), ' ');
  return text;
}

bool write_network(const nn::Mlp<float>& network, const TemporaryFile& file) {
  const std::string header = header_of(network);
  const std::uint64_t length = header.size();
  if (!file.write(std::as_bytes(std::span(&length, 1))) ||
      !file.write(std::as_bytes(std::span(header)))) {
    return false;
  }
  std::vector<float> packed;  // the rows without their padding
  for (const nn::DenseLayer<float>& layer : network.layers) {
    packed.clear();
    for (std::size_t j = 0; j < layer.weights.rows(); ++j) {
      const std::span<const float> row = layer.weights.row(j);
      packed.insert(packed.end(), row.begin(), row.end());
    }
    packed.insert(packed.end(), layer.bias.begin(), layer.bias.end());
    if (!file.write(std::as_bytes(std::span<const float>(packed)))) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<void> save_network(const nn::Mlp<float>& network, const std::filesystem::path& path) {
  TemporaryFile file(path);
  if (!file.opened() || !write_network(network, file) || !file.keep_as(path)) {
    return fail("{}: cannot be written: {}", path.string(), std::generic_category().message(errno));
  }
  return {};
}

}  // namespace interpscale::data
