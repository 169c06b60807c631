// Safetensors files by hand, whole and damaged.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace interpscale::testing {

inline std::string length_of(std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);  // little-endian, as the host
  return bytes;
}

template <class T>
std::string bytes_of_value(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

/// `header` with its length before it and `data` behind it.
inline std::string with_header(const std::string& header, const std::string& data) {
  return length_of(header.size()) + header + data;
}

/// A file of `header` and `floats` values 0.5, 1.5, ...
inline std::string file_of(const std::string& header, std::size_t floats) {
  std::string data;
  for (std::size_t k = 0; k < floats; ++k) {
    data += bytes_of_value(static_cast<float>(k) + 0.5F);
  }
  return with_header(header, data);
}

inline std::string entry(const std::string& name, const std::string& shape, std::uint64_t begin,
                         std::uint64_t end, const std::string& dtype = "F32") {
  return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[)" +
         std::to_string(begin) + ',' + std::to_string(end) + "]}";
}

/// A 2-1-1 network in 20 bytes; each entry may be replaced.
struct Entries {
  std::string weight0 = entry("0.weight", "[1,2]", 0, 8);
  std::string bias0 = entry("0.bias", "[1]", 8, 12);
  std::string weight1 = entry("2.weight", "[1,1]", 12, 16);
  std::string bias1 = entry("2.bias", "[1]", 16, 20);

  [[nodiscard]] std::string header() const {
    return '{' + weight0 + ',' + bias0 + ',' + weight1 + ',' + bias1 + '}';
  }
};

}  // namespace interpscale::testing
