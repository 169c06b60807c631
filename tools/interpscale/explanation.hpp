// One method run on a user's own network and data: what is asked for, what it needs, what it gave.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/result.hpp"
#include "interpscale/methods/spec.hpp"

namespace interpscale::tool {

struct ExplainRequest {
  std::string model;
  std::string data;
  std::string activation = "relu";
  std::string variant;                  ///< empty: "fast", or the only one
  std::optional<std::uint32_t> target;  ///< the output F; none: each sample's label
  std::vector<std::size_t> layers;      ///< from 1; empty: all
  methods::MethodOptions options;
  std::size_t samples = 0;  ///< 0: all of a file; of a data set, 256 (all, if the method streams)
  std::uint64_t memory_bytes = 0;
  std::string backend = "simd";
  int threads = 1;
};

/// Told how far a run has come, from 0 to 1; below 0 where that is not known.
using ExplainProgress = std::function<void(double)>;

template <class T>
struct Explanation {
  std::string how;  ///< "fast", or "reference"
  std::vector<std::string> columns;
  std::vector<std::size_t> rows_of_layer;  ///< a layer's rows in `values`
  Matrix<T> values;                        ///< all rows; those of layers not asked for may be empty
  std::size_t samples = 0;
  double seconds = 0;
  std::uint64_t planned_bytes = 0;
};

/// Float: the variant, on the chosen backend. Double: the method's reference. Errors: files that
/// cannot be read or do not fit each other; a layer or target the network does not have; memory
/// that the plan exceeds, with the bytes wanted and given.
template <class T>
[[nodiscard]] Result<Explanation<T>> explain(const methods::MethodSpec& method,
                                             const ExplainRequest& request,
                                             const ExplainProgress& progress);

}  // namespace interpscale::tool
