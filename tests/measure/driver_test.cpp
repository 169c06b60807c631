// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/driver.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

using namespace interpscale::measure;
using interpscale::fail;
using interpscale::require;
using interpscale::Result;

namespace {

/// What happened to a subject, as its Timed saw it.
struct Events {
  int prepared = 0;
  int released = 0;
  int verified = 0;
  std::uint64_t runs = 0;
};

struct Behaviour {
  bool verifies = true;
  std::uint64_t throws_at_run = 0;  ///< counted from 1; 0: never
  bool throws_contract = false;
};

class Spy : public Timed {
 public:
  Spy(Events& events, const Behaviour& behaviour) : events_(events), behaviour_(behaviour) {}
  Spy(const Spy&) = delete;
  Spy& operator=(const Spy&) = delete;
  ~Spy() override { ++events_.released; }

  void run() override {
    ++events_.runs;
    if (events_.runs == behaviour_.throws_at_run) {
      require(!behaviour_.throws_contract, "a broken contract");
      throw std::runtime_error("a broken run");
    }
  }
  Result<Verification> verify() override {
    ++events_.verified;
    if (!behaviour_.verifies) {
      return fail("off by 3, allowed 1");
    }
    return Verification{.deviation = 0.0, .allowed = 1.0, .compared = "itself"};
  }

 private:
  Events& events_;
  Behaviour behaviour_;
};

Subject spy_subject(std::string name, Events& events, const Behaviour& behaviour = {}) {
  return {std::move(name), {}, [&events, behaviour]() -> Result<std::unique_ptr<Timed>> {
            ++events.prepared;
            return std::make_unique<Spy>(events, behaviour);
          }};
}

const DriverOptions kShort{.min_seconds = 1e-4, .warm_up_seconds = 1e-5, .repetitions = 3};

std::vector<Timing> time_all(const std::vector<Subject>& subjects,
                             const DriverOptions& options = kShort) {
  std::vector<Timing> timings;
  time_subjects(subjects, options, [&](const Timing& timing) {
    timings.push_back(timing);
    return true;
  });
  return timings;
}

}  // namespace

TEST_CASE("driver: a round trip before and after each timing, where processors are named",
          "[measure][driver]") {
  Events events;
  CHECK(time_all({spy_subject("a", events)}).front().round_trips.empty());
  DriverOptions options = kShort;
  options.processors = {0, 1};
  const Timing timing = time_all({spy_subject("a", events)}, options).front();
  CHECK(timing.ok);
  CHECK(timing.round_trips.size() == 2);
  options.processors = {0};
  CHECK_THROWS_AS(time_all({spy_subject("a", events)}, options), interpscale::ContractViolation);
}

TEST_CASE("driver: subjects are timed in the order given", "[measure][driver]") {
  Events b;
  Events a;
  Events slash;
  const auto timings =
      time_all({spy_subject("b", b), spy_subject("a", a), spy_subject("x/y/d:3/t:1", slash)});
  REQUIRE(timings.size() == 3);
  CHECK(timings[0].subject == "b");
  CHECK(timings[1].subject == "a");
  CHECK(timings[2].subject == "x/y/d:3/t:1");
  for (const Timing& timing : timings) {
    CAPTURE(timing.subject, timing.reason);
    CHECK(timing.ok);
    CHECK(timing.repetitions.size() == 3);
    CHECK(timing.iterations > 0);
    CHECK(timing.seconds > 0.0);
  }
}

TEST_CASE("driver: a subject is prepared once, when its turn comes, and released after it",
          "[measure][driver]") {
  Events first;
  Events second;
  const std::vector<Subject> subjects = {spy_subject("first", first),
                                         spy_subject("second", second)};
  std::vector<int> released;
  time_subjects(subjects, kShort, [&](const Timing& timing) {
    if (timing.subject == "first") {
      CHECK(first.prepared == 1);
      CHECK(second.prepared == 0);
    }
    released.push_back(timing.subject == "first" ? first.released : second.released);
    return true;
  });
  CHECK(released == std::vector<int>{1, 1});
  CHECK(first.prepared == 1);
  CHECK(second.prepared == 1);
  CHECK(first.verified == 0);
}

TEST_CASE("driver: every repetition makes the iterations that it reports", "[measure][driver]") {
  Events events;
  const auto timings = time_all({spy_subject("a", events)});
  REQUIRE(timings[0].ok);
  // All repetitions, and whatever the warm-up took.
  CHECK(events.runs > 3 * timings[0].iterations);
}

TEST_CASE("driver: verification comes first, and only when asked for", "[measure][driver]") {
  Events good;
  Events bad;
  DriverOptions options = kShort;
  options.verify = true;
  const auto timings =
      time_all({spy_subject("bad", bad, {.verifies = false}), spy_subject("good", good)}, options);
  REQUIRE(timings.size() == 2);
  CHECK_FALSE(timings[0].ok);
  CHECK(timings[0].reason == "verification: off by 3, allowed 1");
  CHECK(bad.runs == 0);
  CHECK(bad.released == 1);
  CHECK(timings[1].ok);
  CHECK(good.verified == 1);
}

TEST_CASE("driver: a failing subject is a timing that is not ok, and the next one is timed",
          "[measure][driver]") {
  Events at_once;
  Events later;
  Events contract;
  Events fine;
  const Subject unprepared{
      "unprepared", {}, []() -> Result<std::unique_ptr<Timed>> { return fail("no such network"); }};
  const Subject throwing{"throwing", {}, []() -> Result<std::unique_ptr<Timed>> {
                           throw std::runtime_error("out of everything");
                         }};
  const auto timings =
      time_all({unprepared, throwing, spy_subject("at once", at_once, {.throws_at_run = 1}),
                spy_subject("later", later, {.throws_at_run = 7}),
                spy_subject("contract", contract, {.throws_at_run = 2, .throws_contract = true}),
                spy_subject("fine", fine)});
  REQUIRE(timings.size() == 6);
  for (std::size_t i = 0; i < 5; ++i) {
    CAPTURE(timings[i].subject);
    CHECK_FALSE(timings[i].ok);
    CHECK(timings[i].repetitions.empty());
  }
  CHECK(timings[0].reason == "preparation: no such network");
  CHECK(timings[1].reason.find("out of everything") != std::string::npos);
  CHECK(timings[2].reason.find("a broken run") != std::string::npos);
  CHECK(later.runs == 7);
  CHECK(timings[4].reason.find("a broken contract") != std::string::npos);
  CHECK(later.released == 1);
  CHECK(timings[5].ok);
}

TEST_CASE("driver: the call-back ends it", "[measure][driver]") {
  Events first;
  Events second;
  const std::vector<Subject> subjects = {spy_subject("first", first),
                                         spy_subject("second", second)};
  int calls = 0;
  time_subjects(subjects, kShort, [&](const Timing&) {
    ++calls;
    return false;
  });
  CHECK(calls == 1);
  CHECK(second.prepared == 0);
}
