// SPDX-License-Identifier: Apache-2.0
#include "regression/sequence.hpp"

#include <algorithm>

namespace interpscale::regression {
namespace {

constexpr std::size_t kFirstLook = 8;

}  // namespace

Sequence::Sequence(std::size_t cells, double margin)
    : margin_(margin),
      rounds_(cells),
      open_(cells, true),
      judgements_(cells),
      next_look_(kFirstLook),
      next_share_(kFamilyLevel / 4),
      left_(kFamilyLevel) {}

std::size_t Sequence::open_cells() const {
  return static_cast<std::size_t>(std::count(open_.begin(), open_.end(), true));
}

void Sequence::end_round(std::size_t rounds) {
  if (rounds < next_look_) {
    return;
  }
  look(next_share_);
  left_ -= next_share_;
  next_share_ /= 2;
  next_look_ += next_look_ / 2;
}

void Sequence::conclude() {
  look(left_);
}

void Sequence::look(double alpha) {
  std::vector<std::size_t> cells;
  std::vector<LogRatio> ratios;
  for (std::size_t cell = 0; cell < rounds_.size(); ++cell) {
    if (open_[cell]) {
      cells.push_back(cell);
      ratios.push_back(ratio(cell));
    }
  }
  const std::vector<Judgement> judgements = judge(ratios, margin_, alpha);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    judgements_[cells[i]] = judgements[i];
    open_[cells[i]] = judgements[i].verdict == Verdict::kInconclusive;
  }
}

}  // namespace interpscale::regression
