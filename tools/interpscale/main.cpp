// interpscale: what understanding a neural network costs, against training it.
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "interpscale/commands.hpp"
#include "interpscale/commands_regression.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

/// Adds every subcommand, in the order in which --help lists them.
void add_commands(CLI::App& app, int& exit_code) {
  add_train(app, exit_code);
  add_explain(app, exit_code);
  add_run(app, exit_code);
  add_fit(app, exit_code);
  add_report(app, exit_code);
  add_cost(app, exit_code);
  add_modules(app, exit_code);
  add_compare(app, exit_code);
  add_history(app, exit_code);
  add_export(app, exit_code);
  add_methods(app, exit_code);
  add_doctor(app, exit_code);
  add_round(app, exit_code);
}

int run(int argc, char** argv) {
  CLI::App app("What understanding a neural network costs, against training it.", "interpscale");
  app.set_version_flag("--version", "interpscale " INTERPSCALE_VERSION);
  app.footer(
      "Examples:\n"
      "  interpscale doctor                      is this machine fit to measure?\n"
      "  interpscale run --preset quick --out o  measure, fit and report, in about a minute\n"
      "  interpscale methods                     the analyses, and what they cost\n"
      "  interpscale explain --help              analyse your own network");
  app.require_subcommand(1);
  int exit_code = kDone;
  add_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(problem);  // --help or --version
    }
    print_error(problem.what());
    return kBadInput;
  }
  return exit_code;
}

}  // namespace
}  // namespace interpscale::tool

int main(int argc, char** argv) {
  using namespace interpscale::tool;
  int exit_code = kFailure;
  try {
    exit_code = run(argc, argv);
  } catch (const std::exception& problem) {
    print_error(problem.what());
  }
  if (std::fflush(stdout) != 0 && exit_code == kDone) {
    print_error(std::string("standard output: ") + std::strerror(errno));
    return kFailure;
  }
  return exit_code;
}
