// The file is not trusted: every number in it is held against the file's size or a limit before it
// is used to allocate or to seek.
// SPDX-License-Identifier: Apache-2.0
#include "data/safetensors_file.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

namespace interpscale::data {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are read as they stand in the file, which is little-endian");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;

/// The data are exactly the tensors, one after another: no overlap, no gap, nothing behind.
Result<void> check_tiling(const std::string& file, Header& header) {
  for (const Tensor& tensor : header.tensors) {
    if (tensor.end > header.data_bytes) {
      return fail(
          "{}: tensor '{}': found data_offsets {} to {}, wanted a stretch of the {} bytes behind "
          "the header",
          file, tensor.name, tensor.begin, tensor.end, header.data_bytes);
    }
  }
  std::ranges::sort(header.tensors, {}, &Tensor::begin);
  std::uint64_t expected = 0;
  for (const Tensor& tensor : header.tensors) {
    if (tensor.begin != expected) {
      return fail("{}: byte {}: tensor '{}' {}, wanted it to begin at byte {}", file,
                  header.data_begin + tensor.begin, tensor.name,
                  tensor.begin < expected ? "overlaps the one before it" : "leaves a gap before it",
                  header.data_begin + expected);
    }
    expected = tensor.end;
  }
  if (expected != header.data_bytes) {
    return fail("{}: byte {}: found {} bytes that belong to no tensor, wanted the end of the file",
                file, header.data_begin + expected, header.data_bytes - expected);
  }
  return {};
}

/// body(buffer of a row, its offset in the file) for each of `rows` rows of `cols` Elements.
template <class Element, class Body>
Result<void> for_each_row(Source& source, const Header& header, const Tensor& tensor,
                          std::size_t rows, std::size_t cols, const Body& body) {
  std::vector<Element> buffer(cols);
  std::uint64_t offset = header.data_begin + tensor.begin;
  source.stream.seekg(static_cast<std::streamoff>(offset));
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<Element> row(buffer);
    if (!source.stream.read(reinterpret_cast<char*>(row.data()),
                            static_cast<std::streamsize>(row.size_bytes()))) {
      return fail("{}: byte {}: tensor '{}' cannot be read", source.name, offset, tensor.name);
    }
    if (Result<void> done = body(i, std::span<const Element>(row), offset); !done) {
      return done;
    }
    offset += row.size_bytes();
  }
  return {};
}

template <class Element, class T>
Result<void> read_rows_of(Source& source, const Header& header, const Tensor& tensor,
                          MatrixView<T> out) {
  const auto convert = [&](std::size_t i, std::span<const Element> row,
                           std::uint64_t offset) -> Result<void> {
    for (std::size_t j = 0; j < row.size(); ++j) {
      const T value = static_cast<T>(row[j]);  // a double beyond float's range is infinite there
      if (!std::isfinite(value)) {
        return fail("{}: byte {}: tensor '{}': found {}, wanted a finite number{}", source.name,
                    offset + sizeof(Element) * j, tensor.name, row[j],
                    std::isfinite(row[j]) ? " in single precision" : "");
      }
      out(i, j) = value;
    }
    return {};
  };
  return for_each_row<Element>(source, header, tensor, out.rows(), out.cols(), convert);
}

template <class Element>
Result<std::vector<std::uint32_t>> read_labels_of(Source& source, const Header& header,
                                                  const Tensor& tensor) {
  std::vector<std::uint32_t> labels;
  labels.reserve(tensor.shape[0]);
  const auto append = [&](std::size_t, std::span<const Element> row,
                          std::uint64_t offset) -> Result<void> {
    if (row[0] < 0 || row[0] > std::numeric_limits<std::int32_t>::max()) {
      return fail("{}: byte {}: tensor '{}': found the label {}, wanted 0 to {}", source.name,
                  offset, tensor.name, row[0], std::numeric_limits<std::int32_t>::max());
    }
    labels.push_back(static_cast<std::uint32_t>(row[0]));
    return {};
  };
  if (auto read = for_each_row<Element>(source, header, tensor, tensor.shape[0], 1, append);
      !read) {
    return tl::unexpected(read.error());
  }
  return labels;
}

}  // namespace

std::string_view name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "F32";
    case Dtype::kF64:
      return "F64";
    case Dtype::kI32:
      return "I32";
    case Dtype::kI64:
      break;
  }
  return "I64";
}

std::uint64_t bytes_of(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kI32 ? 4 : 8;
}

Result<Header> read_header(Source& source) {
  std::uint64_t length = 0;
  if (source.bytes < kLengthBytes ||
      !source.stream.read(reinterpret_cast<char*>(&length), sizeof(length))) {
    return fail("{}: byte 0: found {} bytes, wanted a header length of {}", source.name,
                source.bytes, kLengthBytes);
  }
  const std::uint64_t rest = source.bytes - kLengthBytes;
  if (length > rest || length > kLargestHeader) {
    return fail(
        "{}: byte 0: found a header length of {}, wanted at most {} (the rest of the file) and at "
        "most {}",
        source.name, length, rest, kLargestHeader);
  }
  std::string text(length, '\0');
  if (!source.stream.read(text.data(), static_cast<std::streamsize>(length))) {
    return fail("{}: byte {}: the header of {} bytes cannot be read", source.name, kLengthBytes,
                length);
  }
  auto tensors = parse_header(source.name, text, kLengthBytes);
  if (!tensors) {
    return tl::unexpected(tensors.error());
  }
  Header header{kLengthBytes + length, rest - length, std::move(*tensors)};
  if (auto tiled = check_tiling(source.name, header); !tiled) {
    return tl::unexpected(tiled.error());
  }
  return header;
}

template <class T>
Result<void> read_rows(Source& source, const Header& header, const Tensor& tensor,
                       MatrixView<T> out) {
  if (tensor.dtype == Dtype::kF32) {
    return read_rows_of<float>(source, header, tensor, out);
  }
  if (tensor.dtype == Dtype::kF64) {
    return read_rows_of<double>(source, header, tensor, out);
  }
  return fail("{}: tensor '{}': found dtype {}, wanted F32 or F64", source.name, tensor.name,
              name_of(tensor.dtype));
}

template Result<void> read_rows<float>(Source&, const Header&, const Tensor&, MatrixView<float>);
template Result<void> read_rows<double>(Source&, const Header&, const Tensor&, MatrixView<double>);

Result<std::vector<std::uint32_t>> read_labels(Source& source, const Header& header,
                                               const Tensor& tensor) {
  if (tensor.dtype == Dtype::kI64) {
    return read_labels_of<std::int64_t>(source, header, tensor);
  }
  if (tensor.dtype == Dtype::kI32) {
    return read_labels_of<std::int32_t>(source, header, tensor);
  }
  return fail("{}: tensor '{}': found dtype {}, wanted I64 or I32", source.name, tensor.name,
              name_of(tensor.dtype));
}

}  // namespace interpscale::data
