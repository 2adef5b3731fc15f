#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "base/philox.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"

// Draws depend on (seed, stream, item, position, element), and on nothing else.
namespace {

using namespace taugrad;
using Numbers = std::vector<double>;

Numbers run(Var v, const BatchContext& batch, std::int64_t items) {
  Interpreter<double> r(*v.tape, {&v.id, 1});
  r.set_batch(batch, items);
  for (const NodeId leaf : r.leaves())
    for (double& x : r.leaf(leaf)) x = 0.3;
  r.run();
  return {r.value(v.id).begin(), r.value(v.id).end()};
}

Numbers row(const Numbers& all, std::size_t item, std::size_t n) {
  const auto from = all.begin() + static_cast<std::ptrdiff_t>(item * n);
  return {from, from + static_cast<std::ptrdiff_t>(n)};
}

double mean(const Numbers& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

Var at_position(Graph& g, std::int32_t t, Var (*draw)(Tape&)) {
  g.tape().set_owner(g.tape().intern_name("z"), g.tape().intern_index({&t, 1}));
  return draw(g.tape());
}

}  // namespace

TEST_CASE("philox: the known answers of its authors", "[random]") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  CHECK(unit_interval(0, 0) > 0);
  CHECK(unit_interval(0xffffffff, 0xffffffff) < 1);
}

TEST_CASE("an item draws the same numbers in any batch", "[random]") {
  Graph g;
  const Var x = g.input("x", {5});
  for (const Var& v : {draw_normal(x, "n"), dropout_mask(x, 0.4, "d"), draw_bernoulli(x, "b"),
                       draw_categorical(x, "c")}) {
    const auto n = static_cast<std::size_t>(v.shape().size());
    BatchContext batch{.seed = 9, .train = true};
    batch.item = {17, 4, 1LL << 40};
    const Numbers all = run(v, batch, 3);
    batch.item = {1LL << 40};
    CHECK(run(v, batch, 1) == row(all, 2, n));
    batch.item = {4, 17};
    CHECK(run(v, batch, 2) == [&] {
      Numbers turned = row(all, 1, n);
      const Numbers first = row(all, 0, n);
      turned.insert(turned.end(), first.begin(), first.end());
      return turned;
    }());
  }
}

TEST_CASE("draws of fewer items are those of all", "[random]") {
  Graph g;
  Tape& tape = g.tape();
  tape.length_names = {"tau"};
  const ExtentId two = tape.intern_extent({{{0, 2}}});
  const Var all = draw_normal(g.input("x", {3}), "n");
  const Var some = draw_normal(input(tape, "y", {3}, {}, two), "n");
  BatchContext batch{.seed = 3};
  batch.lengths = {{1, 5, 0, 2}};
  const Numbers a = run(all, batch, 4), b = run(some, batch, 4);
  CHECK(row(b, 0, 3) == row(a, 1, 3));
  CHECK(row(b, 1, 3) == row(a, 3, 3));
}

TEST_CASE("seed, stream, position and element each give other numbers", "[random]") {
  Graph g;
  const auto draw = [](Tape& tape) { return draw_normal(constant(tape, 0, {1000}), "n"); };
  const Var one = at_position(g, 1, draw), two = at_position(g, 2, draw);
  const Var other = draw_normal(g.constant(0, {1000}), "m");
  BatchContext batch{.seed = 1}, reseeded{.seed = 2};
  const Numbers a = run(one, batch, 1);
  CHECK(run(one, batch, 1) == a);
  CHECK(run(two, batch, 1) != a);
  CHECK(run(other, batch, 1) != a);
  CHECK(run(one, reseeded, 1) != a);
  double alike = 0;
  for (std::size_t i = 1; i < a.size(); ++i) alike += a[i] * a[i - 1];
  CHECK(std::abs(alike / 999) < 0.15);
}

TEST_CASE("draws follow their distributions", "[random]") {
  Graph g;
  const std::int64_t n = 40'000;
  const BatchContext batch{.seed = 5, .train = true};
  const Numbers normal = run(draw_normal(g.constant(0, {n}), "n"), batch, 1);
  double square = 0, fourth = 0;
  for (const double z : normal) square += z * z, fourth += z * z * z * z;
  CHECK(std::abs(mean(normal)) < 0.02);
  CHECK(square / n == Approx(1).epsilon(0.03));
  CHECK(fourth / n == Approx(3).epsilon(0.08));
  CHECK(mean(run(draw_bernoulli(g.constant(0.3, {n}), "b"), batch, 1)) ==
        Approx(0.3).epsilon(0.05));
  const Numbers mask = run(dropout_mask(g.constant(0, {n}), 0.25, "d"), batch, 1);
  CHECK(mean(mask) == Approx(1).epsilon(0.03));
  for (const double m : mask) CHECK((m == 0 || m == 1 / 0.75));
  // of the categories 0..3 with logits 0.3 each, a quarter each; 0.3 for all leaves
  const Var y = draw_categorical(g.input("l", {4}), "c");
  const Numbers drawn = run(y, batch, n);
  Numbers counts(4, 0);
  for (const double k : drawn) counts[static_cast<std::size_t>(k)] += 1.0 / n;
  for (const double c : counts) CHECK(c == Approx(0.25).epsilon(0.05));
}

TEST_CASE("a mask is one outside training; draws are the same in float32", "[random]") {
  Graph g;
  const Var x = g.input("x", {7});
  CHECK(run(dropout_mask(x, 0.9, "d"), {}, 2) == Numbers(14, 1.0));
  const Var z = draw_normal(x, "n");
  Interpreter<float> narrow(g.tape(), {&z.id, 1});
  narrow.set_batch({.seed = 4}, 2);
  narrow.run();
  const Numbers wide = run(z, {.seed = 4}, 2);
  for (std::size_t i = 0; i < wide.size(); ++i)
    CHECK(narrow.value(z.id)[i] == static_cast<float>(wide[i]));
}
