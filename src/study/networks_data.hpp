// The data of a study: one split for each number of inputs, and the batch that everything is timed
// on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "interpscale/core/result.hpp"
#include "interpscale/data/batches.hpp"
#include "interpscale/data/dataset.hpp"
#include "interpscale/study/plan.hpp"

namespace interpscale::study {

/// Where a plan's examples come from. Images are pooled to fewer inputs and standardised by the
/// training half's moments; a teacher (plan.data "teacher-student") has any number of inputs.
class StudyData {
 public:
  /// Loads the data set that the plan names; a teacher needs nothing to be loaded.
  /// `test_examples`: kept of the images' test half, at most (never fewer than the batch).
  [[nodiscard]] static Result<StudyData> open(const Plan& plan, std::size_t test_examples = 2000);

  /// An error where the data cannot be had with this many inputs, or have fewer test examples than
  /// the plan's batch.
  [[nodiscard]] Result<void> check_inputs(std::size_t inputs) const;
  /// Training examples for `training_steps` batches (or all there are) and some for testing; an
  /// error as in `check_inputs`.
  [[nodiscard]] Result<data::Split> with_inputs(std::size_t inputs) const;

 private:
  explicit StudyData(const Plan& plan) : plan_(plan) {}
  [[nodiscard]] data::Split teacher_split(std::size_t inputs) const;

  Plan plan_;
  std::optional<data::Split> images_;  ///< raw; none for a teacher
};

/// The batch of a study: the first of the test examples in the order of the plan's seed.
[[nodiscard]] data::Batch study_batch(const data::Dataset& test, const Plan& plan);

/// A batch as a file (CBOR of inputs, row by row, and labels), so that a round does not have to
/// unpack a whole data set. Written to a temporary file first: never half a file.
[[nodiscard]] Result<void> save_batch(const data::Batch& batch, const std::filesystem::path& path);
[[nodiscard]] Result<data::Batch> load_batch(const std::filesystem::path& path);

}  // namespace interpscale::study
