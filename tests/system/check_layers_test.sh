#!/usr/bin/env bash
# tools/check-layers on a small tree of its own: downward includes pass, planted upward ones do not.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check() { "$source_folder/tools/check-layers" --root "$scratch"; }

# plant FILE LINE: writes a file of one line below the scratch tree.
plant() {
  mkdir -p "$scratch/$(dirname "$1")"
  printf '%s\n' "$2" >"$scratch/$1"
}

cat >"$scratch/CMakeLists.txt" <<'END'
interpscale_layer(ground USES LINKS some::library)
interpscale_layer(middle USES ground PRIVATE another::library)
interpscale_layer(top
                  USES ground middle)
END
plant include/interpscale/ground/a.hpp '#include <vector>'
plant include/interpscale/top/c.hpp '#include "interpscale/middle/b.hpp"'
plant src/middle/b.cpp '#include "interpscale/ground/a.hpp"'
plant src/top/engine/d.hpp '#include "top/engine/e.hpp"'
plant tests/support/s.hpp '#include "interpscale/top/c.hpp"'
plant bench/x.cpp '#include "interpscale/top/c.hpp"'
expect "$(check)" "3 layers"

plant include/interpscale/middle/b.hpp '#include "interpscale/top/c.hpp"'
output=$(output_of_failure check)
expect "$output" "include/interpscale/middle/b.hpp:1: layer middle includes interpscale/top/c.hpp"
expect "$output" "allowed: ground, middle"
rm "$scratch/include/interpscale/middle/b.hpp"

plant src/ground/a.cpp '  #  include "middle/detail.hpp"'
expect "$(output_of_failure check)" "src/ground/a.cpp:1: layer ground includes middle/detail.hpp"
rm "$scratch/src/ground/a.cpp"

plant src/ground/a.cpp '#include "../middle/b.cpp"'
expect "$(output_of_failure check)" "src/ground/a.cpp:1: layer ground includes ../middle/b.cpp"
rm "$scratch/src/ground/a.cpp"

plant tests/middle/b_test.cpp '#include <interpscale/top/c.hpp>'
expect "$(output_of_failure check)" "tests/middle/b_test.cpp:1"
rm "$scratch/tests/middle/b_test.cpp"

plant src/attic/x.cpp ''
expect "$(output_of_failure check)" "src/attic: no interpscale_layer line declares this folder"
rm -r "$scratch/src/attic"

printf 'interpscale_layer(roof USES cellar)\n' >>"$scratch/CMakeLists.txt"
expect "$(output_of_failure check)" "layer roof uses cellar"
