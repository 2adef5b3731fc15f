// Modes of random variables: where a value comes from, and what the likelihood scores.
// (docs/language.md R12; rows S37, S40-S42)
#include "language_support.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/language/mode.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

using Kind = Mode::Kind;

RunOptions with(Modes modes, std::uint64_t seed = 1) {
  RunOptions o;
  o.seed = seed;
  o.modes = std::move(modes);
  return o;
}

std::vector<std::int64_t> counted(std::int64_t n) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < n; ++i) all.push_back(i);
  return all;
}

/// x[t] is the number 1000; a draw is near 0, so that a value tells where it comes from.
const char* const kCoins =
    R"j("index": {"t": "tau"}, "equations": ["x[t] ~ normal(mean = 0, std = 1)"])j";

Tensor thousands(std::int64_t steps, std::int64_t items) {
  return numbers({steps, items},
                 std::vector<double>(static_cast<std::size_t>(steps * items), 1000.0));
}

std::vector<std::int64_t> data_per_item(const Tensor& x) {
  std::vector<std::int64_t> count(static_cast<std::size_t>(x.dims()[1]), 0);
  for (std::int64_t i = 0; i < x.size(); ++i)
    count[static_cast<std::size_t>(i % x.dims()[1])] += x.at(i) > 500 ? 1 : 0;
  return count;
}

std::string why(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics()[0].code + ": " + e.diagnostics()[0].message;
  }
  return "";
}

}  // namespace

TEST_CASE("S37: a two-step likelihood is the product of its conditionals, and a distribution",
          "[rows]") {
  const Definition d = load_definition("output_recurrent");
  const std::int64_t k = 3, pairs = k * k;
  Tensors inputs = random_inputs(d, {.steps = 2, .batch = 1, .seed = 4});
  const Tensor x = inputs.at("x");
  const std::int64_t n = x.size() / 2;
  Tensor same({2, pairs, n}, Dtype::f64), y({2, pairs}, Dtype::i64);
  for (std::int64_t i = 0; i < 2 * pairs * n; ++i) same.set(i, x.at(i / (pairs * n) * n + i % n));
  for (std::int64_t i = 0; i < pairs; ++i) {
    y.set(i, static_cast<double>(i / k));
    y.set(pairs + i, static_cast<double>(i % k));
  }
  const Tensors weights = initial_weights(d, {.seed = 4});
  const Tensors v = evaluate(d, {{"x", same}, {"y", y}}, weights, {"loss", "o"});
  double total = 0;
  for (std::int64_t i = 0; i < pairs; ++i) {
    double log_p = 0;  // log p(y1 | x1) + log p(y2 | y1, x1, x2)                     (eq 14-15)
    for (std::int64_t t = 0; t < 2; ++t) {
      double sum = 0;
      const auto o = [&](std::int64_t c) { return v.at("o").at((t * pairs + i) * k + c); };
      for (std::int64_t c = 0; c < k; ++c) sum += std::exp(o(c));
      log_p += o(static_cast<std::int64_t>(y.at(t * pairs + i))) - std::log(sum);
    }
    CHECK(-v.at("loss").at(i) == Approx(log_p).epsilon(0).margin(1e-14));
    total += std::exp(-v.at("loss").at(i));
  }
  CHECK(total == Approx(1).epsilon(0).margin(1e-14));
  // the second conditional depends on the first symbol: the true one is what it is given
  CHECK(std::abs(v.at("o").at((pairs + 0) * k) - v.at("o").at((pairs + k) * k)) > 1e-3);
}

TEST_CASE("R12: sampled and greedy, the target is the data where they are given", "[modes]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "equations": ["o[t] = 2 * one_hot(y[t-1], 3) + t * one_hot(y[t-2], 3)", "y[t] ~ categorical(logits = o[t])"])j");
  const Tensor data = symbols({4, 2}, {2, 0, 1, 2, 0, 0, 1, 1});
  for (const Mode& mode : {Mode::sampled, Mode::greedy}) {
    const Tensors v =
        evaluate(d, {{"y", data}}, {}, {"y", "o", "nll:y", "loss"}, with({{"y", mode}}));
    CHECK(distance(v.at("y"), data) > 0);
    for (std::int64_t i = 0; i < 8; ++i) {
      std::vector<double> o;
      double sum = 0;
      for (std::int64_t c = 0; c < 3; ++c) {
        o.push_back(v.at("o").at(3 * i + c));
        sum += std::exp(o.back());
        const double before = i >= 2 ? 2.0 * (v.at("y").at(i - 2) == static_cast<double>(c)) : 0;
        const double two = i >= 4 ? (1.0 + static_cast<double>(i / 2)) *
                                        (v.at("y").at(i - 4) == static_cast<double>(c))
                                  : 0;
        CHECK(o.back() == before + two);  // the value is what feeds back
      }
      CHECK(v.at("nll:y").at(i) ==
            Approx(std::log(sum) - o[static_cast<std::size_t>(data.at(i))]).margin(1e-14));
    }
  }
}

TEST_CASE("R12: greedy, the likeliest symbol, p >= 0.5, the mean", "[modes]") {
  const Definition d = define(R"j("inputs": {"l": [4], "z": [3], "m": [2]}, "equations": [
    "a ~ categorical(logits = l)", "b ~ categorical(p = softmax(l))", "c ~ bernoulli(logits = z)",
    "e ~ bernoulli(p = sigmoid(z))", "f ~ normal(mean = m, std = 2)"])j");
  const Tensors v = evaluate(d,
                             {{"l", numbers({2, 4}, {1, 3, 3, 2, -1, -2, -3, -1})},
                              {"z", numbers({2, 3}, {0.1, 0, -0.1, -5, 5, 1})},
                              {"m", numbers({2, 2}, {1, 2, 3, 4})}},
                             {}, {"a", "b", "c", "e", "f"},
                             with({{"a", Mode::greedy},
                                   {"b", Mode::greedy},
                                   {"c", Mode::greedy},
                                   {"e", Mode::greedy},
                                   {"f", Mode::greedy}}));
  check_values(v.at("a"), {2}, {1, 0});
  check_values(v.at("b"), {2}, {1, 0});
  check_values(v.at("c"), {2, 3}, {1, 1, 0, 0, 1, 1});
  check_values(v.at("e"), {2, 3}, {1, 1, 0, 0, 1, 1});
  check_values(v.at("f"), {2, 2}, {1, 2, 3, 4});
}

TEST_CASE("S41: mixed(1) has the bits of teacher forcing, mixed(0) those of free running",
          "[modes][rows]") {
  for (const char* name :
       {"sequence_model", "output_recurrent", "encoder_decoder", "bernoulli_stop"}) {
    const Definition d = load_definition(name);
    Tensors inputs = random_inputs(d, {.steps = 6, .batch = 5, .seed = 3});
    const Tensors weights = initial_weights(d, {.steps = 6, .seed = 3});
    std::vector<std::string> fetch{"loss", "y", "nll:y", "o"};
    for (const auto& w : d.weights) fetch.push_back("grad:" + w.name.text);
    if (std::string(name) != "encoder_decoder") inputs["lengths"] = symbols({5}, {4, 6, 0, 1, 3});
    for (const Dtype dtype : {Dtype::f32, Dtype::f64})
      for (const bool forced : {true, false}) {
        CAPTURE(name, forced);
        const auto bits = [&](const Mode& mode) {
          RunOptions o = with({{"y", mode}}, 9);
          o.fetch = fetch;
          o.dtype = dtype;
          return run(d, inputs, weights, o).values;
        };
        CHECK(bits(Mode::mixed(forced ? 1 : 0)) == bits(forced ? Mode::observed : Mode::sampled));
        CHECK(bits(Mode::forced(forced ? 1 : 0, forced ? 0 : 1)) ==
              bits(forced ? Mode::observed : Mode::sampled));
        CHECK_FALSE(bits(Mode::mixed(0.5)) == bits(forced ? Mode::observed : Mode::sampled));
      }
  }
}

TEST_CASE("modes: a graph in any mode is written, read and run by a program", "[modes]") {
  const Definition d = load_definition("output_recurrent");
  Tensors inputs = random_inputs(d, {.steps = 3, .batch = 2, .seed = 3});
  const Tensors weights = initial_weights(d, {.steps = 3, .seed = 3});
  for (const char* text : {"observed", "sampled", "greedy", "mixed(0.5)", "forced(1,2)"}) {
    CAPTURE(text);
    const Mode mode = mode_from(text);
    const Unfolded u = unfold(d, {.steps = 3, .modes = {{"y", mode}}, .given = {"y"}});
    const Graph read = graph_from_json(to_json(u.graph()), "graph.json");
    CHECK(to_json(read) == to_json(u.graph()));
    inputs["data:y"] = inputs.at("y");
    inputs["mix:y"] = numbers({}, {0.5});
    Program program(u.graph(), {u.loss()}, {.dtype = f64, .seed = 5});
    const Tensor loss = program(inputs, weights).at("loss");
    CHECK(loss == evaluate_one(d, {{"x", inputs.at("x")}, {"y", inputs.at("y")}}, weights, "loss",
                               with({{"y", mode}}, 5)));
  }
}

TEST_CASE("S41: k free steps after t forced, over and over", "[modes][rows]") {
  const Definition d = define(kCoins);
  const Tensor x =
      evaluate_one(d, {{"x", thousands(11, 2)}}, {}, "x", with({{"x", Mode::forced(3, 2)}}));
  for (std::int64_t t = 0; t < 11; ++t)
    for (std::int64_t i = 0; i < 2; ++i) CHECK((x.at(2 * t + i) > 500) == (t % 5 < 3));
}

TEST_CASE("S41: the gradient through a fed-back value is on or off", "[modes][rows]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "weights": {"a": [], "s": []}, "equations": [
    "x[t] ~ normal(mean = a + 0.5 * x[t-1], std = s)"], "loss": "x[t] * t")j");
  const Tensors weights{{"a", numbers({}, {2})}, {"s", numbers({}, {1})}};
  RunOptions o;
  o.steps = 3;
  const auto gradient = [&](const char* mode, const char* of) {
    RunOptions with_mode = o;
    with_mode.modes = {{"x", mode_from(mode)}};
    return evaluate_one(d, {{"item", symbols({1}, {0})}}, weights, of, with_mode).at(0);
  };
  // x1 = a + s e1, x2 = a + x1 / 2 + .., x3 = a + x2 / 2 + ..: dx/da = 1, 1.5, 1.75
  CHECK(gradient("sampled(pathwise)", "grad:a") == Approx(1 + 2 * 1.5 + 3 * 1.75).epsilon(1e-14));
  CHECK(gradient("greedy(pathwise)", "grad:a") == Approx(1 + 2 * 1.5 + 3 * 1.75).epsilon(1e-14));
  CHECK(gradient("greedy(pathwise)", "grad:s") == 0);
  CHECK(gradient("sampled(pathwise)", "grad:s") != 0);
  CHECK(gradient("sampled", "grad:a") == 0);
  CHECK(gradient("greedy", "grad:a") == 0);
  CHECK(gradient("sampled", "grad:s") == 0);
}

TEST_CASE("S41: gradients in every mode are those that differences measure", "[modes][rows]") {
  const auto agrees = [](const Definition& d, const char* mode) {
    DefinitionCheckOptions o;
    o.modes = {{"y", mode_from(mode)}};
    return check(d, o).ok();
  };
  for (const char* mode : {"sampled", "greedy", "mixed(0.5)", "forced(1,2)"})
    CHECK(agrees(load_definition("output_recurrent"), mode));
  const Definition d =
      define(R"j("index": {"t": "tau"}, "weights": {"a": [2], "W": [2, 2]}, "equations": [
    "h[t] = tanh(a + W @ y[t-1])", "y[t] ~ normal(mean = h[t], std = exp(h[t]))"])j");
  for (const char* mode : {"sampled(pathwise)", "mixed(0.5,pathwise)", "forced(1,2,pathwise)"})
    CHECK(agrees(d, mode));
  CHECK(why([&] { agrees(d, "sampled"); }).starts_with("U002"));
}

TEST_CASE("S42: 1e5 coins fall as the probability says, at each step anew", "[modes][rows]") {
  const Definition d = define(kCoins);
  const std::int64_t steps = 200, items = 500;
  for (const double p : {0.7, 0.05}) {
    const std::vector<std::int64_t> count = data_per_item(
        evaluate_one(d, {{"x", thousands(steps, items)}}, {}, "x", with({{"x", Mode::mixed(p)}})));
    double sum = 0, square = 0;
    for (const std::int64_t c : count) {
      sum += static_cast<double>(c);
      square += std::pow(static_cast<double>(c) - p * steps, 2);
    }
    const double draws = steps * items, variance = steps * p * (1 - p);
    CHECK(std::abs(sum - p * draws) <= 3 * std::sqrt(draws * p * (1 - p)));
    // a coin for each sequence would make the counts 0 or 200: a variance 200 times this
    CHECK(square / items == Approx(variance).epsilon(3 * std::sqrt(2.0 / items)));
  }
}

TEST_CASE("S42: the same draws whatever the threads, the batch and the order", "[modes][rows]") {
  const Definition d = load_definition("sequence_model");
  const Tensors weights = initial_weights(d, {.seed = 2});
  const std::int64_t steps = 9, items = 12;
  const Tensor y = random_inputs(d, {.steps = steps, .batch = items, .seed = 5}).at("y");
  const auto bits = [&](const Mode& mode, const std::vector<std::int64_t>& which, int threads) {
    const auto n = static_cast<std::int64_t>(which.size());
    Tensor part({steps, n}, Dtype::i64);
    for (std::int64_t t = 0; t < steps; ++t)
      for (std::int64_t i = 0; i < n; ++i)
        part.set(t * n + i, y.at(t * items + which[static_cast<std::size_t>(i)]));
    RunOptions o = with({{"y", mode}}, 3);
    o.fetch = {"y", "loss"};
    o.engine.threads = threads;
    return run(d, {{"y", part}, {"item", symbols({n}, which)}}, weights, o).values;
  };
  for (const Mode& mode : {Mode::sampled, Mode::greedy, Mode::mixed(0.5), Mode::forced(2, 3)}) {
    CAPTURE(to_string(mode));
    const Tensors all = bits(mode, counted(items), 1);
    CHECK(all == bits(mode, counted(items), 2));
    CHECK(all == bits(mode, counted(items), 1));
    const std::vector<std::int64_t> some{7, 0, 11, 3};
    const Tensors few = bits(mode, some, 2);
    for (std::size_t i = 0; i < some.size(); ++i) {
      CHECK(few.at("loss").at(static_cast<std::int64_t>(i)) == all.at("loss").at(some[i]));
      for (std::int64_t t = 0; t < steps; ++t)
        CHECK(few.at("y").at(t * 4 + static_cast<std::int64_t>(i)) ==
              all.at("y").at(t * items + some[i]));
    }
  }
}

TEST_CASE("modes: draws of the k likeliest only", "[modes]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "weights": {"l": [5]}, "equations": ["y[t] ~ categorical(logits = l)"])j");
  const Tensors weights{{"l", numbers({5}, {1, 3, 0, 3, 2})}};
  RunOptions o = with({{"y", Mode::sampled}});
  o.steps = 20000;
  const auto counts = [&](std::int64_t k) {
    o.top_k = k;
    std::vector<double> share(5, 0);
    for (const double y :
         values_of(evaluate_one(d, {{"item", symbols({1}, {0})}}, weights, "y", o)))
      ++share[static_cast<std::size_t>(y)];
    for (double& x : share) x /= 20000;
    return share;
  };
  CHECK(counts(1) == std::vector<double>{0, 1, 0, 0, 0});
  const std::vector<double> three = counts(3);
  const double sum = 2 * std::exp(3.0) + std::exp(2.0);
  CHECK((three[0] == 0 && three[2] == 0));
  CHECK(three[1] == Approx(std::exp(3.0) / sum).margin(0.015));
  CHECK(three[4] == Approx(std::exp(2.0) / sum).margin(0.015));
  CHECK(counts(5) == counts(0));
  CHECK(counts(50) == counts(0));
}

TEST_CASE("modes: what does not fit is said", "[modes]") {
  const auto reason = [](const char* definition, const char* variable, const char* mode) {
    const Definition d = load_definition(definition);
    return why([&] { unfold(d, {.steps = 3, .modes = {{variable, mode_from(mode)}}}); });
  };
  CHECK(reason("elman", "z", "sampled") == "U002: elman has no random variable \"z\"");
  CHECK(reason("elman", "h", "greedy") == "U002: \"h\" is not a random variable: it has no mode");
  CHECK(reason("elman", "y", "sampled(pathwise)") ==
        "U002: y=sampled(pathwise): only draws of a normal carry a pathwise gradient");
  CHECK(reason("many_to_one", "y", "forced(2,1)").find("has no index") != std::string::npos);
  CHECK(reason("predicted_length", "tau", "mixed(0.5)").find("either the data's or drawn") !=
        std::string::npos);
  const Definition d = load_definition("elman");
  CHECK(why([&] {
          evaluate(d, {}, {}, {"loss"}, with({{"y", mode_from("mixed(sigmoid(9))")}}));
        }).find("follows the updates of a training") != std::string::npos);
}
