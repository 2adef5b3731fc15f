// Elementwise functions at points and edges, beside values and slopes made by mpmath in 50 digits.
// (docs/functions.md)
#include <limits>

#include "language_support.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

struct Point {
  const char* text;
  double at, value, slope;
};

const Point kPoints[] = {
    {"sin(a)", 0.5, 0.479425538604203, 0.8775825618903728},
    {"sin(a)", -2.0, -0.9092974268256817, -0.4161468365471424},
    {"sin(a)", 100000.0, 0.03574879797201651, -0.9993608074382124},
    {"sin(a)", 22.0, -0.008851309290403876, -0.9999608263946371},
    {"sin(a)", 0.0, 0.0, 1.0},
    {"cos(a)", 0.5, 0.8775825618903728, -0.479425538604203},
    {"cos(a)", -2.0, -0.4161468365471424, 0.9092974268256817},
    {"cos(a)", 100000.0, -0.9993608074382124, -0.03574879797201651},
    {"cos(a)", 11.0, 0.004425697988050785, 0.9999902065507035},
    {"cos(a)", 0.0, 1.0, 0.0},
    {"erf(a)", 0.0, 0.0, 1.1283791670955126},
    {"erf(a)", 0.29999999999999999, 0.3286267594591274, 1.031260909618963},
    {"erf(a)", -1.5, -0.9661051464753108, 0.11893028922362937},
    {"erf(a)", 6.0, 1.0, 2.617301239249265e-16},
    {"erf(a)", 1.0e-10, 1.1283791670955126e-10, 1.1283791670955126},
    {"erf(a)", -30.0, -1.0, 0.0},
    {"log1p(a)", 0.0, 0.0, 1.0},
    {"log1p(a)", 9.9999999999999995e-21, 1e-20, 1.0},
    {"log1p(a)", -0.5, -0.6931471805599453, 2.0},
    {"log1p(a)", -1.0000000000000001e-9, -1.0000000005000001e-09, 1.000000001},
    {"log1p(a)", 1.0000000000000001e+300, 690.7755278982137, 1e-300},
    {"expm1(a)", 0.0, 0.0, 1.0},
    {"expm1(a)", 9.9999999999999995e-21, 1e-20, 1.0},
    {"expm1(a)", -1.0000000000000001e-9, -9.999999995e-10, 0.999999999},
    {"expm1(a)", -40.0, -1.0, 4.248354255291589e-18},
    {"expm1(a)", -800.0, -1.0, 0.0},
    {"expm1(a)", 5.0, 147.4131591025766, 148.4131591025766},
    {"softplus(a)", 0.0, 0.6931471805599453, 0.5},
    {"softplus(a)", 100.0, 100.0, 1.0},
    {"softplus(a)", -100.0, 3.720075976020836e-44, 3.720075976020836e-44},
    {"softplus(a)", 10000.0, 10000.0, 1.0},
    {"softplus(a)", -10000.0, 0.0, 0.0},
    {"softplus(a)", -3.0, 0.04858735157374206, 0.04742587317756678},
    {"log_sigmoid(a)", 0.0, -0.6931471805599453, 0.5},
    {"log_sigmoid(a)", 100.0, -3.720075976020836e-44, 3.720075976020836e-44},
    {"log_sigmoid(a)", -100.0, -100.0, 1.0},
    {"log_sigmoid(a)", 10000.0, 0.0, 0.0},
    {"log_sigmoid(a)", -10000.0, -10000.0, 1.0},
    {"log_sigmoid(a)", 2.0, -0.1269280110429725, 0.11920292202211756},
    {"silu(a)", 0.0, 0.0, 0.5},
    {"silu(a)", 1.0, 0.7310585786300049, 0.9276705118714867},
    {"silu(a)", -100.0, -3.720075976020836e-42, -3.682875216260628e-42},
    {"silu(a)", 50.0, 50.0, 1.0},
    {"silu(a)", -10000.0, -0.0, -0.0},
    {"gelu(a)", 0.0, 0.0, 0.5},
    {"gelu(a)", 1.0, 0.8413447460685429, 1.0833154705876864},
    {"gelu(a)", -10.0, -7.619853024160526e-23, -7.618400096464814e-22},
    {"gelu(a)", -37.0, -2.1184613523340935e-298, -7.838298669418516e-297},
    {"gelu(a)", 20.0, 20.0, 1.0},
    {"gelu(a)", -0.29999999999999999, -0.1146265733433142, 0.26767223317289013},
    {"elu(a)", 0.0, 0.0, 1.0},
    {"elu(a)", 2.0, 2.0, 1.0},
    {"elu(a)", -1.0, -0.6321205588285577, 0.36787944117144233},
    {"elu(a)", 10000.0, 10000.0, 1.0},
    {"elu(a)", -10000.0, -1.0, 0.0},
    {"elu(a)", -9.9999999999999998e-13, -9.999999999995e-13, 0.999999999999},
    {"leaky_relu(a, 0.1)", 0.0, 0.0, 0.1},
    {"leaky_relu(a, 0.1)", 3.0, 3.0, 1.0},
    {"leaky_relu(a, 0.1)", -2.0, -0.2, 0.1},
    {"leaky_relu(a, 0.1)", 1.0000000000000001e+300, 1e+300, 1.0},
    {"leaky_relu(a, 0.1)", -1.0000000000000001e+300, -1e+299, 0.1},
    {"mod(a, 3)", 0.0, 0.0, 1.0},
    {"mod(a, 3)", 7.5, 1.5, 1.0},
    {"mod(a, 3)", -1.0, 2.0, 1.0},
    {"mod(a, 3)", -3.0, 0.0, 1.0},
    {"mod(a, 3)", 1000000000000000.0, 1.0, 1.0},
    {"mod(a, -1.5)", 0.25, -1.25, 1.0},
    {"mod(a, -1.5)", 7.5, 0.0, 1.0},
    {"mod(a, -1.5)", -1.0, -1.0, 1.0},
    {"mod(a, -1.5)", 3.0, 0.0, 1.0},
    {"floor(a)", 1.5, 1.0, 0.0},
    {"floor(a)", -1.5, -2.0, 0.0},
    {"floor(a)", 2.0, 2.0, 0.0},
    {"floor(a)", -2.0, -2.0, 0.0},
    {"floor(a)", 1.0000000000000001e+300, 1e+300, 0.0},
    {"sign(a)", 0.0, 0.0, 0.0},
    {"sign(a)", -3.0, -1.0, 0.0},
    {"sign(a)", 1.0e-300, 1.0, 0.0},
};

constexpr double kInf = std::numeric_limits<double>::infinity();

Definition of_a(const std::string& expression) {
  return define("\"inputs\": {\"a\": []}, \"equations\": [\"v = " + expression +
                "\"], \"loss\": \"v\"");
}

Tensors at(const std::string& expression, double a, Dtype dtype = Dtype::f64) {
  RunOptions options;
  options.dtype = dtype;
  options.fetch = {"v", "grad:a"};
  return run(of_a(expression), {{"a", numbers({1}, {a})}}, {}, options).values;
}

void check_close(double got, double want, double relative) {
  CHECK(std::abs(got - want) <= relative * std::abs(want));
}

}  // namespace

TEST_CASE("R16: elementwise functions have their value and slope wherever it fits", "[language]") {
  for (const Point& p : kPoints) {
    INFO(p.text << " at " << p.at);
    const Tensors v = at(p.text, p.at);
    check_close(v.at("v").at(0), p.value, 4e-15);
    check_close(v.at("grad:a").at(0), p.slope, 2e-12);
  }
}

TEST_CASE("R16: elementwise functions in float32", "[language]") {
  constexpr double kLeast = 1.2e-38, kMost = 3e38;  // normal numbers
  for (const Point& p : kPoints) {
    const bool told = std::abs(p.at) < 1e5 && (p.at == 0 || std::abs(p.at) > kLeast) &&
                      std::abs(p.at) < kMost &&
                      static_cast<double>(static_cast<float>(p.at)) == p.at;
    if (!told) continue;
    INFO(p.text << " at " << p.at);
    const Tensors v = at(p.text, p.at, Dtype::f32);
    if (p.value == 0 || std::abs(p.value) > kLeast) check_close(v.at("v").at(0), p.value, 6e-7);
    if (std::abs(p.slope) > kLeast) check_close(v.at("grad:a").at(0), p.slope, 1e-5);
  }
}

TEST_CASE("R16: max, min and clamp: ties to the first, the bound that binds has the gradient",
          "[language]") {
  const Definition d = define(R"j("inputs": {"a": [3], "b": [3], "lo": [3], "hi": [3]},
    "equations": ["l = max(a, b)", "s = min(a, b)", "c = clamp(a, lo, hi)"], "loss": ["sum(l)", "10 * sum(s)", "100 * sum(c)"])j");
  const Tensors v = evaluate(d,
                             {{"a", numbers({1, 3}, {2, 1, 5})},
                              {"b", numbers({1, 3}, {2, 3, -4})},
                              {"lo", numbers({1, 3}, {2, 1.5, 0})},
                              {"hi", numbers({1, 3}, {4, 4, 4})}},
                             {}, {"l", "s", "c", "grad:a", "grad:b", "grad:lo", "grad:hi"});
  check_values(v.at("l"), {1, 3}, {2, 3, 5});
  check_values(v.at("s"), {1, 3}, {2, 1, -4});
  check_values(v.at("c"), {1, 3}, {2, 1.5, 4});
  check_values(v.at("grad:a"), {1, 3}, {111, 10, 1});
  check_values(v.at("grad:b"), {1, 3}, {0, 1, 10});
  check_values(v.at("grad:lo"), {1, 3}, {0, 100, 0});
  check_values(v.at("grad:hi"), {1, 3}, {0, 0, 100});
}

TEST_CASE("R16: mod is in [0, |b|) with the sign of b, and its slope in b is -floor(a / b)",
          "[language]") {
  const Definition d = define(
      R"j("inputs": {"a": [6], "b": [6]}, "equations": ["v = mod(a, b)"], "loss": "sum(v)")j");
  const Tensors v = evaluate(d,
                             {{"a", numbers({1, 6}, {7, -7, 7, -7, 1, -1e-20})},
                              {"b", numbers({1, 6}, {3, 3, -3, -3, 0.1, 2})}},
                             {}, {"v", "grad:b"});
  check_values(v.at("v"), {1, 6}, {1, 2, -2, -1, 0.09999999999999995, 2}, 1e-15);
  CHECK(v.at("v").at(5) < 2);
  check_values(v.at("grad:b"), {1, 6}, {-2, 3, 3, -2, -9, 1});
}

TEST_CASE("R16: infinities and NaN", "[language]") {
  const auto value = [](const char* text, double a) { return at(text, a).at("v").at(0); };
  for (const char* text :
       {"sin(a)", "cos(a)", "erf(a)", "log1p(a)", "expm1(a)", "softplus(a)", "log_sigmoid(a)",
        "silu(a)", "gelu(a)", "elu(a)", "leaky_relu(a, 2)", "floor(a)", "sign(a)", "mod(a, 2)",
        "max(a, 1)", "min(1, a)", "clamp(a, 0, 1)"}) {
    INFO(text);
    CHECK(std::isnan(value(text, std::numeric_limits<double>::quiet_NaN())));
  }
  CHECK(value("softplus(a)", kInf) == kInf);
  CHECK(value("softplus(a)", -kInf) == 0);
  CHECK(value("log_sigmoid(a)", -kInf) == -kInf);
  CHECK(value("elu(a)", -kInf) == -1);
  CHECK(value("elu(a)", kInf) == kInf);
  CHECK(value("erf(a)", -kInf) == -1);
  CHECK(value("expm1(a)", -kInf) == -1);
  CHECK(value("log1p(a)", -1) == -kInf);
  CHECK(value("gelu(a)", kInf) == kInf);
  CHECK(value("where(a > 0, inf, -inf)", 1) == kInf);
  CHECK(value("min(a, inf)", 3) == 3);
}
