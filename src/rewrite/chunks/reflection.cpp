#include "rewrite/chunks/reflection.h"

#include <utility>

#include "rewrite/chunks/terms.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

class Product {
 public:
  Product(const Tape& tape, const StateAxes& axes, bool right)
      : tape_(tape), axes_(axes), right_(right) {}

  std::optional<Reflection> run(NodeId product) {
    const auto in = tape_.inputs(product);
    result_.over_columns = right_;
    result_.way.push_back(product);
    result_.state = in[right_ ? 0 : 1];
    for (; &tape_.op(result_.state) == &kReshape; result_.state = tape_.inputs(result_.state)[0])
      result_.way.push_back(result_.state);
    if (tape_.shape(result_.state).size() != axes_.heads * axes_.rows * axes_.columns)
      return std::nullopt;
    if (!take_matrix(in[right_ ? 1 : 0])) return std::nullopt;
    return std::move(result_);
  }

 private:
  /// c I + s p w^T
  bool take_matrix(NodeId m) {
    const Op* const op = &tape_.op(m);
    const Shape& s = tape_.shape(m);
    const std::int64_t n = right_ ? axes_.columns : axes_.rows;
    const int rank = s.rank();
    if ((op != &kAdd && op != &kSub) || rank < 2 || rank > 3) return false;
    if (s[rank - 1] != n || s[rank - 2] != n || n < 2) return false;
    const std::int64_t heads = rank == 3 ? s[0] : 1;
    if (heads != 1 && heads != axes_.heads) return false;
    const StateAxes axes{rank == 3 ? 0 : -1, rank - 2, rank - 1, heads, n, n};
    const Terms terms(tape_, s, axes);
    std::optional<Term> first = terms.take_apart(tape_.inputs(m)[0]);
    std::optional<Term> second = terms.take_apart(tape_.inputs(m)[1]);
    if (!first || !second) return false;
    if (op == &kSub) second->product.negative = !second->product.negative;
    return is_diagonal(*first)
               ? take(std::move(*first), std::move(*second))
               : is_diagonal(*second) && take(std::move(*second), std::move(*first));
  }
  bool is_diagonal(const Term& t) const {
    return t.full.size() == 1 && !t.full[0].below && &tape_.op(t.full[0].node) == &kEye;
  }

  bool take(Term diagonal, Term outer) {
    using Kind = Factor::Kind;
    if (!outer.full.empty()) return false;
    result_.kept = std::move(diagonal.product);
    for (Factor& f : result_.kept.factors)  // of a diagonal rows and columns are the same
      if (f.kind != Kind::number) f.kind = right_ ? Kind::row : Kind::column;
    result_.scale.negative = outer.product.negative;
    const Kind of_query = right_ ? Kind::column : Kind::row;
    int queries = 0;
    for (const Factor& f : outer.product.factors) {
      if (f.kind == Kind::number) result_.scale.factors.push_back(f);
      if (f.kind == of_query) result_.query = f, ++queries;
      if (f.kind != Kind::number && f.kind != of_query) result_.other.factors.push_back(f);
    }
    return queries == 1 && !result_.query.below && !result_.other.factors.empty();
  }

  const Tape& tape_;
  const StateAxes& axes_;
  bool right_;
  Reflection result_{};
};

}  // namespace

std::optional<Reflection> reflection_of(const Tape& tape, NodeId id, const StateAxes& axes) {
  if (axes.rows < 2 || axes.columns < 2) return std::nullopt;
  const NodeId product = elements_of(tape, id);
  const Op* const op = &tape.op(product);
  if (op != &kMatmul && op != &kStackedMatmul) return std::nullopt;
  const Attrs& attrs = tape.attrs(product);
  for (const char* turned : {"transpose_a", "transpose_b"})
    if (attrs.integer_or(turned, 0) != 0) return std::nullopt;
  for (const bool right : {true, false})
    if (auto found = Product(tape, axes, right).run(product)) {
      for (NodeId x = id; x != product; x = tape.inputs(x)[0]) found->way.push_back(x);
      return found;
    }
  return std::nullopt;
}

}  // namespace taugrad
