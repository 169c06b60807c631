// Tables as comma-separated values (RFC 4180), read whole: quoted fields with commas, doubled
// quotes and line breaks in them, LF, CRLF or CR, a byte order mark or none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::data {

/// A header and rows with as many fields each. Errors read "file:line:column: found ..., wanted
/// ...", both counted from 1, the column in bytes.
class CsvTable {
 public:
  [[nodiscard]] static Result<CsvTable> read(const std::filesystem::path& file);
  /// `name` stands for the file in messages. Empty lines are passed over.
  [[nodiscard]] static Result<CsvTable> parse(std::string_view text, std::string name);

  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }

  /// Where the column of that name is; an error lists those that there are.
  [[nodiscard]] Result<std::size_t> column(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::size_t row, std::size_t column) const;
  /// "file:line:column" of a field.
  [[nodiscard]] std::string place(std::size_t row, std::size_t column) const;

  /// The column's values, positive and finite every one, spaces around them ignored; an error says
  /// where the first that is not stands. [rows]
  [[nodiscard]] Result<std::vector<double>> positive_numbers(std::string_view name) const;

 private:
  struct Field {
    std::string text;
    std::size_t line = 0;
    std::size_t column = 0;
  };
  friend class CsvParser;

  std::string name_;
  std::vector<std::string> header_;
  std::vector<std::vector<Field>> rows_;
};

}  // namespace interpscale::data
