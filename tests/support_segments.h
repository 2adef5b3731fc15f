#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "language_support.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/evaluate/run_segment.h"

/// Sequences cut into segments, and the whole beside them.
namespace taugrad::test {

/// Definitions whose values are handed on, in every way that there is.
struct Handed {
  const char* name;
  std::string body;
  std::vector<std::string> fetch;
};
inline std::vector<Handed> handed_on() {
  return {
      {"elman",
       R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
          "weights": {"U": [3, 2], "W": [3, 3], "b": {"shape": [3], "init": "normal(0.5)"}},
          "equations": ["h[t] = tanh(b + W @ h[t-1] + U @ x[t])"])j",
       {"h"}},
      {"boundary",
       R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "z": [3]},
          "weights": {"W": [3, 3], "U": [3, 2]},
          "equations": ["h[0] = 2 * z", "h[t] = tanh(W @ h[t-1] + U @ x[t-2])", "o[t] = h[t] + 0.1 * h[0]"])j",
       {"h", "o"}},
      {"far",
       R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
          "weights": {"K": [4, 3, 2], "W": [3, 3]},
          "equations": ["c[t] = conv[t](K, x[t-3])", "h[t] = tanh(c[t] + W @ h[t-5])"])j",
       {"h", "c"}},
      {"fixed",
       R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
          "equations": ["s[1] = 3 * x[1]", "s[3] = x[2] - x[3]", "s[t] = s[t-1] * 0.5 + x[t] * x[1] + 0.01 * t"])j",
       {"s"}},
      {"symbols",
       R"j("index": {"t": "tau"}, "sizes": {"k": 4},
          "weights": {"E": [4, 3], "W": [3, 3], "V": [4, 3]},
          "equations": ["h[t] = tanh(W @ h[t-1] + embed(E, y[t-1]))", "y[t] ~ categorical(logits = V @ h[t])"])j",
       {"h", "nll:y"}},
      {"likelihoods",
       R"j("index": {"t": "tau"}, "weights": {"w": {"shape": [], "init": 0.7}},
          "equations": ["m[t] = w * y[t-1] + 0.1 * nll(y[t-2])", "y[t] ~ normal(mean = m[t], std = 1)"])j",
       {"m", "nll:y"}},
      {"rows",
       R"j("index": {"i": "rows", "j": 3}, "inputs": {"x[i,j]": [2]},
          "weights": {"W": [2, 2], "Z": [2, 2]},
          "equations": ["p[i,0] = x[i,1]", "p[i,j] = tanh(W @ p[i-1,j-1] + Z @ p[i,j-1] + x[i,j])"])j",
       {"p"}},
      {"translated",
       R"j("index": {"s": "n", "t": "tau"}, "inputs": {"u[s]": [2]}, "weights": {"W": [2, 2], "Z": [2, 2]},
          "equations": ["h[s] = tanh(W @ h[s-1] + u[s])", "d[0] = h[last]",
                        "q[s,t] = sum(h[s] * d[t-1])", "d[t] = tanh(Z @ d[t-1] + sum[s](q[s,t] * h[s]))"])j",
       {"d"}},
      {"untied",
       R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W[t]": [2, 2]},
          "equations": ["h[t] = tanh(W[t] @ h[t-1] + x[t])"])j",
       {"h"}},
      {"late",
       R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
          "equations": ["s[3] = 7", "s[t] = s[t-1] * 0.5 + x[t]"])j",
       {"s"}},
  };
}

}  // namespace taugrad::test
