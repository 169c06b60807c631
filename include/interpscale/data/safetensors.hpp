// Networks, samples and attributions as safetensors files (one JSON header, then raw little-endian
// tensors). A network's tensors are named as PyTorch names those of a Sequential: "0.weight",
// "0.bias", "2.weight", ...
//
// A file that is read is not trusted: its header's length and depth, names, dtypes, shapes, bounds,
// overlaps, gaps and products are checked against the file's size, and every number must be finite.
// Errors name the file, the byte or tensor, what was found and what was wanted. Memory stays within
// a small multiple of the file's size (rows of a matrix are padded to a cache line).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/kernels/activation.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::data {

/// Writes to a temporary file beside `path`, flushes it to disk, then renames: never half a file.
[[nodiscard]] Result<void> save_network(const nn::Mlp<float>& network,
                                        const std::filesystem::path& path);

/// One tensor `name` [rows, cols], F32 or F64; written like a network.
template <class T>
[[nodiscard]] Result<void> save_matrix(const std::string& name, MatrixView<const T> matrix,
                                       const std::filesystem::path& path);

/// Reads weight/bias pairs (F32 or F64, converted to T) in their numeric order and checks that the
/// shapes chain.
template <class T = float>
[[nodiscard]] Result<nn::Mlp<T>> load_network(const std::filesystem::path& path,
                                              kernels::Activation activation);

/// What a network is to be looked at with.
template <class T>
struct Samples {
  Matrix<T> inputs;                   ///< x [B, d]
  std::vector<std::uint32_t> labels;  ///< [B], or empty
  Matrix<T> donor;                    ///< counterfactual inputs [B, d], or empty
  Matrix<T> baseline;                 ///< x' [1, d], or empty
};

/// Reads the tensors `inputs` [B, d] (F32 or F64) and, where there are such, `labels` [B] (I64 or
/// I32, not negative), `donor` [B, d] and `baseline` [d] or [1, d]; no other name is accepted.
template <class T = float>
[[nodiscard]] Result<Samples<T>> load_samples(const std::filesystem::path& path);

}  // namespace interpscale::data
