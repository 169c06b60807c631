// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace interpscale::data {

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)),
      name_(target_.string() + ".part-XXXXXX"),
      descriptor_(::mkstemp(name_.data())) {
  if (descriptor_ < 0) {
    error_ = errno;
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(name_.c_str());
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (error_ == 0 && !bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      error_ = written < 0 ? errno : EIO;
      return;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

bool AtomicFile::rename_flushed() {
  constexpr mode_t kReadableByAll = 0644;
  if (::fchmod(descriptor_, kReadableByAll) != 0 || ::fsync(descriptor_) != 0 ||
      ::rename(name_.c_str(), target_.c_str()) != 0) {
    return false;
  }
  ::close(descriptor_);
  descriptor_ = -1;
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (directory < 0) {
    return false;
  }
  const bool flushed = ::fsync(directory) == 0;
  ::close(directory);
  return flushed;
}

Result<void> AtomicFile::keep() {
  if (error_ == 0 && !rename_flushed()) {
    error_ = errno;
  }
  if (error_ != 0) {
    return fail("{}: cannot be written: {}", target_.string(),
                std::generic_category().message(error_));
  }
  return {};
}

}  // namespace interpscale::data
