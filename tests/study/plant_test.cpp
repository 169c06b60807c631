// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/plant.hpp"

#include "support/catch.hpp"

namespace interpscale::study {
namespace {

TEST_CASE("plant: a share of the runs is done twice, evenly spread", "[study][plant]") {
  for (const int percent : {2, 5, 10, 100}) {
    CAPTURE(percent);
    auto plant = read_plant("some_method:" + std::to_string(percent), "some_method");
    REQUIRE(plant);
    int done = 0;
    for (int run = 1; run <= 1000; ++run) {
      do {
        ++done;
      } while (plant->again());
      CHECK(done == run + run * percent / 100);
    }
  }
}

TEST_CASE("plant: concerns one method, and nothing where nothing is planted", "[study][plant]") {
  CHECK(read_plant("a:5", "b")->share == 0);
  CHECK(read_plant("a:naive@256", "a")->naive_from == 256);
  CHECK(read_plant("", "a")->share == 0);
  CHECK_FALSE(read_plant("a", "a"));
  CHECK_FALSE(read_plant("a:fast", "a"));
  CHECK_FALSE(read_plant("a:-5", "a"));
  CHECK_FALSE(read_plant("a:naive@", "a"));
}

}  // namespace
}  // namespace interpscale::study
