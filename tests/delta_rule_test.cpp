// Recurrences of which a step adds what the state before has under a vector, as delta rules do, in
// chunks: the values and gradients of the same step by step, to rounding.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "chunk_support.h"
#include "taugrad/ops/records.h"

using namespace chunk_support;

namespace {

const Net kNets[] = {
    {"an error, as DeltaNet", R"j("p[t] = unit(k[t])",
      "S[t] = S[t-1] + sigmoid(b[t]) * outer(v[t] - S[t-1] @ p[t], p[t])", "y[t] = S[t] @ q[t]")j"},
    {"an error of heads behind their gates",
     R"j("p[t] = unit(G[t])", "F[t] = reshape(A[t], H, 1, 1) * S[t-1]",
      "S[t] = F[t] + reshape(sigmoid(B[t]), H, 1, 1) * outer(U[t] - matvec(F[t], p[t]), p[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"an error before the gate, over the rows", R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + outer(p[t], b[t] * (v[t] - p[t] @ S[t-1]) / 3)",
      "y[t] = q[t] @ S[t]")j"},
    {"an error of heads behind rows, as Kimi delta attention",
     R"j("p[t] = unit(G[t])", "F[t] = reshape(E[t], H, 1, K) * S[t-1]",
      "S[t] = F[t] + reshape(sigmoid(B[t]), H, 1, 1) * outer(U[t] - matvec(F[t], p[t]), p[t])",
      "y[t] = matvec(S[t], Q[t]) + matvec(S[t-1], p[t])")j"},
    {"an error behind a column, over the rows", R"j("p[t] = unit(k[t])",
      "F[t] = reshape(e[t], K, 1) * S[t-1]",
      "S[t] = F[t] + outer(p[t], v[t] - 0.5 * (p[t] @ F[t]))", "y[t] = q[t] @ S[t]")j"},
    {"an error behind a column, read over both",
     R"j("p[t] = unit(k[t])", "F[t] = reshape(e[t], K, 1) * S[t-1]",
      "S[t] = F[t] + outer(p[t], v[t] - p[t] @ F[t])", "y[t] = q[t] @ S[t]",
      "z[t] = S[t] @ v[t]")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"an error of other keys, weights and numbers, as Comba",
     R"j("p[t] = unit(G[t])",
      "S[t] = reshape(A[t], H, 1, 1) * S[t-1] + outer(reshape(sigmoid(B[t]), H, 1) * (U[t] - c * matvec(S[t-1], unit(W @ k[t]))), p[t])",
      "y[t] = matvec(S[t], Q[t] - c * p[t])")j"},
    {"a gate taken with a minus, and its error with a plus",
     R"j("p[t] = unit(k[t])", "F[t] = a[t] * S[t-1]",
      "S[t] = outer(v[t] + F[t] @ p[t], p[t]) - F[t]", "y[t] = S[t] @ q[t]")j"},
    {"no gate but a minus", R"j("p[t] = unit(k[t])",
      "S[t] = outer(v[t] + S[t-1] @ p[t], p[t]) - S[t-1]", "y[t] = S[t] @ q[t]")j"},
    {"a negative gate", R"j("p[t] = unit(k[t])", "F[t] = -(S[t-1] / (2 + b[t]))",
      "S[t] = F[t] - outer(F[t] @ p[t] - v[t], p[t])", "y[t] = S[t] @ q[t]")j"},
    {"an error that the loss has too, of a learnt first state",
     R"j("S[0] = M", "p[t] = unit(k[t])", "r[t] = v[t] - S[t-1] @ p[t]",
      "S[t] = a[t] * S[t-1] + outer(r[t], p[t])", "y[t] = S[t] @ q[t] + r[t]")j"},
    {"an error behind the gate that the loss has too",
     R"j("p[t] = unit(k[t])", "F[t] = a[t] * S[t-1]", "r[t] = F[t] @ p[t]",
      "S[t] = F[t] + outer(v[t] - r[t], p[t])", "y[t] = S[t] @ q[t] + r[t]")j"},
    {"an error of heads, from the end",
     R"j("p[t] = unit(G[t])",
      "S[t] = reshape(A[t], H, 1, 1) * S[t+1] + outer(U[t] - matvec(S[t+1], p[t]), p[t])",
      "y[t] = matvec(S[t], Q[t]) + matvec(S[t+1], p[t])")j"},
    {"an error of weights, from the end",
     R"j("S[t] = a[t] * S[t+1] + outer(M @ w - S[t+1] @ unit(w), unit(w))",
      "y[t] = S[t] @ q[t]")j"},
    {"an error, only the last state", R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + outer(v[t] - S[t-1] @ p[t], p[t])", "y = S[last] @ w")j"},
    {"an error, the last state as it is",
     R"j("p[t] = unit(k[t])", "S[t] = S[t-1] + outer(v[t] - S[t-1] @ p[t], p[t])",
      "z[t] = S[t] @ q[t]", "y = sum(S[last] * S[last], axis=1)")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"an error that is a sum of products",
     R"j("p[t] = unit(k[t])", "F[t] = e[t] * S[t-1]",
      "S[t] = F[t] + outer(v[t] - sum(F[t] * p[t], axis=-1), p[t])",
      "y[t] = sum(S[t] * q[t], axis=-1)")j"},
    {"an error of the state before, turned", R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + outer(p[t], v[t] - transpose(S[t-1]) @ p[t])",
      "y[t] = transpose(S[t]) @ q[t]")j"},
    {"an error of heads of one key and one number",
     R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + sigmoid(b[t]) * outer(U[t] - S[t-1] @ p[t], p[t])",
      "y[t] = S[t] @ q[t]")j"},
    {"only what is forgotten, of a learnt first state",
     R"j("S[0] = R", "p[t] = unit(G[t])", "S[t] = S[t-1] - outer(matvec(S[t-1], p[t]), p[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"an error of keys that are weights",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t] - S[t-1] @ unit(w), unit(w))", "y[t] = S[t] @ q[t]")j"},
    {"what is read comes back",
     R"j("p[t] = unit(k[t])", "S[t] = a[t] * S[t-1] + outer(v[t] + 0.5 * y[t-1], p[t])",
      "y[t] = S[t] @ unit(q[t])")j"},
    {"an error before a gate that is a row", R"j("p[t] = unit(k[t])",
      "S[t] = e[t] * S[t-1] + outer(v[t] - S[t-1] @ p[t], p[t])", "y[t] = S[t] @ q[t]")j"},
    {"an error of heads before columns, of a learnt first state, from the end",
     R"j("S[0] = R", "p[t] = unit(U[t])",
      "S[t] = reshape(U[t], H, V, 1) * S[t+1] + outer(p[t], G[t] - sum(S[t+1] * reshape(p[t], H, V, 1), axis=1))",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"an error that has a weight too, from the end", R"j("p[t] = unit(k[t])",
      "S[t] = S[t+1] + outer(v[t] + M @ w - S[t+1] @ p[t], unit(w))", "y[t] = S[t] @ q[t]")j"},
    // a state times a matrix that is a diagonal and an outer product
    {"a reflection, as the paper of DeltaNet writes it", R"j("p[t] = unit(k[t])",
      "S[t] = S[t-1] @ (eye(K) - sigmoid(b[t]) * outer(p[t], p[t])) + sigmoid(b[t]) * outer(v[t], p[t])",
      "y[t] = S[t] @ q[t]")j"},
    {"a reflection of heads behind their gates",
     R"j("p[t] = unit(G[t])",
      "S[t] = reshape(A[t], H, 1, 1) * (S[t-1] @ (eye(K) - reshape(sigmoid(B[t]), H, 1, 1) * outer(p[t], p[t]))) + outer(U[t], p[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"a reflection of a number and other keys, from the left, of a learnt first state",
     R"j("S[0] = transpose(M)", "p[t] = unit(k[t])",
      "S[t] = (b[t] * eye(K) - outer(p[t], unit(q[t])) / 2) @ S[t-1] + outer(p[t], v[t]) - outer(q[t], v[t])",
      "y[t] = q[t] @ S[t]")j"},
    {"a diagonal less an outer product, from the end",
     R"j("p[t] = unit(k[t])", "T[t] = outer(p[t], sigmoid(b[t]) * p[t]) - eye(K) * e[t]",
      "S[t] = outer(v[t], p[t]) - S[t+1] @ T[t]", "y[t] = S[t] @ q[t]")j"},
    {"one reflection for all heads", R"j("p[t] = unit(k[t])",
      "S[t] = S[t-1] @ (eye(K) - 2 * outer(p[t], p[t])) + outer(U[t], k[t])",
      "y[t] = S[t] @ q[t]")j"},
    // and what is left as it is
    {"an error that is bent", R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + outer(tanh(v[t] - S[t-1] @ p[t]), p[t])", "y[t] = S[t] @ q[t]")j",
     0},
    {"an error times a line", R"j("p[t] = unit(k[t])",
      "S[t] = S[t-1] + outer(sigmoid(v[t]) * (v[t] - S[t-1] @ p[t]), p[t])",
      "y[t] = S[t] @ q[t]")j",
     0},
    {"an error behind a gate for each of its numbers",
     R"j("p[t] = unit(k[t])", "F[t] = reshape(v[t], V, 1) * S[t-1]",
      "S[t] = F[t] + outer(v[t] - F[t] @ p[t], p[t])", "y[t] = S[t] @ q[t]")j",
     0},
    {"an error of two steps before", R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + outer(v[t] - S[t-2] @ p[t], p[t])", "y[t] = S[t] @ q[t]")j",
     0},
    {"a matrix of another kind", R"j("S[t] = S[t-1] @ (W + outer(k[t], q[t])) + outer(v[t], k[t])",
      "y[t] = S[t] @ q[t]")j",
     0},
    {"what is read comes back bent",
     R"j("S[t] = a[t] * S[t-1] + outer(v[t] + tanh(y[t-1]), k[t])", "y[t] = S[t] @ q[t]")j", 0},
};

}  // namespace

TEST_CASE("delta rule: which recurrences run in chunks", "[chunk]") { check_found(kNets); }

TEST_CASE("delta rule: values and gradients are those of step by step, to rounding", "[chunk]") {
  check_values(kNets);
}

TEST_CASE("delta rule: written as two products or as a reflection it is the same work", "[chunk]") {
  const auto products = [](const char* update) {
    const std::string equations =
        std::string(R"j("p[t] = unit(k[t])", "S[t] = )j") + update + R"j(", "y[t] = S[t] @ q[t]")j";
    const Definition d = net({"", equations.c_str()});
    const Graph g = chunks_of(d, 15).graph;
    std::int64_t count = 0;
    for (NodeId id = 0; id < g.tape().size(); ++id)
      count += &g.tape().op(id) == &kStackedMatmul && g.tape().shape(id).rank() == 3 ? 1 : 0;
    return count;
  };
  const std::int64_t one = products("S[t-1] + b[t] * outer(v[t] - S[t-1] @ p[t], p[t])");
  CHECK(one > 0);
  CHECK(products("S[t-1] - b[t] * outer(S[t-1] @ p[t], p[t]) + outer(b[t] * v[t], p[t])") == one);
  // which gives no one what it reads of the states: two products a chunk less, of the first one
  // less
  CHECK(products("S[t-1] @ (eye(K) - b[t] * outer(p[t], p[t])) + b[t] * outer(v[t], p[t])") ==
        one - 11);
}

TEST_CASE("delta rule: gradients by what only the states are made of are not lost", "[chunk]") {
  const Definition d = net({"", R"j("p[t] = unit(k[t])", "F[t] = a[t] * S[t-1]",
      "z[t] = F[t] @ p[t]", "r[t] = v[t] - z[t]", "P[t] = outer(r[t], p[t])", "S[t] = F[t] + P[t]",
      "y[t] = S[t] @ q[t]")j"});
  const Case c{9, 3, {}};
  const Tensors weights = weights_of(d, c);
  CHECK(chunks_of(d, 9, {"p", "v"}).states.size() == 1);
  for (const std::string name : {"F", "z", "r", "P", "S", "p", "v"}) {
    CAPTURE(name);
    RunOptions options;
    const std::vector<std::string> fetch{name, "grad:" + name};
    const Tensors plain = test::evaluate(d, inputs_of(d, c), weights, fetch, options);
    options.engine.chunk = kChunk;
    const Tensors chunked = test::evaluate(d, inputs_of(d, c), weights, fetch, options);
    for (const std::string& f : fetch) {
      CHECK(largest(plain.at(f)) > 0);
      CHECK(test::distance(plain.at(f), chunked.at(f)) <= 1e-12 * (1 + largest(plain.at(f))));
    }
  }
}
