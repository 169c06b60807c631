// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "interpscale/core/require.hpp"

namespace interpscale::measure {
namespace {

using nlohmann::ordered_json;

std::string error_text(int error_number) {
  return std::strerror(error_number);
}

/// Where in `value` a number is not finite, as "/key/3"; nothing if all are.
std::optional<std::string> find_not_finite(const ordered_json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    return "";
  }
  if (value.is_structured()) {
    for (const auto& item : value.items()) {
      if (const auto inside = find_not_finite(item.value())) {
        return "/" + item.key() + *inside;
      }
    }
  }
  return std::nullopt;
}

/// Size of the file up to and with its last newline, read backwards; negative on a read error.
off_t whole_lines_size(int descriptor, off_t size) {
  std::array<char, 4096> block{};
  while (size > 0) {
    const auto wanted = std::min(size, static_cast<off_t>(block.size()));
    const ssize_t got =
        pread(descriptor, block.data(), static_cast<std::size_t>(wanted), size - wanted);
    if (got != wanted) {
      return -1;
    }
    const std::size_t newline =
        std::string_view(block.data(), static_cast<std::size_t>(got)).rfind('\n');
    if (newline != std::string_view::npos) {
      return size - wanted + static_cast<off_t>(newline) + 1;
    }
    size -= wanted;
  }
  return 0;
}

/// So that a new file's name survives a crash as its contents do.
void flush_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    fsync(descriptor);
    ::close(descriptor);
  }
}

/// One write(2) of all of `line`; 0 or the error number. A disk that takes only a part is full.
int write_whole(int descriptor, const std::string& line) {
  ssize_t written = -1;
  do {
    written = ::write(descriptor, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) {
    return errno;
  }
  return static_cast<std::size_t>(written) == line.size() ? 0 : ENOSPC;
}

}  // namespace

Journal::Journal(int descriptor, std::filesystem::path path)
    : descriptor_(descriptor), path_(std::move(path)) {}

Journal::Journal(Journal&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

Journal::~Journal() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<Journal> Journal::open(const std::filesystem::path& path) {
  constexpr mode_t kReadableByAll = 0644;
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kReadableByAll);
  if (descriptor < 0) {
    return fail("{}: cannot open the journal for appending: {}", path.string(), error_text(errno));
  }
  Journal journal(descriptor, path);
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail("{}: not a regular file: a journal must be one", path.string());
  }
  const off_t whole = whole_lines_size(descriptor, status.st_size);
  if (whole < 0) {
    return fail("{}: cannot read the journal: {}", path.string(), error_text(errno));
  }
  if (whole < status.st_size && ftruncate(descriptor, whole) != 0) {
    return fail("{}: byte {}: cannot cut off the torn last line: {}", path.string(), whole,
                error_text(errno));
  }
  flush_folder_of(path);
  return journal;
}

Result<void> Journal::append(const ordered_json& record) {
  require(descriptor_ >= 0, "append to a journal that was moved from");
  if (!record.is_object()) {
    return fail("{}: a record must be a JSON object, found {}", path_.string(), record.type_name());
  }
  if (const auto place = find_not_finite(record)) {
    return fail("{}: record refused: the number at {} is not finite", path_.string(), *place);
  }
  std::string line;
  try {
    line = record.dump() + '\n';
  } catch (const ordered_json::exception& problem) {
    return fail("{}: record refused: {}", path_.string(), problem.what());
  }
  const off_t before = lseek(descriptor_, 0, SEEK_END);
  if (before < 0) {
    return fail("{}: cannot find the journal's end: {}", path_.string(), error_text(errno));
  }
  int error_number = write_whole(descriptor_, line);
  if (error_number == 0 && fsync(descriptor_) != 0) {
    error_number = errno;
  }
  if (error_number == 0) {
    return {};
  }
  const bool cut = ftruncate(descriptor_, before) == 0;
  return fail("{}: byte {}: cannot write a record of {} bytes: {}; {}", path_.string(), before,
              line.size(), error_text(error_number),
              cut ? "the journal ends with its last whole record; free some space and run the same "
                    "command again"
                  : "and the torn line could not be cut off: it will be when the journal is opened "
                    "again");
}

Result<std::vector<ordered_json>> read_journal(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return fail("{}: cannot open the journal: {}", path.string(), error_text(errno));
  }
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) {
    return fail("{}: cannot read the journal: {}", path.string(), error_text(errno));
  }
  std::vector<ordered_json> records;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const std::string_view line(text.data() + begin, end - begin);
    const std::size_t number = records.size() + 1;
    try {
      records.push_back(ordered_json::parse(line));
    } catch (const ordered_json::exception& problem) {
      return fail("{}:{}: not a JSON record: {}", path.string(), number, problem.what());
    }
    if (!records.back().is_object()) {
      return fail("{}:{}: found a JSON {}, wanted an object", path.string(), number,
                  records.back().type_name());
    }
    begin = end + 1;
  }
  return records;
}

}  // namespace interpscale::measure
