#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "taugrad/base/shape.h"
#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// What a node of a graphical model stands for.
enum class ModelRole {
  random,  ///< declared with ~
  given,   ///< an input: every distribution is conditioned on it
  state,   ///< a deterministic variable that one position hands to another
};

struct ModelNode {
  std::string name;                         ///< "y"
  std::vector<std::int32_t> position = {};  ///< {3} for y[3]
  std::vector<std::string> letters = {};    ///< of its indices: {"t"}
  ModelRole role = ModelRole::random;
  std::string distribution = {};       ///< "categorical"; empty where not random
  Shape shape = {};                    ///< of one example
  std::int64_t symbols = -1;           ///< values that it can have; -1: numbers
  std::vector<int> parents = {};       ///< numbers of nodes, ascending
  NodeId value = -1;                   ///< in the unfolded graph
  std::vector<NodeId> arguments = {};  ///< of its distribution, there

  std::string label() const;  ///< "y[3]"
};

/// The directed graphical model that a definition unfolds to: p = prod p(node | parents).
///                                                                                  (eq 28, 31)
struct GraphicalModel {
  std::string name;
  std::vector<ModelNode> nodes = {};
  bool with_states = false;     ///< the form with state nodes
  std::int64_t parameters = 0;  ///< elements of the weights that the distributions read

  int find(std::string_view label) const;  ///< number of "y[3]", or -1
  std::int64_t edges() const;
  std::int64_t edges(ModelRole from, ModelRole to) const;
  std::vector<int> of(ModelRole role) const;  ///< numbers of its nodes of a role
};

struct GraphicalModelOptions {
  bool states = false;  ///< keep the variables that hand something from position to position
};

/// Nodes are the random variables and inputs of an unfolded definition; an edge goes to a random
/// variable from each node that reaches the arguments of its distribution through deterministic
/// nodes. Whether a position exists at all (R14) is not an edge.
/// @throws Error (G027) without a random variable, (R002) over 5 million edges
GraphicalModel graphical_model(const Unfolded& u, const GraphicalModelOptions& options = {});
GraphicalModel graphical_model(const Definition& d, std::int64_t steps,
                               const GraphicalModelOptions& options = {});

/// The complete form from the one with states: each state's children take over its parents.
GraphicalModel marginalised(const GraphicalModel& with_states);

/// What the edges between random variables amount to.
struct ModelStructure {
  enum class Kind {
    independent,  ///< none: prod p(y(t) | x)              (eq 26, 31)
    markov,       ///< the `order` positions before
    complete,     ///< all pairs                           (eq 27, 28)
    other,
  };
  Kind kind = Kind::other;
  std::int32_t order = 0;  ///< markov: how far back
};
ModelStructure structure_of(const GraphicalModel& model);
std::string to_text(const ModelStructure& s);

/// Free entries of conditional-probability tables for the same edges, sum over nodes of
/// (k - 1) prod k(parents); k^tau - 1 for the complete graph. Infinite where a node holds numbers.
double table_entries(const GraphicalModel& model);

/// Whether a and b are independent given the inputs and `given`, for every choice of the
/// distributions: d-separation. States are marginalised first.
bool separated(const GraphicalModel& model, std::span<const int> a, std::span<const int> b,
               std::span<const int> given);

/// JSON, format "taugrad-model" version 1 (docs/model.md).
std::string to_json(const GraphicalModel& model);

// ---- confirmed by numbers ---------------------------------------------------------------------

/// How much the arguments of one distribution move with a random variable or input.
struct Influence {
  int from = 0, to = 0;   ///< numbers of nodes
  bool edge = false;      ///< whether the graph has that edge
  double derivative = 0;  ///< largest |d arguments(to) / d from|, along random directions
  double change = 0;      ///< largest |change of arguments(to)| when `from` takes another value
  bool felt() const { return derivative != 0 || change != 0; }  // not a number counts as felt
};

struct Confirmation {
  std::vector<Influence> pairs = {};  ///< every (from, to), from != to, to random
  std::int64_t wrong = 0;             ///< felt without an edge: a bug
  std::int64_t unfelt = 0;            ///< edges that these values do not show
  bool ok() const { return wrong == 0 && unfelt == 0; }
};

struct ConfirmOptions {
  std::map<std::string, std::int64_t> lengths = {};
  std::uint64_t seed = 1;  ///< of weights, inputs and directions
  int draws = 3;           ///< of inputs and data
};

/// Compares the edges with derivatives and with replaced values, in f64 at drawn weights. What no
/// edge connects must come out as exactly zero. Of a category the derivative is that to what reads
/// it (its one-hot vector, its embedding).                                           (eq 26-27)
Confirmation confirm(const Definition& d, std::int64_t steps, const ConfirmOptions& options = {});

/// Stationarity: the same conditional at every position.
struct Stationarity {
  bool shared = true;  ///< no weight has a value for each position
  /// [t]: largest |arguments(t + shift) after `shift` more steps before - arguments(t)|
  std::vector<double> difference = {};
};

/// Runs a definition of one length on a sequence and on the same one with `shift` steps before it:
/// what is left of the difference after the first steps are washed out shows whether the
/// conditional depends on t. With `weights` empty, drawn ones.
/// @throws Error (G027) without a random variable, (G022) for a definition of several lengths
Stationarity stationarity(const Definition& d, std::int64_t steps, std::int64_t shift,
                          const Tensors& weights = {}, std::uint64_t seed = 1);

}  // namespace taugrad
