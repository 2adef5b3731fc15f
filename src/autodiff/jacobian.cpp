#include "taugrad/autodiff/jacobian.h"

#include <vector>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "graph/gradient_order.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/shape.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

void require_number(Var loss) {
  if (loss && !loss.shape().is_scalar())
    fail(Status::bad_input, "G023", "a loss is a number, {} has shape {}",
         loss.tape->label(loss.id), to_string(loss.shape()));
}

// y's axes, then x's
Shape joined(Var y, Var x) {
  const Shape &a = y.shape(), &b = x.shape();
  if (a.rank() + b.rank() > kMaxRank) {
    Diagnostic d;
    d.code = "G020";
    d.message =
        fmt::format("a derivative of {} {} by {} {} has {} axes, more than {}", y.tape->label(y.id),
                    to_string(a), x.tape->label(x.id), to_string(b), a.rank() + b.rank(), kMaxRank);
    d.help = "flatten them by reshape";
    fail(Status::bad_input, std::move(d));
  }
  std::vector<std::int64_t> dims(a.dims().begin(), a.dims().end());
  dims.insert(dims.end(), b.dims().begin(), b.dims().end());
  return Shape(std::span<const std::int64_t>(dims));
}

// 1 at element i, else 0
Var unit(Var like, std::int64_t i) {
  const Var one = constant(*like.tape, 1, {1});
  return reshape(pad(one, i, like.shape().size()), like.shape());
}

Var vjp_row(Var y, Var x, Var ybar) {
  return gradient({&y, 1}, {&ybar, 1}, {&x, 1}, {.named = false}).values()[0];
}

// [y's elements, x's axes]: a row for each element of y
Var by_rows(Var y, Var x) {
  Vars rows;
  for (std::int64_t i = 0; i < y.shape().size(); ++i) rows.push_back(vjp_row(y, x, unit(y, i)));
  return stack(rows);
}

// [y's elements, x's elements]: a column for each element of x
Var by_columns(Var y, Var x) {
  Vars columns;
  for (std::int64_t j = 0; j < x.shape().size(); ++j)
    columns.push_back(reshape(jvp(y, x, unit(x, j)), {y.shape().size()}));
  return transpose(stack(columns));
}

}  // namespace

Var jacobian(Var y, Var x) {
  const Var both[]{y, x};
  if (!y.tape || !x.tape) fail(Status::usage, "G023", "a Jacobian needs two variables");
  last_of(both, *y.tape);
  const Shape shape = joined(y, x);
  const std::int64_t rows = y.shape().size(), columns = x.shape().size();
  if (rows == 0 || columns == 0)
    return constant(*y.tape, 0, shape, x.per_example() ? x.extent() : y.extent());
  // a sum over the items is undone by neither: each mode keeps apart what the other sums
  const GradientOrderScope order(*y.tape, order_through(*y.tape, {&y, 1}, {&x, 1}) + 1);
  const bool forward_only = y.per_example() && !x.per_example();
  const bool reverse_only = x.per_example() && !y.per_example();
  const bool forward = forward_only || (!reverse_only && columns < rows);
  return reshape(forward ? by_columns(y, x) : by_rows(y, x), shape);
}

Var hessian(Var loss, Var x) {
  require_number(loss);
  return jacobian(gradient({&loss, 1}, {}, {&x, 1}, {.named = false}).values()[0], x);
}

Vars hvp(Var loss, std::span<const Var> x, std::span<const Var> v) {
  require_number(loss);
  if (x.size() != v.size())
    fail(Status::usage, "G023", "{} directions for {} variables", v.size(), x.size());
  if (!loss.tape) fail(Status::usage, "G023", "a Hessian needs a loss");
  last_of(x, *loss.tape);
  last_of(v, *loss.tape);
  check_directions(x, v, *loss.tape);
  const Vars g = gradient({&loss, 1}, {}, x, {.named = false}).values();
  const GradientOrderScope order(*loss.tape, order_through(*loss.tape, {&loss, 1}, x) + 1);
  Vars terms;
  for (std::size_t i = 0; i < g.size(); ++i) {
    const Var term = sum(g[i] * v[i]);
    terms.push_back(term.per_example() ? sum_items(term) : term);
  }
  if (terms.empty()) return {};
  const Var along = terms.size() == 1 ? terms[0] : add_n(terms);
  return gradient({&along, 1}, {}, x, {.named = false}).values();
}

Var hvp(Var loss, Var x, Var v) { return hvp(loss, {&x, 1}, {&v, 1})[0]; }

Var jvp(Var y, Var x, Var v) { return tangent({&y, 1}, {&x, 1}, {&v, 1})[0]; }

}  // namespace taugrad
