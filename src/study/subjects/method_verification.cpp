// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/method_verification.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
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

/// Some of the specimen's samples, with a tape for their pass.
struct Part {
  Part(const Specimen& specimen, std::span<const std::size_t> chosen)
      : inputs(chosen.size(), specimen.inputs.cols()),
        donor(chosen.size(), specimen.inputs.cols()),
        tape(specimen.network.topology, chosen.size()) {
    const Matrix<float> donors = donor_of(specimen.inputs);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      std::ranges::copy(specimen.inputs.row(chosen[i]), inputs.row(i).begin());
      std::ranges::copy(donors.row(chosen[i]), donor.row(i).begin());
      labels.push_back(specimen.labels[chosen[i]]);
    }
  }

  Matrix<float> inputs;
  Matrix<float> donor;
  nn::Tape<float> tape;
  std::vector<std::uint32_t> labels;

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

/// The first `count` samples.
std::vector<std::size_t> first_samples(std::size_t count) {
  std::vector<std::size_t> samples(count);
  std::iota(samples.begin(), samples.end(), std::size_t{0});
  return samples;
}

/// What the part asks of the method, its activity measured.
Problem pose(Part& part, const Specimen& specimen, const MethodRun& run,
             const kernels::Context<float>& context) {
  return methods::problem_of(part.probe(specimen, run.options), context);
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

/// The run, or where its reference is beyond reach for a single sample and the method can be asked
/// for fewer neurons (its cost tells), the same for as many as can be afforded.
MethodRun with_affordable_neurons(const MethodRun& run, const Specimen& specimen) {
  const double whole = reference_flops(run, specimen, 1);
  MethodRun fewer = run;
  fewer.options.neurons_per_layer = *std::ranges::max_element(specimen.network.topology.hidden);
  while (whole > kReferenceFlops && fewer.options.neurons_per_layer > 1) {
    fewer.options.neurons_per_layer /= 2;
    if (reference_flops(fewer, specimen, 1) <= kReferenceFlops) {
      return fewer;
    }
  }
  return reference_flops(fewer, specimen, 1) < whole ? fewer : run;
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

/// What rounding does to a pre-activation of this network on this batch: the largest difference
/// between its passes in single and in double precision, over units and samples.
double rounding_of_units(const Specimen& specimen, const methods::DoubleSpecimen& doubles,
                         const kernels::Context<float>& context) {
  const nn::Topology& topology = specimen.network.topology;
  const std::size_t batch = specimen.inputs.rows();
  nn::Tape<float> found(topology, batch, true);
  nn::Tape<double> exact(topology, batch, true);
  nn::forward<float>(specimen.network, specimen.inputs, found, context);
  nn::forward<double>(doubles.probe().network, doubles.probe().inputs, exact, doubles.context());
  double largest = 0.0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    largest = std::max(largest, largest_deviation(found.pre_activations[layer].view(),
                                                  exact.pre_activations[layer].view()));
  }
  return largest;
}

/// The first `count` samples (or all there are) on which no unit is so near to the kink of its ReLU
/// that rounding may put it on the other side, where its slope is another one: on the others,
/// values that hold gradients differ by more than rounding, in a variant that is right.
std::vector<std::size_t> samples_off_kinks(const MethodRun& run, const Specimen& specimen,
                                           std::size_t count,
                                           const kernels::Context<float>& context) {
  // kink_distance looks at some nodes of a path, a method perhaps at others; and other kernels
  // round otherwise.
  constexpr double kMargin = 4.0;
  Part whole(specimen, first_samples(specimen.inputs.rows()));
  const methods::DoubleSpecimen doubles(whole.probe(specimen, run.options));
  const double least = kMargin * rounding_of_units(specimen, doubles, context);
  std::vector<std::size_t> samples;
  for (std::size_t b = 0; b < specimen.inputs.rows() && samples.size() < count; ++b) {
    if (methods::kink_distance(doubles.probe(), b) > least) {
      samples.push_back(b);
    }
  }
  return samples;
}

/// compare(samples) for the first `count` samples; where it fails, for as many off their kinks.
template <class Compare>
Result<Verification> compare_on(const MethodRun& run, const Specimen& specimen, std::size_t count,
                                const kernels::Context<float>& context, const Compare& compare) {
  const std::vector<std::size_t> first = first_samples(count);
  Result<Verification> verification = compare(first);
  if (verification || specimen.network.topology.activation != kernels::Activation::kRelu) {
    return verification;
  }
  const std::vector<std::size_t> clear = samples_off_kinks(run, specimen, count, context);
  if (clear.empty() || clear == first) {
    return verification;
  }
  verification = compare(clear);
  if (verification) {
    verification->compared += " (those with no unit at its kink)";
  }
  return verification;
}

std::string describe_part(const MethodRun& run, std::size_t samples, std::size_t batch) {
  const std::size_t neurons = run.options.neurons_per_layer;
  return describe_samples(samples, batch) +
         (neurons > 0 ? fmt::format(", {} neurons a layer", neurons) : "");
}

/// Rows whose walk came near to what rounding decides are not compared, where a method has such.
void set_aside_unclear(const MethodRun& run, const Specimen& specimen,
                       const methods::DoubleSpecimen& doubles, MatrixView<const float> found,
                       MatrixView<double> exact, const kernels::Context<float>& context) {
  if (run.method.clearance) {
    constexpr double kMargin = 4.0;
    Part whole(specimen, first_samples(specimen.inputs.rows()));
    const methods::DoubleSpecimen batch(whole.probe(specimen, run.options));
    const double least = kMargin * rounding_of_units(specimen, batch, context);
    methods::set_aside_unclear_rows(run.method, doubles.probe(),
                                    std::max(least, methods::kRowClearance), found, exact);
  }
}

Result<Verification> compare_with_definition(const MethodRun& run, const Specimen& specimen,
                                             std::span<const std::size_t> samples,
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
  set_aside_unclear(run, specimen, doubles, found, exact, context);
  return verdict(
      run.subject,
      {methods::largest_deviation(run.method, found, exact), run.method.tolerance(problem, exact)},
      fmt::format("the definition in double precision, {}",
                  describe_part(run, samples.size(), specimen.inputs.rows())));
}

/// Something else that computes the same numbers in single precision.
struct Rival {
  methods::Variant variant;
  kernels::Context<float> context;
  std::string description;
};

Result<Verification> compare_with_rival(const MethodRun& run, const Specimen& specimen,
                                        const Rival& rival, std::span<const std::size_t> samples,
                                        const kernels::Context<float>& context) {
  Part part(specimen, samples);
  const Problem problem = pose(part, specimen, run, context);
  const std::size_t columns = run.method.column_count(problem);
  const methods::Probe<float> probe = part.probe(specimen, run.options);
  Matrix<float> found(run.method.rows(problem), columns);
  run.variant.run(probe, context, found);
  Matrix<float> others(found.rows(), columns);
  rival.variant.run(probe, rival.context, others);
  Matrix<double> exact(others.rows(), columns);
  copy(others.view(), exact.view());
  set_aside_unclear(run, specimen, methods::DoubleSpecimen(probe), found, exact, context);
  // Both are off from the true values by what the tolerance allows.
  return verdict(run.subject,
                 {methods::largest_deviation(run.method, found, exact),
                  2.0 * run.method.tolerance(problem, exact)},
                 fmt::format("{}, {} (the definition would take {:.2g} FLOP)", rival.description,
                             describe_part(run, samples.size(), specimen.inputs.rows()),
                             reference_flops(run, specimen, 1)));
}

Result<Verification> verify_with_rival(const MethodRun& run, const Specimen& specimen,
                                       const Rival& rival, const kernels::Context<float>& context) {
  return compare_on(run, specimen, 1, context, [&](std::span<const std::size_t> samples) {
    return compare_with_rival(run, specimen, rival, samples, context);
  });
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

Result<Verification> verify_method(const MethodRun& whole, const Specimen& specimen,
                                   MatrixView<const float> timed,
                                   const kernels::Context<float>& context) {
  if (!all_finite(timed)) {
    return fail("{}: a value is not finite", whole.subject);
  }
  const MethodRun run = with_affordable_neurons(whole, specimen);
  const std::size_t affordable = affordable_part(run, specimen);
  if (affordable > 0 || reference_flops(run, specimen, 1) <= kLargestReferenceFlops) {
    return compare_on(run, specimen, std::max<std::size_t>(affordable, 1), context,
                      [&](std::span<const std::size_t> samples) {
                        return compare_with_definition(run, specimen, samples, context);
                      });
  }
  for (const methods::Variant& other : run.method.variants) {
    if (other.name != run.variant.name &&
        variant_flops(run, other, specimen, 1) <= kLargestRivalFlops) {
      return verify_with_rival(run, specimen,
                               {other, context, fmt::format("variant {}", other.name)}, context);
    }
  }
  Setting setting;
  setting.backend = "reference";
  const Result<Runtime<float>> reference = Runtime<float>::make(setting);
  if (!reference) {
    return tl::unexpected(reference.error());
  }
  return verify_with_rival(
      run, specimen, {run.variant, reference->context(), "the same variant on backend reference"},
      context);
}

}  // namespace interpscale::study
