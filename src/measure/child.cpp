// fork and exec rather than posix_spawn, which cannot set PR_SET_PDEATHSIG. Between the two calls
// the child uses async-signal-safe functions only: the parent may have threads.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "interpscale/core/require.hpp"
#include "measure/process.hpp"

namespace interpscale::measure {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKeptLines = 20;
constexpr std::size_t kKeptBytes = std::size_t{16} << 10;
constexpr std::chrono::milliseconds kWaitingInterval{100};

/// The child's side of fork: never returns. `failure` reports the error number of a failed exec.
[[noreturn]] void become(char* const* arguments, pid_t parent, int standard_error, int failure) {
  const bool tied = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  // A parent that died before the call above sends no signal any more.
  if (tied && getppid() == parent && dup2(standard_error, STDERR_FILENO) >= 0) {
    execvp(arguments[0], arguments);
  }
  const int error_number = errno;
  const ssize_t told = write(failure, &error_number, sizeof error_number);
  _exit(told == sizeof error_number ? 127 : 126);
}

/// Reads what there is; false once the other end is closed.
bool drain(int descriptor, std::string& text) {
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t got = read(descriptor, block.data(), block.size());
    if (got > 0) {
      text.append(block.data(), static_cast<std::size_t>(got));
      if (text.size() > 2 * kKeptBytes) {
        text.erase(0, text.size() - kKeptBytes);
      }
    } else if (got == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

std::string last_lines(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  std::size_t begin = text.size();
  for (std::size_t lines = 0; lines < kKeptLines && begin != std::string::npos && begin > 0;
       ++lines) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

/// Waits for the child, collecting what it writes, calling `while_waiting` at intervals.
ChildExit wait_for(Process& process, int standard_error,
                   const std::function<void()>& while_waiting) {
  constexpr int kPollMilliseconds = 20;
  std::string text;
  bool is_open = true;
  Clock::time_point last_call = Clock::now();
  for (;;) {
    pollfd entry{.fd = standard_error, .events = POLLIN, .revents = 0};
    // Once the pipe is closed the child is about to be reaped: look again soon.
    poll(&entry, is_open ? 1 : 0, is_open ? kPollMilliseconds : 1);
    is_open = is_open && drain(standard_error, text);
    if (const std::optional<int> status = process.poll_status()) {
      drain(standard_error, text);
      ChildExit result;
      result.exited = WIFEXITED(*status);
      result.status = result.exited ? WEXITSTATUS(*status) : 0;
      result.signal = WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
      result.last_error = last_lines(std::move(text));
      return result;
    }
    if (while_waiting && Clock::now() - last_call >= kWaitingInterval) {
      while_waiting();
      last_call = Clock::now();
    }
  }
}

}  // namespace

Result<ChildExit> run_child(const std::vector<std::string>& arguments,
                            const std::function<void()>& while_waiting) {
  require(!arguments.empty(), "a child needs a program to run");
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  for (std::string& argument : copies) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  Result<Pipe> standard_error = make_pipe();
  Result<Pipe> failure = make_pipe();
  if (!standard_error || !failure) {
    return tl::unexpected(standard_error ? failure.error() : standard_error.error());
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    become(pointers.data(), parent, standard_error->write_end.get(), failure->write_end.get());
  }
  if (child < 0) {
    return fail("cannot start {}: {}", arguments[0], std::strerror(errno));
  }
  Process process(child);
  standard_error->write_end.reset();
  failure->write_end.reset();
  int error_number = 0;
  ssize_t got = -1;
  do {  // until exec closes the pipe, or its failure is told
    got = read(failure->read_end.get(), &error_number, sizeof error_number);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    return fail("cannot run {}: {}", arguments[0], std::strerror(error_number));
  }
  if (fcntl(standard_error->read_end.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail("cannot listen to {}: {}", arguments[0], std::strerror(errno));
  }
  return wait_for(process, standard_error->read_end.get(), while_waiting);
}

}  // namespace interpscale::measure
