#!/usr/bin/env bash
# Installs the build, then configures, builds and runs a project that only knows the package.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cmake --install "$build_folder" --prefix "$scratch/prefix" >"$scratch/install.log" ||
  fail "cmake --install; is everything built? $(tail -n 20 "$scratch/install.log")"
cmake -S "$source_folder/tests/system/consumer" -B "$scratch/build" -G Ninja \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" >"$scratch/configure.log" 2>&1 ||
  fail "the consumer does not configure: $(cat "$scratch/configure.log")"
cmake --build "$scratch/build" >"$scratch/build.log" 2>&1 ||
  fail "the consumer does not build: $(cat "$scratch/build.log")"

listed=$("$scratch/build/consumer")
for file in "$source_folder"/src/methods/*.cpp; do
  [[ -e $file ]] || continue
  name=$(basename "$file" .cpp)
  grep -qx "$name" <<<"$listed" || fail "the consumer does not list $name; it printed:
$listed"
done
