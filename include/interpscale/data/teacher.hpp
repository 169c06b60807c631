// Teacher-student data without end: a deep random network labels uniform inputs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "interpscale/data/batches.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::data {

/// Inputs uniform on [-1, 1]^d; targets the teacher's outputs, standardised over a fixed sample to
/// mean 0 and deviation 1 each. Batch `index` is a pure function of (seed, index) and of its size:
/// outputs are computed by plain loops in a fixed order, not by the backend under test.
class TeacherStudent {
 public:
  TeacherStudent(const nn::Topology& teacher, std::uint64_t seed);

  /// Fills `out` with `batch` rows of inputs and targets. 2 N batch FLOPs for a teacher of N
  /// parameters; a few times slower than a tuned product, and the same bits on any threads.
  void fill(std::uint64_t index, std::size_t batch, Batch& out, int threads = 1) const;
  [[nodiscard]] const nn::Mlp<float>& teacher() const { return teacher_; }

 private:
  /// targets [B, C] := standardised outputs for inputs [B, d].
  void label(MatrixView<const float> inputs, MatrixView<float> targets) const;

  nn::Mlp<float> teacher_;
  std::vector<Matrix<float>> columns_;  // each layer's weights, transposed: [in, out]
  std::uint64_t seed_;
  std::vector<float> mean_;
  std::vector<float> deviation_;
};

}  // namespace interpscale::data
