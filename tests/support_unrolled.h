#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/ops/ops.h"

/// Networks of graphs/, unrolled by hand in loops as a program would.
namespace support {

using namespace taugrad;

inline Graph unrolled_elman(int steps) {
  Graph g;
  const Var U = g.weight("U", {3, 2}), W = g.weight("W", {3, 3}), b = g.weight("b", {3});
  const Var V = g.weight("V", {3, 3}), c = g.weight("c", {3});
  Var h = g.name(g.zeros({3}), "h", {0});
  Vars losses;
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    const Var a = g.name(b + matmul(W, h) + matmul(U, g.input("x", {2})), "a");
    h = g.name(tanh(a), "h");
    const Var o = g.name(c + matmul(V, h), "o");
    losses.push_back(g.name(nll_categorical(o, g.category("y", 3)), "nll:y"));
  }
  g.name(add_n(losses), "loss");
  return g;
}

inline Graph unrolled_lstm(int steps, std::int64_t n = 2, std::int64_t m = 3) {
  Graph g;
  const Var W_ih = g.weight("W_ih", {4 * m, n}), W_hh = g.weight("W_hh", {4 * m, m});
  const Var b_ih = g.weight("b_ih", {4 * m}), b_hh = g.weight("b_hh", {4 * m});
  Var h = g.name(g.zeros({m}), "h", {0}), c = g.name(g.zeros({m}), "c", {0});
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    const Var x = g.input("x", {n});
    const Var z = g.name(b_ih + matmul(W_ih, x) + b_hh + matmul(W_hh, h), "z");
    const Var i = g.name(sigmoid(slice(z, 0, m)), "i");
    const Var f = g.name(sigmoid(slice(z, m, 2 * m)), "f");
    const Var candidate = g.name(tanh(slice(z, 2 * m, 3 * m)), "g");
    const Var o = g.name(sigmoid(slice(z, 3 * m, 4 * m)), "o");
    c = g.name(f * c + i * candidate, "c");
    h = g.name(o * tanh(c), "h");
  }
  return g;
}

inline Graph unrolled_bidirectional(int steps) {
  Graph g;
  const Var U = g.weight("U", {3, 2}), W = g.weight("W", {3, 3}), b = g.weight("b", {3});
  const Var Q = g.weight("Q", {3, 2}), Z = g.weight("Z", {3, 3}), e = g.weight("e", {3});
  const Var V = g.weight("V", {3, 3}), P = g.weight("P", {3, 3}), c = g.weight("c", {3});
  Vars x, forward, backward(static_cast<std::size_t>(steps)), losses;
  Var h = g.name(g.zeros({3}), "h", {0});
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    x.push_back(g.input("x", {2}));
    forward.push_back(h = g.name(tanh(b + matmul(W, h) + matmul(U, x.back())), "h"));
  }
  h = g.name(g.zeros({3}), "g", {steps + 1});
  for (int t = steps; t >= 1; --t) {
    const auto step = g.step("t", t);
    const auto i = static_cast<std::size_t>(t - 1);
    backward[i] = h = g.name(tanh(e + matmul(Z, h) + matmul(Q, x[i])), "g");
  }
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    const auto i = static_cast<std::size_t>(t - 1);
    const Var o = g.name(c + matmul(V, forward[i]) + matmul(P, backward[i]), "o");
    losses.push_back(g.name(nll_categorical(o, g.category("y", 3)), "nll:y"));
  }
  g.name(add_n(losses), "loss");
  return g;
}

/// One direction of a grid: p[i,j] of its neighbours at i - down and j - right.
class UnrolledGrid {
 public:
  UnrolledGrid(int rows, int columns) : rows_(rows), columns_(columns) {
    U_ = g_.weight("U", {3, 2});
    W_ = g_.weight("W", {3, 3});
    Z_ = g_.weight("Z", {3, 3});
    b_ = g_.weight("b", {3});
    const Var V = g_.weight("V", {3, 3}), c = g_.weight("c", {3});
    direction("p", 1, 1);
    direction("q", 1, -1);
    direction("r", -1, 1);
    direction("s", -1, -1);
    Vars losses;
    for (int i = 1; i <= rows; ++i) {
      const auto row = g_.step("i", i);
      for (int j = 1; j <= columns; ++j) {
        const auto column = g_.step("j", j);
        const Var all = at("p", i, j) + at("q", i, j) + at("r", i, j) + at("s", i, j);
        const Var o = g_.name(c + matmul(V, all), "o");
        losses.push_back(g_.name(nll_categorical(o, g_.category("y", 3)), "nll:y"));
      }
    }
    g_.name(add_n(losses), "loss");
  }
  Graph graph() const { return g_; }

 private:
  void direction(const std::string& name, int down, int right) {
    for (int a = 1; a <= rows_; ++a) {
      const int i = down > 0 ? a : rows_ + 1 - a;
      const auto row = g_.step("i", i);
      for (int b = 1; b <= columns_; ++b) {
        const int j = right > 0 ? b : columns_ + 1 - b;
        const auto column = g_.step("j", j);
        if (!inputs_.contains({i, j})) inputs_[{i, j}] = g_.input("x", {2});
        values_[name][{i, j}] =
            g_.name(tanh(b_ + matmul(W_, at(name, i - down, j)) +
                         matmul(Z_, at(name, i, j - right)) + matmul(U_, inputs_[{i, j}])),
                    name);
      }
    }
  }
  Var at(const std::string& name, int i, int j) {
    Var& v = values_[name][{i, j}];
    if (!v) v = g_.name(g_.zeros({3}), name, {i, j});
    return v;
  }

  Graph g_;
  int rows_, columns_;
  Var U_, W_, Z_, b_;
  std::map<std::pair<int, int>, Var> inputs_;
  std::map<std::string, std::map<std::pair<int, int>, Var>> values_;
};

}  // namespace support
