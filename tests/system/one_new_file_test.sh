#!/usr/bin/env bash
# Copies the sources, adds one file to src/methods, and finds the new method in the tool's list:
# no other file had to change. The compiler cache makes it a matter of linking.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mkdir "$scratch/project"
cp -r "$source_folder"/{CMakeLists.txt,LICENSE,cmake,include,src,tools} "$scratch/project/"
cp "$source_folder/tests/system/extra_method/weight_norm.cpp" "$scratch/project/src/methods/"

cmake -S "$scratch/project" -B "$scratch/project/build/extra" -G Ninja \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE="$build_type" -DINTERPSCALE_WERROR=ON \
  -DINTERPSCALE_TESTS=OFF -DINTERPSCALE_BENCH=OFF >"$scratch/configure.log" 2>&1 ||
  fail "the copy does not configure: $(cat "$scratch/configure.log")"
cmake --build "$scratch/project/build/extra" --target interpscale_tool >"$scratch/build.log" 2>&1 ||
  fail "the copy does not build: $(tail -n 40 "$scratch/build.log")"

"$scratch/project/build/extra/bin/interpscale" methods --json >"$scratch/methods.json"
/usr/bin/python3 - "$scratch/methods.json" <<'END' || fail "weight_norm is not in the list"
import json
import sys


def names(value):
    if isinstance(value, dict):
        yield from [value["name"]] if "name" in value else []
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from names(item)


with open(sys.argv[1], encoding="utf-8") as file:
    sys.exit("weight_norm" not in names(json.load(file)))
END
