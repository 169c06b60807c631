// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <system_error>

#include "interpscale/core/checked.hpp"
#include "interpscale/nn/topology.hpp"

namespace interpscale::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, three extents
constexpr std::uint32_t kLabelsMagic = 0x00000801;  // unsigned bytes, one extent
constexpr std::size_t kClasses = 10;
constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::string_view kFashionMnist = "/usr/share/datasets/fashion-mnist";

/// A plain or gzip file read from front to back; offsets are those of the uncompressed bytes.
class IdxFile {
 public:
  [[nodiscard]] static Result<IdxFile> open(const fs::path& path) {
    errno = 0;
    gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) {
      return fail("{}: cannot open: {}", path.string(),
                  std::generic_category().message(errno == 0 ? ENOMEM : errno));
    }
    return IdxFile(path, file);
  }

  /// `count` bytes appended to `out` a chunk at a time, so that a header's claim alone allocates
  /// nothing; an error where the file ends earlier.
  [[nodiscard]] Result<void> read(std::size_t count, std::string_view what,
                                  std::vector<unsigned char>& out) {
    const std::size_t end = out.size() + count;
    while (out.size() < end) {
      const std::size_t begin = out.size();
      const std::size_t wanted = std::min(kChunk, end - begin);
      out.resize(begin + wanted);
      const int got = gzread(file_.get(), out.data() + begin, static_cast<unsigned>(wanted));
      if (got < 0) {
        return broken();
      }
      offset_ += static_cast<std::size_t>(got);
      out.resize(begin + static_cast<std::size_t>(got));
      if (static_cast<std::size_t>(got) < wanted) {
        return fail("{}: byte {}: found the end of the file, wanted {} more bytes of {}",
                    path_.string(), offset_, end - out.size(), what);
      }
    }
    return {};
  }

  [[nodiscard]] Result<std::uint32_t> big_endian(std::string_view what) {
    std::vector<unsigned char> bytes;
    if (auto read_bytes = read(4, what, bytes); !read_bytes) {
      return tl::unexpected(read_bytes.error());
    }
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
           std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
  }

  /// An error unless the file ends here.
  [[nodiscard]] Result<void> expect_end() {
    unsigned char byte = 0;
    const int got = gzread(file_.get(), &byte, 1);
    int code = Z_OK;
    gzerror(file_.get(), &code);
    if (got < 0 || code == Z_BUF_ERROR) {  // the latter: gzip's checksum is cut off
      return broken();
    }
    if (got > 0) {
      return fail("{}: byte {}: found further bytes, wanted the end of the file", path_.string(),
                  offset_);
    }
    return {};
  }

  [[nodiscard]] std::string name() const { return path_.string(); }
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };

  IdxFile(fs::path path, gzFile file) : path_(std::move(path)), file_(file) {}

  [[nodiscard]] tl::unexpected<Error> broken() {
    int code = 0;
    const char* message = gzerror(file_.get(), &code);
    return fail("{}: byte {}: {}, wanted a readable plain or gzip file", path_.string(), offset_,
                code == Z_ERRNO ? std::generic_category().message(errno) : std::string(message));
  }

  fs::path path_;
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
  std::size_t offset_ = 0;
};

/// The magic number, then `extents.size()` extents, each in [1, largest].
template <std::size_t kExtents>
Result<std::array<std::size_t, kExtents>> read_header(IdxFile& file, std::uint32_t magic) {
  const auto found = file.big_endian("the magic number");
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (*found != magic) {
    return fail("{}: byte 0: found the magic number {:#010x}, wanted {:#010x}", file.name(), *found,
                magic);
  }
  std::array<std::size_t, kExtents> extents{};
  for (std::size_t& extent : extents) {
    const std::size_t offset = file.offset();
    const auto value = file.big_endian("an extent");
    if (!value) {
      return tl::unexpected(value.error());
    }
    if (*value == 0) {
      return fail("{}: byte {}: found an extent of 0, wanted at least 1", file.name(), offset);
    }
    extent = *value;
  }
  return extents;
}

Result<void> read_images(const fs::path& path, Dataset& dataset) {
  auto file = IdxFile::open(path);
  if (!file) {
    return tl::unexpected(file.error());
  }
  const auto extents = read_header<3>(*file, kImagesMagic);
  if (!extents) {
    return tl::unexpected(extents.error());
  }
  const auto [count, rows, cols] = *extents;
  std::size_t pixels = 0;
  std::size_t total = 0;
  if (multiply_overflows(rows, cols, &pixels) || pixels > nn::kLargestWidth ||
      multiply_overflows(count, pixels, &total)) {
    return fail("{}: byte 4: found {} images of {} x {} pixels, wanted at most {} pixels an image",
                path.string(), count, rows, cols, nn::kLargestWidth);
  }
  std::vector<unsigned char> bytes;
  if (auto read = file->read(total, "pixels", bytes); !read) {
    return read;
  }
  if (auto end = file->expect_end(); !end) {
    return end;
  }
  dataset.image_rows = rows;
  dataset.image_cols = cols;
  dataset.inputs = Matrix<float>(count, pixels);
  for (std::size_t image = 0; image < count; ++image) {
    std::transform(bytes.begin() + static_cast<std::ptrdiff_t>(image * pixels),
                   bytes.begin() + static_cast<std::ptrdiff_t>((image + 1) * pixels),
                   dataset.inputs.row(image).begin(),
                   [](unsigned char byte) { return static_cast<float>(byte) / 255.0F; });
  }
  return {};
}

Result<void> read_labels(const fs::path& path, Dataset& dataset) {
  auto file = IdxFile::open(path);
  if (!file) {
    return tl::unexpected(file.error());
  }
  const auto extents = read_header<1>(*file, kLabelsMagic);
  if (!extents) {
    return tl::unexpected(extents.error());
  }
  const std::size_t count = (*extents)[0];
  if (count != dataset.inputs.rows()) {
    return fail("{}: byte 4: found {} labels, wanted {}, one for each image", path.string(), count,
                dataset.inputs.rows());
  }
  const std::size_t first = file->offset();
  std::vector<unsigned char> bytes;
  if (auto read = file->read(count, "labels", bytes); !read) {
    return read;
  }
  if (auto end = file->expect_end(); !end) {
    return end;
  }
  const auto bad =
      std::ranges::find_if(bytes, [](unsigned char label) { return label >= kClasses; });
  if (bad != bytes.end()) {
    return fail("{}: byte {}: found the label {}, wanted 0 to {}", path.string(),
                first + static_cast<std::size_t>(bad - bytes.begin()), *bad, kClasses - 1);
  }
  dataset.labels.assign(bytes.begin(), bytes.end());
  dataset.classes = kClasses;
  return {};
}

/// folder/stem.gz or folder/stem.
Result<fs::path> existing(const fs::path& folder, std::string_view stem) {
  for (const std::string_view suffix : {".gz", ""}) {
    fs::path path = folder / (std::string(stem) + std::string(suffix));
    std::error_code error;
    if (fs::exists(path, error)) {
      return path;
    }
    if (error) {
      return fail("{}: cannot be looked at: {}", path.string(), error.message());
    }
  }
  return fail("{}: found neither '{}.gz' nor '{}', wanted one of them", folder.string(), stem,
              stem);
}

Result<Dataset> load_half(const fs::path& folder, std::string_view half) {
  const auto images = existing(folder, fmt::format("{}-images-idx3-ubyte", half));
  if (!images) {
    return tl::unexpected(images.error());
  }
  const auto labels = existing(folder, fmt::format("{}-labels-idx1-ubyte", half));
  if (!labels) {
    return tl::unexpected(labels.error());
  }
  Dataset dataset;
  dataset.name = folder.filename().string();
  if (auto read = read_images(*images, dataset); !read) {
    return tl::unexpected(read.error());
  }
  if (auto read = read_labels(*labels, dataset); !read) {
    return tl::unexpected(read.error());
  }
  return dataset;
}

}  // namespace

Result<Split> load_idx_folder(const fs::path& folder) {
  auto train = load_half(folder, "train");
  if (!train) {
    return tl::unexpected(train.error());
  }
  auto test = load_half(folder, "t10k");
  if (!test) {
    return tl::unexpected(test.error());
  }
  if (test->image_rows != train->image_rows || test->image_cols != train->image_cols) {
    return fail("{}: found test images of {} x {} pixels, wanted {} x {} as in the training half",
                folder.string(), test->image_rows, test->image_cols, train->image_rows,
                train->image_cols);
  }
  return Split{std::move(*train), std::move(*test)};
}

Result<fs::path> find_dataset(std::string_view name) {
  const bool fashion_mnist = name == "fashion-mnist";
  const fs::path folder = fashion_mnist ? kFashionMnist : name;
  std::error_code error;
  if (fs::is_directory(folder, error)) {
    return folder;
  }
  if (fashion_mnist) {
    return fail(
        "{}: no such folder; install Debian's package dataset-fashion-mnist, or name a "
        "folder that holds the four IDX files",
        folder.string());
  }
  return fail(
      "data set '{}': found no such folder, wanted 'fashion-mnist' or a folder that holds "
      "the four IDX files",
      name);
}

}  // namespace interpscale::data
