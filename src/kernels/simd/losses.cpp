// Losses and their gradients, one sample (row) at a time.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/losses.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <limits>

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// The lanes outside `place` replaced by `filler`.
template <class T>
HWY_INLINE Vector<T> filled(Vector<T> vector, Vector<T>, Whole) {
  return vector;
}
template <class T>
HWY_INLINE Vector<T> filled(Vector<T> vector, Vector<T> filler, Part part) {
  return hn::IfThenElse(hn::FirstN(Tag<T>(), part.count), vector, filler);
}

template <class T>
HWY_INLINE T largest_of(std::span<const T> row) {
  const Tag<T> d;
  const Vector<T> lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
  Vector<T> largest = lowest;
  for_vectors<T>(row.size(), [&](std::size_t j, auto place) HWY_ATTR {
    largest = hn::Max(largest, filled<T>(place.load(row.data() + j), lowest, place));
  });
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// sum_c exp(row[c] - largest); the terms are kept in `terms` unless that is nullptr.
template <class T>
HWY_INLINE T sum_of_exponentials(std::span<const T> row, T largest, T* terms) {
  const Tag<T> d;
  const Vector<T> shift = hn::Set(d, largest);
  Vector<T> sum = hn::Zero(d);
  for_vectors<T>(row.size(), [&](std::size_t j, auto place) HWY_ATTR {
    const Vector<T> term = hn::Exp(d, hn::Sub(place.load(row.data() + j), shift));
    if (terms != nullptr) {
      place.store(term, terms + j);
    }
    sum = hn::Add(sum, filled<T>(term, hn::Zero(d), place));
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

template <class T>
void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels, T scale,
                   std::span<T> losses, MatrixView<T> gradient) {
  const Tag<T> d;
  const bool wanted = !gradient.empty();
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const std::span<const T> row = logits.row(b);
    const T largest = largest_of(row);
    T* terms = wanted ? gradient.row_data(b) : nullptr;
    const T sum = sum_of_exponentials(row, largest, terms);
    losses[b] = hn::GetLane(hn::Log(d, hn::Set(d, sum))) - (row[labels[b]] - largest);
    if (wanted) {
      const Vector<T> factor = hn::Set(d, scale / sum);
      for_vectors<T>(row.size(), [&](std::size_t j, auto place) HWY_ATTR {
        place.store(hn::Mul(factor, place.load(terms + j)), terms + j);
      });
      terms[labels[b]] -= scale;
    }
  }
}

template <class T>
void squared_error(MatrixView<const T> predictions, MatrixView<const T> targets, T scale,
                   std::span<T> losses, MatrixView<T> gradient) {
  const Tag<T> d;
  const T outputs = static_cast<T>(predictions.cols());
  const Vector<T> factor = hn::Set(d, T{2} * scale / outputs);
  for (std::size_t b = 0; b < predictions.rows(); ++b) {
    Vector<T> squares = hn::Zero(d);
    for_vectors<T>(predictions.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> error =
          hn::Sub(place.load(predictions.row_data(b) + j), place.load(targets.row_data(b) + j));
      squares = hn::MulAdd(error, error, squares);  // outside a part, both are zero
      place.store(hn::Mul(factor, error), gradient.row_data(b) + j);
    });
    losses[b] = hn::GetLane(hn::SumOfLanes(d, squares)) / outputs;
  }
}

template <class T>
LossKernels<T> loss_kernels() {
  return {cross_entropy<T>, squared_error<T>};
}

void fill_float(LossKernels<float>& kernels) {
  kernels = loss_kernels<float>();
}
void fill_double(LossKernels<double>& kernels) {
  kernels = loss_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

HWY_EXPORT(fill_float);
HWY_EXPORT(fill_double);

void select(TargetBit target, LossKernels<float>& kernels) {
  call_for(target, HWY_DISPATCH_TABLE(fill_float), kernels);
}
void select(TargetBit target, LossKernels<double>& kernels) {
  call_for(target, HWY_DISPATCH_TABLE(fill_double), kernels);
}

}  // namespace interpscale::kernels::simd
#endif
