// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/subjects.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/methods/registry.hpp"
#include "interpscale/nn/passes.hpp"
#include "interpscale/nn/training_step.hpp"
#include "support/catch.hpp"

using namespace interpscale;
using study::CellRequest;
using study::Setting;
using study::Specimen;
using study::SpecimenSource;

namespace {

/// Nothing a multiple of a vector length.
const nn::Topology kSmall{7, {13, 9, 5}, 3, kernels::Activation::kRelu};

SpecimenSource source_of(const nn::Topology& topology, std::size_t batch) {
  auto specimen = std::make_shared<const Specimen>(study::random_specimen(topology, batch, 5));
  return [specimen]() -> Result<std::shared_ptr<const Specimen>> { return specimen; };
}

Setting setting_of(const std::string& backend) {
  Setting setting;
  setting.backend = backend;
  setting.path_steps = 3;
  return setting;
}

/// Every pass, and every variant of every method.
std::vector<CellRequest> all_requests(const nn::Topology& topology, std::size_t batch) {
  std::vector<CellRequest> requests;
  for (const std::string& pass : study::pass_names()) {
    requests.push_back({pass, "", topology, batch, {}});
  }
  for (const methods::MethodSpec& method : methods::all_methods()) {
    for (const methods::Variant& variant : method.variants) {
      requests.push_back({method.name, variant.name, topology, batch, {}});
    }
  }
  return requests;
}

/// out(j) = the mean of logit 0, plus `error`, for every neuron.
methods::MethodSpec constant_method(float error, std::uint64_t flops_per_sample) {
  methods::MethodSpec method;
  method.name = "constant";
  method.column_count = [](const methods::Problem&) { return std::size_t{1}; };
  method.reference = [](const methods::Probe<double>& probe,
                        const kernels::Context<double>& context, MatrixView<double> out) {
    nn::forward(probe.network, probe.inputs, probe.tape, context);
    for (std::size_t j = 0; j < out.rows(); ++j) {
      out(j, 0) = probe.tape.output()(0, 0);
    }
  };
  method.tolerance = [](const methods::Problem&, MatrixView<const double>) { return 1e-4; };
  methods::Variant variant;
  variant.name = "fast";
  variant.cost = [flops_per_sample](const methods::Problem& problem) {
    return methods::Cost{flops_per_sample * problem.batch, 8};
  };
  variant.run = [error](const methods::Probe<float>& probe, const kernels::Context<float>& context,
                        MatrixView<float> out) {
    nn::forward(probe.network, probe.inputs, probe.tape, context);
    for (std::size_t j = 0; j < out.rows(); ++j) {
      out(j, 0) = probe.tape.output()(0, 0) + error;
    }
  };
  method.variants = {variant};
  return method;
}

Result<measure::Verification> verify(const methods::MethodSpec& method, std::size_t batch) {
  const auto subject = study::make_method_subject(
      method, {method.name, method.variants.front().name, kSmall, batch, {}},
      setting_of("reference"), source_of(kSmall, batch));
  REQUIRE(subject.has_value());
  auto timed = subject->prepare();
  REQUIRE(timed.has_value());
  return (*timed)->verify();
}

}  // namespace

TEST_CASE("subjects: a random specimen has about half of its units active", "[study][subjects]") {
  const nn::Topology topology{20, {64, 64}, 10, kernels::Activation::kRelu};
  const Specimen specimen = study::random_specimen(topology, 64, 1);
  REQUIRE(specimen.active_pairs.size() == 2);
  for (const std::uint64_t active : specimen.active_pairs) {
    const double share = static_cast<double>(active) / (64.0 * 64.0);
    // 64 units share their inputs' sign pattern, so the share varies as that of 64 coins does:
    // five deviations of 1/16.
    CHECK(std::abs(share - 0.5) < 5.0 / 16.0);
  }
  CHECK(std::any_of(specimen.network.layers[0].bias.begin(), specimen.network.layers[0].bias.end(),
                    [](float bias) { return bias != 0.0F; }));
  for (const std::uint32_t label : specimen.labels) {
    CHECK(label < 10);
  }
}

TEST_CASE("subjects: names have their keys in a fixed order", "[study][subjects]") {
  const nn::Topology equal{7, {16, 16}, 3, kernels::Activation::kRelu};
  Setting setting;
  const auto pass = study::make_subject({"forward", "", equal, 4, {}}, setting, nullptr);
  REQUIRE(pass.has_value());
  CHECK(pass->name == "pass/forward/d:7/w:16/L:2/C:3/B:4/t:1/backend:simd");
  setting.simd_target = "AVX2";
  setting.path_steps = 8;
  setting.threads = 2;
  nn::Topology unequal = kSmall;
  unequal.activation = kernels::Activation::kTanh;
  const auto method = study::make_method_subject(
      constant_method(0.0F, 1), {"constant", "fast", unequal, 4, {}}, setting, nullptr);
  REQUIRE(method.has_value());
  CHECK(method->name ==
        "method/constant/fast/d:7/w:13x9x5/L:3/C:3/B:4/t:2/backend:simd/target:AVX2/phi:tanh/K:8");
  CHECK(study::gemm_subject(kernels::GemmCase::kTN, {3, 4, 5}, Setting{}).name ==
        "kernel/gemm/tn/m:3/n:4/k:5/t:1/backend:simd");
}

TEST_CASE("subjects: no two have the same name", "[study][subjects]") {
  std::set<std::string> names;
  const std::vector<CellRequest> requests = all_requests(kSmall, 4);
  for (const CellRequest& request : requests) {
    const auto subject = study::make_subject(request, Setting{}, nullptr);
    REQUIRE(subject.has_value());
    names.insert(subject->name);
  }
  CHECK(names.size() == requests.size());
}

TEST_CASE("subjects: quantities are those of the network and the declared costs",
          "[study][subjects]") {
  const auto step =
      study::make_subject({"training_step_adam", "", kSmall, 6, {}}, Setting{}, nullptr);
  REQUIRE(step.has_value());
  CHECK(step->quantities.parameters == kSmall.parameters());
  CHECK(step->quantities.neurons == 27);
  CHECK(step->quantities.batch == 6);
  CHECK(step->quantities.inputs == 7);
  CHECK(step->quantities.flops ==
        nn::training_step_flops(kSmall, 6, nn::Loss::kCrossEntropy, nn::OptimizerKind::kAdam));
  for (const CellRequest& request : all_requests(kSmall, 6)) {
    CAPTURE(request.subject, request.variant);
    const auto subject = study::make_subject(request, Setting{}, nullptr);
    CHECK(subject->quantities.flops > 0);
    CHECK(subject->quantities.bytes >= sizeof(float) * kSmall.parameters());
  }
}

TEST_CASE("subjects: the activity of a network enters the declared cost", "[study][subjects]") {
  methods::MethodSpec method = constant_method(0.0F, 1);
  method.variants[0].cost = [](const methods::Problem& problem) {
    return methods::Cost{problem.active_pairs.empty() ? 100 : problem.active_pairs[0], 0};
  };
  const CellRequest dense{"constant", "fast", kSmall, 4, {}};
  CellRequest sparse = dense;
  sparse.active_pairs = {11, 12, 13};
  CHECK(study::make_method_subject(method, dense, Setting{}, nullptr)->quantities.flops == 100);
  CHECK(study::make_method_subject(method, sparse, Setting{}, nullptr)->quantities.flops == 11);
}

TEST_CASE("subjects: on a specimen, pairs and couples that cost nothing are not declared",
          "[study][subjects]") {
  const Specimen specimen = study::random_specimen(kSmall, 6, 5);
  for (const std::string name : {"zero_ablation", "activation_patching", "pairwise_ablation"}) {
    CAPTURE(name);
    const CellRequest dense{name, "fast", kSmall, 6, {}};
    const auto all = study::make_subject(dense, Setting{}, nullptr);
    const auto some = study::make_subject(dense.on(specimen, Setting{}), Setting{}, nullptr);
    CHECK(some->name == all->name);
    CHECK(some->quantities.flops < all->quantities.flops);
  }
  CellRequest by_pairs{"pairwise_ablation", "fast", kSmall, 6, specimen.active_pairs};
  CHECK(
      study::make_subject(by_pairs.on(specimen, Setting{}), Setting{}, nullptr)->quantities.flops <
      study::make_subject(by_pairs, Setting{}, nullptr)->quantities.flops);
}

TEST_CASE("subjects: every one agrees with its reference, before and after it has run",
          "[study][subjects]") {
  const auto batch = GENERATE(as<std::size_t>{}, 1U, 6U);
  const auto backend = GENERATE(from_range(kernels::backend_names<float>()));
  const SpecimenSource source = source_of(kSmall, batch);
  for (const CellRequest& request : all_requests(kSmall, batch)) {
    CAPTURE(request.subject, request.variant, batch, backend);
    const auto subject = study::make_subject(request, setting_of(backend), source);
    REQUIRE(subject.has_value());
    auto timed = subject->prepare();
    REQUIRE(timed.has_value());
    for (int i = 0; i < 2; ++i) {
      const auto verified = (*timed)->verify();
      if (!verified) {
        FAIL_CHECK(verified.error().message);
        break;
      }
      CHECK(verified->deviation <= verified->allowed);
      CHECK(verified->compared.find("all " + std::to_string(batch)) != std::string::npos);
      (*timed)->run();
    }
  }
}

TEST_CASE("subjects: smooth units are verified too", "[study][subjects]") {
  nn::Topology topology = kSmall;
  topology.activation = GENERATE(kernels::Activation::kSoftplus, kernels::Activation::kTanh);
  const SpecimenSource source = source_of(topology, 4);
  for (const std::string& pass : study::pass_names()) {
    CAPTURE(pass);
    const auto subject =
        study::make_subject({pass, "", topology, 4, {}}, setting_of("reference"), source);
    auto timed = subject->prepare();
    REQUIRE(timed.has_value());
    CHECK((*timed)->verify().has_value());
  }
}

TEST_CASE("subjects: training steps may be repeated without end and do the same work",
          "[study][subjects]") {
  const auto pass = GENERATE(as<std::string>{}, "training_step", "training_step_adam");
  const auto subject =
      study::make_subject({pass, "", kSmall, 4, {}}, setting_of("reference"), source_of(kSmall, 4));
  auto timed = subject->prepare();
  REQUIRE(timed.has_value());
  for (int i = 0; i < 5000; ++i) {
    (*timed)->run();
  }
  // Fails where a parameter has moved.
  CHECK((*timed)->verify().has_value());
}

TEST_CASE("subjects: single kernels agree with their references", "[study][subjects]") {
  const auto backend = GENERATE(from_range(kernels::backend_names<float>()));
  const Setting setting = setting_of(backend);
  std::vector<measure::Subject> subjects;
  for (const auto which :
       {kernels::GemmCase::kNT, kernels::GemmCase::kNN, kernels::GemmCase::kTN}) {
    subjects.push_back(study::gemm_subject(which, {5, 17, 33}, setting));
  }
  subjects.push_back(study::update_subject(nn::OptimizerKind::kSgd, 37, setting));
  subjects.push_back(study::update_subject(nn::OptimizerKind::kAdam, 37, setting));
  for (const measure::Subject& subject : subjects) {
    CAPTURE(subject.name);
    CHECK(subject.quantities.flops > 0);
    auto timed = subject.prepare();
    REQUIRE(timed.has_value());
    (*timed)->run();
    CHECK((*timed)->verify().has_value());
  }
  CHECK(subjects[0].quantities.flops == 2 * 5 * 17 * 33);
}

TEST_CASE("subjects: a variant that is wrong, or not finite, fails its verification",
          "[study][subjects]") {
  CHECK(verify(constant_method(0.0F, 1), 4).has_value());
  const auto wrong = verify(constant_method(1e-3F, 1), 4);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().message.find("deviates by 0.001") != std::string::npos);
  CHECK_FALSE(verify(constant_method(std::nanf(""), 1), 4).has_value());
}

TEST_CASE("subjects: where a unit stands at its kink, other samples decide", "[study][subjects]") {
  Specimen specimen = study::random_specimen(kSmall, 4, 5);
  nn::DenseLayer<float>& first_layer = specimen.network.layers[0];
  const std::span<const float> x = specimen.inputs.row(0);
  const std::vector<float> at_kink(x.begin(), x.end());
  first_layer.bias[2] =
      -std::inner_product(x.begin(), x.end(), first_layer.weights.row(2).begin(), 0.0F);
  const auto shared = std::make_shared<const Specimen>(std::move(specimen));
  const auto verified = [&](const methods::MethodSpec& method) {
    const auto subject = study::make_method_subject(
        method, {"constant", "fast", kSmall, 4, {}}, setting_of("reference"),
        [shared]() -> Result<std::shared_ptr<const Specimen>> { return shared; });
    REQUIRE(subject.has_value());
    return (*subject->prepare())->verify();
  };
  CHECK(verified(constant_method(0.0F, 1))->compared ==
        "the definition in double precision, all 4 samples");
  methods::MethodSpec off_at_kink = constant_method(0.0F, 1);
  const auto right = off_at_kink.variants[0].run;
  off_at_kink.variants[0].run = [right, at_kink](const methods::Probe<float>& probe,
                                                 const kernels::Context<float>& context,
                                                 MatrixView<float> out) {
    right(probe, context, out);
    if (std::ranges::equal(probe.inputs.row(0), at_kink)) {
      out(0, 0) += 1.0F;
    }
  };
  const auto elsewhere = verified(off_at_kink);
  REQUIRE(elsewhere.has_value());
  // The sample itself and the one whose donor it is are left out.
  CHECK(elsewhere->compared ==
        "the definition in double precision, 2 of 4 samples (those with no unit at its kink)");
  CHECK_FALSE(verified(constant_method(1e-3F, 1)).has_value());
}

TEST_CASE("subjects: a dear reference is asked for fewer samples, then not at all",
          "[study][subjects]") {
  const auto all = verify(constant_method(0.0F, 10), 8);
  CHECK(all->compared == "the definition in double precision, all 8 samples");
  const auto three = verify(constant_method(0.0F, 30'000'000), 8);
  CHECK(three->compared == "the definition in double precision, 3 of 8 samples");
  const auto one = verify(constant_method(0.0F, 400'000'000), 8);
  CHECK(one->compared == "the definition in double precision, 1 of 8 samples");
  const auto none = verify(constant_method(0.0F, 2'000'000'000), 8);
  CHECK(none->compared.find("the same variant on backend reference, 1 of 8 samples") == 0);
  methods::MethodSpec two = constant_method(0.0F, 2'000'000'000);
  two.variants.push_back(constant_method(0.5F, 1).variants[0]);
  two.variants[1].name = "naive";
  const auto other = verify(two, 8);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message.find("variant naive, 1 of 8 samples") != std::string::npos);
}

TEST_CASE("subjects: what is unknown is an error that lists what is known", "[study][subjects]") {
  const auto unknown = study::make_subject({"forwards", "", kSmall, 4, {}}, Setting{}, nullptr);
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message.find("training_step_adam") != std::string::npos);
  const auto variant = study::make_method_subject(
      constant_method(0.0F, 1), {"constant", "slow", kSmall, 4, {}}, Setting{}, nullptr);
  REQUIRE_FALSE(variant.has_value());
  CHECK(variant.error().message.find("fast") != std::string::npos);
  CHECK_FALSE(study::make_subject({"forward", "fast", kSmall, 4, {}}, Setting{}, nullptr));
  CHECK_FALSE(study::make_subject({"forward", "", kSmall, 0, {}}, Setting{}, nullptr));
  nn::Topology empty = kSmall;
  empty.hidden = {8, 0};
  CHECK_FALSE(study::make_subject({"forward", "", empty, 4, {}}, Setting{}, nullptr));
}

TEST_CASE("subjects: preparation fails, with words, for another specimen or backend",
          "[study][subjects]") {
  const CellRequest request{"forward", "", kSmall, 4, {}};
  const auto other_batch =
      study::make_subject(request, setting_of("reference"), source_of(kSmall, 5))->prepare();
  REQUIRE_FALSE(other_batch.has_value());
  CHECK(other_batch.error().message.find("found a batch of 5, wanted 4") != std::string::npos);
  nn::Topology wider = kSmall;
  wider.hidden = {13, 9, 6};
  const auto other_network =
      study::make_subject(request, setting_of("reference"), source_of(wider, 4))->prepare();
  REQUIRE_FALSE(other_network.has_value());
  CHECK(other_network.error().message.find(wider.name()) != std::string::npos);
  CHECK_FALSE(study::make_subject(request, setting_of("abacus"), source_of(kSmall, 4))
                  ->prepare()
                  .has_value());
}
