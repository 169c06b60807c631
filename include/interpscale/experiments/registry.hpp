// Every experiment of the project: the files of src/experiments, in the order of their names.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {

/// Defined by the generated manifest: one `ExperimentSpec <name>()` a file.
[[nodiscard]] std::vector<ExperimentSpec> all_experiments();

/// The claims ledger: what each experiment says of the evidence, one after the other, each line
/// with the experiment's name and the evidence's setting filled in, in the order of the claims'
/// numbers.
[[nodiscard]] std::vector<LedgerLine> claims_ledger(const std::vector<ExperimentSpec>& experiments,
                                                    const Evidence& evidence);

}  // namespace interpscale::experiments
