// Losses and their gradients. A row of few classes would leave most lanes of its vectors empty, so
// there the lanes are samples: 10 classes took 29 ns a sample row by row, and 10 ns with a gather
// for each class instead of the transposition, which takes 5 (losses alone, Zen 4, AVX3). A
// sample's bits do not depend on its place in the batch either way. SPDX-License-Identifier:
// Apache-2.0
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

#include "kernels/simd/exponential-inl.h"
#include "kernels/simd/transpose-inl.h"
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
    const Vector<T> term =
        exponential_of_nonpositive<T>(hn::Sub(place.load(row.data() + j), shift));
    if (terms != nullptr) {
      place.store(term, terms + j);
    }
    sum = hn::Add(sum, filled<T>(term, hn::Zero(d), place));
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// Classes of a block of samples, class by class: half of a first-level cache of 32 KiB.
constexpr std::size_t kBlockBytes = std::size_t{16} << 10U;
template <class T>
constexpr std::size_t kBlockSize = kBlockBytes / sizeof(T);
/// Vectors of samples a block. With one or two, wide loads meet narrow stores that are still on
/// their way to the cache.
constexpr std::size_t kMostBlockVectors = 4;
/// Up to so many classes the lanes are samples.
template <class T>
constexpr std::size_t kMostClassesAcross = kBlockSize<T> / kLanes<T>;

/// The losses of one vector of samples, class c at by_class[c * stride]; own: the logits of the
/// labels. Leaves scale softmax(logits) behind if that is wanted.
template <class T>
HWY_INLINE Vector<T> softmax_across(T* by_class, std::size_t stride, std::size_t classes,
                                    Vector<T> own, T scale, bool wanted) {
  const Tag<T> d;
  Vector<T> largest = hn::Load(d, by_class);
  for (std::size_t c = 1; c < classes; ++c) {
    largest = hn::Max(largest, hn::Load(d, by_class + c * stride));
  }
  Vector<T> sum = hn::Zero(d);
  for (std::size_t c = 0; c < classes; ++c) {
    T* at = by_class + c * stride;
    const Vector<T> term = exponential_of_nonpositive<T>(hn::Sub(hn::Load(d, at), largest));
    hn::Store(term, d, at);
    sum = hn::Add(sum, term);
  }
  const Vector<T> factor = hn::Div(hn::Set(d, scale), sum);
  for (std::size_t c = 0; wanted && c < classes; ++c) {
    T* at = by_class + c * stride;
    hn::Store(hn::Mul(factor, hn::Load(d, at)), d, at);
  }
  return hn::Sub(hn::Log(d, sum), hn::Sub(own, largest));
}

/// Samples as lanes; 1 <= logits.cols() <= kMostClassesAcross. Lanes behind the last sample hold
/// zeros.
template <class T>
void cross_entropy_across(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                          T scale, std::span<T> losses, MatrixView<T> gradient) {
  const Tag<T> d;
  HWY_ALIGN T by_class[kBlockSize<T>];
  HWY_ALIGN T own[kMostBlockVectors * kLanes<T>] = {};
  const bool wanted = !gradient.empty();
  const std::size_t classes = logits.cols();
  const std::size_t stride =
      std::min(kMostBlockVectors, kMostClassesAcross<T> / classes) * kLanes<T>;
  for (std::size_t b = 0; b < logits.rows(); b += stride) {
    const std::size_t count = std::min(stride, logits.rows() - b);
    transpose_matrix(logits.row_data(b), logits.leading_dimension(), count, classes, by_class,
                     stride);
    const std::size_t lanes_end = round_up(count, kLanes<T>);
    for (std::size_t c = 0; count < lanes_end && c < classes; ++c) {
      std::fill(by_class + c * stride + count, by_class + c * stride + lanes_end, T{0});
    }
    for (std::size_t i = 0; i < count; ++i) {
      own[i] = logits(b + i, labels[b + i]);
    }
    for_vectors<T>(count, [&](std::size_t i, auto place) HWY_ATTR {
      const Vector<T> loss =
          softmax_across(by_class + i, stride, classes, hn::Load(d, own + i), scale, wanted);
      place.store(loss, losses.data() + b + i);
    });
    if (wanted) {
      transpose_matrix(by_class, stride, classes, count, gradient.row_data(b),
                       gradient.leading_dimension());
      for (std::size_t i = 0; i < count; ++i) {
        gradient(b + i, labels[b + i]) -= scale;
      }
    }
  }
}

/// A sample at a time, its classes as lanes.
template <class T>
void cross_entropy_by_rows(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                           T scale, std::span<T> losses, MatrixView<T> gradient) {
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
void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels, T scale,
                   std::span<T> losses, MatrixView<T> gradient) {
  const auto form =
      logits.cols() <= kMostClassesAcross<T> ? cross_entropy_across<T> : cross_entropy_by_rows<T>;
  form(logits, labels, scale, losses, gradient);
}

/// The loss of one vector of samples against targets by class, laid out as the logits are.
template <class T>
HWY_INLINE Vector<T> soft_loss_across(const T* by_class, const T* targets, std::size_t stride,
                                      std::size_t classes, Vector<T>& magnitude) {
  const Tag<T> d;
  Vector<T> largest = hn::Load(d, by_class);
  magnitude = hn::Abs(largest);
  for (std::size_t c = 1; c < classes; ++c) {
    const Vector<T> logit = hn::Load(d, by_class + c * stride);
    largest = hn::Max(largest, logit);
    magnitude = hn::Max(magnitude, hn::Abs(logit));
  }
  Vector<T> sum = hn::Zero(d);
  Vector<T> weighted = hn::Zero(d);
  for (std::size_t c = 0; c < classes; ++c) {
    const Vector<T> shifted = hn::Sub(hn::Load(d, by_class + c * stride), largest);
    sum = hn::Add(sum, exponential_of_nonpositive<T>(shifted));
    weighted = hn::MulAdd(hn::Load(d, targets + c * stride), shifted, weighted);
  }
  return hn::Sub(hn::Log(d, sum), weighted);
}

/// Samples as lanes; 1 <= logits.cols() <= kMostClassesAcross. Lanes behind the last sample hold
/// zeros.
template <class T>
void soft_cross_entropy_across(MatrixView<const T> logits, MatrixView<const T> targets,
                               std::span<T> losses, std::span<T> magnitudes) {
  HWY_ALIGN T by_class[kBlockSize<T>];
  HWY_ALIGN T targets_by_class[kBlockSize<T>];
  const std::size_t classes = logits.cols();
  const std::size_t stride =
      std::min(kMostBlockVectors, kMostClassesAcross<T> / classes) * kLanes<T>;
  for (std::size_t b = 0; b < logits.rows(); b += stride) {
    const std::size_t count = std::min(stride, logits.rows() - b);
    transpose_matrix(logits.row_data(b), logits.leading_dimension(), count, classes, by_class,
                     stride);
    transpose_matrix(targets.row_data(b), targets.leading_dimension(), count, classes,
                     targets_by_class, stride);
    const std::size_t lanes_end = round_up(count, kLanes<T>);
    for (std::size_t c = 0; count < lanes_end && c < classes; ++c) {
      std::fill(by_class + c * stride + count, by_class + c * stride + lanes_end, T{0});
      std::fill(targets_by_class + c * stride + count, targets_by_class + c * stride + lanes_end,
                T{0});
    }
    for_vectors<T>(count, [&](std::size_t i, auto place) HWY_ATTR {
      Vector<T> magnitude;
      const Vector<T> loss =
          soft_loss_across(by_class + i, targets_by_class + i, stride, classes, magnitude);
      place.store(loss, losses.data() + b + i);
      place.store(magnitude, magnitudes.data() + b + i);
    });
  }
}

/// A sample at a time, its classes as lanes.
template <class T>
void soft_cross_entropy_by_rows(MatrixView<const T> logits, MatrixView<const T> targets,
                                std::span<T> losses, std::span<T> magnitudes) {
  const Tag<T> d;
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const std::span<const T> row = logits.row(b);
    const T largest = largest_of(row);
    const Vector<T> shift = hn::Set(d, largest);
    Vector<T> weighted = hn::Zero(d);
    Vector<T> magnitude = hn::Zero(d);
    for_vectors<T>(row.size(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> logit = place.load(row.data() + j);  // outside a part, targets are zero
      weighted = hn::MulAdd(place.load(targets.row_data(b) + j), hn::Sub(logit, shift), weighted);
      magnitude = hn::Max(magnitude, hn::Abs(logit));
    });
    const T sum = sum_of_exponentials<T>(row, largest, nullptr);
    losses[b] = hn::GetLane(hn::Log(d, hn::Set(d, sum))) - hn::GetLane(hn::SumOfLanes(d, weighted));
    magnitudes[b] = hn::GetLane(hn::MaxOfLanes(d, magnitude));
  }
}

template <class T>
void soft_cross_entropy(MatrixView<const T> logits, MatrixView<const T> targets,
                        std::span<T> losses, std::span<T> magnitudes) {
  const auto form = logits.cols() <= kMostClassesAcross<T> ? soft_cross_entropy_across<T>
                                                           : soft_cross_entropy_by_rows<T>;
  form(logits, targets, losses, magnitudes);
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
  return {cross_entropy<T>, soft_cross_entropy<T>, squared_error<T>};
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

INTERPSCALE_SELECT(LossKernels)

}  // namespace interpscale::kernels::simd
#endif
