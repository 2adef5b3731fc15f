#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"

// Values and gradients where a function has a kink, a pole or an end: fixed, and tested exactly.
namespace {

using namespace taugrad;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();

using Numbers = std::vector<double>;
using Function = std::function<Var(const Vars&)>;

struct Result {
  Numbers value;
  std::vector<Numbers> gradient;  ///< of the sum of the value
};

// f at vectors, one leaf each; a vector of one element is a number
Result at(const Function& f, const std::vector<Numbers>& x) {
  Graph g;
  Vars leaves;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto n = static_cast<std::int64_t>(x[i].size());
    leaves.push_back(g.weight(fmt::format("x{}", i), n == 1 ? Shape{} : Shape{n}));
  }
  const Var y = f(leaves);
  const Gradients grad = gradient(sum(y), leaves);
  std::vector<NodeId> ids{y.id};
  for (const Var& v : grad.values()) ids.push_back(v.id);
  Interpreter<double> run(g.tape(), ids);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (run.needs(leaves[i].id))
      std::copy(x[i].begin(), x[i].end(), run.leaf(leaves[i].id).begin());
  run.run();
  Result r;
  r.value.assign(run.value(y.id).begin(), run.value(y.id).end());
  for (const Var& v : grad.values())
    r.gradient.emplace_back(run.value(v.id).begin(), run.value(v.id).end());
  return r;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

void check_one(const Function& f, double x, double value, double slope) {
  INFO("at " << x);
  const Result r = at(f, {{x}});
  CHECK(same(r.value[0], value));
  CHECK(same(r.gradient[0][0], slope));
}

void check_two(const Function& f, double a, double b, double value, double da, double db) {
  INFO("at " << a << ", " << b);
  const Result r = at(f, {{a}, {b}});
  CHECK(same(r.value[0], value));
  CHECK(same(r.gradient[0][0], da));
  CHECK(same(r.gradient[1][0], db));
}

bool finite(const Result& r) {
  const auto all = [](const Numbers& n) {
    return std::all_of(n.begin(), n.end(), [](double x) { return std::isfinite(x); });
  };
  return all(r.value) && std::all_of(r.gradient.begin(), r.gradient.end(), all);
}

}  // namespace

TEST_CASE("kinks: relu, abs, sign, clamp", "[edges]") {
  const Function f_relu = [](const Vars& x) { return relu(x[0]); };
  const Function f_abs = [](const Vars& x) { return abs(x[0]); };
  const Function f_sign = [](const Vars& x) { return sign(x[0]); };
  const Function f_clamp = [](const Vars& x) { return clamp(x[0], 0, 1); };
  for (const double zero : {0.0, -0.0}) {
    check_one(f_relu, zero, 0, 0);
    check_one(f_abs, zero, 0, 0);
    check_one(f_sign, zero, 0, 0);
  }
  check_one(f_relu, kTiny, kTiny, 1);
  check_one(f_relu, -kTiny, 0, 0);
  check_one(f_abs, kTiny, kTiny, 1);
  check_one(f_abs, -kTiny, kTiny, -1);
  check_one(f_sign, -kTiny, -1, 0);
  check_one(f_clamp, 0, 0, 1);
  check_one(f_clamp, 1, 1, 1);
  check_one(f_clamp, -kTiny, 0, 0);
  check_one(f_clamp, std::nextafter(1.0, 2.0), 1, 0);
}

TEST_CASE("ties: the first has the gradient", "[edges]") {
  check_two([](const Vars& x) { return max(x[0], x[1]); }, 2, 2, 2, 1, 0);
  check_two([](const Vars& x) { return min(x[0], x[1]); }, 2, 2, 2, 1, 0);
  const Result r = at([](const Vars& x) { return max(x[0]); }, {{1, 3, 3, 2}});
  CHECK(r.value == Numbers{3});
  CHECK(r.gradient[0] == Numbers{0, 1, 0, 0});
  CHECK(at([](const Vars& x) { return first_max(x[0]); }, {{3, 3, 3}}).value == Numbers{1, 0, 0});
  CHECK(at([](const Vars& x) { return max(x[0]); }, {{-kInf, -kInf}}).gradient[0] == Numbers{1, 0});
}

TEST_CASE("poles and ends: sqrt, log, division, exp", "[edges]") {
  const Function f_log = [](const Vars& x) { return log(x[0]); };
  check_one([](const Vars& x) { return sqrt(x[0]); }, 0, 0, kInf);
  check_one([](const Vars& x) { return sqrt(x[0]); }, -1, kNaN, kNaN);
  check_one(f_log, 0, -kInf, kInf);
  CHECK(std::isnan(at(f_log, {{-1}}).value[0]));
  check_one([](const Vars& x) { return exp(x[0]); }, 710, kInf, kInf);
  check_one([](const Vars& x) { return exp(x[0]); }, -1e4, 0, 0);
  const Function divide = [](const Vars& x) { return x[0] / x[1]; };
  check_two(divide, 1, 0, kInf, kInf, -kInf);
  check_two(divide, 0, 0, kNaN, kInf, kNaN);
}

TEST_CASE("pow: zero and negative bases", "[edges]") {
  const Function power = [](const Vars& x) { return pow(x[0], x[1]); };
  check_two(power, 0, 0, 1, 0, 0);
  check_two(power, 0, 1, 0, 1, 0);
  check_two(power, 0, 2, 0, 0, 0);
  check_two(power, 0, 0.5, 0, kInf, 0);
  check_two(power, 5, 0, 1, 0, std::log(5.0));
  check_two(power, -2, 3, -8, 12, kNaN);
  check_two(power, -2, 0.5, kNaN, kNaN, kNaN);
  // with a number as exponent nothing of the logarithm is seen
  check_one([](const Vars& x) { return pow(x[0], x[0].tape->var(0) * 0.0 + 3.0); }, 2, 8, 12);
}

TEST_CASE("sigmoid and tanh far out", "[edges]") {
  for (const double x : {0., 20., 88., 89., 104., 710., 745., 1e4})
    for (const double s : {-1., 1.}) {
      INFO(s * x);
      const Result sig = at([](const Vars& v) { return sigmoid(v[0]); }, {{s * x}});
      const Result tan = at([](const Vars& v) { return tanh(v[0]); }, {{s * x}});
      CHECK(finite(sig));
      CHECK(finite(tan));
      CHECK((sig.value[0] >= 0 && sig.value[0] <= 1));
      CHECK((sig.gradient[0][0] >= 0 && sig.gradient[0][0] <= 0.25));
      CHECK(std::abs(tan.value[0]) <= 1);
    }
  check_one([](const Vars& v) { return sigmoid(v[0]); }, 0, 0.5, 0.25);
}

TEST_CASE("softmax far out", "[edges]") {
  const Function f = [](const Vars& x) { return softmax(x[0]) * softmax(x[0]); };
  const Function g = [](const Vars& x) { return softmax(x[0]); };
  CHECK(at(g, {{1e4, 1e4, 1e4, 1e4}}).value == Numbers{0.25, 0.25, 0.25, 0.25});
  CHECK(at(g, {{1e4, -1e4}}).value == Numbers{1, 0});
  CHECK(finite(at(f, {{1e4, -1e4, 1e4}})));
  CHECK(at(g, {{-kInf, 0}}).value == Numbers{0, 1});
  CHECK(finite(at(f, {{-kInf, 0, 0}})));
  CHECK(std::isnan(at(g, {{-kInf, -kInf}}).value[0]));
  CHECK(at([](const Vars& x) { return log_softmax(x[0]); }, {{1e4, 1e4}}).value ==
        Numbers{-std::log(2.0), -std::log(2.0)});
  const Result log_far =
      at([](const Vars& x) { return slice(log_softmax(x[0]), 1, 2); }, {{1e4, -1e4}});
  CHECK(log_far.value == Numbers{-2e4});
  CHECK(log_far.gradient[0] == Numbers{-1, 1});
}

TEST_CASE("likelihoods at their ends", "[edges]") {
  const auto y = [](const Vars& x, double k) { return constant(*x[0].tape, k); };
  const auto nll = [&](double k) {
    return [&y, k](const Vars& x) { return nll_categorical(x[0], y(x, k)); };
  };
  CHECK(at(nll(0), {{1e4, -1e4}}).value == Numbers{0});
  CHECK(at(nll(1), {{1e4, -1e4}}).value == Numbers{2e4});
  CHECK(at(nll(1), {{1e4, -1e4}}).gradient[0] == Numbers{1, -1});
  // a target that is absent has no one-hot: only the normaliser stays
  CHECK(at(nll(-1), {{0, 0}}).value == Numbers{std::log(2.0)});
  for (const double k : {2.0, 0.5, 1e300, kNaN}) CHECK_THROWS(at(nll(k), {{0, 0}}));
  const auto nll_p = [&](double k) {
    return [&y, k](const Vars& x) { return nll_categorical_p(x[0], y(x, k)); };
  };
  CHECK(at(nll_p(1), {{1, 0}}).value == Numbers{kInf});
  CHECK(at(nll_p(1), {{1, 0}}).gradient[0] == Numbers{0, -kInf});
  CHECK(at(nll_p(0), {{1, 0}}).gradient[0] == Numbers{-1, 0});
  CHECK(at(nll_p(-1), {{1, 0}}).gradient[0] == Numbers{0, 0});
  const auto bernoulli = [&](double k) {
    return [&y, k](const Vars& x) { return nll_bernoulli(x[0], y(x, k)); };
  };
  check_one(bernoulli(1), -1e4, 1e4, -1);
  check_one(bernoulli(1), 1e4, 0, 0);
  check_one(bernoulli(0), 1e4, 1e4, 1);
  check_one(bernoulli(0), 0, std::log(2.0), 0.5);
  const auto bernoulli_p = [&](double k) {
    return [&y, k](const Vars& x) { return nll_bernoulli_p(x[0], y(x, k)); };
  };
  check_one(bernoulli_p(1), 1, 0, -1);
  check_one(bernoulli_p(0), 0, 0, 1);
  check_one(bernoulli_p(1), 0, kInf, -kInf);
}

TEST_CASE("normalize with zero variance", "[edges]") {
  const Result r = at([](const Vars& x) { return slice(normalize(x[0]), 0, 1); }, {{3, 3}});
  CHECK(r.value == Numbers{0});
  CHECK(r.gradient[0][0] == Approx(0.5 / std::sqrt(1e-5)));
  CHECK(r.gradient[0][1] == Approx(-0.5 / std::sqrt(1e-5)));
}

TEST_CASE("nothing leaks from the branch not taken", "[edges]") {
  const auto guarded = [](Var (*f)(Var)) {
    return [f](const Vars& x) {
      const Var zero = constant(*x[0].tape, 0);
      return where(greater(x[0], zero), f(x[0]), zero);
    };
  };
  const std::vector<Var (*)(Var)> functions{
      [](Var x) { return log(x); },           [](Var x) { return sqrt(x); },
      [](Var x) { return 1.0 / x; },          [](Var x) { return tanh(log(x)); },
      [](Var x) { return x * sqrt(x); },      [](Var x) { return pow(x, x); },
      [](Var x) { return sigmoid(1.0 / x); }, [](Var x) { return exp(1.0 / (x * x)); },
      [](Var x) { return abs(log(x)); },      [](Var x) { return max(log(x), x); }};
  for (std::size_t i = 0; i < functions.size(); ++i)
    for (const double x : {0.0, -1.0, -kInf}) {
      const auto f = functions[i];
      INFO("function " << i << " at " << x);
      check_one(guarded(f), x, 0, 0);
      // the second derivative, too
      const Function twice = [&](const Vars& v) {
        return gradient(guarded(f)(v), {v[0]}).values()[0] * v[0];
      };
      if (std::isfinite(x)) CHECK(at(twice, {{x}}).gradient[0][0] == 0);
    }
}

TEST_CASE("NaN in, NaN out", "[edges]") {
  const std::vector<Function> functions{
      [](const Vars& x) { return relu(x[0]); },
      [](const Vars& x) { return abs(x[0]); },
      [](const Vars& x) { return sign(x[0]); },
      [](const Vars& x) { return clamp(x[0], 0, 1); },
      [](const Vars& x) { return sigmoid(x[0]); },
      [](const Vars& x) { return max(x[0], x[0] * 0.0); },
      [](const Vars& x) { return max(constant(*x[0].tape, 1), x[0]); },
      [](const Vars& x) { return min(x[0], constant(*x[0].tape, 1)); },
      [](const Vars& x) {
        return max(stack(Vars{x[0], constant(*x[0].tape, 1)}));
      },
      [](const Vars& x) {
        return max(stack(Vars{constant(*x[0].tape, 1), x[0]}));
      },
      [](const Vars& x) { return nll_bernoulli(x[0], constant(*x[0].tape, 1)); }};
  for (const Function& f : functions) CHECK(std::isnan(at(f, {{kNaN}}).value[0]));
}

TEST_CASE("embedding: repeated rows add up, absent ones have no gradient", "[edges]") {
  Graph g;
  const Var table = g.weight("E", {3, 1}), y = g.category("y", 3);
  const Gradients grad = gradient(sum(embed(table, y)), {table});
  Interpreter<double> run(g.tape(), std::vector<NodeId>{grad[0].id});
  run.set_batch({}, 5);
  const double categories[] = {1, 1, -1, 3, 0};
  std::copy(std::begin(categories), std::end(categories), run.leaf(y.id).begin());
  run.run();
  CHECK(Numbers(run.value(grad[0].id).begin(), run.value(grad[0].id).end()) == Numbers{1, 2, 0});
}

TEST_CASE("dropout with probability 1 gives zeros, with 0 the value itself", "[edges]") {
  for (const double p : {0.0, 1.0}) {
    Graph g;
    const Var x = g.input("x", {4});
    const Var m = dropout_mask(x, p, "d");
    Interpreter<double> run(g.tape(), std::vector<NodeId>{m.id});
    BatchContext batch;
    batch.train = true;
    run.set_batch(batch, 2);
    run.run();
    for (const double v : run.value(m.id)) CHECK(v == 1 - p);
  }
}
