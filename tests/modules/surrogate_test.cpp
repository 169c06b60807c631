// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/core/random.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/modules/fit_surrogate.hpp"
#include "interpscale/modules/lesion.hpp"
#include "interpscale/modules/retrain.hpp"
#include "interpscale/nn/passes.hpp"
#include "support/catch.hpp"

namespace interpscale::modules {
namespace {

/// A network with biases on labelled normal inputs, and two modules that span its layers.
struct Specimen {
  nn::Mlp<float> network;
  data::Dataset dataset;
  std::unique_ptr<kernels::Backend<float>> backend = *kernels::make_backend<float>("simd");
  Workspace workspace;
  HiddenUnits first{{0, 2, 3, 7}, {1, 4}, {}};
  HiddenUnits second{{1, 4}, {0, 2, 8}, {3, 5}};

  explicit Specimen(std::size_t samples = 600)
      : network(
            nn::initialise_he<float>({.inputs = 6, .hidden = {11, 9, 7}, .outputs = 4}, 3, 0.3)) {
    dataset.inputs = Matrix<float>(samples, 6);
    dataset.classes = 4;
    const RandomStream stream(9, 1);
    std::uint64_t index = 0;
    for (std::size_t s = 0; s < samples; ++s) {
      for (float& value : dataset.inputs.row(s)) {
        value = static_cast<float>(stream.normal(index++));
      }
      dataset.labels.push_back(static_cast<std::uint32_t>(stream.below(index++, 4)));
    }
  }
  [[nodiscard]] kernels::Context<float> context(int threads = 1) {
    return {*backend, threads, workspace};
  }
  [[nodiscard]] Matrix<float> outputs(const std::vector<Surrogate>& surrogates) {
    Matrix<float> result(dataset.inputs.rows(), 4);
    static_cast<void>(losses_of(SplicedNetwork(network, surrogates), dataset, context(), result));
    return result;
  }
  [[nodiscard]] SampleLosses losses(const std::vector<Surrogate>& surrogates) {
    return losses_of(SplicedNetwork(network, surrogates), dataset, context());
  }
};

/// A network that knows something: its labels are its own largest outputs.
void label_by_largest_output(Specimen& specimen) {
  const Matrix<float> outputs = specimen.outputs({});
  for (std::size_t s = 0; s < outputs.rows(); ++s) {
    specimen.dataset.labels[s] = static_cast<std::uint32_t>(
        std::ranges::max_element(outputs.row(s)) - outputs.row(s).begin());
  }
}

double largest_difference(const Matrix<float>& a, const Matrix<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) {
      largest = std::max(largest, std::abs(static_cast<double>(a(i, j) - b(i, j))));
    }
  }
  return largest;
}

double largest_value(const Matrix<float>& a) {
  return largest_difference(a, Matrix<float>(a.rows(), a.cols()));
}

/// Each layer's sums of up to 12 terms are rounded once more or in another order; a layer's error
/// grows by no more than the gain of the ones above, which a factor of 64 over the outputs' own
/// scale covers for weights of He's deviation.
double rounding(const Matrix<float>& outputs) {
  return 64 * 12 * 6e-8 * largest_value(outputs);
}

}  // namespace

TEST_CASE("splice: nothing spliced in changes no bit", "[modules]") {
  Specimen specimen;
  nn::Tape<float> tape(specimen.network.topology, 600);
  nn::forward<float>(specimen.network, specimen.dataset.inputs, tape, specimen.context());
  CHECK(largest_difference(specimen.outputs({}), tape.logits) == 0.0);
  CHECK(SplicedNetwork(specimen.network, {}).parameters() ==
        specimen.network.topology.parameters());
  const data::Evaluation whole =
      data::evaluate(specimen.network, specimen.dataset, specimen.context());
  CHECK(specimen.losses({}).loss == Approx(whole.loss));
  CHECK(specimen.losses({}).accuracy == Approx(whole.accuracy));
}

TEST_CASE("splice: modules of their own shape and weights leak nothing beyond rounding",
          "[modules]") {
  Specimen specimen;
  const Matrix<float> whole = specimen.outputs({});
  const std::vector<Surrogate> own = {own_shape(specimen.network, specimen.first),
                                      own_shape(specimen.network, specimen.second)};
  CHECK(largest_difference(specimen.outputs(own), whole) <= rounding(whole));
  CHECK(largest_difference(specimen.outputs({own[0]}), whole) <= rounding(whole));
  CHECK(SplicedNetwork(specimen.network, own).parameters() ==
        specimen.network.topology.parameters());
  const HiddenUnits layer = whole_layer(specimen.network.topology, 1);
  CHECK(largest_difference(specimen.outputs({own_shape(specimen.network, layer)}), whole) <=
        rounding(whole));
}

TEST_CASE("splice: any number of threads gives the same bits; no neuron is replaced twice",
          "[modules]") {
  Specimen specimen;
  const SurrogateOptions options{.kind = SurrogateKind::kLowRankRelu, .size = 2};
  const Surrogate one = fit_surrogate(specimen.network, specimen.second, specimen.dataset, options,
                                      specimen.context(1));
  const Surrogate three = fit_surrogate(specimen.network, specimen.second, specimen.dataset,
                                        options, specimen.context(3));
  CHECK(largest_difference(specimen.outputs({one}), specimen.outputs({three})) == 0.0);
  CHECK_THROWS_AS(SplicedNetwork(specimen.network, {one, one}), ContractViolation);
}

TEST_CASE("surrogates: full rank before the ReLU is the module itself", "[modules]") {
  Specimen specimen;
  const SurrogateOptions options{.kind = SurrogateKind::kLowRankRelu, .size = 100, .ridge = 1e-9};
  const std::vector<Surrogate> fitted = {
      fit_surrogate(specimen.network, specimen.first, specimen.dataset, options,
                    specimen.context()),
      fit_surrogate(specimen.network, specimen.second, specimen.dataset, options,
                    specimen.context())};
  const Matrix<float> whole = specimen.outputs({});
  // The ridge's share of the weights comes on top of rounding; dead neurons have none.
  CHECK(largest_difference(specimen.outputs(fitted), whole) <=
        rounding(whole) + 1e-4 * largest_value(whole));
}

TEST_CASE("surrogates: least squares leaves errors that no input explains, rank by rank",
          "[modules]") {
  Specimen specimen(300);
  HiddenUnits module{{0, 1, 2, 3, 4, 5}, {}, {}};
  double previous = 1e300;
  for (std::size_t rank = 1; rank <= 6; ++rank) {
    const Surrogate fitted = fit_surrogate(
        specimen.network, module, specimen.dataset,
        {.kind = SurrogateKind::kLinear, .size = rank, .ridge = 1e-9}, specimen.context());
    nn::Tape<float> whole(specimen.network.topology, 300);
    nn::Tape<float> spliced(specimen.network.topology, 300);
    nn::forward<float>(specimen.network, specimen.dataset.inputs, whole, specimen.context());
    SplicedNetwork(specimen.network, {fitted})
        .forward(specimen.dataset.inputs, spliced, specimen.context());
    double squares = 0;
    std::vector<double> with_inputs(6, 0.0);
    for (std::size_t s = 0; s < 300; ++s) {
      for (std::size_t j = 0; j < 6; ++j) {
        const double error =
            static_cast<double>(spliced.activations[0](s, j) - whole.activations[0](s, j));
        squares += error * error;
        with_inputs[j] += error * static_cast<double>(specimen.dataset.inputs(s, 0));
      }
    }
    CHECK(squares <= previous * (1 + 1e-6));
    previous = squares;
    if (rank == 6) {
      // Normal equations, in sums of 300 floats.
      for (const double product : with_inputs) {
        CHECK(std::abs(product) < 300 * 1e-5);
      }
    }
  }
}

TEST_CASE("surrogates: leaks fall, within their intervals, as surrogates grow", "[modules]") {
  Specimen specimen(2000);
  label_by_largest_output(specimen);
  const SampleLosses whole = specimen.losses({});
  CHECK(whole.accuracy == 1.0);
  for (const SurrogateKind kind :
       {SurrogateKind::kLinear, SurrogateKind::kLowRankRelu, SurrogateKind::kMlp}) {
    Leak previous{1e9, 1e9, 1e9};
    for (std::size_t size = 1; size <= 16; size *= 4) {
      const SurrogateOptions options{.kind = kind, .size = size, .epochs = 20, .rate = 1e-2};
      const Leak leak =
          leak_of(specimen.losses({fit_surrogate(specimen.network, specimen.first, specimen.dataset,
                                                 options, specimen.context())}),
                  whole);
      CHECK(leak.low <= previous.high);
      CHECK(leak.low <= leak.value);
      CHECK(leak.value <= leak.high);
      previous = leak;
    }
  }
}

TEST_CASE("surrogates: a distilled network is no worse than the linear map that it starts from",
          "[modules]") {
  Specimen specimen(2000);
  label_by_largest_output(specimen);
  const SampleLosses whole = specimen.losses({});
  for (const std::size_t size : {1U, 2U, 4U, 8U}) {
    const auto leak = [&](SurrogateKind kind) {
      return leak_of(
          specimen.losses({fit_surrogate(specimen.network, specimen.first, specimen.dataset,
                                         {.kind = kind, .size = size}, specimen.context())}),
          whole);
    };
    CHECK(leak(SurrogateKind::kMlp).low <= leak(SurrogateKind::kLinear).high);
  }
}

TEST_CASE("surrogates: a map fitted on other surrogates' outputs makes up for their errors",
          "[modules]") {
  Specimen specimen(2000);
  const HiddenUnits below = whole_layer(specimen.network.topology, 0);
  const HiddenUnits above = whole_layer(specimen.network.topology, 1);
  const SurrogateOptions options{.kind = SurrogateKind::kLinear, .size = 100};
  const Surrogate lower =
      fit_surrogate(specimen.network, below, specimen.dataset,
                    {.kind = SurrogateKind::kLinear, .size = 2}, specimen.context());
  const SplicedNetwork on(specimen.network, {lower});
  const Surrogate on_true =
      fit_surrogate(specimen.network, above, specimen.dataset, options, specimen.context());
  const Surrogate on_own =
      fit_surrogate(specimen.network, above, specimen.dataset, on, options, specimen.context());
  const auto error = [&](const Surrogate& upper) {
    nn::Tape<float> whole(specimen.network.topology, 2000);
    nn::Tape<float> spliced(specimen.network.topology, 2000);
    nn::forward<float>(specimen.network, specimen.dataset.inputs, whole, specimen.context());
    SplicedNetwork(specimen.network, {lower, upper})
        .forward(specimen.dataset.inputs, spliced, specimen.context());
    double squares = 0;
    for (std::size_t s = 0; s < 2000; ++s) {
      for (std::size_t j = 0; j < 9; ++j) {
        const double difference =
            static_cast<double>(spliced.activations[1](s, j) - whole.activations[1](s, j));
        squares += difference * difference;
      }
    }
    return squares;
  };
  CHECK(error(on_own) < error(on_true));
}

TEST_CASE("retraining: toward itself a module stays, toward a surrogate it comes nearer",
          "[modules]") {
  Specimen specimen(2000);
  const Surrogate own = own_shape(specimen.network, specimen.first);
  const Surrogate stayed = retrain_toward(specimen.network, own, specimen.dataset,
                                          {.epochs = 1, .rate = 1e-9}, specimen.context());
  const Matrix<float> whole = specimen.outputs({});
  CHECK(largest_difference(specimen.outputs({stayed}), whole) <=
        rounding(whole) + 1e-5 * largest_value(whole));
  const Surrogate toward =
      fit_surrogate(specimen.network, specimen.first, specimen.dataset,
                    {.kind = SurrogateKind::kLowRankRelu, .size = 1}, specimen.context());
  const Surrogate retrained = retrain_toward(specimen.network, toward, specimen.dataset,
                                             {.epochs = 30, .rate = 1e-2}, specimen.context());
  const Matrix<float> wanted = specimen.outputs({toward});
  CHECK(largest_difference(specimen.outputs({retrained}), wanted) <
        0.5 * largest_difference(whole, wanted));
}

TEST_CASE("errors of modules: independent ones are called so, shared ones are not", "[modules]") {
  constexpr std::size_t kSamples = 500;
  const auto errors = [](double shared) {
    std::vector<Matrix<float>> result;
    for (std::uint64_t module = 0; module < 5; ++module) {
      Matrix<float> error(kSamples, 3);
      for (std::size_t s = 0; s < kSamples; ++s) {
        for (std::size_t c = 0; c < 3; ++c) {
          const double own = RandomStream(4, module).normal(3 * s + c);
          const double common = RandomStream(4, 100).normal(3 * s + c);
          error(s, c) = static_cast<float>(own + shared * common);
        }
      }
      result.push_back(std::move(error));
    }
    return result;
  };
  const ErrorCorrelation independent = correlate_errors(errors(0), 199, 1);
  CHECK(independent.p > 0.05);
  // Ten correlations of 1500 pairs each: three standard errors of their mean.
  CHECK(std::abs(independent.mean) < 3 / std::sqrt(1500.0 * 10));
  const ErrorCorrelation shared = correlate_errors(errors(0.5), 199, 1);
  CHECK(shared.p == Approx(1.0 / 200));
  CHECK(shared.mean == Approx(0.2).margin(0.05));  // 0.5^2 / (1 + 0.5^2)
}

TEST_CASE("lesion: a module that alone carries the outputs matters more than random neurons",
          "[modules]") {
  Specimen specimen(400);
  HiddenUnits carriers{{}, {}, {0, 1}};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 7; ++j) {
      specimen.network.layers[3].weights(i, j) *= j < 2 ? 20.0F : 0.01F;
    }
  }
  const Matrix<float> outputs = specimen.outputs({});
  for (std::size_t s = 0; s < 400; ++s) {
    specimen.dataset.labels[s] = static_cast<std::uint32_t>(
        std::ranges::max_element(outputs.row(s)) - outputs.row(s).begin());
  }
  const double loss = specimen.losses({}).loss;
  const Lesion found =
      lesion(specimen.network, loss, carriers, specimen.dataset, 50, 1, specimen.context());
  CHECK(found.neurons == 2);
  CHECK(found.random_losses.size() == 50);
  CHECK(found.loss_increase > 0);
  CHECK(found.z > 0);
  const Lesion none =
      lesion(specimen.network, loss, HiddenUnits(3), specimen.dataset, 2, 1, specimen.context());
  CHECK(none.loss_increase == Approx(0.0).margin(1e-6));
  CHECK(none.z == 0.0);
}

TEST_CASE("modules: hidden neurons by cluster, and what crosses the border", "[modules]") {
  nn::Mlp<float> network{{.inputs = 2, .hidden = {3, 2}, .outputs = 1}, {}};
  network.layers = nn::zero_layers<float>(network.topology);
  network.layers[0].weights(0, 0) = 1;   // x0 -> a0
  network.layers[0].weights(1, 1) = 1;   // x1 -> a1
  network.layers[1].weights(0, 0) = 1;   // a0 -> b0
  network.layers[1].weights(0, 1) = -2;  // a1 -> b0
  network.layers[2].weights(0, 0) = 1;   // b0 -> y
  const WeightGraph graph(network);
  Clustering clustering;
  clustering.clusters = 2;
  clustering.cluster = {0, 1, 0, 1, kIsolated, 0, kIsolated, 0};
  const std::vector<HiddenUnits> modules = hidden_modules(graph, clustering);
  REQUIRE(modules.size() == 2);
  CHECK(modules[0] == HiddenUnits{{0}, {0}});
  CHECK(modules[1] == HiddenUnits{{1}, {}});
  const Border border = border_of(graph, modules[0]);
  CHECK(border.inputs == std::vector<std::vector<std::uint32_t>>{{0}, {1}, {}, {}});
  CHECK(border.outputs == HiddenUnits{{}, {0}});
  CHECK(count_units(modules[0]) == 2);
}

}  // namespace interpscale::modules
