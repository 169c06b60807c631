// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/csv.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "interpscale/core/require.hpp"

namespace interpscale::data {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t begin = text.find_first_not_of(kBlank);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// All of `text` as a number; NaN where it is none or too large for a double.
double number_of(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') {
    text.remove_prefix(1);  // which from_chars does not know
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? value : std::nan("");
}

/// What a message shows of a field: its beginning, on one line.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::string result(text.substr(0, kMost));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; },
      ' ');
  return text.size() > kMost ? result + "..." : result;
}

}  // namespace

/// One pass over the text, a character at a time.
class CsvParser {
 public:
  CsvParser(std::string_view text, std::string name) : text_(text) {
    table_.name_ = std::move(name);
    if (text_.starts_with(kByteOrderMark)) {
      text_.remove_prefix(kByteOrderMark.size());
    }
  }

  Result<CsvTable> parse() {
    if (const std::size_t zero = text_.find('\0'); zero != std::string_view::npos) {
      return fail("{}: byte {}: found a zero byte, wanted text", table_.name_, zero);
    }
    bool has_header = false;
    while (at_ < text_.size()) {
      Result<std::vector<CsvTable::Field>> record = next_record();
      if (!record) {
        return tl::unexpected(record.error());
      }
      if (record->size() == 1 && record->front().text.empty()) {
        continue;
      }
      if (!has_header) {
        for (CsvTable::Field& field : *record) {
          table_.header_.emplace_back(trimmed(field.text));
        }
        has_header = true;
      } else if (record->size() != table_.header_.size()) {
        return fail("{}:{}: found {} fields, wanted {} as in the header", table_.name_,
                    record->front().line, record->size(), table_.header_.size());
      } else {
        table_.rows_.push_back(std::move(*record));
      }
    }
    if (!has_header) {
      return fail("{}: found nothing, wanted a header and rows", table_.name_);
    }
    return std::move(table_);
  }

 private:
  [[nodiscard]] bool ends_record() const {
    return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
  }
  /// Steps over one character; a line ends with LF, CRLF or a CR alone.
  void step() {
    const char c = text_[at_++];
    const bool inside_crlf = c == '\r' && at_ < text_.size() && text_[at_] == '\n';
    if ((c == '\n' || c == '\r') && !inside_crlf) {
      ++line_;
      line_begin_ = at_;
    }
  }
  [[nodiscard]] std::size_t column() const { return at_ - line_begin_ + 1; }

  Result<std::vector<CsvTable::Field>> next_record() {
    std::vector<CsvTable::Field> record;
    while (true) {
      Result<CsvTable::Field> field = next_field();
      if (!field) {
        return tl::unexpected(field.error());
      }
      record.push_back(std::move(*field));
      if (ends_record()) {
        break;
      }
      step();  // the comma
    }
    if (at_ < text_.size()) {
      const bool carriage_return = text_[at_] == '\r';
      step();
      if (carriage_return && at_ < text_.size() && text_[at_] == '\n') {
        step();
      }
    }
    return record;
  }

  Result<CsvTable::Field> next_field() {
    CsvTable::Field field{{}, line_, column()};
    if (at_ < text_.size() && text_[at_] == '"') {
      return quoted(std::move(field));
    }
    while (!ends_record() && text_[at_] != ',') {
      field.text += text_[at_];
      step();
    }
    return field;
  }

  Result<CsvTable::Field> quoted(CsvTable::Field field) {
    step();
    while (true) {
      if (at_ == text_.size()) {
        return fail("{}:{}:{}: found a quote that is not closed", table_.name_, field.line,
                    field.column);
      }
      const char c = text_[at_];
      step();
      if (c != '"') {
        field.text += c;
      } else if (at_ < text_.size() && text_[at_] == '"') {
        field.text += c;
        step();
      } else {
        break;
      }
    }
    if (!ends_record() && text_[at_] != ',') {
      return fail("{}:{}:{}: found '{}' after a closing quote, wanted a comma or the line's end",
                  table_.name_, line_, column(), shown(text_.substr(at_, 1)));
    }
    return field;
  }

  std::string_view text_;
  CsvTable table_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_begin_ = 0;
};

Result<CsvTable> CsvTable::parse(std::string_view text, std::string name) {
  return CsvParser(text, std::move(name)).parse();
}

Result<CsvTable> CsvTable::read(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    const int code = std::filesystem::is_directory(file) ? EISDIR : errno;
    return fail("{}: cannot open: {}", file.string(), std::generic_category().message(code));
  }
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  if (stream.bad()) {
    return fail("{}: cannot read to the end", file.string());
  }
  return parse(text, file.string());
}

Result<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) {
    return fail("{}: found no column '{}', wanted one of: {}", name_, name,
                fmt::join(header_, ", "));
  }
  if (std::find(found + 1, header_.end(), name) != header_.end()) {
    return fail("{}: found two columns '{}', wanted one", name_, name);
  }
  return static_cast<std::size_t>(found - header_.begin());
}

const std::string& CsvTable::text(std::size_t row, std::size_t column) const {
  require(row < rows_.size() && column < header_.size(), "a field of the table");
  return rows_[row][column].text;
}

std::string CsvTable::place(std::size_t row, std::size_t column) const {
  require(row < rows_.size() && column < header_.size(), "a field of the table");
  const Field& field = rows_[row][column];
  return fmt::format("{}:{}:{}", name_, field.line, field.column);
}

Result<std::vector<double>> CsvTable::positive_numbers(std::string_view name) const {
  const Result<std::size_t> at = column(name);
  if (!at) {
    return tl::unexpected(at.error());
  }
  std::vector<double> values(rows_.size());
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    values[row] = number_of(trimmed(text(row, *at)));
    if (!std::isfinite(values[row]) || values[row] <= 0) {
      return fail("{}: column '{}': found '{}', wanted a positive number", place(row, *at), name,
                  shown(text(row, *at)));
    }
  }
  return values;
}

}  // namespace interpscale::data
