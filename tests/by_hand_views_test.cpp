// Views of graphs built by hand: gradients that are not of the loss, circuits of graphs that hold
// gradients, circuits of grids.
#include <catch2/catch.hpp>

#include "graph/gradient_order.h"
#include "support_by_hand.h"
#include "support_cli.h"
#include "taugrad/draw/render.h"
#include "taugrad/taugrad.h"

using namespace support;

namespace {

std::int64_t count_named(const Picture& p, const std::string& name) {
  return std::ranges::count(p.nodes, name, &PictureNode::name);
}

bool says(const std::vector<std::string>& notes, const std::string& part) {
  return std::ranges::any_of(notes, [&](const std::string& n) { return has(n, part); });
}

Definition shipped(const std::string& name) {
  return load_definition(TAUGRAD_SOURCE_DIR "/graphs/" + name + ".json");
}

/// p[i,j] of both neighbours, by explicit positions and without scopes.
Graph indexed_grid(int rows, int columns) {
  Graph g;
  const Var W = g.weight("W", {2, 2}), Z = g.weight("Z", {2, 2}), U = g.weight("U", {2, 2});
  std::map<std::pair<int, int>, Var> p;
  const auto at = [&](int i, int j) {
    Var& v = p[{i, j}];
    if (!v) v = g.name(g.zeros({2}), "p", {i, j});
    return v;
  };
  for (int i = 1; i <= rows; ++i)
    for (int j = 1; j <= columns; ++j) {
      const Var x = g.input(fmt::format("x[{},{}]", i, j), {2});
      p[{i, j}] = g.name(tanh(matmul(W, at(i - 1, j)) + matmul(Z, at(i, j - 1)) + matmul(U, x)),
                         "p", {i, j});
    }
  g.name(sum(at(rows, columns)), "loss");
  return g;
}

}  // namespace

TEST_CASE("--view gradient is that of the loss, whatever gradients the graph holds", "[by_hand]") {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  const Var aux = g.name(sum(w * x), "aux");
  gradient(aux, w);  // grad:w, of another loss
  g.name(aux * aux, "loss");
  const std::string before = to_json(g);
  const GraphWithGradient made = with_gradient(g);
  CHECK(has(made.note, "not those of its loss"));
  Program run(made.graph, made.graph.at("grad:w"), {.dtype = f64});
  const Outputs out = run({{"x", Tensor::of({{1., 2.}})}}, {{"w", Tensor::of({3., 5.})}});
  CHECK(out[0].at(1) == 2 * 13 * 2);  // 2 (w x) x
  const Picture p = picture_of(g, WriteOptions{.view = View::gradient});
  CHECK(count_named(p, "∇w") == 1);
  CHECK(says(p.notes, "not those of its loss"));
  CHECK(to_json(g) == before);
  // its own are drawn as they are, and only those that were asked for
  const Graph own = with_some_gradients(3);
  CHECK(with_gradient(own).note.empty());
  CHECK(with_gradient(own).graph.size() == own.size());
  const Folder f;
  save_graph(f / "g.json", g);
  const auto shown = support::taugrad(f, "show g.json --view gradient --format svg");
  CHECK(has(shown.err, "not those of its loss"));
  CHECK(has(shown.out, "not those of its loss"));
}

TEST_CASE("what was changed behind a gradient makes it another one", "[by_hand]") {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  const Var h = g.name(tanh(w * x), "h"), loss = g.name(sum(h * h), "loss");
  gradient(loss, w);
  CHECK(with_gradient(g).note.empty());
  const Graph changed = replace(h, g.name(sigmoid(w * x), "other"));
  const GraphWithGradient made = with_gradient(changed);
  CHECK(made.note.empty());  // replace has left out what was held
  Program run(made.graph, made.graph.at("grad:w"), {.dtype = f64});
  const Outputs out = run({{"x", Tensor::of({{1., 0.}})}}, {{"w", Tensor::of({0., 0.})}});
  CHECK(out[0].at(0) == Approx(2 * 0.5 * 0.25));
}

TEST_CASE("the circuit of a graph that holds gradients is that of its forward part", "[by_hand]") {
  for (const auto& [name, graph] : {std::pair("elman", unrolled_elman(5)),
                                    std::pair("bidirectional", unrolled_bidirectional(5))}) {
    INFO(name);
    const Graph with = with_gradient(graph).graph;
    REQUIRE(with.size() > graph.size());
    const FoldedGraph circuit = fold(with);
    CHECK(isomorphic(circuit, fold(graph)));
    CHECK(isomorphic(circuit, folded(shipped(name))));
    CHECK(says(circuit.notes, "gradients are left out"));
    CHECK(says(picture_of(circuit).notes, "gradients are left out"));
    CHECK(fold(graph).notes.empty());
  }
  const Folder f;
  save_graph(f / "g.json", with_some_gradients(4));
  const auto shown = support::taugrad(f, "show g.json --view folded --format svg");
  CHECK(shown.status == 0);
  CHECK(has(shown.err, "gradients are left out"));
  CHECK(has(shown.out, "gradients are left out"));
}

TEST_CASE("grids fold, by hand and unfolded, like their definitions", "[by_hand][fold]") {
  const FoldedGraph circuit = folded(shipped("grid_four_directions"));
  for (const auto& [rows, columns] : {std::pair(3, 4), std::pair(2, 2), std::pair(6, 3)}) {
    INFO(rows << " x " << columns);
    CHECK(isomorphic(fold(UnrolledGrid(rows, columns).graph()), circuit));
    for (const std::string name : {"grid_four_directions", "grid_lines", "grid_convolution"}) {
      INFO(name);
      const Unfolded u =
          unfold(shipped(name), {.lengths = {{"rows", rows + 1}, {"cols", columns + 1}}});
      CHECK(isomorphic(fold(u.graph()), folded(shipped(name))));
    }
  }
  const FoldedGraph by_position = fold(indexed_grid(4, 4));
  std::multiset<std::vector<int>> delays;
  for (const FoldedEdge& e : by_position.edges)
    if (e.delayed()) delays.insert(e.delay);
  CHECK(delays == std::multiset<std::vector<int>>{{0, 1}, {1, 0}});
  const Folder f;
  save_graph(f / "g.json", UnrolledGrid(3, 3).graph());
  const auto shown = support::taugrad(f, "show g.json --view folded --format svg");
  CHECK(shown.status == 0);
  CHECK(has(shown.out, "each i,j"));
}

TEST_CASE("a grid whose positions are not alike is refused", "[by_hand][fold]") {
  Graph g = indexed_grid(4, 4);
  Graph h = replace(g.at("p", {2, 2}), g.at("p", {1, 1}));  // p[2,3] and p[3,2] read p[1,1]
  const auto told = [](const Graph& graph) {
    try {
      fold(graph);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(has(told(h), "G026"));
  CHECK(has(told(h), "not alike: p["));
}

namespace {

struct TwoSteps {
  Graph g;
  Var W, h;
};
TwoSteps two_steps() {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  Var h = g.name(g.zeros({2}), "h", {0});
  for (int t = 1; t <= 2; ++t) {
    const auto step = g.step("t", t);
    h = g.name(tanh(matmul(W, h) + g.input("x", {2})), "h");
  }
  return {g, W, h};
}

/// Two steps, with the gradient of a loss, a penalty on it, and the gradient of the penalty.
Graph with_penalty() {
  auto [g, W, h] = two_steps();
  const Var first = gradient(g.name(sum(h * h), "loss"), W);
  gradient(g.name(sum(first * first), "penalty"), W);
  return g;
}

}  // namespace

TEST_CASE("a further gradient of a weight is drawn as one, beside the first", "[by_hand][draw]") {
  auto [g, W, h] = two_steps();
  gradient(g.name(sum(h * h), "a"), W);
  gradient(g.name(sum(h * h * h), "b"), W);
  for (const Graph& graph : {g, graph_from_json(to_json(g), "g.json")})
    for (const Detail detail : {Detail::values, Detail::operations, Detail::everything}) {
      const Picture p = picture_of(graph, WriteOptions{.detail = detail});
      const auto count = [&](const auto& of) { return std::ranges::count_if(p.nodes, of); };
      CHECK(count([](const PictureNode& n) { return n.name == "∇W"; }) == 2);
      CHECK(count([](const PictureNode& n) { return n.name == "∇W" && n.order == 1; }) == 2);
      CHECK(count([](const PictureNode& n) { return n.name == "∇W" && n.beside >= 0; }) == 2);
      CHECK(count([](const PictureNode& n) { return n.order > 1; }) == 0);
      // nothing of it stands among the forward nodes
      const Picture forward =
          picture_of(without_gradients(graph).graph(), WriteOptions{.detail = detail});
      const auto of_forward = [](const PictureNode& n) {
        return !n.adjoint && n.kind != NodeKind::constant;
      };
      CHECK(count(of_forward) == std::ranges::count_if(forward.nodes, of_forward));
    }
}

TEST_CASE("a gradient of a gradient is told apart from both passes, in pictures and files",
          "[by_hand][draw]") {
  const Graph g = with_penalty();
  const std::vector<char> orders = gradient_orders(g.tape());
  const auto order_of = [&](const char* name) {
    return static_cast<int>(orders[static_cast<std::size_t>(g.at(name).id)]);
  };
  CHECK(order_of("loss") == 0);
  CHECK(order_of("grad:W") == 1);
  CHECK(order_of("penalty") == 0);
  CHECK(orders.back() == 2);
  const Graph read = graph_from_json(to_json(g), "g.json");
  CHECK(to_json(read) == to_json(g));
  CHECK(gradient_orders(clone(g).graph().tape()) == orders);
  for (const Detail detail : {Detail::values, Detail::operations, Detail::everything}) {
    const WriteOptions options{.detail = detail};
    const Picture p = picture_of(g, options);
    const auto node = [&](int n) -> const PictureNode& {
      return p.nodes[static_cast<std::size_t>(n)];
    };
    CHECK(count_named(p, "∇W") == 1);
    CHECK(count_named(p, "∇∇W") == 1);
    int read_again = 0, within = 0;
    for (const PictureNode& n : p.nodes) {
      if (n.name == "∇∇W") CHECK((n.order == 2 && n.adjoint && node(n.beside).name == "W"));
      if (n.name == "∇W") CHECK(n.order == 1);
      if (n.name == "penalty" || n.name == "loss") CHECK((n.order == 0 && !n.adjoint));
    }
    for (const PictureEdge& e : p.edges) {
      if (node(e.to).order != 2) continue;
      const bool same = node(e.from).order == 2;
      CHECK((e.kind == EdgeKind::adjoint) == same);
      ++(same ? within : read_again);
    }
    CHECK((within > 0 || detail == Detail::values));  // where ∇∇W alone is drawn
    CHECK(read_again > 0);
    CHECK(to_svg(picture_of(read, options)) == to_svg(p));
    CHECK(has(to_svg(p), "adjoint second"));
    CHECK(has(to_dot(p), "#efd0ec"));
  }
}

TEST_CASE("files without orders tell a gradient by its names, as they did", "[by_hand]") {
  const Graph g = unrolled_elman(3);
  gradient(g.at("loss"), {g.at("W"), g.at("h", {2})});
  const std::string text = to_json(g);
  std::string old = text;
  for (std::size_t at; (at = old.find("\"order\": 1, ")) != std::string::npos;)
    old.erase(at, std::string("\"order\": 1, ").size());
  REQUIRE(old != text);
  const Graph read = graph_from_json(old, "old.json");
  for (NodeId id = 0; id < g.size(); ++id)
    if (!g.tape().inputs(id).empty())
      CHECK(gradient_order(read.tape(), id) == gradient_order(g.tape(), id));
  for (const Detail detail : {Detail::values, Detail::operations, Detail::everything})
    CHECK(to_svg(picture_of(read, WriteOptions{.detail = detail})) ==
          to_svg(picture_of(g, WriteOptions{.detail = detail})));
}

TEST_CASE("products with Hessians are of the second order, whatever is named", "[by_hand]") {
  Graph g;
  const Var w = g.weight("w", {3}), v = g.weight("v", {3});
  const Var loss = g.name(sum(exp(w)), "loss");
  const Var product = hvp(loss, w, v), matrix = hessian(loss, w), rows = jacobian(exp(w), w);
  CHECK(gradient_order(g.tape(), loss.id) == 0);
  CHECK(gradient_order(g.tape(), product.id) == 2);
  CHECK(gradient_order(g.tape(), matrix.id) == 2);
  CHECK(gradient_order(g.tape(), rows.id) == 1);
  CHECK(gradient_order(g.tape(), (w * v).id) == 0);
  CHECK(gradient_order(g.tape(), tangent(loss, w, v).id) == 0);
}

TEST_CASE("a drawing without a title has none", "[by_hand][draw]") {
  const Folder f;
  write(indexed_rnn(3), f / "g.svg");
  CHECK_FALSE(has(slurp(f / "g.svg"), "<title></title>"));
}

TEST_CASE("a loop over every third step has delays of three", "[by_hand]") {
  const auto loop = [](int first, int stride) {
    Graph g;
    const Var W = g.weight("W", {2, 2});
    Var h = g.zeros({2});
    for (int i = 0; i < 7; ++i) {
      const auto step = g.step("t", first + i * stride);
      h = g.name(tanh(matmul(W, h) + g.input("x", {2})), "h");
    }
    g.name(sum(h), "loss");
    std::vector<int> delays;
    for (const FoldedEdge& e : fold(g).edges)
      if (e.delayed()) delays.push_back(e.delay.at(0));
    return delays;
  };
  CHECK(loop(1, 1) == std::vector<int>{1});
  CHECK(loop(2, 3) == std::vector<int>{3});
  CHECK(loop(20, -3) == std::vector<int>{-3});  // it runs against its positions
}
