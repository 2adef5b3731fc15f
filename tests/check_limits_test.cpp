#include <catch2/catch.hpp>
#include <cmath>

#include "support_cli.h"
#include "support_gradients.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/language/definition.h"
#include "taugrad/ops/records.h"

// What a check may say where arithmetic has its limits: at kinks, under cancellation, without
// numbers. It is neither stricter nor blinder than they allow.
namespace {

using namespace taugrad;
using support::failure;
using support::Folder;

constexpr Method kMethods[]{Method::complex_step, Method::central};

Var weight(Graph& g, CheckPoint& point, const char* name, std::vector<double> values) {
  const Var w = g.weight(name, {static_cast<std::int64_t>(values.size())});
  point.leaves.push_back({w, std::move(values)});
  return w;
}

Definition equations(std::vector<std::string> lines) { return definition_from_equations(lines); }

// tanh with a wrong derivative rule, nearly right: off by a millionth
Op spoiled_tanh() {
  Op wrong = kTanh;
  wrong.vjp = [](const Primal& p, Var ybar, std::span<Var> xbar) {
    xbar[0] = ybar * (1.0 - p.out * p.out) * (1 + 1e-6);
  };
  return wrong;
}

struct Bend {
  const char* name;
  Var (*of)(Var x, Var y);  // x is 0, y is 1: it bends here in x
};
const Bend kBends[]{
    {"abs", [](Var x, Var) { return abs(x); }},
    {"relu", [](Var x, Var) { return relu(x); }},
    {"relu of what is computed", [](Var x, Var y) { return relu(y * x - x * x); }},
    {"two that undo each other", [](Var x, Var) { return relu(x) - relu(-x); }},
    {"lower bound", [](Var x, Var) { return clamp(x, 0, 1); }},
    {"upper bound", [](Var x, Var) { return clamp(x, -1, 0); }},
    {"min", [](Var x, Var y) { return min(x + 1.0, y); }},
    {"max", [](Var x, Var y) { return max(y, x + 1.0); }},
    {"max of elements",
     [](Var x, Var y) {
       return max(concat({{x + y, y}})) * y;
     }},
    {"where", [](Var x, Var y) { return where(greater(x, y - 1.0), x * 2.0, x * y); }},
    {"a jump", [](Var x, Var y) { return where(greater_equal(x, y - 1.0), y, y * 2.0); }},
    {"equal", [](Var x, Var y) { return where(equal(x, x * 2.0), y * 2.0, x + y); }},
};

}  // namespace

TEST_CASE("exactly at a kink nothing is judged, by either method, in either order", "[check]") {
  for (const Bend& bend : kBends)
    for (const Method method : kMethods)
      for (const int order : {1, 2}) {
        INFO(bend.name << ", method " << static_cast<int>(method) << ", order " << order);
        Graph g;
        CheckPoint point;
        const Var x = weight(g, point, "x", {0}), y = weight(g, point, "y", {1});
        const Var bent = g.name(bend.of(x, y), "h", {3});
        const Var loss = sum(bent * bent + bent * y + tanh(x));
        const CheckReport r =
            check_gradients(loss, Vars{x, y}, point, {.method = method, .order = order});
        CHECK(failure(r) == "");
        CHECK(r.ok());
        CHECK(r.variables[0].kinks == 1);
        CHECK_FALSE(r.variables[0].kink_at.empty());
      }
}

TEST_CASE("a kink hides nothing elsewhere, and one whose sides agree is none", "[check]") {
  for (const Method method : kMethods) {
    Graph g;
    CheckPoint point;
    const Var x = weight(g, point, "x", {0, 0.5}), z = weight(g, point, "z", {0.3});
    const Op wrong = spoiled_tanh();
    const Var bent = relu(x), spoiled = g.tape().append(wrong, {&z, 1});
    const CheckReport r =
        check_gradients(sum(bent * bent + bent) + sum(spoiled), Vars{x, z}, point, {method});
    CHECK_FALSE(r.ok());
    CHECK(r.variables[0].ok);
    CHECK(r.variables[0].kinks == 1);
    CHECK_FALSE(r.variables[1].ok);
    // attention's shift: the largest of equals, which the quotient does not depend on
    Graph attention;
    CheckPoint at;
    const Var q = weight(attention, at, "q", {0.25, 0.25, 0.25}),
              v = weight(attention, at, "v", {1, 2, 4});
    const Var w = exp(q - max(q));
    const CheckReport smooth = check_gradients(sum(w * v) / sum(w), Vars{q}, at, {method});
    CHECK(failure(smooth) == "");
    CHECK(smooth.kinks() == 0);
    // a linear logit of 0 is smooth too
    Graph logit;
    CheckPoint zero;
    const Var l = weight(logit, zero, "l", {0, 0}), y = weight(logit, zero, "y", {1, 0});
    const CheckReport bernoulli = check_gradients(nll_bernoulli(l, y), Vars{l}, zero, {method});
    CHECK(failure(bernoulli) == "");
    CHECK(bernoulli.kinks() == 0);
    CHECK(bernoulli.variables[0].largest == Approx(0.5));
  }
}

TEST_CASE("the tolerance follows what cancels on the way", "[check]") {
  for (const double offset : {100.0, 1e4, 1e6})
    for (const Method method : kMethods)
      for (const int order : {1, 2}) {
        INFO(offset << ", method " << static_cast<int>(method) << ", order " << order);
        Graph g;
        CheckPoint point;
        const Var x = weight(g, point, "x", {0.3, -1.1, 0.8}), y = x + offset;
        const Var variance = mean(y * y) - mean(y) * mean(y);
        CHECK(failure(check_gradients(variance, Vars{x}, point, {method, order})) == "");
      }
  // at 1e12, rounding leaves nothing: no proof, and no fault
  Graph g;
  CheckPoint point;
  const Var x = weight(g, point, "x", {0.3, -1.1, 0.8}), y = x + 1e12;
  const CheckReport r =
      check_gradients(mean(y * y) - mean(y) * mean(y), Vars{x}, point, {.method = Method::central});
  CHECK(r.ok());
  CHECK(r.vacuous());
  CHECK(r.hidden() == 3);
}

TEST_CASE("a small wrong gradient beside a large one is caught, and under cancellation",
          "[check][mutants]") {
  const Op wrong = spoiled_tanh();
  for (const Method method : kMethods)
    for (const double small : {1e-3, 1e-9, 1e-15}) {
      INFO(small << ", method " << static_cast<int>(method));
      Graph g;
      CheckPoint point;
      const Var x = weight(g, point, "x", {0.3}), z = weight(g, point, "z", {0.7, 0.2});
      const Var large = sum(exp(z));
      const Var loss = method == Method::central
                           ? sum(g.tape().append(wrong, {&x, 1})) * small
                           : sum(g.tape().append(wrong, {&x, 1})) * small + large;
      const CheckReport r = check_gradients(loss, Vars{x, z}, point, {method});
      CHECK_FALSE(r.ok());
      CHECK_FALSE(r.variables[0].ok);
      CHECK(r.variables[1].ok);
      CHECK(r.variables[0].hidden == 0);
    }
  // one entry of a vector is 1e15 times another, and it is the small one that is wrong
  Graph g;
  CheckPoint point;
  const Var x = weight(g, point, "x", {0.4, 0.4});
  const Var scale = weight(g, point, "scale", {1, 1e-15});
  const Var right = tanh(slice(x, 0, 1)), low = slice(x, 1, 2);
  const Var both = concat({{right, g.tape().append(wrong, {&low, 1})}});
  const CheckReport r = check_gradients(sum(both * scale), Vars{x}, point);
  CHECK_FALSE(r.ok());
  CHECK(r.variables[0].index == std::vector<std::int64_t>{1});
  // y = x + 100: off by a millionth is far above what rounding does
  Graph h;
  CheckPoint far;
  const Var a = weight(h, far, "a", {0.3, -1.1, 0.8});
  const Var y = h.tape().append(wrong, {&a, 1}) + 100.0;
  CHECK_FALSE(check_gradients(mean(y * y) - mean(y) * mean(y), Vars{a}, far).ok());
}

TEST_CASE("what is not finite is said to be so, by node and step, and proves nothing", "[check]") {
  struct Row {
    std::vector<std::string> lines;
    std::string at;
  };
  // the seed draws x[1] of item 0 above 0, and something below it later
  const Row rows[]{{{"h[t] = sqrt(x[t])"}, "h["},
                   {{"h[t] = log(x[t])"}, "h["},
                   {{"h[t] = 1 / (x[t] - x[t])"}, "h[1]"},
                   {{"h[t] = exp(1000 + 0 * x[t])"}, "h[1]"},
                   {{"h[t] = pow(x[t] - 5, 0.5)"}, "h[1]"},
                   {{"a[t] = where(t == 2, -1, 1) + 0 * x[t]", "h[t] = log(a[t])"}, "h[2]"},
                   {{"y[t] ~ normal(mean = 0, std = x[t])"}, "nll:y["},
                   {{"y[t] ~ bernoulli(p = -1 - x[t] * x[t])"}, "nll:y["}};
  for (const Row& row : rows)
    for (const Method method : kMethods)
      for (const int order : {1, 2}) {
        INFO(row.lines.back() << ", method " << static_cast<int>(method) << ", order " << order);
        DefinitionCheckOptions o;
        o.method = method;
        o.order = order;
        const CheckReport r = check(equations(row.lines), o);
        CHECK_FALSE(r.ok());
        CHECK_FALSE(r.vacuous());
        REQUIRE(r.not_finite);
        CHECK(r.not_finite->label.starts_with(row.at));
        CHECK(r.not_finite->item >= 0);
      }
  // an infinite slope of a finite loss; a masked branch is no fault
  Graph g;
  CheckPoint point;
  const Var x = weight(g, point, "x", {0});
  const CheckReport steep = check_gradients(sum(sqrt(x)), Vars{x}, point);
  CHECK_FALSE(steep.ok());
  REQUIRE(steep.not_finite);
  CHECK(steep.not_finite->of == "the gradient of x");
  const CheckReport masked =
      check_gradients(sum(where(greater(x, x + 1.0), log(x - 1.0), x * 3.0)), Vars{x}, point);
  CHECK(masked.ok());
  CHECK_FALSE(masked.vacuous());
}

TEST_CASE("stop_gradient is a constant for differences, too", "[check]") {
  for (const Method method : kMethods) {
    DefinitionCheckOptions o;
    o.method = method;
    CHECK(failure(check(equations({"h[t] = tanh(x[t]) * stop_gradient(x[t] + W @ x[t])"}), o)) ==
          "");
  }
}

TEST_CASE("the command says all this, with its status", "[check][cli]") {
  const Folder f;
  for (const std::string method : {"complex", "central"}) {
    const auto nan = support::taugrad(f,
                                      "check -e 'a[t] = where(t == 2, -1, 1) + 0 * x[t]' "
                                      "-e 'h[t] = log(a[t])' --json --method " +
                                          method);
    CHECK(nan.status == 5);
    const auto report = nan.lines().at(0);
    CHECK(report["ok"] == false);
    CHECK(report["not_finite"]["at"] == "h[2]");
    CHECK(nan.err.find("N004") != std::string::npos);
    const auto words =
        support::taugrad(f, "check -e 'h[t] = sqrt(-1 - x[t] * x[t])' --method " + method);
    CHECK(words.status == 5);
    CHECK(words.err.find("not finite at h[1]") != std::string::npos);
    CHECK(words.out.find("agree") == std::string::npos);
    support::spill(f / "kink.json", R"~({"name": "kink", "index": {"t": "tau"},
 "inputs": {"x[t]": []}, "weights": {"a": {"shape": [], "init": 1}},
 "equations": ["h[t] = clamp(a, 0, 1) * x[t] + abs(min(h[t-1], 0))"]})~");
    for (const std::string order : {"1", "2"}) {
      const std::string line = "check kink.json --order " + order + " --method " + method;
      const auto kink = support::taugrad(f, line + " --json");
      CHECK(kink.status == 0);
      const auto json = nlohmann::json::parse(kink.out);
      CHECK(json["kinks"] >= 5);  // a, and its copies
      CHECK(json["variables"][0]["kink_at"].get<std::string>().starts_with("h["));
      CHECK(support::has(support::taugrad(f, line).out, "at a kink"));
    }
  }
}
