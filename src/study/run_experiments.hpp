// The experiments' share of a study's time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// Assumed seconds of the pieces that stand in the journal.
[[nodiscard]] double experiment_seconds_done(const StudyJournal& journal);

}  // namespace interpscale::study
