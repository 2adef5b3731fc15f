// What is given by C++ calls follows the rules of files and of the command line: one set for all.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support_errors.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/optimizer.h"
#include "taugrad/train/sample.h"
#include "taugrad/train/trainer.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Reals = std::vector<double>;
using Whole = std::vector<std::int64_t>;

using support::code_of;

Definition lines(const std::vector<std::string>& equations) {
  return definition_from_equations(equations);
}

Definition elman() { return load_definition("elman"); }

Dataset one_item() {
  return json_lines_dataset(elman(), "{\"x\":[[1,2],[2,1]],\"y\":[1,2]}\n", "data.jsonl");
}

}  // namespace

TEST_CASE("a trainer and an evaluation look at every item", "[train]") {
  struct Row {
    const char* name;
    const char* code;
    std::function<void(Example&)> spoil;
  };
  const auto set = [](const char* name, Tensor t) {
    return [=](Example& e) { e.values[name] = t; };
  };
  const Row rows[]{{"nothing", "", [](Example&) {}},
                   {"an empty tensor", "D011", set("x", Tensor())},
                   {"a number for a sequence", "D011", set("x", Tensor::of({}, Reals{1}))},
                   {"too wide", "D011", set("x", Tensor::of({2, 3}, Reals{1, 2, 2, 1, 5, 5}))},
                   {"too short", "D011", set("x", Tensor::of({1, 2}, Reals{1, 2}))},
                   {"no step", "D011", set("x", Tensor({0, 2}, Dtype::f64))},
                   {"too few symbols", "D011", set("y", Tensor::of({1}, Whole{1}))},
                   {"missing input", "D005", [](Example& e) { e.values.erase("x"); }},
                   {"missing data", "D005", [](Example& e) { e.values.erase("y"); }},
                   {"unknown", "D016", set("z", Tensor::of({}, Reals{1}))},
                   {"computed", "D016", set("h", Tensor::of({}, Reals{1}))},
                   {"symbol 9", "D013", set("y", Tensor::of({2}, Whole{9, 2}))},
                   {"symbol -1", "D013", set("y", Tensor::of({2}, Whole{-1, 2}))},
                   {"half a symbol", "D013", set("y", Tensor::of({2}, Reals{1.5, 2}))},
                   {"no symbol", "D013", set("y", Tensor::of({2}, Reals{kNaN, 2}))},
                   {"too long", "D011", [](Example& e) { e.lengths["tau"] = 99; }},
                   {"negative", "D014", [](Example& e) { e.lengths["tau"] = -1; }},
                   {"no length", "D014", [](Example& e) { e.lengths.clear(); }},
                   {"another length", "D014", [](Example& e) { e.lengths["q"] = 2; }},
                   {"integers for numbers", "", set("x", Tensor::of({2, 2}, Whole{1, 2, 2, 1}))},
                   {"numbers for symbols", "", set("y", Tensor::of({2}, Reals{1, 2}))}};
  for (const Row& row : rows) {
    INFO(row.name);
    Dataset data = one_item();
    row.spoil(data.examples[0]);
    CHECK(code_of([&] { Trainer(elman(), data, {}).step(); }) == row.code);
    CHECK(code_of([&] { evaluate(elman(), initial_weights(elman()), data, {}); }) == row.code);
  }
}

TEST_CASE("an item without steps may have vectors", "[train]") {
  const Definition d = lines({"h[t] = tanh(w * h[t-1])", "y[t] ~ normal(mean = h[t], std = 1)"});
  const Dataset data = json_lines_dataset(d, "{\"y\": []}\n{\"y\": [[1, 2, 3]]}\n", "d.jsonl");
  CHECK(data.examples[0].values.at("y").dims() == Dims{0, 3});
  CHECK(data.examples[0].lengths.at("tau") == 0);
  CHECK(std::isfinite(Trainer(d, data, {}).step().loss));
}

TEST_CASE("a probability is in 0..1, and so are a bernoulli's data", "[random]") {
  const auto loss_of = [](const char* equation, double p, double y) {
    const Definition d = parse_definition(
        std::string(
            R"({"name": "p", "index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "equations": [")") +
            equation + "\"]}",
        "p.json");
    const Tensor given = std::string(equation).find("cat") != std::string::npos
                             ? Tensor::of({1, 1}, Whole{static_cast<std::int64_t>(y)})
                             : Tensor::of({1, 1}, Reals{y});
    RunOptions o;
    o.fetch = {"loss"};
    return run(d, {{"x", Tensor::of({1, 1, 2}, Reals{p, p})}, {"y", given}}, {}, o);
  };
  const char* bernoulli = "y[t] ~ bernoulli(p = sum(slice(x[t], 0, 1)))";
  const char* categorical = "y[t] ~ categorical(p = x[t])";
  CHECK(loss_of(bernoulli, 0.25, 1).values.at("loss").at(0) == Approx(std::log(4)));
  CHECK(loss_of(bernoulli, 0.25, 0.5).not_finite.empty());
  CHECK(loss_of(bernoulli, 1, 1).values.at("loss").at(0) == 0);
  CHECK(loss_of(categorical, 0.5, 1).values.at("loss").at(0) == Approx(std::log(2)));
  for (const double p : {1.5, -0.5, 2.0}) {
    CHECK(loss_of(bernoulli, p, 1).not_finite.size() == 1);
    CHECK(loss_of(bernoulli, p, 0).not_finite.size() == 1);
    CHECK(loss_of(categorical, p, 1).not_finite.size() == 1);
  }
  for (const double y : {7.0, -0.1, kNaN})
    CHECK(code_of([&] { loss_of(bernoulli, 0.5, y); }) == "D013");
}

TEST_CASE("options of C++ calls that mean nothing are refused", "[run]") {
  const Definition d = elman();
  const auto ran = [&](const std::function<void(RunOptions&)>& set) {
    return code_of([&] {
      RunOptions o;
      o.fetch = {"h"};
      set(o);
      run(d, {}, {}, o);
    });
  };
  CHECK(ran([](RunOptions& o) { o.lengths["t"] = 2; }).empty());
  CHECK(ran([](RunOptions& o) { o.lengths["sigma"] = 2; }) == "U002");
  CHECK(ran([](RunOptions& o) { o.lengths["tau"] = -2; }) == "U002");
  CHECK(ran([](RunOptions& o) { o.temperature = 0; }) == "U002");
  CHECK(code_of([&] { random_inputs(d, {.lengths = {{"q", 3}}}); }) == "U002");
  CHECK(code_of([&] { random_inputs(d, {.batch = -1}); }) == "U002");
  const Tensors inputs = random_inputs(d, {.batch = 1}), weights = initial_weights(d);
  RunOptions o;
  o.fetch = {"h"};
  o.lengths["sigma"] = 2;
  CHECK(code_of([&] { run(d, inputs, weights, o); }) == "U002");
  FlowOptions through_time;
  through_time.lengths["sigma"] = 2;
  CHECK(code_of([&] { flow(d, inputs, weights, through_time); }) == "U002");
  const auto unfolded = [&](const std::function<void(UnfoldOptions&)>& set) {
    return code_of([&] {
      UnfoldOptions given{.steps = 3};
      set(given);
      unfold(d, given);
    });
  };
  CHECK(unfolded([](UnfoldOptions&) {}).empty());
  CHECK(unfolded([](UnfoldOptions& u) { u.temperature = kNaN; }) == "U002");
  CHECK(unfolded([](UnfoldOptions& u) { u.top_k = -1; }) == "U002");
  CHECK(unfolded([](UnfoldOptions& u) { u.given = {"h"}; }) == "U002");
  CHECK(unfolded([](UnfoldOptions& u) { u.lengths = {{"s", 3}}; }) == "U002");
  CHECK(unfolded([](UnfoldOptions& u) { u.data_lengths = {{"tau", -1}}; }) == "U002");
  CHECK(unfolded([](UnfoldOptions& u) { u.stands_for = {{"q", 9}}; }) == "U002");
  DefinitionCheckOptions check_options;
  check_options.modes["y"] = mode_from("mixed(linear(1,0,10))");
  CHECK(code_of([&] { check(d, check_options); }) == "U002");
}

TEST_CASE("lengths of a batch are not negative, and as many as there are", "[run]") {
  const Unfolded u = unfold(elman(), {.steps = 2, .ragged = true});
  const Graph g = u.graph();
  CHECK(code_of([&] { Program(g, {u.loss()}, {.lengths = {-5}}); }) == "U022");
  CHECK(code_of([&] { Program(g, {u.loss()}, {.lengths = {2, 7}}); }) == "U022");
  const NodeId loss = u.loss().id;
  Interpreter<double> plain(g.tape(), {&loss, 1});
  Executor<float> fast(g.tape(), std::vector<NodeId>{loss});
  const BatchContext negative{.lengths = {{-1}}};
  CHECK(code_of([&] { plain.set_batch(negative, 1); }) == "U022");
  CHECK(code_of([&] { fast.set_batch(negative, 1); }) == "U022");
  Graph fresh;
  CHECK(code_of([&] { fresh.tape().reserve(~std::size_t{0}); }) == "U022");
  CHECK(code_of([&] { save_graph("picture.png", g); }) == "U002");
}

TEST_CASE("symbols that there are not", "[train]") {
  const Definition d = load_definition("end_symbol");
  CHECK(code_of([&] { sample(d, initial_weights(d), {.steps = 6, .prompt = {99, 2}}); }) == "D013");
  CHECK(code_of([&] { sample(d, initial_weights(d), {.steps = 6, .prompt = {-1}}); }) == "D013");
  const Vocabulary v({"", "a"}, true, "v.json");
  CHECK(v.decode({1, 0, 1}) == "aa");
  CHECK(code_of([&] { v.decode({7}); }) == "U022");
  CHECK(code_of([&] { v.decode({-1}); }) == "U022");
  Graph g;
  const Var c = g.category("c", 3), w = g.weight("w", {3});
  CheckPoint point;
  point.leaves = {{c, {7.5}}, {w, {1, 2, 3}}};
  const Var loss = sum(one_hot(c, 3) * w);
  CHECK(code_of([&] { check_gradients(loss, Vars{w}, point); }) == "D013");
  Graph other;
  const Var foreign = other.weight("w", {3});
  point.leaves[0].second = {1};
  CHECK(code_of([&] { find_faults(loss, Vars{foreign}, point); }) == "U021");
  CHECK(find_faults(loss, Vars{w}, point).empty());
}

TEST_CASE("where there is no distribution there is no likeliest symbol", "[train]") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const char* name : {"end_symbol", "predicted_length", "bernoulli_stop"}) {
    const Definition d = load_definition(name);
    for (const SampleOptions& o :
         {SampleOptions{.steps = 6}, SampleOptions{.steps = 6, .temperature = 0},
          SampleOptions{.steps = 6, .top_k = 1}}) {
      INFO(name << ", temperature " << o.temperature << ", top " << o.top_k);
      Tensors weights = initial_weights(d);
      if (weights.contains("l")) weights.at("l").set(3, 50);  // of three steps
      CHECK(sample(d, weights, o).size() == 1);
      weights.at("c").set(0, infinity);
      CHECK(code_of([&] { sample(d, weights, o); }) == "N004");
      weights.at("c").set(0, kNaN);
      CHECK(code_of([&] { sample(d, weights, o); }) == "S101");
    }
  }
}

TEST_CASE("an optimiser is one there is, its scale a number", "[train]") {
  CHECK(code_of([] { Optimizer({.kind = static_cast<OptimizerKind>(7)}); }) == "U002");
  Optimizer o;
  Tensors w{{"w", Tensor::of({1}, Reals{1})}}, g = w;
  CHECK(code_of([&] { o.update(w, g, kNaN); }) == "U002");
  CHECK(o.updates() == 0);
}

TEST_CASE("names and parts of a definition that would be lost", "[language]") {
  const auto problem = [](const std::string& text) {
    return code_of([&] { unfold(parse_definition(text, "d.json"), {.steps = 2}); });
  };
  CHECK(
      problem(
          R"({"name": "d", "index": {"t": "tau"}, "inputs": {"item[t]": []}, "equations": ["h[t] = item[t]"]})") ==
      "E004");
  CHECK(
      problem(
          R"({"name": "d", "index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": ["lengths[t] = x[t]"]})") ==
      "E004");
  CHECK(code_of([] { lines({"h[t] = x[t]", "ends = h[t] > 1", "ends = h[t] > 2"}); }) == "E013");
  Definition d = lines({"y[t] ~ bernoulli(logits = sum(w))"});
  d.ends.clear();
  const IndexHandle t{std::string("t")};
  d.ends_when(t, "y[t] == 1");
  CHECK(code_of([&] { unfold(d, {.steps = 2}); }).empty());
  d.ends_when(t, "y[t] == 0");
  CHECK(code_of([&] { unfold(d, {.steps = 2}); }) == "E013");
  const Definition two = parse_definition(
      R"~({"name": "two", "index": {"s": "n_s", "t": "n_t"}, "weights": {"a": [3]}, "equations": [
      "y[s] ~ categorical(logits = a)", "z[t] ~ categorical(logits = a)"],
      "ends": {"s": "y[s] == 0", "t": "z[t] == 0"}})~",
      "two.json");
  CHECK(code_of([&] { unfold(two, {.steps = 3}); }).empty());
  CHECK(code_of([&] { unfold(two, {.steps = 3, .modes = {{"y", Mode::sampled}}}); }) == "E013");
  Definition c("c");
  c.index("t", "tau");
  c.constant("a", std::numeric_limits<double>::infinity());
  c.equation("h[t] = a * t");
  CHECK(code_of([&] { unfold(c, {.steps = 2}); }) == "G003");
}
