// Random variables and losses, one by one.                                   (docs/language.md
// R12-R13)
#include <map>

#include "language_support.h"
#include "taugrad/language/describe.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {
RunOptions sampling(std::vector<std::string> names, std::uint64_t seed = 1) {
  RunOptions o;
  o.seed = seed;
  for (const std::string& name : names) o.modes[name] = Mode::sampled;
  return o;
}
double log_softmax_of(const std::vector<double>& z, std::size_t k) {
  double sum = 0;
  for (const double v : z) sum += std::exp(v);
  return z[k] - std::log(sum);
}
}  // namespace

TEST_CASE("R12: the three distributions, in nats", "[language]") {
  const Definition d = define(R"j("inputs": {"l": [3], "z": [2], "m": [2], "s": []}, "equations": [
    "a ~ categorical(logits = l)", "b ~ categorical(p = softmax(l))", "c ~ bernoulli(logits = z)", "e ~ bernoulli(p = sigmoid(z))",
    "f ~ normal(mean = m, std = s)"])j");
  const Tensors inputs{{"l", numbers({1, 3}, {1, 2, -1})}, {"z", numbers({1, 2}, {0.5, -1.5})},
                       {"m", numbers({1, 2}, {1, 2})},     {"s", numbers({1}, {0.5})},
                       {"a", symbols({1}, {1})},           {"b", symbols({1}, {2})},
                       {"c", numbers({1, 2}, {1, 0})},     {"e", numbers({1, 2}, {1, 0})},
                       {"f", numbers({1, 2}, {1.5, 1})}};
  const Tensors v = evaluate(d, inputs, {}, {"nll:a", "nll:b", "nll:c", "nll:e", "nll:f", "loss"});
  const double a = -log_softmax_of({1, 2, -1}, 1), b = -log_softmax_of({1, 2, -1}, 2);
  const double c = std::log1p(std::exp(-0.5)) + std::log1p(std::exp(-1.5));
  const double f = 2 * std::log(0.5 * std::sqrt(2 * 3.14159265358979323846)) + 0.5 * (1 + 4);
  check_values(v.at("nll:a"), {1}, {a});
  check_values(v.at("nll:b"), {1}, {b});
  check_values(v.at("nll:c"), {1}, {c});
  check_values(v.at("nll:e"), {1}, {c});
  check_values(v.at("nll:f"), {1}, {f});
  check_values(v.at("loss"), {1}, {a + b + 2 * c + f}, 1e-13);
}

TEST_CASE("R12: observed, the value read is the data: teacher forcing", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "equations": ["o[t] = one_hot(y[t-1], 3)", "y[t] ~ categorical(logits = o[t])"])j");
  const Tensors v =
      evaluate(d, {{"y", symbols({3, 1}, {2, 0, 1})}}, {}, {"o", "y", "nll:y", "loss"});
  check_values(v.at("o"), {3, 1, 3}, {0, 0, 0, 0, 0, 1, 1, 0, 0});
  check_values(v.at("y"), {3, 1}, {2, 0, 1});
  const double first = std::log(3), other = -log_softmax_of({1, 0, 0}, 1);
  check_values(v.at("nll:y"), {3, 1}, {first, other, other});
  check_values(v.at("loss"), {1}, {first + 2 * other});
}

TEST_CASE("R12: sampled, the value is a draw, keyed by seed, item, variable and position",
          "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "weights": {"l": [5]}, "equations": ["y[t] ~ categorical(logits = l)", "v[t] = one_hot(y[t], 5)"])j");
  const Tensors weights{{"l", numbers({5}, {0, 0, 0, 0, 0})}};
  const auto draw = [&](std::vector<std::int64_t> items, std::uint64_t seed) {
    RunOptions o = sampling({"y"}, seed);
    o.steps = 20;
    const auto batch = static_cast<std::int64_t>(items.size());
    return evaluate_one(d, {{"item", symbols({batch}, std::move(items))}}, weights, "y", o);
  };
  const Tensor y = draw({0, 1, 2}, 1);
  CHECK(y.dims() == Dims{20, 3});
  CHECK(y == draw({0, 1, 2}, 1));
  CHECK_FALSE(y == draw({0, 1, 2}, 2));
  for (std::int64_t item = 0; item < 3; ++item)
    CHECK(part(draw({2, item}, 1), 1, 1, 2) == part(y, 1, item, item + 1));
  CHECK_FALSE(part(y, 1, 0, 1) == part(y, 1, 1, 2));
  std::vector<int> seen(5, 0);
  for (const double symbol : values_of(y)) {
    REQUIRE((symbol >= 0 && symbol < 5));
    ++seen[static_cast<std::size_t>(symbol)];
  }
  for (const int count : seen) CHECK(count > 3);  // 60 draws of 5 equal symbols
}

TEST_CASE("R12: draws follow the distribution and carry no gradient", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "weights": {"z": [], "m": []}, "equations": [
    "s[t] ~ bernoulli(logits = z)", "x[t] ~ normal(mean = m, std = 2)"], "loss": "s[t] * s[t]")j");
  RunOptions o = sampling({"s", "x"});
  o.steps = 2000;
  const Tensors v =
      evaluate(d, {{"item", symbols({5}, {0, 1, 2, 3, 4})}},
               {{"z", numbers({}, {1})}, {"m", numbers({}, {3})}}, {"s", "x", "grad:z"}, o);
  double ones = 0, sum = 0, square = 0;
  for (const double s : values_of(v.at("s"))) ones += s;
  for (const double x : values_of(v.at("x"))) sum += x, square += (x - 3) * (x - 3);
  CHECK(ones / 10000 == Approx(1 / (1 + std::exp(-1.0))).margin(0.02));
  CHECK(sum / 10000 == Approx(3).margin(0.08));
  CHECK(square / 10000 == Approx(4).margin(0.25));
  check_values(v.at("grad:z"), {1}, {0});
}

TEST_CASE("R12: sampled, the likelihood scores the draw", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "weights": {"l": [3]}, "equations": ["y[t] ~ categorical(logits = l)"])j");
  RunOptions o = sampling({"y"});
  o.steps = 8;
  const std::vector<double> l{0.5, -1, 2};
  const Tensors v = evaluate(d, {{"item", symbols({1}, {7})}}, {{"l", numbers({3}, l)}},
                             {"y", "nll:y", "loss"}, o);
  double sum = 0;
  for (std::int64_t t = 0; t < 8; ++t) {
    const double nll = -log_softmax_of(l, static_cast<std::size_t>(v.at("y").at(t)));
    CHECK(v.at("nll:y").at(t) == Approx(nll).epsilon(1e-14));
    sum += nll;
  }
  CHECK(v.at("loss").at(0) == Approx(sum).epsilon(1e-14));
}

TEST_CASE("R14: a sampled sequence stops where ends says, at the cap else", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "weights": {"l": [4]}, "equations": ["y[t] ~ categorical(logits = l)", "n[t] = n[t-1] + 1"],
    "ends": {"t": "y[t] == 0"})j");
  RunOptions o = sampling({"y"});
  o.steps = 12;
  const std::int64_t items = 40;
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < items; ++i) keys.push_back(i);
  const Tensors weights{{"l", numbers({4}, {0, 0, 0, 0})}};
  const Tensors v =
      evaluate(d, {{"item", symbols({items}, keys)}}, weights, {"y", "n", "nll:y", "loss"}, o);
  Definition endless = d;
  endless.ends.clear();
  const Tensor draws = evaluate_one(endless, {{"item", symbols({items}, keys)}}, weights, "y", o);
  const std::int64_t longest = v.at("y").dims()[0];
  CHECK(longest <= 12);
  int capped = 0;
  for (std::int64_t i = 0; i < items; ++i) {
    std::int64_t length = 1;
    while (length < 12 && draws.at((length - 1) * items + i) != 0) ++length;
    capped += draws.at((length - 1) * items + i) != 0 ? 1 : 0;
    CHECK(v.at("loss").at(i) == Approx(static_cast<double>(length) * std::log(4)).epsilon(1e-14));
    for (std::int64_t t = 0; t < longest; ++t) {
      CHECK(v.at("y").at(t * items + i) == (t < length ? draws.at(t * items + i) : 0));
      CHECK(v.at("n").at(t * items + i) == (t < length ? static_cast<double>(t + 1) : 0));
    }
  }
  CHECK(capped > 0);  // 40 * (3/4)^12 = 1.3 on average
}

TEST_CASE("R14: nothing that a draw depends on looks ahead along an open length", "[language]") {
  const auto code_of = [](const std::string& equation) {
    const Definition d = define(
        R"j("index": {"t": "tau"}, "weights": {"l": [2]}, "ends": {"t": "y[t] == 0"}, "equations": ["y[t] ~ categorical(logits = l * h[t])", ")j" +
        equation + "\"]");
    RunOptions o = sampling({"y"});
    o.steps = 4;
    try {
      evaluate_one(d, {{"item", symbols({2}, {0, 1})}}, {{"l", numbers({2}, {0, 1})}}, "y", o);
    } catch (const Error& e) {
      return e.diagnostics()[0].code;
    }
    return std::string();
  };
  for (const char* ahead :
       {"h[t] = tau - t", "h[t] = h[t+1] + 1", "h[t] = t + h[last] * 0\", \"h[0] = 1",
        "h[t] = sum[t](t)", "h[t] = k[t]\", \"k[t] = n[last] + t\", \"n[t] = t"}) {
    CAPTURE(ahead);
    const std::string code = code_of(ahead);
    CHECK((code == "E017" || code == "E009"));
  }
  CHECK(code_of("h[t] = h[t-1] + t\", \"seen[t] = tau - t + sum(one_hot(y[last], 2))")
            .empty());  // not what y depends on
}

TEST_CASE("R14: a sampled length is drawn first; what it counts down follows", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "weights": {"l": [4]}, "equations": ["tau ~ categorical(logits = l)", "c[t] = tau - t"])j");
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < 400; ++i) keys.push_back(i);
  const std::vector<double> l{0, 1, 0, -1};
  const Tensors v = evaluate(d, {{"item", symbols({400}, keys)}}, {{"l", numbers({4}, l)}},
                             {"tau", "c", "loss"}, sampling({"tau"}));
  CHECK(v.at("c").dims() == Dims{3, 400});
  std::vector<int> seen(4, 0);
  for (std::int64_t i = 0; i < 400; ++i) {
    const auto tau = static_cast<std::int64_t>(v.at("tau").at(i));
    REQUIRE((tau >= 0 && tau < 4));
    ++seen[static_cast<std::size_t>(tau)];
    for (std::int64_t t = 0; t < 3; ++t)
      CHECK(v.at("c").at(t * 400 + i) == (t < tau ? static_cast<double>(tau - t - 1) : 0));
    CHECK(v.at("loss").at(i) ==
          Approx(-log_softmax_of(l, static_cast<std::size_t>(tau))).epsilon(1e-14));
  }
  for (std::size_t k = 0; k < 4; ++k)
    CHECK(seen[k] / 400.0 == Approx(std::exp(log_softmax_of(l, k))).margin(0.08));
}

TEST_CASE("R13: terms of a list are summed over their own indices, a string as a whole",
          "[language]") {
  const std::string head =
      R"("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2]}, "equations": ["e[t] = x[t]"], "loss": )";
  const Tensors inputs{{"x", numbers({2, 1, 2}, {1, 2, 3, 4})}},
      weights{{"W", numbers({2}, {10, 20})}};
  const Tensors list = evaluate(define(head + R"j(["sum(e[t] * e[t])", "0.01 * sum(W * W)"])j"),
                                inputs, weights, {"loss", "grad:W"});
  check_values(list.at("loss"), {1}, {30 + 5});
  check_values(list.at("grad:W"), {2}, {0.2, 0.4});
  const Tensors whole = evaluate(define(head + R"j("sum(e[t] * e[t]) + 0.01 * sum(W * W)")j"),
                                 inputs, weights, {"loss", "grad:W"});
  check_values(whole.at("loss"), {1}, {30 + 2 * 5});  // tau times
  check_values(evaluate_one(define(head + R"("e[t] * W")"), inputs, weights, "loss"), {1},
               {10 + 40 + 30 + 80});
}

TEST_CASE("R13: nothing is added to a given loss, and a term of weights counts once an item",
          "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "weights": {"l": [2], "w": []}, "equations": ["y[t] ~ categorical(logits = l)"], "loss": "w * w")j");
  const Tensors inputs{{"y", symbols({3, 2}, {0, 1, 0, 1, 0, 1})}};
  const Tensors v = evaluate(d, inputs, {{"l", numbers({2}, {0, 0})}, {"w", numbers({}, {3})}},
                             {"loss", "grad:w", "grad:l"});
  check_values(v.at("loss"), {2}, {9, 9});
  check_values(v.at("grad:w"), {1}, {12});
  check_values(v.at("grad:l"), {2}, {0, 0});
}

TEST_CASE("R13: nll in a loss, per position, and its gradient", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"l[t]": [2]}, "equations": ["y[t] ~ categorical(logits = l[t])"], "loss": "2 * nll(y[t])")j");
  const Tensors inputs{{"l", numbers({2, 1, 2}, {0, 1, 0, 0})}, {"y", symbols({2, 1}, {1, 0})}};
  const Tensors v =
      evaluate(d, inputs, {}, {"nll:y", "nll:y[2]", "loss", "grad:nll:y", "grad:nll:y[1]"});
  const double first = -log_softmax_of({0, 1}, 1);
  check_values(v.at("nll:y"), {2, 1}, {first, std::log(2)});
  check_values(v.at("nll:y[2]"), {1}, {std::log(2)});
  check_values(v.at("loss"), {1}, {2 * first + 2 * std::log(2)});
  check_values(v.at("grad:nll:y"), {2, 1}, {2, 2});
  check_values(v.at("grad:nll:y[1]"), {1}, {2});
}

TEST_CASE("R13: cotangents replace the loss and add up", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["h[t] = w * x[t]", "o = sum[t](x[t])", "A = 2 * w"])j");
  const Tensors weights{{"w", numbers({}, {1})}};
  Tensors inputs{{"x", numbers({2, 2}, {1, 2, 3, 4})},
                 {"cotangent:h", numbers({2, 2}, {1, 10, 100, 1000})}};
  check_values(evaluate_one(d, inputs, weights, "grad:w"), {1}, {1 + 20 + 300 + 4000});
  inputs["cotangent:o"] = numbers({2}, {5, 7});
  const Tensors v = evaluate(d, inputs, weights, {"grad:w", "grad:x", "grad:h", "loss"});
  check_values(v.at("grad:w"), {1}, {4321});
  check_values(v.at("grad:x"), {2, 2}, {6, 17, 105, 1007});
  check_values(v.at("grad:h"), {2, 2}, {1, 10, 100, 1000});
  check_values(v.at("loss"), {2}, {301 + 20, 4020 + 42});
}

TEST_CASE("R13: without a loss its gradient is an error that says so", "[language]") {
  const Definition d = define(R"("inputs": {"x": []}, "equations": ["v = 2 * x"])");
  const auto e = problems_of([&] { evaluate_one(d, {{"x", numbers({1}, {1})}}, {}, "grad:x"); });
  CHECK(e[0].code == "G023");
}

TEST_CASE("R13: the gradient of what the loss does not depend on is zero", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"w": [2], "V": [2, 2]},
    "equations": ["h[t] = w * x[t]", "g[t] = V @ x[t]", "q = w * w"], "loss": "sum(h[last])")j");
  const Tensors v =
      evaluate(d, {{"x", numbers({2, 1, 2}, {1, 2, 3, 4})}},
               {{"w", numbers({2}, {1, 1})}, {"V", numbers({2, 2}, {1, 1, 1, 1})}},
               {"grad:g", "grad:V", "grad:V[1]", "grad:q", "grad:h", "grad:w[1]", "grad:x"});
  check_values(v.at("grad:g"), {2, 1, 2}, {0, 0, 0, 0});
  check_values(v.at("grad:V"), {2, 2}, {0, 0, 0, 0});
  check_values(v.at("grad:V[1]"), {2, 2}, {0, 0, 0, 0});
  check_values(v.at("grad:q"), {2}, {0, 0});
  check_values(v.at("grad:h"), {2, 1, 2}, {0, 0, 1, 1});
  check_values(v.at("grad:w[1]"), {2}, {0, 0});
  check_values(v.at("grad:x"), {2, 1, 2}, {0, 0, 1, 1});
}

TEST_CASE("a summary tells variables from random ones, inputs and weights") {
  const DefinitionSummary s = describe(define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
    "weights": {"w": []}, "equations": ["h[t] = w * x[t]", "y[t] ~ normal(mean = h[t], std = 1)"])j"));
  std::map<std::string, std::string> kinds;
  for (const auto& entry : s.entries) kinds[entry.name] = entry.kind;
  CHECK(kinds == std::map<std::string, std::string>{
                     {"x[t]", "input"}, {"w", "weight"}, {"h[t]", "variable"}, {"y[t]", "random"}});
}
