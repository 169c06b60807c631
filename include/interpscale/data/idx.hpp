// The IDX format of MNIST-like data sets (LeCun, Cortes & Burges, "The MNIST database"), plain or
// gzip, and where to find Fashion-MNIST (Xiao, Rasul & Vollgraf 2017).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/data/dataset.hpp"

namespace interpscale::data {

/// {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz] of a folder; pixels scaled to [0, 1].
/// Errors name the file, the byte, what was found and what was wanted; nothing is allocated that
/// the file's size does not call for.
[[nodiscard]] Result<Split> load_idx_folder(const std::filesystem::path& folder);

/// "fashion-mnist" (where Debian's package puts it), or a folder's path.
[[nodiscard]] Result<std::filesystem::path> find_dataset(std::string_view name);

}  // namespace interpscale::data
