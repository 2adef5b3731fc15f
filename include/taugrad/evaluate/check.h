#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"
#include "taugrad/reference/check.h"

namespace taugrad {

struct DefinitionCheckOptions {
  std::int64_t steps = 4;
  std::map<std::string, std::int64_t> lengths = {};
  std::int64_t batch = 2;
  Method method = Method::complex_step;
  int order = 1;  ///< 2: Hessian-vector products
  std::uint64_t seed = 1;
  Tensors weights = {};  ///< in place of drawn ones: those of a trained model
  Modes modes =
      {};  ///< draws stay the same throughout; where a normal has no pathwise gradient U002
  CheckControl control = {};
};

/// Proves the gradients of a definition numerically, in f64: of every weight, every copy W^(t) and
/// every numeric input, on inputs and weights drawn from `seed`. Without a loss, of a fixed random
/// cotangent on every variable (R13).
/// @throws Error for an unsound definition or lengths it cannot be unfolded to; (D011, D016) for
/// weights that do not fit
CheckReport check(const Definition& d, const DefinitionCheckOptions& options = {});

struct GraphCheckOptions {
  /// What the loss is differentiated by: labels ("W", "W[3]", "h[2]"), or a name without its
  /// position for all nodes of that name. Empty: every weight, every copy W^(t) of one, every
  /// numeric input.
  std::vector<std::string> variables = {};
  std::int64_t batch = 2;  ///< where no tensor tells
  Method method = Method::complex_step;
  int order = 1;           ///< 2: Hessian-vector products
  std::uint64_t seed = 1;  ///< of what is drawn
  CheckControl control = {};
};

/// The same of a graph, however it was made, which stays as it is.
/// @param loss     a number (rank 0), per example or not; without one it is default_loss
/// @param tensors  inputs, weights and `lengths` by name, with the axes that `Program` reads; what
///                 is not among them is drawn from `seed`, items have their full length
/// @throws Error (U021) for a loss of another graph, (G023) for one that is no number, (G014) for
/// an unknown variable, (D016) for a tensor that no leaf reads, (D011-D015) for one that does not
/// fit; (U002) as check_gradients
CheckReport check(const Graph& graph, const Var& loss, const Tensors& tensors = {},
                  const GraphCheckOptions& options = {});
CheckReport check(const Graph& graph, const Var& loss, const GraphCheckOptions& options);
CheckReport check(const Graph& graph, const GraphCheckOptions& options = {});

/// What a graph's gradient is taken of where nobody says: the node named `loss`; else the one
/// number that no node reads (find_loss); else a fixed random cotangent on every output, which no
/// node reads: sum_i <output_i, v_i>, new nodes. @throws Error (G023) where nothing can be
/// differentiated
Var default_loss(const Graph& graph);

}  // namespace taugrad
