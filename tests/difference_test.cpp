// Two things drawn side by side: which nodes correspond, what is marked, how far values are apart.
#include "taugrad/draw/difference.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "support_picture.h"
#include "taugrad/draw/format.h"
#include "taugrad/evaluate/run.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

Picture of(const std::vector<std::string>& equations, int steps = 3) {
  return picture_of(unfold(definition_from_equations(equations), {.steps = steps}),
                    {.detail = Detail::operations, .copies = false});
}

int number_of(const DrawnDifference& d, const std::string& id) {
  for (std::size_t n = 0; n < d.picture.nodes.size(); ++n)
    if (d.picture.nodes[n].id == id) return static_cast<int>(n);
  FAIL("no node " << id);
  return -1;
}
const PictureNode& node(const DrawnDifference& d, const std::string& id) {
  return d.picture.nodes[at(number_of(d, id))];
}

}  // namespace

TEST_CASE("difference: the same picture twice has none", "[draw][difference]") {
  const Picture p = of({"h[t] = tanh(W @ h[t-1] + U @ x[t])"});
  const DrawnDifference d =
      difference_of({.name = "one", .picture = p}, {.name = "other", .picture = p});
  CHECK(d.changed + d.only_a + d.only_b == 0);
  CHECK(d.picture.nodes.size() == 2 * p.nodes.size());
  for (std::size_t n = 0; n < d.picture.nodes.size(); ++n) {
    REQUIRE(d.partner[n] >= 0);
    CHECK(d.partner[at(d.partner[n])] == static_cast<int>(n));
    CHECK(d.picture.nodes[n].fill.empty());
  }
  for (const PictureEdge& e : d.picture.edges) CHECK_FALSE(e.striking);
}

TEST_CASE("difference: another function, another input, another step", "[draw][difference]") {
  const Picture a = of({"h[t] = tanh(W @ h[t-1] + U @ x[t])"});
  const DrawnDifference f =
      difference_of({.name = "a", .picture = a},
                    {.name = "b", .picture = of({"h[t] = relu(W @ h[t-1] + U @ x[t])"})});
  CHECK(f.changed == 3);  // h[1] to h[3], and nothing that follows from them
  CHECK(f.only_a + f.only_b == 0);
  CHECK(node(f, "A_h_2").fill == node(f, "B_h_2").fill);
  CHECK_FALSE(node(f, "A_h_2").fill.empty());
  CHECK(node(f, "A_x_2").fill.empty());

  const DrawnDifference g = difference_of(
      {.name = "a", .picture = a}, {.name = "b", .picture = of({"h[t] = tanh(W @ h[t-1])"})});
  CHECK(g.only_b == 0);
  CHECK(g.partner[at(number_of(g, "A_x_1"))] == -1);
  CHECK(g.partner[at(number_of(g, "A_W"))] == number_of(g, "B_W"));

  const DrawnDifference s =
      difference_of({.name = "a", .picture = a},
                    {.name = "b", .picture = of({"h[t] = tanh(W @ h[t-1] + U @ x[t])"}, 4)});
  CHECK(s.only_a == 0);
  CHECK(s.only_b > 3);
  CHECK(s.partner[at(number_of(s, "B_h_4"))] == -1);
  CHECK(s.partner[at(number_of(s, "B_h_3"))] == number_of(s, "A_h_3"));
}

TEST_CASE("difference: how far weights and values are apart", "[draw][difference]") {
  const Definition d = shipped_definition("driven");
  const auto side = [&](const std::string& name, double factor) {
    Tensors weights = initial_weights(d, {.seed = 1});
    Tensor& w = weights.at("W");
    for (std::int64_t i = 0; i < w.size(); ++i) w.set(i, w.at(i) * factor);
    ValuedGraph graph(d, {}, weights, {.steps = 3});
    GraphPictureOptions how{.detail = Detail::operations, .copies = false};
    how.outputs = graph.outputs();
    DrawnSide s{.name = name, .picture = picture_of(graph.unfolded(), how), .weights = weights};
    s.values = graph.values_of({&s.picture});
    return s;
  };
  const DrawnDifference d2 = difference_of(side("a", 1), side("b", 2));
  CHECK(d2.changed + d2.only_a + d2.only_b == 0);
  CHECK(node(d2, "A_W").op == "50 %");  // |w - 2w| / |2w|
  CHECK(node(d2, "A_U").op == "same");
  CHECK(node(d2, "A_x_1").op == "same");
  CHECK(node(d2, "A_h_2").op.ends_with("%"));
  CHECK_FALSE(d2.picture.legend.title.empty());
  const Explorer page = d2.page();
  CHECK(page.facts.size() == d2.all_facts.size());
  CHECK(page.scenes[0].facts.size() == d2.picture.nodes.size());
}

TEST_CASE("difference: every format writes it, of every pair, the same bytes",
          "[draw][difference]") {
  const std::vector<std::string> names{"product", "elman", "grid_four_directions", "lstm"};
  for (const std::string& a : names)
    for (const std::string& b : names) {
      const auto side = [](const std::string& name) {
        return DrawnSide{.name = name, .picture = picture_of(folded(shipped_definition(name)))};
      };
      const DrawnDifference d = difference_of(side(a), side(b));
      INFO(a << " " << b);
      for (const Format& f : formats()) {
        if (f.name == "json" || f.name == "node-data") continue;
        const FormatSource source{.picture = [&] { return d.picture; },
                                  .page = [&] { return d.page(); }};
        CHECK(f.text(source, {}) == f.text(source, {}));
      }
      CHECK((a == b) == (d.changed + d.only_a + d.only_b == 0));
    }
}
