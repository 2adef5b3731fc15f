#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace taugrad::plan {

/// Rows of whole numbers that are not written down: pieces one after another, each a few rows that
/// come again and again, their numbers moved on by fixed amounts.
class Stretches {
 public:
  struct Piece {
    std::size_t begin;     ///< its first row
    std::uint32_t length;  ///< rows that come again
    std::size_t count;     ///< how often
    std::size_t cell;      ///< of the first row, where its numbers stand
    std::size_t end() const { return begin + length * count; }
  };
  /// Where a row stands: row `row` of the piece, the `time`-th time.
  struct Place {
    const Piece* piece;
    std::size_t time, row;
    /// Whether another comes from the same row, and so differs by its time alone.
    bool alike(const Place& other) const { return piece == other.piece && row == other.row; }
  };

  explicit Stretches(std::size_t width = 1) : width_(width) {}
  /// @param first  the rows as they come first  @param step  by what they move on each time
  void add(std::size_t count, std::span<const std::int64_t> first,
           std::span<const std::int64_t> step);

  std::size_t width() const { return width_; }
  std::size_t rows() const { return pieces_.empty() ? 0 : pieces_.back().end(); }
  std::span<const Piece> pieces() const { return pieces_; }
  /// @param near  the piece where it is sought first
  Place find(std::size_t row, std::size_t near = 0) const;
  /// Writes the numbers of a row.
  void read(const Place& place, std::int64_t* to) const {
    const std::int64_t* const first = first_.data() + place.piece->cell + place.row * width_;
    const std::int64_t* const step = step_.data() + place.piece->cell + place.row * width_;
    const auto time = static_cast<std::int64_t>(place.time);
    for (std::size_t i = 0; i < width_; ++i) to[i] = first[i] + time * step[i];
  }
  /// How many of the rows `a`, `a + apart`, and so on move on by fixed amounts: those of `a`'s
  /// piece.
  std::size_t even_times(std::size_t a, std::int64_t apart) const;

 private:
  std::size_t width_;
  std::vector<Piece> pieces_;
  std::vector<std::int64_t> first_, step_;
};

}  // namespace taugrad::plan
