// Lengths and `run`, one by one.                                             (docs/language.md
// R14-R15)
#include "language_support.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {
double log_softmax_of(const std::vector<double>& z, std::size_t k) {
  double sum = 0;
  for (const double v : z) sum += std::exp(v);
  return z[k] - std::log(sum);
}
}  // namespace

TEST_CASE("R14: a drawn length is a category whose number is the length", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "weights": {"l": [4], "p": [2]}, "equations": [
    "tau ~ categorical(logits = l)", "y[t] ~ categorical(logits = p * (tau - t))"])j");
  const Tensors weights{{"l", numbers({4}, {0, 1, 2, 3})}, {"p", numbers({2}, {1, 0})}};
  const Tensors inputs{{"y", symbols({2, 3}, {0, 0, 9, 1, 9, 9})},
                       {"lengths", symbols({3}, {2, 1, 0})}};
  const Tensors v = evaluate(d, inputs, weights, {"nll:tau", "nll:y", "loss"});
  const auto of_length = [](std::size_t n) { return -log_softmax_of({0, 1, 2, 3}, n); };
  const double first = -log_softmax_of({1, 0}, 0), even = std::log(2);
  check_values(v.at("nll:tau"), {3}, {of_length(2), of_length(1), of_length(0)});
  check_values(v.at("nll:y"), {2, 3}, {first, even, 0, even, 0, 0});
  check_values(v.at("loss"), {3}, {of_length(2) + first + even, of_length(1) + even, of_length(0)});
  const Tensors given = evaluate(d, {{"y", symbols({2, 1}, {0, 1})}, {"tau", symbols({1}, {1})}},
                                 weights, {"loss", "tau"});
  check_values(given.at("loss"), {1}, {of_length(1) + even});
  check_values(given.at("tau"), {1}, {1});
}

TEST_CASE("R14: a stop variable that is not given is 1 at the end and 0 before", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": ["s[t] ~ bernoulli(logits = x[t])"], "ends": {"t": "s[t] == 1"})j");
  const Tensors inputs{{"x", numbers({3, 2}, {1, 2, 3, 99, 5, 99})},
                       {"lengths", symbols({2}, {3, 1})}};
  const auto keep = [](double z) { return std::log1p(std::exp(z)); };
  const auto stop = [](double z) { return std::log1p(std::exp(-z)); };
  const Tensors v = evaluate(d, inputs, {}, {"nll:s", "loss", "s"});
  check_values(v.at("nll:s"), {3, 2}, {keep(1), stop(2), keep(3), 0, stop(5), 0});
  check_values(v.at("s"), {3, 2}, {0, 1, 0, 0, 1, 0});
  check_values(v.at("loss"), {2}, {keep(1) + keep(3) + stop(5), stop(2)});
}

TEST_CASE("R14: several lengths are given by index", "[language]") {
  const Definition d = define(
      R"j("index": {"s": "n", "t": "tau"}, "inputs": {"u[s]": [], "x[t]": []}, "equations": ["a = sum[s](u[s])", "b[t] = x[t] * a + n"])j");
  Tensors inputs{{"u", numbers({2, 2}, {1, 2, 3, 4})},
                 {"x", numbers({1, 2}, {1, 1})},
                 {"lengths:s", symbols({2}, {2, 1})},
                 {"lengths:tau", symbols({2}, {0, 1})}};
  const Tensors v = evaluate(d, inputs, {}, {"a", "b"});
  check_values(v.at("a"), {2}, {4, 2});
  check_values(v.at("b"), {1, 2}, {0, 3});
  inputs.erase("lengths:s");
  inputs["lengths"] = symbols({2}, {1, 1});
  CHECK(problems_of([&] { evaluate_one(d, inputs, {}, "a"); })[0].code == "D014");
}

TEST_CASE("R14: --steps tells a length that no tensor tells", "[language]") {
  const Definition d = define(
      R"("index": {"s": "n", "t": "tau"}, "inputs": {"z": []}, "equations": ["a[s,t] = z * s * t"])");
  RunOptions o;
  o.lengths = {{"s", 2}, {"tau", 1}};
  check_values(evaluate_one(d, {{"z", numbers({1}, {5})}}, {}, "a", o), {2, 1, 1}, {5, 10});
  o.lengths.clear();
  CHECK(problems_of([&] {
          evaluate_one(d, {{"z", numbers({1}, {5})}}, {}, "a", o);
        })[0]
            .code == "G022");
}

TEST_CASE("R15: a tensor is required only where something fetched depends on it", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "z[t]": []}, "weights": {"W": [2, 2], "v": [2]},
    "equations": ["h[t] = W @ x[t]", "o[t] = v @ h[t] * z[t]", "y[t] ~ normal(mean = o[t], std = 1)"])j");
  const Tensors inputs{{"x", numbers({1, 1, 2}, {1, 2})}},
      weights{{"W", numbers({2, 2}, {1, 2, 3, 4})}};
  check_values(evaluate_one(d, inputs, weights, "h"), {1, 1, 2}, {5, 11});
  const auto code = [&](const Tensors& i, const Tensors& w, const char* fetch) {
    return problems_of([&] { evaluate_one(d, i, w, fetch); })[0].code;
  };
  CHECK(code(inputs, weights, "o") == "D010");
  CHECK(code(inputs, {{"v", numbers({2}, {1, 1})}}, "h") == "D010");
  CHECK(code({{"x", numbers({1, 1, 2}, {1, 2})}, {"u", numbers({1, 1}, {1})}}, weights, "h") ==
        "D016");
  CHECK(code({{"h", numbers({1, 1, 2}, {1, 2})}}, weights, "h") == "D016");
  CHECK(code({{"x", numbers({1, 1, 3}, {1, 2, 3})}}, weights, "h") == "D011");
  CHECK(code({{"x", numbers({1, 2}, {1, 2})}}, weights, "h") == "D011");
  CHECK(code({{"x", numbers({2, 1, 2}, {1, 2, 3, 4})}, {"z", numbers({1, 1}, {1})}}, weights,
             "h") == "D011");
  CHECK(code(inputs, {{"W", numbers({2, 1}, {1, 2})}}, "h") == "D011");
  CHECK(code(inputs, weights, "q") == "U020");
  CHECK(code(inputs, weights, "grad:y[x]") == "U020");
}

TEST_CASE("R15: unknown weights are a warning, symbols out of range an error", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"u[t]": "category(3)"}, "weights": {"E": [3]}, "equations": ["h[t] = embed(E, u[t])"])j");
  const Tensors weights{{"E", numbers({3}, {5, 6, 7})}, {"F", numbers({}, {1})}};
  const RunResult r =
      run(d, {{"u", symbols({2, 1}, {0, 2})}}, weights, {.fetch = {"h"}, .dtype = Dtype::f64});
  check_values(r.values.at("h"), {2, 1}, {5, 7});
  REQUIRE(r.warnings.size() == 1);
  CHECK(r.warnings[0].find("\"F\"") != std::string::npos);
  for (const std::int64_t bad : {-1, 3}) {
    const auto e = problems_of([&] {
      evaluate_one(d, {{"u", symbols({2, 1}, {0, bad})}}, weights, "h");
    });
    CHECK(e[0].code == "D013");
    CHECK(e[0].message.find("[2]") != std::string::npos);
  }
}

TEST_CASE("R15: with neither inputs nor weights all is drawn from the seed", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2, 2]}, "equations": ["h[t] = W @ x[t]"], "loss": "sum(h[t])")j");
  RunOptions o;
  o.steps = 3;
  o.batch = 2;
  o.seed = 5;
  const Tensors v = evaluate(d, {}, {}, {"h", "x", "W", "loss"}, o);
  CHECK(v.at("h").dims() == Dims{3, 2, 2});
  check_same(v.at("x"), random_inputs(d, {.steps = 3, .batch = 2, .seed = 5}).at("x"));
  check_same(v.at("W"), initial_weights(d, {.seed = 5}).at("W"));
  o.batch = -1;
  CHECK(evaluate_one(d, {}, {}, "h", o).dims() == Dims{3, 1, 2});
}

TEST_CASE("R15: an input is fetched as it was given, zero past an item's end, read or not",
          "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "z": [], "u[t]": "category(9)"}, "equations": ["h[t] = x[t]"])j");
  const Tensors inputs{{"x", numbers({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
                       {"z", numbers({2}, {5, 6})},
                       {"u", symbols({2, 2}, {1, 2, 3, 4})},
                       {"lengths", symbols({2}, {2, 1})}};
  const Tensors v = evaluate(d, inputs, {}, {"x", "z", "u", "x[2]"});
  check_values(v.at("x"), {2, 2, 2}, {1, 2, 3, 4, 5, 6, 0, 0});
  check_values(v.at("z"), {2}, {5, 6});
  check_values(v.at("u"), {2, 2}, {1, 2, 3, 0});
  check_values(v.at("x[2]"), {2, 2}, {5, 6, 0, 0});
  CHECK(problems_of([&] { evaluate_one(d, {{"x", inputs.at("x")}}, {}, "z"); })[0].code == "D010");
}
