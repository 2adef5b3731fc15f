#include "ops/axes.h"
#include "ops/kernel.h"
#include "ops/rules.h"

// Reductions over the elements of one example; over nothing they are 0.
namespace taugrad {
namespace {

Shape to_number(std::span<const Shape>, const Attrs&) { return {}; }

struct Sum {
  template <class S>
  static S of(const S* x, std::int64_t n) {
    S total(0);
    for (std::int64_t i = 0; i < n; ++i) total += x[i];
    return total;
  }
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    each_item(c, [&](std::int64_t item) { c.out[item] = of(row(c.in[0], item), n); });
  }
};

struct Mean {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    each_item(c, [&](std::int64_t item) {
      c.out[item] = n == 0 ? S(0) : mean_of(row(c.in[0], item), n).value;
    });
  }
};

Shape sum_to_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Shape to(attrs.ints("shape"));
  require(broadcast(to, in[0]) == in[0], "{} does not broadcast to {}", to, in[0]);
  return to;
}

struct SumTo {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    std::fill_n(c.out, c.items * n, S(0));
    each_item(c, [&](std::int64_t item) {
      const S* x = row(c.in[0], item);
      S* y = c.out + item * n;
      each_broadcast(*c.shape, *c.in[0].shape,
                     [&](std::int64_t i, std::int64_t j) { y[j] += x[i]; });
    });
  }
};

struct AddN {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) {
      S* y = c.out + item * n;
      std::copy_n(row(c.in[0], item), n, y);
      for (const Operand<S>& x : c.in.subspan(1))
        for (std::int64_t i = 0; i < n; ++i) y[i] += row(x, item)[i];
    });
  }
};

void sum_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = broadcast_to(ybar, p.in[0].shape());
}
void sum_to_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = broadcast_to(ybar, p.in[0].shape());
}
void mean_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const std::int64_t n = p.in[0].shape().size();
  if (n > 0) xbar[0] = broadcast_to(ybar / static_cast<double>(n), p.in[0].shape());
}
void add_n_vjp(const Primal&, Var ybar, std::span<Var> xbar) { std::ranges::fill(xbar, ybar); }

}  // namespace

constinit const Op kSum{.name = "sum",
                        .about = "y = sum of the elements",
                        .shape = to_number,
                        .forward = exact_forwards<Sum>(),
                        .vjp = sum_vjp,
                        .traits = {.linear = true}};
constinit const Op kMean{.name = "mean",
                         .about = "y = mean of the elements",
                         .shape = to_number,
                         .forward = exact_forwards<Mean>(),
                         .vjp = mean_vjp,
                         .traits = {.linear = true}};
constinit const Op kSumTo{.name = "sum_to",
                          .about = "sums over the axes that broadcast_to repeated",
                          .attributes = "shape:integers",
                          .shape = sum_to_shape,
                          .forward = exact_forwards<SumTo>(),
                          .vjp = sum_to_vjp,
                          .traits = {.linear = true}};
constinit const Op kAddN{.name = "add_n",
                         .about = "y = x0 + x1 + .., in order",
                         .arity = kAnyArity,
                         .shape = one_shape,
                         .forward = exact_forwards<AddN>(),
                         .vjp = add_n_vjp,
                         .traits = {.elementwise = true, .linear = true}};

Var sum(Var a) { return append1(kSum, a); }
Var mean(Var a) { return append1(kMean, a); }

Var sum(Var a, const Along& along) {
  if (along.axis == Along::kAll) return shaped(sum(a), a, along);
  const int axis = checked_axis(kSum, a, along.axis);
  const Shape one = without_axis(a.shape(), axis, true);
  const Var kept = sum_to(a, one);
  return along.keep ? kept : reshape(kept, without_axis(a.shape(), axis, false));
}

Var mean(Var a, const Along& along) {
  if (along.axis == Along::kAll) return shaped(mean(a), a, along);
  const std::int64_t n = a.shape()[checked_axis(kMean, a, along.axis)];
  return n == 0 ? sum(a, along) : sum(a, along) / static_cast<double>(n);
}

Var sum(Var a, int axis) { return sum(a, Along{.axis = axis}); }
Var mean(Var a, int axis) { return mean(a, Along{.axis = axis}); }

Var sum_to(Var a, const Shape& to) {
  const Ints dims(to.dims().begin(), to.dims().end());
  return a.shape() == to ? a : append1(kSumTo, a, {{"shape", dims}});
}
Var add_n(std::span<const Var> terms) {
  return terms.size() == 1 ? copy(terms[0]) : taugrad::apply(kAddN, terms);
}
Var add_n(std::initializer_list<Var> terms) { return add_n(std::span(terms)); }

}  // namespace taugrad
