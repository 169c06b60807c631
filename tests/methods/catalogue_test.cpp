// SPDX-License-Identifier: Apache-2.0
#include "interpscale/methods/catalogue.hpp"

#include <fstream>
#include <iterator>

#include "interpscale/methods/registry.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

std::string contents_of(const std::string& path) {
  std::ifstream stream(path);
  INFO(path);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("catalogue: docs/methods.md is what the specifications render to", "[methods][docs]") {
  CHECK(contents_of(std::string(INTERPSCALE_SOURCE_DIR) + "/docs/methods.md") ==
        methods::catalogue_markdown(methods::all_methods()));
}

TEST_CASE("catalogue: the guide to adding a method quotes the whole example", "[methods][docs]") {
  const std::string folder = INTERPSCALE_SOURCE_DIR;
  const std::string guide = contents_of(folder + "/docs/adding-a-method.md");
  const std::string example = contents_of(folder + "/tests/system/extra_method/weight_norm.cpp");
  CHECK(guide.find(example) != std::string::npos);
}

}  // namespace
}  // namespace interpscale::testing
