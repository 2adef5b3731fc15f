#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

struct RunOptions {
  /// "h", "h[0]", "loss", "nll:y", "grad:W", "grad:W[3]", "grad:W[3]@h", "grad:x", ...
  std::vector<std::string> fetch = {};
  Dtype dtype = Dtype::f32;                          ///< f32 or f64: of the work and of the results
  std::int64_t steps = -1;                           ///< of lengths that no tensor tells
  std::map<std::string, std::int64_t> lengths = {};  ///< by length name or index letter
  std::int64_t batch = -1;                           ///< where no tensor tells; default 1
  std::uint64_t seed = 0;
  Modes modes = {};        ///< of random variables; a mixed one's probability must not change
  double temperature = 1;  ///< > 0: what is drawn is from the density to the power 1/temperature
  std::int64_t top_k = 0;  ///< draws are of the k likeliest categories; 0: of all
  double top_p = 1;        ///< and of the likeliest that have this share together, in (0, 1]
  bool train = false;      ///< dropout is active
  /// Gradients are made from values computed again: memory for about the square root of the steps.
  bool checkpoint = false;
  EngineOptions engine = {};
  std::string loss = {};  ///< of a graph: the node that is its loss; empty: as loss_of finds it
};

struct RunResult {
  Tensors values;                     ///< by the name it was fetched with
  std::vector<std::string> warnings;  ///< weights that the definition does not have
  /// N004: of each result that is not finite the first place, and the first value that is not
  /// finite though all that it is computed from is.                                         (R20)
  std::vector<Diagnostic> not_finite;
};

/// Evaluates variables, losses and gradients of a definition. (language.md R13-R15) `inputs`: for
/// each input and observed variable a tensor [index..., batch, shape...]; `lengths` [batch] (I64)
/// where items differ; `cotangent:v` replaces the loss by sum(cotangent:v * v). With neither inputs
/// nor weights both are drawn. Results: [index..., batch, shape...] per example, [shape...]
/// otherwise; zero past an item's length.
/// @throws Error for missing or misshapen tensors, symbols out of range, unknown names
RunResult run(const Definition& d, const Tensors& inputs, const Tensors& weights,
              const RunOptions& options);

/// The same of a graph, whose leaves are its inputs and weights. A fetch is a node ("h[3]", "loss",
/// "W[t=3]" of copies in loops over several letters, "#17" by number), a name for all its positions
/// ("h": all there are, from the first to the last along each index, but for ends that hold numbers
/// only), or `grad:` before either: the gradient of the loss, taken on a copy of the graph. Without
/// any, all named values that are computed, or what no node reads. A leaf without a name reads the
/// tensor "#5", its number. The JSON of an unfolded
/// definition gives the bytes that the definition gives. Not of a graph: steps, lengths, modes,
/// temperature, top_k, top_p.
/// @throws Error as above; (U020) for what the graph does not have, (G023) for a gradient without a
/// loss
RunResult run(const Graph& graph, const Tensors& inputs, const Tensors& weights,
              const RunOptions& options);

struct DrawOptions {
  std::int64_t steps = 5;
  std::map<std::string, std::int64_t> lengths = {};
  std::int64_t batch = 1;
  std::uint64_t seed = 0;
};
/// Inputs and data of a definition drawn from a seed: normal numbers, uniform symbols, all items of
/// full length.
Tensors random_inputs(const Definition& d, const DrawOptions& options);
/// Weights drawn as their `init` says (R7), in f64.
Tensors initial_weights(const Definition& d, const DrawOptions& options = {});

/// The same of a graph's leaves: normal numbers, uniform symbols, 0 or 1 where a likelihood of
/// Bernoulli reads them; weights as their `init` says (R7). Steps are those of the graph.
/// @throws Error (G011) where leaves stand so far apart that a tensor of theirs would be mostly
/// empty
Tensors random_inputs(const Graph& graph, const DrawOptions& options = {});
Tensors initial_weights(const Graph& graph, const DrawOptions& options = {});

}  // namespace taugrad
