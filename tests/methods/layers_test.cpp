// What `layers` asks for: the rows of some layers, the same as without it, for less work.
// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "interpscale/kernels/counting_backend.hpp"
#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

using methods::MethodSpec;
using methods::Problem;
using methods::Variant;

/// Methods that always work on all layers.
const std::set<std::string> kWholeNetwork = {
    "activation_patching", "deeplift_rescale",   "layer_conductance", "lrp_epsilon",
    "mean_ablation",       "neuron_conductance", "neuron_gradient",   "neuron_integrated_gradients",
    "zero_ablation"};

/// Three layers of different activations; a data set; edges on request.
std::vector<Case> cases() {
  std::vector<Case> chosen;
  for (const Case& problem : awkward_cases()) {
    if (problem.topology.hidden.size() > 1) {
      chosen.push_back(problem);
    }
  }
  return chosen;
}

/// Rows of one layer: neurons, or the latents of a dictionary.
MatrixView<const float> rows_of(const Matrix<float>& values, const nn::Topology& topology,
                                std::size_t layer) {
  const std::size_t each = values.rows() / topology.neurons();
  std::size_t first = 0;
  for (std::size_t below = 0; below < layer; ++below) {
    first += each * topology.hidden[below];
  }
  return values.view().rows_from(first, each * topology.hidden[layer]);
}

bool same_bits(MatrixView<const float> a, MatrixView<const float> b) {
  for (std::size_t i = 0; i < a.rows(); ++i) {
    if (!std::equal(a.row(i).begin(), a.row(i).end(), b.row(i).begin())) {
      return false;
    }
  }
  return true;
}

/// A layer at a time, on a counting backend.
class OneLayer {
 public:
  OneLayer(const MethodSpec& method, const Variant& variant, Specimen& specimen)
      : method_(method), variant_(variant), specimen_(specimen), bench_(*counting_) {}

  Matrix<float> run(const std::vector<std::size_t>& layers) {
    counting_->reset();
    const Problem problem = posed(layers);
    methods::Probe<float> probe = specimen_.probe();
    probe.options = problem.options;
    Matrix<float> out(method_.rows(problem), method_.column_count(problem));
    variant_.run(probe, bench_.context(), out);
    return out;
  }
  [[nodiscard]] Problem posed(const std::vector<std::size_t>& layers) {
    Problem problem = specimen_.problem();
    problem.options.layers = layers;
    return problem;
  }
  [[nodiscard]] std::uint64_t counted() const { return counting_->flops(); }
  [[nodiscard]] std::uint64_t declared(const std::vector<std::size_t>& layers) {
    return variant_.cost(posed(layers)).flops;
  }
  [[nodiscard]] std::size_t peak_bytes() const { return bench_.workspace().peak_bytes(); }

 private:
  const MethodSpec& method_;
  const Variant& variant_;
  Specimen& specimen_;
  Bench reference_{"reference"};
  std::unique_ptr<kernels::CountingBackend<float>> counting_ =
      kernels::make_counting_backend(reference_.backend());
  Bench bench_;
};

TEST_CASE("layers: the rows of one layer are those of the whole run, at the declared cost",
          "[methods][layers]") {
  for (const Case& problem : cases()) {
    Specimen specimen(problem);
    for (const MethodSpec& method : methods::all_methods()) {
      for (const Variant& variant : method.variants) {
        OneLayer one(method, variant, specimen);
        const Matrix<float> whole = one.run({});
        for (std::size_t layer = 0; layer < problem.topology.hidden.size(); ++layer) {
          INFO(method.name << "/" << variant.name << " on " << problem.topology.name() << ", layer "
                           << layer);
          const Matrix<float> found = one.run({layer});
          CHECK(same_bits(rows_of(found, problem.topology, layer),
                          rows_of(whole, problem.topology, layer)));
          CHECK(one.counted() == one.declared({layer}));
          CHECK(one.peak_bytes() <= variant.workspace_bytes(one.posed({})));
        }
      }
    }
  }
}

TEST_CASE("layers: a method does less for one layer than for all", "[methods][layers]") {
  Specimen specimen({.topology = {7, {13, 5, 17}, 3, Activation::kRelu}, .batch = 9});
  for (const MethodSpec& method : methods::all_methods()) {
    INFO(method.name);
    OneLayer one(method, method.variants.back(), specimen);
    std::size_t cheaper = 0;
    for (std::size_t layer = 0; layer < 3; ++layer) {
      CHECK(one.declared({layer}) <= one.declared({}));
      cheaper += one.declared({layer}) < one.declared({}) ? 1U : 0U;
    }
    CHECK((cheaper > 0) == !kWholeNetwork.contains(method.name));
  }
}

}  // namespace
}  // namespace interpscale::testing
