// What the products over active units alone are made of: rows and columns gathered side by side,
// and the rows of packed Jacobians. active_products.cpp puts them together.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/active.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "kernels/simd/strips-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

// Rows that share a vector of the mask, and the count of its lanes.
constexpr std::size_t kRowsAtOnce = 4;

/// Compressed in a register and stored whole: on Zen 4 the instruction that compresses into memory
/// takes a hundred cycles.
template <class T, class Mask>
HWY_INLINE void store_packed(Vector<T> value, Mask active, T* to) {
  hn::StoreU(hn::Compress(value, active), Tag<T>(), to);
}

/// As wide as T: the numbers of units beside each other.
template <class T>
using UnitTag = hn::RebindToUnsigned<Tag<T>>;

/// Writes the units that the mask holds, and others behind them.
template <class T, class Mask>
HWY_INLINE void store_units(hn::VFromD<UnitTag<T>> units, Mask wanted, std::uint32_t* to) {
  const UnitTag<T> d;
  const auto packed = hn::Compress(units, hn::RebindMask(d, wanted));
  if constexpr (sizeof(T) == sizeof(std::uint32_t)) {
    hn::StoreU(packed, d, to);
  } else {
    HWY_ALIGN hn::TFromD<UnitTag<T>> lanes[kLanes<T>];
    hn::Store(packed, d, lanes);
    for (std::size_t lane = 0; lane < kLanes<T>; ++lane) {
      to[lane] = static_cast<std::uint32_t>(lanes[lane]);
    }
  }
}

template <class T, std::size_t kRows>
HWY_INLINE void gather_some(const T* h, std::size_t width, const T* const* rows, T* packed,
                            std::size_t stride) {
  const Tag<T> d;
  std::size_t at = 0;
  for_vectors<T>(width, [&](std::size_t p, auto place) HWY_ATTR {
    const auto active = hn::Gt(place.load(h + p), hn::Zero(d));
    unroll<kRows>([&](auto r) HWY_ATTR {
      store_packed<T>(place.load(rows[r] + p), active, packed + r * stride + at);
    });
    at += hn::CountTrue(d, active);
  });
}

template <class T>
void gather_columns(std::span<const T> h, MatrixView<const T> weights,
                    std::span<const std::uint32_t> units, T* packed, std::size_t stride) {
  const T* rows[kRowsAtOnce];
  std::size_t r = 0;
  for (; r + kRowsAtOnce <= units.size(); r += kRowsAtOnce) {
    for (std::size_t i = 0; i < kRowsAtOnce; ++i) {
      rows[i] = weights.row_data(units[r + i]);
    }
    gather_some<T, kRowsAtOnce>(h.data(), h.size(), rows, packed + r * stride, stride);
  }
  for (; r < units.size(); ++r) {
    rows[0] = weights.row_data(units[r]);
    gather_some<T, 1>(h.data(), h.size(), rows, packed + r * stride, stride);
  }
}

template <class T>
void gather_rows(MatrixView<const T> from, std::span<const std::uint32_t> units, T* panel,
                 std::size_t stride) {
  const Tag<T> d;
  for (std::size_t p = 0; p < units.size(); ++p) {
    const T* row = from.row_data(units[p]);
    T* to = panel + p * stride;
    for_vectors<T>(from.cols(), [&](std::size_t j, auto place)
                                    HWY_ATTR { hn::StoreU(place.load(row + j), d, to + j); });
  }
}

template <class T>
std::size_t restart_row(const RestartedRow<T>& row, T* packed, std::uint32_t* awakened, T* values) {
  const Tag<T> d;
  const Vector<T> zero = hn::Zero(d);
  const Vector<T> delta = hn::Set(d, row.delta);
  const UnitTag<T> unit_tag;
  // Counted up in a register: made anew, they would pass through memory lane by lane.
  auto units = hn::Iota(unit_tag, 0);
  const auto step = hn::Set(unit_tag, kLanes<T>);
  std::size_t at = 0;
  std::size_t count = 0;
  for_vectors<T>(row.width, [&](std::size_t p, auto place) HWY_ATTR {
    const Vector<T> base = place.load(row.z + p);
    const Vector<T> value = hn::Max(zero, hn::MulAdd(delta, place.load(row.column + p), base));
    const auto active = hn::Gt(base, zero);
    store_packed<T>(value, active, packed + at);
    at += hn::CountTrue(d, active);
    const auto awake = hn::AndNot(active, hn::Gt(value, zero));
    store_units<T>(units, awake, awakened + count);
    store_packed<T>(value, awake, values + count);
    count += hn::CountTrue(d, awake);
    units = hn::Add(units, step);
  });
  return count;
}

template <class T>
void finish_row(const RestartedLayers<T>& layers, std::span<const std::uint32_t> awakened,
                const T* values, T* out) {
  const Vector<T> zero = hn::Zero(Tag<T>());
  for_strips<T>(layers.next.cols(), [&](std::size_t first, auto strip) HWY_ATTR {
    strip.clear();
    strip.add_pair(out + first, layers.bias.data() + first,
                   [](Vector<T> product, Vector<T> bias, Vector<T>)
                       HWY_ATTR { return hn::Add(product, bias); });
    for (std::size_t k = 0; k < awakened.size(); ++k) {
      const Vector<T> value = hn::Set(Tag<T>(), values[k]);
      const T* row = layers.next.row_data(awakened[k]) + first;
      strip.add_pair(row, row, [&](Vector<T> weight, Vector<T>, Vector<T> sum) HWY_ATTR {
        return hn::MulAdd(value, weight, sum);
      });
    }
    strip.finish([&](std::size_t offset, Vector<T> sum, auto place) HWY_ATTR {
      place.store(layers.relu ? hn::Max(zero, sum) : sum, out + first + offset);
    });
  });
}

template <class T>
void first_rows(MatrixView<const T> weights, std::span<const std::uint32_t> units, const T* factors,
                MatrixView<T> out) {
  for (std::size_t r = 0; r < units.size(); ++r) {
    const T* weight = weights.row_data(units[r]);
    T* to = out.row_data(r);
    for_vectors<T>(weights.cols(), [&](std::size_t i, auto place) HWY_ATTR {
      const Vector<T> value = place.load(weight + i);
      place.store(factors == nullptr ? value : hn::Mul(value, place.load(factors + i)), to + i);
    });
  }
}

template <class T>
void accumulate_rows(const ActiveRows<T>& rows, MatrixView<const T> jacobian, MatrixView<T> out) {
  const Tag<T> d;
  for (std::size_t r = 0; r < rows.units.size(); ++r) {
    const std::uint32_t unit = rows.units[r];
    const Vector<T> factor =
        hn::Set(d, rows.gains == nullptr ? rows.scale : rows.scale * rows.gains[unit]);
    const T* from = jacobian.row_data(r);
    T* to = out.row_data(unit);
    if (rows.absolute) {
      for_vectors<T>(out.cols(), [&](std::size_t i, auto place) HWY_ATTR {
        const Vector<T> entry = hn::Abs(hn::Mul(factor, place.load(from + i)));
        place.store(hn::Add(place.load(to + i), entry), to + i);
      });
    } else {
      for_vectors<T>(out.cols(), [&](std::size_t i, auto place) HWY_ATTR {
        place.store(hn::MulAdd(factor, place.load(from + i), place.load(to + i)), to + i);
      });
    }
  }
}

template <class T>
ActiveKernels<T> active_kernels() {
  return {gather_columns<T>, gather_rows<T>, restart_row<T>,
          finish_row<T>,     first_rows<T>,  accumulate_rows<T>};
}

void fill_float(ActiveKernels<float>& kernels) {
  kernels = active_kernels<float>();
}
void fill_double(ActiveKernels<double>& kernels) {
  kernels = active_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(ActiveKernels)

}  // namespace interpscale::kernels::simd
#endif
