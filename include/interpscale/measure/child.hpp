// Fresh child processes: a round is one, so that layout and pages are drawn anew.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::measure {

struct ChildExit {
  bool exited = false;  ///< with a status; otherwise killed by a signal
  int status = 0;
  int signal = 0;
  std::string last_error;  ///< the last lines that it wrote to standard error
};

/// Runs `arguments` (the first is the program), calls `while_waiting` every ~100 ms, and returns
/// when it ends. The child dies with its parent (PR_SET_PDEATHSIG), whatever kills that.
[[nodiscard]] Result<ChildExit> run_child(const std::vector<std::string>& arguments,
                                          const std::function<void()>& while_waiting);

/// An exclusive lock on a folder, held until destruction (and, across a kill, until the last child
/// that inherited it is gone). Waits up to `seconds` for a holder that is just dying.
class FolderLock {
 public:
  [[nodiscard]] static Result<FolderLock> acquire(const std::filesystem::path& folder,
                                                  double seconds);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor);
  int descriptor_ = -1;
};

}  // namespace interpscale::measure
