#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <functional>

#include "graph/place.h"
#include "taugrad/base/error.h"
#include "taugrad/graph/verify.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace {

using namespace taugrad;
using Catch::Matchers::Contains;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics().front().code + " " + e.diagnostics().front().message;
  }
  return "";
}

}  // namespace

TEST_CASE("a node reports all that it is: S01", "[graph]") {
  Graph g;
  const Var W = g.weight("W", {2, 3}), x = g.input("x", {3});
  const Var a = matmul(W, x);
  const Var h = g.name(tanh(a), "h", {3});
  const Node n = g.node(h.id);
  CHECK(n.id == 3);
  CHECK(n.op.name == "tanh");
  CHECK(std::vector<NodeId>(n.inputs.begin(), n.inputs.end()) == std::vector<NodeId>{a.id});
  CHECK(n.shape == Shape{2});
  CHECK(n.name == "h");
  CHECK(std::vector<std::int32_t>(n.index.begin(), n.index.end()) == std::vector<std::int32_t>{3});
  CHECK(n.is_value);
  CHECK(n.extent == kEveryItem);
  CHECK_FALSE(W.per_example());
  CHECK(x.per_example());
  CHECK(g.at("h", {3}) == h);
  CHECK(g.at("W") == W);
  CHECK_THAT(message_of([&] { g.at("h", {4}); }), Contains("G014") && Contains("h[4]"));
}

TEST_CASE("variables are scalars, vectors, matrices and tensors", "[graph]") {
  Graph g;
  const std::vector<Shape> shapes{{}, {3}, {2, 3}, {4, 2, 3}, {5, 4, 2, 3}, {0}, {3, 0}};
  for (const Shape& s : shapes) {
    const Var v = g.input(fmt::format("v{}", g.size()), s);
    CHECK(v.shape() == s);
    CHECK(tanh(v).shape() == s);
    CHECK(transpose(v).shape().rank() == s.rank());
    CHECK(sum(v).shape().is_scalar());
  }
  CHECK_THAT(message_of([] { Shape({1, 1, 1, 1, 1}); }), Contains("G021"));
  CHECK_THAT(message_of([] { Shape({-1}); }), Contains("G021"));
  CHECK_THAT(message_of([] { Shape({std::int64_t{1} << 40}); }), Contains("G021"));
  CHECK_THAT(message_of([] { Shape({1 << 21, 1 << 21}); }), Contains("2^40"));
  CHECK(Shape({1 << 20, 1 << 20, 0}).size() == 0);
  verify(g.tape());
}

TEST_CASE("inputs come before their users, so there is no cycle", "[graph]") {
  Graph g;
  const Var x = g.input("x", {2});
  tanh(x + x * 2.0);
  for (NodeId id = 0; id < g.size(); ++id)
    for (const NodeId in : g.node(id).inputs) CHECK(in < id);
  // a node that would read itself or a later one is refused, by name
  const Var later{&g.tape(), g.size()};
  CHECK_THAT(message_of([&] { tanh(later); }), Contains("tanh"));
  Tape& tape = g.tape();
  const NodeId self[] = {g.size()};
  tape.set_owner(tape.intern_name("loop"), 0);
  tape.append_raw(kTanh, self, tape.shape_id(x.id), 0, kEveryItem);
  CHECK_THAT(message_of([&] { verify(tape); }),
             Contains("does not come before") && Contains("loop"));
}

TEST_CASE("labels", "[graph]") {
  Graph g;
  Tape& tape = g.tape();
  const Var W = g.weight("W", {2});
  CHECK(tape.label(W.id) == "W");
  CHECK(tape.label((W + W).id) == "node 1 (add)");
  const std::int32_t at[] = {3, 2};
  tape.set_owner(tape.intern_name("p"), tape.intern_index(at));
  const Var step = W * W;
  CHECK(tape.label(step.id) == "p[3,2] (mul)");
  const Var c = copy(W);
  CHECK(tape.label(c.id) == "W[3,2]");
  CHECK(g.at("W", {3, 2}) == c);
  // a node has one name, the first stays
  g.name(c, "other");
  CHECK(tape.label(c.id) == "W[3,2]");
  g.name(step, "p", {3, 2});
  CHECK(tape.label(step.id) == "p[3,2]");
}

TEST_CASE("an error names op, node, owner and inputs", "[graph]") {
  Graph g;
  Tape& tape = g.tape();
  const Var A = g.weight("A", {8, 3}), B = g.weight("B", {5, 4});
  const std::int32_t at[] = {3};
  tape.set_owner(tape.intern_name("h"), tape.intern_index(at));
  const std::string text = message_of([&] { matmul(A, B); });
  CHECK_THAT(text,
             Contains("G020") && Contains("matmul: inner sizes differ: [8,3] x [5,4] (3 != 5)"));
  CHECK_THAT(text, Contains("node 2 of h[3]") && Contains("0 A [8,3]") && Contains("1 B [5,4]"));
  CHECK_THAT(message_of([&] { A + B; }), Contains("add: shapes do not broadcast: [8,3] and [5,4]"));
  CHECK_THAT(message_of([&] { slice(A, 2, 9); }), Contains("slice: 2..9 is not within [8,3]"));
  Graph other;
  CHECK_THAT(message_of([&] { A + other.weight("A", {8, 3}); }), Contains("not of this graph"));
  CHECK(g.size() == 2);  // nothing was appended
}

TEST_CASE("operands exist for the same items", "[graph]") {
  Graph g;
  Tape& tape = g.tape();
  tape.length_names = {"tau"};
  const ExtentId two = tape.intern_extent({{{0, 2}}}), three = tape.intern_extent({{{0, 3}}});
  CHECK(tape.intern_extent({{{0, 2}}}) == two);
  CHECK(tape.intern_extent({}) == kEveryItem);
  const Var a = input(tape, "a", {2}, {}, two), b = input(tape, "b", {2}, {}, three);
  const Var w = g.weight("w", {2});
  CHECK((a + w).extent() == two);
  CHECK((w + w).extent() == kShared);
  CHECK_THAT(message_of([&] { a + b; }), Contains("different items"));
  CHECK((restrict_to(a, three) + b).extent() == three);
  CHECK((a + extend_to(b, two)).extent() == two);
  CHECK_FALSE(message_of([&] { restrict_to(b, two); }).empty());
  CHECK_FALSE(message_of([&] { extend_to(a, three); }).empty());
  CHECK(sum_items(a).extent() == kShared);
  CHECK(outer_sum(a, w).extent() == kShared);
  CHECK_THAT(message_of([&] { outer_sum(a, b); }), Contains("different items"));
  verify(tape);
}

TEST_CASE("nodes and what they read are counted in 32 bits, and no further", "[graph]") {
  constexpr std::size_t kMost = 0x7fffffff;
  require_room(kMost, kMost);
  CHECK_THAT(message_of([] { require_room(kMost + 1, 0); }), Contains("R002"));
  CHECK_THAT(message_of([] { require_room(1, kMost + 1); }), Contains("R002"));
}

TEST_CASE("equal values are stored once", "[graph]") {
  Graph g;
  Tape& tape = g.tape();
  CHECK(tape.intern_shape({2, 3}) == tape.intern_shape({2, 3}));
  CHECK(tape.intern_shape({2, 3}) != tape.intern_shape({3, 2}));
  CHECK(tape.intern_attrs({{"a", 0.0}}) == tape.intern_attrs({{"a", 0.0}}));
  CHECK(tape.intern_attrs({{"a", 0.0}}) != tape.intern_attrs({{"a", -0.0}}));
  CHECK(tape.intern_attrs({{"a", 0.0}}) != tape.intern_attrs({{"a", std::int64_t{0}}}));
  CHECK(tape.intern_attrs({{"b", Ints{1}}, {"a", 0.5}}) ==
        tape.intern_attrs({{"a", 0.5}, {"b", Ints{1}}}));
  const std::size_t bytes = tape.bytes();
  tape.intern_shape({2, 3});
  CHECK(tape.bytes() == bytes);
}

TEST_CASE("categories", "[graph]") {
  Graph g;
  const Var y = g.category("y", 4);
  CHECK(category_size(y) == 4);
  CHECK(category_size(absent_category(g.tape(), 4)) == 4);
  CHECK(category_size(equal(y, y)) == 0);
  CHECK(category_size(where(equal(y, y), y, absent_category(g.tape(), 4))) == 4);
  CHECK(category_size(stop_gradient(y)) == 4);
  CHECK(one_hot(y, 4).shape() == Shape{4});
  CHECK(category_size(draw_categorical(g.weight("l", {3}), "z")) == 3);
  CHECK(draw_categorical(g.weight("m", {3}), "z").per_example());
}

TEST_CASE("verify finds a wrong shape and wrong items", "[graph]") {
  {
    Graph g;
    const Var x = g.input("x", {2});
    const NodeId in[] = {x.id};
    g.tape().append_raw(kTanh, in, g.tape().intern_shape({3}), 0, kEveryItem);
    CHECK_THAT(message_of([&] { verify(g.tape()); }), Contains("shape is [3], the op gives [2]"));
  }
  Graph g;
  const Var x = g.input("x", {2});
  const NodeId in[] = {x.id};
  g.tape().append_raw(kTanh, in, g.tape().intern_shape({2}), 0, kShared);
  CHECK_THAT(message_of([&] { verify(g.tape()); }), Contains("exists for items"));
}
