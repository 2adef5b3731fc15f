#include "plan/family/law.h"

#include <algorithm>

namespace taugrad::plan {
namespace {

constexpr std::size_t kFewestAgain = 4;  ///< times of what counts as coming again

using Rows = std::array<std::size_t, 3>;  ///< a row of each sample, or numbers of rows

/// `length` rows that come so often in the samples.
struct Stretch {
  std::size_t length = 1;
  Rows count = {1, 1, 1};
};

/// How often `length` rows from `first` on come, each time moved on by fixed amounts.
std::size_t times(const Table& table, std::size_t first, std::size_t length) {
  const std::size_t w = table.width;
  std::size_t end = first + 2 * length;
  if (end > table.rows()) return 1;
  for (; end < table.rows(); ++end) {
    const std::int64_t *c = table.row(end), *b = c - length * w, *a = b - length * w;
    for (std::size_t i = 0; i < w; ++i)
      if (c[i] - b[i] != b[i] - a[i]) return (end - first) / length;
  }
  return (end - first) / length;
}

/// Whether rows move on alike in all samples.
bool same_steps(const std::array<Table, 3>& samples, const Rows& row, std::size_t length) {
  const std::size_t size = length * samples[0].width;
  const std::int64_t* a = samples[0].row(row[0]);
  for (const std::size_t s : {1, 2}) {
    const std::int64_t* b = samples[s].row(row[s]);
    for (std::size_t i = 0; i < size; ++i)
      if (b[size + i] - b[i] != a[size + i] - a[i]) return false;
  }
  return true;
}

/// The stretch from `row` on that covers most, among those that come as many times more from one
/// sample to the next. What is as long as the sequence itself is none: it is longer in the next.
Stretch stretch_at(const std::array<Table, 3>& samples, const Rows& row, std::size_t longest) {
  Stretch best;
  for (std::size_t length = 1; length <= longest; ++length) {
    if (row[0] + kFewestAgain * length > samples[0].rows()) break;
    Stretch found{length, {}};
    Rows& n = found.count;
    for (std::size_t s = 0; s < 3; ++s) {
      n[s] = times(samples[s], row[s], length);
      if (n[s] < kFewestAgain) break;
    }
    if (*std::ranges::min_element(n) < kFewestAgain || n[1] < n[0] || n[2] - n[1] != n[1] - n[0])
      continue;
    if (n[2] * length > best.count[2] * best.length && same_steps(samples, row, length))
      best = found;
  }
  return best;
}

}  // namespace

std::optional<Law> Law::of(const std::array<Table, 3>& samples) {
  const std::size_t rows = samples[0].rows();
  if (samples[1].rows() < rows || samples[2].rows() - samples[1].rows() != samples[1].rows() - rows)
    return std::nullopt;
  Law law;
  law.width_ = samples[0].width;
  Rows row{};
  while (row[0] < rows) {
    const Stretch s = stretch_at(samples, row, samples[1].rows() - rows);
    if (row[1] >= samples[1].rows() || row[2] >= samples[2].rows() ||
        !law.add(samples, row, s.length, s.count))
      return std::nullopt;
    for (std::size_t i = 0; i < 3; ++i) row[i] += s.length * s.count[i];
  }
  const bool all = row[1] == samples[1].rows() && row[2] == samples[2].rows();
  return all ? std::optional(std::move(law)) : std::nullopt;
}

/// A piece; single rows side by side are one. Whether it moves on evenly from sample to sample.
bool Law::add(const std::array<Table, 3>& samples, const std::array<std::size_t, 3>& row,
              std::size_t length, const std::array<std::size_t, 3>& count) {
  const std::size_t size = length * width_;
  const std::int64_t *a = samples[0].row(row[0]), *b = samples[1].row(row[1]),
                     *c = samples[2].row(row[2]);
  const bool once = count[0] == 1;
  if (!once || pieces_.empty() || pieces_.back().count != 1 || pieces_.back().growth != 0)
    pieces_.push_back({static_cast<std::int64_t>(count[0]),
                       static_cast<std::int64_t>(count[1] - count[0]),
                       {},
                       {},
                       {}});
  Piece& piece = pieces_.back();
  for (std::size_t i = 0; i < size; ++i) {
    if (c[i] - b[i] != b[i] - a[i]) return false;
    piece.first.push_back(a[i]);
    piece.change.push_back(b[i] - a[i]);
    piece.step.push_back(once ? 0 : a[size + i] - a[i]);
  }
  return true;
}

std::size_t Law::rows(std::int64_t sample) const {
  std::size_t rows = 0;
  for (const Piece& piece : pieces_)
    rows +=
        static_cast<std::size_t>(piece.count + sample * piece.growth) * piece.first.size() / width_;
  return rows;
}

Stretches Law::stretches(std::int64_t sample) const {
  Stretches stretches(width_);
  std::vector<std::int64_t> first;
  for (const Piece& piece : pieces_) {
    first = piece.first;
    for (std::size_t i = 0; i < first.size(); ++i) first[i] += sample * piece.change[i];
    stretches.add(static_cast<std::size_t>(piece.count + sample * piece.growth), first, piece.step);
  }
  return stretches;
}

}  // namespace taugrad::plan
