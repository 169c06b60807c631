#!/usr/bin/env bash
# tools/setup with stand-ins for dpkg-query and apt-get: what it finds missing, what it would do.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/system/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# A dpkg-query that knows every package it is asked for except those in $ABSENT, and an apt-get that
# notes its arguments and does nothing.
mkdir "$scratch/bin"
cat >"$scratch/bin/dpkg-query" <<'END'
#!/usr/bin/env bash
for package in "${@:3}"; do
  [[ " $ABSENT " == *" $package "* ]] || printf '%s install ok installed\n' "$package"
done
END
cat >"$scratch/bin/apt-get" <<END
#!/usr/bin/env bash
printf '%s\n' "\$*" >>"$scratch/apt.log"
END
printf '#!/bin/sh\necho 0\n' >"$scratch/bin/id"
chmod +x "$scratch"/bin/*
: >"$scratch/apt.log"

setup() { env PATH="$scratch/bin:$PATH" ABSENT="$absent" "$source_folder/tools/setup" "$@"; }

absent=
expect "$(setup)" "everything is installed"
expect "$(setup --check)" "everything is installed"

absent="cmake libdnnl-dev"
output=$(output_of_failure setup --check)
expect "$output" "missing: cmake"
expect "$output" "missing, optional: libdnnl-dev"

absent="libdnnl-dev"
expect "$(setup --check)" "missing, optional: libdnnl-dev"
expect "$(setup --check required)" "everything is installed (required)"
[[ ! -s $scratch/apt.log ]] || fail "apt-get was called: $(cat "$scratch/apt.log")"

# The stand-in installs nothing, so a real run must notice that cmake is still missing.
absent="cmake"
output=$(output_of_failure setup required)
expect "$output" "still missing after the installation: cmake"
log=$(cat "$scratch/apt.log")
expect "$log" " update"
expect "$log" "install -y --no-install-recommends cmake"

expect "$(output_of_failure setup --chek)" "unknown argument '--chek'"
