// How the operations of analyses are replayed. What works in place is given numbers that leave it
// as it is: repeated a million times, anything else would end in infinities or in denormals.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "study/subjects/replay_stage.hpp"

namespace interpscale::study {
namespace {

using Context = kernels::Context<float>;

/// Rows of an operand that may be one row for all.
std::size_t rows_of_other(const Stage& stage) {
  return stage.has("+row") ? 1 : stage.extent(0);
}

/// All copies of an operand, set to `value`.
std::shared_ptr<Ring> filled(std::shared_ptr<Ring> ring, float value) {
  for (std::size_t i = 0; i < ring->all().rows(); ++i) {
    std::ranges::fill(ring->all().row(i), value);
  }
  return ring;
}

/// Numbers below `bound`, far from each other.
std::vector<std::uint32_t> scattered(std::size_t count, std::size_t bound) {
  constexpr std::size_t kStride = 7919;
  std::vector<std::uint32_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<std::uint32_t>(i * kStride % bound);
  }
  return numbers;
}

/// Rows of the factors of a change: of one row for all, or of none.
std::size_t rows_of_factors(const Stage& stage) {
  if (stage.has("+difference")) {
    return 0;
  }
  return stage.has("+factors") ? 1 : stage.extent(0);
}

Replay replay_multiply_change(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t cols = stage.extent(1);
  const std::size_t factors = rows_of_factors(stage);
  return [next = stage.matrix(0, rows, cols), now = stage.matrix(1, rows_of_other(stage), cols),
          gradient = stage.matrix(2, std::max<std::size_t>(factors, 1), cols), none = factors == 0,
          out = stage.matrix(3, rows, cols)](const Context& context) {
    context.backend.multiply_change(next->take(), now->take(),
                                    none ? MatrixView<const float>() : gradient->take(),
                                    out->take(), context);
  };
}

Replay replay_multiply_by_ratio(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t cols = stage.extent(1);
  return [numerator = filled(stage.matrix(0, rows, cols), 0.75F),
          denominator = filled(stage.matrix(1, rows, cols), 0.75F),
          g = stage.matrix(2, rows, cols)](const Context& context) {
    context.backend.multiply_by_ratio({numerator->take(), denominator->take(), 0.0F}, g->take(),
                                      context);
  };
}

Replay replay_multiply_by_secants(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t cols = stage.extent(1);
  const std::size_t rows_from = rows_of_other(stage);
  return [phi = stage.activation(), z = filled(stage.matrix(0, rows, cols), 0.75F),
          h = filled(stage.matrix(1, rows, cols), 0.75F),
          from_z = filled(stage.matrix(2, rows_from, cols), 0.25F),
          from_h = filled(stage.matrix(3, rows_from, cols), 0.25F),
          g = stage.matrix(4, rows, cols)](const Context& context) {
    context.backend.multiply_by_secants(
        phi, {z->take(), h->take(), from_z->take(), from_h->take(), 0.01F}, g->take(), context);
  };
}

Replay replay_scale_columns(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t cols = stage.extent(1);
  return [factors = std::vector<float>(cols, 1.0F), a = stage.matrix(0, rows, cols),
          out = stage.matrix(1, rows, cols)](const Context& context) {
    context.backend.scale_columns(factors, a->take(), out->take(), context);
  };
}

Replay replay_copy(Stage& stage) {
  return [a = stage.matrix(0, stage.extent(0), stage.extent(1)),
          out = stage.matrix(1, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.copy(a->take(), out->take(), context);
  };
}

Replay replay_gather_rows(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  return [a = stage.matrix(0, stage.extent(2), stage.extent(1)),
          out = stage.matrix(1, rows, stage.extent(1)),
          index = scattered(rows, stage.extent(2))](const Context& context) {
    context.backend.gather_rows(a->take(), index, out->take(), context);
  };
}

Replay replay_pick(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  return [a = stage.matrix(0, rows, stage.extent(1)), column = cyclic_labels(rows, stage.extent(1)),
          out = std::vector<float>(rows)](const Context& context) mutable {
    context.backend.pick(a->take(), column, out, context);
  };
}

Replay replay_one_hot(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t classes = stage.extent(1);
  return [out = stage.matrix(0, rows, classes), labels = cyclic_labels(rows, classes),
          on = std::vector<float>(classes, 1.0F),
          off = std::vector<float>(classes, 0.0F)](const Context& context) {
    context.backend.one_hot(labels, on, off, out->take(), context);
  };
}

Replay replay_count_positive(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t classes = stage.extent(2);
  return [h = stage.matrix(0, rows, stage.extent(1)),
          counts = stage.matrix(1, classes, stage.extent(1)), labels = cyclic_labels(rows, classes),
          accumulate = stage.has("accumulate")](const Context& context) {
    context.backend.count_positive(h->take(), labels, accumulate, counts->take(), context);
  };
}

/// One sample a class, of which some fraction is active.
Replay replay_mutual_information(Stage& stage) {
  const std::size_t classes = stage.extent(0);
  const std::size_t units = stage.extent(1);
  const std::shared_ptr<Ring> active = stage.matrix(0, classes, units);
  for (std::size_t i = 0; i < active->all().rows(); ++i) {
    std::ranges::transform(active->all().row(i), active->all().row(i).begin(),
                           [](float value) { return std::abs(value); });
  }
  return [active, samples = std::vector<float>(classes, 1.0F),
          out = std::vector<float>(units)](const Context& context) mutable {
    context.backend.mutual_information(active->take(), samples, out, context);
  };
}

Replay replay_update_largest(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t cols = stage.extent(1);
  const std::size_t kept = stage.extent(2);
  return [a = stage.matrix(0, rows, cols), values = filled(stage.matrix(1, kept, cols), 0.0F),
          numbers = filled(stage.matrix(2, kept, cols), 0.0F),
          first = stage.has("begin") ? std::size_t{0} : rows](const Context& context) {
    context.backend.update_largest(a->take(), first, values->take(), numbers->take(), context);
  };
}

Replay replay_keep_largest(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  const std::size_t cols = stage.extent(1);
  return [k = stage.extent(2), a = stage.matrix(0, rows, cols), kept = stage.matrix(1, rows, cols),
          chosen = stage.matrix(2, rows, cols)](const Context& context) {
    context.backend.keep_largest(k, a->take(), kept->take(), chosen->take(), context);
  };
}

Replay replay_unit_rows(Stage& stage) {
  return [out = stage.matrix(0, stage.extent(0), stage.extent(1))](const Context& context) {
    context.backend.unit_rows(1, 0, out->take(), context);
  };
}

/// With a diagonal larger than the rest of its row, a matrix is positive definite.
Replay replay_invert_factor(Stage& stage) {
  const std::size_t n = stage.extent(0);
  const std::shared_ptr<Ring> a = stage.matrix(0, n, n);
  for (std::size_t i = 0; i < a->all().rows(); ++i) {
    a->all()(i, i % n) = static_cast<float>(n + 1);
  }
  return [a, inverse = stage.matrix(1, n, n)](const Context& context) {
    context.backend.invert_factor(a->take(), inverse->take(), context);
  };
}

/// Walks of all samples, order after order.
Replay replay_list_units(Stage& stage) {
  const std::size_t walks = stage.extent(0);
  const std::size_t samples = stage.extent(1);
  const std::size_t units = stage.extent(2);
  Matrix<std::uint32_t> orders(stage.extent(3), units);
  for (std::size_t t = 0; t < orders.rows(); ++t) {
    const std::vector<std::size_t> order = RandomStream(1, t).permutation(units);
    std::ranges::transform(order, orders.row(t).begin(),
                           [](std::size_t unit) { return static_cast<std::uint32_t>(unit); });
  }
  std::vector<std::uint32_t> order(walks);
  std::vector<std::uint32_t> sample(walks);
  for (std::size_t r = 0; r < walks; ++r) {
    order[r] = static_cast<std::uint32_t>(r / samples % orders.rows());
    sample[r] = static_cast<std::uint32_t>(r % samples);
  }
  return [h = stage.matrix(0, samples, units), orders, order, sample,
          unit = Matrix<std::uint32_t>(units, walks), value = stage.matrix(2, units, walks),
          positive = stage.has("positive")](const Context& context) mutable {
    context.backend.list_units(h->take(), {orders, order, sample}, positive, unit, value->take(),
                               context);
  };
}

kernels::Listed listed(const Stage& stage) {
  if (stage.has("positive")) {
    return kernels::Listed::kPositive;
  }
  return stage.has("nonzero") ? kernels::Listed::kNonzero : kernels::Listed::kAll;
}

/// Of what is listed by its sign, half; of what is listed unless it is 0, all.
Replay replay_list_elements(Stage& stage) {
  const std::size_t elements = stage.extent(0);
  return [a = stage.matrix(0, 1, elements), which = listed(stage), tags = cyclic_labels(1, 10),
          row = std::vector<std::uint32_t>(elements), column = std::vector<std::uint32_t>(elements),
          tag = std::vector<std::uint32_t>(elements),
          value = stage.vector(1, elements)](const Context& context) mutable {
    context.backend.list_elements(a->take(), which, tags, -1.0F,
                                  {row, column, tag, value->take_vector()}, context);
  };
}

/// Elements as a list has them: row after row.
Replay replay_gather_elements(Stage& stage) {
  const std::size_t count = stage.extent(0);
  std::vector<std::uint32_t> row(count);
  for (std::size_t r = 0; r < count; ++r) {
    row[r] = static_cast<std::uint32_t>(r * stage.extent(1) / count);
  }
  return [a = stage.matrix(0, stage.extent(1), stage.extent(2)), row,
          column = cyclic_labels(count, stage.extent(2)),
          out = stage.vector(1, count)](const Context& context) {
    context.backend.gather_elements(a->take(), {row, column}, out->take_vector(), context);
  };
}

Replay replay_add_changes(Stage& stage) {
  const std::size_t rows = stage.extent(0);
  return [after = stage.vector(0, rows), before = stage.vector(1, rows),
          row = cyclic_labels(rows, stage.extent(1)), column = scattered(rows, stage.extent(2)),
          sums = Matrix<double>(stage.extent(1), stage.extent(2))](const Context& context) mutable {
    context.backend.add_changes(after->take_vector(), before->take_vector(), {row, column}, sums,
                                context);
  };
}

}  // namespace

const Recipes& analysis_recipes() {
  static const Recipes all = {{"multiply_change", {2, 4, replay_multiply_change}},
                              {"multiply_by_ratio", {2, 3, replay_multiply_by_ratio}},
                              {"multiply_by_secants", {2, 5, replay_multiply_by_secants}},
                              {"scale_columns", {2, 2, replay_scale_columns}},
                              {"copy", {2, 2, replay_copy}},
                              {"gather_rows", {3, 2, replay_gather_rows}},
                              {"pick", {2, 1, replay_pick}},
                              {"one_hot", {2, 1, replay_one_hot}},
                              {"count_positive", {3, 2, replay_count_positive}},
                              {"mutual_information", {2, 1, replay_mutual_information}},
                              {"update_largest", {3, 3, replay_update_largest}},
                              {"keep_largest", {3, 3, replay_keep_largest}},
                              {"unit_rows", {2, 1, replay_unit_rows}},
                              {"invert_factor", {1, 2, replay_invert_factor}},
                              {"list_units", {4, 3, replay_list_units}},
                              {"list_elements", {1, 2, replay_list_elements}},
                              {"gather_elements", {3, 2, replay_gather_elements}},
                              {"add_changes", {3, 3, replay_add_changes}}};
  return all;
}

}  // namespace interpscale::study
