// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/active_products.hpp"

#include <algorithm>

#include "interpscale/core/parallel.hpp"

namespace interpscale::kernels::simd {
namespace {

// Rows that share what is gathered: their left operand, with 512 active units, takes 384 KiB.
constexpr std::size_t kBlockRows = 192;
// As long as in any other product: six rows of A stay in the first-level cache.
constexpr std::size_t kLongestDepth = 1024;
// Less work than that (FLOPs; a thread does some 30 a cycle) is not worth a fork and join.
constexpr std::size_t kSmallestSharedWork = std::size_t{1} << 19U;

/// Writes the active units of a row of h, in their order; how many.
template <class T>
std::size_t list_active(std::span<const T> h, std::uint32_t* units) {
  std::size_t count = 0;
  for (std::size_t j = 0; j < h.size(); ++j) {
    units[count] = static_cast<std::uint32_t>(j);
    count += h[j] > T{0} ? 1U : 0U;
  }
  return count;
}

/// body(member, first, count): tasks [first, first + count) of a team's member.
template <class Body>
void share_tasks(int threads, std::size_t tasks, const Body& body) {
  const auto team = static_cast<std::size_t>(threads);
  parallel_for(threads, team, [&](std::size_t member) {
    const std::size_t first = tasks * member / team;
    const std::size_t last = tasks * (member + 1) / team;
    if (first < last) {
      body(member, first, last - first);
    }
  });
}

int team_of(const Execution& with, std::size_t work) {
  return work < kSmallestSharedWork ? 1 : std::max(with.threads, 1);
}

template <class T>
TargetBlock<T> plain_target(MatrixView<T> c, bool accumulate) {
  return {.data = c.data(),
          .stride = c.leading_dimension(),
          .rows = c.rows(),
          .columns = c.cols(),
          .alpha = T{1},
          .beta = accumulate ? T{1} : T{0},
          .bias = nullptr,
          .relu = false,
          .mask = nullptr,
          .mask_stride = 0,
          .plain = !accumulate};
}

/// c := a b in register tiles; a [rows, depth] unpacked. b's last panel stands at `tail` where it
/// is not readable up to a whole vector.
template <class T>
void multiply(const KernelTable<T>& table, MatrixView<const T> a, const RightBlock<T>& b,
              MatrixView<T> c) {
  std::size_t done = 0;
  do {
    const std::size_t depth = std::min(kLongestDepth, a.cols() - done);
    RightBlock<T> block = b;
    block.data += done * b.stride;
    if (b.tail != nullptr) {
      block.tail += done * table.gemm.tile.columns;
    }
    table.gemm.multiply({a.data() + done, a.leading_dimension(), false, false}, block, depth,
                        LoopOrder::kRowsOutside, plain_target(c, done > 0));
    done += depth;
  } while (done < a.cols());
}

/// Scratch of one thread for a layer's packed Jacobian.
template <class T>
struct JacobianScratch {
  std::uint32_t* units;        ///< [units]
  std::uint32_t* below_units;  ///< [units below]
  T* left;                     ///< [kBlockRows, stride]
  std::size_t stride;
  T* tail;  ///< the last columns of a sample's Jacobian below, where they fill no vector
};

template <class T>
class NextJacobian {
 public:
  NextJacobian(const KernelTable<T>& table, const ActiveLayer<T>& layer, MatrixView<const T> below,
               MatrixView<T> jacobian)
      : table_(table), layer_(layer), below_(below), jacobian_(jacobian) {}

  [[nodiscard]] JacobianScratch<T> take(Workspace& workspace) const {
    const std::size_t width = layer_.below.cols();
    const std::size_t stride = round_up(width, table_.gemm.tile.lanes) + table_.gemm.tile.lanes;
    const std::size_t rows = std::min(kBlockRows, layer_.h.cols());
    return {workspace.vector<std::uint32_t>(layer_.h.cols() + 1).data(),
            workspace.vector<std::uint32_t>(width + 1).data(),
            workspace.vector<T>(checked_product(rows, stride)).data(), stride,
            workspace.vector<T>(has_tail() ? checked_product(width, table_.gemm.tile.columns) : 0)
                .data()};
  }
  /// Blocks of rows of one sample.
  [[nodiscard]] std::size_t blocks() const {
    return (layer_.h.cols() + kBlockRows - 1) / kBlockRows;
  }

  void run(std::size_t task, const JacobianScratch<T>& scratch) const {
    const std::size_t s = task / blocks();
    const std::size_t first = task % blocks() * kBlockRows;
    const std::size_t count = list_active<T>(layer_.h.row(s), scratch.units);
    if (first >= count) {
      return;
    }
    const std::size_t rows = std::min(kBlockRows, count - first);
    const std::size_t depth = list_active<T>(layer_.below.row(s), scratch.below_units);
    table_.active.gather_columns(layer_.below.row(s), layer_.weights, {scratch.units + first, rows},
                                 scratch.left, scratch.stride);
    multiply<T>(table_, {scratch.left, rows, depth, scratch.stride},
                right(below_.rows_from(s * layer_.below.cols(), depth), scratch),
                jacobian_.rows_from(s * layer_.h.cols() + first, rows));
  }

 private:
  [[nodiscard]] bool has_tail() const { return below_.cols() % table_.gemm.tile.lanes != 0; }

  [[nodiscard]] RightBlock<T> right(MatrixView<const T> b,
                                    const JacobianScratch<T>& scratch) const {
    const std::size_t panel = table_.gemm.tile.columns;
    const T* tail = nullptr;
    if (has_tail()) {
      const std::size_t first = b.cols() / panel * panel;
      table_.gemm.pack_panel(b.data() + first, b.leading_dimension(), b.rows(), b.cols() - first,
                             scratch.tail);
      tail = scratch.tail;
    }
    return {b.data(), panel, b.leading_dimension(), tail, nullptr, 0, false};
  }

  const KernelTable<T>& table_;
  const ActiveLayer<T>& layer_;
  MatrixView<const T> below_;
  MatrixView<T> jacobian_;
};

/// Scratch of one thread for restarted rows.
template <class T>
struct RestartScratch {
  std::uint32_t* units;  ///< [width]: active in the sample's z
  T* left;               ///< [kBlockRows, stride]
  std::size_t stride;
  T* right;                 ///< a panel
  std::uint32_t* awakened;  ///< [kBlockRows, width + a vector]
  T* values;                ///< as many
  std::size_t awakened_stride;
};

template <class T>
class Restarts {
 public:
  Restarts(const KernelTable<T>& table, const RestartedLayers<T>& layers, const SparseRows<T>& rows,
           MatrixView<T> out)
      : table_(table), layers_(layers), rows_(rows), out_(out) {}

  [[nodiscard]] RestartScratch<T> take(Workspace& workspace) const {
    const std::size_t lanes = table_.gemm.tile.lanes;
    const std::size_t stride = round_up(layers_.z.cols(), lanes) + lanes;
    const std::size_t block = std::min(kBlockRows, std::max(out_.rows(), std::size_t{1}));
    const std::size_t panel = checked_product(layers_.z.cols(), table_.gemm.tile.columns);
    return {workspace.vector<std::uint32_t>(layers_.z.cols() + 1).data(),
            workspace.vector<T>(checked_product(block, stride)).data(),
            stride,
            workspace.vector<T>(panel).data(),
            workspace.vector<std::uint32_t>(checked_product(block, stride)).data(),
            workspace.vector<T>(checked_product(block, stride)).data(),
            stride};
  }

  /// Rows [first, first + count), block by block of one sample's.
  void run(std::size_t first, std::size_t count, const RestartScratch<T>& scratch) const {
    const std::size_t end = first + count;
    while (first < end) {
      std::size_t rows = 1;
      while (rows < kBlockRows && first + rows < end &&
             rows_.sample[first + rows] == rows_.sample[first]) {
        ++rows;
      }
      block(first, rows, scratch);
      first += rows;
    }
  }

 private:
  void block(std::size_t first, std::size_t rows, const RestartScratch<T>& scratch) const {
    const std::span<const T> z = layers_.z.row(rows_.sample[first]);
    const std::size_t depth = list_active<T>(z, scratch.units);
    std::size_t counts[kBlockRows];
    for (std::size_t r = 0; r < rows; ++r) {
      counts[r] = table_.active.restart_row(
          {z.data(), layers_.columns.row_data(rows_.unit[first + r]), rows_.delta[first + r],
           z.size()},
          scratch.left + r * scratch.stride, scratch.awakened + r * scratch.awakened_stride,
          scratch.values + r * scratch.awakened_stride);
    }
    const MatrixView<const T> left(scratch.left, rows, depth, scratch.stride);
    const MatrixView<T> target = out_.rows_from(first, rows);
    multiply_panels(left, scratch, target);
    for (std::size_t r = 0; r < rows; ++r) {
      table_.active.finish_row(layers_, {scratch.awakened + r * scratch.awakened_stride, counts[r]},
                               scratch.values + r * scratch.awakened_stride, target.row_data(r));
    }
  }

  void multiply_panels(MatrixView<const T> left, const RestartScratch<T>& scratch,
                       MatrixView<T> target) const {
    const std::size_t panel = table_.gemm.tile.columns;
    for (std::size_t column = 0; column < target.cols(); column += panel) {
      const std::size_t columns = std::min(panel, target.cols() - column);
      table_.active.gather_rows(layers_.next.cols_from(column, columns),
                                {scratch.units, left.cols()}, scratch.right, panel);
      multiply<T>(table_, left, {scratch.right, panel, panel, nullptr, nullptr, 0, false},
                  target.cols_from(column, columns));
    }
  }

  const KernelTable<T>& table_;
  const RestartedLayers<T>& layers_;
  const SparseRows<T>& rows_;
  MatrixView<T> out_;
};

/// Scratch for every member of a team, taken one after the other.
template <class Work>
auto take_for_team(const Work& work, int team, Workspace& workspace) {
  using Scratch = decltype(work.take(workspace));
  const std::span<Scratch> all = workspace.vector<Scratch>(static_cast<std::size_t>(team));
  for (Scratch& scratch : all) {
    scratch = work.take(workspace);
  }
  return all;
}

}  // namespace

template <class T>
void first_active_jacobian(const KernelTable<T>& table, MatrixView<const T> h,
                           MatrixView<const T> weights, MatrixView<const T> factors,
                           MatrixView<T> jacobian, const Execution& with) {
  const Workspace::Scope scope(with.workspace);
  const int team = team_of(with, 2 * jacobian.rows() * jacobian.cols());
  const std::size_t width = h.cols();
  std::uint32_t* const lists =
      with.workspace.vector<std::uint32_t>(static_cast<std::size_t>(team) * (width + 1)).data();
  share_tasks(team, h.rows(), [&](std::size_t member, std::size_t first, std::size_t count) {
    std::uint32_t* const units = lists + member * (width + 1);
    for (std::size_t s = first; s < first + count; ++s) {
      const std::size_t active = list_active<T>(h.row(s), units);
      table.active.first_rows(weights, {units, active},
                              factors.empty() ? nullptr : factors.row_data(s),
                              jacobian.rows_from(s * width, active));
    }
  });
}

template <class T>
void next_active_jacobian(const KernelTable<T>& table, const ActiveLayer<T>& layer,
                          MatrixView<const T> below, MatrixView<T> jacobian,
                          const Execution& with) {
  const Workspace::Scope scope(with.workspace);
  const NextJacobian<T> next(table, layer, below, jacobian);
  const std::size_t tasks = layer.h.rows() * next.blocks();
  const int team = team_of(with, jacobian.rows() * jacobian.cols() * layer.below.cols());
  const auto scratch = take_for_team(next, team, with.workspace);
  share_tasks(team, tasks, [&](std::size_t member, std::size_t first, std::size_t count) {
    for (std::size_t task = first; task < first + count; ++task) {
      next.run(task, scratch[member]);
    }
  });
}

template <class T>
void accumulate_active_jacobian(const KernelTable<T>& table, const ActiveSum<T>& sum,
                                MatrixView<const T> jacobian, MatrixView<T> out,
                                const Execution& with) {
  const Workspace::Scope scope(with.workspace);
  const std::size_t width = sum.h.cols();
  const int team = team_of(with, 2 * jacobian.rows() * jacobian.cols());
  std::uint32_t* const lists =
      with.workspace.vector<std::uint32_t>(static_cast<std::size_t>(team) * (width + 1)).data();
  // Each thread has some units, and goes through the samples in their order.
  share_tasks(team, width, [&](std::size_t member, std::size_t first, std::size_t count) {
    std::uint32_t* const units = lists + member * (width + 1);
    for (std::size_t s = 0; s < sum.h.rows(); ++s) {
      const std::size_t active = list_active<T>(sum.h.row(s).first(first + count), units);
      const std::size_t before = static_cast<std::size_t>(
          std::lower_bound(units, units + active, static_cast<std::uint32_t>(first)) - units);
      table.active.accumulate_rows({.units = {units + before, active - before},
                                    .gains = sum.gains.empty() ? nullptr : sum.gains.row_data(s),
                                    .scale = sum.scale,
                                    .absolute = sum.absolute},
                                   jacobian.rows_from(s * width + before, active - before), out);
    }
  });
}

template <class T>
void rank_one_products(const KernelTable<T>& table, const RestartedLayers<T>& layers,
                       const SparseRows<T>& rows, MatrixView<T> out, const Execution& with) {
  const Workspace::Scope scope(with.workspace);
  const Restarts<T> restarts(table, layers, rows, out);
  const int team = team_of(with, out.rows() * out.cols() * layers.z.cols());
  const auto scratch = take_for_team(restarts, team, with.workspace);
  share_tasks(team, out.rows(), [&](std::size_t member, std::size_t first, std::size_t count) {
    restarts.run(first, count, scratch[member]);
  });
}

template void first_active_jacobian(const KernelTable<float>&, MatrixView<const float>,
                                    MatrixView<const float>, MatrixView<const float>,
                                    MatrixView<float>, const Execution&);
template void first_active_jacobian(const KernelTable<double>&, MatrixView<const double>,
                                    MatrixView<const double>, MatrixView<const double>,
                                    MatrixView<double>, const Execution&);
template void next_active_jacobian(const KernelTable<float>&, const ActiveLayer<float>&,
                                   MatrixView<const float>, MatrixView<float>, const Execution&);
template void next_active_jacobian(const KernelTable<double>&, const ActiveLayer<double>&,
                                   MatrixView<const double>, MatrixView<double>, const Execution&);
template void accumulate_active_jacobian(const KernelTable<float>&, const ActiveSum<float>&,
                                         MatrixView<const float>, MatrixView<float>,
                                         const Execution&);
template void accumulate_active_jacobian(const KernelTable<double>&, const ActiveSum<double>&,
                                         MatrixView<const double>, MatrixView<double>,
                                         const Execution&);
template void rank_one_products(const KernelTable<float>&, const RestartedLayers<float>&,
                                const SparseRows<float>&, MatrixView<float>, const Execution&);
template void rank_one_products(const KernelTable<double>&, const RestartedLayers<double>&,
                                const SparseRows<double>&, MatrixView<double>, const Execution&);

}  // namespace interpscale::kernels::simd
