// A safetensors file as its header describes it, checked: what the readers of networks and samples
// start from. Any stream will do, so that tests and the fuzzer need no files.
// Format: huggingface/safetensors, README, "Format".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/result.hpp"
#include "interpscale/data/safetensors.hpp"

namespace interpscale::data {

enum class Dtype { kF32, kF64, kI32, kI64 };

[[nodiscard]] std::string_view name_of(Dtype dtype);
[[nodiscard]] std::uint64_t bytes_of(Dtype dtype);

struct Tensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<std::uint64_t> shape;  ///< one or two extents, none of them 0
  std::uint64_t begin = 0;           ///< within the data, that is, behind the header
  std::uint64_t end = 0;
};

struct Header {
  std::uint64_t data_begin = 0;  ///< offset in the file
  std::uint64_t data_bytes = 0;
  std::vector<Tensor> tensors;  ///< in the order of the data, which they tile
};

/// Where bytes come from, and what messages call it.
struct Source {
  std::string name;
  std::istream& stream;
  std::uint64_t bytes;
};

/// The header's text, [begin, begin + text.size()) of the file, as tensors that are each consistent
/// in themselves; in the order of the text.
[[nodiscard]] Result<std::vector<Tensor>> parse_header(const std::string& file,
                                                       std::string_view text, std::uint64_t begin);

/// The whole header, its tensors held against the file's size and against each other.
[[nodiscard]] Result<Header> read_header(Source& source);

/// Rows of finite numbers, converted from F32 or F64; `out` has the tensor's elements.
template <class T>
[[nodiscard]] Result<void> read_rows(Source& source, const Header& header, const Tensor& tensor,
                                     MatrixView<T> out);
/// Class numbers from I32 or I64, each in [0, 2^31).
[[nodiscard]] Result<std::vector<std::uint32_t>> read_labels(Source& source, const Header& header,
                                                             const Tensor& tensor);

template <class T>
[[nodiscard]] Result<nn::Mlp<T>> read_network(Source& source, kernels::Activation activation);
template <class T>
[[nodiscard]] Result<Samples<T>> read_samples(Source& source);

}  // namespace interpscale::data
