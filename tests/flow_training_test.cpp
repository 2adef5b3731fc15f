// The gradient's way through time, watched while training.
#include "language_support.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// Items of lengths 7, 3, 5, 0.
Dataset ragged_data(const Definition& d) {
  Dataset data;
  for (const std::int64_t steps : {7, 3, 5, 0}) {
    const Tensors drawn = random_inputs(d, {.steps = steps, .seed = 3});
    Example e;
    for (const auto& [name, t] : drawn) {
      Dims dims = t.dims();
      dims.erase(dims.begin() + 1);  // the batch of one
      Tensor one(dims, t.dtype());
      for (std::int64_t i = 0; i < t.size(); ++i) one.set(i, t.at(i));
      e.values.emplace(name, std::move(one));
    }
    e.lengths["tau"] = steps;
    data.examples.push_back(std::move(e));
  }
  return data;
}

}  // namespace

TEST_CASE("state flow: a linear net of spectral radius r moves any direction by r a step",
          "[flow]") {
  for (const double r : {0.5, 1.0, 1.5}) {
    const Definition d = define(R"j("index": {"t": "tau"}, "constants": {"r": )j" +
                                std::to_string(r) + R"j(}, "inputs": {"x[t]": [4]},
      "weights": {"W": {"shape": [4, 4], "init": "orthogonal"}},
      "equations": ["h[t] = r * W @ h[t-1] + x[t]"], "loss": "sum(h[last] * h[last])")j");
    FlowOptions options;
    options.batch = 3;
    const std::vector<StateFlow> flow = state_flow(d, {}, {}, options);
    REQUIRE(flow.size() == 1);
    CHECK(flow[0].rate == Approx(r).epsilon(1e-9));
    for (std::size_t lag = 0; lag < 20; ++lag)
      CHECK(flow[0].by_lag[lag] == Approx(std::pow(r, static_cast<double>(lag))).epsilon(1e-9));
    CHECK(flow[0].verdict == (r < 1   ? FlowVerdict::vanishing
                              : r > 1 ? FlowVerdict::exploding
                                      : FlowVerdict::stable));
  }
}

TEST_CASE("state flow: the gradients are those of flow, backward variables too", "[flow]") {
  for (const char* name : {"elman", "lstm", "bidirectional"}) {
    CAPTURE(name);
    FlowOptions options;
    options.steps = 7;
    options.batch = 2;
    const FlowReport whole = flow(load_definition(name), {}, {}, options);
    const std::vector<StateFlow> states = state_flow(load_definition(name), {}, {}, options);
    REQUIRE(states.size() == whole.variables.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
      CHECK(states[i].name == whole.variables[i].name);
      for (std::size_t t = 0; t < 7; ++t)
        CHECK(states[i].gradient[t] == Approx(whole.variables[i].gradient[t]).epsilon(1e-12));
      CHECK(states[i].by_lag[0] == Approx(1).epsilon(1e-12));
      CHECK(states[i].rate > 0);
      CHECK(states[i].rate < 1);
    }
  }
}

TEST_CASE("a trainer's flow: the next batch, each item to its own length; training is as without",
          "[flow][train]") {
  const Definition d = load_definition("elman");
  TrainOptions o;
  o.batch = 4;
  o.epochs = 5;
  Trainer plain(d, ragged_data(d), o), watched(d, ragged_data(d), o);
  while (!plain.done()) {
    const std::vector<StateFlow> flow = watched.flow();
    REQUIRE(flow.size() == 1);
    std::vector<double> sum(7, 0), count(7, 0);
    for (const Example& e : ragged_data(d).examples) {
      const std::int64_t steps = e.lengths.at("tau");
      if (steps == 0) continue;
      Tensors inputs;
      for (auto [name, t] : e.values) {
        Dims dims = t.dims();
        dims.insert(dims.begin() + 1, 1);
        Tensor batch(dims, t.dtype());
        for (std::int64_t i = 0; i < t.size(); ++i) batch.set(i, t.at(i));
        inputs.emplace(name, std::move(batch));
      }
      const Tensor g = evaluate_one(d, inputs, watched.weights(), "grad:h");
      for (std::int64_t t = 0; t < steps; ++t) {
        sum[static_cast<std::size_t>(t)] += norm(part(g, 0, t, t + 1));
        ++count[static_cast<std::size_t>(t)];
      }
    }
    for (std::size_t t = 0; t < 7; ++t)
      CHECK(flow[0].gradient[t] == Approx(sum[t] / count[t]).epsilon(1e-9));
    const Update a = plain.step(), b = watched.step();
    CHECK(a.loss == b.loss);
  }
  CHECK(plain.weights() == watched.weights());
}

TEST_CASE("a trainer's flow: items that cannot run together; no state", "[flow][train]") {
  const Definition grid = load_definition("autoencoder");
  Dataset data;
  for (const std::int64_t steps : {4, 6})
    data.examples.push_back({{{"x", Tensor({steps, 2}, Dtype::f64)}}, {{"tau", steps}}});
  CHECK(Trainer(grid, data, {}).flow().size() == 2);  // h and d
  const Definition none = load_definition("time_delay");
  CHECK(problems_of([&] { Trainer(none, ragged_data(none), {}).flow(); }).front().code == "G028");
}

TEST_CASE("a trainer's flow counts what its loss counts: no target that is not given",
          "[flow][train]") {
  const std::string gauss = R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
      "weights": {"W": [2, 2], "w": {"shape": [2], "init": 0.5}},
      "equations": ["h[t] = tanh(W @ h[t-1] + x[t])", "y[t] ~ normal(mean = w @ h[t], std = 1)"])j";
  const auto flow_of = [](const Definition& d, const std::string& lines) {
    TrainOptions o;
    o.batch = 4;
    return Trainer(d, json_lines_dataset(d, lines, "items"), o).flow().at(0).gradient;
  };
  for (const Definition& d : {load_definition("elman"), define(gauss)}) {
    CAPTURE(d.name);
    const std::string x = R"({"x": [[1, 0], [0, 1], [1, 1]], "y": )";
    const std::vector<double> none = flow_of(d, x + "[1, null, null]}\n");
    const std::vector<double> one = flow_of(d, "{\"x\": [[1, 0]], \"y\": [1]}\n");
    REQUIRE(none.size() == 3);
    CHECK(none[0] > 0);
    CHECK(none[0] == Approx(one[0]).epsilon(1e-12));
    CHECK(none[1] == 0);
    CHECK(none[2] == 0);
    // beside a shorter item: each its own targets
    const std::vector<double> two =
        flow_of(d, x + "[1, null, null]}\n{\"x\": [[1, 0]], \"y\": [1]}\n");
    CHECK(two[0] == Approx(one[0]).epsilon(1e-12));
    CHECK(two[1] == 0);
  }
}

TEST_CASE("a trainer's flow of items without a step is left out", "[flow][train]") {
  TrainOptions o;
  o.batch = 1;
  o.epochs = 2;
  const std::string empty = "{\"x\": [], \"y\": []}\n", one = "{\"x\": [[1, 0]], \"y\": [1]}\n";
  const std::string two = "{\"x\": [[1, 0], [0, 1]], \"y\": [1, 0]}\n";
  const Definition elman = load_definition("elman"), none = load_definition("time_delay");
  Trainer t(elman, json_lines_dataset(elman, empty + two + one, "items"), o);
  int left_out = 0, measured = 0;
  while (!t.done()) {
    const std::vector<StateFlow> flow = t.flow();
    const Update u = t.step();
    (flow.empty() ? left_out : measured) += 1;
    CHECK(flow.empty() == (u.targets == 0));
  }
  CHECK(left_out == 2);
  CHECK(measured == 4);
  // what has no state at all says so of any item
  Trainer stateless(none, json_lines_dataset(none, empty + one, "items"), o);
  for (; !stateless.done(); stateless.step())
    CHECK(problems_of([&] { stateless.flow(); }).front().code == "G028");
}
