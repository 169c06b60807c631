// Prints the names of all methods, one a line: headers, libraries and their dependencies are found.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <interpscale/methods/registry.hpp>

int main() {
  for (const auto& method : interpscale::methods::all_methods()) std::puts(method.name.c_str());
  return 0;
}
