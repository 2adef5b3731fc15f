// The functions in C++: expressions of a definition, and nodes of a graph. (docs/functions.md)
#include "language_support.h"
#include "taugrad/taugrad.h"

using namespace taugrad;
using namespace taugrad::test;
namespace tg = taugrad;

namespace {
std::string text(const Expr& e) { return e.text(); }
}  // namespace

TEST_CASE("R16: functions in C++ are the text that a file says", "[language]") {
  const Expr a("a", 9), b("b", 9);
  CHECK(text(tg::softplus(a + b)) == "softplus(a + b)");
  CHECK(text(tg::sum(a, {.axis = 1})) == "sum(a, axis=1)");
  CHECK(text(tg::max(a, {.axis = -1, .keep = true})) == "max(a, axis=-1, keep=1)");
  CHECK(text(tg::norm(a, {.keep = true})) == "norm(a, keep=1)");
  CHECK(text(tg::max(a, b)) == "max(a, b)");
  CHECK(text(tg::max(0, a)) == "max(0, a)");
  CHECK(text(tg::max(a)) == "max(a)");
  CHECK(text(tg::softmax(a, 0)) == "softmax(a, axis=0)");
  CHECK(text(tg::softmax(a)) == "softmax(a)");
  CHECK(text(tg::transpose(a, {0, 2, 1})) == "transpose(a, 0, 2, 1)");
  CHECK(text(tg::solve(a, b)) == "solve(a, b)");
  CHECK(text(tg::reshape(a, {2, b})) == "reshape(a, 2, b)");
  CHECK(text(tg::clamp(a, -INFINITY, b)) == "clamp(a, -inf, b)");
}

TEST_CASE("R16: a definition built in C++ evaluates them", "[language]") {
  Definition d("cell");
  const auto t = d.index("t", "tau");
  const auto x = d.input("x", {t}, {2});
  auto h = d.variable("h", {t}), y = d.variable("y", {t});
  h(t) = tg::log_sigmoid(x(t)) + tg::sum(tg::outer(x(t), x(t)), {.axis = 0});
  y(t) = tg::argmax(h(t));
  const Tensors v = evaluate(d, {{"x", numbers({1, 1, 2}, {1, 2})}}, {}, {"h", "y"});
  check_values(v.at("h"), {1, 1, 2}, {3 - std::log1p(std::exp(-1)), 6 - std::log1p(std::exp(-2))});
  check_values(v.at("y"), {1, 1}, {1});
}

TEST_CASE("R16: functions of nodes", "[language]") {
  Graph g;
  const Var a = g.weight("a", {2, 3});
  CHECK(sum(a, {.axis = 0}).shape() == Shape{3});
  CHECK(max(a, {.axis = -1, .keep = true}).shape() == Shape{2, 1});
  CHECK(logsumexp(a, {.keep = true}).shape() == Shape{1, 1});
  CHECK(prod(a, {.axis = 1}).shape() == Shape{2});
  CHECK(softmax(a, 0).shape() == Shape{2, 3});
  CHECK(outer(a, a).shape() == Shape{2, 3, 3});
  CHECK(matmul(outer(a, a), transpose(a)).shape() == Shape{2, 3, 2});
  CHECK(solve(matmul(a, transpose(a)), g.weight("b", {2})).shape() == Shape{2});
  CHECK(at(a, g.constant(1)).shape() == Shape{3});
  const Var loss =
      g.name(sum(softplus(a) * gelu(a)) + norm(unit(a)) + sum(clamp(a, a * 0.5, a + 1.0)), "loss");
  CHECK(tg::check(g, loss).ok());
}

TEST_CASE("R16: what stands nowhere is inferred through the functions", "[language]") {
  const auto shapes = [](const std::vector<std::string>& equations) {
    const Definition d = definition_from_equations(equations);
    std::string all;
    for (const WeightDeclaration& w : d.weights) {
      all += w.name.text + "[";
      for (const Text& axis : w.shape) all += axis.text + (&axis == &w.shape.back() ? "" : ",");
      all += "] ";
    }
    return all;
  };
  CHECK(shapes({"h[t] = softplus(matvec(W, h[t-1]) + U @ x[t])"}) == "U[m,n] W[m,m] ");
  CHECK(shapes({"h[t] = rms_norm(W @ h[t-1] + x[t], g)"}) == "g[n] W[n,n] ");
  CHECK(shapes({"h[t] = conv[t](K, x[t-2], dilation=2)"}) == "K[p,m,n] ");
  CHECK(shapes({"h[t] = max(W @ h[t-1], b) + U @ x[t]"}) == "U[m,n] b[m] W[m,m] ");
}
