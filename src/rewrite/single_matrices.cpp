#include "rewrite/single_matrices.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/index.h"
#include "graph/verified.h"
#include "rewrite/tape_copy.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// Whether it is the sum over the items of a b^T for each matrix of a stack: a [g,m,1], b [g,n,1],
/// as they stand or turned.
bool is_stack_of_products(const Tape& tape, NodeId id) {
  if (&tape.op(id) != &kSumItems) return false;
  const NodeId product = tape.inputs(id)[0];
  if (&tape.op(product) != &kStackedMatmul || tape.shape(product).rank() != 3) return false;
  const Shape& a = tape.shape(tape.inputs(product)[0]);
  const Shape& b = tape.shape(tape.inputs(product)[1]);
  const Shape& y = tape.shape(product);
  return a.rank() == 3 && b.rank() == 3 && a.size() == y[0] * y[1] && b.size() == y[0] * y[2] &&
         y[0] > 1;
}

/// A product of a stack of matrices, shared by all items, with a vector for each of them.
struct StackTimesVectors {
  NodeId stack, vectors;
  std::int64_t rows, columns;  ///< of a matrix as it lies
  bool turned;                 ///< it is transposed before it meets the vector
};

/// Of smaller matrices a region makes all products at once.
constexpr std::int64_t kLargeMatrix = 1024;

std::optional<StackTimesVectors> stack_times_vectors(const Tape& tape, NodeId id) {
  if (&tape.op(id) != &kStackedMatmul || tape.shape(id).rank() != 3) return std::nullopt;
  const auto in = tape.inputs(id);
  const bool left = tape.extent_id(in[0]) == kShared;
  if (left == (tape.extent_id(in[1]) == kShared)) return std::nullopt;
  const NodeId stack = in[left ? 0 : 1], vectors = in[left ? 1 : 0];
  const Shape &a = tape.shape(stack), &x = tape.shape(vectors), &y = tape.shape(id);
  if (a.rank() != 3 || x.rank() != 3 || a[0] != y[0] || x[0] != y[0] || y[0] < 2)
    return std::nullopt;
  if (a[1] * a[2] < kLargeMatrix || y[left ? 2 : 1] != 1) return std::nullopt;
  const bool turned = tape.attrs(id).integer_or(left ? "transpose_a" : "transpose_b", 0) != 0;
  return StackTimesVectors{stack, vectors, a[1], a[2], left ? turned : !turned};
}

/// The stack that a term is, perhaps behind other axes; or -1.
NodeId stack_of(const Tape& tape, NodeId term) {
  while (&tape.op(term) == &kReshape) term = tape.inputs(term)[0];
  const bool stack = &tape.op(term) == &kStack && tape.extent_id(term) == kShared;
  return stack || is_stack_of_products(tape, term) ? term : -1;
}

bool is_sum_of_stacks(const Tape& tape, NodeId id) {
  if (&tape.op(id) != &kAddN || tape.extent_id(id) != kShared) return false;
  const auto terms = tape.inputs(id);
  const NodeId first = stack_of(tape, terms[0]);
  return first >= 0 && std::ranges::all_of(terms, [&](NodeId term) {
           const NodeId stack = stack_of(tape, term);
           return stack >= 0 && tape.shape_id(stack) == tape.shape_id(first);
         });
}

class SingleMatrices {
 public:
  SingleMatrices(const Tape& tape, std::span<const NodeId> outputs)
      : tape_(tape), marked_(reachable(tape, outputs)), copy_(tape), kept_(marked_.size(), -1) {}

  Rewritten run(std::span<const NodeId> outputs, NodeId last) {
    Rewritten result{copy_.graph(), {}, {}, -1};
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (marked_[at(id)]) keep(id, result.original);
      if (id == last) result.last = result.graph.size() - 1;
    }
    for (const NodeId id : outputs) result.outputs.push_back(kept_[at(id)]);
    result.original.resize(at(result.graph.size()), -1);
    verify_rewritten(result.graph.tape());
    return result;
  }

 private:
  void keep(NodeId id, std::vector<NodeId>& original) {
    std::vector<NodeId> inputs;
    if (is_sum_of_stacks(tape_, id))
      inputs.push_back(stack_of_sums(id));
    else
      for (const NodeId x : tape_.inputs(id)) inputs.push_back(kept_[at(x)]);
    if (is_stack_of_products(tape_, id))
      keep_products(id);
    else if (const auto p = stack_times_vectors(tape_, id))
      keep_products(id, *p);
    else
      kept_[at(id)] = copy_.add(id, inputs, true);
    if (!tape_.op(id).traits.leaf) return;
    original.resize(at(kept_[at(id)]) + 1, -1);
    original.back() = id;
  }

  Var var(NodeId kept) const { return copy_.graph().tape().var(kept); }

  /// The parts of a stack on the new tape.
  std::vector<NodeId> parts(NodeId stack) const {
    if (const auto known = products_.find(stack); known != products_.end()) return known->second;
    std::vector<NodeId> kept;
    for (const NodeId x : tape_.inputs(stack)) kept.push_back(kept_[at(x)]);
    return kept;
  }

  void keep_products(NodeId id) {
    const NodeId product = tape_.inputs(id)[0];
    const Shape& y = tape_.shape(product);
    const Var a = var(kept_[at(tape_.inputs(product)[0])]),
              b = var(kept_[at(tape_.inputs(product)[1])]);
    copy_.own(id);
    Vars all;
    for (std::int64_t g = 0; g < y[0]; ++g)
      all.push_back(
          outer_sum(reshape(slice(a, g, g + 1), {y[1]}), reshape(slice(b, g, g + 1), {y[2]})));
    for (const Var& v : all) products_[id].push_back(v.id);
    const Var whole = copy(stack(all));
    kept_[at(id)] = whole.id;
    copy_.name(id, whole.id);
  }

  void keep_products(NodeId id, const StackTimesVectors& p) {
    const Var a = var(kept_[at(p.stack)]), x = var(kept_[at(p.vectors)]);
    copy_.own(id);
    Vars all;
    for (std::int64_t g = 0; g < a.shape()[0]; ++g) {
      const Var matrix = reshape(slice(a, g, g + 1), {p.rows, p.columns});
      const Var vector = reshape(slice(x, g, g + 1), {p.turned ? p.rows : p.columns});
      all.push_back(matmul(p.turned ? transpose(matrix) : matrix, vector));
    }
    kept_[at(id)] = reshape(stack(all), tape_.shape(id)).id;
    copy_.name(id, kept_[at(id)]);
  }

  NodeId stack_of_sums(NodeId id) {
    std::vector<std::vector<NodeId>> terms;
    for (const NodeId term : tape_.inputs(id)) terms.push_back(parts(stack_of(tape_, term)));
    copy_.own(id);
    Vars sums;
    for (std::size_t part = 0; part < terms[0].size(); ++part) {
      Vars all;
      for (const std::vector<NodeId>& term : terms) all.push_back(var(term[part]));
      sums.push_back(add_n(all));
    }
    return reshape(stack(sums), tape_.shape(id)).id;
  }

  const Tape& tape_;
  std::vector<char> marked_;
  TapeCopy copy_;
  std::vector<NodeId> kept_;
  std::map<NodeId, std::vector<NodeId>> products_;  // by node: the products that a stack is made of
};

}  // namespace

bool has_stacks_of_matrices(const Tape& tape) {
  for (NodeId id = 0; id < tape.size(); ++id)
    if (is_sum_of_stacks(tape, id) || is_stack_of_products(tape, id) ||
        stack_times_vectors(tape, id))
      return true;
  return false;
}

Rewritten single_matrices(const Tape& tape, std::span<const NodeId> outputs, NodeId last) {
  return SingleMatrices(tape, outputs).run(outputs, last);
}

}  // namespace taugrad
