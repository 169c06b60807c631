// The subcommands that hold builds and saved results against each other, added as those of
// commands.hpp are; `compare` also exits with 3, inconclusive.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace interpscale::tool {

void add_compare(CLI::App& app, int& exit_code);
void add_history(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);

}  // namespace interpscale::tool
