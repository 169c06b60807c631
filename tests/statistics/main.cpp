// Simulates thousands of studies with known laws and counts how often intervals, verdicts and flags
// are right. Prints tables in Markdown; status 1 where a row misses what it was to meet.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

struct Part {
  const char* name;
  Table (*run)(const Options&);
};

constexpr Part kParts[] = {
    {"one-factor", one_factor_coverage}, {"shared-misfit", shared_misfit_coverage},
    {"overhead", overhead_table},        {"verdicts", verdict_rates},
    {"losses", loss_law_coverage},       {"exact", exact_laws}};

void print_row(const std::vector<std::string>& row) {
  for (const std::string& field : row) {
    fmt::print("| {} ", field);
  }
  fmt::print("|\n");
}

void print(const Table& table) {
  fmt::print("### {}\n\n{}\n\n", table.title, table.text);
  print_row(table.header);
  print_row(std::vector<std::string>(table.header.size(), "---"));
  for (const std::vector<std::string>& row : table.rows) {
    print_row(row);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

std::vector<std::string> part_names() {
  std::vector<std::string> names;
  for (const Part& part : kParts) {
    names.emplace_back(part.name);
  }
  return names;
}

int run(const Options& options, const std::string& only) {
  int failures = 0;
  fmt::print("Seed {}, {} resamples an interval.\n\n", options.seed, options.resamples);
  for (const Part& part : kParts) {
    if (!only.empty() && only != part.name) {
      continue;
    }
    const Table table = part.run(options);
    print(table);
    for (const std::string& failure : table.failures) {
      fmt::print(stderr, "selftest: missed: {}: {}\n", part.name, failure);
      ++failures;
    }
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace interpscale::selftest

int main(int count, char** arguments) {
  interpscale::selftest::Options options;
  options.seed = interpscale::selftest::kEvaluationSeed;
  std::string only;
  bool fast = false;
  CLI::App app{"Coverage, error rates and recovery of the fits, by simulation"};
  app.add_option("--studies", options.studies, "Studies a row")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--loss-studies", options.loss_studies, "Studies a row of loss laws")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--resamples", options.resamples, "Resamples an interval")
      ->check(CLI::Range(100, 1000000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the simulated studies")->capture_default_str();
  app.add_option("--threads", options.threads, "Studies at once; the same figures for any number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--part", only, "One part alone")
      ->check(CLI::IsMember(interpscale::selftest::part_names()));
  app.add_flag("--fast", fast,
               "100 studies a row, 20 of loss laws, 200 resamples; what so few can tell apart");
  CLI11_PARSE(app, count, arguments);
  if (fast) {
    options.studies = 100;
    options.loss_studies = 20;
    options.resamples = 200;
  }
  return interpscale::selftest::run(options, only);
}
