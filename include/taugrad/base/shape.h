#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <type_traits>

namespace taugrad {

inline constexpr int kMaxRank = 4;                       ///< of one example
inline constexpr std::int64_t kMaxDim = 2147483647;      ///< one axis
inline constexpr std::int64_t kMaxElements = 1LL << 40;  ///< one tensor

/// Axis sizes of one example: rank 0 (a number) to 4. Axes may be empty (size 0).
class Shape {
 public:
  Shape() = default;
  /// @throws Error (G021) for rank > 4, a negative or too large axis, or more than 2^40 elements
  Shape(std::initializer_list<std::int64_t> dims);
  explicit Shape(std::span<const std::int64_t> dims);
  /// Of a vector: 3 is {3}.
  template <std::integral T>
  requires(!std::is_same_v<T, bool>) Shape(T size)
      : Shape({static_cast<std::int64_t>(size)}) {}  // NOLINT: written as it is

  int rank() const { return rank_; }
  /// @throws Error (U022) for an axis that there is not
  std::int64_t operator[](int axis) const {
    if (static_cast<unsigned>(axis) >= static_cast<unsigned>(rank_)) [[unlikely]]
      refuse_axis(axis);
    return dims_[static_cast<std::size_t>(axis)];
  }
  std::span<const std::int64_t> dims() const {
    return {dims_.data(), static_cast<std::size_t>(rank_)};
  }
  std::int64_t size() const;  ///< number of elements; 1 for rank 0
  bool is_scalar() const { return rank_ == 0; }
  bool operator==(const Shape& other) const {
    std::int64_t differ = rank_ ^ other.rank_;
    for (std::size_t i = 0; i < dims_.size(); ++i) differ |= dims_[i] ^ other.dims_[i];
    return differ == 0;
  }

 private:
  [[noreturn]] void refuse_axis(int axis) const;
  std::array<std::int64_t, kMaxRank> dims_{};  // unused axes stay 0, so == compares all
  int rank_ = 0;
};

/// "[3,4]", "[]".
std::string to_string(const Shape& s);
std::ostream& operator<<(std::ostream& out, const Shape& s);

/// NumPy's broadcasting of two shapes. @throws Error (G020) where they do not broadcast
Shape broadcast(const Shape& a, const Shape& b);

}  // namespace taugrad
