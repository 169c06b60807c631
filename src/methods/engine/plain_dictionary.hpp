// The definition of a trained dictionary, in obvious loops (sparse_autoencoder.cpp has the
// formulas).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// Density, explained variance, and that of the whole layer.
inline constexpr std::size_t kDictionaryColumns = 3;

/// out [latents of all layers, kDictionaryColumns].
void plain_dictionaries(const Probe<double>& probe, MatrixView<double> out);

}  // namespace interpscale::methods::engine
