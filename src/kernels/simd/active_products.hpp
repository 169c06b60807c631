// Products over active units alone, sample by sample: which rows and columns are gathered, how the
// work is cut into blocks of rows, and which thread does which. Every element is one chain over the
// active units in their order, so that results depend on neither blocks nor threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/simd/kernel_table.hpp"

namespace interpscale::kernels::simd {

/// As `Backend` says of the operations of the same names.
template <class T>
void first_active_jacobian(const KernelTable<T>& table, MatrixView<const T> h,
                           MatrixView<const T> weights, MatrixView<const T> factors,
                           MatrixView<T> jacobian, const Execution& with);
template <class T>
void next_active_jacobian(const KernelTable<T>& table, const ActiveLayer<T>& layer,
                          MatrixView<const T> below, MatrixView<T> jacobian, const Execution& with);
template <class T>
void accumulate_active_jacobian(const KernelTable<T>& table, const ActiveSum<T>& sum,
                                MatrixView<const T> jacobian, MatrixView<T> out,
                                const Execution& with);
template <class T>
void rank_one_products(const KernelTable<T>& table, const RestartedLayers<T>& layers,
                       const SparseRows<T>& rows, MatrixView<T> out, const Execution& with);

}  // namespace interpscale::kernels::simd
