// SPDX-License-Identifier: Apache-2.0
#include "interpscale/methods/catalogue.hpp"

#include <fmt/format.h>

#include <cctype>

namespace interpscale::methods {
namespace {

/// "N^1 n^1 B^1", without the letters that do not appear; "1" if none does.
std::string law(const LeadingExponents& exponents) {
  std::string text;
  const auto add = [&text](std::string_view letter, double exponent) {
    if (exponent != 0.0) {
      text += fmt::format("{}{}^{:g}", text.empty() ? "" : " ", letter, exponent);
    }
  };
  add("N", exponents.parameters);
  add("n", exponents.neurons);
  add("B", exponents.batch);
  add("d", exponents.inputs);
  return text.empty() ? "1" : text;
}

std::string columns_of(const MethodSpec& spec) {
  std::string text(name_of(spec.columns));
  for (std::size_t i = 0; i < spec.statistics.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? ": " : ", ", spec.statistics[i]);
  }
  return text;
}

std::string table(const std::vector<MethodSpec>& specs) {
  std::string text =
      "| method | what a neuron's row holds | columns | leading cost |\n"
      "|---|---|---|---|\n";
  for (const MethodSpec& spec : specs) {
    std::string laws;
    for (const Variant& variant : spec.variants) {
      laws +=
          fmt::format("{}{} {}", laws.empty() ? "" : "; ", variant.name, law(variant.exponents));
    }
    text += fmt::format("| [`{0}`](#{0}) | {1} | {2} | {3} |\n", spec.name, spec.summary,
                        columns_of(spec), laws);
  }
  return text;
}

/// A sentence of a phrase.
std::string sentence(std::string phrase) {
  phrase.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(phrase.front())));
  return phrase + ".";
}

std::string section(const MethodSpec& spec) {
  std::string text =
      fmt::format("\n## {}\n\n{}\n\n    {}\n\nSource: {}. Columns: {}.\n\n", spec.name,
                  sentence(spec.summary), spec.formula, spec.source, columns_of(spec));
  for (const Variant& variant : spec.variants) {
    text +=
        fmt::format("- **{}** ({}): {}.\n", variant.name, law(variant.exponents), variant.summary);
  }
  if (!spec.identities.empty()) {
    text += "\nTrue of the exact values:\n\n";
  }
  for (const Identity& identity : spec.identities) {
    text += fmt::format("- {}\n", sentence(identity.statement));
  }
  return text;
}

}  // namespace

std::string catalogue_markdown(const std::vector<MethodSpec>& specs) {
  std::string text =
      "# Methods\n"
      "\n"
      "One row per hidden neuron, first hidden layer first. x [B, d] are the inputs, x' a "
      "baseline\n"
      "(zeros unless given); z_l = W_l h_(l-1) + b_l, h_l = phi(z_l), y the C outputs; F is the\n"
      "output of the sample's label, the loss is softmax cross-entropy; N parameters, n hidden\n"
      "neurons, B samples, K path nodes. Costs are leading orders with the hidden layers\n"
      "dominating; a variant called `naive` is a per-neuron loop over whole passes, `fast` is the\n"
      "best known way to the same numbers.\n"
      "\n"
      "This page is rendered from the methods' own specifications; do not edit it.\n"
      "\n";
  text += table(specs);
  for (const MethodSpec& spec : specs) {
    text += section(spec);
  }
  return text;
}

}  // namespace interpscale::methods
