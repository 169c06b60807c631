// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/binding.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <thread>

#include "interpscale/measure/limits.hpp"
#include "support/catch.hpp"

namespace interpscale::measure {
namespace {

TEST_CASE("binding: each thread of the team is where it was put", "[measure][binding]") {
  // In a thread of its own, so that the other tests' threads stay free.
  std::thread([] {
    const std::vector<int> allowed = allowed_processors();
    CHECK_FALSE(allowed.empty());
    const int threads = allowed.size() > 1 ? 2 : 1;
    const std::string binding = bind_threads(threads);
    std::vector<std::vector<int>> found(static_cast<std::size_t>(threads));
#pragma omp parallel num_threads(threads)
    found[static_cast<std::size_t>(omp_get_thread_num())] = allowed_processors();
    std::string wanted;
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i] == std::vector<int>{allowed[i]});
      wanted += fmt::format("{}{}", i == 0 ? "" : ",", allowed[i]);
    }
    CHECK(binding == wanted);
  }).join();
}

TEST_CASE("binding: more threads than processors stay unbound", "[measure][binding]") {
  std::thread([] {
    const std::vector<int> before = allowed_processors();
    CHECK(bind_threads(static_cast<int>(before.size()) + 1) == "unbound");
    CHECK(allowed_processors() == before);
  }).join();
}

TEST_CASE("placement: a round trip says whether cores are near", "[measure][limits]") {
  CHECK(name_of(placement_of(0.0)) == "unknown");
  CHECK(name_of(placement_of(50.0)) == "near");
  CHECK(name_of(placement_of(80.0)) == "near");
  CHECK(name_of(placement_of(320.0)) == "far");
  const auto of_several = [](const std::vector<double>& trips) {
    return name_of(placement_of(trips));
  };
  CHECK(of_several({}) == "unknown");
  CHECK(of_several({60.0, 80.0}) == "near");
  CHECK(of_several({300.0, 320.0}) == "far");
  CHECK(of_several({60.0, 320.0}) == "mixed");
}

TEST_CASE("limits: the peak alone is a positive rate", "[measure][limits]") {
  CHECK(fma_flops_per_second(0.01) > 0.0);
}

}  // namespace
}  // namespace interpscale::measure
