// What is written, held against the schema that the project publishes.
// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "study/records_support.hpp"
#include "support/catch.hpp"

namespace interpscale::study {

using namespace records;

namespace {

/// Checks the part of JSON Schema that the project's schema uses: type, required, properties,
/// additionalProperties (false), items, $ref into $defs, const, enum.
class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& schema) : schema_(schema) {}

  void check(const Json& rule, const Json& value, const std::string& where) const {
    if (rule.contains("$ref")) {
      const std::string reference = rule.at("$ref").get<std::string>();
      const std::string prefix = "#/$defs/";
      REQUIRE(reference.starts_with(prefix));
      check(schema_.at("$defs").at(reference.substr(prefix.size())), value, where);
      return;
    }
    INFO("at " << where << ": " << value.dump());
    if (rule.contains("const")) {
      CHECK(value == rule.at("const"));
    }
    if (rule.contains("enum")) {
      const Json& allowed = rule.at("enum");
      CHECK(std::find(allowed.begin(), allowed.end(), value) != allowed.end());
    }
    if (rule.contains("type")) {
      check_type(rule.at("type").get<std::string>(), value);
    }
    if (rule.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        check(rule.at("items"), value[i], fmt::format("{}[{}]", where, i));
      }
    }
    if (rule.contains("properties")) {
      check_object(rule, value, where);
    }
  }

 private:
  static void check_type(const std::string& type, const Json& value) {
    if (type == "object") {
      CHECK(value.is_object());
    } else if (type == "array") {
      CHECK(value.is_array());
    } else if (type == "string") {
      CHECK(value.is_string());
    } else if (type == "boolean") {
      CHECK(value.is_boolean());
    } else if (type == "integer") {
      CHECK(value.is_number_integer());
    } else {
      CHECK(type == "number");
      CHECK(value.is_number());
    }
  }
  void check_object(const Json& rule, const Json& value, const std::string& where) const {
    CHECK(rule.at("additionalProperties") == false);
    std::set<std::string> required;
    for (const Json& name : rule.at("required")) {
      required.insert(name.get<std::string>());
    }
    std::set<std::string> described;
    for (const auto& [name, inner] : rule.at("properties").items()) {
      described.insert(name);
      if (value.contains(name)) {
        check(inner, value.at(name), where + "." + name);
      }
    }
    std::set<std::string> written;
    for (const auto& [name, inner] : value.items()) {
      written.insert(name);
    }
    CHECK(required == written);
    CHECK(described == written);
  }

  const Json& schema_;
};

}  // namespace

TEST_CASE("records: the schema in results/ describes exactly what is written", "[study][records]") {
  std::ifstream file(INTERPSCALE_SOURCE_DIR "/results/schema/record.schema.json");
  REQUIRE(file);
  const Json schema = Json::parse(file);
  const SchemaCheck check(schema);
  const Json records = {{"study", study_record(tiny_plan())},
                        {"left_out", to_json(LeftOut{"forward on a", "above the budget"})},
                        {"network", to_json(network())},
                        {"cell", to_json(cell())},
                        {"round", to_json(round_zero())},
                        {"timing", to_json(timing())},
                        {"calls", to_json(calls())},
                        {"kernel", to_json(kernel())},
                        {"training", to_json(training())},
                        {"step", to_json(step())},
                        {"experiment", to_json(outcome())}};
  std::set<std::string> kinds;
  for (const Json& alternative : schema.at("oneOf")) {
    const std::string reference = alternative.at("$ref").get<std::string>();
    const std::string kind = reference.substr(reference.rfind('/') + 1);
    kinds.insert(kind);
    REQUIRE(records.contains(kind));
    check.check(alternative, records.at(kind), kind);
    CHECK(schema.at("$defs").at(kind).at("properties").at("kind").at("const") == kind);
  }
  CHECK(kinds.size() == records.size());
}

}  // namespace interpscale::study
