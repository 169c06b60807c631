// The JSON of a safetensors header, event by event: nothing is kept but the tensors it names, and
// the first thing that has no place in such a header ends the reading, however deep it would go on.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "data/safetensors_file.hpp"
#include "interpscale/core/checked.hpp"

namespace interpscale::data {
namespace {

using nlohmann::json;

constexpr std::size_t kMostExtents = 2;
constexpr std::size_t kOffsetCount = 2;
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestReason = 200;

std::optional<Dtype> parse_dtype(std::string_view name) {
  for (const Dtype dtype : {Dtype::kF32, Dtype::kF64, Dtype::kI32, Dtype::kI64}) {
    if (name == name_of(dtype)) {
      return dtype;
    }
  }
  return std::nullopt;
}

/// The text, read through a shared count of what has been read so far.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

/// Long texts are cut: a message is for reading.
std::string shortened(std::string_view text, std::size_t longest = 60) {
  return text.size() <= longest ? std::string(text) : fmt::format("{}...", text.substr(0, longest));
}

std::string in_quotes(std::string_view name) {
  return fmt::format("'{}'", shortened(name));
}

bool is_printable(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20; });
}

/// Collects tensors from the events of nlohmann's parser. An event that returns false ends it.
class HeaderEvents : public nlohmann::json_sax<json> {
 public:
  HeaderEvents(const std::string& file, std::uint64_t begin, const std::size_t& read)
      : file_(file), begin_(begin), read_(read) {}

  [[nodiscard]] std::vector<Tensor>& tensors() { return tensors_; }
  [[nodiscard]] const Error& error() const { return error_; }

  bool null() override { return refuse("null"); }
  bool boolean(bool value) override { return refuse(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return refuse(fmt::format("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override {
    return refuse(shortened(text));
  }
  bool binary(binary_t&) override { return refuse("bytes"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape && tensor_.shape.size() < kMostExtents) {
      tensor_.shape.push_back(value);
      return true;
    }
    if (place_ == Place::kOffsets && offsets_.size() < kOffsetCount) {
      offsets_.push_back(value);
      return true;
    }
    return refuse(fmt::format("{}", value));
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      return true;
    }
    if (place_ != Place::kEntry || field_ != Field::kDtype) {
      return refuse(in_quotes(value));
    }
    const auto dtype = parse_dtype(value);
    if (!dtype) {
      return refuse("dtype " + in_quotes(value));
    }
    tensor_.dtype = *dtype;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kTensors;
      return true;
    }
    if (place_ == Place::kTensors) {
      place_ = in_metadata_ ? Place::kMetadata : Place::kEntry;
      return true;
    }
    return refuse("an object");
  }

  bool key(string_t& name) override {
    if (place_ == Place::kTensors) {
      return begin_entry(name);
    }
    return place_ == Place::kMetadata || begin_field(name);
  }

  bool end_object() override {
    if (place_ == Place::kTensors) {
      place_ = Place::kOutside;
      return true;
    }
    const bool is_tensor = place_ == Place::kEntry;
    place_ = Place::kTensors;
    return !is_tensor || finish_tensor();
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kEntry && field_ == Field::kShape) {
      place_ = Place::kShape;
      return true;
    }
    if (place_ == Place::kEntry && field_ == Field::kOffsets) {
      place_ = Place::kOffsets;
      return true;
    }
    return refuse("an array");
  }

  bool end_array() override {
    place_ = Place::kEntry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const json::exception& exception) override {
    error_ = {fmt::format("{}: byte {}: the header is not JSON: {}", file_, begin_ + position,
                          shortened(exception.what(), kLongestReason))};
    return false;
  }

 private:
  enum class Place { kOutside, kTensors, kMetadata, kEntry, kShape, kOffsets };
  enum class Field { kNone, kDtype, kShape, kOffsets };

  [[nodiscard]] std::string where() const {
    return fmt::format("{}: byte {}: {}", file_, begin_ + read_,
                       tensor_.name.empty() ? "header" : "tensor " + in_quotes(tensor_.name));
  }

  bool refuse(const std::string& found) { return refuse(found, wanted()); }
  bool refuse(const std::string& found, const std::string& wanted) {
    error_ = {fmt::format("{}: found {}, wanted {}", where(), found, wanted)};
    return false;
  }

  [[nodiscard]] std::string wanted() const {
    switch (place_) {
      case Place::kOutside:
        return "one object";
      case Place::kTensors:
        return "an object";
      case Place::kMetadata:
        return "texts in __metadata__";
      case Place::kShape:
        return "one or two extents, whole numbers from 1";
      case Place::kOffsets:
        return "two data_offsets, whole numbers from 0";
      case Place::kEntry:
        break;
    }
    return field_ == Field::kDtype ? "a dtype of F32, F64, I32 or I64"
                                   : "an array of whole numbers";
  }

  bool begin_entry(const std::string& name) {
    tensor_ = {};
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) {
      if (std::exchange(metadata_seen_, true)) {
        return refuse("__metadata__ twice", "it once at most");
      }
      return true;
    }
    if (name.empty() || name.size() > kLongestName || !is_printable(name)) {
      return refuse(fmt::format("a tensor name of {} bytes", name.size()),
                    fmt::format("1 to {} printable ones", kLongestName));
    }
    tensor_.name = name;
    offsets_.clear();
    has_dtype_ = has_shape_ = has_offsets_ = false;
    return true;
  }

  bool begin_field(const std::string& name) {
    bool* seen = nullptr;
    if (name == "dtype") {
      field_ = Field::kDtype;
      seen = &has_dtype_;
    } else if (name == "shape") {
      field_ = Field::kShape;
      seen = &has_shape_;
    } else if (name == "data_offsets") {
      field_ = Field::kOffsets;
      seen = &has_offsets_;
    } else {
      return refuse("the field " + in_quotes(name), "dtype, shape and data_offsets");
    }
    if (std::exchange(*seen, true)) {
      return refuse("the field " + in_quotes(name) + " twice", "it once");
    }
    return true;
  }

  bool finish_tensor() {
    if (!has_dtype_ || !has_shape_ || !has_offsets_) {
      return refuse(fmt::format("no {}", !has_dtype_   ? "dtype"
                                         : !has_shape_ ? "shape"
                                                       : "data_offsets"),
                    "dtype, shape and data_offsets");
    }
    if (tensor_.shape.empty() || offsets_.size() != kOffsetCount) {
      return refuse(
          fmt::format("{} extents and {} data_offsets", tensor_.shape.size(), offsets_.size()),
          "one or two extents and two data_offsets");
    }
    std::size_t bytes = bytes_of(tensor_.dtype);
    for (const std::uint64_t extent : tensor_.shape) {
      if (extent == 0 || multiply_overflows(bytes, extent, &bytes)) {
        return refuse(fmt::format("the shape [{}]", fmt::join(tensor_.shape, ", ")),
                      "extents from 1 whose product fits 64 bits");
      }
    }
    std::tie(tensor_.begin, tensor_.end) = std::pair{offsets_[0], offsets_[1]};
    if (tensor_.begin > tensor_.end || tensor_.end - tensor_.begin != bytes) {
      return refuse(fmt::format("data_offsets {} to {}", tensor_.begin, tensor_.end),
                    fmt::format("{} bytes for the shape [{}] of {}", bytes,
                                fmt::join(tensor_.shape, ", "), name_of(tensor_.dtype)));
    }
    tensors_.push_back(std::move(tensor_));
    tensor_ = {};
    return true;
  }

  const std::string& file_;
  std::uint64_t begin_;
  const std::size_t& read_;
  std::vector<Tensor> tensors_;
  Error error_;
  Place place_ = Place::kOutside;
  Field field_ = Field::kNone;
  bool in_metadata_ = false;
  bool metadata_seen_ = false;
  Tensor tensor_;  // being read
  std::vector<std::uint64_t> offsets_;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
};

}  // namespace

Result<std::vector<Tensor>> parse_header(const std::string& file, std::string_view text,
                                         std::uint64_t begin) {
  std::size_t read = 0;
  HeaderEvents events(file, begin, read);
  const bool whole = json::sax_parse(CountingIterator(text.data(), &read),
                                     CountingIterator(text.data() + text.size(), &read), &events);
  if (!whole) {
    return tl::unexpected(events.error());
  }
  std::vector<const std::string*> names;
  for (const Tensor& tensor : events.tensors()) {
    names.push_back(&tensor.name);
  }
  std::ranges::sort(names, {}, [](const std::string* name) -> const std::string& { return *name; });
  const auto repeated = std::adjacent_find(names.begin(), names.end(),
                                           [](const auto* a, const auto* b) { return *a == *b; });
  if (repeated != names.end()) {
    return fail("{}: the header names tensor {} twice, wanted distinct names", file,
                in_quotes(**repeated));
  }
  return std::move(events.tensors());
}

}  // namespace interpscale::data
