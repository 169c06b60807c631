// Losses and their gradients. Few classes would leave most lanes of a row's vector empty, so there
// the lanes are samples: 512 rows of 10 classes took 15 us row by row. A sample's bits do not
// depend on its place in the batch either way. SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/losses.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
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

/// Up to so many classes, losses are computed with samples as lanes.
constexpr std::size_t kFewClasses = 64;

/// The losses alone, a vector of samples at a time; logits.cols() <= kFewClasses. Lanes behind the
/// last sample repeat it.
template <class T>
void cross_entropy_of_few_classes(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                                  std::span<T> losses) {
  const Tag<T> d;
  const hn::RebindToSigned<Tag<T>> indices;
  using Index = hn::TFromD<hn::RebindToSigned<Tag<T>>>;
  HWY_ALIGN Index rows[kLanes<T>];
  HWY_ALIGN Index chosen[kLanes<T>];
  HWY_ALIGN T by_class[kFewClasses * kLanes<T>];
  const std::size_t classes = logits.cols();
  for (std::size_t b = 0; b < logits.rows(); b += kLanes<T>) {
    const std::size_t count = std::min(kLanes<T>, logits.rows() - b);
    for (std::size_t lane = 0; lane < kLanes<T>; ++lane) {
      const std::size_t row = std::min(lane, count - 1);
      rows[lane] = static_cast<Index>(row * logits.leading_dimension());
      chosen[lane] = static_cast<Index>(rows[lane] + static_cast<Index>(labels[b + row]));
    }
    const T* base = logits.row_data(b);
    const auto at = hn::Load(indices, rows);
    Vector<T> largest = hn::GatherIndex(d, base, at);
    for (std::size_t c = 0; c < classes; ++c) {
      const Vector<T> logit = hn::GatherIndex(d, base + c, at);
      hn::Store(logit, d, by_class + c * kLanes<T>);
      largest = hn::Max(largest, logit);
    }
    Vector<T> sum = hn::Zero(d);
    for (std::size_t c = 0; c < classes; ++c) {
      sum = hn::Add(sum, hn::Exp(d, hn::Sub(hn::Load(d, by_class + c * kLanes<T>), largest)));
    }
    const Vector<T> own = hn::GatherIndex(d, base, hn::Load(indices, chosen));
    store_first(hn::Sub(hn::Log(d, sum), hn::Sub(own, largest)), losses.data() + b, count);
  }
}

template <class T>
void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels, T scale,
                   std::span<T> losses, MatrixView<T> gradient) {
  const Tag<T> d;
  const bool wanted = !gradient.empty();
  if (!wanted && logits.cols() <= kFewClasses) {
    cross_entropy_of_few_classes(logits, labels, losses);
    return;
  }
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
