#include "plan/stretches.h"

#include <algorithm>
#include <cstdlib>

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

std::size_t Stretches::even_times(std::size_t a, std::int64_t apart) const {
  if (apart == 0) return rows();
  const Place place = find(a);
  const auto length = static_cast<std::int64_t>(place.piece->length);
  if (apart % length != 0) return 1;
  const std::size_t left = apart > 0 ? place.piece->count - 1 - place.time : place.time;
  return left / static_cast<std::size_t>(std::abs(apart / length)) + 1;
}

}  // namespace taugrad::plan
