// What experiments judge claims by: the fitted figures of a study, without the study.
// `study` fills it; rules read it and nothing else, so that they can be tested at their boundaries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/scaling/observation.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/two_factor.hpp"

namespace interpscale::experiments {

/// A measured figure and its 95 % interval.
struct Figure {
  double value = 0;
  scaling::Interval interval;
};

/// The ratio of a subject's time to a training step's on the same batch, as a law in N.
struct TaxEvidence {
  Figure exponent;
  scaling::Growth growth = scaling::Growth::kUndecided;
  Figure at_reference;
  bool extrapolated = false;  ///< the reference size lies outside of the measured ones
};

/// The figures of one subject and variant; absent where they could not be fitted.
struct SubjectEvidence {
  std::string subject;
  std::string variant;  ///< "" for passes
  std::size_t cells = 0;
  std::size_t mistrusted = 0;
  double smallest_parameters = 0;
  double largest_parameters = 0;
  std::optional<Figure> against_parameters;  ///< exponent in N alone
  std::optional<Figure> against_neurons;     ///< exponent in n alone
  std::optional<Figure> joint_parameters;    ///< exponents of the law in N and n
  std::optional<Figure> joint_neurons;
  std::optional<scaling::PredictorChoice> choice;
  std::optional<TaxEvidence> tax;
  /// "zero_ablation (fast)", or the subject alone where there is no variant.
  [[nodiscard]] std::string label() const;
};

/// The size of one network of the study.
struct SizeEvidence {
  std::uint64_t inputs = 0;  ///< d
  std::uint64_t width = 0;   ///< w, of the hidden layers
  std::uint64_t depth = 0;   ///< L, hidden layers
  std::uint64_t parameters = 0;
  std::uint64_t neurons = 0;
};

struct Evidence {
  std::vector<SubjectEvidence> subjects;
  std::vector<SizeEvidence> sizes;  ///< each network once
  std::string setting;              ///< on what it was measured: data, machine, backend, threads
  std::string tax_denominator;      ///< the subject that a tax is a ratio to
  double tax_reference_parameters = 1e6;

  /// Null where the study has no such subject.
  [[nodiscard]] const SubjectEvidence* find(std::string_view subject,
                                            std::string_view variant) const;
};

}  // namespace interpscale::experiments
