#!/usr/bin/env bash
# tools/check-workflows: the project's own pass; one with each common mistake is refused by name.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check() { /usr/bin/python3 "$source_folder/tools/check-workflows" "$@"; }

expect "$(check)" "2 workflows"

# refuse SED-SCRIPT WORDS: the project's own benchmark.yml, changed, is refused with these words.
refuse() {
  mkdir -p "$scratch/workflows"
  sed -e "$1" "$source_folder/.github/workflows/benchmark.yml" >"$scratch/workflows/changed.yml"
  local output
  if output=$(check "$scratch/workflows" 2>&1); then fail "accepted after: $1"; fi
  expect "$output" "$2"
}

refuse 's/runs-on:/run-on:/' "unknown key 'run-on'"
refuse 's/  push:/  pushed:/' "unknown event 'pushed'"
refuse 's/checkout@v4/checkout/' "is not OWNER/ACTION@VERSION"
refuse 's/github.sha/gitub.sha/' "unknown context 'gitub'"
refuse 's/timeout-minutes: 40/timeout-minutes: long/' "'timeout-minutes': found str"
refuse 's/{ echo/( echo/' "not a shell script"
refuse 's/tools\/regress/tools\/regres/' "calls tools/regres, which is no executable"
refuse 's/contents: write/contents: all/' "permission 'contents: all' is unknown"
refuse 's/^jobs:/jobs: [/' "not YAML"

printf 'ok: workflows\n'
