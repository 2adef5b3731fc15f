// Rows S15-S17, S21-S24: the three design patterns, their losses and their cost. (eq 7-13)
#include <pthread.h>

#include "language_support.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// Which nodes one node reaches, users after it.
std::vector<char> reached_from(const Tape& tape, NodeId from) {
  std::vector<char> reached(static_cast<std::size_t>(tape.size()), 0);
  reached[static_cast<std::size_t>(from)] = 1;
  for (NodeId id = from + 1; id < tape.size(); ++id)
    for (const NodeId in : tape.inputs(id))
      if (reached[static_cast<std::size_t>(in)]) reached[static_cast<std::size_t>(id)] = 1;
  return reached;
}

/// Edges of the longest path that starts at an input: copies move nothing and are not counted.
std::int64_t longest_path(const Tape& tape, NodeId to) {
  std::vector<std::int64_t> depth(static_cast<std::size_t>(tape.size()), 0);
  for (NodeId id = 0; id <= to; ++id)
    for (const NodeId in : tape.inputs(id))
      depth[static_cast<std::size_t>(id)] =
          std::max(depth[static_cast<std::size_t>(id)], depth[static_cast<std::size_t>(in)] + 1);
  return depth[static_cast<std::size_t>(to)];
}

/// The longest path to any variable at the last step.
std::int64_t path_of(const char* name, std::int64_t steps) {
  const Unfolded u = unfold(load_definition(name), {.steps = steps});
  const NodeId last = u.find("o", {static_cast<std::int32_t>(steps)}) >= 0
                          ? u.find("o", {static_cast<std::int32_t>(steps)})
                          : u.at("o").id;
  return longest_path(u.graph().tape(), last);
}

std::int32_t step_of(const Tape& tape, NodeId id) {
  return tape.index(id).empty() ? 0 : tape.index(id)[0];
}

}  // namespace

TEST_CASE("S15: hidden to hidden: each state reaches the next, each output stands alone",
          "[rows]") {
  const Unfolded u = unfold(load_definition("elman"), {.steps = 3});
  const Tape& tape = u.graph().tape();
  for (int t = 1; t < 3; ++t) {
    CHECK(reached_from(tape, u.at("h", t).id)[static_cast<std::size_t>(u.at("h", t + 1).id)]);
    CHECK_FALSE(reached_from(tape, u.at("o", t).id)[static_cast<std::size_t>(u.at("h", t + 1).id)]);
  }
}

TEST_CASE("S16: output to hidden: no state reaches the next under teacher forcing", "[rows]") {
  const Definition d = load_definition("output_recurrent");
  const Unfolded u = unfold(d, {.steps = 5});
  const Tape& tape = u.graph().tape();
  for (int t = 1; t < 5; ++t)
    CHECK_FALSE(reached_from(tape, u.at("h", t).id)[static_cast<std::size_t>(u.at("h", t + 1).id)]);
  // the gradient crosses no boundary between steps
  const NodeId forward = tape.size();
  Vars wrt;
  for (const char* name : {"U", "W", "V", "b", "c"})
    for (const auto& [label, copy] : u.copies(name)) wrt.push_back(copy);
  gradient(u.loss(), wrt);
  std::int64_t crossing = 0;
  for (NodeId id = forward; id < tape.size(); ++id)
    for (const NodeId in : tape.inputs(id))
      crossing += in >= forward && step_of(tape, in) > 0 && step_of(tape, id) > 0 &&
                          step_of(tape, in) != step_of(tape, id)
                      ? 1
                      : 0;
  CHECK(crossing == 0);
  // with its own output fed back the path is there again
  const Unfolded open = unfold(load_definition("output_recurrent_deterministic"), {.steps = 3});
  CHECK(reached_from(open.graph().tape(),
                     open.at("h", 1).id)[static_cast<std::size_t>(open.at("h", 2).id)]);
}

TEST_CASE("S16: all steps evaluated as one batch give the same bits", "[rows]") {
  const Definition d = load_definition("output_recurrent");
  const DrawOptions draw{.steps = 9, .seed = 8};
  const Tensors inputs = random_inputs(d, draw), weights = initial_weights(d, draw);
  const Tensors sequence = evaluate(d, inputs, weights, {"h", "o", "nll:y"});
  Tensors pairs{{"x", Tensor({2, 8, 2}, Dtype::f64)},
                {"y", Tensor({2, 8}, Dtype::i64)}};  // (t-1, t) for t = 2..9
  for (std::int64_t item = 0; item < 8; ++item)
    for (std::int64_t s = 0; s < 2; ++s) {
      pairs.at("y").set(s * 8 + item, inputs.at("y").at(item + s));
      for (std::int64_t j = 0; j < 2; ++j)
        pairs.at("x").set((s * 8 + item) * 2 + j, inputs.at("x").at((item + s) * 2 + j));
    }
  const Tensors at_once = evaluate(d, pairs, weights, {"h[2]", "o[2]", "nll:y[2]"});
  for (const char* name : {"h", "o", "nll:y"})
    CHECK(values_of(at_once.at(std::string(name) + "[2]")) ==
          values_of(part(sequence.at(name), 0, 1, 9)));
}

TEST_CASE("S17: one output at the end: earlier states are reached by the gradient through W alone",
          "[rows]") {
  const Unfolded u = unfold(load_definition("many_to_one"), {.steps = 5});
  Vars wrt{u.at("o")};
  for (int t = 1; t <= 5; ++t) wrt.push_back(u.at("h", t));
  const Gradients g = gradient(u.loss(), wrt);
  const Tape& tape = u.graph().tape();
  CHECK(g.edges(u.at("o")).size() == 1);
  for (int t = 1; t <= 5; ++t) {
    const auto edges = g.edges(u.at("h", t));
    REQUIRE(edges.size() == 1);
    CHECK(tape.name(edges[0].user) == (t == 5 ? "o" : "h"));
    if (t < 5) CHECK(tape.name(tape.inputs(edges[0].user)[0]) == "W");
  }
}

TEST_CASE("S21: sequences of unequal length are refused, both lengths named", "[rows]") {
  const Definition d = load_definition("elman");
  const Tensors inputs{{"x", Tensor({4, 1, 2}, Dtype::f64)}, {"y", Tensor({3, 1}, Dtype::i64)}};
  const auto e = problems_of([&] { evaluate_one(d, inputs, initial_weights(d), "loss"); });
  CHECK(e[0].code == "D011");
  for (const char* part_of : {"\"x\"", "\"y\"", "3", "4", "tau"})
    CHECK(e[0].message.find(part_of) != std::string::npos);
}

TEST_CASE("S22: the loss is the sum of its steps, each the likelihood read off yhat (eq 11-13)",
          "[rows]") {
  Definition d = load_definition("elman");
  d.equation("yhat[t] = softmax(o[t])");
  const DrawOptions draw{.steps = 30, .batch = 4, .seed = 12};
  const Tensors inputs = random_inputs(d, draw);
  const Tensors v = evaluate(d, inputs, initial_weights(d, draw), {"loss", "nll:y", "yhat"});
  for (std::int64_t item = 0; item < 4; ++item) {
    double sum = 0;
    for (std::int64_t t = 0; t < 30; ++t) {
      const double step = v.at("nll:y").at(t * 4 + item);
      sum += step;
      const auto y = static_cast<std::int64_t>(inputs.at("y").at(t * 4 + item));
      CHECK(step ==
            Approx(-std::log(v.at("yhat").at((t * 4 + item) * 3 + y))).margin(1e-14).epsilon(0));
    }
    CHECK(std::abs(sum - v.at("loss").at(item)) <= 30 * std::nextafter(sum, 2 * sum) - 30 * sum);
  }
}

TEST_CASE("S23: nodes and bytes are affine in tau from 1k to 64k, the gradient's too", "[rows]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["h[t] = tanh(w * h[t-1] + x[t])"], "loss": "h[last]")j");
  std::vector<std::pair<std::int64_t, std::int64_t>> counts;
  for (std::int64_t tau = 1024; tau <= 65536; tau *= 2) {
    const Unfolded u = unfold(d, {.steps = tau});
    gradient(u.loss(), {u.weight("w")});
    counts.emplace_back(u.graph().size(), u.graph().tape().bytes());
  }
  const std::int64_t nodes = (counts[1].first - counts[0].first) / 1024,
                     bytes = (counts[1].second - counts[0].second) / 1024;
  for (std::size_t k = 1; k < counts.size(); ++k) {
    const std::int64_t more = 1024 * ((std::int64_t{1} << k) - 1);
    CHECK(counts[k].first == counts[0].first + nodes * more);
    CHECK(counts[k].second == counts[0].second + bytes * more);
  }
}

namespace {
void* million_steps(void* result) {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"z": []}, "weights": {"w": []},
    "equations": ["s[0] = z", "s[t] = w * s[t-1]"], "loss": "s[last]")j");
  const Unfolded u = unfold(d, {.steps = 1'000'000});
  const Gradients g = gradient(u.loss(), {u.weight("w"), u.at("z")});
  const NodeId outputs[] = {u.loss().id, g[std::size_t{0}].id, g[std::size_t{1}].id};
  Executor<double> executor(u.graph().tape(), outputs);
  BatchContext batch;
  batch.lengths = {{1'000'000}};
  executor.set_batch(batch, 1);
  for (const NodeId leaf : executor.leaves())
    executor.leaf(leaf)[0] = u.graph().tape().name(leaf) == "w" ? 1 : 2;
  executor.run();
  for (std::size_t i = 0; i < 3; ++i) static_cast<double*>(result)[i] = executor.value(i)[0];
  return nullptr;
}
}  // namespace

TEST_CASE("S23: a million steps are built, differentiated, run and freed on a stack of 256 KiB",
          "[rows]") {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  pthread_t thread;
  double result[3] = {0, 0, 0};
  REQUIRE(pthread_create(&thread, &attributes, &million_steps, result) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(result[0] == 2);
  CHECK(result[1] == 2e6);  // d (w^T z) / dw = T z at w = 1
  CHECK(result[2] == 1);
}

TEST_CASE(
    "S24: the longest path grows with tau, but not for output to hidden under teacher forcing",
    "[rows]") {
  for (const char* name : {"elman", "many_to_one", "output_recurrent_deterministic"}) {
    CAPTURE(name);
    const std::int64_t c = path_of(name, 11) - path_of(name, 10);
    CHECK(c >= 3);
    for (const std::int64_t tau : {20, 50, 100})
      CHECK(path_of(name, tau) == path_of(name, 10) + c * (tau - 10));
  }
  for (const std::int64_t tau : {3, 10, 100})
    CHECK(path_of("output_recurrent", tau) == path_of("output_recurrent", 2));
}
