// The network and samples of an explanation, read and held against each other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "interpscale/data/safetensors.hpp"
#include "interpscale/explanation.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::tool {

template <class T>
struct ExplainSubject {
  nn::Mlp<T> network;
  data::Samples<T> samples;            ///< all that are looked at, each with a donor
  std::size_t batch = 0;               ///< the first of them make the batch
  std::vector<std::uint32_t> targets;  ///< of the batch: labels, or the one target
  bool streams = false;                ///< the rest is a data set

  /// `tape` for `batch` samples.
  [[nodiscard]] methods::Probe<T> probe(const methods::MethodOptions& options,
                                        nn::Tape<T>& tape) const;
  [[nodiscard]] methods::Problem problem(const methods::MethodOptions& options) const;
};

/// A safetensors file where `request.data` is one, otherwise a data set's test half, standardised
/// as `interpscale train` does. Without a donor of its own, each sample has the next one (the last
/// the first; a single one its mirror image).
template <class T>
[[nodiscard]] Result<ExplainSubject<T>> load_subject(const methods::MethodSpec& method,
                                                     const ExplainRequest& request);

}  // namespace interpscale::tool
