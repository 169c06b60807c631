// The subcommands of `interpscale`. Each function adds one to the application; its callback sets
// `exit_code`: 0 done, 1 something failed, 2 bad usage or input.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace interpscale::tool {

void add_train(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_round(CLI::App& app, int& exit_code);
void add_methods(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_fit(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_cost(CLI::App& app, int& exit_code);
void add_modules(CLI::App& app, int& exit_code);

}  // namespace interpscale::tool
