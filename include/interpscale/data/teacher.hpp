// Teacher-student data without end: a deep random network labels uniform inputs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "interpscale/data/batches.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::data {

/// Inputs uniform on [-1, 1]^d; targets the teacher's outputs, standardised over a fixed sample to
/// mean 0 and deviation 1 each. Batch `index` is a pure function of (seed, index).
class TeacherStudent {
 public:
  TeacherStudent(const nn::Topology& teacher, std::uint64_t seed);

  void fill(std::uint64_t index, std::size_t batch, Batch& out) const;
  [[nodiscard]] const nn::Mlp<float>& teacher() const { return teacher_; }

 private:
  nn::Mlp<float> teacher_;
  std::uint64_t seed_;
  std::vector<float> mean_;
  std::vector<float> deviation_;
};

}  // namespace interpscale::data
