// SPDX-License-Identifier: Apache-2.0
#include "interpscale/economics/money_file.hpp"

#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace interpscale::economics {
namespace {

/// Takes the file's tables apart; keeps the first thing that is wrong, with its place.
class MoneyReader {
 public:
  explicit MoneyReader(std::string_view where) : where_(where) {}

  Result<MoneyCase> read(const toml::table& root) {
    only_keys(root, "the file", {"training", "understanding", "correction"});
    if (const toml::table* training = table(root, "training")) {
      only_keys(*training, "training", {"dollars", "parameters", "source"});
      money_.inputs.training_dollars = positive(*training, "training", "dollars");
      money_.parameters = positive(*training, "training", "parameters");
      take_source(*training, "training");
    }
    if (const toml::table* understanding = table(root, "understanding")) {
      only_keys(*understanding, "understanding",
                {"person_years", "dollars_per_person_year", "source"});
      money_.inputs.person_years = positive(*understanding, "understanding", "person_years");
      money_.inputs.dollars_per_person_year =
          positive(*understanding, "understanding", "dollars_per_person_year");
      take_source(*understanding, "understanding");
    }
    take_corrections(root);
    if (error_) {
      return tl::unexpected(std::move(*error_));
    }
    return std::move(money_);
  }

 private:
  void complain(const toml::node& node, std::string message) {
    if (!error_) {
      const toml::source_position& place = node.source().begin;
      error_ = Error{
          fmt::format("{}: line {}, column {}: {}", where_, place.line, place.column, message)};
    }
  }

  void only_keys(const toml::table& table, std::string_view name,
                 std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : table) {
      if (std::ranges::find(known, key.str()) == known.end()) {
        complain(value, fmt::format("{}: found the key '{}', wanted only {}", name, key.str(),
                                    fmt::join(known, ", ")));
      }
    }
  }

  const toml::table* table(const toml::table& root, std::string_view key) {
    const toml::node* node = root.get(key);
    if (node == nullptr || !node->is_table()) {
      complain(node == nullptr ? static_cast<const toml::node&>(root) : *node,
               fmt::format("wanted a table [{}]", key));
      return nullptr;
    }
    return node->as_table();
  }

  /// A positive finite number, whole or not; 1 where there is none (an error is kept).
  double positive(const toml::node& node, std::string_view what) {
    const std::optional<double> number = node.value<double>();
    if (!node.is_number() || !number || !std::isfinite(*number) || *number <= 0) {
      complain(node,
               number ? fmt::format("{}: found {}, wanted a positive finite number", what, *number)
                      : fmt::format("{}: wanted a positive finite number", what));
      return 1;
    }
    return *number;
  }
  double positive(const toml::table& table, std::string_view name, std::string_view key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      complain(table, fmt::format("{}: the key '{}' is missing", name, key));
      return 1;
    }
    return positive(*node, fmt::format("{}.{}", name, key));
  }

  std::string text(const toml::table& table, std::string_view name, std::string_view key) {
    const toml::node* node = table.get(key);
    const std::optional<std::string> found =
        node == nullptr ? std::nullopt : node->value_exact<std::string>();
    if (!found || found->empty()) {
      complain(node == nullptr ? static_cast<const toml::node&>(table) : *node,
               fmt::format("{}: wanted '{}', a text that is not empty", name, key));
      return "";
    }
    return *found;
  }

  void take_source(const toml::table& table, const std::string& figure) {
    money_.sources.push_back({figure, text(table, figure, "source")});
  }

  void take_corrections(const toml::table& root) {
    const toml::node* node = root.get("correction");
    if (node == nullptr) {
      return;
    }
    const toml::array* list = node->as_array();
    if (list == nullptr) {
      complain(*node, "wanted corrections as tables [[correction]]");
      return;
    }
    for (const toml::node& entry : *list) {
      if (const toml::table* correction = entry.as_table()) {
        take_correction(*correction);
      } else {
        complain(entry, "wanted corrections as tables [[correction]]");
      }
    }
  }

  void take_correction(const toml::table& table) {
    only_keys(table, "correction", {"name", "factor", "at_most", "range", "source"});
    const std::string name = text(table, "correction", "name");
    if (std::ranges::find(money_.corrections, name, &Correction::name) !=
        money_.corrections.end()) {
      complain(table, fmt::format("correction: '{}' stands twice", name));
    }
    const toml::node* factor = table.get("factor");
    const toml::node* at_most = table.get("at_most");
    const toml::node* range = table.get("range");
    if ((factor != nullptr) + (at_most != nullptr) + (range != nullptr) != 1) {
      complain(table,
               fmt::format("correction '{}': wanted one of factor, at_most and range", name));
      return;
    }
    if (factor != nullptr) {
      money_.corrections.push_back(exactly(name, positive(*factor, name)));
    } else if (at_most != nullptr) {
      const double most = positive(*at_most, name);
      if (most < 1) {
        complain(*at_most, fmt::format("{}: found at_most {}, wanted 1 or more", name, most));
      }
      money_.corrections.push_back(economics::at_most(name, most));
    } else {
      take_range(*range, name);
    }
    take_source(table, name);
  }

  void take_range(const toml::node& node, const std::string& name) {
    const toml::array* ends = node.as_array();
    if (ends == nullptr || ends->size() != 2) {
      complain(node, fmt::format("{}: wanted a range [low, high]", name));
      return;
    }
    const double low = positive(*ends->get(0), name);
    const double high = positive(*ends->get(1), name);
    if (low > high) {
      complain(node, fmt::format("{}: found a range from {} to {}, wanted its lower end first",
                                 name, low, high));
    }
    money_.corrections.push_back(between(name, low, high));
  }

  std::string where_;
  MoneyCase money_;
  std::optional<Error> error_;
};

}  // namespace

Result<MoneyCase> parse_money(std::string_view text, std::string_view where) {
  try {
    return MoneyReader(where).read(toml::parse(text, where));
  } catch (const toml::parse_error& problem) {
    const toml::source_position& place = problem.source().begin;
    return fail("{}: line {}, column {}: {}", where, place.line, place.column,
                problem.description());
  }
}

Result<MoneyCase> read_money(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) {
    return fail(
        "{}: cannot be read; wanted a TOML file such as `interpscale cost --print-default` "
        "prints",
        path.string());
  }
  return parse_money(text, path.string());
}

}  // namespace interpscale::economics
