// Recurrences of which a step adds several products, or goes through several states, in chunks.
#include <catch2/catch.hpp>

#include "chunk_support.h"

using namespace chunk_support;

namespace {

const Net kNets[] = {
    {"two products", R"j("S[t] = a[t] * S[t-1] + outer(b[t] * v[t], k[t]) - outer(v[t], e[t])",
      "y[t] = S[t] @ q[t]")j"},
    {"the product of the step before, of heads of one key, as Mamba-3",
     R"j("S[t] = reshape(A[t], H, 1, 1) * S[t-1] + outer(reshape(B[t], H, 1) * U[t-1], k[t-1]) + outer(U[t], k[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"two products behind a row, of a learnt first state, the last state as it is",
     R"j("S[0] = M", "S[t] = e[t] * S[t-1] + outer(v[t], k[t]) + outer(v[t], q[t]) / (2 + a[t])",
      "z[t] = S[t] @ q[t] + S[t-1] @ k[t]", "y = sum(S[last] * S[last], axis=1)")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"two products, one of weights, from the end",
     R"j("S[t] = a[t] * S[t+1] + outer(v[t], k[t]) + outer(M @ w, w)",
      "y[t] = S[t] @ q[t] + S[t+1] @ q[t]")j"},
    {"three products and columns, read over the rows",
     R"j("S[t] = reshape(v[t], V, 1) * S[t-1] + outer(v[t], k[t]) + outer(v[t], e[t]) - outer(v[t], q[t])",
      "y[t] = S[t] @ q[t]", "z[t] = v[t] @ S[t]")j",
     1, "sum[t](sum(z[t] * z[t]))"},
    {"three products behind a column and an error",
     R"j("p[t] = unit(k[t])", "F[t] = reshape(e[t], K, 1) * S[t-1]",
      "S[t] = F[t] + outer(p[t], v[t] - p[t] @ F[t]) + outer(q[t], v[t]) - outer(k[t], v[t])",
      "y[t] = q[t] @ S[t]")j"},
    {"two products behind a number and an error that the loss has too",
     R"j("p[t] = unit(k[t])", "F[t] = a[t] * S[t-1]", "r[t] = F[t] @ p[t]",
      "S[t] = F[t] + outer(v[t] - r[t], p[t]) - outer(v[t], q[t])", "y[t] = S[t] @ q[t] + r[t]")j"},
    {"the state between is read",
     R"j("P[t] = a[t] * S[t-1] + outer(v[t], k[t])", "S[t] = P[t] - outer(v[t], e[t])",
      "y[t] = S[t] @ q[t] + P[t] @ k[t]")j"},
    {"two states a step", R"j("P[t] = a[t] * S[t-1] + outer(v[t], k[t])",
      "S[t] = b[t] * P[t] - outer(v[t], e[t])", "y[t] = S[t] @ q[t] + P[t] @ k[t]")j"},
    {"two corrections a step, as DeltaProduct",
     R"j("p[t] = unit(G[t])", "r[t] = unit(E[t])", "F[t] = reshape(A[t], H, 1, 1) * S[t-1]",
      "P[t] = F[t] + reshape(sigmoid(B[t]), H, 1, 1) * outer(U[t] - matvec(F[t], p[t]), p[t])",
      "S[t] = P[t] + outer(v[t] - matvec(P[t], r[t]), r[t])", "y[t] = matvec(S[t], Q[t])")j"},
    {"an error in two products", R"j("p[t] = unit(k[t])",
      "S[t] = S[t-1] - outer(sigmoid(b[t]) * (S[t-1] @ p[t]), p[t]) + outer(sigmoid(b[t]) * v[t], p[t])",
      "y[t] = S[t] @ q[t]")j"},
    {"forgotten before a row, then added, as RWKV-7",
     R"j("p[t] = unit(G[t])",
      "S[t] = S[t-1] * reshape(E[t], H, 1, K) - outer(matvec(S[t-1], p[t]), p[t] * sigmoid(reshape(B[t], H, 1))) + outer(U[t], G[t])",
      "y[t] = matvec(S[t], Q[t])")j"},
    {"forgotten before a column, then added, from the end, of heads of one key",
     R"j("p[t] = unit(k[t])",
      "S[t] = reshape(e[t], K, 1) * S[t+1] - outer(p[t], 0.5 * (p[t] @ S[t+1])) + outer(k[t], v[t]) - outer(q[t], v[t])",
      "y[t] = q[t] @ S[t]")j"},
    {"two reflections a step", R"j("p[t] = unit(k[t])", "r[t] = unit(e[t])",
      "P[t] = S[t-1] @ (eye(K) - sigmoid(b[t]) * outer(p[t], p[t])) + outer(v[t], p[t])",
      "S[t] = P[t] @ (a[t] * eye(K) - outer(r[t], r[t])) + outer(v[t], r[t])",
      "y[t] = S[t] @ q[t]")j",
     0},  // the first one reads its state as the gate leaves it, the second one before
    {"two reflections a step, both without a gate", R"j("p[t] = unit(k[t])", "r[t] = unit(e[t])",
      "P[t] = S[t-1] @ (eye(K) - sigmoid(b[t]) * outer(p[t], p[t])) + outer(v[t], p[t])",
      "S[t] = P[t] @ (eye(K) - 2 * outer(r[t], r[t])) - outer(v[t], r[t])",
      "y[t] = S[t] @ q[t]")j"},
    // and what is left as it is
    {"a reflection with another key, then an error", R"j("p[t] = unit(k[t])",
      "P[t] = S[t-1] @ (eye(K) - outer(p[t], p[t])) + outer(v[t], q[t])",
      "S[t] = P[t] + outer(v[t] - P[t] @ p[t], p[t])", "y[t] = S[t] @ q[t]")j",
     0},
    {"a row, then a column", R"j("P[t] = e[t] * S[t-1] + outer(v[t], k[t])",
      "S[t] = reshape(v[t], V, 1) * P[t] + outer(v[t], q[t])", "y[t] = S[t] @ q[t]")j",
     0},
    {"an error of the state before two products", R"j("p[t] = unit(k[t])",
      "S[t] = a[t] * S[t-1] + outer(v[t], e[t]) - outer(S[t-1] @ p[t], p[t])",
      "y[t] = S[t] @ q[t]")j",
     0},
    {"the state between is bent", R"j("P[t] = tanh(a[t] * S[t-1] + outer(v[t], k[t]))",
      "S[t] = P[t] - outer(v[t], e[t])", "y[t] = S[t] @ q[t]")j",
     0},
};

}  // namespace

TEST_CASE("turns: which recurrences run in chunks", "[chunk]") { check_found(kNets); }

TEST_CASE("turns: values and gradients are those of step by step, to rounding", "[chunk]") {
  check_values(kNets);
}
