// Rows S09, S66: what a state keeps of its past.                                     (section 2)
#include <nlohmann/json.hpp>

#include "language_support.h"
#include "taugrad/analysis/memory.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

Definition delay_line() {
  return define(R"j("index": {"t": "tau"}, "sizes": {"n": 20}, "inputs": {"x[t]": [1]},
    "equations": ["h[t] = concat(x[t], slice(h[t-1], 0, n - 1))"])j");
}
Definition reservoir(const char* equation) {
  return define(std::string(R"j("index": {"t": "tau"}, "sizes": {"n": 20}, "constants": {"r": 1},
    "inputs": {"x[t]": [1]}, "weights": {"W": {"shape": ["n", "n"], "init": "orthogonal"},
    "D": ["n", "n"], "u": ["n", 1]}, "equations": ["h[t] = )j") +
                equation + "\"]");
}
double bound(const MemoryReport& r) {
  const auto steps = static_cast<double>(r.steps);
  return static_cast<double>(r.numbers) * steps / (steps - 1) * (1 + 1e-12);
}

}  // namespace

TEST_CASE("S09: a delay line of n units keeps n numbers", "[rows]") {
  const MemoryReport r = memory_capacity(delay_line(), {});
  CHECK(r.numbers == 20);
  CHECK(r.input == "x");
  CHECK(r.of == std::vector<std::string>{"h"});
  REQUIRE(r.by_lag.size() == 40);
  for (std::size_t lag = 0; lag < 40; ++lag)
    CHECK(r.by_lag[lag] == Approx(lag < 20 ? 1 : 0).margin(1e-3));
  CHECK(r.capacity == Approx(20).epsilon(0.01));
  CHECK(r.capacity <= bound(r));
}

TEST_CASE("S09: no network keeps more than n numbers", "[rows]") {
  const char* const equations[] = {"0.9 * W @ h[t-1] + u @ x[t]", "D @ h[t-1] + u @ x[t]",
                                   "tanh(0.9 * W @ h[t-1] + u @ x[t])",
                                   "tanh(1.5 * W @ h[t-1] + 4 * u @ x[t])"};
  for (const char* equation : equations)
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      CAPTURE(equation, seed);
      const MemoryReport r = memory_capacity(reservoir(equation), {}, {.lags = 60, .seed = seed});
      CHECK(r.capacity <= bound(r));
      CHECK(r.capacity > 2);
    }
  // every matrix that forgets slowly enough, and sees the input along all its directions, keeps all
  CHECK(memory_capacity(reservoir("0.9 * W @ h[t-1] + u @ x[t]"), {}, {.lags = 60}).capacity > 19);
}

TEST_CASE("S09: a single unit, in closed form; two inputs; a state that keeps nothing", "[rows]") {
  const auto unit = [](double a) {
    return define(R"j("index": {"t": "tau"}, "constants": {"a": )j" + std::to_string(a) +
                  R"j(}, "inputs": {"x[t]": []}, "equations": ["h[t] = a * h[t-1] + x[t]"])j");
  };
  for (const double a : {0.0, 0.5, -0.8}) {
    const MemoryReport r = memory_capacity(unit(a), {}, {.lags = 12, .steps = 4001});
    for (std::size_t lag = 0; lag < 12; ++lag)  // R^2 of lag k is (1 - a^2) a^2k
      CHECK(r.by_lag[lag] ==
            Approx((1 - a * a) * std::pow(a, 2 * static_cast<double>(lag))).margin(1e-3));
  }
  const Definition two = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
    "equations": ["h[t] = concat(x[t], slice(h[t-1], 0, 4))"])j");
  const MemoryReport both = memory_capacity(two, {});
  CHECK(both.by_lag[0] == Approx(2).epsilon(1e-3));
  CHECK(both.by_lag[2] == Approx(2).epsilon(1e-3));
  CHECK(both.capacity == Approx(6).epsilon(1e-3));
  const Definition none = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
    "equations": ["h[t] = x[t]", "g[t] = 0 * h[t-1]"])j");
  CHECK(memory_capacity(none, {}, {.of = {"g"}, .lags = 5}).capacity == 0);
}

TEST_CASE("S09: as JSON; what cannot be measured", "[rows]") {
  const auto j = nlohmann::json::parse(to_json(memory_capacity(load_definition("lstm"), {})));
  CHECK(j["format"] == "taugrad-memory");
  CHECK(j["of"] == nlohmann::json::array({"c", "h"}));
  CHECK(j["numbers"] == 6);
  CHECK(j["by_lag"].size() == 12);
  const auto code = [](const char* name, MemoryOptions o) {
    return problems_of([&] { memory_capacity(load_definition(name), {}, o); }).front().code;
  };
  CHECK(code("char_lm", {}) == "U002");
  CHECK(code("elman", {.input = "y"}) == "U002");
  CHECK(code("elman", {.of = {"W"}}) == "U002");
  CHECK(code("elman", {.steps = 10}) == "U002");
  CHECK(code("time_delay", {}) == "G028");
  CHECK(problems_of([&] { memory_capacity(reservoir("3 * W @ h[t-1] + u @ x[t]"), {}); })
            .front()
            .code == "N003");
}

namespace {

constexpr std::int64_t kTau = 8;

/// Encoder and decoder of n units without nonlinearity, as a definition and its weights: a delay
/// line takes the sequence up, a ring plays it back.
Definition linear_autoencoder(std::int64_t n) {
  return define(R"j("index": {"s": "tau", "t": "tau"}, "sizes": {"n": )j" + std::to_string(n) +
                R"j(}, "inputs": {"x[s]": [1]},
    "weights": {"U": ["n", 1], "W": ["n", "n"], "Z": ["n", "n"], "V": [1, "n"]},
    "equations": ["h[s] = W @ h[s-1] + U @ x[s]", "d[0] = h[last]", "d[t] = Z @ d[t-1]",
                  "r[t] = V @ d[t]"],
    "loss": "sum((r[t] - x[t]) * (r[t] - x[t]))")j");
}
Tensors delay_and_ring(std::int64_t n) {
  Tensors w{{"U", Tensor({n, 1}, Dtype::f64)},
            {"W", Tensor({n, n}, Dtype::f64)},
            {"Z", Tensor({n, n}, Dtype::f64)},
            {"V", Tensor({1, n}, Dtype::f64)}};
  w.at("U").set(0, 1);
  for (std::int64_t i = 1; i < n; ++i) w.at("W").set(i * n + i - 1, 1);
  // unit k holds x[tau - k]; a turn of the first tau units brings the oldest to unit 0
  const std::int64_t ring = std::min(n, kTau);
  for (std::int64_t i = 0; i < n; ++i) w.at("Z").set(i * n + (i + ring - 1) % ring, i < ring);
  w.at("V").set(0, 1);
  return w;
}
/// The eight sequences that are 1 at one step: their errors sum to |I - M|^2, M the net as a
/// matrix.
double error_over_units(std::int64_t n, const Tensors& weights) {
  Tensor x({kTau, kTau, 1}, Dtype::f64);
  for (std::int64_t i = 0; i < kTau; ++i) x.set(i * kTau + i, 1);
  const Tensor loss = evaluate_one(linear_autoencoder(n), {{"x", x}}, weights, "loss");
  double sum = 0;
  for (std::int64_t i = 0; i < kTau; ++i) sum += loss.at(i);
  return sum;
}

}  // namespace

TEST_CASE("S66: a delay line of n >= tau d units rebuilds its input without error", "[rows]") {
  for (const std::int64_t n : {8, 9, 13}) {
    CHECK(error_over_units(n, delay_and_ring(n)) == 0);
    const Definition d = linear_autoencoder(n);
    const Tensors inputs = random_inputs(d, {.steps = kTau, .batch = 5, .seed = 3});
    CHECK(norm(evaluate_one(d, inputs, delay_and_ring(n), "loss")) == 0);
  }
}

TEST_CASE("S66: with n < tau d units there is an error, whatever the weights", "[rows]") {
  for (const std::int64_t n : {1, 4, 7}) {
    // |I - M|^2 >= tau - rank M; the best n units could do, and the line itself, which loses x[1]
    CHECK(error_over_units(n, delay_and_ring(n)) >= static_cast<double>(kTau - n) - 1e-12);
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      CHECK(error_over_units(n, initial_weights(linear_autoencoder(n), {.seed = seed})) >=
            static_cast<double>(kTau - n) - 1e-12);
  }
}

TEST_CASE("S66: a trained autoencoder reaches an error below 1e-3 on tau = 8, d = 1", "[rows]") {
  Definition d = load_definition("autoencoder");
  for (auto& s : d.sizes) s.value = s.name == "n" ? 1 : 32;
  Dataset data;
  for (std::uint64_t seed = 0; seed < 512; ++seed)
    data.examples.push_back(
        {{{"x",
           numbers({kTau, 1}, values_of(random_inputs(d, {.steps = kTau, .seed = seed}).at("x")))}},
         {{"tau", kTau}}});
  TrainOptions o;
  o.optimizer.lr = 0.01;
  o.final_lr = 0.01;
  o.epochs = 300;
  Trainer trainer(d, data, o);
  while (!trainer.done()) trainer.step();
  const Tensors fresh = random_inputs(d, {.steps = kTau, .batch = 200, .seed = 1000});
  const Tensor loss = evaluate_one(d, fresh, trainer.weights(), "loss");
  double error = 0;  // mean square of an element
  for (std::int64_t i = 0; i < loss.size(); ++i) error += loss.at(i) / (200 * kTau);
  CHECK(error < 1e-3);
}
