// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/method_verification.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "interpscale/methods/verification.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::study {
namespace {

using measure::Verification;
using methods::Problem;

/// The most that a reference is asked for where a single sample is beyond kReferenceFlops, and the
/// most that another variant is: about a second each (products with a single row are slow).
constexpr double kLargestReferenceFlops = 5e8;
constexpr double kLargestRivalFlops = 2e9;

/// The specimen's first samples, in single and double precision, with tapes that hold their pass.
struct Part {
  Part(const Specimen& specimen, std::size_t count)
      : samples(count),
        inputs(specimen.inputs.view().rows_from(0, count)),
        labels(std::span(specimen.labels).first(count)),
        donor(count, inputs.cols()),
        tape(specimen.network.topology, count) {
    const Matrix<float> donors = donor_of(specimen.inputs);
    copy(donors.view().rows_from(0, count), donor.view());
  }

  std::size_t samples;
  MatrixView<const float> inputs;
  std::span<const std::uint32_t> labels;
  Matrix<float> donor;
  nn::Tape<float> tape;

  [[nodiscard]] methods::Probe<float> probe(const Specimen& specimen,
                                            const methods::MethodOptions& options) {
    return {.network = specimen.network,
            .inputs = inputs,
            .labels = labels,
            .baseline = {},
            .donor = donor,
            .options = options,
            .tape = tape};
  }
};

/// What the part asks of the method, its activity measured.
Problem pose(Part& part, const Specimen& specimen, const MethodRun& run,
             const kernels::Context<float>& context) {
  nn::forward<float>(specimen.network, part.inputs, part.tape, context);
  return methods::problem_of(part.probe(specimen, run.options));
}

/// FLOPs of a variant on `samples` of the batch, every unit active.
double variant_flops(const MethodRun& run, const methods::Variant& variant,
                     const Specimen& specimen, std::size_t samples) {
  return static_cast<double>(variant
                                 .cost({.topology = specimen.network.topology,
                                        .batch = samples,
                                        .options = run.options,
                                        .active_pairs = {}})
                                 .flops);
}

/// FLOPs of the definition for `samples` of the batch, taken to be those of the dearest variant: a
/// reference follows the definition neuron by neuron, as a naive variant does.
double reference_flops(const MethodRun& run, const Specimen& specimen, std::size_t samples) {
  double dearest = 0.0;
  for (const methods::Variant& variant : run.method.variants) {
    dearest = std::max(dearest, variant_flops(run, variant, specimen, samples));
  }
  return dearest;
}

/// The most samples whose reference costs at most kReferenceFlops (which need not be proportional
/// to their number); 0 if a single one costs more.
std::size_t affordable_part(const MethodRun& run, const Specimen& specimen) {
  std::size_t affordable = 0;
  std::size_t too_many = specimen.inputs.rows() + 1;
  while (affordable + 1 < too_many) {
    const std::size_t middle = affordable + (too_many - affordable) / 2;
    (reference_flops(run, specimen, middle) <= kReferenceFlops ? affordable : too_many) = middle;
  }
  return affordable;
}

bool all_finite(MatrixView<const float> values) {
  for (std::size_t i = 0; i < values.rows(); ++i) {
    if (!std::all_of(values.row(i).begin(), values.row(i).end(),
                     [](float value) { return std::isfinite(value); })) {
      return false;
    }
  }
  return true;
}

/// Whether some unit is so near to the kink of its ReLU that rounding may put it on the other side,
/// where its slope is another one: then values that hold gradients differ by more than rounding.
/// kink_distance looks at evenly spaced nodes of a path, a method perhaps at others: hence a
/// margin.
bool has_unit_at_kink(const methods::Probe<float>& probe) {
  const nn::Topology& topology = probe.network.topology;
  std::size_t longest = topology.inputs;
  double scale = 0.0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    longest = std::max(longest, topology.hidden[layer]);
    const MatrixView<const float> h = probe.tape.activation(layer);
    for (std::size_t b = 0; b < h.rows(); ++b) {
      for (const float value : h.row(b)) {
        scale = std::max(scale, std::abs(static_cast<double>(value)));
      }
    }
  }
  const methods::DoubleSpecimen doubles(probe);
  return methods::kink_distance(doubles.probe()) <
         rounding_bound(topology.hidden.size(), longest, scale);
}

/// The Frobenius norm of (found - exact), held against a share of that of exact.
Comparison compare_norms(MatrixView<const float> found, MatrixView<const double> exact,
                         double share) {
  double deviations = 0.0;
  double values = 0.0;
  for (std::size_t i = 0; i < found.rows(); ++i) {
    for (std::size_t j = 0; j < found.cols(); ++j) {
      const double deviation = static_cast<double>(found(i, j)) - exact(i, j);
      deviations += deviation * deviation;
      values += exact(i, j) * exact(i, j);
    }
  }
  return {std::sqrt(deviations), share * std::sqrt(values)};
}

/// Value by value; where that fails and a unit stands at a kink, by norms.
Result<Verification> compare_values(const MethodRun& run, const methods::Probe<float>& probe,
                                    MatrixView<const float> found, MatrixView<const double> exact,
                                    double allowed, std::string compared) {
  Result<Verification> by_value =
      verdict(run.subject, {largest_deviation(found, exact), allowed}, compared);
  if (by_value || !has_unit_at_kink(probe)) {
    return by_value;
  }
  // One unit's slope at one sample and node, among the hundreds that make up a value.
  constexpr double kShareOfKinks = 0.01;
  return verdict(run.subject, compare_norms(found, exact, kShareOfKinks),
                 std::move(compared) + " (norms: a unit stands at its kink)");
}

Result<Verification> compare_with_definition(const MethodRun& run, const Specimen& specimen,
                                             std::size_t samples,
                                             const kernels::Context<float>& context) {
  Part part(specimen, samples);
  const Problem problem = pose(part, specimen, run, context);
  const methods::Probe<float> probe = part.probe(specimen, run.options);
  const std::size_t columns = run.method.column_count(problem);
  Matrix<float> found(run.method.rows(problem), columns);
  run.variant.run(probe, context, found);
  const methods::DoubleSpecimen doubles(probe);
  Matrix<double> exact(found.rows(), columns);
  run.method.reference(doubles.probe(), doubles.context(), exact);
  return compare_values(run, probe, found, exact, run.method.tolerance(problem, exact),
                        fmt::format("the definition in double precision, {}",
                                    describe_samples(samples, specimen.inputs.rows())));
}

/// Something else that computes the same numbers in single precision.
struct Rival {
  methods::Variant variant;
  kernels::Context<float> context;
  std::string description;
};

Result<Verification> compare_with_rival(const MethodRun& run, const Specimen& specimen,
                                        const Rival& rival,
                                        const kernels::Context<float>& context) {
  Part part(specimen, 1);
  const Problem problem = pose(part, specimen, run, context);
  const std::size_t columns = run.method.column_count(problem);
  const methods::Probe<float> probe = part.probe(specimen, run.options);
  Matrix<float> found(run.method.rows(problem), columns);
  run.variant.run(probe, context, found);
  Matrix<float> others(found.rows(), columns);
  rival.variant.run(probe, rival.context, others);
  Matrix<double> exact(others.rows(), columns);
  copy(others.view(), exact.view());
  // Both are off from the true values by what the tolerance allows.
  return compare_values(
      run, probe, found, exact, 2.0 * run.method.tolerance(problem, exact),
      fmt::format("{}, {} (the definition would take {:.2g} FLOP)", rival.description,
                  describe_samples(1, specimen.inputs.rows()), reference_flops(run, specimen, 1)));
}

}  // namespace

Matrix<float> donor_of(const Matrix<float>& inputs) {
  const std::size_t batch = inputs.rows();
  Matrix<float> donor(batch, inputs.cols());
  for (std::size_t b = 0; b < batch; ++b) {
    const std::span<const float> other = inputs.row((b + 1) % batch);
    std::transform(other.begin(), other.end(), donor.row(b).begin(),
                   [batch](float value) { return batch == 1 ? -value : value; });
  }
  return donor;
}

Result<Verification> verify_method(const MethodRun& run, const Specimen& specimen,
                                   MatrixView<const float> timed,
                                   const kernels::Context<float>& context) {
  if (!all_finite(timed)) {
    return fail("{}: a value is not finite", run.subject);
  }
  const std::size_t affordable = affordable_part(run, specimen);
  if (affordable > 0 || reference_flops(run, specimen, 1) <= kLargestReferenceFlops) {
    return compare_with_definition(run, specimen, std::max<std::size_t>(affordable, 1), context);
  }
  for (const methods::Variant& other : run.method.variants) {
    if (other.name != run.variant.name &&
        variant_flops(run, other, specimen, 1) <= kLargestRivalFlops) {
      return compare_with_rival(run, specimen,
                                {other, context, fmt::format("variant {}", other.name)}, context);
    }
  }
  Setting setting;
  setting.backend = "reference";
  const Result<Runtime<float>> reference = Runtime<float>::make(setting);
  if (!reference) {
    return tl::unexpected(reference.error());
  }
  return compare_with_rival(
      run, specimen, {run.variant, reference->context(), "the same variant on backend reference"},
      context);
}

}  // namespace interpscale::study
