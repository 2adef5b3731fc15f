#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/own.h"

/// Random graphs over (nearly) all ops, ranks 0 to 3, shared and per-example values, sets of items
/// by one or two lengths. Magnitudes are kept small, so that rounding is not blown up.
namespace support {

using namespace taugrad;

struct RandomGraph {
  Graph graph;
  Vars outputs;
  std::int32_t lengths = 1;  ///< how many lengths an item has
  std::int32_t longest = 4;  ///< of each of them
  const Tape& tape() const { return graph.tape(); }
};

class GraphGenerator {
 public:
  /// `mixes`: sums over items may flow back into values of items.
  explicit GraphGenerator(std::uint64_t seed, bool mixes = true) : random_(seed), mixes_(mixes) {}

  /// Elementwise operations that are mixed in.
  void add_own(std::vector<const Op*> ops) { own_ = std::move(ops); }

  /// `steps`: ops to append before the gradient. With `gradient`, outputs include those of a number
  /// made of them.
  RandomGraph make(int steps, bool with_gradient) {
    made_ = {};
    nodes_.clear();
    bound_.clear();
    made_.lengths = 1 + pick(2);
    Tape& tape = made_.graph.tape();
    tape.length_names = {"tau", "rho"};
    tape.length_names.resize(static_cast<std::size_t>(made_.lengths));
    add_leaves(tape);
    for (int i = 0; i < steps; ++i) add_op();
    for (int i = 0; i < 4; ++i) made_.outputs.push_back(any());
    made_.outputs.push_back(nodes_.back());
    if (with_gradient) add_gradient();
    return std::move(made_);
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
  bool chance(int one_in) { return pick(one_in) == 0; }
  Var any() { return nodes_[static_cast<std::size_t>(pick(static_cast<int>(nodes_.size())))]; }
  std::int64_t size() { return 1 + pick(4); }
  Shape shape(int max_rank = 2) {
    std::vector<std::int64_t> dims;
    for (int rank = pick(max_rank + 1); rank > 0; --rank) dims.push_back(size());
    return Shape(dims);
  }
  ExtentId extent() {
    if (chance(2)) return kEveryItem;
    Extent e;
    for (std::int32_t which = 0; which < made_.lengths; ++which)
      if (chance(2)) e.bounds.push_back({which, 1 + pick(made_.longest)});
    return made_.graph.tape().intern_extent(e);
  }

  double& bound(Var v) {
    if (bound_.size() <= static_cast<std::size_t>(v.id))
      bound_.resize(static_cast<std::size_t>(v.id) + 1, 1.0);
    return bound_[static_cast<std::size_t>(v.id)];
  }
  /// Keeps a result whose elements are at most `size`, brought back below 3.
  void keep(Var v, double size) {
    if (size > 3) {
      v = chance(2) ? tanh(v) : v * (1 / size);
      size = 1;
    }
    bound(v) = std::max(size, 0.1);
    nodes_.push_back(v);
  }

  /// A sum over items: an output, and an operand only where items may mix.
  void keep_sum(Var v, double size) {
    if (mixes_) return keep(v, size);
    made_.outputs.push_back(v);
  }

  void add_leaves(Tape& tape) {
    for (int i = 0; i < 3; ++i) keep(input(tape, name("x", i), shape(), {}, extent()), 1);
    for (int i = 0; i < 3; ++i) keep(weight(tape, name("W", i), shape()), 1);
    keep(input(tape, "v", {3}), 1);
    keep(weight(tape, "M", {3, 3}), 1);
    category_ = category_input(tape, "y", 4, {}, extent());
  }
  static std::string name(const char* letter, int i) { return letter + std::to_string(i); }

  /// `b` for the items of `a`, both per example or not: what two operands need.
  Var aligned(Var a, Var b) {
    if (!a.per_example() || !b.per_example() || a.extent() == b.extent()) return b;
    return restrict_or_extend(b, a.extent());
  }
  Var restrict_or_extend(Var v, ExtentId to) {
    if (v.extent() != kEveryItem) v = extend_to(v, kEveryItem);
    return to == kEveryItem ? v : restrict_to(v, to);
  }
  Var of_rank(Var v, int rank) {  // elements kept, as a vector or a matrix
    const std::int64_t n = v.shape().size();
    if (v.shape().rank() == rank) return v;
    if (rank == 1) return reshape(v, {n});
    const std::int64_t rows = n % 2 == 0 ? 2 : 1;
    return reshape(v, {rows, n / rows});
  }
  /// A shared weight or a per-example value of that shape.
  Var with_shape(const Shape& s) {
    for (int tries = 0; tries < 8; ++tries)
      if (const Var v = any(); v.shape() == s) return v;
    Tape& tape = made_.graph.tape();
    const Var v = chance(2)
                      ? weight(tape, name("w", static_cast<int>(tape.size())), s)
                      : input(tape, name("u", static_cast<int>(tape.size())), s, {}, extent());
    keep(v, 1);
    return v;
  }

  void add_op() {
    if (!own_.empty() && chance(4)) return own();
    switch (pick(8)) {
      case 0:
        return unary();
      case 1:
        return binary();
      case 2:
        return product();
      case 3:
        return layout();
      case 4:
        return reduction();
      case 5:
        return items();
      case 6:
        return symbols();
      default:
        return choice();
    }
  }

  void unary() {
    const Var a = any();
    const double b = bound(a);
    switch (pick(19)) {
      case 10:
        return keep(sin(a), 1);
      case 11:
        return keep(cos(a), 1);
      case 12:
        return keep(erf(a), 1);
      case 13:
        return keep(gelu(a), b);
      case 14:
        return keep(silu(a), b);
      case 15:
        return keep(chance(2) ? softplus(a) : log_sigmoid(a), 1 + b);
      case 16:
        return keep(chance(2) ? elu(a) : leaky_relu(a, 0.3), b);
      case 17:
        return keep(expm1(-abs(a)), 1);
      case 18:
        return keep(log1p(abs(a)), b);
      case 0:
        return keep(-a, b);
      case 1:
        return keep(tanh(a), 1);
      case 2:
        return keep(sigmoid(a), 1);
      case 3:
        return keep(relu(a), b);
      case 4:
        return keep(exp(a * 0.5), 5);
      case 5:
        return keep(log(abs(a) + 0.5), 1 + b);
      case 6:
        return keep(sqrt(abs(a) + 0.5), 1 + b);
      case 7:
        return keep(clamp(a, -0.7, 0.8), 1);
      case 8:
        return keep(stop_gradient(a), b);
      default:
        return keep(copy(a), b);
    }
  }

  void binary() {
    const Var a = any();
    const Var b = aligned(a, chance(2) ? with_shape(a.shape()) : with_shape({}));
    const double both = bound(a) + bound(b);
    switch (pick(7)) {
      case 0:
        return keep(a + b, both);
      case 1:
        return keep(a - b, both);
      case 2:
        return keep(a * b, bound(a) * 3);
      case 3:
        return keep(a / (abs(b) + 0.5), bound(a) * 2);
      case 4:
        return keep(min(a, b), both);
      case 5:
        return keep(max(a, b), both);
      default:
        return keep(pow(abs(a) + 0.5, b * 0.5), 8);
    }
  }

  void own() {
    const Op& op = *own_[static_cast<std::size_t>(pick(static_cast<int>(own_.size())))];
    Vars operands{any()};
    while (std::ssize(operands) < op.arity)
      operands.push_back(aligned(operands[0], with_shape(operands[0].shape())));
    double both = 0;
    for (const Var& v : operands) both += bound(v);
    keep(apply_elementwise(op, operands), both);
  }

  void choice() {
    const Var a = any(), b = aligned(a, with_shape(a.shape()));
    const Var c = chance(2) ? less(a, b) : chance(2) ? greater_equal(a, b) : not_equal(a, b);
    keep(where(c, a, b), bound(a) + bound(b));
  }

  void product() {
    if (chance(5)) return stacked();
    if (chance(8)) return system();
    const Var a = of_rank(any(), 1 + pick(2));
    const std::int64_t k = a.shape()[a.shape().rank() - 1];
    const double size = 9 * std::max<double>(1, static_cast<double>(k));
    switch (pick(6)) {
      case 0:
        return keep(matmul(a, aligned(a, with_shape({k}))), size);
      case 1:
        return keep(matmul(a, aligned(a, with_shape({k, this->size()}))), size);
      case 2: {
        const Var w = aligned(a, with_shape({this->size(), k}));
        return keep(a.shape().rank() == 1 ? matmul(w, a) : matmul(w, transpose(a)), size);
      }
      case 3: {
        const Var v = of_rank(a, 1);
        return keep(outer(v, aligned(v, with_shape({this->size()}))), 9);
      }
      case 4: {
        const Var v = of_rank(a, 1), b = aligned(v, with_shape({this->size()}));
        return keep_sum(outer_sum(v, b), 100);
      }
      default: {
        const Var v = of_rank(a, 1);
        const Var second = aligned(v, with_shape(v.shape()));
        const Vars taps{v, second};
        const Var kernel = with_shape({2, this->size(), v.shape()[0]});
        return keep(conv(aligned(v.per_example() ? v : second, kernel), taps),
                    2 * size * static_cast<double>(v.shape()[0]));
      }
    }
  }

  // a stack of outer products times itself
  void stacked() {
    const Var a = of_rank(any(), 2);
    const Var b = aligned(a, with_shape({a.shape()[0], 1 + pick(3)}));
    const double size = 9 * bound(a) * static_cast<double>(a.shape().size());
    const Var s = outer(a, b);
    if (chance(2)) return keep(matvec(s, b), size);
    keep(chance(2) ? matmul(s, transpose(b)) : stacked_matmul(s, s, true, false), 9 * size);
  }

  // of 1 + v v^T / 10, which is never singular
  void system() {
    const Var v = tanh(of_rank(any(), 1));
    const std::int64_t n = v.shape()[0];
    const Var m = eye(made_.graph.tape(), n) + 0.1 * outer(v, v);
    if (chance(3)) return keep(logdet(m), static_cast<double>(n));
    if (chance(3))
      return keep(
          at(m, constant(made_.graph.tape(), static_cast<double>(pick(static_cast<int>(n))))), 1.1);
    keep(solve(m, v, chance(2)), static_cast<double>(n));
  }

  void layout() {
    const Var a = any(), v = of_rank(a, 1 + pick(2));
    const std::int64_t n = v.shape()[0], from = pick(static_cast<int>(n)),
                       to = from + 1 + pick(static_cast<int>(n - from));
    const double b = bound(a);
    switch (pick(7)) {
      case 0:
        return keep(transpose(v), b);
      case 1:
        return keep(of_rank(a, 1), b);
      case 2:
        return keep(slice(v, from, to), b);
      case 3:
        return keep(pad(v, from, n + from + 1), b);
      case 4: {
        const Vars parts{v, aligned(v, with_shape(v.shape())), v};
        return keep(concat(parts), b + 3);
      }
      case 5: {
        const Vars parts{v, aligned(v, with_shape(v.shape()))};
        return keep(stack(parts), b + 3);
      }
      default:
        return keep(
            a.shape().rank() < 2 ? broadcast_to(a, broadcast(a.shape(), {2, a.shape().size()})) : a,
            b);
    }
  }

  void reduction() {
    const Var a = any();
    const double b = bound(a), n = static_cast<double>(std::max<std::int64_t>(a.shape().size(), 1));
    const bool axis = a.shape().rank() > 0;
    switch (pick(14)) {
      case 9:
        return keep(norm(a, {.axis = axis ? 0 : Along::kAll, .keep = chance(2)}), b * n);
      case 10:
        return keep(logsumexp(a, {.axis = axis ? -1 : Along::kAll}), b + n);
      case 11:
        return keep(axis ? max(a, {.axis = 0, .keep = true}) : a, b);
      case 12:
        return keep(axis ? min(a, {.axis = -1}) : a, b);
      case 13:
        return keep(axis ? cumsum(a, 0) : a, b * n);
      case 0:
        return keep(sum(a), b * n);
      case 1:
        return keep(mean(a), b);
      case 2:
        return keep(max(a), b);
      case 3:
        return keep(axis ? sum_to(of_rank(a, 2), {1, of_rank(a, 2).shape()[1]}) : sum(a), b * n);
      case 4: {
        const Vars terms{a, aligned(a, with_shape(a.shape())), a};
        return keep(add_n(terms), 3 * b + 3);
      }
      case 5:
        return keep(first_max(a), 1);
      case 6:
        return keep(axis ? softmax(a) : sigmoid(a), 1);
      case 7:
        return keep(axis ? log_softmax(a) : a, 2 * b + 3);
      default:
        return keep(axis ? normalize(a) : a, 3);
    }
  }

  void items() {
    const Var a = any();
    const double b = bound(a);
    if (!a.per_example()) return keep(to_items(a, extent()), b);
    switch (pick(4)) {
      case 0:
        return keep_sum(sum_items(a), 20);
      case 1:
        return keep(restrict_or_extend(a, extent()), b);
      case 2:
        return keep(restrict_or_extend(a, kEveryItem), b);
      default: {
        Vars steps;
        for (std::int32_t t = 1; t <= 3; ++t) {
          const Var step = any();
          steps.push_back(step.shape() == a.shape() ? step : a);
        }
        return keep(at_length(steps, pick(made_.lengths), 1, extent()), 3);
      }
    }
  }

  void symbols() {
    const Var y = category_;
    const Var logits = aligned(y, with_shape({4}));
    switch (pick(10)) {
      case 0:
        return keep(one_hot(y, 4), 1);
      case 1:
        return keep(embed(with_table(), y), 3);
      case 2: {
        const Var rows = aligned(y, any());
        return keep_sum(scatter_rows(y, of_rank(rows, 1), 4), 20);
      }
      case 3:
        return keep(nll_categorical(logits, y), 8);
      case 4:
        return keep(nll_bernoulli(logits, sigmoid(logits)), 12);
      case 5:
        return keep(nll_normal(logits, logits * 0.5, abs(logits) + 0.5), 40);
      case 6:
        return keep(nll_categorical_p(softmax(logits), y), 8);
      case 7:
        return keep(nll_bernoulli_p(sigmoid(logits), sigmoid(logits * 0.5)), 12);
      case 8:
        return keep(logits * dropout_mask(logits, 0.5, "dropout") + draw_normal(logits, "noise"),
                    6);
      default:
        return keep(length(made_.graph.tape(), pick(made_.lengths), extent()) * 0.5, 2);
    }
  }
  Var with_table() {
    const Var table = with_shape({4, 3});
    return table.per_example() ? aligned(category_, table) : table;
  }

  void add_gradient() {
    Vars numbers, leaves;
    for (const Var& v : made_.outputs) {
      const Var s = mean(v);
      numbers.push_back(s.per_example() ? sum_items(s) : s);
    }
    for (int i = 0; i < 3; ++i) leaves.push_back(any());
    const Gradients g = gradient(add_n(numbers), leaves);
    for (const Var& v : g.values()) made_.outputs.push_back(v);
  }

  std::mt19937_64 random_;
  std::vector<const Op*> own_;
  bool mixes_;
  RandomGraph made_;
  Vars nodes_;
  std::vector<double> bound_;
  Var category_;
};

}  // namespace support
