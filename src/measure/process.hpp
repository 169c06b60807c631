// What the ways of running a child process share: pipes, and a process that does not outlive its
// owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <utility>

#include "interpscale/core/result.hpp"
#include "measure/descriptor.hpp"

namespace interpscale::measure {

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

/// Both ends close on exec.
[[nodiscard]] Result<Pipe> make_pipe();

/// A child that is killed and reaped unless it has been waited for.
class Process {
 public:
  explicit Process(pid_t id) : id_(id) {}
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Process();

  /// Its wait status once it has ended.
  [[nodiscard]] std::optional<int> poll_status();

 private:
  pid_t id_;
};

}  // namespace interpscale::measure
