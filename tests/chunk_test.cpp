// Recurrences that are linear in their state, in chunks: the values and gradients of the same step
// by step, to rounding.
#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "language_support.h"
#include "rewrite/chunks/chunks.h"
#include "taugrad/evaluate/describe_plan.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using taugrad::test::define;

namespace {

constexpr std::int64_t kChunk = 4;

struct Net {
  const char* name;
  const char* equations;
  std::size_t chains = 1;  ///< found
  const char* last = "0";  ///< is added to the loss
};

/// Inputs q, k, e [K], v [V] and a, b, numbers; Q, G, E [H,K], U [H,V], A, B [H]; weights W [K,K],
/// w [K], M [V,K], c, R [H,V,K].
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
    // and what is left as it is
    {"a nonlinearity",
     R"j("S[t] = tanh(a[t] * S[t-1] + outer(v[t], k[t]))", "y[t] = S[t] @ q[t]")j", 0},
    {"an error", R"j("S[t] = a[t] * S[t-1] + outer(v[t] - S[t-1] @ k[t], k[t])",
      "y[t] = S[t] @ q[t]")j",
     0},
    {"what is read comes back",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t] + y[t-1], k[t])", "y[t] = S[t] @ q[t]")j", 0},
    {"the norm of a state",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t], k[t])", "y[t] = S[t] @ q[t] / (1 + norm(S[t]))")j", 0},
    {"a row and a column", R"j("S[t] = e[t] * (reshape(v[t], V, 1) * S[t-1]) + outer(v[t], k[t])",
      "y[t] = S[t] @ q[t]")j",
     0},
};

Definition net(const Net& n) {
  const std::string equations = n.equations;
  const bool of_end = equations.find("\"y = ") != std::string::npos;
  return define(fmt::format(
      R"j("index": {{"t": "tau"}}, "sizes": {{"K": 3, "V": 2, "H": 2}},
      "inputs": {{"q[t]": ["K"], "k[t]": ["K"], "v[t]": ["V"], "a[t]": [], "b[t]": [],
        "e[t]": ["K"], "E[t]": ["H", "K"], "Q[t]": ["H", "K"], "G[t]": ["H", "K"],
        "U[t]": ["H", "V"], "A[t]": ["H"], "B[t]": ["H"]}},
      "weights": {{"W": ["K", "K"], "w": ["K"], "M": ["V", "K"], "c": [], "R": ["H", "V", "K"],
        "g": []}},
      "equations": [{}], "loss": "{} + {}")j",
      equations, of_end ? "g * sum(y * y)" : "sum[t](g * sum(y[t] * y[t]) + sum(y[t]))", n.last));
}

struct Case {
  std::int64_t steps, batch;
  std::vector<std::int64_t> lengths = {};  ///< of the items, where they differ
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::int64_t steps : {1, 3, 4, 5, 15})
    for (const std::int64_t batch : {1, 5}) all.push_back({steps, batch, {}});
  all.push_back({15, 5, {9, 1, 15, 4, 8}});
  all.push_back({6, 3, {0, 6, 5}});
  return all;
}

/// Drawn numbers, of either sign; a gate in three is 0, others are negative.
Tensors inputs_of(const Definition& d, const Case& c) {
  Tensors inputs = random_inputs(d, {.steps = c.steps, .batch = c.batch, .seed = 3});
  for (auto& [name, tensor] : inputs) {
    if (name != "a" && name != "A" && name != "e" && name != "E") continue;
    const auto values = tensor.values<double>();
    for (std::size_t i = 0; i < values.size(); i += 3) values[i] = 0;
  }
  if (!c.lengths.empty()) inputs["lengths"] = Tensor::of({c.batch}, c.lengths);
  return inputs;
}

Tensors run_net(const Definition& d, const Case& c, std::int64_t chunk, int threads,
                bool again = false) {
  RunOptions options;
  options.steps = c.steps;
  options.engine.threads = threads;
  options.engine.chunk = chunk;
  options.checkpoint = again;
  std::vector<std::string> fetch{"loss", "y"};
  for (const char* name :
       {"q", "k", "v", "a", "b", "e", "E", "Q", "G", "U", "A", "B", "W", "w", "M", "c", "R", "g"})
    fetch.push_back(std::string("grad:") + name);
  return test::evaluate(d, inputs_of(d, c), initial_weights(d, {.steps = c.steps, .seed = 4}),
                        fetch, options);
}

double largest(const Tensor& t) {
  double size = 0;
  for (std::int64_t i = 0; i < t.size(); ++i) size = std::max(size, std::abs(t.at(i)));
  return size;
}

bool same_bits(const Tensors& a, const Tensors& b) {
  return std::ranges::all_of(a, [&](const auto& entry) {
    return std::ranges::equal(entry.second.template values<double>(),
                              b.at(entry.first).template values<double>());
  });
}

InChunks chunks_of(const Definition& d, std::int64_t steps, std::set<std::string> asked = {}) {
  return in_chunks(unfold(d, {.steps = steps}).graph().tape(), kChunk, asked);
}

}  // namespace

TEST_CASE("chunk: which recurrences are linear in a state that only vectors read", "[chunk]") {
  for (const Net& n : kNets) {
    CAPTURE(n.name);
    CHECK(chunks_of(net(n), 15).states.size() == n.chains);
    CHECK(chunks_of(net(n), 1).states.empty());
  }
  const InChunks one = chunks_of(net(kNets[0]), 15);
  REQUIRE(one.states.size() == 1);
  CHECK(one.states[0].name == "S");
  CHECK(one.states[0].steps == 15);
  CHECK(chunks_of(net(kNets[0]), 15, {"S"}).states.empty());
  CHECK(chunks_of(net(kNets[0]), 15, {"y", "q"}).states.size() == 1);
}

TEST_CASE("chunk: shipped recurrences that run in chunks, and some that do not", "[chunk]") {
  const std::vector<std::pair<const char*, std::vector<std::string>>> shipped = {
      {"gla", {"S"}},    {"hgrn2", {"S"}},   {"linear_attention", {"S", "z"}},
      {"mamba2", {"S"}}, {"mesanet", {"G"}}, {"mlstm", {"C", "u"}},
      {"retnet", {"S"}}, {"deltanet", {}},   {"lstm", {}}};
  for (const auto& [graph, states] : shipped) {
    CAPTURE(graph);
    std::vector<std::string> found;
    for (const ChunkedStates& s : chunks_of(load_definition(graph), 9).states)
      found.push_back(s.name);
    CHECK(found == states);
  }
}

TEST_CASE("chunk: values and gradients are those of step by step, to rounding", "[chunk]") {
  for (const Net& n : kNets) {
    const Definition d = net(n);
    for (const Case& c : cases()) {
      CAPTURE(n.name, c.steps, c.batch, c.lengths.empty());
      const Tensors plain = run_net(d, c, 0, 1), chunked = run_net(d, c, kChunk, 1);
      for (const auto& [name, tensor] : plain) {
        CAPTURE(name);
        CHECK(test::distance(tensor, chunked.at(name)) <= 1e-12 * (1 + largest(tensor)));
      }
      CHECK(same_bits(chunked, run_net(d, c, kChunk, 2)));
      CHECK(same_bits(chunked, run_net(d, c, kChunk, 1, true)));  // computed again
      if (n.chains == 0) CHECK(same_bits(plain, chunked));
    }
  }
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
  const Tensors weights = initial_weights(d, {.steps = c.steps, .seed = 4});
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
