// Recurrences that are linear in their state, in chunks: the values and gradients of the same step
// by step, to rounding.
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "chunk_support.h"
#include "taugrad/evaluate/describe_plan.h"

using namespace chunk_support;
using taugrad::test::define;

namespace {

const Net kNets[] = {
    {"a number", R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t]")j"},
    {"no gate", R"j("S[t] = S[t-1] + outer(v[t], W @ k[t])", "y[t] = S[t] @ q[t]")j"},
    {"a constant gate", R"j("S[t] = 0.9 * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t]")j"},
    {"a weight for a gate, minus",
     R"j("S[t] = outer(v[t], k[t]) - c * S[t-1]", "y[t] = S[t] @ q[t]")j"},
    {"minus what is written",
     R"j("S[t] = a[t] * S[t-1] - b[t] * outer(v[t], k[t])", "y[t] = S[t] @ q[t]")j"},
    {"gates divided",
     R"j("S[t] = S[t-1] / (2 + a[t]) + outer(v[t], k[t]) / (3 + b[t])", "y[t] = S[t] @ q[t]")j"},
    {"over the rows", R"j("S[t] = a[t] * S[t-1] + outer(k[t], v[t])", "y[t] = q[t] @ S[t]")j"},
    {"turned", R"j("S[t] = a[t] * S[t-1] + reshape(k[t], K, 1) @ reshape(v[t], 1, V)",
      "y[t] = transpose(S[t]) @ reshape(q[t], K, 1)")j"},
    {"sums of products",
     R"j("S[t] = a[t] * S[t-1] + reshape(v[t], V, 1) * reshape(k[t], 1, K)",
      "y[t] = sum(S[t] * q[t], axis=-1)", "z[t] = sum(reshape(v[t], V, 1) * S[t], axis=0)")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"the state before", R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t-1] @ q[t]")j"},
    {"read twice, some steps apart",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t] + S[t-3] @ tanh(k[t])")j"},
    {"the state after, of items that may have ended",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t] + 2 * (S[t+1] @ q[t])")j"},
    {"one state for all steps",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[2] @ q[t] + S[t] @ q[t]")j"},
    {"from the end, the state before it too",
     R"j("S[t] = a[t] * S[t+1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t] + 2 * (S[t+1] @ q[t])")j"},
    {"a learnt first state",
     R"j("S[0] = M", "S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t]")j"},
    {"from the end to the beginning",
     R"j("S[t] = a[t] * S[t+1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t]")j"},
    {"only the last state", R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y = S[last] @ w")j"},
    {"the last state as it is", R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])",
      "z[t] = S[t] @ q[t]", "y = sum(S[last] * S[last], axis=1)")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"heads", R"j("S[t] = reshape(A[t], H, 1, 1) * S[t-1] + outer(U[t], G[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"heads of one key, as Mamba-2",
     R"j("S[t] = reshape(A[t], H, 1, 1) * S[t-1] + outer(reshape(B[t], H, 1) * U[t], k[t])",
      "y[t] = S[t] @ q[t] + reshape(B[t], H, 1) * U[t]")j"},
    {"heads of one gate, over the rows",
     R"j("S[t] = a[t] * S[t-1] + reshape(G[t], H, K, 1) @ reshape(U[t], H, 1, V)",
      "y[t] = reshape(Q[t], H, 1, K) @ S[t]")j"},
    {"heads of one value", R"j("S[t] = S[t-1] + outer(v[t], G[t])", "y[t] = matvec(S[t], Q[t])")j"},
    {"gates of weights, a learnt first state of heads",
     R"j("S[0] = R", "S[t] = reshape(decay, H, 1, 1) * S[t-1] + outer(U[t], G[t])",
      "decay = 1 - pow(2, -cumsum(ones(H)))", "y[t] = matvec(S[t], Q[t])")j"},
    {"a normaliser, as mLSTM",
     R"j("S[t] = reshape(A[t], H, 1, 1) * S[t-1] + reshape(B[t], H, 1, 1) * outer(U[t], G[t])",
      "n[t] = reshape(A[t], H, 1) * n[t-1] + reshape(B[t], H, 1) * G[t]",
      "y[t] = matvec(S[t], Q[t]) / (2 + abs(reshape(vecdot(n[t], Q[t]), H, 1)))")j",
     2},
    {"one on another",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "x[t] = tanh(S[t] @ q[t])",
      "T[t] = b[t] * T[t-1] + outer(x[t], k[t])", "y[t] = T[t] @ q[t]")j",
     2},
    {"made of the steps before and after",
     R"j("S[t] = sigmoid(a[t] + a[t-1]) * S[t-1] + outer(v[t+1] * v[t], tanh(k[t-1]))",
      "y[t] = S[t] @ (q[t+1] * w + q[t-2])")j"},
    {"made of the steps before and after, from the end",
     R"j("S[t] = sigmoid(a[t+1] * c) * S[t+1] + outer(v[t-1] + v[t], tanh(k[t+1]) * w)",
      "y[t] = S[t] @ (q[t-1] + w) + S[t+1] @ tanh(q[t+2])")j"},
    {"a row and its rest for a key, from the end, as HGRN2",
     R"j("S[t] = e[t] * S[t+1] + outer(v[t], 1 - e[t])", "y[t] = S[t] @ q[t]")j"},
    {"a row and numbers, minus, divided, a learnt first state",
     R"j("S[0] = M", "S[t] = b[t] * outer(v[t], k[t]) - a[t] * (e[t] * S[t-1]) / (2 + k[t])",
      "y[t] = S[t] @ q[t] + S[t-1] @ k[t]")j"},
    {"a row of weights, the last state as it is",
     R"j("S[t] = w * S[t-1] + outer(v[t], k[t])", "z[t] = S[t] @ q[t]",
      "y = sum(S[last] * S[last], axis=1)")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"a row, only the last state",
     R"j("S[t] = e[t] * S[t-1] + outer(v[t], k[t])", "y = S[last] @ w")j"},
    {"a row, over the rows and the columns", R"j("S[t] = e[t] * S[t-1] + outer(v[t], k[t])",
      "y[t] = S[t] @ q[t]", "z[t] = v[t] @ S[t]")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"a column, over the columns, of heads of one key",
     R"j("S[t] = reshape(v[t], V, 1) * S[t-1] + outer(U[t], k[t])", "y[t] = S[t] @ q[t]")j"},
    {"a column, over the rows", R"j("S[t] = reshape(e[t], K, 1) * S[t-1] + outer(k[t], v[t])",
      "y[t] = q[t] @ S[t]")j"},
    {"a column a head, a learnt first state of heads",
     R"j("S[0] = R",
      "S[t] = reshape(U[t], H, V, 1) * S[t-1] + reshape(B[t], H, 1, 1) * outer(v[t], G[t])",
      "y[t] = reshape(v[t], 1, 1, V) @ S[t]")j"},
    {"a row a head, as gated linear attention",
     R"j("S[t] = reshape(E[t], H, 1, K) * S[t-1] + outer(U[t], G[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"a row for heads of one key", R"j("S[t] = e[t] * S[t-1] + outer(U[t], k[t])",
      "y[t] = S[t] @ q[t] + S[2] @ k[t]")j"},
    {"rows for the same keys and queries",
     R"j("S[t] = e[t] * S[t-1] + outer(v[t], k[t])", "T[t] = w * T[t-1] + outer(v[t], k[t])",
      "y[t] = S[t] @ q[t] + T[t] @ q[t]")j",
     2},
    {"weights are added, from the end",
     R"j("S[t] = a[t] * S[t+1] + outer(M @ w, w)", "y[t] = S[t] @ q[t]")j"},
    {"weights are added behind rows, from the end",
     R"j("S[t] = e[t] * S[t+1] + outer(M @ w, w)", "y[t] = S[t] @ q[t]")j"},
    // and what is left as it is
    {"a nonlinearity",
     R"j("S[t] = tanh(a[t] * S[t-1] + outer(v[t], k[t]))", "y[t] = S[t] @ q[t]")j", 0},
    {"the norm of a state",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t] / (1 + norm(S[t]))")j", 0},
    {"a row and a column", R"j("S[t] = e[t] * (reshape(v[t], V, 1) * S[t-1]) + outer(v[t], k[t])",
      "y[t] = S[t] @ q[t]")j",
     0},
};

struct Shipped {
  const char* graph;
  std::vector<std::string> states;  ///< that are found
  std::string out = "y";
};
const std::vector<Shipped> kShipped = {
    {"gla", {"S"}},          {"hgrn2", {"S"}},    {"linear_attention", {"S", "z"}},
    {"mamba2", {"S"}},       {"mesanet", {"G"}},  {"mlstm", {"C", "u"}, "h"},
    {"retnet", {"S"}},       {"deltanet", {"S"}}, {"gated_deltanet", {"S"}},
    {"kda", {"S"}},          {"comba", {"S"}},    {"mamba3", {"S"}},
    {"deltaproduct", {"S"}}, {"rwkv7", {"S"}},    {"lstm", {}}};

}  // namespace

TEST_CASE("chunk: which recurrences are linear in a state that only vectors read", "[chunk]") {
  check_found(kNets);
  const InChunks one = chunks_of(net(kNets[0]), 15);
  REQUIRE(one.states.size() == 1);
  CHECK(one.states[0].name == "S");
  CHECK(one.states[0].steps == 15);
  CHECK(chunks_of(net(kNets[0]), 15, {"S"}).states.empty());
  CHECK(chunks_of(net(kNets[0]), 15, {"y", "q"}).states.size() == 1);
}

TEST_CASE("chunk: shipped recurrences that run in chunks, and some that do not", "[chunk]") {
  for (const auto& [graph, states, out] : kShipped) {
    CAPTURE(graph);
    std::vector<std::string> found;
    for (const ChunkedStates& s : chunks_of(load_definition(graph), 9).states)
      found.push_back(s.name);
    CHECK(found == states);
  }
}

TEST_CASE("chunk: shipped recurrences have the values and gradients of step by step", "[chunk]") {
  for (const auto& [graph, states, out] : kShipped) {
    CAPTURE(graph);
    const Definition d = load_definition(graph);
    Tensors inputs = random_inputs(d, {.steps = 9, .batch = 3, .seed = 5});
    inputs["lengths"] = Tensor::of({3}, std::vector<std::int64_t>{9, 4, 6});
    Tensors weights = initial_weights(d, {.steps = 9, .seed = 6});
    RunOptions options;
    std::vector<std::string> fetch{out};
    for (auto& [name, tensor] : weights) {
      if (largest(tensor) == 0) fill(tensor, name[0]);
      fetch.push_back("grad:" + name);
    }
    if (states.empty()) continue;
    Tensor cotangent = test::evaluate(d, inputs, weights, {out}, options).at(out);
    fill(cotangent, 'c');
    inputs["cotangent:" + out] = cotangent;
    check_fetched(d, inputs, weights, fetch);
  }
}

TEST_CASE("chunk: values and gradients are those of step by step, to rounding", "[chunk]") {
  check_values(kNets);
}

TEST_CASE("chunk: items that end by two lengths go step by step", "[chunk]") {
  const Definition d = define(R"j("index": {"t": "tau", "s": "(tau + 1) / 2"},
 "inputs": {"q[s]": [2], "k[t]": [2]},
 "equations": ["S[t] = S[t-1] + outer(k[t], k[t])", "y[s] = S[s] @ q[s]"], "loss": "sum(y[s])")j");
  const Tensors inputs{{"q", Tensor::of({1, 2, 2}, std::vector<double>{1, 1, 1, 1})},
                       {"k", Tensor::of({2, 2, 2}, std::vector<double>{1, 0, 1, 0, 0, 1, 9, 9})},
                       {"lengths", Tensor::of({2}, std::vector<std::int64_t>{2, 1})}};
  RunOptions options;
  options.engine.chunk = 2;
  const Tensors out = test::evaluate(d, inputs, {}, {"y", "grad:k"}, options);
  CHECK(test::distance(out.at("y"), Tensor::of({1, 2, 2}, std::vector<double>{1, 0, 1, 0})) == 0);
}

TEST_CASE("chunk: states that are asked for stay as they are", "[chunk]") {
  const Definition d = net(kNets[0]);
  const Case c{9, 3, {}};
  RunOptions options;
  options.engine.chunk = kChunk;
  const Tensors weights = weights_of(d, c);
  const std::vector<std::string> fetch{"S", "grad:S", "loss"};
  const Tensors chunked = test::evaluate(d, inputs_of(d, c), weights, fetch, options);
  options.engine.chunk = 0;
  CHECK(same_bits(test::evaluate(d, inputs_of(d, c), weights, fetch, options), chunked));
  CHECK(largest(chunked.at("grad:S")) > 0);
  options.fetch = {"S"};
  CHECK(run(d, inputs_of(d, c), weights, options).warnings.empty());
  options.engine.chunk = kChunk;  // what would change nothing says so
  const auto warnings = run(d, inputs_of(d, c), weights, options).warnings;
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].starts_with("a chunk of "));
  options.fetch = {"loss"};
  CHECK(run(d, inputs_of(d, c), weights, options).warnings.empty());
}

TEST_CASE("chunk: a gated state written twice is one, whatever is asked for", "[chunk]") {
  const Definition d = test::define(R"j("index": {"t": "tau"}, "sizes": {"n": 3, "d": 2, "e": 4},
    "inputs": {"x[t]": ["n"]}, "weights": {"Wk": ["d", "n"], "Wv": ["e", "n"], "w": ["n"]},
    "equations": ["k[t] = unit(Wk @ x[t])", "v[t] = Wv @ x[t]", "g[t] = sigmoid(sum(w * x[t]))",
      "S[t] = g[t] * S[t-1] + outer(v[t] - (g[t] * S[t-1]) @ k[t], k[t])", "y[t] = S[t] @ k[t]"],
    "loss": "sum(y[t] * y[t])")j");
  const Tensors inputs = random_inputs(d, {.steps = 9, .batch = 3, .seed = 5});
  const Tensors weights = initial_weights(d, {.steps = 9, .seed = 6});
  RunOptions options;
  options.fetch = {"loss", "grad:Wk", "grad:w", "grad:g", "grad:x"};
  options.engine.chunk = kChunk;
  CHECK(run(d, inputs, weights, options).warnings.empty());  // it is found
  check_fetched(d, inputs, weights, options.fetch);
}

TEST_CASE("chunk: a plan tells what runs in chunks", "[chunk]") {
  const Definition d = net(kNets[0]);
  const auto passes = [&](std::int64_t chunk) {
    ExecutorOptions options;
    options.engine.chunk = chunk;
    std::vector<std::string> told;
    for (const PassSummary& pass : describe_plan(d, {.steps = 15}, options).passes)
      if (pass.name == "chunk") told.push_back(pass.about);
    return told;
  };
  CHECK(passes(0).empty());
  const Definition elman = load_definition("elman");
  const auto long_plan = [&](std::int64_t chunk) {
    ExecutorOptions options;
    options.engine.chunk = chunk;
    return describe_plan(elman, {.steps = 100}, options);
  };
  CHECK(long_plan(16).by_law);  // where nothing is found all goes on as it does
  CHECK(long_plan(16).lines == long_plan(0).lines);
  CHECK_FALSE(long_plan(16).passes.back().on);
  CHECK(passes(4) == std::vector<std::string>{"S: 15 steps as products of 4 at once"});
}
