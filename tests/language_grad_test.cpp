// grad(e, v): a derivative inside an equation (language.md R18). Values by loops of the test's own.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "language_support.h"
#include "taugrad/evaluate/check.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::string code_of(const std::string& body) {
  const auto problems = problems_of([&] { unfold(define(body), {.steps = 3}); });
  return problems.front().code;
}

/// Every gradient of the loss to second order.
void check_proven(const Definition& d) {
  DefinitionCheckOptions options;
  options.order = 2;
  CHECK(check(d, options).ok());
}

}  // namespace

TEST_CASE("grad of a number by a variable at a position") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "y[t]": []},
    "equations": ["w[0] = 0.5", "w[t] = w[t-1] - 0.25 * grad(pow(w[t-1] * x[t] - y[t], 2), w[t-1])"])j");
  const std::vector<double> x{1, 2, -1, 0.5}, y{1, 0, 2, 1};
  std::vector<double> w;
  double before = 0.5;
  for (std::size_t t = 0; t < x.size(); ++t)
    w.push_back(before -= 0.25 * 2 * (before * x[t] - y[t]) * x[t]);
  check_values(evaluate_one(d, {{"x", series(x)}, {"y", series(y)}}, {}, "w"), {4, 1}, w);
  check_proven(define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "y[t]": []},
    "equations": ["w[0] = 0.5", "w[t] = w[t-1] - 0.25 * grad(pow(w[t-1] * x[t] - y[t], 2), w[t-1])"],
    "loss": "w[t] * w[t] * w[t]")j"));
}

TEST_CASE("only mentions at that position count, after normalising") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"one": 1}, "inputs": {"x[t]": []},
    "equations": ["a[t] = grad(x[t] * x[t-1] * x[t-one] + x[1], x[t-1])",
                  "b[t] = grad(x[t] * x[1] + x[t], x[t])"])j");
  const Tensors got = evaluate(d, {{"x", series({2, 3, 5})}}, {}, {"a", "b"});
  check_values(got.at("a"), {3, 1}, {0, 2 * 3 * 2, 2 * 5 * 3});
  check_values(got.at("b"), {3, 1}, {3, 3, 3});  // x[1] is another mention, also where t is 1
}

TEST_CASE("grad by a weight is per example where the number is") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [3, 2], "b": [3]},
    "equations": ["g[t] = grad(sum(tanh(W @ x[t] + b)), W)", "r = grad(sum(W * W * W), W)"])j");
  const Tensor x = numbers({1, 2, 2}, {0.1, -0.4, 0.7, 0.3});
  const Tensor W = numbers({3, 2}, {0.2, -0.3, 0.5, 0.1, -0.6, 0.4}),
               b = numbers({3}, {0.1, 0, -0.2});
  const Tensors got = evaluate(d, {{"x", x}}, {{"W", W}, {"b", b}}, {"g", "r"});
  std::vector<double> g, r;
  for (int item = 0; item < 2; ++item)
    for (int i = 0; i < 3; ++i) {
      const double z =
          W.at(2 * i) * x.at(2 * item) + W.at(2 * i + 1) * x.at(2 * item + 1) + b.at(i);
      for (int j = 0; j < 2; ++j)
        g.push_back((1 - std::tanh(z) * std::tanh(z)) * x.at(2 * item + j));
    }
  for (int i = 0; i < 6; ++i) r.push_back(3 * W.at(i) * W.at(i));
  check_values(got.at("g"), {1, 2, 3, 2}, g);
  check_values(got.at("r"), {3, 2}, r);
  check_proven(
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [3, 2], "b": [3]},
    "equations": ["h[t] = tanh(sum(grad(sum(tanh(W @ x[t] + b)), W) * W) + h[t-1])"], "loss": "h[t] * h[t]")j"));
}

TEST_CASE("grad by what all items share, and by what data name") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "a[t]": "position(t)"}, "weights": {"w": []},
    "equations": ["c = w * w", "g[t] = grad(c * c * x[t], c)", "q = grad(c * c * w, c)",
                  "p[t] = grad(pow(x[a[t]], 3) * x[t], x[a[t]])"])j");
  const Tensors got =
      evaluate(d, {{"x", numbers({2, 2}, {1, 2, 3, 4})}, {"a", symbols({2, 2}, {1, 0, 1, 2})}},
               {{"w", numbers({1}, {3})}}, {"g", "q", "p"});
  check_values(got.at("g"), {2, 2}, {18, 36, 54, 72});
  check_values(got.at("q"), {1}, {54});
  check_values(got.at("p"), {2, 2}, {3 * 1, 0, 3 * 3, 3 * 16 * 4});
}

TEST_CASE("grad within grad") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "y[t]": []},
    "equations": ["a[t] = grad(grad(x[t] * x[t] * x[t] * y[t], x[t]), x[t])",
                  "b[t] = grad(grad(x[t] * x[t] * x[t] * y[t], x[t]) * x[t], y[t])"])j");
  const Tensors got = evaluate(d, {{"x", series({2, -1})}, {"y", series({3, 5})}}, {}, {"a", "b"});
  check_values(got.at("a"), {2, 1}, {6 * 2 * 3, 6 * -1 * 5});
  check_values(got.at("b"), {2, 1}, {3 * 4 * 2, 3 * 1 * -1});
}

TEST_CASE("grad goes through reductions over an index") {
  const Definition d =
      define(R"j("index": {"t": "tau", "s": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2]},
    "equations": ["a[t] = grad(pow(sum[s](W @ x[s] * x[s] @ x[t]), 2), W)",
                  "m[t] = grad(mean[s](sum(W * W * x[s])) * sum(x[t]), W)",
                  "k[t] = grad(sum(max[s](x[s] * W)), W)",
                  "own[t] = grad(x[t] @ x[t] * sum[s](x[s] @ x[t]), x[t])",
                  "bound = grad(sum[t](x[t] @ x[t]) * (W @ W), W)"])j");
  const std::vector<double> v{0.5, -1, 2, 0.25, -0.5, 1};  // three steps
  const Tensor x = numbers({3, 1, 2}, v);
  const double W[2] = {0.3, -0.8};
  const Tensors got =
      evaluate(d, {{"x", x}}, {{"W", numbers({2}, {W[0], W[1]})}}, {"a", "m", "k", "own", "bound"});
  std::vector<double> a, m, k, own, bound;
  double squares = 0;
  for (const double e : v) squares += e * e;
  for (int t = 0; t < 3; ++t) {
    double q = 0, dq[2] = {0, 0}, s1[2] = {0, 0};
    for (int s = 0; s < 3; ++s) {
      const double dot = v[2 * s] * v[2 * t] + v[2 * s + 1] * v[2 * t + 1];
      q += (W[0] * v[2 * s] + W[1] * v[2 * s + 1]) * dot;
      for (int i = 0; i < 2; ++i) dq[i] += v[2 * s + i] * dot, s1[i] += v[2 * s + i];
    }
    const double n2 = v[2 * t] * v[2 * t] + v[2 * t + 1] * v[2 * t + 1];
    for (int i = 0; i < 2; ++i) {
      a.push_back(2 * q * dq[i]);
      m.push_back(2 * W[i] * s1[i] / 3 * (v[2 * t] + v[2 * t + 1]));
      int best = 0;
      for (int s = 1; s < 3; ++s)
        if (v[2 * s + i] * W[i] > v[2 * best + i] * W[i]) best = s;
      k.push_back(v[2 * best + i]);
      const double sum = s1[0] * v[2 * t] + s1[1] * v[2 * t + 1];
      own.push_back(2 * v[2 * t + i] * sum + n2 * s1[i]);
    }
  }
  for (const double w : W) bound.push_back(2 * w * squares);
  check_values(got.at("a"), {3, 1, 2}, a);
  check_values(got.at("m"), {3, 1, 2}, m);
  check_values(got.at("k"), {3, 1, 2}, k);
  check_values(got.at("own"), {3, 1, 2}, own);
  check_values(got.at("bound"), {1, 2}, bound);
  check_proven(
      define(R"j("index": {"t": "tau", "s": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2]},
    "equations": ["z[t] = tanh(W * x[t])", "h[t] = tanh(grad(pow(sum[s](sum(z[s] * W * z[t])), 2), W) + z[t])"],
    "loss": "h[t] @ h[t]")j"));
}

TEST_CASE("the shares of logsumexp over an index add up to 1 at any magnitude") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["y = grad(logsumexp[t](w + x[t]), w)"])j");
  for (const double x : {0.5, 1e6, 1e12}) {
    CAPTURE(x);
    const Tensors got =
        evaluate(d, {{"x", numbers({3, 1}, {x, x, x - 1})}}, {{"w", numbers({}, {0.25})}}, {"y"});
    check_values(got.at("y"), {1}, {1}, 1e-14);
  }
}

TEST_CASE("ties of a largest over an index give to the first") {
  const Definition d =
      define(R"j("index": {"t": "tau", "s": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["g = grad(max[s](w * x[s] + 0 * s) + 0 * w, w)"])j");
  check_values(evaluate_one(d, {{"x", series({1, 4, 4, 2})}}, {{"w", numbers({1}, {2})}}, "g"), {1},
               {4});
}

TEST_CASE("grad through functions and imports") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"n": 2}, "inputs": {"x[t]": ["n"]},
    "functions": ["e(w, k) = sum(pow(w * k - 1, 2))", "step(w, k) = w - 0.1 * grad(e(w, k), w)"],
    "equations": ["w[0] = zeros(n)", "w[t] = step(w[t-1], x[t])"])j");
  const Tensor x = numbers({2, 1, 2}, {1, 2, -1, 0.5});
  std::vector<double> want, w{0, 0};
  for (int t = 0; t < 2; ++t)
    for (int i = 0; i < 2; ++i)
      want.push_back(w[i] -= 0.1 * 2 * (w[i] * x.at(2 * t + i) - 1) * x.at(2 * t + i));
  check_values(evaluate_one(d, {{"x", x}}, {}, "w"), {2, 1, 2}, want);
}

TEST_CASE("an expression whose gradient is zero, and one that is cut off") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
    "equations": ["a[t] = grad(stop_gradient(x[t]) * 2, x[t])", "b[t] = grad(x[t] * stop_gradient(x[t]), x[t])",
                  "c[t] = grad((x[t] > 0) * 1, x[t])"])j");
  const Tensors got = evaluate(d, {{"x", series({3, -2})}}, {}, {"a", "b", "c"});
  check_values(got.at("a"), {2, 1}, {0, 0});
  check_values(got.at("b"), {2, 1}, {3, -2});
  check_values(got.at("c"), {2, 1}, {0, 0});
}

TEST_CASE("items of several lengths, plain and with less memory") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"K": [2, 2], "V": [2, 2]},
    "equations": ["k[t] = K @ x[t]", "W[t] = W[t-1] - 0.3 * grad(sum(pow(W[t-1] @ k[t] - V @ x[t], 2)), W[t-1])",
                  "y[t] = W[t] @ x[t]"], "loss": "y[t] @ y[t]")j");
  Tensor x({4, 2, 2}, Dtype::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, std::sin(1.7 * static_cast<double>(i)));
  const Tensors weights{{"K", numbers({2, 2}, {0.4, 0.1, -0.3, 0.8})},
                        {"V", numbers({2, 2}, {1, -0.5, 0.2, 0.7})}};
  const Tensors inputs{{"x", x}, {"lengths", symbols({2}, {4, 2})}};
  const std::vector<std::string> fetch{"loss", "grad:K", "grad:V", "grad:x", "grad:K[2]"};
  const Tensors plain = evaluate(d, inputs, weights, fetch);
  RunOptions less;
  less.checkpoint = true;
  const Tensors lean = evaluate(d, inputs, weights, fetch, less);
  for (const std::string& name : fetch) check_near(lean.at(name), plain.at(name), 1e-13);
  // the items alone
  const Tensors first = evaluate(d, {{"x", part(x, 1, 0, 1)}}, weights, fetch);
  const Tensors second = evaluate(d, {{"x", part(part(x, 1, 1, 2), 0, 0, 2)}}, weights, fetch);
  check_near(plain.at("grad:K"), plus(first.at("grad:K"), second.at("grad:K")), 1e-13);
  check_near(plain.at("grad:V"), plus(first.at("grad:V"), second.at("grad:V")), 1e-13);
}

TEST_CASE("what grad refuses") {
  const std::string head =
      R"j("index": {"t": "tau", "s": "tau"}, "inputs": {"x[t]": [2], "c[t]": "category(2)"}, "weights": {"W": [2, 2]}, )j";
  const auto equation = [&](const std::string& e) {
    return code_of(head + "\"equations\": [\"" + e + "\"]");
  };
  CHECK(equation("h[t] = grad(sum(W @ x[t]), h[t-1])") == "E020");        // not mentioned
  CHECK(equation("h[t] = grad(sum(x[t-1]), x[t])") == "E020");            // at another position
  CHECK(equation("h[t] = grad(sum[t](sum(x[t])) * 1, x[t])") == "E020");  // bound by the reduction
  CHECK(equation("h[t] = grad(sum(dropout(x[t], 0.5)), x[t])") == "E020");
  CHECK(equation("h[t] = grad(W @ x[t], W)") == "E020");  // no number
  CHECK(equation("h[t] = grad(sum(x[t]), x[t] + 0)") == "E020");
  CHECK(equation("h[t] = grad(t * 2, t)") == "E020");
  CHECK(equation("h[t] = grad(sum(one_hot(c[t], 2)), c[t])") == "E020");
  CHECK(equation("h[t] = grad(sum(x[t]))") == "G015");
  CHECK(equation("h[t] = grad(sum(x[t]), q[t])") == "G014");
  CHECK(equation("h[t] = h[t-1] - grad(sum(pow(h[t], 2)), h[t])") ==
        "G016");  // its references count (R5)
}

TEST_CASE("grad of a number with a length in it is per example, as the length is") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["g = grad(tau * w * w, w)", "s = sum[t](x[t])"])j");
  const Tensor x({5, 2}, Dtype::f64);
  const Tensor g = evaluate(d, {{"x", x}, {"lengths", symbols({2}, {5, 3})}},
                            {{"w", numbers({1}, {1.5})}}, {"g"})
                       .at("g");
  check_values(g, {2}, {2 * 5 * 1.5, 2 * 3 * 1.5});
}
