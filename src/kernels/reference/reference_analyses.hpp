// The definition of the operations that analyses need beside those of passes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels {

template <class T>
class ReferenceAnalyses : public Backend<T> {
 public:
  void multiply_change(MatrixView<const T> next, MatrixView<const T> now,
                       MatrixView<const T> gradient, MatrixView<T> out,
                       const Execution& with) const override;
  void multiply_by_ratio(const Ratio<T>& ratio, MatrixView<T> g,
                         const Execution& with) const override;
  void multiply_by_secants(Activation phi, const Secants<T>& secants, MatrixView<T> g,
                           const Execution& with) const override;
  void scale_columns(std::span<const T> factors, MatrixView<const T> a, MatrixView<T> out,
                     const Execution& with) const override;

  void copy(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const override;
  void gather_rows(MatrixView<const T> a, std::span<const std::uint32_t> index, MatrixView<T> out,
                   const Execution& with) const override;
  void pick(MatrixView<const T> a, std::span<const std::uint32_t> column, std::span<T> out,
            const Execution& with) const override;
  void one_hot(std::span<const std::uint32_t> labels, std::span<const T> on, std::span<const T> off,
               MatrixView<T> out, const Execution& with) const override;

  void count_positive(MatrixView<const T> h, std::span<const std::uint32_t> labels, bool accumulate,
                      MatrixView<T> counts, const Execution& with) const override;
  void mutual_information(MatrixView<const T> active, std::span<const T> samples, std::span<T> out,
                          const Execution& with) const override;

  void update_largest(MatrixView<const T> a, std::size_t first, MatrixView<T> values,
                      MatrixView<T> numbers, const Execution& with) const override;
  void keep_largest(std::size_t k, MatrixView<const T> a, MatrixView<T> kept, MatrixView<T> chosen,
                    const Execution& with) const override;
  void unit_rows(std::uint64_t seed, std::uint64_t stream, MatrixView<T> out,
                 const Execution& with) const override;

  void invert_factor(MatrixView<const T> a, MatrixView<T> inverse,
                     const Execution& with) const override;

  void list_units(MatrixView<const T> h, const Walks& walks, bool positive_only,
                  MatrixView<std::uint32_t> unit, MatrixView<T> value,
                  const Execution& with) const override;
  std::size_t list_elements(MatrixView<const T> a, Listed which,
                            std::span<const std::uint32_t> tags, T factor,
                            const ElementList<T>& list, const Execution& with) const override;
  void gather_elements(MatrixView<const T> a, const Places& places, std::span<T> out,
                       const Execution& with) const override;
  void add_changes(std::span<const T> after, std::span<const T> before, const Places& places,
                   MatrixView<double> sums, const Execution& with) const override;
};

}  // namespace interpscale::kernels
