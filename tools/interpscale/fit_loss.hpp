// `interpscale fit --law loss`: a loss law of anyone's training runs, from a CSV file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace interpscale::tool {

/// Names of columns; of `flop` and `data` one at most is set (neither: a law of N alone).
struct LossColumns {
  std::string parameters;
  std::string flop;  ///< training FLOPs C; D = C / (6 N)
  std::string data;  ///< D itself
  std::string loss;
};

/// Prints the fit; returns the exit code.
[[nodiscard]] int fit_loss_file(const std::string& path, const LossColumns& columns, bool json);

}  // namespace interpscale::tool
