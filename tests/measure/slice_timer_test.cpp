// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/slice_timer.hpp"

#include <stdexcept>

#include "support/catch.hpp"

namespace interpscale::measure {
namespace {

using Catch::Matchers::Contains;

class Counted : public Timed {
 public:
  Counted(std::uint64_t& runs, std::uint64_t throws_at) : runs_(runs), throws_at_(throws_at) {}
  void run() override {
    if (++runs_ == throws_at_) {
      throw std::runtime_error("a broken run");
    }
  }
  Result<Verification> verify() override { return fail("off by 3, allowed 1"); }

 private:
  std::uint64_t& runs_;
  std::uint64_t throws_at_;
};

Subject counted(std::uint64_t& runs, std::uint64_t throws_at = 0) {
  return {"counted", {}, [&runs, throws_at]() -> Result<std::unique_ptr<Timed>> {
            return std::make_unique<Counted>(runs, throws_at);
          }};
}

TEST_CASE("slice timer: a slice runs as often as it was asked to", "[measure][slice]") {
  std::uint64_t runs = 0;
  auto timer = SliceTimer::prepare(counted(runs), false);
  REQUIRE(timer);
  CHECK(runs == 0);
  const auto iterations = timer->calibrate(1e-4);
  REQUIRE(iterations);
  CHECK(*iterations % kSliceMultiple == 0);
  const std::uint64_t before = runs;
  const auto seconds = timer->time(60);
  REQUIRE(seconds);
  CHECK(runs == before + 60);
  CHECK(*seconds > 0);
}

TEST_CASE("slice timer: what fails or throws is an error that names the subject",
          "[measure][slice]") {
  std::uint64_t runs = 0;
  const auto refuted = SliceTimer::prepare(counted(runs), true);
  REQUIRE_FALSE(refuted);
  CHECK_THAT(refuted.error().message, Contains("counted: verification: off by 3"));
  auto timer = SliceTimer::prepare(counted(runs, 2), false);
  REQUIRE(timer);
  const auto calibrated = timer->calibrate(1e-4);
  REQUIRE_FALSE(calibrated);
  CHECK_THAT(calibrated.error().message, Contains("counted") && Contains("a broken run"));
}

}  // namespace
}  // namespace interpscale::measure
