// Networks as safetensors files (one JSON header, then raw little-endian tensors), tensors named as
// PyTorch names those of a Sequential: "0.weight", "0.bias", "2.weight", ...
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "interpscale/core/result.hpp"
#include "interpscale/kernels/activation.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::data {

/// Writes to a temporary file beside `path`, flushes it to disk, then renames: never half a file.
[[nodiscard]] Result<void> save_network(const nn::Mlp<float>& network,
                                        const std::filesystem::path& path);

/// Reads F32 weight/bias pairs in their numeric order and checks that the shapes chain. The header
/// is not trusted: lengths, bounds, overlaps, dtype and products are checked against the file.
[[nodiscard]] Result<nn::Mlp<float>> load_network(const std::filesystem::path& path,
                                                  kernels::Activation activation);

}  // namespace interpscale::data
