// Pictures and their layout: what is drawn, where, and how fast.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "draw/layout/layout.h"
#include "support_picture.h"

using namespace taugrad;
using namespace taugrad::test;
using draw::Box;
using draw::Layout;
using draw::Point;

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool overlap(const Box& a, const Box& b) {
  constexpr double kSlack = 0.1;
  return a.left() + kSlack < b.right() && b.left() + kSlack < a.right() &&
         a.top() + kSlack < b.bottom() && b.top() + kSlack < a.bottom();
}
bool inside(Point p, const Box& b, double margin) {
  return p.x > b.left() - margin && p.x < b.right() + margin && p.y > b.top() - margin &&
         p.y < b.bottom() + margin;
}
Point on_curve(const Point* p, double t) {
  const double u = 1 - t, a = u * u * u, b = 3 * u * u * t, c = 3 * u * t * t, d = t * t * t;
  return {a * p[0].x + b * p[1].x + c * p[2].x + d * p[3].x,
          a * p[0].y + b * p[1].y + c * p[2].y + d * p[3].y};
}
bool passes_through(const std::vector<Point>& curve, const Box& box) {
  for (std::size_t i = 0; i + 3 < curve.size(); i += 3) {
    for (int s = 0; s <= 8; ++s) {
      if (inside(on_curve(&curve[i], s / 8.0), box, -1)) return true;
    }
  }
  return false;
}

// By id: pictures of two graphs compare.
std::set<std::pair<std::string, std::string>> edges_of(const Picture& p) {
  std::set<std::pair<std::string, std::string>> edges;
  for (const PictureEdge& e : p.edges) edges.emplace(p.nodes[at(e.from)].id, p.nodes[at(e.to)].id);
  return edges;
}
std::multiset<std::string> labels_of_clusters(const Picture& p) {
  std::multiset<std::string> labels;
  for (const PictureCluster& c : p.clusters) labels.insert(c.label);
  return labels;
}
long count_delayed(const Picture& p) {
  return std::count_if(p.edges.begin(), p.edges.end(),
                       [](const PictureEdge& e) { return e.delayed; });
}

}  // namespace

TEST_CASE("layout: no boxes overlap, no edge runs through a box, edges end at their boxes",
          "[draw]") {
  for (const std::string& name : shipped_names()) {
    for (const auto& [view, picture] : views_of(name)) {
      INFO(name << ", " << view);
      const Layout layout = draw::lay_out(picture);
      for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          if (overlap(layout.nodes[i], layout.nodes[j]))
            FAIL_CHECK(picture.nodes[i].id << " on " << picture.nodes[j].id);
        }
      }
      for (std::size_t e = 0; e < layout.edges.size(); ++e) {
        const auto& curve = layout.edges[e].points;
        const PictureEdge& edge = picture.edges[e];
        REQUIRE(curve.size() % 3 == 1);
        CHECK(inside(curve.front(), layout.nodes[at(edge.from)], 1));
        CHECK(inside(curve.back(), layout.nodes[at(edge.to)], 1));
        for (std::size_t n = 0; n < layout.nodes.size(); ++n) {
          if (n == at(edge.from) || n == at(edge.to) || !passes_through(curve, layout.nodes[n]))
            continue;
          FAIL_CHECK(picture.nodes[at(edge.from)].id << " -> " << picture.nodes[at(edge.to)].id
                                                     << " through " << picture.nodes[n].id);
        }
      }
    }
  }
}

TEST_CASE("layout: every node lies in the box of its step, and steps that correspond look alike",
          "[draw]") {
  const Picture p = picture_of(unfold(shipped_definition("elman"), {.steps = 3}));
  const Layout layout = draw::lay_out(p);
  std::map<std::pair<int, std::string>, Point> places;
  for (std::size_t n = 0; n < p.nodes.size(); ++n) {
    if (p.nodes[n].cluster < 0) continue;
    const Box& box = layout.clusters[at(p.nodes[n].cluster)];
    CHECK(inside({layout.nodes[n].left(), layout.nodes[n].top()}, box, 0));
    CHECK(inside({layout.nodes[n].right(), layout.nodes[n].bottom()}, box, 0));
    const int step = p.clusters[at(p.nodes[n].cluster)].position[0];
    places[{step, p.nodes[n].role}] = {layout.nodes[n].x - box.left(),
                                       layout.nodes[n].y - box.top()};
  }
  for (const auto& [key, place] : places) {
    if (key.first < 2) continue;
    const Point before = places.at({key.first - 1, key.second});
    CHECK(place.x == Approx(before.x));
    CHECK(place.y == Approx(before.y));
  }
}

TEST_CASE("layout: 200 steps of an LSTM are laid out whole", "[draw]") {
  const Unfolded u = unfold(shipped_definition("lstm"), {.steps = 200});
  const Picture p = picture_of(u, {.detail = Detail::operations, .most_steps = 0});
  const std::string svg = to_svg(p);
  CHECK(p.nodes.size() > 4000);
  CHECK(svg.size() > 1'000'000);
}

TEST_CASE("picture: more than eight steps are elided, the ends stay", "[draw]") {
  const Definition d = shipped_definition("elman");
  const Picture fifty = picture_of(unfold(d, {.steps = 50}));
  const std::multiset<std::string> expected{"t = 0",      "t = 1",  "t = 2", "t = 3",
                                            "t = 4 … 48", "t = 49", "t = 50"};
  CHECK(labels_of_clusters(fifty) == expected);
  CHECK(picture_of(unfold(d, {.steps = 1000}), {.detail = Detail::values}).nodes.size() ==
        picture_of(unfold(d, {.steps = 50}), {.detail = Detail::values}).nodes.size());
  CHECK(picture_of(unfold(d, {.steps = 8})).clusters.size() == 9);
  CHECK(picture_of(unfold(d, {.steps = 50}), {.most_steps = 0}).clusters.size() == 51);
}

TEST_CASE("picture: the state passes through the gap of an elided picture", "[draw]") {
  const Picture p =
      picture_of(unfold(shipped_definition("elman"), {.steps = 50}), {.detail = Detail::values});
  const auto gap = std::find_if(p.nodes.begin(), p.nodes.end(),
                                [](const PictureNode& n) { return n.kind == NodeKind::ellipsis; });
  REQUIRE(gap != p.nodes.end());
  const auto edges = edges_of(p);
  CHECK(edges.count({"h_3", gap->id}) == 1);
  CHECK(edges.count({gap->id, "a_49"}) == 1);
  CHECK(edges.count({gap->id, "loss"}) == 1);
}

TEST_CASE("picture: values carry the weights' names on their edges", "[draw]") {
  const Picture p =
      picture_of(unfold(shipped_definition("elman"), {.steps = 3}), {.detail = Detail::values});
  std::map<std::pair<std::string, std::string>, std::string> labels;
  for (const PictureEdge& e : p.edges)
    labels[{p.nodes[at(e.from)].id, p.nodes[at(e.to)].id}] = e.label;
  CHECK(labels.at({"x_2", "a_2"}) == "U");
  CHECK(labels.at({"h_1", "a_2"}) == "W z⁻¹");
  CHECK(labels.at({"h_2", "o_2"}) == "V");
  CHECK(labels.at({"a_2", "h_2"}).empty());
}

TEST_CASE("picture: a weight used twice has two edges (regression with weight decay)",
          "[draw][S03]") {
  const Picture p = picture_of(unfold(shipped_definition("linear_regression"), {}));
  const auto out = std::count_if(p.edges.begin(), p.edges.end(), [&](const PictureEdge& e) {
    return p.nodes[at(e.from)].id == "w";
  });
  CHECK(out == 2);
}

TEST_CASE("picture: every weight reaches each step through a copy of its own", "[draw]") {
  const Picture p =
      picture_of(unfold(shipped_definition("elman"), {.steps = 3}), {.detail = Detail::operations});
  for (const std::string weight : {"U", "W", "b", "V", "c"}) {
    const auto edges = edges_of(p);
    for (int t = 1; t <= 3; ++t)
      CHECK(edges.count({weight, weight + "_" + std::to_string(t)}) == 1);
  }
}

TEST_CASE("picture: the circuit does not grow with the length, one delay edge for the recurrence",
          "[draw][S08]") {
  const Picture elman = picture_of(folded(shipped_definition("elman")));
  CHECK(count_delayed(elman) == 1);
  CHECK(std::any_of(elman.edges.begin(), elman.edges.end(),
                    [](const PictureEdge& e) { return e.delayed && e.label == "z⁻¹"; }));
  CHECK(count_delayed(picture_of(folded(shipped_definition("bidirectional")))) == 2);
  CHECK(count_delayed(
            picture_of(folded(shipped_definition("lstm")), {.detail = Detail::operations})) == 2);
}

TEST_CASE("picture: skip connections say how far they reach", "[draw]") {
  const Picture p = picture_of(unfold(shipped_definition("skip_connections"), {.steps = 6}));
  std::set<std::string> labels;
  for (const PictureEdge& e : p.edges) {
    if (e.delayed) labels.insert(e.label.substr(e.label.find('z')));
  }
  CHECK(labels.count("z⁻¹") == 1);
  CHECK(labels.size() == 2);
}

TEST_CASE("picture: gradients stand level with their values", "[draw]") {
  const Picture p = gradient_picture_of(unfold(shipped_definition("elman"), {.steps = 3}),
                                        {.detail = Detail::values});
  const Layout layout = draw::lay_out(p);
  int beside = 0;
  for (std::size_t n = 0; n < p.nodes.size(); ++n) {
    if (p.nodes[n].beside < 0) continue;
    ++beside;
    CHECK(p.nodes[n].adjoint);
    CHECK(layout.nodes[n].y == Approx(layout.nodes[at(p.nodes[n].beside)].y));
    CHECK(layout.nodes[n].x > layout.nodes[at(p.nodes[n].beside)].x);
  }
  CHECK(beside == 3 * 3 + 5);  // a, h, o of each step; five weights
}

TEST_CASE("picture: training and sampling share every parameter", "[draw][S38]") {
  const Definition d = shipped_definition("output_recurrent");
  constexpr int kSteps = 4;
  const GraphPictureOptions options{.detail = Detail::operations};
  const Picture train = picture_of(unfold(d, {.steps = kSteps}), options);
  const Picture test =
      picture_of(unfold(d, {.steps = kSteps, .modes = {{"y", Mode::sampled}}}), options);
  const auto parameters = [](const Picture& p) {
    std::set<std::string> ids;
    for (const PictureNode& n : p.nodes) {
      if (n.kind == NodeKind::weight || n.kind == NodeKind::copy) ids.insert(n.id);
    }
    return ids;
  };
  CHECK(parameters(train) == parameters(test));
  // all that sampling adds is where the fed-back value comes from: the model's own output
  std::set<std::pair<std::string, std::string>> own;
  for (int t = 1; t <= kSteps; ++t) own.emplace("o_" + std::to_string(t), "y_" + std::to_string(t));
  auto expected = edges_of(train);
  expected.insert(own.begin(), own.end());
  CHECK(edges_of(test) == expected);
}

TEST_CASE("picture: weights that only labels tell of stand in rows over what reads them",
          "[draw]") {
  const Picture p = picture_of(folded(shipped_definition("rwkv7")), {.detail = Detail::values});
  const draw::Layout l = draw::lay_out(p);
  std::set<double> rows;
  double left = 1e9, right = 0;
  for (std::size_t n = 0; n < p.nodes.size(); ++n)
    if (p.nodes[n].kind == NodeKind::weight) {
      rows.insert(l.nodes[n].y);
      left = std::min(left, l.nodes[n].left()), right = std::max(right, l.nodes[n].right());
    }
  CHECK(rows.size() > 1);
  CHECK(right - left <= std::max(240.0, l.clusters.at(0).width));
  for (const draw::Box& b : l.clusters) CHECK(b.top() > *rows.rbegin());
}

TEST_CASE("picture: a weight that is read at no step has no copy of its own", "[draw]") {
  const Unfolded u = unfold(shipped_definition("many_to_one"), {.steps = 3});
  for (const Picture& p : {picture_of(u, {.detail = Detail::operations}),
                           gradient_picture_of(u, {.detail = Detail::operations})}) {
    int copies = 0;
    for (const PictureNode& n : p.nodes) {
      CHECK_FALSE(n.name.ends_with("[]"));
      copies += n.name == "W[2]";
    }
    CHECK(copies == 1);
  }
}

TEST_CASE("picture: without a loss neither cotangents nor their sum are drawn where not asked for",
          "[draw]") {
  const Definition d = shipped_definition("min_lstm");
  const auto drawn = [&](bool cotangents) {
    return gradient_picture_of(unfold(d, {.steps = 2, .cotangents = {"f", "i", "h"}}),
                               {.detail = Detail::values, .cotangents = cotangents});
  };
  const auto count = [](const Picture& p, const std::string& start) {
    return std::ranges::count_if(p.nodes,
                                 [&](const PictureNode& n) { return n.name.starts_with(start); });
  };
  const Picture all = drawn(true), some = drawn(false);
  CHECK(count(all, "cotangent:") == 6);
  CHECK(count(all, "loss") == 1);
  CHECK(all.notes.empty());
  CHECK(count(some, "cotangent:") == 0);
  CHECK(count(some, "loss") == 0);
  CHECK(count(some, "∇") == count(all, "∇"));
  CHECK(some.notes.size() == 1);
}
