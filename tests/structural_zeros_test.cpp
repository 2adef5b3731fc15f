#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/runtime/executor.h"

// What stands behind a branch not taken has gradient 0 whatever it is; a zero that was computed
// makes 0 times infinity NaN.                                                     (language.md R20)
namespace {

using namespace taugrad;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Numbers = std::vector<double>;
using Function = std::function<Var(Var)>;

bool same(const Numbers& a, const Numbers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 1e-5 * std::abs(y) || x == y;
  });
}

template <class S>
Numbers planned(const Graph& g, Var x, Var y, const Numbers& at) {
  Executor<S> run(g.tape(), std::vector<NodeId>{y.id});
  run.set_batch({}, 1);
  const std::vector<S> values(at.begin(), at.end());
  if (!run.leaves().empty()) run.bind(x.id, values);
  run.run();
  return {run.value(0).begin(), run.value(0).end()};
}

template <class S>
Numbers interpreted(const Graph& g, Var x, Var y, const Numbers& at) {
  Interpreter<S> run(g.tape(), std::vector<NodeId>{y.id});
  run.set_batch({}, 1);
  if (run.needs(x.id)) std::copy(at.begin(), at.end(), run.leaf(x.id).begin());
  run.run();
  return {run.value(y.id).begin(), run.value(y.id).end()};
}

Var leaf(Graph& g, const Numbers& at) {
  const auto n = static_cast<std::int64_t>(at.size());
  return g.weight("x", n == 1 ? Shape{} : Shape{n});
}

/// A value at x in every way there is to compute it.
template <class S>
void check_value(const Graph& g, Var x, Var y, const Numbers& at, const Numbers& want) {
  const Numbers reference = interpreted<S>(g, x, y, at), plan = planned<S>(g, x, y, at);
  INFO("interpreted " << Catch::StringMaker<Numbers>::convert(reference) << ", planned "
                      << Catch::StringMaker<Numbers>::convert(plan));
  CHECK(same(reference, want));
  CHECK(same(plan, want));
}

/// The gradient of sum f(x), its own gradient, and the tangent along ones.
template <class S>
void check_slopes(const Function& f, const Numbers& at, const Numbers& first,
                  const Numbers& second) {
  Graph g;
  const Var x = leaf(g, at), y = sum(f(x));
  const Var slope = gradient(y, {x}).of(x);
  check_value<S>(g, x, slope, at, first);
  if (!second.empty()) check_value<S>(g, x, gradient(sum(slope), {x}).of(x), at, second);
  const Vars along = tangent(Vars{y}, Vars{x}, Vars{constant(g.tape(), 1, x.shape())});
  double total = 0;
  for (const double s : first) total += s;
  check_value<S>(g, x, along[0], at, {total});
}

void check_both(const Function& f, const Numbers& at, const Numbers& first,
                const Numbers& second = {}) {
  INFO("at " << Catch::StringMaker<Numbers>::convert(at));
  check_slopes<double>(f, at, first, second);
  check_slopes<float>(f, at, first, second);
}

Var number_of(Var x, double value) { return constant(*x.tape, value, x.shape()); }
Var number_of(Var x, double value, const Shape& shape) { return constant(*x.tape, value, shape); }
Var zero(Var x) { return constant(*x.tape, 0, x.shape()); }
Var logarithm(Var x) { return log(x); }
Var positive(Var x) { return greater(x, zero(x)); }

TEST_CASE("a zero that was computed times infinity is NaN", "[zeros]") {
  check_both([](Var x) { return sqrt(x) * sqrt(x); }, {0}, {kNaN});
  check_both([](Var x) { return 1.0 / (1.0 / x); }, {0}, {kNaN});
  check_both([](Var x) { return exp(log(x)); }, {0}, {kNaN});
  check_both([](Var x) { return log(1.0 + exp(x)); }, {1000}, {kNaN});
  check_slopes<float>([](Var x) { return log(1.0 + exp(x)); }, {100}, {kNaN}, {kNaN});
  check_slopes<double>([](Var x) { return log(1.0 + exp(x)); }, {100}, {1}, {});
  // a branch that is taken hides nothing
  check_both([](Var x) { return relu(log(1.0 + exp(x))); }, {1000}, {kNaN});
  check_both([](Var x) { return max(log(1.0 + exp(x)), zero(x)); }, {1000}, {kNaN});
  check_both([](Var x) { return where(positive(x), log(1.0 + exp(x)), zero(x)); }, {1000}, {kNaN});
  check_both([](Var x) { return where(positive(x), log(1.0 + exp(x)), zero(x)); }, {1000, -2, 0},
             {kNaN, 0, 0});
}

TEST_CASE("a branch not taken has gradient 0 whatever it is", "[zeros]") {
  const auto guarded = [](Function f) {
    return [f = std::move(f)](Var x) { return where(positive(x), f(x), zero(x)); };
  };
  check_both(guarded(logarithm), {-1}, {0}, {0});
  check_both(guarded(logarithm), {0}, {0}, {0});
  check_both(guarded(logarithm), {0, -1, 2}, {0, 0, 0.5}, {0, 0, -0.25});
  check_both(guarded([](Var x) { return log(sqrt(x)); }), {-1, 0, 2}, {0, 0, 0.25}, {0, 0, -0.125});
  check_both(guarded([](Var x) { return exp(1.0 / sqrt(x)); }), {0, 4}, {0, -std::exp(0.5) / 16});
  check_both(guarded([](Var x) { return tanh(log(x)) * x; }), {-3}, {0}, {0});
  check_both(guarded([](Var x) { return x / sqrt(x) + pow(x, number_of(x, 0.5)); }), {0, 4},
             {0, 0.5}, {0, -0.0625});
  check_both([](Var x) { return where(positive(x), sqrt(x), x); }, {0, -2, 4}, {1, 1, 0.25},
             {0, 0, -0.03125});
  check_both([](Var x) { return max(zero(x), log(x)); }, {0}, {0}, {0});
  check_both([](Var x) { return max(log(x), zero(x)); }, {0, 0.5, 2}, {0, 0, 0.5}, {0, 0, -0.25});
  check_both([](Var x) { return min(zero(x), 1.0 / x); }, {0}, {0}, {0});
  check_both([](Var x) { return relu(log(x)); }, {0, 2}, {0, 0.5}, {0, -0.25});
  check_both([](Var x) { return clamp(log(sqrt(x)), -3, 3); }, {0, 1}, {0, 0.5}, {0, -0.5});
}

TEST_CASE("a choice inside: what it leaves out does not move", "[zeros]") {
  check_both([](Var x) { return sqrt(relu(x)); }, {-1, 4}, {0, 0.25}, {0, -0.03125});
  check_both([](Var x) { return log(max(zero(x), x)); }, {-1, 2}, {0, 0.5}, {0, -0.25});
  check_both([](Var x) { return sqrt(where(positive(x), x, zero(x))); }, {-1, 4}, {0, 0.25});
  check_both([](Var x) { return sum(sqrt(concat({{relu(x), zero(x)}}))); }, {-1, 4}, {0, 0.25});
}

TEST_CASE("nothing of a branch not taken goes through products, sums and layout", "[zeros]") {
  const auto times = [](Var x) {
    const Var w = constant(*x.tape, 2, {2, 3});
    return matmul(w, log(x));
  };
  const Numbers out{0, -1, 0};
  const Numbers none{0, 0, 0};
  check_both(
      [&](Var x) {
        return where(less(sum(x), number_of(x, 0, {})), times(x), constant(*x.tape, 0, {2}));
      },
      {1, 2, 4}, none, none);
  check_both(
      [&](Var x) { return where(constant(*x.tape, 0, {2}), times(x), constant(*x.tape, 1, {2})); },
      out, none, none);
  check_both(
      [&](Var x) { return where(constant(*x.tape, 0), sum(log(x)) * mean(sqrt(x)), sum(x)); }, out,
      {1, 1, 1}, none);
  check_both([&](Var x) { return where(constant(*x.tape, 0), sum(softmax(log(x)) * x), sum(x)); },
             out, {1, 1, 1}, none);
  // elements that nobody reads
  check_both([](Var x) { return slice(log(x), 1, 2); }, {0, 2, -1}, {0, 0.5, 0}, {0, -0.25, 0});
  check_both([](Var x) { return max(-log(x)); }, {4, 2, 8}, {0, -0.5, 0}, {0, 0.25, 0});
  check_both([](Var x) { return max(sqrt(x)); }, {0, 4, 0}, {0, 0.25, 0}, {0, -0.03125, 0});
  check_both(
      [](Var x) {
        return reshape(transpose(reshape(slice(log(x), 1, 2), {1, 1})), {1});
      },
      {0, 2, -1}, {0, 0.5, 0}, {0, -0.25, 0});
  // all of it is read, in parts: nothing is left out
  check_both([](Var x) { return sum(slice(sqrt(x), 0, 1)) + sum(slice(sqrt(x), 1, 2)); }, {4, 16},
             {0.25, 0.125});
}

TEST_CASE("a likelihood looks at the probability of its symbol", "[zeros]") {
  const auto nll = [](Var x) { return nll_categorical_p(sqrt(x), constant(*x.tape, 1)); };
  check_both(nll, {0, 4, 0}, {0, -0.125, 0}, {0, 0.03125, 0});
  const auto bernoulli = [](double y) {
    return [y](Var p) { return nll_bernoulli_p(p, number_of(p, y)); };
  };
  check_both(bernoulli(1), {1}, {-1}, {1});
  check_both(bernoulli(0), {0}, {1}, {1});
  check_both(bernoulli(1), {0}, {-kInf});
}

TEST_CASE("powers: a constant exponent of 0 has slope 0 everywhere", "[zeros]") {
  check_both([](Var x) { return pow(x, number_of(x, 0)); }, {0, 2}, {0, 0}, {0, 0});
  check_both([](Var x) { return pow(x, number_of(x, 1)); }, {0, 2}, {1, 1}, {0, 0});
  check_both([](Var x) { return pow(x, number_of(x, 2)); }, {0, 2}, {0, 4}, {2, 2});
  check_both([](Var x) { return pow(x, number_of(x, 0.5)); }, {0}, {kInf});
}

}  // namespace
