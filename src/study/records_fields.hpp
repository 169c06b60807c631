// Fields of a record, named once: the same description writes it as JSON and reads it back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::study {

using Json = nlohmann::ordered_json;

/// Writes the fields that a `describe(visitor, record)` names into an object, in their order.
class FieldWriter {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    json_[name] = encode(value);
  }
  /// A field that older records lack.
  template <class T>
  void later(const char* name, const T& value) {
    (*this)(name, value);
  }
  [[nodiscard]] Json take() { return std::move(json_); }

  template <class T>
  [[nodiscard]] static Json encode(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      return value;
    } else {
      FieldWriter writer;
      describe(writer, value);
      return writer.take();
    }
  }
  template <class T>
  [[nodiscard]] static Json encode(const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) {
      array.push_back(encode(value));
    }
    return array;
  }

 private:
  Json json_ = Json::object();
};

/// Reads the fields that a `describe(visitor, record)` names out of an object; keeps the first
/// thing that is wrong. Every field is wanted, and no other is allowed.
class FieldReader {
 public:
  /// `path` is put before a field's name in messages ("limits." for a nested record).
  FieldReader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) {
      complain(fmt::format("'{}': found {}, wanted an object", path_, json.type_name()));
    }
  }

  template <class T>
  void operator()(const char* name, T& value) {
    if (error_) {
      return;
    }
    const auto found = json_.find(name);
    if (found == json_.end()) {
      complain(fmt::format("field '{}{}' is missing", path_, name));
      return;
    }
    ++known_;
    decode(*found, path_ + name, value);
  }

  /// A field that older records lack, which leaves the value as it is.
  template <class T>
  void later(const char* name, T& value) {
    if (json_.is_object() && json_.contains(name)) {
      (*this)(name, value);
    }
  }

  /// The first error, or one for a field that no description names.
  [[nodiscard]] std::optional<Error> finish(const std::vector<std::string>& also_allowed = {}) {
    if (!error_ && json_.size() != known_ + also_allowed.size()) {
      complain(fmt::format("'{}' holds {} fields, wanted {}", path_.empty() ? "record" : path_,
                           json_.size(), known_ + also_allowed.size()));
    }
    return error_;
  }

 private:
  void complain(std::string message) {
    if (!error_) {
      error_ = Error{std::move(message)};
    }
  }
  void wanted(const Json& json, const std::string& where, const char* what) {
    complain(fmt::format("field '{}': found {}, wanted {}", where, json.dump(), what));
  }

  void decode(const Json& json, const std::string& where, std::string& value) {
    json.is_string() ? json.get_to(value) : (wanted(json, where, "a string"), value);
  }
  void decode(const Json& json, const std::string& where, bool& value) {
    json.is_boolean() ? json.get_to(value) : (wanted(json, where, "true or false"), value);
  }
  void decode(const Json& json, const std::string& where, double& value) {
    json.is_number() ? json.get_to(value) : (wanted(json, where, "a number"), value);
  }
  template <std::unsigned_integral T>
  void decode(const Json& json, const std::string& where, T& value) {
    if (!json.is_number_unsigned()) {
      wanted(json, where, "a whole number, 0 or more");
      return;
    }
    json.get_to(value);
  }
  void decode(const Json& json, const std::string& where, int& value) {
    if (!json.is_number_integer() || json.get<std::int64_t>() > std::numeric_limits<int>::max() ||
        json.get<std::int64_t>() < std::numeric_limits<int>::min()) {
      wanted(json, where, "a whole number");
      return;
    }
    json.get_to(value);
  }
  template <class T>
  void decode(const Json& json, const std::string& where, std::vector<T>& values) {
    if (!json.is_array()) {
      wanted(json, where, "a list");
      return;
    }
    values.assign(json.size(), T{});
    for (std::size_t i = 0; i < json.size() && !error_; ++i) {
      decode(json[i], fmt::format("{}[{}]", where, i), values[i]);
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void decode(const Json& json, const std::string& where, T& record) {
    FieldReader reader(json, where + ".");
    if (!reader.error_) {
      describe(reader, record);
    }
    if (const std::optional<Error> error = reader.finish()) {
      complain(error->message);
    }
  }

  const Json& json_;
  std::string path_;
  std::size_t known_ = 0;
  std::optional<Error> error_;
};

}  // namespace interpscale::study
