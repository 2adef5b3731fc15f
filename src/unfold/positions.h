#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace taugrad {

/// A position on some indices, one number each. Unfolding makes many: up to four stay inside.
class Positions {
 public:
  Positions() = default;
  Positions(std::size_t count, std::int32_t number) { assign(count, number); }
  Positions(std::initializer_list<std::int32_t> numbers) {
    take(std::span(numbers.begin(), numbers.size()));
  }
  Positions(std::span<const std::int32_t> numbers) { take(numbers); }
  Positions(const std::vector<std::int32_t>& numbers) { take(numbers); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::int32_t* data() { return size_ <= few_.size() ? few_.data() : many_.data(); }
  const std::int32_t* data() const { return size_ <= few_.size() ? few_.data() : many_.data(); }
  std::int32_t* begin() { return data(); }
  std::int32_t* end() { return data() + size_; }
  const std::int32_t* begin() const { return data(); }
  const std::int32_t* end() const { return data() + size_; }
  std::int32_t& operator[](std::size_t i) { return data()[i]; }
  std::int32_t operator[](std::size_t i) const { return data()[i]; }
  std::int32_t& back() { return data()[size_ - 1]; }

  std::vector<std::int32_t> vector() const { return {begin(), end()}; }
  void clear() { size_ = 0; }
  void push_back(std::int32_t number) {
    if (size_ == few_.size()) many_.assign(few_.begin(), few_.end());
    if (size_ >= few_.size()) {
      many_.resize(size_);
      many_.push_back(number);
    } else {
      few_[size_] = number;
    }
    ++size_;
  }
  void pop_back() {
    if (size_-- == few_.size() + 1) std::copy_n(many_.begin(), few_.size(), few_.begin());
  }
  void assign(std::size_t count, std::int32_t number) {
    clear();
    for (std::size_t i = 0; i < count; ++i) push_back(number);
  }
  bool operator==(const Positions& other) const { return std::ranges::equal(*this, other); }
  bool operator<(const Positions& other) const {
    return std::ranges::lexicographical_compare(*this, other);
  }

 private:
  void take(std::span<const std::int32_t> numbers) {
    size_ = numbers.size();
    if (size_ > few_.size())
      many_.assign(numbers.begin(), numbers.end());
    else
      std::ranges::copy(numbers, few_.begin());
  }
  std::array<std::int32_t, 4> few_ = {};
  std::vector<std::int32_t> many_;
  std::size_t size_ = 0;
};

}  // namespace taugrad
