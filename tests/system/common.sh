# shellcheck shell=bash
# What the system tests share: their arguments, a scratch folder, and saying what went wrong.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

# Read by the scripts that source this file.
# shellcheck disable=SC2034
readonly source_folder=$1 build_folder=$2 compiler=$3 build_type=$4
scratch=$(mktemp -d "${TMPDIR:-/tmp}/interpscale-system.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# Runs a command that must fail, and prints what it said.
output_of_failure() {
  local output
  if output=$("$@" 2>&1); then
    fail "ended well, which it must not: $*
$output"
  fi
  printf '%s\n' "$output"
}

# expect TEXT PATTERN: some line of TEXT contains PATTERN, taken literally.
expect() {
  grep -qF -- "$2" <<<"$1" || fail "wanted '$2', found:
$1"
}
