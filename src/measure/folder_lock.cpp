// flock(2) on FOLDER/.lock. The lock belongs to the open file, which children inherit on purpose:
// while a child of a killed run is still writing, nobody else may.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "interpscale/measure/child.hpp"

namespace interpscale::measure {
namespace {

/// The process id that the holder left in the file; "another process" if there is none.
std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t got = pread(descriptor, text.data(), text.size() - 1, 0);
  return got > 0 ? "process " + std::string(text.data(), static_cast<std::size_t>(got))
                 : "another process";
}

/// For the message above only; that it could not be written does not matter.
void leave_process_id(int descriptor) {
  const std::string id = std::to_string(getpid());
  if (ftruncate(descriptor, 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(descriptor, id.data(), id.size(), 0);
  }
}

}  // namespace

FolderLock::FolderLock(int descriptor) : descriptor_(descriptor) {}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FolderLock::~FolderLock() {
  // Closed, not unlocked: LOCK_UN would also take the lock from the children that inherited it.
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<FolderLock> FolderLock::acquire(const std::filesystem::path& folder, double seconds) {
  constexpr mode_t kReadableByAll = 0644;
  constexpr std::chrono::milliseconds kInterval{20};
  const std::filesystem::path path = folder / ".lock";
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT, kReadableByAll);  // no O_CLOEXEC: see above
  if (descriptor < 0) {
    return fail("{}: cannot open the lock: {}", path.string(), std::strerror(errno));
  }
  FolderLock lock(descriptor);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    if (error_number != EWOULDBLOCK && error_number != EINTR) {
      return fail("{}: cannot lock: {}", path.string(), std::strerror(error_number));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail("{}: in use by {} (or a child of it that is still running); wait for it to end",
                  folder.string(), holder(descriptor));
    }
    std::this_thread::sleep_for(kInterval);
  }
  leave_process_id(descriptor);
  return lock;
}

}  // namespace interpscale::measure
