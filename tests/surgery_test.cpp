// New graphs out of old ones.
#include "taugrad/rewrite/surgery.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "support_unrolled.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/graph/op.h"
#include "taugrad/graph/verify.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/language/definition.h"
#include "taugrad/ops/records.h"
#include "taugrad/unfold/unfold.h"

namespace {

using namespace support;
using Catch::Matchers::Contains;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics().front().code + " " + e.diagnostics().front().message;
  }
  return "";
}

double value(const Graph& g, const Var& v, const Tensors& inputs, const Tensors& weights = {}) {
  Program run(g, {v}, {.dtype = f64});
  return run(inputs, weights)[0].at(0);
}

}  // namespace

TEST_CASE("a clone is another graph, node by node the same", "[surgery]") {
  const Graph g = unrolled_elman(3);
  gradient(g.at("loss"), {g.at("W")});
  const GraphCopy copy = clone(g);
  CHECK(to_json(copy.graph()) == to_json(g));
  CHECK(copy[g.at("h", {2})] == copy.graph().at("h", {2}));
  CHECK(copy.nodes_of(g).size() == static_cast<std::size_t>(g.size()));
  const Graph shared = g;
  const NodeId before = g.size();
  tanh(copy.graph().at("h", {2}));
  CHECK(g.size() == before);  // the clone alone grew
  CHECK(copy.graph().size() == before + 1);
  tanh(shared.at("h", {2}));
  CHECK(g.size() == before + 1);  // what was copied is the same graph
  // it goes on as the old one would
  Graph more = copy.graph();
  CHECK_THAT(message_of([&] { more.input("x", {7}); }), Contains("G024"));
  {
    const auto step = more.step("t", 2);
    const Var product = matmul(copy[g.at("W")], more.at("h", {2}));
    CHECK(more.tape().inputs(product.id)[0] == more.at("W", {2}).id);
  }
  verify(copy.graph().tape());
}

TEST_CASE("graphs of ragged batches are copied with their sets of items", "[surgery]") {
  const Unfolded u = unfold(load_definition(TAUGRAD_SOURCE_DIR "/graphs/encoder_decoder.json"),
                            {.steps = 3, .ragged = true});
  CHECK(to_json(clone(u.graph()).graph()) == to_json(u.graph()));
  // after another graph with a length of its own, numbers move
  Graph first;
  first.tape().length_names = {"other"};
  first.tape().intern_extent({{{0, 2}}});
  const GraphCopy both = append(first, u.graph());
  verify(both.graph().tape());
  CHECK(both.graph().tape().length_names.front() == "other");
  const GraphCopy back = prune(both.graph(), {both[u.loss()]});
  verify(back.graph().tape());
  CHECK(back.graph().size() <= u.graph().size());
}

TEST_CASE("prune keeps what outputs need", "[surgery]") {
  const Graph g = unrolled_elman(4);
  const GraphCopy copy = prune(g, {g.at("h", {2})});
  CHECK(copy.graph().size() == 22);
  CHECK(copy.graph().tape().label(copy[g.at("h", {2})].id) == "h[2]");
  CHECK_THAT(message_of([&] { copy[g.at("h", {3})]; }), Contains("G014") && Contains("h[3]"));
  CHECK_THAT(message_of([&] { copy[copy.graph().at("h", {2})]; }), Contains("U021"));
  CHECK_THAT(message_of([&] { prune(g, {}); }), Contains("U021"));
  CHECK_THAT(message_of([&] { prune(g, {Var{}}); }), Contains("U021"));
}

TEST_CASE("a subgraph is cut where one says", "[surgery]") {
  const Graph g = unrolled_elman(4);
  const GraphCopy one = subgraph({g.at("h", {3})}, {g.at("h", {2}), g.at("W", {3})});
  const Graph& cell = one.graph();
  CHECK(&cell.at("h", {2}).op() == &kInput);
  CHECK(&cell.at("W", {3}).op() == &kWeight);
  CHECK(cell.tape().letters(cell.at("h", {2}).id).front() == "t");
  CHECK(one[g.at("h", {2})] == cell.at("h", {2}));
  CHECK_THAT(message_of([&] { cell.at("h", {1}); }), Contains("G014"));
  verify(cell.tape());
  Graph h;
  const Var x = h.input("x", {2}), y = x * 2.0, z = tanh(y);
  const GraphCopy tail = subgraph({z}, {y});
  CHECK(tail.graph().size() == 2);
  CHECK(tail[y].name() == "cut:" + std::to_string(y.id));
  CHECK(to_json(subgraph({z}).graph()) == to_json(prune(h, {z}).graph()));
  Graph other;
  CHECK_THAT(message_of([&] { subgraph({z}, {other.input("x")}); }), Contains("U021"));
}

TEST_CASE("a subgraph cut at a constant is given what stood there", "[surgery]") {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  const Var zero = g.name(g.zeros({2}), "h", {0}), one = g.constant(1, {2});
  Var h = zero;
  for (int t = 1; t <= 2; ++t) {
    const auto step = g.step("t", t);
    h = g.name(tanh(matmul(W, h) + one), "h");
  }
  const GraphCopy cell = subgraph({h}, {zero, one});
  CHECK(&cell[zero].op() == &kInput);  // a row of the batch each
  CHECK(cell[zero].name() == "cut:h.0");
  CHECK(to_json(graph_from_json(to_json(cell.graph()), "cell.json")) == to_json(cell.graph()));
  CHECK(&cell[one].op() == &kWeight);  // one for all
  const Tensors weights{{"W", Tensor::of({{1., 0.}, {0., 1.}})},
                        {"cut:" + std::to_string(one.id), Tensor::of({0., 0.})}};
  CHECK(value(cell, cell[h], {{"cut:h.0", Tensor::of({{0.5, 1.}})}}, weights) ==
        Approx(std::tanh(std::tanh(0.5))));
  // an input and a weight are given already, and keep their values' names
  CHECK(subgraph({h}, {W})[W].name() == "W");
  const GraphCopy h1 = subgraph({h}, {g.at("h", {1})});
  CHECK(&h1.graph().at("h", {1}).op() == &kInput);
}

TEST_CASE("a copy cut beside its weight is refused readably", "[surgery]") {
  const Graph g = unrolled_elman(3);
  CHECK_THAT(message_of([&] { subgraph({g.at("h", {3})}, {g.at("W", {3})}); }),
             Contains("G013") && Contains("the copy W[3] cannot be cut: other nodes still read W"));
  CHECK_NOTHROW(subgraph({g.at("h", {3})}, {g.at("W", {3}), g.at("W", {2}), g.at("W", {1})}));
}

TEST_CASE("copies of two letters cannot both be cut at one position", "[surgery]") {
  Graph g;
  const Var w = g.weight("w", {2});
  Vars parts;
  for (const char* letter : {"t", "s"}) {
    const auto step = g.step(letter, 1);
    parts.push_back(tanh(w));
  }
  const Var out = parts[0] + parts[1];
  const Vars copies{g.at("w[t=1]"), g.at("w[s=1]")};
  CHECK_THAT(message_of([&] {
               subgraph({out}, {copies[0], copies[1]});
             }),
             Contains("G013") && Contains("the copy w[s=1] cannot be cut: w[1] is given already"));
  CHECK_NOTHROW(subgraph({parts[1]}, {copies[1]}));
}

TEST_CASE("an own attribute called which is no length's number", "[surgery]") {
  const Op scaled{.name = "surgery_scaled",
                  .about = "y = which x",
                  .attributes = "extent which",
                  .shape = [](std::span<const Shape> in, const Attrs&) { return in[0]; },
                  .forward = {.f64 =
                                  [](const Call<double>& c) {
                                    for (std::int64_t i = 0; i < c.items * c.shape->size(); ++i)
                                      c.out[i] = c.in[0].data[i] *
                                                 static_cast<double>(c.attrs->integer("which"));
                                  }},
                  .traits = {.elementwise = true, .linear = true}};
  Graph g;
  const Var x = g.input("x", {1});
  const Var y =
      g.tape().append(scaled, {{x}}, {{"which", std::int64_t{5}}, {"extent", std::int64_t{9}}});
  const GraphCopy copy = clone(g);
  CHECK(copy[y].tape->attrs(copy[y].id).integer("which") == 5);
}

TEST_CASE("the forward part of a graph is what no gradient is made of", "[surgery]") {
  const Graph g = unrolled_elman(3);
  const std::string before = to_json(g);
  gradient(g.at("loss"), {g.at("W"), g.at("h", {2})});
  CHECK(to_json(without_gradients(g)) == before);
  // a step down the gradient needs it
  Graph descent;
  const Var w = descent.weight("w", {2}), loss = descent.name(sum(w * w), "loss");
  descent.name(w - 0.1 * gradient(loss, w), "next");
  CHECK(without_gradients(descent).graph().size() == descent.size());
}

TEST_CASE("graphs are appended, bound where one says", "[surgery]") {
  Graph encoder;
  const Var x = encoder.input("x", {2}), W = encoder.weight("W", {2, 2});
  const Var code = encoder.name(tanh(matmul(W, x)), "code");
  Graph decoder;
  const Var c = decoder.input("c", {2}), V = decoder.weight("W", {2, 2});
  const Var y = decoder.name(sum(matmul(V, c)), "y");

  const GraphCopy tied = append(encoder, decoder, {{c, code}, {V, W}});
  CHECK(tied[c] == tied[code]);
  CHECK(tied.graph().size() == encoder.size() + decoder.size() - 2);
  CHECK(tied[x].id == x.id);
  const Tensors inputs{{"x", Tensor::of({{1., 2.}})}};
  const Tensors weights{{"W", Tensor::of({{1., 0.}, {0., 1.}})}};
  CHECK(value(tied.graph(), tied[y], inputs, weights) == Approx(std::tanh(1) + std::tanh(2)));
  CHECK(gradient(tied[y], tied[W]).shape() == Shape{2, 2});

  CHECK_THAT(message_of([&] {
               append(encoder, decoder, {{c, code}});
             }),
             Contains("G013") && Contains("\"W\""));
  try {
    append(encoder, decoder, {{c, code}});
  } catch (const Error& e) {
    CHECK_THAT(e.diagnostics().front().help, Contains("give a prefix"));
  }
  const GraphCopy apart = append(encoder, decoder, {{c, code}}, "decoder.");
  CHECK(apart.graph().at("decoder.W") == apart[V]);
  CHECK(apart.graph().at("decoder.y") == apart[y]);
  CHECK_THAT(message_of([&] { append(encoder, decoder, {{c, W}}); }), Contains("G020"));
  CHECK_THAT(message_of([&] {
               append(encoder, decoder, {{c, code}, {c, code}}, "d.");
             }),
             Contains("G013") && Contains("twice"));
  CHECK_THAT(message_of([&] { append(encoder, encoder); }), Contains("U021"));
  CHECK_THAT(message_of([&] { append(encoder, decoder, {{code, c}}); }), Contains("U021"));
}

TEST_CASE("one weight in two appended networks has one copy for each step", "[surgery]") {
  const auto cell = [](const char* state) {
    Graph g;
    const Var W = g.weight("W", {2, 2});
    Var h = g.input("start", {2});
    for (int t = 1; t <= 2; ++t) {
      const auto step = g.step("t", t);
      h = g.name(tanh(matmul(W, h)), state);
    }
    return g;
  };
  const Graph a = cell("h"), b = cell("d");
  const GraphCopy both = append(a, b, {{b.at("W"), a.at("W")}, {b.at("start"), a.at("h", {2})}});
  std::int64_t copies = 0;
  for (NodeId id = 0; id < both.graph().size(); ++id) copies += &both.graph().node(id).op == &kCopy;
  CHECK(copies == 2);
  CHECK(both[b.at("W", {1})] == both[a.at("W", {1})]);
}

TEST_CASE("a node is replaced for all who read it", "[surgery]") {
  Graph g;
  const Var x = g.input("x", {1});
  const Var h = g.name(x * 3.0, "h"), y = g.name(h + 1.0, "y"), z = g.name(sum(y * h), "z");
  const Tensors two{{"x", Tensor::of({{2.}})}};
  CHECK(value(g, z, two) == 42);
  // by something that comes later, and reads it
  const Var by = g.name(h * 10.0, "by");
  const GraphCopy changed = replace(h, by);
  CHECK(value(changed.graph(), changed[z], two) == 61 * 60);
  CHECK(value(changed.graph(), changed[by], two) == 60);
  CHECK(changed.graph().tape().label(changed[h].id) == "h");
  verify(changed.graph().tape());
  CHECK(value(g, z, two) == 42);  // the old graph is what it was
  // by something that reads what reads it: that goes on reading the old node
  const Var after = g.name(y * 2.0, "after");
  const GraphCopy deep = replace(h, after);
  CHECK(value(deep.graph(), deep[z], two) == 7 * 14);
  const GraphCopy cut = replace(h, g.name(g.zeros({1}), "zero"));
  CHECK(value(cut.graph(), cut[z], two) == 0);
  CHECK(prune(cut.graph(), {cut[z]}).graph().size() == 5);
  CHECK_THAT(message_of([&] { replace(h, z); }), Contains("G020") && Contains("cannot stand for"));
  CHECK_THAT(message_of([&] { replace(g.category("k", 3), g.category("l", 4)); }),
             Contains("l, a category of 4, cannot stand for k, a category of 3"));
  CHECK_THAT(message_of([&] { replace(h, g.constant(0, {1})); }), Contains("other items"));
  Graph other;
  CHECK_THAT(message_of([&] { replace(h, other.zeros({1})); }), Contains("U021"));
}

TEST_CASE("gradients of what has been replaced are left out", "[surgery]") {
  Graph g;
  const Var W = g.weight("W", {2});
  const Var y = g.name(sin(W), "y"), loss = g.name(sum(y * y), "loss");
  const Var dW = gradient(loss, W);
  const GraphCopy changed = replace(y, W * 3.0);
  CHECK_THAT(message_of([&] { changed[dW]; }), Contains("G014") && Contains("left out"));
  const Tensors weights{{"W", Tensor::of({2}, std::vector<double>{0.5, -2})}};
  const Graph fresh = changed.graph();
  const Var again = gradient(changed[loss], changed[W]);
  CHECK(fresh.at("grad:W") == again);
  const Tensor slope = Program(fresh, {again}, {.dtype = Dtype::f64})({}, weights)[again];
  CHECK(slope.at(0) == Approx(18 * 0.5));
  CHECK(slope.at(1) == Approx(18 * -2.0));
  // what is made of the gradient may take a node's place, and a part of the gradient may be
  // replaced
  const GraphCopy down = replace(y, y - 0.1 * dW);
  CHECK(down.graph().tape().label(down[dW].id) == "grad:W");
  CHECK(replace(dW, dW * 2.0)[dW].id >= 0);
  const Var step = g.name(W - dW, "step");
  CHECK_THAT(message_of([&] { replace(y, W * 3.0); }), Contains("U023") && Contains("step"));
  CHECK(replace(step, W)[dW].id >= 0);  // the gradient came before
}

TEST_CASE("a prefix makes names, and no roles", "[surgery]") {
  Graph a, b;
  a.name(a.weight("W", {2}) * 2.0, "y");
  b.name(b.weight("W", {2}) * 2.0, "y");
  for (const char* prefix : {"grad:", "cotangent:", "#1"})
    CHECK_THAT(message_of([&] { append(a, b, {}, prefix); }), Contains("G025"));
  CHECK(append(a, b, {}, "second.").graph().at("second.y").id >= 0);
}

TEST_CASE("a million nodes are copied in linear time", "[surgery]") {
  Graph g;
  Var h = g.input("h", {1});
  for (int i = 0; i < 500'000; ++i) h = tanh(h) + h;
  const GraphCopy copy = replace(g.at("h"), clone(g)[g.at("h")].tape == h.tape ? h : g.at("h"));
  CHECK(copy.graph().size() == g.size());
  CHECK(prune(g, {h}).graph().size() == g.size());
}
