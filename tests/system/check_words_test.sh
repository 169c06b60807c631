#!/usr/bin/env bash
# tools/check words on a small repository of its own, with one forbidden thing planted at a time.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mkdir -p "$scratch/tools" "$scratch/src"
cp "$source_folder/tools/check" "$scratch/tools/"
git -C "$scratch" init -q
check() { "$scratch/tools/check" words; }

# plant TEXT MEANING: the check must fail, name the file and line, and say what it found.
plant() {
  printf 'int x;\n// %s\n' "$1" >"$scratch/src/a.cpp"
  local output
  output=$(output_of_failure check)
  expect "$output" "src/a.cpp:2:"
  expect "$output" "$2"
  rm "$scratch/src/a.cpp"
}

# In two parts each, so that this file does not look like what it plants.
place=wor
folder=roo
printf 'int %sked; // see results/%sk/, %sts of a tree, src/%st/a.hpp\n' "$place" "$place" "$folder" \
  "$folder" >"$scratch/src/b.cpp"
expect "$(check)" "nothing forbidden"

marker=TO
plant "${marker}DO: later" "a marker of unfinished work"
plant "left in /${folder}t/file" "a path of one machine"
host=pypi
plant "from https://$host.org/simple" "the host of a package registry"

yes 'int y;' | head -n 451 >"$scratch/src/long.cpp" || true
expect "$(output_of_failure check)" "src/long.cpp has 451 lines, over 450"
yes 'int y;' | head -n 401 >"$scratch/src/long.cpp" || true
expect "$(check)" "warning: src/long.cpp has 401 lines"
