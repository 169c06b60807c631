// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/kernel_call.hpp"

#include <array>

#include "interpscale/kernels/counting_backend.hpp"
#include "kernels/support.hpp"

namespace interpscale::kernels {
namespace {

TEST_CASE("kernel call: its name reads back", "[kernels][calls]") {
  const KernelCall call{"gemm", "nt+bias", {512, 64, 32}, {0, 4, 2}};
  CHECK(name_of(call) == "gemm/nt+bias/512x64x32/0.4.2");
  CHECK(parse_kernel_call(name_of(call)).value() == call);
  const KernelCall plain{"transpose", "", {3, 4}, {0, 0}};
  CHECK(name_of(plain) == "transpose/-/3x4/0.0");
  CHECK(parse_kernel_call(name_of(plain)).value() == plain);
}

TEST_CASE("kernel call: a malformed name says what is wanted", "[kernels][calls]") {
  for (const char* name :
       {"", "gemm", "gemm/nt/1x2x3", "gemm/nt/1xax3/0.0.0", "gemm/nt/1x2x3/0.5.0", "/nt/1/0",
        "gemm/nt/1x2x3/0.0.0/more", "gemm/nt/1x-2/0", "gemm/nt/99999999999999999999/0"}) {
    const Result<KernelCall> parsed = parse_kernel_call(name);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.find("wanted operation/variant/extents/reuse") !=
          std::string::npos);
  }
}

TEST_CASE("kernel call: a class covers a factor of four, and is benchmarked in its middle",
          "[kernels][calls]") {
  CHECK(reuse_class(0) == 0);
  CHECK(reuse_class(kNearBytes - 1) == 0);
  CHECK(reuse_bytes(0) == 0);
  for (int reuse = 1; reuse <= kFarthestReuse; ++reuse) {
    CHECK(reuse_class(reuse_bytes(reuse)) == reuse);
    CHECK(reuse_class(reuse_bytes(reuse) / 2) == reuse);
    CHECK(reuse_class(reuse_bytes(reuse) / 2 - 1) == reuse - 1);
  }
  CHECK(reuse_class(std::size_t{1} << 40U) == kFarthestReuse);
}

TEST_CASE("call recorder: reuse is what was touched since, whatever the order",
          "[kernels][calls]") {
  CallRecorder recorder;
  const std::vector<char> memory(16 * kNearBytes);
  const Operand small{&memory[0], 100};
  const Operand large{&memory[kNearBytes], kNearBytes};
  const Operand other{&memory[2 * kNearBytes], kNearBytes * 4};
  const auto touch = [&](const Operand& operand) {
    recorder.clear();
    recorder.record("op", "", {1}, std::array{operand});
    return recorder.calls().begin()->first.reuse.front();
  };
  CHECK(touch(small) == 0);
  CHECK(touch(small) == 0);
  CHECK(touch(large) == 0);  // never touched before: a first run is not what counts
  CHECK(touch(small) == 1);
  CHECK(touch(other) == 1);
  CHECK(touch(large) == 2);
  CHECK(touch(large) == 0);
  CHECK(touch(small) == 2);
}

TEST_CASE("call recorder: a part is as near as the whole that it was touched with",
          "[kernels][calls]") {
  CallRecorder recorder;
  const std::vector<char> memory(16 * kNearBytes);
  const Operand whole{&memory[0], 2 * kNearBytes};
  const Operand part{&memory[kNearBytes / 2], 100};
  const Operand apart{&memory[4 * kNearBytes], 4 * kNearBytes};
  const auto touch = [&](const Operand& operand) {
    recorder.clear();
    recorder.record("op", "", {1}, std::array{operand});
    return recorder.calls().begin()->first.reuse.front();
  };
  CHECK(touch(apart) == 0);
  CHECK(touch(whole) == 2);  // never touched before
  CHECK(touch(part) == 0);
  CHECK(touch(apart) == 1);
  CHECK(touch(whole) == 2);
  CHECK(touch(part) == 0);
}

TEST_CASE("counting backend: tells a recorder of every call, with what is fused",
          "[kernels][calls]") {
  const auto inner = make_backend<float>("reference").value();
  CallRecorder recorder;
  const auto counting = make_counting_backend<float>(*inner, &recorder);
  Workspace workspace;
  const Execution with{1, workspace};
  const testing::Operand<float> a(3, 5);
  const testing::Operand<float> b(4, 5);
  testing::Operand<float> c(3, 4);
  const std::vector<float> bias(4);
  counting->gemm(GemmCase::kNT, a, b, c, {.bias = bias, .relu = true}, with);
  counting->gemm(GemmCase::kNT, a, b, c, {.bias = bias, .relu = true}, with);
  counting->gemm(GemmCase::kNT, a, b, c, {.beta = 1.0F}, with);
  REQUIRE(recorder.calls().size() == 2);
  CHECK(recorder.calls().at({"gemm", "nt+bias+relu", {3, 4, 5}, {0, 0, 0}}) == 2);
  CHECK(recorder.calls().at({"gemm", "nt+beta", {3, 4, 5}, {0, 0, 0}}) == 1);
}

}  // namespace
}  // namespace interpscale::kernels
