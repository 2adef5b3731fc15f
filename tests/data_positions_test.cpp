// Positions that are data (language.md R17). Values by loops of the test's own, gradients by
// differences of those loops.
#include "positions_support.h"

using namespace taugrad;
using namespace taugrad::test;

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
