#include "taugrad/graph/verify.h"

#include "base/fail.h"
#include "base/shape_format.h"
#include "taugrad/graph/op.h"

namespace taugrad {
namespace {

void verify_inputs(const Tape& tape, const Node& n) {
  const bool leaf = n.op.traits.leaf;
  require(leaf ? n.inputs.empty()
               : n.op.arity == kAnyArity || n.inputs.size() == static_cast<std::size_t>(n.op.arity),
          "wrong number of inputs: {}", n.inputs.size());
  for (const NodeId in : n.inputs)
    require(in >= 0 && in < n.id, "input {} does not come before its user", in);
  require(n.extent < tape.extent_count(), "no set of items {}", n.extent);
}

void verify_shape(const Tape& tape, const Node& n, std::vector<Shape>& shapes) {
  if (n.op.traits.leaf) return;
  require(n.op.shape != nullptr, "the op {} has no rule for shapes", n.op.name);
  shapes.clear();
  for (const NodeId in : n.inputs) shapes.push_back(tape.shape(in));
  const Shape want = n.op.shape(shapes, n.attrs);
  require(want == n.shape, "shape is {}, the op gives {}", n.shape, want);
}

void verify_extent(const Tape& tape, const Node& n) {
  if (n.op.traits.leaf) return;
  ExtentId want = kShared;
  if (n.op.traits.variadic_items)
    want = static_cast<ExtentId>(n.attrs.integer("extent"));
  else
    for (const NodeId in : n.op.traits.waits ? n.inputs.first(1) : n.inputs) {
      const ExtentId e = tape.extent_id(in);
      require(e == kShared || want == kShared || e == want,
              "inputs exist for different items of the batch");
      if (e != kShared) want = e;
    }
  if (n.op.traits.sums_items) want = kShared;
  require(want != kShared || !n.op.traits.variadic_items, "exists for no set of items");
  require(want == n.extent, "exists for items {}, its inputs for {}", n.extent, want);
}

}  // namespace

void verify(const Tape& tape, NodeId first) {
  std::vector<Shape> shapes;
  for (NodeId id = first; id < tape.size(); ++id) {
    const Node n = tape.node(id);
    try {
      verify_inputs(tape, n);
      verify_shape(tape, n, shapes);
      verify_extent(tape, n);
    } catch (const Error& why) {
      Diagnostic d = why.diagnostics().front();
      d.message = fmt::format("{} (node {}, {})", d.message, id, tape.label(id));
      throw Error(why.status(), std::move(d));
    }
  }
}

}  // namespace taugrad
