#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "support_unrolled.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

/// Graphs as programs build them: with scopes and without, with names of any kind and with none.
namespace support {

struct ByHand {
  std::string about;
  Graph graph;
  bool steps = true;  ///< `show --view folded` finds the step that repeats
  bool flows = true;  ///< a value with one index hands something on
};

inline Var nameless(Graph& g, const Op& op, const Shape& shape) {
  return g.tape().leaf(op, shape, &op == &kWeight ? kShared : kEveryItem);
}
inline Var input_at(Graph& g, const std::string& name, const Shape& shape, std::int32_t t) {
  return g.tape().named_leaf(kInput, shape, kEveryItem, {}, name, {&t, 1});
}

/// h[t], o[t] named with their index; nothing says where the steps on the way belong.
inline Graph indexed_rnn(int steps, const std::string& h_name = "h",
                         const std::string& x_name = "x", const std::string& w_name = "W") {
  Graph g;
  const Var U = g.weight("U", {3, 2}), W = g.weight(w_name, {3, 3}), V = g.weight("V", {2, 3});
  Var h = g.name(g.zeros({3}), h_name, {0}), loss;
  for (int t = 1; t <= steps; ++t) {
    h = g.name(tanh(matmul(U, input_at(g, x_name, {2}, t)) + matmul(W, h)), h_name, {t});
    const Var o = g.name(matmul(V, h), "o", {t});
    loss = loss ? loss + sum(o * o) : sum(o * o);
  }
  g.name(loss, "loss");
  return g;
}

inline Graph nameless_rnn(int steps) {
  Graph g;
  const Var U = nameless(g, kWeight, {3, 2}), W = nameless(g, kWeight, {3, 3});
  Var h = g.zeros({3});
  for (int t = 1; t <= steps; ++t) h = tanh(matmul(U, nameless(g, kInput, {2})) + matmul(W, h));
  sum(h * h);
  return g;
}

/// Names without an index: h1, h2, ...
inline Graph numbered_names(int steps) {
  Graph g;
  const Var W = g.weight("W", {3, 3});
  Var h = g.input("h0", {3});
  for (int t = 1; t <= steps; ++t) h = g.name(tanh(matmul(W, h)), fmt::format("h{}", t));
  return g;
}

/// Only the data have positions: states and sums have no names.
inline Graph many_to_one_by_hand(int steps) {
  Graph g;
  const Var U = g.weight("U", {3, 2}), W = g.weight("W", {3, 3}), v = g.weight("v", {1, 3});
  Var h = g.zeros({3});
  for (int t = 1; t <= steps; ++t) h = tanh(matmul(W, h) + matmul(U, input_at(g, "x", {2}, t)));
  g.name(sum(matmul(v, h)), "loss");
  return g;
}

inline Graph perceptron() {
  Graph g;
  const Var W1 = g.weight("W1", {4, 3}), W2 = g.weight("W2", {2, 4});
  const Var y = g.name(matmul(W2, relu(matmul(W1, g.input("x", {3})))), "y");
  g.name(nll_categorical(y, g.category("label", 2)), "loss");
  return g;
}

/// Gradients of one weight and one state only, as a program asks for them.
inline Graph with_some_gradients(int steps) {
  Graph g = unrolled_elman(steps);
  gradient(g.at("loss"), {g.at("W", {2}), g.at("h", {2})});
  return g;
}

inline Graph with_second_derivatives() {
  Graph g;
  const Var w = g.weight("w", {3}), x = g.input("x", {3});
  const Var y = g.name(sigmoid(matmul(x, w)), "loss");
  const Gradients first = gradient(y, {w});
  gradient(sum(first[0]), {w});
  return g;
}

/// A step down the gradient, and the loss after it.
inline Graph descended() {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  const Var loss = g.name(sum(w * x), "loss");
  const Var next = g.name(w - 0.1 * gradient(loss, {w})[0], "w_next");
  g.name(sum(next * x), "loss_next");
  return g;
}

inline Graph untied_by_hand(int steps) {
  Graph g;
  Var h = g.name(g.zeros({2}), "h", {0});
  for (std::int32_t t = 1; t <= steps; ++t) {
    const Var W = g.tape().named_leaf(kWeight, {2, 2}, kShared, {}, "W", {&t, 1});
    h = g.name(tanh(matmul(W, h) + input_at(g, "x", {2}, t)), "h", {t});
  }
  g.name(sum(h * h), "loss");
  return g;
}

inline Graph characters(int steps) {
  Graph g;
  const Var E = g.weight("E", {5, 3}), W = g.weight("W", {3, 3}), O = g.weight("O", {5, 3});
  Var h = g.zeros({3}), y = absent_category(g.tape(), 5, kEveryItem);
  Vars losses;
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    h = g.name(tanh(matmul(W, h) + embed(E, y)), "h");
    y = g.category("y", 5);
    losses.push_back(g.name(nll_categorical(matmul(O, h), y), "nll:y"));
  }
  g.name(add_n(losses), "loss");
  return g;
}

/// Without data: numbers that all examples share.
inline Graph shared_only() {
  Graph g;
  const Var a = g.weight("a", {2, 2}), b = g.weight("b", {2, 2});
  g.name(sum(matmul(a, b)), "loss");
  return g;
}

/// Backward in time, three steps at once, from places of their own.
inline Graph skipping_back(int steps) {
  Graph g;
  const Var W = g.weight("W", {2, 2}), Z = g.weight("Z", {2, 2});
  std::vector<Var> s(static_cast<std::size_t>(steps) + 4, g.zeros({2}));
  for (int t = steps; t >= 1; --t) {
    const auto i = static_cast<std::size_t>(t);
    s[i] = g.name(tanh(matmul(W, s[i + 1]) + matmul(Z, s[i + 3]) + input_at(g, "x", {2}, t)), "s",
                  {t});
  }
  g.name(sum(s[1]), "loss");
  return g;
}

/// Positions with gaps, and below zero.
inline Graph sparse_positions() {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  Var h = g.input("x", {2});
  for (const int t : {-3, 10, 20, 70}) h = g.name(tanh(matmul(W, h)), "h", {t});
  g.name(sum(h), "loss");
  return g;
}

inline Graph random_ops(int steps) {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  Var h = g.zeros({2});
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    const Var x = g.input("x", {2});
    h = g.name(tanh(matmul(W, h * dropout_mask(h, 0.5, "m")) + x + draw_normal(x, "n")), "h");
  }
  return g;
}

inline Graph odd_names() {
  Graph g;
  const std::string names[] = {
      "</script><b>&amp;", "a\"b'c\\d", "h(a)",  "gradient:",          "line\nbreak",
      "digraph",           "3rd #",     "x,y@z", std::string(256, 'n')};
  Var v = g.input("node", {2});
  for (const std::string& name : names)
    v = g.name(tanh(v * g.weight(name.substr(0, 200) + " w", {2})), name);
  g.name(sum(v), "loss");
  return g;
}

inline std::vector<ByHand> graphs_by_hand() {
  std::vector<ByHand> all;
  const auto add = [&](const std::string& about, Graph g, bool steps = true, bool flows = true) {
    all.push_back({about, std::move(g), steps, flows});
  };
  add("elman", unrolled_elman(5));
  add("lstm", unrolled_lstm(5));
  add("bidirectional", unrolled_bidirectional(5));
  add("grid", UnrolledGrid(3, 3).graph(), true, false);
  add("indexed", indexed_rnn(6));
  add("long", indexed_rnn(40));
  add("without names", nameless_rnn(6), true, false);
  add("numbered names", numbered_names(6), true, false);
  add("many to one", many_to_one_by_hand(6), true, false);
  add("perceptron", perceptron(), false, false);
  add("some gradients", with_some_gradients(4));
  add("second derivatives", with_second_derivatives(), false, false);
  add("descended", descended(), false, false);
  add("untied", untied_by_hand(5));
  add("characters", characters(5));
  add("shared", shared_only(), false, false);
  add("backward", skipping_back(8));
  add("sparse", sparse_positions(), true, false);
  add("random", random_ops(5));
  add("cyrillic", indexed_rnn(5, "скрытое", "вход", "Вес"));
  add("chinese", indexed_rnn(5, "隐藏状态", "输入", "权重"));
  add("arabic and hindi", indexed_rnn(5, "حالة", "निवेश", "وزن"));
  add("emoji and combining", indexed_rnn(5, "🧠", "é", "ﬀ"));
  add("odd names", odd_names(), true, false);
  return all;
}

}  // namespace support
