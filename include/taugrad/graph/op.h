#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

class Rational;

inline constexpr int kAnyArity = -1;
inline constexpr std::string_view kAnyName = "*";

/// What passes and derivative rules ask of an op, instead of lists of op names.
struct Traits {
  bool leaf = false;         ///< no inputs: input, weight, constant, length, random mask
  bool elementwise = false;  ///< inputs and output have one shape
  bool linear = false;       ///< jointly linear in all inputs: its jvp is itself
  bool bilinear = false;     ///< linear in each input apart: without a jvp, by the product rule
  /// Some elements of the inputs have no part in the output - a branch not taken, a row not read -,
  /// which its vjp of ones tells: their gradient is 0 whatever stands behind (language.md R20).
  bool chooses = false;
  bool view = false;      ///< the output's elements are the input's, in order: costs nothing
  bool discrete = false;  ///< piecewise constant: no gradient flows (comparisons, masks, draws)
  bool random = false;    ///< draws from the counter-based generator
  bool variadic_items =
      false;                ///< exists for the items of its attribute "extent" (restrict_to, ...)
  bool waits = false;       ///< made of the first input; the others only have to be there
  bool sums_items = false;  ///< sums over the items of its inputs: its output is shared
  bool keeps_symbols =
      false;            ///< a category where its input is one, also where no attribute says so
  bool faults = false;  ///< may fail for an item: errors name the value that it works on
  bool tells_symbols = false;  ///< "category" speaks of its inputs: the output is a number
};

struct Primal;

/// A node before it is appended.
struct Proposal {
  const Tape& tape;
  std::span<const NodeId> in;
  const Shape& shape;
  const Attrs& attrs;
  ExtentId extent;
  std::int64_t category;  ///< that the attributes name, or 0
  bool keeps_symbols;     ///< Traits::keeps_symbols
};

template <class S>
struct Call;
template <class S>
using Forward = void (*)(const Call<S>&);

/// The forward rule in each scalar type. `forwards<Rule>()` in src/ops fills it from one template.
struct Forwards {
  Forward<float> f32 = nullptr;
  Forward<double> f64 = nullptr;
  Forward<std::complex<double>> c128 = nullptr;
  Forward<Rational> exact = nullptr;  ///< null: the result is not rational (tanh), or drawn
};

/// The record that defines an operation: everything the engine knows of it stands here.
struct Op {
  std::string_view name;   ///< the word in JSON, DOT, errors and the command line
  std::string_view about;  ///< one line for `taugrad ops`, with the equation
  /// The attributes that it takes, apart by spaces: `axis`, or with the kind of its value
  /// `axis:integer`, which is integer, flag (0 or 1), real, integers or text. Others, and values of
  /// another kind, are refused (G020). `kAnyName`: it says nothing of them.
  std::string_view attributes = {};
  int arity = 1;  ///< kAnyArity for concat, stack, add_n, mean_n, conv
  Shape (*shape)(std::span<const Shape> in, const Attrs&) = nullptr;
  Forwards forward = {};
  /// Cotangents of the inputs as new nodes, one a place of xbar, which comes empty: where it stays
  /// so, none flows.                                                      (bprop of one edge)
  void (*vjp)(const Primal&, Var ybar, std::span<Var> xbar) = nullptr;
  /// Tangent of the output as new nodes, from the tangents of the inputs (an empty Var: zero).
  /// Null for linear and bilinear ops (derived) and discrete ones (none).
  Var (*jvp)(const Primal&, std::span<const Var> xdot) = nullptr;
  Traits traits = {};
  /// What shape and items leave open: attributes in their range, which inputs are categories. Asked
  /// by builders and readers alike. Null: inputs and output are numbers.
  /// @throws Error (G020, E011)
  void (*check)(const Proposal&) = nullptr;
};

/// A node as its derivative rules see it.
struct Primal {
  Var out;
  std::vector<Var> in;
  std::vector<char> wanted = {};  ///< inputs whose cotangent is asked for; empty: all
  bool wants(std::size_t input) const { return wanted.empty() || wanted[input] != 0; }
  const Attrs& attrs() const { return out.tape->attrs(out.id); }
};

/// Every op, in the order of `taugrad ops`.
std::span<const Op* const> registry();
/// The op of that name, or null.
const Op* find_op(std::string_view name);

// ---- what a forward rule is given ------------------------------------------------------------

/// Lengths, seeds and places of the items of one run, for the ops that ask.
struct BatchContext {
  std::uint64_t seed = 0;
  bool train = false;
  std::vector<std::int64_t> item = {};  ///< [batch] key of each item's draws
  /// [batch] what is added to the position that keys a draw: of a segment of a sequence (R19)
  std::vector<std::int64_t> moved = {};
  std::vector<std::vector<std::int64_t>> lengths =
      {};  ///< [which][batch], in Tape::length_names' order
  /// items of each extent, ascending: rows of a node of that extent; [extent id]
  std::vector<std::vector<std::int32_t>> items_of = {};
};
/// Fills `items_of` for every extent of the tape from `lengths`. Needs lengths or `batch` items.
void place_items(BatchContext& context, const Tape& tape, std::int64_t batch);

template <class S>
struct Operand {
  const S* data = nullptr;
  const Shape* shape = nullptr;  ///< of one example
  std::int64_t stride = 0;       ///< elements from one item to the next; 0: shared by all items
  ExtentId extent = kShared;
  std::int64_t items = 1;  ///< rows held (1 for shared)
};

/// One application: y[item] = op(x0[item], x1[item], ...) for `items` rows.
template <class S>
struct Call {
  std::span<const Operand<S>> in;
  S* out = nullptr;
  const Shape* shape = nullptr;  ///< of one example
  std::int64_t items = 1;        ///< rows of the output (1 for shared)
  ExtentId extent = kShared;
  const Attrs* attrs = nullptr;
  const BatchContext* batch = nullptr;
  std::string_view name = {};                ///< owner: keys draws
  std::span<const std::int32_t> index = {};  ///< position: keys draws
};

}  // namespace taugrad
