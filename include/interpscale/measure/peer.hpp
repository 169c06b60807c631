// A child process that is spoken to in lines: a request on its standard input, an answer on its
// standard output.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::measure {

struct PeerOptions {
  int core = -1;                ///< the core it is pinned to; negative: any
  double answer_seconds = 120;  ///< one that is silent for longer has failed
};

class Peer {
 public:
  /// Starts `arguments` (the first is the program). It dies with its parent, and with this object.
  [[nodiscard]] static Result<Peer> start(const std::vector<std::string>& arguments,
                                          const PeerOptions& options);
  Peer(Peer&& other) noexcept;
  Peer& operator=(Peer&& other) noexcept;
  ~Peer();

  /// The next line that it writes, without its end. An error where it ended instead (with the last
  /// lines of its standard error) or kept silent.
  [[nodiscard]] Result<std::string> receive();
  /// Sends a line and waits for the answer.
  [[nodiscard]] Result<std::string> ask(const std::string& line);
  /// Closes its input and waits for its end; an error unless it then exits with status 0.
  [[nodiscard]] Result<void> finish();

 private:
  struct State;
  explicit Peer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace interpscale::measure
