// `interpscale methods`: the analyses that are registered.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "interpscale/commands.hpp"
#include "interpscale/methods/catalogue.hpp"
#include "interpscale/methods/registry.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Json = nlohmann::ordered_json;

struct MethodsOptions {
  bool json = false;
  bool markdown = false;
};

Json to_json(const methods::MethodSpec& method) {
  Json variants = Json::array();
  for (const methods::Variant& variant : method.variants) {
    variants.push_back({{"name", variant.name},
                        {"summary", variant.summary},
                        {"exponents",
                         {{"parameters", variant.exponents.parameters},
                          {"neurons", variant.exponents.neurons},
                          {"batch", variant.exponents.batch},
                          {"inputs", variant.exponents.inputs}}}});
  }
  Json identities = Json::array();
  for (const methods::Identity& identity : method.identities) {
    identities.push_back(identity.statement);
  }
  return {{"name", method.name},
          {"summary", method.summary},
          {"formula", method.formula},
          {"source", method.source},
          {"columns", methods::name_of(method.columns)},
          {"variants", variants},
          {"identities", identities}};
}

/// "N^1 n^1 B^1", leaving out what does not enter.
std::string order_text(const methods::LeadingExponents& exponents) {
  std::string text;
  for (const auto& [letter, value] :
       {std::pair{"N", exponents.parameters}, std::pair{"n", exponents.neurons},
        std::pair{"B", exponents.batch}, std::pair{"d", exponents.inputs}}) {
    if (value != 0) {
      text += fmt::format("{}{}^{:g}", text.empty() ? "" : " ", letter, value);
    }
  }
  return text.empty() ? "1" : text;
}

void print_table(const std::vector<methods::MethodSpec>& all) {
  fmt::print("{:<28} {:<8} {:<18} {:<11} {}\n", "method", "variant", "time grows as", "a row holds",
             "summary");
  for (const methods::MethodSpec& method : all) {
    for (const methods::Variant& variant : method.variants) {
      fmt::print("{:<28} {:<8} {:<18} {:<11} {}\n", method.name, variant.name,
                 order_text(variant.exponents), methods::name_of(method.columns), method.summary);
    }
  }
}

int list_methods(const MethodsOptions& options) {
  const std::vector<methods::MethodSpec> all = methods::all_methods();
  if (options.markdown) {
    fmt::print("{}", methods::catalogue_markdown(all));
  } else if (options.json) {
    Json list = Json::array();
    for (const methods::MethodSpec& method : all) {
      list.push_back(to_json(method));
    }
    fmt::print("{}\n", list.dump(2));
  } else {
    print_table(all);
  }
  return kDone;
}

}  // namespace

void add_methods(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<MethodsOptions>();
  CLI::App* command = app.add_subcommand("methods", "List the analyses and their variants");
  CLI::Option* json = command->add_flag("--json", options->json, "As JSON");
  command->add_flag("--markdown", options->markdown, "As a page of documentation")->excludes(json);
  command->footer(
      "Examples:\n"
      "  interpscale methods\n"
      "  interpscale methods --json\n"
      "  interpscale methods --markdown > docs/methods.md");
  command->callback([options, &exit_code] { exit_code = list_methods(*options); });
}

}  // namespace interpscale::tool
