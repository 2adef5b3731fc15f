#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taugrad {

/// A rational number of any size: the scalar in which a graph is evaluated without rounding.
/// Zero takes no memory of its own, and a product with zero no time.
class Rational {
 public:
  Rational() noexcept;
  Rational(int value) : Rational(static_cast<std::int64_t>(value)) {}  // NOLINT: 0, 1
  Rational(std::int64_t value);                                        // NOLINT
  /// The exact value of a double. @throws Error (N002) where it is not finite
  explicit Rational(double value);
  Rational(const Rational& other);
  Rational(Rational&& other) noexcept;
  Rational& operator=(const Rational& other);
  Rational& operator=(Rational&& other) noexcept;
  ~Rational();

  /// "3/4", "-2", "0.25", "1e-3", "0.5/3"; empty where the text is none of these, or the
  /// denominator is 0.
  static std::optional<Rational> parse(std::string_view text);

  Rational& operator+=(const Rational& b);
  Rational& operator-=(const Rational& b);
  Rational& operator*=(const Rational& b);
  Rational& operator/=(const Rational& b);  ///< @throws Error (N002) for a division by 0
  Rational operator-() const;
  friend Rational operator+(Rational a, const Rational& b) { return std::move(a += b); }
  friend Rational operator-(Rational a, const Rational& b) { return std::move(a -= b); }
  friend Rational operator*(Rational a, const Rational& b) { return std::move(a *= b); }
  friend Rational operator/(Rational a, const Rational& b) { return std::move(a /= b); }
  friend bool operator==(const Rational& a, const Rational& b) { return a.compare(b) == 0; }
  friend std::strong_ordering operator<=>(const Rational& a, const Rational& b) {
    return a.compare(b) <=> 0;
  }

  bool is_zero() const { return !number_; }
  Rational floor() const;
  std::string to_string() const;  ///< "3/4" in lowest terms, "2"
  double to_double() const;       ///< the nearest double, ties to even
  /// The binary digits behind the point of a number in [0, 1), "11" for 3/4, and back. Empty where
  /// the number is outside, or its denominator no power of two. Linear in the digits.
  std::optional<std::string> binary_fraction() const;
  static Rational of_binary_fraction(const std::string& digits);

 private:
  struct Number;
  Number& own();  // the number itself, made where it was zero
  void settle();  // zero again where the result is
  int compare(const Rational& b) const;
  std::unique_ptr<Number> number_;  // null: zero
};

}  // namespace taugrad
