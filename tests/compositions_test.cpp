#include <catch2/catch.hpp>
#include <functional>

#include "random_graph.h"
#include "support_gradients.h"
#include "taugrad/graph/verify.h"

// Ops in company: all ordered pairs, and random graphs over all of them.
namespace {

using namespace taugrad;
using support::adjoint_error;
using support::failure;
using support::give;

using Unary = Var (*)(Var x, Var y);

// one argument moves through x, a second operand is y; domains are kept by construction
const std::vector<Unary> kFunctions{
    [](Var x, Var) { return -x; },
    [](Var x, Var) { return tanh(x); },
    [](Var x, Var) { return sigmoid(x); },
    [](Var x, Var) { return relu(x); },
    [](Var x, Var) { return exp(x * 0.3); },
    [](Var x, Var) { return log(abs(x) + 0.4); },
    [](Var x, Var) { return sqrt(x * x + 0.3); },
    [](Var x, Var) { return abs(x); },
    [](Var x, Var) { return clamp(x, -0.6, 0.7); },
    [](Var x, Var y) { return x + y; },
    [](Var x, Var y) { return y - x; },
    [](Var x, Var y) { return x * y; },
    [](Var x, Var y) { return y / (abs(x) + 0.5); },
    [](Var x, Var y) { return pow(abs(x) + 0.4, y); },
    [](Var x, Var y) { return min(x, y); },
    [](Var x, Var y) { return max(x, y); },
    [](Var x, Var y) { return where(less(x, y), x * x, y); },
    [](Var x, Var y) { return matmul(outer(x, y), x); },
    [](Var x, Var y) { return matmul(outer(y, x), y); },
    [](Var x, Var) {
      return reshape(transpose(reshape(x, {2, 3})), {6});
    },
    [](Var x, Var y) {
      return slice(concat(Vars{y, x}), 3, 9);
    },
    [](Var x, Var) { return pad(slice(x, 1, 4), 2, 6); },
    [](Var x, Var y) {
      return sum_to(stack(Vars{x, y}), {6});
    },
    [](Var x, Var y) { return broadcast_to(sum(x), {6}) * y; },
    [](Var x, Var y) { return mean(x) + y; },
    [](Var x, Var y) { return max(x) * y; },
    [](Var x, Var y) {
      return add_n(Vars{x, y, x});
    },
    [](Var x, Var) { return softmax(x); },
    [](Var x, Var) { return log_softmax(x); },
    [](Var x, Var y) { return layer_norm(x, y, y); },
    [](Var x, Var y) { return nll_bernoulli(x, y) * y; },
    [](Var x, Var y) { return nll_normal(x, y, abs(x) + 0.5) * y; },
};

void prove_pair(Unary f, Unary g, int items) {
  Graph graph;
  CheckPoint point;
  point.items = 2;
  const Shape six{6};
  const Var x = items & 1 ? graph.weight("x", six) : graph.input("x", six);
  const Var y = items & 2 ? graph.weight("y", six) : graph.input("y", six);
  give(x, point, 1), give(y, point, 2);
  const Var z = give(graph.input("z", six), point, 3);
  const Var loss = sum(f(g(x, y), y) * z);
  const Vars variables{x, y};
  CHECK(failure(check_gradients(loss, variables, point)) == "");
  CHECK(adjoint_error(loss, variables, point) <= 1e-12);
}

// a number made of the outputs, and the leaves that it moves with
struct Random {
  support::RandomGraph made;
  Vars variables;
  Var loss;
  CheckPoint point;
};

Random random_graph(std::uint64_t seed, int steps) {
  Random r;
  r.made = support::GraphGenerator(seed).make(steps, false);
  Tape& tape = r.made.graph.tape();
  r.point.items = 3;
  r.point.batch.seed = seed;
  for (std::int32_t which = 0; which < r.made.lengths; ++which) {
    r.point.batch.lengths.emplace_back();
    for (std::uint32_t item = 0; item < 3; ++item)
      r.point.batch.lengths.back().push_back(static_cast<std::int64_t>(
          support::uniform(seed + static_cast<std::uint64_t>(which), item) * (r.made.longest + 1)));
  }
  Vars terms;
  for (const Var& v : r.made.outputs) {
    const Var term = sum(v);
    terms.push_back(term.per_example() ? sum_items(term) : term);
  }
  r.loss = add_n(terms);
  for (NodeId id = 0; id < r.loss.id; ++id) {
    const Var leaf = tape.var(id);
    if (!leaf.op().traits.leaf || leaf.op().forward.f64) continue;
    give(leaf, r.point, seed * 100 + static_cast<std::uint64_t>(id));
    if (category_size(leaf) == 0) r.variables.push_back(leaf);
  }
  return r;
}

}  // namespace

TEST_CASE("all ordered pairs of functions", "[gradient]") {
  int items = 0;
  for (std::size_t i = 0; i < kFunctions.size(); ++i)
    for (std::size_t j = 0; j < kFunctions.size(); ++j) {
      INFO("function " << i << " of function " << j);
      prove_pair(kFunctions[i], kFunctions[j], ++items & 3);
    }
}

TEST_CASE("random graphs: forward mode against reverse mode", "[gradient]") {
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Random r = random_graph(seed, 5 + static_cast<int>(seed % 56));
    INFO("seed " << seed);
    CHECK(adjoint_error(r.loss, r.variables, r.point) <= 1e-12);
    if (seed % 100 == 0) verify(r.made.tape());
  }
}

TEST_CASE("random graphs: complex step, to second order", "[gradient]") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Random r = random_graph(seed, 5 + static_cast<int>(seed % 30));
    INFO("seed " << seed);
    CHECK(failure(check_gradients(r.loss, r.variables, r.point, {.control = {.max_runs = 100}})) ==
          "");
    CHECK(failure(check_gradients(r.loss, r.variables, r.point,
                                  {.order = 2, .control = {.max_runs = 50}})) == "");
  }
}
