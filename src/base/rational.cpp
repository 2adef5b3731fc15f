#include "taugrad/base/rational.h"

#include <gmp.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/fail.h"

namespace taugrad {

struct Rational::Number {
  Number() { mpq_init(value); }
  Number(const Number& other) : Number() { mpq_set(value, other.value); }
  Number& operator=(const Number& other) {
    mpq_set(value, other.value);
    return *this;
  }
  ~Number() { mpq_clear(value); }
  mpq_t value;
};

namespace {

constexpr int kMostExponent = 100'000;  // of 10: a short text must not ask for gigabytes

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// [-]digits[.digits][e[+-]digits] as a number and a power of ten
struct Decimal {
  std::string digits;
  int exponent = 0;
};
std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal d;
  std::size_t at = 0, count = 0;
  if (text.starts_with('-')) d.digits += text[at++];
  for (bool point = false; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
    } else if (is_digit(text[at])) {
      d.digits += text[at];
      ++count;
      d.exponent -= point;
    } else {
      break;
    }
  }
  if (count == 0) return std::nullopt;
  if (at == text.size()) return d;
  if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
  if (++at < text.size() && text[at] == '+') ++at;
  int power = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), power);
  if (error != std::errc() || end != text.data() + text.size() || std::abs(power) > kMostExponent)
    return std::nullopt;
  d.exponent += power;
  return d;
}

// GMP's text as a string
std::string released(char* text) {
  std::string copy(text);
  void (*release)(void*, std::size_t) = nullptr;
  mp_get_memory_functions(nullptr, nullptr, &release);
  release(text, copy.size() + 1);
  return copy;
}

}  // namespace

Rational::Rational() noexcept = default;
Rational::Rational(Rational&& other) noexcept = default;
Rational& Rational::operator=(Rational&& other) noexcept = default;
Rational::~Rational() = default;

Rational::Rational(std::int64_t value) {
  if (value == 0) return;
  mpz_set_si(mpq_numref(own().value), value);
}

Rational::Rational(double value) {
  if (!std::isfinite(value)) fail(Status::numerical, "N002", "{} has no exact value", value);
  if (value != 0) mpq_set_d(own().value, value);
}

Rational::Rational(const Rational& other)
    : number_(other.number_ ? std::make_unique<Number>(*other.number_) : nullptr) {}

Rational& Rational::operator=(const Rational& other) {
  if (this == &other) return *this;
  if (!other.number_)
    number_.reset();
  else
    own() = *other.number_;
  return *this;
}

std::optional<Rational> Rational::parse(std::string_view text) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    std::optional<Rational> above = parse(text.substr(0, slash));
    const std::optional<Rational> below = parse(text.substr(slash + 1));
    if (!above || !below || below->is_zero() || text.find('/', slash + 1) != text.npos)
      return std::nullopt;
    return std::move(*above /= *below);
  }
  const std::optional<Decimal> d = read_decimal(text);
  if (!d) return std::nullopt;
  Rational r;
  mpz_set_str(mpq_numref(r.own().value), d->digits.c_str(), 10);
  Rational ten;
  mpz_ui_pow_ui(mpq_numref(ten.own().value), 10, static_cast<unsigned long>(std::abs(d->exponent)));
  r.settle();
  return std::move(d->exponent < 0 ? r /= ten : r *= ten);
}

Rational::Number& Rational::own() {
  if (!number_) number_ = std::make_unique<Number>();
  return *number_;
}

void Rational::settle() {
  if (number_ && mpq_sgn(number_->value) == 0) number_.reset();
}

Rational& Rational::operator+=(const Rational& b) {
  if (!b.number_) return *this;
  if (!number_) return *this = b;
  mpq_add(number_->value, number_->value, b.number_->value);
  settle();
  return *this;
}

Rational& Rational::operator-=(const Rational& b) {
  if (!b.number_) return *this;
  mpq_sub(own().value, own().value, b.number_->value);
  settle();
  return *this;
}

Rational& Rational::operator*=(const Rational& b) {
  if (!number_ || !b.number_) {
    number_.reset();
    return *this;
  }
  mpq_mul(number_->value, number_->value, b.number_->value);
  return *this;
}

Rational& Rational::operator/=(const Rational& b) {
  if (!b.number_) fail(Status::numerical, "N002", "an exact division by 0");
  if (number_) mpq_div(number_->value, number_->value, b.number_->value);
  return *this;
}

Rational Rational::operator-() const {
  Rational r(*this);
  if (r.number_) mpq_neg(r.number_->value, r.number_->value);
  return r;
}

int Rational::compare(const Rational& b) const {
  if (!b.number_) return number_ ? mpq_sgn(number_->value) : 0;
  return number_ ? mpq_cmp(number_->value, b.number_->value) : -mpq_sgn(b.number_->value);
}

Rational Rational::floor() const {
  Rational r;
  if (!number_) return r;
  mpz_fdiv_q(mpq_numref(r.own().value), mpq_numref(number_->value), mpq_denref(number_->value));
  r.settle();
  return r;
}

std::string Rational::to_string() const {
  return number_ ? released(mpq_get_str(nullptr, 10, number_->value)) : "0";
}

std::optional<std::string> Rational::binary_fraction() const {
  if (!number_) return "";
  const auto above = mpq_numref(number_->value), below = mpq_denref(number_->value);
  const std::size_t places = mpz_sizeinbase(below, 2) - 1;
  if (mpz_sgn(above) < 0 || mpz_scan1(below, 0) != places || mpz_sizeinbase(above, 2) > places)
    return std::nullopt;
  const std::string digits = released(mpz_get_str(nullptr, 2, above));
  return std::string(places - digits.size(), '0') + digits;
}

Rational Rational::of_binary_fraction(const std::string& digits) {
  Rational r;
  if (digits.empty() || mpz_set_str(mpq_numref(r.own().value), digits.c_str(), 2) != 0) return {};
  mpz_mul_2exp(mpq_denref(r.own().value), mpq_denref(r.own().value), digits.size());
  mpq_canonicalize(r.own().value);
  r.settle();
  return r;
}

double Rational::to_double() const {
  if (!number_) return 0;
  if (mpq_sgn(number_->value) < 0) return -(-*this).to_double();
  // GMP rounds down; the nearest is that or the next one
  const double low = mpq_get_d(number_->value);
  const double high = std::nextafter(low, HUGE_VAL);
  if (!std::isfinite(high)) return low;
  const int order = (*this - Rational(low)).compare(Rational(high) - *this);
  if (order != 0) return order < 0 ? low : high;
  // a tie: the one whose significand is even
  return std::bit_cast<std::uint64_t>(low) % 2 == 0 ? low : high;
}

}  // namespace taugrad
