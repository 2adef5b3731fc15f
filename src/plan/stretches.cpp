#include "plan/stretches.h"

#include <algorithm>

namespace taugrad::plan {

void Stretches::add(std::size_t count, std::span<const std::int64_t> first,
                    std::span<const std::int64_t> step) {
  if (count == 0 || first.empty()) return;
  pieces_.push_back(
      {rows(), static_cast<std::uint32_t>(first.size() / width_), count, first_.size()});
  first_.insert(first_.end(), first.begin(), first.end());
  step_.insert(step_.end(), step.begin(), step.end());
}

Stretches::Place Stretches::find(std::size_t row, std::size_t near) const {
  const auto holds = [&](const Piece& p) { return row >= p.begin && row < p.end(); };
  const auto search = [&] {
    const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), row,
                                        [](std::size_t r, const Piece& p) { return r < p.begin; });
    return after - 1;
  };
  const Piece& piece = holds(pieces_[near]) ? pieces_[near] : *search();
  const std::size_t in = row - piece.begin;
  if (piece.count == 1) return {&piece, 0, in};
  if (piece.length == 1) return {&piece, in, 0};
  if ((in >> 32) != 0) return {&piece, in / piece.length, in % piece.length};
  const auto small = static_cast<std::uint32_t>(in);  // a quotient of 32 bits is sooner found
  return {&piece, small / piece.length, small % piece.length};
}

bool Stretches::evenly(std::size_t a, std::int64_t apart, std::size_t times) const {
  if (times < 2 || apart == 0) return true;
  const auto row = [&](std::size_t time) {
    return find(static_cast<std::size_t>(static_cast<std::int64_t>(a) +
                                         apart * static_cast<std::int64_t>(time)));
  };
  return row(0).alike(row(1)) && row(0).alike(row(times - 1));
}

}  // namespace taugrad::plan
