// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/workspace.hpp"

#include <cstdint>

#include "support/catch.hpp"

namespace interpscale {
namespace {

TEST_CASE("workspace: the same work twice allocates once", "[core][workspace]") {
  Workspace workspace;
  const auto work = [&workspace] {
    const Workspace::Scope scope(workspace);
    static_cast<void>(workspace.matrix<float>(300, 700));
    const Workspace::Scope inner(workspace);
    static_cast<void>(workspace.vector<double>(1'000'000));
  };
  work();
  const std::size_t held = workspace.capacity_bytes();
  work();
  CHECK(workspace.capacity_bytes() == held);
  CHECK(workspace.peak_bytes() == 300 * 704 * sizeof(float) + 1'000'000 * sizeof(double));
}

TEST_CASE("workspace: blocks are on cache lines and do not overlap", "[core][workspace]") {
  Workspace workspace;
  const Workspace::Scope scope(workspace);
  const auto a = workspace.vector<float>(3);
  const auto b = workspace.vector<float>(5);
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % kCacheLineBytes == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % kCacheLineBytes == 0);
  CHECK(b.data() >= a.data() + a.size());
}

TEST_CASE("workspace: a scope gives back what it took", "[core][workspace]") {
  Workspace workspace;
  const float* first = nullptr;
  {
    const Workspace::Scope scope(workspace);
    first = workspace.vector<float>(10).data();
  }
  const Workspace::Scope scope(workspace);
  CHECK(workspace.vector<float>(10).data() == first);
}

}  // namespace
}  // namespace interpscale
