#include "plan/law.h"

#include <algorithm>

namespace taugrad::plan {
namespace {

constexpr std::size_t kFewestAgain = 4;  ///< times of what counts as coming again

/// `length` rows from `first` on that come `count` times.
struct Stretch {
  std::size_t first, length, count;
};

/// How many rows from `first` on come again after `length` rows, moved on by fixed amounts.
std::size_t covered(const Table& table, std::size_t first, std::size_t length) {
  const std::size_t w = table.width;
  std::size_t end = first + 2 * length;
  for (; end < table.rows(); ++end) {
    const std::int64_t *c = table.row(end), *b = c - length * w, *a = b - length * w;
    for (std::size_t i = 0; i < w; ++i)
      if (c[i] - b[i] != b[i] - a[i]) return end - first;
  }
  return end - first;
}

/// Cuts a table into stretches; none is longer than `longest` rows unless it comes once.
std::vector<Stretch> stretches(const Table& table, std::size_t longest) {
  std::vector<Stretch> list;
  for (std::size_t row = 0; row < table.rows();) {
    Stretch best{row, 1, 1};
    for (std::size_t length = 1; length <= longest; ++length) {
      if (row + kFewestAgain * length > table.rows()) break;
      const std::size_t count = covered(table, row, length) / length;
      if (count >= kFewestAgain && count * length > best.count * best.length)
        best = {row, length, count};
    }
    const bool once = best.count == 1;
    if (once && !list.empty() && list.back().count == 1)
      ++list.back().length;
    else
      list.push_back(best);
    row += best.length * best.count;
  }
  return list;
}

/// Fills d with y - x and says whether it is z - y too.
bool differences(const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& y,
                 const std::vector<std::int64_t>& z, std::vector<std::int64_t>& d) {
  d.resize(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    d[i] = y[i] - x[i];
    if (z[i] - y[i] != d[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<Law> Law::of(const std::array<Table, 3>& samples) {
  const std::size_t n = samples[0].rows();
  if (samples[1].rows() < n || samples[2].rows() - samples[1].rows() != samples[1].rows() - n)
    return std::nullopt;
  std::array<std::vector<Stretch>, 3> cut;
  for (std::size_t s = 0; s < 3; ++s) cut[s] = stretches(samples[s], samples[1].rows() - n);
  if (cut[1].size() != cut[0].size() || cut[2].size() != cut[0].size()) return std::nullopt;
  Law law;
  law.width_ = samples[0].width;
  for (std::size_t p = 0; p < cut[0].size(); ++p) {
    const auto [a, b, c] = std::array{cut[0][p], cut[1][p], cut[2][p]};
    const std::size_t growth = b.count - a.count;
    if (b.length != a.length || c.length != a.length || b.count < a.count ||
        c.count - b.count != growth || (a.count == 1) != (c.count == 1))
      return std::nullopt;
    std::array<std::vector<std::int64_t>, 3> first, step;
    for (std::size_t s = 0; s < 3; ++s) {
      const std::int64_t* cells = samples[s].row(cut[s][p].first);
      const std::size_t size = a.length * law.width_;
      first[s].assign(cells, cells + size);
      step[s].assign(size, 0);
      if (a.count > 1)
        for (std::size_t i = 0; i < size; ++i) step[s][i] = cells[size + i] - cells[i];
    }
    if (step[1] != step[0] || step[2] != step[0]) return std::nullopt;
    Piece piece{static_cast<std::int64_t>(a.count),
                static_cast<std::int64_t>(growth),
                std::move(first[0]),
                {},
                std::move(step[0])};
    if (!differences(piece.first, first[1], first[2], piece.change)) return std::nullopt;
    law.pieces_.push_back(std::move(piece));
  }
  return law;
}

std::size_t Law::rows(std::int64_t sample) const {
  std::size_t rows = 0;
  for (const Piece& piece : pieces_)
    rows +=
        static_cast<std::size_t>(piece.count + sample * piece.growth) * piece.first.size() / width_;
  return rows;
}

}  // namespace taugrad::plan
