#include <catch2/catch.hpp>
#include <cmath>

#include "support_gradients.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/language/definition.h"
#include "taugrad/ops/records.h"

// A check tells right from wrong whatever the magnitudes are: of the loss, of a derivative, and of
// what stands on the way.
namespace {

using namespace taugrad;
using support::failure;

constexpr Method kMethods[]{Method::complex_step, Method::central};

Var weight(Graph& g, CheckPoint& point, double value) {
  const Var w = g.weight("w");
  point.leaves.push_back({w, {value}});
  return w;
}

Op doubled_tanh() {
  Op wrong = kTanh;
  wrong.vjp = [](const Primal& p, Var ybar, std::span<Var> xbar) {
    xbar[0] = ybar * (1.0 - p.out * p.out) * 2.0;
  };
  return wrong;
}

struct Row {
  const char* name;
  double at;
  Var (*of)(Var w);
  double derivative;
};

}  // namespace

TEST_CASE("what underflows in a complex step is measured by a longer one", "[check]") {
  const Row rows[]{
      {"exp far down", -0.7, [](Var w) { return exp(w - 400.0) * std::exp(400.0); },
       std::exp(-0.7)},
      {"exp", 0.3, [](Var w) { return exp(w - 322.0) * std::exp(322.0); }, std::exp(0.3)},
      {"half of it", 0.6, [](Var w) { return w * 1e-200 * w * 1e200; }, 1.2},
      {"sigmoid", -400, [](Var w) { return sigmoid(w) * std::exp(400.0); }, 1},
      {"a power at 0", 0, [](Var w) { return pow(w, 1.5) + w; }, 1},
      {"log far down", 1e-150, [](Var w) { return log(w); }, 1e150},
      {"steep", 3.3, [](Var w) { return pow(w, 100.0); }, 100 * std::pow(3.3, 99)},
  };
  for (const Row& row : rows)
    for (const Method method : kMethods) {
      if (method == Method::central && row.at == 0) continue;  // no number on one side
      INFO(row.name << ", method " << static_cast<int>(method));
      Graph g;
      CheckPoint point;
      const Var w = weight(g, point, row.at);
      const CheckReport r = check_gradients(row.of(w), Vars{w}, point, {method});
      CHECK(failure(r) == "");
      CHECK(r.ok());
      CHECK(r.hidden() == 0);
      CHECK(r.kinks() == 0);
      CHECK(r.variables[0].worst.numeric == Approx(row.derivative));
    }
}

TEST_CASE("a derivative that only an endless step would measure is 0", "[check]") {
  Graph g;
  CheckPoint point;
  const Var w = weight(g, point, 0);
  const CheckReport r = check_gradients(pow(w, 1.5), Vars{w}, point);
  CHECK(failure(r) == "");
  CHECK(r.ok());
  CHECK(r.variables[0].worst.numeric == 0);
}

TEST_CASE("a wrong rule is caught at every scale", "[check][mutants]") {
  const Op wrong = doubled_tanh();
  for (const Method method : kMethods)
    for (const double scale :
         {1e-250, 1e-120, 1e-100, 1e-30, 1.0, 1e30, 1e39, 1e60, 1e120, 1e250}) {
      INFO(scale << ", method " << static_cast<int>(method));
      Graph g;
      CheckPoint point;
      const Var w = weight(g, point, 0.7);
      const CheckReport r =
          check_gradients(g.tape().append(wrong, {&w, 1}) * scale, Vars{w}, point, {method});
      CHECK_FALSE(r.ok());
      CHECK(r.hidden() == 0);
      CHECK(r.faults.size() == 1);
      Graph right;
      CheckPoint there;
      const Var v = weight(right, there, 0.7);
      const CheckReport good = check_gradients(tanh(v) * scale, Vars{v}, there, {method});
      CHECK(failure(good) == "");
      CHECK(good.hidden() == 0);
    }
  // wrong where the usual step underflows: a rule that gives 0, or half
  Op none = kExp;
  none.vjp = [](const Primal&, Var ybar, std::span<Var> xbar) { xbar[0] = ybar * 0.0; };
  Graph g;
  CheckPoint point;
  const Var w = weight(g, point, 0.3), shifted = w - 400.0;
  const Var y = g.tape().append(none, {&shifted, 1}) * std::exp(400.0);
  CHECK_FALSE(check_gradients(y, Vars{w}, point).ok());
}

TEST_CASE("what has no number on one side is told so, and is no kink", "[check]") {
  Graph g;
  CheckPoint point;
  const Var w = weight(g, point, 0);
  const CheckReport r =
      check_gradients(pow(w, 1.2) + w, Vars{w}, point, {.method = Method::central});
  CHECK(r.kinks() == 0);
  REQUIRE(r.not_finite);
  CHECK(r.not_finite->op == "pow");
  CHECK(r.not_finite->of == "the measured derivative by w");
}

TEST_CASE("many steps of growth are proven", "[check]") {
  for (const Method method : kMethods) {
    Graph g;
    CheckPoint point;
    const Var w = weight(g, point, 3.3);
    Var h = w;
    for (int t = 1; t < 100; ++t) h = h * w;
    const CheckReport r = check_gradients(h, Vars{w}, point, {method});
    CHECK(failure(r) == "");
    CHECK(r.hidden() == 0);
  }
}

TEST_CASE("near a pole: steps are shorter than what they move, or nothing is judged", "[check]") {
  Op wrong = kLog;
  wrong.vjp = [](const Primal& p, Var ybar, std::span<Var> xbar) {
    xbar[0] = 1.01 * ybar / p.in[0];
  };
  for (const double at : {1e-170, 1e-250, 1e-300}) {
    INFO(at);
    Graph g;
    CheckPoint point;
    const Var w = weight(g, point, at);
    const CheckReport r = check_gradients(0.3 * log(w), Vars{w}, point);
    CHECK(failure(r) == "");
    CHECK_FALSE(r.vacuous());
    CHECK(r.hidden() + r.unmeasured() == 0);
    CHECK_FALSE(check_gradients(g.tape().append(wrong, {&w, 1}), Vars{w}, point).ok());
  }
  Graph g;
  CheckPoint point;
  const Var w = weight(g, point, 1e-306), v = g.weight("v");
  point.leaves.push_back({v, {0.5}});
  const CheckReport r = check_gradients(log(w) * 1e-10 + tanh(v), Vars{w, v}, point);
  CHECK(r.ok());
  CHECK(r.unmeasured() == 1);
  CHECK(r.hidden() == 0);
  CHECK_FALSE(r.vacuous());
  CHECK(r.worst()->name == r.variables[1].name);
  CHECK(check_gradients(log(w), Vars{w}, point).vacuous());
}
