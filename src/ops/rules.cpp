#include "ops/rules.h"

#include <array>
#include <cmath>

#include "graph/place.h"

namespace taugrad {
namespace {

// The category that no item has, which a plain number stands for, also for fewer or more items: -1.
bool absent(const Tape& tape, NodeId id) {
  while (tape.op(id).traits.keeps_symbols) id = tape.inputs(id)[0];
  return &tape.op(id) == &kConstant && tape.shape(id).is_scalar() &&
         tape.attrs(id).real("value") == -1;
}

std::string kind_of(std::int64_t symbols) {
  return symbols == 0 ? "a number" : fmt::format("a category of {}", symbols);
}

}  // namespace

Var append1(const Op& op, const Var& a, const Attrs& attrs) {
  return a.tape->append(op, std::span(&a.id, 1), attrs);
}

Var append2(const Op& op, const Var& a, const Var& b, const Attrs& attrs) {
  Tape& g = *a.tape;
  if (!(a.tape == b.tape)) return g.append(op, {{a, b}}, attrs);  // which says what is wrong
  const std::array ids{a.id, b.id};
  return g.append(op, std::span<const NodeId>(ids), attrs);
}

Var append_broadcast(const Op& op, const Var& a, const Var& b, const Attrs& attrs) {
  if (!(a.tape == b.tape) || !same_shape(a, b)) return append_broadcast(op, {{a, b}}, attrs);
  return append2(op, a, b, attrs);
}

void checked(const Op& op, std::span<const Var> inputs, void (*check)(std::span<const Var>)) {
  try {
    check(inputs);
  } catch (const Error& why) {
    refuse(*inputs[0].tape, op, inputs, why);
  }
}

Var append_broadcast(const Op& op, std::span<const Var> inputs, const Attrs& attrs) {
  Tape& g = *inputs[0].tape;
  Shape shape = inputs[0].shape();
  bool differ = false;
  try {
    for (const Var& v : inputs) g.own(v);
    for (const Var& v : inputs.subspan(1))
      if (!same_shape(v, inputs[0]) && !(v.shape() == shape)) {
        shape = broadcast(shape, v.shape());
        differ = true;
      }
  } catch (const Error& why) {
    refuse(g, op, inputs, why);
  }
  if (!differ) return g.append(op, inputs, attrs);
  Vars all(inputs.begin(), inputs.end());
  for (Var& v : all) v = broadcast_to(v, shape);
  return g.append(op, all, attrs);
}

Var apply_elementwise(const Op& op, std::span<const Var> inputs) {
  if (inputs.empty()) fail(Status::usage, "U022", "{}: there is no operand", op.name);
  return append_broadcast(op, inputs);
}

Var zeros_like(Var v) { return constant(*v.tape, 0, v.shape(), v.extent()); }

Var ones_like(Var v) { return constant(*v.tape, 1, v.shape(), v.extent()); }

Var number_like(Var v, double value) {
  return v.tape->number(kConstant, v.shape(), {{"value", value}});
}

Shape one_shape(std::span<const Shape> in, const Attrs&) {
  for (const Shape& s : in.subspan(1)) require(s == in[0], "shapes differ: {} and {}", in[0], s);
  return in[0];
}

Shape number_shape(std::span<const Shape> in, const Attrs& attrs) {
  one_shape(in, attrs);
  return {};
}

Shape along_axis_shape(std::span<const Shape> in, const Attrs& attrs) {
  const std::int64_t axis = attrs.integer_or("axis", -1);
  require(!attrs.has("axis") || (axis >= 0 && axis < in[0].rank()), "{} has no axis {}", in[0],
          axis);
  return in[0];
}

Shape reduced_shape(std::span<const Shape> in, const Attrs& attrs) {
  along_axis_shape(in, attrs);
  if (!attrs.has("axis")) return {};
  return without_axis(in[0], static_cast<int>(attrs.integer("axis")), true);
}

Shape leading(const Shape& s, int core) {
  return Shape(s.dims().first(static_cast<std::size_t>(s.rank() - core)));
}

Shape followed_by(const Shape& leading, std::initializer_list<std::int64_t> core) {
  Ints dims(leading.dims().begin(), leading.dims().end());
  dims.insert(dims.end(), core.begin(), core.end());
  return Shape(dims);
}

int checked_axis(std::string_view function, const Var& a, int axis) {
  const int rank = a.shape().rank();
  if (axis < -rank || axis >= rank)
    fail(Status::bad_input, "G020", "{}: {} has no axis {}", function, a.shape(), axis);
  return axis < 0 ? axis + rank : axis;
}

Shape without_axis(const Shape& s, int axis, bool keep) {
  Ints dims(s.dims().begin(), s.dims().end());
  dims[static_cast<std::size_t>(axis)] = 1;
  if (!keep) dims.erase(dims.begin() + axis);
  return Shape(dims);
}

Var shaped(Var number, Var a, const Along& along) {
  return along.keep ? reshape(number, Shape(Ints(static_cast<std::size_t>(a.shape().rank()), 1)))
                    : number;
}

void require_number(const Proposal& p, std::size_t i) {
  if (p.tape.category(p.in[i]) != 0)
    fail(Status::bad_input, "E011", "works on numbers, input {} is a category", i);
}

/// A number that is one of `most` symbols by itself: a constant, or a length, which is the number
/// of the category that it is drawn as (language.md R14).
static bool is_symbol(const Tape& tape, NodeId id, std::int64_t most) {
  while (&tape.op(id) == &kToItems || &tape.op(id) == &kRestrictTo || &tape.op(id) == &kExtendTo)
    id = tape.inputs(id)[0];
  if (&tape.op(id) == &kLength) return true;
  if (&tape.op(id) != &kConstant || !tape.shape(id).is_scalar()) return false;
  const double value = tape.attrs(id).real("value");
  return value == std::floor(value) && value >= 0 && value < static_cast<double>(most);
}

void require_symbol(const Proposal& p, std::size_t i, std::int64_t most) {
  const std::int64_t symbols = p.tape.category(p.in[i]);
  if (symbols == 0 && (absent(p.tape, p.in[i]) || is_symbol(p.tape, p.in[i], most))) return;
  if (symbols == 0) fail(Status::bad_input, "E011", "takes a category, input {} is a number", i);
  require(symbols <= most, "{} places cannot hold a category of {} symbols", most, symbols);
}

void carries_symbols(const Proposal& p, std::size_t first) {
  // of ops that keep symbols the attribute may be missing; not where inputs differ
  bool said_by_inputs = p.category == 0 && p.keeps_symbols;
  for (std::size_t i = first; said_by_inputs && i < p.in.size(); ++i)
    said_by_inputs = p.tape.category(p.in[i]) == p.tape.category(p.in[first]) ||
                     absent(p.tape, p.in[i]) || absent(p.tape, p.in[first]);
  for (std::size_t i = first; i < p.in.size(); ++i)
    if (const std::int64_t symbols = p.tape.category(p.in[i]);
        symbols != p.category && !absent(p.tape, p.in[i]) && !said_by_inputs)
      fail(Status::bad_input, "E011", "input {} is {}, the output {}", i, kind_of(symbols),
           kind_of(p.category));
}

void check_length(const Proposal& p) {
  const std::int64_t which = p.attrs.integer("which");
  require(which >= 0 && which < static_cast<std::int64_t>(p.tape.length_names.size()),
          "the graph has no length number {}", which);
  require(p.extent != kShared, "what is shared by all items has no length");
}

Var apply(const Op& op, std::span<const Var> inputs, const Attrs& attrs) {
  require(!inputs.empty(), "{}: no inputs", op.name);
  return inputs[0].tape->append(op, inputs, attrs);
}

}  // namespace taugrad
