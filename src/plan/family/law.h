#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "plan/stretches.h"

namespace taugrad::plan {

/// Rows of whole numbers.
struct Table {
  explicit Table(std::size_t w = 1) : width(w) {}
  std::size_t width;
  std::vector<std::int64_t> cells;

  std::size_t rows() const { return cells.size() / width; }
  const std::int64_t* row(std::size_t i) const { return cells.data() + i * width; }
};

/// How a table grows from one sample to the next: it consists of pieces, each a stretch of rows
/// that comes again and again, its numbers moved on by fixed amounts. From sample to sample a piece
/// comes again as many times more, and its first numbers move on by fixed amounts.
class Law {
 public:
  /// The law of which the tables are samples 0, 1 and 2; none: they do not grow by one.
  static std::optional<Law> of(const std::array<Table, 3>& samples);

  std::size_t width() const { return width_; }
  /// Rows of a sample.
  std::size_t rows(std::int64_t sample) const;
  /// Those rows without writing them down.
  Stretches stretches(std::int64_t sample) const;
  /// Calls body(const std::int64_t* row) for each of them.
  template <class Body>
  void each_row(std::int64_t sample, const Body& body) const {
    std::vector<std::int64_t> cells, last;
    for (const Piece& piece : pieces_) {
      cells = piece.first;
      for (std::size_t i = 0; i < cells.size(); ++i) cells[i] += sample * piece.change[i];
      const std::int64_t count = piece.count + sample * piece.growth;
      for (std::int64_t k = 0; k < count; ++k) {
        for (std::size_t i = 0; i < cells.size(); i += width_) body(cells.data() + i);
        for (std::size_t i = 0; i < cells.size(); ++i) cells[i] += piece.step[i];
      }
    }
  }

 private:
  struct Piece {
    std::int64_t count, growth;                     ///< in sample 0; from sample to sample
    std::vector<std::int64_t> first, change, step;  ///< its cells in sample 0; how they move on
                                                    ///< from sample to sample; from time to time
  };
  bool add(const std::array<Table, 3>& samples, const std::array<std::size_t, 3>& row,
           std::size_t length, const std::array<std::size_t, 3>& count);

  std::size_t width_ = 1;
  std::vector<Piece> pieces_;
};

}  // namespace taugrad::plan
