// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/peer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

constexpr std::size_t kKeptBytes = 4096;

/// The child's side of fork: never returns. Async-signal-safe functions only.
[[noreturn]] void become(char* const* arguments, pid_t parent, const std::array<int, 3>& streams,
                         int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (core >= 0) {
    CPU_SET(static_cast<unsigned>(core), &cores);
    sched_setaffinity(0, sizeof cores, &cores);  // where it is not allowed, any core will do
  }
  const bool tied = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  if (tied && getppid() == parent && dup2(streams[0], STDIN_FILENO) >= 0 &&
      dup2(streams[1], STDOUT_FILENO) >= 0 && dup2(streams[2], STDERR_FILENO) >= 0) {
    execvp(arguments[0], arguments);
  }
  constexpr int kCannotRun = 127;
  _exit(kCannotRun);
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

struct Peer::State {
  std::string program;
  PeerOptions options;
  Descriptor input;   // ours to write
  Descriptor output;  // ours to read
  Descriptor error;
  Process process;
  std::string pending;  // read, not yet handed over
  std::string said;     // the end of its standard error

  /// Reads what there is of one stream; false once it is closed.
  static bool drain(int descriptor, std::string& text) {
    std::array<char, 4096> block{};
    const ssize_t got = read(descriptor, block.data(), block.size());
    if (got > 0) {
      text.append(block.data(), static_cast<std::size_t>(got));
    }
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
  }

  /// Waits up to the bound for the end; its status.
  std::optional<int> wait_for_end(double seconds) {
    const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
    for (;;) {
      if (const std::optional<int> status = process.poll_status()) {
        return status;
      }
      if (Clock::now() > deadline) {
        return std::nullopt;
      }
      poll(nullptr, 0, 1);
    }
  }

  Error ending() {
    constexpr double kGraceSeconds = 5;
    const std::optional<int> status = wait_for_end(kGraceSeconds);
    while (drain(error.get(), said) && said.size() < kKeptBytes) {
      pollfd entry{.fd = error.get(), .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, 0) <= 0) {
        break;
      }
    }
    const std::string how = !status ? "closed its output"
                            : WIFEXITED(*status)
                                ? fmt::format("ended with status {}", WEXITSTATUS(*status))
                                : fmt::format("was killed by signal {}", WTERMSIG(*status));
    return {fmt::format("{} {}{}{}", program, how, said.empty() ? "" : ": ", last_line(said))};
  }
};

Peer::Peer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Peer::Peer(Peer&& other) noexcept = default;
Peer& Peer::operator=(Peer&& other) noexcept = default;
Peer::~Peer() = default;

Result<Peer> Peer::start(const std::vector<std::string>& arguments, const PeerOptions& options) {
  require(!arguments.empty(), "a child needs a program to run");
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  for (std::string& argument : copies) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  Result<Pipe> input = make_pipe();
  Result<Pipe> output = make_pipe();
  Result<Pipe> error = make_pipe();
  for (const auto* pipe : {&input, &output, &error}) {
    if (!*pipe) {
      return tl::unexpected(pipe->error());
    }
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    become(pointers.data(), parent,
           {input->read_end.get(), output->write_end.get(), error->write_end.get()}, options.core);
  }
  if (child < 0) {
    return fail("cannot start {}: {}", arguments[0], std::strerror(errno));
  }
  for (const int descriptor : {output->read_end.get(), error->read_end.get()}) {
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
  }
  return Peer(std::unique_ptr<State>(new State{arguments[0],
                                               options,
                                               std::move(input->write_end),
                                               std::move(output->read_end),
                                               std::move(error->read_end),
                                               Process(child),
                                               {},
                                               {}}));
}

Result<std::string> Peer::receive() {
  const auto deadline =
      Clock::now() + std::chrono::duration<double>(state_->options.answer_seconds);
  for (;;) {
    if (const std::size_t end = state_->pending.find('\n'); end != std::string::npos) {
      std::string line = state_->pending.substr(0, end);
      state_->pending.erase(0, end + 1);
      return line;
    }
    std::array<pollfd, 2> entries{{{.fd = state_->output.get(), .events = POLLIN, .revents = 0},
                                   {.fd = state_->error.get(), .events = POLLIN, .revents = 0}}};
    constexpr int kPollMilliseconds = 1000;
    poll(entries.data(), entries.size(), kPollMilliseconds);
    if (entries[1].revents != 0) {
      State::drain(state_->error.get(), state_->said);
      state_->said.erase(0, state_->said.size() - std::min(state_->said.size(), kKeptBytes));
    }
    if (entries[0].revents != 0 && !State::drain(state_->output.get(), state_->pending)) {
      return tl::unexpected(state_->ending());
    }
    if (Clock::now() > deadline) {
      return fail("{} did not answer within {:g} s", state_->program,
                  state_->options.answer_seconds);
    }
  }
}

Result<std::string> Peer::ask(const std::string& line) {
  const std::string text = line + '\n';
  // A peer that is gone must be an error here, not a SIGPIPE that ends the asker.
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  const ssize_t written = write(state_->input.get(), text.data(), text.size());
  sigaction(SIGPIPE, &before, nullptr);
  if (written != static_cast<ssize_t>(text.size())) {
    return tl::unexpected(state_->ending());
  }
  return receive();
}

Result<void> Peer::finish() {
  state_->input.reset();
  const std::optional<int> status = state_->wait_for_end(state_->options.answer_seconds);
  if (!status) {
    return fail("{} did not end when its input did", state_->program);
  }
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0) {
    State::drain(state_->error.get(), state_->said);
    return fail("{} ended badly: {}", state_->program, last_line(state_->said));
  }
  return {};
}

}  // namespace interpscale::measure
