#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

// Nanoseconds a node: an Elman network built step by step with the builders, the same nodes without
// checks, its gradient; an LSTM unrolled by hand, with scopes and names. One JSON line each.
//   bench_graph [STEPS]
namespace {

using namespace taugrad;

// processor time: what other programs do meanwhile does not count
double nanoseconds(std::clock_t from, NodeId nodes) {
  return 1e9 * static_cast<double>(std::clock() - from) / CLOCKS_PER_SEC / nodes;
}

void report(const char* what, NodeId nodes, double ns) {
  fmt::print("{{\"workload\":\"graph_{}\",\"nodes\":{},\"ns_per_node\":{:.1f}}}\n", what, nodes,
             ns);
}

struct Net {
  Graph graph;
  Var U, W, b, loss;
};

Net elman(std::int32_t steps) {
  Net n;
  Tape& tape = n.graph.tape();
  n.U = n.graph.weight("U", {3, 2});
  n.W = n.graph.weight("W", {3, 3});
  n.b = n.graph.weight("b", {3});
  const NameId name = tape.intern_name("h");
  Var h = n.graph.constant(0, {3});
  for (std::int32_t t = 1; t <= steps; ++t) {
    const IndexId index = tape.intern_index({&t, 1});
    tape.set_owner(name, index);
    const Var x = input(tape, "x", {2}, {&t, 1});
    h = tanh(copy(n.b) + matmul(copy(n.W), h) + matmul(copy(n.U), x));
    tape.set_value(h.id, name, index);
  }
  n.loss = sum(h);
  return n;
}

// as a program writes it: a scope for each step, every variable named
Graph lstm(std::int32_t steps) {
  constexpr std::int64_t n = 2, m = 3;
  Graph g;
  const Var W_ih = g.weight("W_ih", {4 * m, n}), W_hh = g.weight("W_hh", {4 * m, m});
  const Var b_ih = g.weight("b_ih", {4 * m}), b_hh = g.weight("b_hh", {4 * m});
  Var h = g.name(g.zeros({m}), "h", {0}), c = g.name(g.zeros({m}), "c", {0});
  for (std::int32_t t = 1; t <= steps; ++t) {
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

// Shapes, attributes and sets of items of one tape, by the same numbers on another.
void share_numbers(const Tape& from, Tape& to) {
  for (NodeId id = 0; id < from.size(); ++id) {
    to.intern_shape(from.shape(id));
    to.intern_attrs(from.attrs(id));
  }
  for (ExtentId e = 2; e < from.extent_count(); ++e) to.intern_extent(from.extent(e));
}

// the same nodes once more, by number: what a template of a step costs
void replay(const Tape& from, Tape& to) {
  for (NodeId id = 0; id < from.size(); ++id)
    to.append_raw(from.op(id), from.inputs(id), from.shape_id(id), from.attrs_id(id),
                  from.extent_id(id));
}

}  // namespace

int main(int argc, char** argv) {
  std::int32_t steps = 100'000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), steps);
  const std::clock_t start = std::clock();
  Net net = elman(steps);
  const NodeId nodes = net.graph.size();
  report("build", nodes, nanoseconds(start, nodes));
  {
    Graph again;
    share_numbers(net.graph.tape(), again.tape());
    const std::clock_t from = std::clock();
    replay(net.graph.tape(), again.tape());
    report("append_raw", nodes, nanoseconds(from, nodes));
  }
  const std::clock_t from = std::clock();
  gradient(net.loss, {net.U, net.W, net.b});
  const NodeId more = net.graph.size() - nodes;
  report("gradient", more, nanoseconds(from, more));
  fmt::print("{{\"workload\":\"graph_bytes\",\"nodes\":{},\"bytes_per_node\":{:.1f}}}\n",
             net.graph.size(), static_cast<double>(net.graph.tape().bytes()) / net.graph.size());
  const std::clock_t before = std::clock();
  const Graph by_hand = lstm(steps / 10);
  report("lstm_by_hand", by_hand.size(), nanoseconds(before, by_hand.size()));
  return 0;
}
