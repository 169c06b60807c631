// What an analysis method is to the rest of the project: everything that the contract test, the
// benchmarks, the study, the command line and the documentation need to know of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods {

/// What the columns of a row are.
enum class Columns {
  kScore,       ///< 1
  kStatistics,  ///< named numbers
  kSamples,     ///< B
  kInputs,      ///< d
  kNeurons,     ///< n
  kExamples,    ///< k
  kClasses,     ///< C
  kCluster,     ///< 1
};

[[nodiscard]] std::string_view name_of(Columns columns);

/// Leading order T ~ N^parameters n^neurons B^batch d^inputs, hidden layers dominating.
struct LeadingExponents {
  double parameters = 0;
  double neurons = 0;
  double batch = 0;
  double inputs = 0;
};

/// Exact arithmetic and a floor on memory traffic of one run.
struct Cost {
  /// What the run's kernel calls count for (kernels/flops.hpp). A method's bookkeeping between its
  /// kernels, a few operations a row or a neuron, counts for nothing.
  std::uint64_t flops = 0;
  std::uint64_t bytes = 0;  ///< operands and results, each once
};

/// One row per hidden neuron, first hidden layer first: out [rows, columns], rows = n but for a
/// method with a `row_count` of its own. Fills the probe's tape or
/// leaves it alone. Allocates nothing after a first call with the same workspace and shapes (a
/// reference may).
template <class T>
using Analysis =
    std::function<void(const Probe<T>&, const kernels::Context<T>&, MatrixView<T> out)>;

/// A timed way to compute the method's numbers.
struct Variant {
  std::string name;     ///< "naive" or "fast"
  std::string summary;  ///< one line: how
  LeadingExponents exponents;
  std::function<Cost(const Problem&)> cost;
  /// The most scratch memory in use at once, without what a backend takes to pack operands.
  std::function<std::uint64_t(const Problem&)> workspace_bytes;
  Analysis<float> run;
};

/// Something that is true of the exact values, whatever the network.
struct Identity {
  std::string statement;
  /// The largest deviation, and what rounding (unit roundoff `epsilon`) and quadrature allow.
  struct Verdict {
    double deviation = 0;
    double allowed = 0;
  };
  /// `values` [n, columns] as some variant computed them; empty function: not applicable.
  std::function<Verdict(const Probe<double>&, const kernels::Context<double>&,
                        MatrixView<const double> values, double epsilon)>
      check;
};

struct MethodSpec {
  std::string name;
  std::string summary;  ///< one line
  std::string formula;  ///< plain text, in METHODS' letters: h, z, W, F, B, K
  std::string source;   ///< paper
  Columns columns = Columns::kScore;
  std::vector<std::string> statistics;  ///< names of the columns, for kStatistics
  /// Number of columns for a problem.
  std::function<std::size_t(const Problem&)> column_count;
  /// Number of rows for a problem; empty: one a hidden neuron. (A dictionary has one a latent: the
  /// same number of rows for each neuron, layer by layer.)
  std::function<std::size_t(const Problem&)> row_count = {};
  /// What the columns are called in a table; empty: "score", the statistics, or the kind of column
  /// with a number from 0.
  std::function<std::vector<std::string>(const Problem&)> column_names = {};
  /// Looks at the probe's data set, not only at its batch.
  bool streams = false;
  /// The definition: double precision, obvious loops.
  Analysis<double> reference;
  std::vector<Variant> variants;
  /// Largest allowed |variant - reference|, given the reference's values and the problem; derived
  /// from the depth and the lengths of the sums.
  std::function<double(const Problem&, MatrixView<const double> reference_values)> tolerance;
  /// What is held against the tolerance, where rows hold choices (of samples, say) that rounding
  /// may make differently at a near-tie: their cost in value. Empty: the largest |variant -
  /// reference|.
  std::function<double(MatrixView<const double> found, MatrixView<const double> reference_values)>
      deviation = {};
  /// Of a method that walks through points of its own, per row: how far the exact walk stayed from
  /// where rounding decides otherwise (a ReLU's kink, a tie), relative to values of order one; what
  /// comes after is another walk, and its row is not held against the reference. Empty: no such
  /// method.
  std::function<std::vector<double>(const Probe<double>&)> clearance = {};
  std::vector<Identity> identities;

  /// The rows of an attribution of this problem.
  [[nodiscard]] std::size_t rows(const Problem& problem) const {
    return row_count ? row_count(problem) : static_cast<std::size_t>(problem.topology.neurons());
  }
  /// The names of its columns.
  [[nodiscard]] std::vector<std::string> names(const Problem& problem) const;
};

}  // namespace interpscale::methods
