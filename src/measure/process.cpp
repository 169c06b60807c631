// SPDX-License-Identifier: Apache-2.0
#include "measure/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace interpscale::measure {

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail("cannot make a pipe: {}", std::strerror(errno));
  }
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Process::~Process() {
  if (id_ > 0) {
    kill(id_, SIGKILL);
    while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

std::optional<int> Process::poll_status() {
  int status = 0;
  if (waitpid(id_, &status, WNOHANG) != id_) {
    return std::nullopt;
  }
  id_ = -1;
  return status;
}

}  // namespace interpscale::measure
