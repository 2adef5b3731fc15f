// Truncated back-propagation: windows that hand their states on.                 (language.md R19)
#include <catch2/catch.hpp>
#include <cmath>

#include "taugrad/base/error.h"
#include "taugrad/evaluate/run_segment.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;

namespace {

Definition network() {
  return parse_definition(R"json({"name": "net", "index": {"t": "tau"}, "sizes": {"v": 4, "m": 5},
    "weights": {"E": ["v", "m"], "W": ["m", "m"], "V": ["v", "m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + embed(E, y[t-2]))",
                  "y[t] ~ categorical(logits = V @ h[t])"]})json",
                          "net");
}

constexpr const char* kItems =
    "{\"y\": [1, 2, 3, 0, 1, 2, 2, 1, 0, 3, 1]}\n{\"y\": [0, 1, 1, 3]}\n"
    "{\"y\": [3, 3, 1, 0, 2, 1, 2]}\n";

Dataset items(const Definition& d) { return json_lines_dataset(d, kItems, "items"); }

TrainOptions options(Truncation truncation, std::int64_t accumulate = 1) {
  TrainOptions o{.batch = 3, .epochs = 4, .seed = 5};
  o.clip = 0;
  o.optimizer = {.kind = OptimizerKind::sgd, .lr = 0.5};
  o.truncation = truncation;
  o.accumulate = accumulate;
  return o;
}

/// The three items as one batch, steps from..to of them.
Tensors inputs(const Definition& d, std::int64_t from, std::int64_t to) {
  const Dataset data = items(d);
  Tensor y({to - from, 3}, Dtype::i64), lengths({3}, Dtype::i64);
  for (std::int64_t i = 0; i < 3; ++i) {
    const Tensor& own = data.examples[static_cast<std::size_t>(i)].values.at("y");
    const std::int64_t end = std::min(own.size(), to);
    lengths.set(i, static_cast<double>(std::max<std::int64_t>(end - from, 0)));
    for (std::int64_t t = from; t < end; ++t) y.set((t - from) * 3 + i, own.at(t));
  }
  return {{"y", y}, {"lengths", lengths}};
}

double largest(const Tensor& a, const Tensor& b) {
  REQUIRE(a.dims() == b.dims());
  double most = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a.at(i) - b.at(i)));
  return most;
}

}  // namespace

TEST_CASE("truncation at the length and beyond is no truncation, bit for bit") {
  const Definition d = network();
  Trainer whole(d, items(d), options({}));
  for (const std::int64_t back : {11, 12, 1000}) {
    Trainer cut(d, items(d), options({back}));
    CHECK(cut.total_updates() == 4);
    while (!cut.done()) cut.step();
    if (!whole.done())
      while (!whole.done()) whole.step();
    CHECK(cut.weights() == whole.weights());
  }
}

TEST_CASE("a window's gradient ends where it begins, and its values do not") {
  const Definition d = network();
  Trainer trainer(d, items(d), options({4}));
  CHECK(trainer.total_updates() == 4 * 3);
  Tensors state, weights = trainer.weights();
  RunOptions o;
  o.fetch = {"loss", "grad:E", "grad:W", "grad:V"};
  const std::int64_t targets[] = {12, 4 + 3, 3};
  for (std::int64_t w = 0; w < 3; ++w) {
    const SegmentResult r =
        run_segment(d, inputs(d, 4 * w, std::min<std::int64_t>(4 * w + 4, 11)), weights, state, o);
    state = r.state;
    const Update u = trainer.step();
    CHECK(u.from == 4 * w);
    CHECK(u.targets == targets[w]);
    double loss = 0;
    for (std::int64_t i = 0; i < 3; ++i) loss += r.values.at("loss").at(i);
    CHECK(u.loss == Approx(loss / static_cast<double>(targets[w])));
    for (const char* name : {"E", "W", "V"}) {
      const Tensor& g = r.values.at(std::string("grad:") + name);
      Tensor& own = weights.at(name);
      for (std::int64_t i = 0; i < own.size(); ++i)
        own.set(i, own.at(i) - 0.5 * g.at(i) / static_cast<double>(targets[w]));
      CHECK(largest(own, trainer.weights().at(name)) < 1e-6);
    }
    weights = trainer.weights();
  }
  CHECK(trainer.step().from == 0);  // the next epoch
}

TEST_CASE("windows that look further back have each step's loss once") {
  const Definition d = network();
  Trainer whole(d, items(d), options({}));
  const double loss = whole.step().loss;
  for (const Truncation t : {Truncation{4}, Truncation{6, 2}, Truncation{5, 3}, Truncation{9, 1}}) {
    const std::int64_t windows = (11 + t.stride() - 1) / t.stride();
    Trainer cut(d, items(d), options(t, windows));
    CHECK(cut.total_updates() == 4);
    const Update u = cut.step();
    CAPTURE(t.back, t.every);
    CHECK(u.targets == 22);
    CHECK(u.loss == Approx(loss).epsilon(1e-6));
  }
}

TEST_CASE("truncation refuses what looks ahead") {
  const Definition d = parse_definition(
      R"json({"name": "ahead", "index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": {"shape": [], "init": 1}},
      "equations": ["g[t] = w * x[t] + g[t+1]"], "loss": "g[t] * g[t]"})json",
      "ahead");
  const Dataset data = json_lines_dataset(d, "{\"x\": [1, 2, 3, 4]}\n", "items");
  TrainOptions o = options({2});
  try {
    Trainer(d, data, o);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.diagnostics()[0].code == "G040");
  }
}

TEST_CASE("long items are evaluated a segment after another, with the same scores") {
  const Definition d = network();
  const Tensors weights = Trainer(d, items(d), options({})).weights();
  std::string line = "{\"y\": [1", other = "{\"y\": [2";
  for (int t = 1; t < 2500; ++t) line += ", " + std::to_string(t * t % 7 % 4);
  for (int t = 1; t < 2047; ++t) other += ", " + std::to_string(t % 3);
  const Dataset together = json_lines_dataset(d, line + "]}\n" + other + "]}\n", "items");
  const Dataset shorter = json_lines_dataset(d, other + "]}\n", "items");
  const Evaluation both = evaluate(d, weights, together), one = evaluate(d, weights, shorter);
  CHECK(both.items[1].loss == one.items[0].loss);  // by segments, and whole
  CHECK(both.items[1].variables[0].right == one.items[0].variables[0].right);
  CHECK(both.targets == 2500 + 2047);
  RunOptions o;
  o.fetch = {"nll:y"};
  Tensor y({2500, 1}, Dtype::i64);
  for (std::int64_t t = 0; t < 2500; ++t) y.set(t, together.examples[0].values.at("y").at(t));
  const Tensor nll = run(d, {{"y", y}}, weights, o).values.at("nll:y");
  double sum = 0;
  for (std::int64_t t = 0; t < 2500; ++t) sum += nll.at(t);
  CHECK(both.items[0].loss == sum);
}
