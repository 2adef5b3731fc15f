// Positions that are computed and lengths that are derived (language.md R17).
// Values by loops of the test's own, gradients by differences of those loops.
#include "positions_support.h"

using namespace taugrad;
using namespace taugrad::test;

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
