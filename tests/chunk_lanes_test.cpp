// What the steps and heads of a chunk make alike is made at once.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chunk_support.h"
#include "rewrite/chunks/lanes.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

using namespace chunk_support;
using taugrad::test::define;

TEST_CASE("chunk: what steps and heads make alike is made once, but what is asked for", "[chunk]") {
  const Definition d = define(R"j("index": {"t": "tau", "h": 2}, "sizes": {"n": 3, "K": 2},
 "inputs": {"x[t]": ["n"]}, "weights": {"W": ["K", "n"], "V[h]": ["K", "n"], "m": ["K"], "c": []},
 "functions": ["key(u) = tanh(m * u) / sqrt(1 + sum(u * u)) + layer_norm(u, m, 0)"],
 "equations": ["k[t,h] = key(V[h] @ x[t])", "s[t] = max(s[t-1] * c, sum(x[t]))",
   "z[t] = reshape(softmax(reshape(W @ x[t], 1, K)), K)",
   "S[t,h] = sigmoid(s[t]) * S[t-1,h] + outer(z[t], k[t,h])",
   "y[t,h] = S[t,h] @ (W @ x[t])"], "loss": "sum(y[t,h] * y[t,h])")j");
  const Unfolded u = unfold(d, {.steps = 8});
  const auto count = [&](const Op& op, const std::set<std::string>& asked) {
    const InChunks made = in_chunks(u.graph().tape(), kChunk, asked);
    const Tape& tape = made.graph.tape();
    const NodeId loss = made.nodes[static_cast<std::size_t>(u.loss().id)];
    const std::vector<char> needed = reachable(tape, {&loss, 1});
    std::ptrdiff_t n = 0;
    for (NodeId id = 0; id < tape.size(); ++id)
      n += needed[static_cast<std::size_t>(id)] != 0 && &tape.op(id) == &op;
    return n;
  };
  CHECK(count(kTanh, {}) == 4);  // a chunk, a head
  CHECK(count(kSoftmax, {}) == 2);
  CHECK(count(kMaximum, {}) == 8);  // each is made of the one before
  CHECK(count(kMatmul, {}) == 24);  // W for both heads
  CHECK(count(kTanh, {"k"}) == 16);
  CHECK(count(kMatmul, {"W"}) == 24 + 16);
  const Tensors inputs = random_inputs(d, {.steps = 9, .batch = 3, .seed = 5});
  Tensors weights = initial_weights(d, {.steps = 9, .seed = 6});
  for (const char* name : {"m", "c"}) fill(weights.at(name), name[0]);
  for (const std::vector<std::string>& fetch :
       {std::vector<std::string>{"loss", "y", "grad:V", "grad:m", "grad:c", "grad:x"},
        {"loss", "grad:W", "grad:W[3,2]"},
        {"k", "grad:k", "grad:V"},
        {"grad:s", "grad:x", "grad:z"}}) {
    check_fetched(d, inputs, weights, fetch);
  }
}

TEST_CASE("chunk: gates that a category chooses are made step by step", "[chunk]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"K": 2},
 "inputs": {"c[t]": "category(3)", "a[t]": [], "k[t]": ["K"], "q[t]": ["K"]},
 "equations": ["S[t] = where(c[t] == 1, 0.5, tanh(a[t])) * S[t-1] + outer(q[t], k[t])",
   "y[t] = S[t] @ q[t]"], "loss": "sum(y[t] * y[t])")j");
  const Tensors inputs = random_inputs(d, {.steps = 9, .batch = 3, .seed = 5});
  RunOptions options;
  const Tensors plain = test::evaluate(d, inputs, {}, {"y", "grad:a", "grad:k"}, options);
  options.engine.chunk = kChunk;
  const Tensors chunked = test::evaluate(d, inputs, {}, {"y", "grad:a", "grad:k"}, options);
  CHECK(chunks_of(d, 9).states.size() == 1);
  check_close(plain, chunked);
}

TEST_CASE("chunk: what goes through many operations is made step by step from there on",
          "[chunk]") {
  // and, where it would take long to tell whether one is made of another, all of it
  for (const auto& [operations, nodes] : {std::pair{1000, Lanes::kMostOnWay + 1}, {20000, 1}}) {
    Graph g;
    Tape& tape = g.tape();
    std::vector<NodeId> ends;
    for (int t = 0; t < 3; ++t) {
      Var a = g.input("a" + std::to_string(t), Shape{2});
      for (int i = 0; i < operations; ++i) a = tanh(a);
      ends.push_back(a.id);
    }
    const NodeId before = tape.size();
    const std::set<std::string> asked;
    const Var all = Lanes(tape, asked).stacked(ends);
    CHECK(all.shape() == Shape{3, 2});
    CHECK(tape.size() - before == nodes);
  }
}
