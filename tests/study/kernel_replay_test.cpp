// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/kernel_replay.hpp"

#include <memory>
#include <set>

#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/registry.hpp"
#include "study/subjects/recorded_calls.hpp"
#include "support/catch.hpp"

namespace interpscale::study {
namespace {

using kernels::KernelCall;

SpecimenSource source_of(const nn::Topology& topology, std::size_t batch) {
  auto specimen = std::make_shared<const Specimen>(random_specimen(topology, batch, 5));
  return [specimen]() -> Result<std::shared_ptr<const Specimen>> { return specimen; };
}

Setting small_setting() {
  Setting setting;
  setting.backend = "reference";
  setting.path_steps = 2;
  return setting;
}

/// The calls of every pass and of every variant of every method, on every activation.
std::set<KernelCall> calls_of_everything() {
  constexpr std::size_t kBatch = 6;
  std::set<KernelCall> all;
  for (const auto phi : {kernels::Activation::kRelu, kernels::Activation::kSoftplus}) {
    const nn::Topology topology{7, {13, 9, 5}, 3, phi};
    const SpecimenSource source = source_of(topology, kBatch);
    const auto add = [&](const std::string& subject, const std::string& variant) {
      INFO(subject << " " << variant);
      const auto calls =
          record_calls({subject, variant, topology, kBatch, {}}, small_setting(), source);
      REQUIRE(calls.has_value());
      CHECK_FALSE(calls->empty());
      for (const auto& [call, count] : *calls) {
        CHECK(count > 0);
        all.insert(call);
      }
    };
    for (const std::string& pass : pass_names()) {
      add(pass, "");
    }
    for (const methods::MethodSpec& method : methods::all_methods()) {
      for (const methods::Variant& variant : method.variants) {
        add(method.name, variant.name);
      }
    }
  }
  return all;
}

TEST_CASE("kernel replay: whatever a subject calls can be replayed", "[study][replay]") {
  for (const KernelCall& call : calls_of_everything()) {
    INFO(kernels::name_of(call));
    const Result<measure::Subject> subject = replay_subject(call, small_setting());
    REQUIRE(subject.has_value());
    const Result<std::unique_ptr<measure::Timed>> timed = subject->prepare();
    REQUIRE(timed.has_value());
    (*timed)->run();
    CHECK((*timed)->verify().has_value());
  }
}

TEST_CASE("kernel replay: a replay makes the very call that was recorded", "[study][replay]") {
  for (const KernelCall& call : calls_of_everything()) {
    INFO(kernels::name_of(call));
    kernels::CallRecorder recorder;
    Setting setting = small_setting();
    setting.recorder = &recorder;
    const auto timed = replay_subject(call, setting)->prepare();
    REQUIRE(timed.has_value());
    (*timed)->run();
    REQUIRE(recorder.calls().size() == 1);
    KernelCall made = recorder.calls().begin()->first;
    made.reuse = call.reuse;
    CHECK(made == call);
  }
}

TEST_CASE("kernel replay: a far operand is another copy each time", "[study][replay]") {
  kernels::CallRecorder recorder;
  Setting setting = small_setting();
  setting.recorder = &recorder;
  const KernelCall call{"transpose", "", {64, 64}, {1, 0}};
  const auto timed = replay_subject(call, setting)->prepare();
  REQUIRE(timed.has_value());
  const std::size_t copies = 1 + kernels::reuse_bytes(1) / (64 * 64 * sizeof(float));
  for (std::size_t i = 0; i < 2 * copies; ++i) {
    recorder.clear();
    (*timed)->run();
  }
  CHECK(recorder.calls().begin()->first == call);
}

TEST_CASE("kernel replay: what is not known is an error that says so", "[study][replay]") {
  const auto unknown = replay_subject({"conjure", "", {1}, {0}}, Setting{});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message.find("operation 'conjure' is unknown") != std::string::npos);
  const auto short_of = replay_subject({"gemm", "nt", {1, 2}, {0, 0, 0}}, Setting{});
  REQUIRE_FALSE(short_of.has_value());
  CHECK(short_of.error().message.find("found 2 extents and 3 operands, wanted 3 and 3") !=
        std::string::npos);
}

}  // namespace
}  // namespace interpscale::study
