#include "ops/rules.h"

#include "graph/place.h"

namespace taugrad {

Var append1(const Op& op, Var a, const Attrs& attrs) { return a.tape->append(op, {&a, 1}, attrs); }

void checked(const Op& op, std::span<const Var> inputs, void (*check)(std::span<const Var>)) {
  try {
    check(inputs);
  } catch (const Error& why) {
    refuse(*inputs[0].tape, op, inputs, why);
  }
}

Var append_broadcast(const Op& op, std::span<const Var> inputs, const Attrs& attrs) {
  Shape shape = inputs[0].shape();
  bool differ = false;
  try {
    for (const Var v : inputs.subspan(1))
      if (!same_shape(v, inputs[0]) && !(v.shape() == shape)) {
        shape = broadcast(shape, v.shape());
        differ = true;
      }
  } catch (const Error& why) {
    refuse(*inputs[0].tape, op, inputs, why);
  }
  if (!differ) return inputs[0].tape->append(op, inputs, attrs);
  Vars all(inputs.begin(), inputs.end());
  for (Var& v : all) v = broadcast_to(v, shape);
  return inputs[0].tape->append(op, all, attrs);
}

Var zeros_like(Var v) { return constant(*v.tape, 0, v.shape(), v.extent()); }

Var ones_like(Var v) { return constant(*v.tape, 1, v.shape(), v.extent()); }

Var number_like(Var v, double value) { return constant(*v.tape, value, v.shape()); }

Shape one_shape(std::span<const Shape> in, const Attrs&) {
  for (const Shape& s : in.subspan(1)) require(s == in[0], "shapes differ: {} and {}", in[0], s);
  return in[0];
}

Shape number_shape(std::span<const Shape> in, const Attrs& attrs) {
  one_shape(in, attrs);
  return {};
}

Var apply(const Op& op, std::span<const Var> inputs, const Attrs& attrs) {
  require(!inputs.empty(), "{}: no inputs", op.name);
  return inputs[0].tape->append(op, inputs, attrs);
}

}  // namespace taugrad
