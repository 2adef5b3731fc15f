#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "language_support.h"
#include "rewrite/chunks/chunks.h"
#include "taugrad/unfold/unfold.h"

/// Recurrences with a state, in chunks of steps and step by step.
namespace chunk_support {

using namespace taugrad;

constexpr std::int64_t kChunk = 4;

struct Net {
  const char* name;
  const char* equations;
  std::size_t chains = 1;  ///< found
  const char* last = "0";  ///< is added to the loss
};

/// Inputs q, k, e [K], v [V] and a, b, numbers; Q, G, E [H,K], U [H,V], A, B [H]; weights W [K,K],
/// w [K], M [V,K], c, R [H,V,K].
inline Definition net(const Net& n) {
  const std::string equations = n.equations;
  const bool of_end = equations.find("\"y = ") != std::string::npos;
  return test::define(fmt::format(
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

inline std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::int64_t steps : {1, 3, 4, 5, 15})
    for (const std::int64_t batch : {1, 5}) all.push_back({steps, batch, {}});
  all.push_back({15, 5, {9, 1, 15, 4, 8}});
  all.push_back({6, 3, {0, 6, 5}});
  return all;
}

/// Drawn numbers, of either sign; a gate in three is 0, others are negative.
inline Tensors inputs_of(const Definition& d, const Case& c) {
  Tensors inputs = random_inputs(d, {.steps = c.steps, .batch = c.batch, .seed = 3});
  for (auto& [name, tensor] : inputs) {
    if (name != "a" && name != "A" && name != "e" && name != "E") continue;
    const auto values = tensor.values<double>();
    for (std::size_t i = 0; i < values.size(); i += 3) values[i] = 0;
  }
  if (!c.lengths.empty()) inputs["lengths"] = Tensor::of({c.batch}, c.lengths);
  return inputs;
}

/// Numbers of either sign.
inline void fill(Tensor& tensor, char seed) {
  const auto values = tensor.values<double>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = std::sin(static_cast<double>(seed) + 2. * static_cast<double>(i));
}

/// Those that begin with 0, numbers and vectors, are drawn like the others.
inline Tensors weights_of(const Definition& d, const Case& c) {
  Tensors weights = initial_weights(d, {.steps = c.steps, .seed = 4});
  for (const char* name : {"w", "c", "g"}) fill(weights.at(name), name[0]);
  return weights;
}

inline Tensors run_net(const Definition& d, const Case& c, std::int64_t chunk, int threads,
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
  return test::evaluate(d, inputs_of(d, c), weights_of(d, c), fetch, options);
}

inline double largest(const Tensor& t) {
  double size = 0;
  for (std::int64_t i = 0; i < t.size(); ++i) size = std::max(size, std::abs(t.at(i)));
  return size;
}

inline bool same_bits(const Tensors& a, const Tensors& b) {
  return std::ranges::all_of(a, [&](const auto& entry) {
    return std::ranges::equal(entry.second.template values<double>(),
                              b.at(entry.first).template values<double>());
  });
}

inline InChunks chunks_of(const Definition& d, std::int64_t steps,
                          std::set<std::string> asked = {}) {
  return in_chunks(unfold(d, {.steps = steps}).graph().tape(), kChunk, asked);
}

/// Found is what there is to find.
inline void check_found(std::span<const Net> nets) {
  for (const Net& n : nets) {
    CAPTURE(n.name);
    CHECK(chunks_of(net(n), 15).states.size() == n.chains);
    CHECK(chunks_of(net(n), 1).states.empty());
  }
}

/// To rounding.
inline void check_close(const Tensors& plain, const Tensors& chunked) {
  for (const auto& [name, tensor] : plain) {
    CAPTURE(name);
    CHECK(test::distance(tensor, chunked.at(name)) <= 1e-12 * (1 + largest(tensor)));
  }
}

/// What is fetched is in chunks what it is step by step, to rounding, and none of it is 0.
inline void check_fetched(const Definition& d, const Tensors& inputs, const Tensors& weights,
                          const std::vector<std::string>& fetch) {
  RunOptions options;
  const Tensors plain = test::evaluate(d, inputs, weights, fetch, options);
  options.engine.chunk = kChunk;
  check_close(plain, test::evaluate(d, inputs, weights, fetch, options));
  for (const auto& [name, tensor] : plain) {
    CAPTURE(name);
    CHECK(largest(tensor) > 0);
  }
}

/// Values and gradients are those of step by step, to rounding.
inline void check_values(std::span<const Net> nets) {
  for (const Net& n : nets) {
    const Definition d = net(n);
    for (const Case& c : cases()) {
      CAPTURE(n.name, c.steps, c.batch, c.lengths.empty());
      const Tensors plain = run_net(d, c, 0, 1), chunked = run_net(d, c, kChunk, 1);
      check_close(plain, chunked);
      CHECK(same_bits(chunked, run_net(d, c, kChunk, 2)));
      CHECK(same_bits(chunked, run_net(d, c, kChunk, 1, true)));  // computed again
      if (chunks_of(d, c.steps).states.empty()) CHECK(same_bits(plain, chunked));
    }
  }
}

}  // namespace chunk_support
