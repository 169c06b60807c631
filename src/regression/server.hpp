// One `interpscale_bench --serve` and what it answers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "interpscale/measure/peer.hpp"
#include "interpscale/regression/alternate.hpp"
#include "interpscale/regression/compare.hpp"

namespace interpscale::regression {

/// A cell as a build offers it: its index there, and an observation without rounds.
struct Offer {
  std::size_t index = 0;
  scaling::Observation problem;
};

struct Greeting {
  Machine machine;
  std::string description;  ///< "0.1.0 1a2b3c4d (changed), Release, GNU 12.2.0"
  std::map<std::string, Offer> cells;
  std::vector<std::string> order;  ///< names as listed
};

class Server {
 public:
  /// Starts `launcher` (empty, or such as valgrind and its options) + program + --serve +
  /// arguments, and reads its greeting.
  [[nodiscard]] static Result<Server> start(const Build& build,
                                            const std::vector<std::string>& launcher,
                                            const std::vector<std::string>& arguments,
                                            const measure::PeerOptions& options);

  [[nodiscard]] const Greeting& greeting() const { return greeting_; }
  /// Iterations that last about `seconds`.
  [[nodiscard]] Result<std::uint64_t> prepare(std::size_t cell, bool verify, double seconds);
  /// Seconds of one run.
  [[nodiscard]] Result<double> time(std::uint64_t iterations);
  [[nodiscard]] Result<void> count(std::uint64_t iterations);
  [[nodiscard]] Result<void> finish() { return peer_.finish(); }

 private:
  Server(measure::Peer peer, Greeting greeting, std::string label);
  /// The answer's `field`; its "error" as an error.
  [[nodiscard]] Result<double> ask(const std::string& request, const char* field);

  measure::Peer peer_;
  Greeting greeting_;
  std::string label_;
};

/// Names that both builds have and the filter keeps, in the base's order; an error for a filter
/// that is no regular expression.
[[nodiscard]] Result<std::vector<std::string>> common_cells(const Greeting& base,
                                                            const Greeting& candidate,
                                                            const std::string& filter);
/// Whether the filter (see AlternateOptions) keeps each name.
[[nodiscard]] Result<std::vector<bool>> kept_by(const std::string& filter,
                                                const std::vector<std::string>& names);

/// Labels, machine and the cells that only one side has.
void introduce(const Greeting& base, const Greeting& candidate, const std::string& filter,
               Comparison& comparison);

}  // namespace interpscale::regression
