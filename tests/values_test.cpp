// Numbers on a drawing: values, gradients and shares of edges are those of a run; their colours.
#include "taugrad/draw/values.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <regex>

#include "draw/values/facts.h"
#include "support_picture.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/explorer.h"
#include "taugrad/evaluate/run.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// A definition's picture of one kind, and the values of its nodes.
struct Valued {
  ValuedGraph graph;
  Picture picture;
  GraphValues values;
  Valued(const Definition& d, const Tensors& inputs, const Tensors& weights,
         const ValueOptions& options, Detail detail)
      : graph(d, inputs, weights, options) {
    GraphPictureOptions drawn{.detail = detail, .most_steps = 0};
    drawn.outputs = graph.outputs();
    picture = picture_of(graph.unfolded(), drawn);
    values = graph.values_of({&picture});
  }
  const NodeFacts& of(const std::string& name) const {
    for (const PictureNode& n : picture.nodes)
      if (n.name == name) return *values.find(n.source);
    FAIL("no node " + name);
    throw 0;
  }
};

double norm(const Tensor& t, std::int64_t first, std::int64_t size) {
  double sum = 0;
  for (std::int64_t i = first; i < first + size; ++i) sum += t.at(i) * t.at(i);
  return std::sqrt(sum);
}

Tensors drawn_inputs(const Definition& d, std::int64_t steps, std::int64_t batch) {
  return random_inputs(d, {.steps = steps, .batch = batch, .seed = 3});
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; ++at) ++count;
  return count;
}

}  // namespace

TEST_CASE("values: facts of a tensor", "[values]") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const std::vector<double> v{3, -1, nan, 0, inf, 2};
  const TensorFacts f = draw::facts_of(v, Shape{2, 3});
  CHECK(f.not_finite == 2);
  CHECK(f.least == -1);
  CHECK(f.largest == 3);
  CHECK(f.mean == 1);
  CHECK(f.norm == std::sqrt(14.0));
  CHECK(f.histogram.size() == draw::kBins);
  CHECK(std::accumulate(f.histogram.begin(), f.histogram.end(), std::int64_t{0}) == 4);
  CHECK(f.elements.size() == 6);
  const std::vector<double> many(draw::kMostElements + 1, 1.0);
  CHECK(draw::facts_of(many, Shape{static_cast<std::int64_t>(many.size())}).elements.empty());
  CHECK(draw::facts_of({}, Shape{0}).norm == 0);
}

TEST_CASE("values: those of a run, item by item", "[values]") {
  const Definition d = shipped_definition("elman");
  const Tensors inputs = drawn_inputs(d, 4, 3), weights = initial_weights(d, {.seed = 5});
  const RunResult all = run(d, inputs, weights,
                            {.fetch = {"h", "o", "loss", "grad:h", "grad:x"}, .dtype = Dtype::f64});
  for (const std::int64_t item : {0, 2}) {
    const Valued v(d, inputs, weights, {.item = item}, Detail::operations);
    for (std::int64_t t = 1; t <= 4; ++t)
      for (const std::string name : {"h", "o"}) {
        const std::int64_t first = ((t - 1) * 3 + item) * 3;
        const NodeFacts& f = v.of(name + "[" + std::to_string(t) + "]");
        CHECK(f.value.norm == Approx(norm(all.values.at(name), first, 3)).epsilon(1e-12));
        CHECK(f.value.elements[1] == Approx(all.values.at(name).at(first + 1)).epsilon(1e-12));
        if (name == "h")
          CHECK(f.gradient.norm == Approx(norm(all.values.at("grad:h"), first, 3)).epsilon(1e-12));
      }
    CHECK(v.of("loss").value.mean == Approx(all.values.at("loss").at(item)).epsilon(1e-12));
    CHECK(v.of("loss").gradient.mean == 1);
  }
  // one item alone: the gradient of a weight is this item's
  const Valued v(d, inputs, weights, {.item = 1}, Detail::operations);
  Tensors one;
  for (const auto& [name, t] : inputs) {
    const std::int64_t axis = name == "lengths" ? 1 : 4, size = t.size() / axis / 3;
    Dims dims = t.dims();
    dims[name == "lengths" ? 0 : 1] = 1;
    Tensor item(dims, t.dtype());
    for (std::int64_t i = 0; i < axis; ++i)
      for (std::int64_t j = 0; j < size; ++j) item.set(i * size + j, t.at((i * 3 + 1) * size + j));
    one[name] = item;
  }
  const RunResult alone =
      run(d, one, weights, {.fetch = {"grad:W", "grad:W[3]"}, .dtype = Dtype::f64});
  CHECK(v.of("W").gradient.norm == Approx(norm(alone.values.at("grad:W"), 0, 9)).epsilon(1e-12));
  CHECK(v.of("W[3]").gradient.norm ==
        Approx(norm(alone.values.at("grad:W[3]"), 0, 9)).epsilon(1e-12));
}

TEST_CASE("values: the shares of the edges that leave a node add up to 1", "[values]") {
  for (const std::string name :
       {"elman", "bidirectional", "grid_lines", "attention", "encoder_decoder"}) {
    INFO(name);
    const Definition d = shipped_definition(name);
    const Valued v(d, {}, {}, {.steps = 3, .seed = 2}, Detail::everything);
    const std::vector<double> shares =
        shares_of(v.picture, v.graph.unfolded().graph().tape(), v.values);
    std::vector<double> sum(v.picture.nodes.size(), 0);
    for (std::size_t e = 0; e < shares.size(); ++e)
      if (std::isfinite(shares[e]))
        sum[static_cast<std::size_t>(v.picture.edges[e].from)] += shares[e];
    int told = 0;
    for (std::size_t n = 0; n < sum.size(); ++n)
      if (sum[n] != 0) {
        INFO(v.picture.nodes[n].id);
        // softmax does not change with the maximum that is taken off: what comes back is rounding
        if (v.picture.nodes[n].id.find("maximum") != std::string::npos) continue;
        CHECK(sum[n] == Approx(1).epsilon(1e-9));
        ++told;
      }
    CHECK(told > 10);
  }
}

TEST_CASE("values: colours, numbers and a legend", "[values]") {
  const Definition d = shipped_definition("elman");
  for (const Colour by : {Colour::value, Colour::gradient, Colour::time, Colour::bytes}) {
    const Valued v(d, {}, {}, {.steps = 3}, Detail::values);
    const Picture p = coloured(v.picture, v.values, by);
    CHECK(p.legend.colours.size() == 9);
    CHECK_FALSE(p.legend.title.empty());
    const std::string svg = to_svg(p), dot = to_dot(p);
    CHECK(svg == to_svg(coloured(v.picture, v.values, by)));
    CHECK(svg.find(p.legend.title) != svg.npos);
    CHECK(dot.find(p.legend.title) != dot.npos);
    // ink on fill can be read, and both are said of each node that has a number
    static const std::regex filled("#[0-9a-f]{6}");
    int painted = 0;
    for (const PictureNode& n : p.nodes) {
      CHECK(n.fill.empty() == n.ink.empty());
      if (n.fill.empty()) continue;
      CHECK(std::regex_match(n.fill, filled));
      ++painted;
    }
    CHECK(painted > 10);
    CHECK(svg.find("NaN") == svg.npos);
    if (has_command("dot")) {
      const TemporaryFile file(".dot", dot);
      CHECK(run_command("dot -Tsvg -o /dev/null " + file.path()).output.empty());
    }
  }
  const Picture plain = picture_of(unfold(d, {.steps = 3}));
  CHECK(to_svg(plain).find("legend") == std::string::npos);
}

TEST_CASE("values: what is not finite is red, along its way", "[values]") {
  const Definition d = shipped_definition("elman");
  Tensors inputs = drawn_inputs(d, 4, 1);
  inputs.at("x").set(2 * 2, std::nan(""));  // x[3], first element
  const Valued v(d, inputs, initial_weights(d), {}, Detail::values);
  const Picture p = coloured(v.picture, v.values, Colour::value);
  const std::set<std::string> expected{"x[3]", "a[3]", "h[3]", "o[3]",     "nll:y[3]",
                                       "a[4]", "h[4]", "o[4]", "nll:y[4]", "loss"};
  std::set<std::string> red;
  for (const PictureNode& n : p.nodes)
    if (n.striking) red.insert(n.name);
  CHECK(red == expected);
  for (const PictureEdge& e : p.edges)
    CHECK(e.striking == (p.nodes[static_cast<std::size_t>(e.from)].striking &&
                         p.nodes[static_cast<std::size_t>(e.to)].striking));
  CHECK(count_of(to_svg(p), " bad\"") + count_of(to_svg(p), " bad delayed\"") >= expected.size());
  CHECK(count_of(to_dot(p), "penwidth=3.5") == expected.size());
}

TEST_CASE("values: on the page, of every shipped definition", "[values]") {
  for (const std::string& name : shipped_names()) {
    INFO(name);
    const Definition d = shipped_definition(name);
    ValuedGraph graph(d, {}, {}, {.steps = 3});
    const Exploration e = explore(d, {.view = "unfolded", .values = &graph});
    CHECK(e.page.facts.size() > 2);
    int gradients = 0;
    for (const NodeFacts& f : e.page.facts) gradients += f.has_gradient;
    CHECK(gradients > 2);
    for (const auto* scenes : {&e.page.scenes, &e.page.steps})
      for (const ExplorerScene& s : *scenes) {
        CHECK(s.facts.size() == s.picture.nodes.size());
        CHECK(s.shares.size() == s.picture.edges.size());
      }
    CHECK_NOTHROW(to_html(e.page));
  }
}

TEST_CASE("values: a long graph takes a time linear in its steps", "[values]") {
  const Definition d = shipped_definition("elman");
  ValuedGraph graph(d, {}, {}, {.steps = 500});
  const Exploration e = explore(d, {.view = "gradient", .values = &graph});
  CHECK(e.page.scenes.size() == 5);
  CHECK(e.page.facts.size() > 4000);
}

TEST_CASE("values: what cannot be is refused", "[values]") {
  const Definition d = shipped_definition("elman");
  const Tensors inputs = drawn_inputs(d, 4, 2), weights = initial_weights(d);
  CHECK_THROWS_AS(ValuedGraph(d, inputs, weights, {.item = 2}), Error);
  CHECK_THROWS_AS(ValuedGraph(d, {}, {}, {.steps = 10'000'000}), Error);
  ValuedGraph graph(d, {}, {}, {.steps = 2});
  ExploreOptions options{.values = &graph};
  options.unfolding.modes["y"] = Mode{.kind = Mode::Kind::sampled};
  CHECK_THROWS_AS(explore(d, options), Error);
}
