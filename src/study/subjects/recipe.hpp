// What the recipes of passes and methods have in common: the name, the quantities, the specimen.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

/// "<head>/d:784/w:256/L:2/C:10/B:128/t:1/backend:simd".
[[nodiscard]] std::string network_subject_name(std::string_view head, const CellRequest& request,
                                               const Setting& setting);
/// "<head>/t:1/backend:simd[/target:AVX2]".
[[nodiscard]] std::string with_setting(std::string_view head, const Setting& setting);

/// N, n, B, d of the request; no FLOPs and bytes yet.
[[nodiscard]] measure::Quantities network_quantities(const CellRequest& request);

/// The extents in range, a batch, and activity for each layer or none.
[[nodiscard]] Result<void> check_request(const CellRequest& request);

/// The specimen that `source` finds, if it is the one that was asked for.
[[nodiscard]] Result<std::shared_ptr<const Specimen>> find_specimen(const SpecimenSource& source,
                                                                    const CellRequest& request);

/// A pass's subject; an error for an unknown one.
[[nodiscard]] Result<measure::Subject> make_pass_subject(const CellRequest& request,
                                                         const Setting& setting,
                                                         SpecimenSource specimen);

}  // namespace interpscale::study
