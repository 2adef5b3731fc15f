#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "plan/stretches.h"
#include "taugrad/base/column.h"

namespace taugrad::plan {

/// Records of a plan, one after another: written down, or told by a law, as those of long sequences
/// are. Only what is written down can be changed; both are read as values.
template <class T>
class Series {
 public:
  using value_type = T;
  /// Makes a record of its row. @param kinds  what rows name by number
  using Read = void (*)(const std::int64_t* row, T& record, const void* kinds);
  static constexpr std::size_t kWidest = 24;  ///< numbers of a row

  Series() = default;
  Series(Stretches rows, Read read, std::shared_ptr<const void> kinds)
      : told_(std::make_shared<const Told>(std::move(rows), read, std::move(kinds))) {}

  std::size_t size() const { return told_ ? told_->rows.rows() : rows_.size(); }
  bool empty() const { return size() == 0; }
  T operator[](std::size_t i) const {
    T record = told_ ? told_->at(i) : rows_[i];
    if constexpr (requires { record.number; }) record.number = static_cast<std::uint32_t>(i);
    return record;
  }
  /// The law; null: written down.
  const Stretches* law() const { return told_ ? &told_->rows : nullptr; }
  /// Records [first, first + count): those that are written down, or `buffer`, which they are
  /// written to.
  std::span<const T> part(std::size_t first, std::size_t count, std::vector<T>& buffer) const {
    if (!told_) return std::span(rows_).subspan(first, count);
    buffer.resize(count);
    for (std::size_t i = 0; i < count; ++i) buffer[i] = told_->at(first + i);
    return buffer;
  }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using reference = T;
    using pointer = void;
    Iterator() = default;
    Iterator(const Series* series, std::size_t i) : series_(series), i_(i) {}
    T operator*() const { return (*series_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    Iterator operator++(int) { return {series_, i_++}; }
    bool operator==(const Iterator& other) const { return i_ == other.i_; }

   private:
    const Series* series_ = nullptr;
    std::size_t i_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  // of what is written down
  T& operator[](std::size_t i) { return written()[i]; }
  T* begin() { return written().data(); }
  T* end() { return written().data() + rows_.size(); }
  T& back() { return written().back(); }
  void push_back(const T& record) { written().push_back(record); }
  void pop_back() { written().pop_back(); }
  void resize(std::size_t size) { written().resize(size); }
  void clear() { *this = {}; }

 private:
  struct Told {
    Told(Stretches r, Read f, std::shared_ptr<const void> k)
        : rows(std::move(r)), read(f), kinds(std::move(k)) {}
    Stretches rows;
    Read read;
    std::shared_ptr<const void> kinds;
    mutable std::atomic<std::size_t> last = 0;  ///< piece that was read; the next is near it
    T at(std::size_t i) const {
      std::array<std::int64_t, kWidest> row;
      const std::size_t near = last.load(std::memory_order_relaxed);
      const Stretches::Place place = rows.find(i, near);
      const auto piece = static_cast<std::size_t>(place.piece - rows.pieces().data());
      if (piece != near) last.store(piece, std::memory_order_relaxed);
      rows.read(place, row.data());
      T record{};
      read(row.data(), record, kinds.get());
      return record;
    }
  };
  Column<T>& written() {
    if (told_) fail(Status::bug, "B001", "records that are told by a law do not change");
    return rows_;
  }

  Column<T> rows_;
  std::shared_ptr<const Told> told_;
};

}  // namespace taugrad::plan
