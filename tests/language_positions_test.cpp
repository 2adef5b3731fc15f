// Positions that are computed, lengths that are derived, positions that are data (language.md R17).
// Values by loops of the test's own, gradients by differences of those loops.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "language_support.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::vector<std::string> codes_of(const std::string& body) {
  std::vector<std::string> codes;
  for (const Diagnostic& d : problems_of([&] { unfold(define(body), {.steps = 4}); }))
    codes.push_back(d.code);
  return codes;
}
std::string code_of_run(const std::string& body, const Tensors& inputs,
                        const RunOptions& options = {}) {
  return problems_of([&] { evaluate(define(body), inputs, {}, {"h"}, options); }).front().code;
}

void check_proven(const std::string& body) {
  DefinitionCheckOptions options;
  options.order = 2;
  options.steps = 5;
  CHECK(check(define(body), options).ok());
}

/// Central differences of f in every element.
std::vector<double> slopes(std::vector<double> x,
                           const std::function<double(const std::vector<double>&)>& f) {
  std::vector<double> g;
  for (double& e : x) {
    const double before = e, h = 1e-5;
    e = before + h;
    const double up = f(x);
    e = before - h;
    g.push_back((up - f(x)) / (2 * h));
    e = before;
  }
  return g;
}

std::vector<double> waves(std::size_t count, double step) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(std::sin(step * static_cast<double>(i + 1)));
  return values;
}

double at(const std::vector<double>& x, int position) {  // R4: zero outside
  return position < 1 || position > static_cast<int>(x.size())
             ? 0
             : x[static_cast<std::size_t>(position) - 1];
}

}  // namespace

TEST_CASE("affine positions: coefficients, sizes, constants, lengths, division") {
  const std::string body =
      R"j("index": {"t": "tau"}, "sizes": {"c": 3}, "constants": {"two": 2}, "inputs": {"x[t]": []},
    "equations": ["a[t] = x[2*t - 1]", "b[t] = x[tau + 1 - t]", "d[t] = x[(t + 1) / 2]", "e[t] = x[c*t - t - t]",
                  "f[t] = x[-t + two]", "g[t] = x[(t - 4) / 2 + 3]", "k = x[c]", "l = x[tau/2]", "h[t] = x[t + c - two]",
                  "m[t] = x[(t - 4) / -1]", "n[t] = x[(t + 1) / -2 + 4]"])j";
  const std::vector<double> x = waves(5, 1.3);
  const Tensors got = evaluate(define(body), {{"x", series(x)}}, {},
                               {"a", "b", "d", "e", "f", "g", "k", "l", "h", "m", "n"});
  std::vector<double> a, b, d, e, f, g, h, m, n;
  for (int t = 1; t <= 5; ++t) {
    a.push_back(at(x, 2 * t - 1));
    b.push_back(at(x, 6 - t));
    d.push_back(at(x, (t + 1) / 2));
    e.push_back(at(x, t));
    f.push_back(at(x, 2 - t));
    g.push_back(at(x, static_cast<int>(std::floor((t - 4) / 2.0)) + 3));
    h.push_back(at(x, t + 1));
    m.push_back(at(x, 4 - t));
    n.push_back(at(x, static_cast<int>(std::floor((t + 1) / -2.0)) + 4));
  }
  check_values(got.at("a"), {5, 1}, a);
  check_values(got.at("b"), {5, 1}, b);
  check_values(got.at("d"), {5, 1}, d);
  check_values(got.at("e"), {5, 1}, e);
  check_values(got.at("f"), {5, 1}, f);
  check_values(got.at("g"), {5, 1}, g);
  check_values(got.at("h"), {5, 1}, h);
  check_values(got.at("m"), {5, 1}, m);
  check_values(got.at("n"), {5, 1}, n);
  check_values(got.at("k"), {1}, {x[2]});
  check_values(got.at("l"), {1}, {x[1]});
}

TEST_CASE("each item counts from its own length") {
  const std::string body = R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["b[t] = w * x[tau + 1 - t]", "m = x[(tau + 1) / 2]"], "loss": ["b[t] * x[t]", "m * m"])j";
  Tensor x({5, 2}, Dtype::f64);
  for (std::int64_t i = 0; i < 10; ++i) x.set(i, std::cos(static_cast<double>(i)));
  const Tensors weights{{"w", numbers({1}, {1.5})}};
  const Tensors got = evaluate(define(body), {{"x", x}, {"lengths", symbols({2}, {5, 3})}}, weights,
                               {"b", "m", "loss", "grad:x", "grad:w"});
  for (int item = 0; item < 2; ++item) {
    const int n = item == 0 ? 5 : 3;
    std::vector<double> own;
    for (int t = 0; t < n; ++t) own.push_back(x.at(2 * t + item));
    for (int t = 1; t <= 5; ++t)
      CHECK(got.at("b").at(2 * (t - 1) + item) ==
            Approx(t <= n ? 1.5 * at(own, n + 1 - t) : 0).margin(1e-14));
    CHECK(got.at("m").at(item) == Approx(at(own, (n + 1) / 2)));
    const auto loss = [n](const std::vector<double>& v) {
      double sum = at(v, (n + 1) / 2) * at(v, (n + 1) / 2);
      for (int t = 1; t <= n; ++t) sum += 1.5 * at(v, n + 1 - t) * at(v, t);
      return sum;
    };
    const std::vector<double> slope = slopes(own, loss);
    for (int t = 0; t < 5; ++t)
      CHECK(got.at("grad:x").at(2 * t + item) ==
            Approx(t < n ? slope[static_cast<std::size_t>(t)] : 0).margin(1e-8));
  }
}

TEST_CASE("letters of a position may be bound by a reduction") {
  const std::string body =
      R"j("index": {"t": "tau", "p": "tau / c", "k": "c"}, "sizes": {"c": 2}, "inputs": {"x[t]": []},
    "equations": ["s[p] = sum[k](x[p*c - c + k] * k)"])j";
  const std::vector<double> x = waves(5, 0.7);
  check_values(evaluate_one(define(body), {{"x", series(x)}}, {}, "s"), {2, 1},
               {x[0] + 2 * x[1], x[2] + 2 * x[3]});
  check_proven(
      R"j("index": {"t": "tau", "p": "tau / c", "k": "c"}, "sizes": {"c": 2}, "inputs": {"x[t]": []}, "weights": {"w[k]": []},
    "equations": ["s[p] = tanh(sum[k](x[p*c - c + k] * w[k]) + s[p-1])"], "loss": "s[p] * s[p]")j");
}

TEST_CASE("derived lengths, for each item from its own") {
  const std::string body =
      R"j("index": {"t": "tau", "s": "(tau + 1) / 2", "u": "(1 + tau)/2", "r": "tau - 3"}, "inputs": {"x[t]": [], "z[s]": []},
    "equations": ["p[s] = x[2*s - 1] + x[2*s] + z[s]", "q[u] = p[u]", "n[r] = x[r]", "h = p[last]", "c[t] = p[(t + 1) / 2]"],
    "loss": ["p[s] * p[s]", "h * c[t]", "n[r]"])j";
  Tensor x({5, 3}, Dtype::f64), z({3, 3}, Dtype::f64);
  for (std::int64_t i = 0; i < 15; ++i) x.set(i, std::cos(1.1 * static_cast<double>(i)));
  for (std::int64_t i = 0; i < 9; ++i) z.set(i, std::sin(0.9 * static_cast<double>(i)));
  const std::vector<std::int64_t> lengths{5, 2, 0};
  const Tensors got =
      evaluate(define(body), {{"x", x}, {"z", z}, {"lengths", symbols({3}, lengths)}}, {},
               {"p", "q", "n", "h", "c", "grad:x", "grad:z", "loss"});
  CHECK(got.at("p").dims() == Dims{3, 3});
  CHECK(got.at("n").dims() == Dims{2, 3});
  CHECK(got.at("q") == got.at("p"));
  for (int item = 0; item < 3; ++item) {
    const int n = static_cast<int>(lengths[static_cast<std::size_t>(item)]), half = (n + 1) / 2;
    std::vector<double> own;
    for (int t = 0; t < n; ++t) own.push_back(x.at(3 * t + item));
    const auto p_of = [&](const std::vector<double>& v, int s) {
      return s < 1 || s > half ? 0 : at(v, 2 * s - 1) + at(v, 2 * s) + z.at(3 * (s - 1) + item);
    };
    const auto loss = [&](const std::vector<double>& v) {
      double sum = 0;
      for (int s = 1; s <= half; ++s) sum += p_of(v, s) * p_of(v, s);
      for (int t = 1; t <= n; ++t) sum += p_of(v, half) * p_of(v, (t + 1) / 2);
      for (int r = 1; r <= n - 3; ++r) sum += at(v, r);
      return sum;
    };
    for (int s = 1; s <= 3; ++s)
      CHECK(got.at("p").at(3 * (s - 1) + item) == Approx(p_of(own, s)).margin(1e-14));
    for (int r = 1; r <= 2; ++r)
      CHECK(got.at("n").at(3 * (r - 1) + item) ==
            Approx(r <= n - 3 ? at(own, r) : 0).margin(1e-14));
    CHECK(got.at("h").at(item) == Approx(p_of(own, half)).margin(1e-14));
    CHECK(got.at("loss").at(item) == Approx(loss(own)).margin(1e-13));
    const std::vector<double> slope = slopes(own, loss);
    for (int t = 0; t < 5; ++t)
      CHECK(got.at("grad:x").at(3 * t + item) ==
            Approx(t < n ? slope[static_cast<std::size_t>(t)] : 0).margin(1e-8));
  }
}

TEST_CASE("what derived lengths refuse") {
  const std::string head =
      R"j("index": {"t": "tau", "s": "(tau + 1) / 2"}, "inputs": {"x[t]": []}, )j";
  const std::string plain = head + R"j("equations": ["h[s] = x[2*s]"])j";
  const Tensor x = series({1, 2, 3});
  CHECK(code_of_run(plain, {{"x", x}, {"lengths:s", symbols({1}, {2})}}) == "D018");
  RunOptions asked;
  asked.lengths = {{"s", 2}};
  CHECK(code_of_run(plain, {{"x", x}}, asked) == "D018");
  CHECK_NOTHROW(evaluate(define(plain), {{"x", x}, {"lengths", symbols({1}, {2})}}, {}, {"h"}));
  CHECK(code_of_run(head + R"j("equations": ["h[s] = x[2*s] + y[s]"])j", {{"x", x}}) == "G014");
  const std::string input =
      R"j("index": {"t": "tau", "s": "(tau + 1) / 2"}, "inputs": {"x[t]": [], "y[s]": []}, "equations": ["h[s] = x[2*s] + y[s]"])j";
  CHECK(code_of_run(input, {{"x", x}, {"y", x}}) == "D011");  // 2 positions are wanted
  CHECK(
      codes_of(
          R"j("index": {"t": "tau", "s": "3 - tau"}, "inputs": {"x[t]": []}, "equations": ["h[s] = x[s]"])j")
          .front() == "E022");
  CHECK(
      codes_of(
          R"j("index": {"t": "tau", "s": "t + 1"}, "inputs": {"x[t]": []}, "equations": ["h[s] = x[s]"])j")
          .front() == "E022");
  CHECK(
      codes_of(
          R"j("index": {"t": "tau", "s": "sigma + 1"}, "inputs": {"x[t]": []}, "equations": ["h[s] = x[s]"])j")
          .front() == "G014");
  CHECK(
      codes_of(
          R"j("index": {"t": "tau", "s": "tau / 2"}, "weights": {"v": [3]}, "equations": ["y[t] ~ categorical(logits = v)", "h[s] = one_hot(y[2*s], 3)"],
    "ends": {"t": "y[t] == 0"})j")
          .front() == "E022");
  // of another index where neither follows from the other
  CHECK(
      codes_of(
          R"j("index": {"t": "tau", "s": "sigma"}, "inputs": {"x[t]": []}, "equations": ["h[s] = x[s]"])j")
          .front() == "E007");
}

TEST_CASE("a tree: data positions inside a component") {
  const std::string body =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "left[t]": "position(t)", "right[t]": "position(t)"}, "weights": {"a": [], "b": []},
    "equations": ["h[0] = b", "h[t] = tanh(x[t] + a * h[left[t]] + h[right[t] - 1])"], "loss": "h[last] + 0.5 * h[t] * h[t]")j";
  Tensor x({5, 2}, Dtype::f64);
  for (std::int64_t i = 0; i < 10; ++i) x.set(i, std::sin(2.1 * static_cast<double>(i)));
  // what stands past the end of the second item is never looked at
  const Tensor left = symbols({5, 2}, {0, 0, 1, 1, 0, 2, 2, 77, 3, -9}),
               right = symbols({5, 2}, {0, 0, 1, 0, 2, 1, 0, 5, 4, 5});
  const Tensors weights{{"a", numbers({1}, {0.7})}, {"b", numbers({1}, {-0.3})}};
  const Tensors inputs{
      {"x", x}, {"left", left}, {"right", right}, {"lengths", symbols({2}, {5, 3})}};
  const std::vector<std::string> fetch{"h",      "loss", "grad:x",    "grad:a",   "grad:b",
                                       "grad:h", "h[0]", "grad:h[0]", "grad:a[2]"};
  const Tensors got = evaluate(define(body), inputs, weights, fetch);
  double by_a = 0, by_b = 0;
  for (int item = 0; item < 2; ++item) {
    const int n = item == 0 ? 5 : 3;
    std::vector<double> values;  // x, then a, then b
    for (int t = 0; t < n; ++t) values.push_back(x.at(2 * t + item));
    values.push_back(0.7);
    values.push_back(-0.3);
    std::vector<double> h;
    const auto loss = [&](const std::vector<double>& v) {
      const auto own = static_cast<std::size_t>(n);
      h.assign(1, v[own + 1]);
      double sum = 0;
      for (int t = 1; t <= n; ++t) {
        const auto l = static_cast<std::size_t>(left.at(2 * (t - 1) + item));
        const double r = right.at(2 * (t - 1) + item) - 1;
        h.push_back(std::tanh(v[static_cast<std::size_t>(t) - 1] + v[own] * h[l] +
                              (r < 0 ? 0 : h[static_cast<std::size_t>(r)])));
        sum += 0.5 * h.back() * h.back();
      }
      return sum + n * h.back();
    };
    CHECK(got.at("loss").at(item) == Approx(loss(values)));
    for (int t = 1; t <= 5; ++t)
      CHECK(got.at("h").at(2 * (t - 1) + item) ==
            Approx(t <= n ? h[static_cast<std::size_t>(t)] : 0).margin(1e-13));
    const std::vector<double> slope = slopes(values, loss);
    for (int t = 0; t < 5; ++t)
      CHECK(got.at("grad:x").at(2 * t + item) ==
            Approx(t < n ? slope[static_cast<std::size_t>(t)] : 0).margin(1e-8));
    by_a += slope[static_cast<std::size_t>(n)];
    by_b += slope[static_cast<std::size_t>(n) + 1];
  }
  CHECK(got.at("grad:a").at(0) == Approx(by_a).margin(1e-8));
  CHECK(got.at("grad:b").at(0) == Approx(by_b).margin(1e-8));
  RunOptions lean;
  lean.checkpoint = true;
  const Tensors less = evaluate(define(body), inputs, weights, fetch, lean);
  for (const std::string& name : fetch) check_near(less.at(name), got.at(name), 1e-13);
  check_proven(body);
}

TEST_CASE("data positions the other way, of two indices, into another index, and as numbers") {
  const std::string up =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "up[t]": "position(t) > t"},
    "equations": ["g[tau+1] = 2", "g[t] = x[t] + 0.5 * g[up[t]]"])j";
  check_values(
      evaluate_one(define(up), {{"x", series({1, 2, 3})}, {"up", symbols({3, 1}, {3, 4, 9})}}, {},
                   "g"),
      {3, 1}, {1 + 0.5 * 3, 2 + 0.5 * 2, 3});
  check_proven(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "up[t]": "position(t) > t"}, "equations": ["g[t] = tanh(x[t] + 0.5 * g[up[t]])"], "loss": "g[t]*g[t]")j");

  const std::string copies =
      R"j("index": {"t": "tau", "s": "sigma"}, "inputs": {"x[s]": [], "w[s,t]": [], "a[t]": "position(s)", "y[t]": "category(3)", "j[t]": "position(t)"},
    "equations": ["c[t] = x[a[t]] + w[a[t], t]", "d[t] = x[a[t-1]] * a[t]", "o[t] = one_hot(y[j[t]], 3)", "n[t] = x[a[j[t]]]", "m[t] = x[2*a[t] - 3]"])j";
  const std::vector<double> w = waves(6, 0.8);
  const Tensors in{{"x", series({5, 7, 11})},
                   {"w", numbers({3, 2, 1}, w)},
                   {"a", symbols({2, 1}, {2, 3})},
                   {"y", symbols({2, 1}, {2, 1})},
                   {"j", symbols({2, 1}, {2, 0})}};
  const Tensors got = evaluate(define(copies), in, {}, {"c", "d", "o", "n", "m"});
  check_values(got.at("c"), {2, 1}, {7 + w[2], 11 + w[5]});
  check_values(got.at("d"), {2, 1}, {0 * 2, 7 * 3});
  check_values(got.at("o"), {2, 1, 3}, {0, 1, 0, 0, 0, 0});
  check_values(got.at("n"), {2, 1}, {11, 0});
  check_values(got.at("m"), {2, 1}, {5, 11});
  // a number without a gradient
  const std::string number =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "a[t]": "position(t)"}, "equations": ["h[t] = tanh(a[t] * x[t] * x[a[t]] / 4)"], "loss": "h[t] * h[t]")j";
  check_proven(number);
  CHECK(
      problems_of([&] {
        evaluate(define(number), {{"x", series({1})}, {"a", symbols({1, 1}, {1})}}, {}, {"grad:a"});
      })
          .front()
          .code == "U020");
}

TEST_CASE("data positions that break the order, or are none") {
  const std::string body =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "left[t]": "position(t)"}, "equations": ["h[t] = x[t] + h[left[t]]"])j";
  const auto run = [&](const Tensor& left) {
    const auto problems = problems_of([&] {
      evaluate(define(body), {{"x", numbers({3, 2}, {1, 2, 3, 4, 5, 6})}, {"left", left}}, {},
               {"h"});
    });
    return problems.front();
  };
  const Diagnostic d = run(symbols({3, 2}, {0, 0, 1, 1, 2, 3}));
  CHECK(d.code == "D017");
  CHECK(d.message.find("position [3] of item 1") != std::string::npos);
  CHECK(run(numbers({3, 2}, {0, 0, 0.5, 0, 0, 0})).code == "D017");
  const std::string up =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "up[t]": "position(t) > t"}, "equations": ["h[t] = x[t] + h[up[t]]"])j";
  CHECK(code_of_run(up, {{"x", series({1, 2})}, {"up", symbols({2, 1}, {2, 2})}}) == "D017");
  // to what is settled they may point anywhere
  const std::string anywhere =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "a[t]": "position(t)"}, "equations": ["h[t] = x[a[t]]"])j";
  check_values(evaluate_one(define(anywhere),
                            {{"x", series({1, 2})}, {"a", symbols({2, 1}, {2, -40})}}, {}, "h"),
               {2, 1}, {2, 0});
}

TEST_CASE("what may stand inside a component") {
  const std::string head =
      R"j("index": {"t": "tau", "s": "sigma", "r": "tau / 2"}, "inputs": {"x[t]": [], "a[t]": "position(t)", "b[t]": "position(s)", "up[t]": "position(t) > t"}, )j";
  const auto code = [&](const std::string& e) {
    return codes_of(head + "\"equations\": [\"" + e + "\"]").front();
  };
  CHECK(code("h[t] = x[t] + h[t/2]") == "E009");
  CHECK(code("h[t] = x[t] + h[2*t - 2]") == "E009");
  CHECK(code("h[t] = x[t] + h[tau + 1 - t]") == "E009");
  CHECK(code("h[t] = x[t] + h[a[t] + 1]") == "E009");
  CHECK(code("h[t] = x[t] + h[a[t+1]]") == "E009");
  CHECK(code("h[t] = x[t] + h[up[t] - 1]") == "E009");
  CHECK(code("h[t] = x[t] + h[b[t]]") == "E009");
  CHECK(code("h[t] = x[t] + h[a[t]] + h[up[t]]") == "E009");
  CHECK(code("h[2*t] = x[t]") == "E007");
  CHECK(code("h[a[t]] = x[t]") == "E007");
  CHECK(code("h[t] = x[x[t]]") == "E021");
  CHECK(code("h[t] = x[t*t]") == "E021");
  CHECK(code("h[t] = x[t/0]") == "E021");
  CHECK(code("h[t] = x[tanh(t)]") == "E021");
  CHECK(code("h[t] = x[1.5*t]") == "G017");
  CHECK(code("h[t] = x[t + 2147*1000000 + 483648]") == "G017");
  unfold(define(head + "\"equations\": [\"h[t] = x[2147*1000000 + 483647]\"]"), {.steps = 4});
  CHECK(code("h[t] = x[2*q]") == "G014");
  CHECK(code("h[t] = x[2*s]") == "E007");
  // a position that has an index of its own is read with it
  CHECK(code("h[t] = x[a]") == "E007");
  CHECK(code("h[t] = x[a+0]") == "E007");
  CHECK(code("h[t] = x[a-1]") == "E007");
  CHECK(code("h[t] = x[a[a]]") == "E007");
  CHECK(code("h[t] = h[a] + x[t]") == "E007");
  CHECK(code("h[t] = x[a[t,t]]") == "E007");
  CHECK(
      codes_of(
          R"j("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": [], "a[i]": "position(j)"}, "equations": ["h[i,j] = x[i+-0, a]"])j")
          .front() == "E007");
  CHECK(
      codes_of(
          R"j("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": []}, "equations": ["r[i,j] = x[i,j]", "h[i,j] = x[i+-0, r]"])j")
          .front() == "E021");
  CHECK(
      codes_of(
          R"j("index": {"t": "tau"}, "inputs": {"a[t]": "position(q)"}, "equations": ["h[t] = a[t]"])j")
          .front() == "G014");
}

TEST_CASE("positions in C++ read as in JSON") {
  Definition d("tree");
  const auto tau = d.length("tau");
  const auto t = d.index("t", "tau"), s = d.index("s", (tau + 1) / 2);
  const auto n = d.size("n", 2);
  const auto x = d.input("x", {t}, {n});
  const auto left = d.position("left", {t}, t), up = d.position("up", {s}, s, true);
  auto h = d.variable("h", {t}), p = d.variable("p", {s}), g = d.variable("g", {t});
  h(t) = tanh(x(t) + h(left(t)) + h(left(t) - 1));
  p(s) = h(2 * s - 1) + h(2 * s) + p(up(s));
  g(t) = x(tau + 1 - t) + x(t - 1) + p((t + 1) / 2) + grad(sum(x(t) * x(t)), x(t));
  const std::string json = to_json(d);
  CHECK(json.find("\"s\": \"(tau + 1) / 2\"") != std::string::npos);
  CHECK(json.find("\"left[t]\": \"position(t)\", \"up[s]\": \"position(s) > s\"") !=
        std::string::npos);
  CHECK(d.equations.at(0).text == "h[t] = tanh(x[t] + h[left[t]] + h[left[t] - 1])");
  CHECK(d.equations.at(1).text == "p[s] = h[2 * s - 1] + h[2 * s] + p[up[s]]");
  CHECK(d.equations.at(2).text ==
        "g[t] = x[tau + 1 - t] + x[t-1] + p[(t+1) / 2] + grad(sum(x[t] * x[t]), x[t])");
  CHECK(to_json(parse_definition(json, "tree.json")) == json);
  CHECK_NOTHROW(unfold(d, {.steps = 4}));
}

TEST_CASE("a convolution's taps follow a computed reference") {
  const std::string body =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1], "a[t]": "position(t)"}, "weights": {"K": [2, 1, 1]},
    "equations": ["c[t] = conv[t](K, x[2*t - 1])", "e[t] = conv[t](K, x[a[t]])"])j";
  const std::vector<double> x = waves(4, 1.9);
  const Tensors got =
      evaluate(define(body), {{"x", numbers({4, 1, 1}, x)}, {"a", symbols({4, 1}, {4, 0, 2, 1})}},
               {{"K", numbers({2, 1, 1}, {2, -3})}}, {"c", "e"});
  std::vector<double> c, e;
  const int a[] = {4, 0, 2, 1};
  for (int t = 1; t <= 4; ++t) {
    c.push_back(2 * at(x, 2 * t - 1) - 3 * at(x, 2 * t));
    e.push_back(2 * at(x, a[t - 1]) - 3 * at(x, a[t - 1] + 1));
  }
  check_values(got.at("c"), {4, 1, 1}, c);
  check_values(got.at("e"), {4, 1, 1}, e);
}

namespace {

/// A folder of definitions that import each other; removed at the end.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("taugrad_positions_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
    add("pair", R"j("index": {"t": "tau", "s": "(tau + 1) / 2"}, "inputs": {"x[t]": []},
      "equations": ["p[s] = x[2*s - 1] + 3 * x[2*s]", "q[t] = x[tau + 1 - t]", "r[t] = x[t-1]"])j");
    add("nodes", R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "left[t]": "position(t)"},
      "equations": ["h[t] = x[t] + 2 * h[left[t]]"])j");
    add("half", R"j("index": {"t": "tau", "s": "(tau + 1) / 2"}, "inputs": {"x[t]": []},
      "equations": ["p[s] = x[2*s - 1]"])j");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Definition load(const std::string& body) const {
    add("outer", body);
    return load_definition((path_ / "outer.json").string());
  }
  std::string code(const std::string& body) const {
    return problems_of([&] { unfold(load(body), {.steps = 4}); }).front().code;
  }

 private:
  void add(const std::string& name, const std::string& body) const {
    std::ofstream(path_ / (name + ".json")) << "{\"name\": \"" << name << "\", " << body << "}";
  }
  std::filesystem::path path_;
};

const char* const kIndex = R"j("index": {"t": "tau", "s": "(tau + 1) / 2", "r": "(tau + 3) / 4"},
  "inputs": {"u[t]": [], "left[t]": "position(t)"}, )j";

}  // namespace

TEST_CASE("computed positions, derived lengths and data positions through imports") {
  const Folder folder;
  const Definition d = folder.load(std::string(kIndex) + R"j("imports": {
      "a": {"from": "pair", "inputs": {"x[t]": "u[t]"}},
      "b": {"from": "pair", "index": {"t": "s", "s": "r"}, "inputs": {"x[t]": "a.p[s]"}},
      "c": {"from": "pair", "inputs": {"x[t]": "u[t+1] * 2 + u[2*t]"}},
      "d": {"from": "nodes", "inputs": {"x[t]": "u[t]", "left[t]": "left[t]"}}},
    "equations": ["o[r] = b.p[r]", "e[t] = c.r[t]", "g[s] = c.p[s]", "k[t] = a.q[t]", "h[t] = d.h[t]", "f[s] = b.q[s]"])j");
  const std::vector<double> u = waves(5, 1.1);
  const int left[] = {0, 1, 1, 2, 4};
  const Tensors got = evaluate(d, {{"u", series(u)}, {"left", symbols({5, 1}, {0, 1, 1, 2, 4})}},
                               {}, {"o", "e", "g", "k", "h", "f"});
  std::vector<double> p, o, e, g, k, h, f;
  for (int s = 1; s <= 3; ++s) p.push_back(at(u, 2 * s - 1) + 3 * at(u, 2 * s));
  for (int r = 1; r <= 2; ++r) o.push_back(at(p, 2 * r - 1) + 3 * at(p, 2 * r));
  const auto bound = [&](int t) { return at(u, t + 1) * 2 + at(u, 2 * t); };
  for (int t = 1; t <= 5; ++t) {
    e.push_back(bound(t - 1));
    k.push_back(at(u, 6 - t));
    h.push_back(at(u, t) + 2 * at(h, left[t - 1]));
  }
  for (int s = 1; s <= 3; ++s) {
    g.push_back(bound(2 * s - 1) + 3 * bound(2 * s));
    f.push_back(at(p, 4 - s));
  }
  check_values(got.at("o"), {2, 1}, o);
  check_values(got.at("e"), {5, 1}, e);
  check_values(got.at("g"), {3, 1}, g);
  check_values(got.at("k"), {5, 1}, k);
  check_values(got.at("h"), {5, 1}, h);
  check_values(got.at("f"), {3, 1}, f);
}

TEST_CASE("imports that do not fit computed positions") {
  const Folder folder;
  const auto code = [&](const std::string& import, const std::string& equation) {
    return folder.code(std::string(kIndex) + "\"imports\": {\"a\": " + import +
                       "}, \"equations\": [\"" + equation + "\"]");
  };
  CHECK(code(R"j({"from": "pair", "inputs": {"x[t]": "u[t]"}, "reverse": ["t"]})j",
             "o[t] = a.q[t]") == "E021");
  CHECK(code(R"j({"from": "pair", "inputs": {"x[t]": "u[t]"}, "reverse": ["s"]})j",
             "o[s] = a.p[s]") == "E021");
  // no letter of the position is reversed, but what it reads is
  CHECK(code(R"j({"from": "half", "inputs": {"x[t]": "u[t]"}, "reverse": ["t"]})j",
             "o[s] = a.p[s]") == "E021");
  CHECK(
      code(
          R"j({"from": "nodes", "inputs": {"x[t]": "u[t]", "left[t]": "left[t]"}, "reverse": ["t"]})j",
          "o[t] = a.h[t]") == "E021");
  CHECK(code(R"j({"from": "pair", "index": {"s": "r"}, "inputs": {"x[t]": "u[t]"}})j",
             "o[r] = a.p[r]") == "E022");
  CHECK(code(R"j({"from": "nodes", "inputs": {"x[t]": "u[t]", "left[t]": "u[t]"}})j",
             "o[t] = a.h[t]") == "E021");
}
