// An attribution as a file: safetensors, CSV or JSON, by the file's extension.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/result.hpp"

namespace interpscale::tool {

/// Which row of the attribution is whose.
struct RowLabel {
  std::size_t layer;   ///< hidden layer, from 1
  std::size_t neuron;  ///< within the layer, from 0; of a dictionary, the latent
};

template <class T>
struct AttributionTable {
  std::string method;
  std::vector<std::string> columns;
  std::vector<RowLabel> rows;
  MatrixView<const T> values;  ///< [rows, columns]
};

/// An error unless the extension is .safetensors, .csv or .json.
[[nodiscard]] Result<void> check_attribution_path(const std::filesystem::path& path);

/// Written beside its target, then renamed: never half a file. safetensors: one tensor
/// `attribution` [rows, columns]. CSV: layer, neuron, then the columns. JSON: {"method", "columns",
/// "rows": [{"layer", "neuron", "values": [...]}]}. Numbers read back as the same bits.
template <class T>
[[nodiscard]] Result<void> write_attribution(const AttributionTable<T>& table,
                                             const std::filesystem::path& path);

}  // namespace interpscale::tool
