// Exact numbers, and graphs evaluated in them.
#include "taugrad/base/rational.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "taugrad/base/error.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"

using namespace taugrad;

namespace {

std::string text_of(const char* written) {
  const auto x = Rational::parse(written);
  return x ? x->to_string() : "none";
}

}  // namespace

TEST_CASE("rationals: reading and writing", "[rational]") {
  const std::pair<const char*, const char*> table[] = {
      {"0", "0"},
      {"-0", "0"},
      {"3/4", "3/4"},
      {"6/8", "3/4"},
      {"-2/4", "-1/2"},
      {"1/-2", "-1/2"},
      {"0.25", "1/4"},
      {"-.5", "-1/2"},
      {"1e-3", "1/1000"},
      {"2.5E+2", "250"},
      {"0.5/1.5", "1/3"},
      {"0/7", "0"},
      {"", "none"},
      {"/2", "none"},
      {"1/", "none"},
      {"1/0", "none"},
      {"1/2/3", "none"},
      {"+1", "none"},
      {"1e", "none"},
      {"1e999999", "none"},
      {"0x10", "none"},
      {" 1", "none"},
      {"1.2.3", "none"},
      {"-", "none"},
      {"18446744073709551616", "18446744073709551616"},
  };
  for (const auto& [written, value] : table) {
    INFO(written);
    CHECK(text_of(written) == value);
  }
}

TEST_CASE("rationals: arithmetic has no rounding", "[rational]") {
  const Rational third = Rational(1) / Rational(3);
  CHECK(third + third + third == Rational(1));
  CHECK(Rational(0.1) != *Rational::parse("0.1"));  // a double is what it is
  CHECK((third - third).is_zero());
  CHECK(Rational() * third == Rational(0));
  CHECK(-third < Rational(0));
  CHECK(third < Rational(0.5));
  CHECK(Rational(-7).floor() == Rational(-7));
  CHECK((-third).floor() == Rational(-1));
  CHECK(third.floor().is_zero());
  Rational x = third;
  x -= x;
  CHECK(x.to_string() == "0");
  CHECK_THROWS_AS(third / Rational(0), Error);
  CHECK_THROWS_AS(Rational(std::numeric_limits<double>::infinity()), Error);
}

TEST_CASE("rationals: binary digits, there and back", "[rational]") {
  for (const char* digits :
       {"", "1", "01", "1101", "000000000000000000000000000000000000000000001"})
    CHECK(Rational::of_binary_fraction(digits).binary_fraction() == digits);
  for (const char* x : {"1", "-1/2", "1/3", "5/4"})
    CHECK_FALSE(Rational::parse(x)->binary_fraction());
}

TEST_CASE("rationals: the nearest double, ties to even", "[rational]") {
  for (const double x : {1.0, -0.1, 1e300, 5e-324, 2.0 / 3}) CHECK(Rational(x).to_double() == x);
  CHECK(Rational::parse("0.1")->to_double() == 0.1);
  CHECK(Rational::parse("-1/3")->to_double() == -1.0 / 3);
  const Rational half_ulp = Rational(std::ldexp(1.0, -53));
  CHECK((Rational(1) + half_ulp).to_double() == 1.0);
  CHECK((Rational(1) + half_ulp * Rational(3)).to_double() == 1 + std::ldexp(1.0, -51));
  CHECK((Rational(1) + half_ulp + Rational(1e-30)).to_double() == std::nextafter(1.0, 2.0));
}

TEST_CASE("the interpreter evaluates a graph without rounding, and refuses what is not rational",
          "[rational]") {
  Graph g;
  const Var w = g.weight("w", {2, 2}), x = g.weight("x", {2});
  const Var y = sum(clamp(matmul(w, x), 0, 1) + x / 3.0);
  Interpreter<Rational> run(g.tape(), {&y.id, 1});
  run.set_batch({}, 1);
  const auto fill = [&](Var v, std::initializer_list<const char*> values) {
    auto to = run.leaf(v.id).begin();
    for (const char* text : values) *to++ = *Rational::parse(text);
  };
  fill(w, {"1/3", "1/7", "5", "0"});
  fill(x, {"2/5", "3"});
  run.run();
  // 2/15 + 3/7 + 1 (clamped from 2), and (2/5 + 3)/3
  CHECK(run.value(y.id)[0] == *Rational::parse("2/15") + *Rational::parse("3/7") + Rational(1) +
                                  *Rational::parse("17/15"));
  const Var z = tanh(x);
  try {
    Interpreter<Rational>(g.tape(), {&z.id, 1});
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.status() == Status::numerical);
    CHECK(e.diagnostics().front().code == "N002");
    CHECK(e.diagnostics().front().message.starts_with("tanh has no exact value"));
  }
}
