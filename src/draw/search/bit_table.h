#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace taugrad::draw {

/// Yes or no for each of some numbers, 64 to a word.
using BitRow = std::vector<std::uint64_t>;

inline constexpr std::size_t kWord = 64;
inline std::size_t words_of(std::size_t count) { return (count + kWord - 1) / kWord; }

inline void set_bit(BitRow& row, std::size_t i) { row[i / kWord] |= std::uint64_t{1} << i % kWord; }

// without a call: the oldest processors have no instruction for it
inline int count_bits(std::uint64_t word) {
  word -= word >> 1 & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<int>(word * 0x0101010101010101u >> 56);
}
inline int count_bits(const BitRow& row) {
  int count = 0;
  for (const std::uint64_t word : row) count += count_bits(word);
  return count;
}
/// Those of a row that are not of another.
inline int count_bits(const BitRow& row, const BitRow& but) {
  int count = 0;
  for (std::size_t w = 0; w < row.size(); ++w) count += count_bits(row[w] & ~but[w]);
  return count;
}

/// Yes or no for pairs.
class BitTable {
 public:
  BitTable(std::size_t rows, std::size_t columns) : rows_(rows, BitRow(words_of(columns), 0)) {}

  const BitRow& operator[](std::size_t row) const { return rows_[row]; }
  /// Another row; `other`, the table of the same pairs the other way around, follows.
  void replace(std::size_t row, const BitRow& with, BitTable& other) {
    for (std::size_t w = 0; w < with.size(); ++w)
      for (auto changed = rows_[row][w] ^ with[w]; changed != 0; changed &= changed - 1) {
        const auto column = w * kWord + static_cast<std::size_t>(std::countr_zero(changed));
        other.rows_[column][row / kWord] ^= std::uint64_t{1} << row % kWord;
      }
    rows_[row] = with;
  }

 private:
  std::vector<BitRow> rows_;
};

}  // namespace taugrad::draw
