#!/usr/bin/env bash
# tools/check-docs on documents of its own: what it runs, replaces, refuses and reports.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fence='```'
check() { /usr/bin/python3 "$source_folder/tools/check-docs" "$scratch/page.md"; }
page() { printf '%s\n' "$@" >"$scratch/page.md"; }

page "<!-- in CI: out/long => \$OUT/short -->" "${fence}sh run" 'mkdir -p out/long && pwd' "$fence" \
  'Then:' "${fence}sh run" 'ls out/long' "$fence" \
  '<!-- not run: it takes a day -->' '' "${fence}sh" 'exit 1' "$fence" \
  "${fence}cpp" 'int x;' "$fence"
expect "$(check)" "2 blocks run"

page "${fence}sh run" 'echo it broke; false' "$fence"
output=$(output_of_failure check)
expect "$output" "page.md:1: ended with status 1"
expect "$output" "it broke"

page 'text' "${fence}sh" 'ls' "$fence"
expect "$(output_of_failure check)" "page.md:2: a ${fence}sh block that is not run"

page "${fence}sh later" 'ls' "$fence"
expect "$(output_of_failure check)" "page.md:1: found ${fence}sh later"

page '<!-- in CI: quick => smoke -->' "${fence}sh run" 'true' "$fence"
expect "$(output_of_failure check)" "does not contain \`quick\`"
