#include "plan/lower/element_product.h"

#include "ops/stacked.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

/// op(A) [m,k] times op(B) [k,n], and elements from one place to the next.
struct Steps {
  std::int64_t m, k, n;
  bool turned_a, turned_b;  ///< an operand lies in memory as its transpose
  std::int64_t ai() const { return turned_a ? 1 : k; }
  std::int64_t ak() const { return turned_a ? m : 1; }
  std::int64_t bk() const { return turned_b ? 1 : n; }
  std::int64_t bj() const { return turned_b ? k : 1; }
};

void add(ElementProduct& p, std::int64_t places, std::int64_t a, std::int64_t b, std::int64_t y) {
  p.of_a.add(places, a);
  p.of_b.add(places, b);
  p.into.add(places, y);
}

/// The axes of one product, in the order of the operand that is a matrix.
bool add_axes(ElementProduct& p, const Steps& s) {
  const auto i = [&] { add(p, s.m, s.ai(), 0, s.n); };
  const auto k = [&] { add(p, s.k, s.ak(), s.bk(), 0); };
  const auto j = [&] { add(p, s.n, 0, s.bj(), 1); };
  if (s.k == 1) return i(), j(), true;
  if (s.n == 1) return s.turned_a ? (k(), i(), true) : (i(), k(), true);
  if (s.m == 1) return s.turned_b ? (j(), k(), true) : (k(), j(), true);
  return false;
}

/// The axes of a stack, in front: what an operand that broadcasts over one is repeated along.
void add_stack(ElementProduct& p, const Shape& a, const Shape& b, const Shape& y, const Steps& s) {
  const auto step = [&](const Shape& x, int axis, std::int64_t size) {
    const int at = axis - (y.rank() - x.rank());
    if (at < 0 || x[at] == 1) return std::int64_t{0};
    for (int inner = at + 1; inner < x.rank() - 2; ++inner) size *= x[inner];
    return size;
  };
  for (int axis = 0; axis < y.rank() - 2; ++axis)
    add(p, y[axis], step(a, axis, s.m * s.k), step(b, axis, s.k * s.n), step(y, axis, s.m * s.n));
}

bool empty(const Tape& tape, NodeId id) { return tape.shape(id).size() == 0; }

ElementProduct of_matrices(const PlanBuilder& draft, NodeId id, Steps& s) {
  const auto in = draft.in(id);
  const Shape &a = draft.tape.shape(in[0]), &b = draft.tape.shape(in[1]);
  // a sum follows the order of the matrix as it is written: the same bits whether a transpose is
  // folded or stands behind a checkpoint
  const bool sums = &draft.tape.op(id) != &kOuter && b[0] != 1;
  const auto root = [&](NodeId x) {
    const bool folds = !sums && draft.tape.shape(x).rank() == 2;
    return folds ? draft.matrix(x) : std::pair(x, false);
  };
  const auto [left, turned_a] = root(in[0]);
  const auto [right, turned_b] = root(in[1]);
  if (&draft.tape.op(id) == &kOuter)
    s = {a[0], 1, b[0], false, false};
  else
    s = {a.rank() == 2 ? a[0] : 1, b[0], b.rank() == 2 ? b[1] : 1, turned_a, turned_b};
  return {left, right, {}, {}, {}};
}

}  // namespace

std::optional<ElementProduct> element_product(const PlanBuilder& draft, NodeId id) {
  const Tape& tape = draft.tape;
  const Op& op = tape.op(id);
  const auto in = draft.in(id);
  const bool stacked = &op == &kStackedMatmul;
  if (!stacked && &op != &kMatmul && &op != &kOuter) return std::nullopt;
  if (empty(tape, in[0]) || empty(tape, in[1]) || empty(tape, id)) return std::nullopt;
  Steps s{};
  ElementProduct p{in[0], in[1], {}, {}, {}};
  if (stacked) {
    const Shape &a = tape.shape(in[0]), &b = tape.shape(in[1]);
    const StackedSizes sizes = stacked_sizes(a, b, tape.attrs(id));
    s = {sizes.m, sizes.k, sizes.n, sizes.turned_a, sizes.turned_b};
    add_stack(p, a, b, tape.shape(id), s);
  } else {
    p = of_matrices(draft, id, s);
  }
  if (!add_axes(p, s)) return std::nullopt;
  return p;
}

}  // namespace taugrad::plan
