#include "passes/sweep.h"
#include "reference/measure.h"
#include "taugrad/base/error.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

// Which op is wrong: each is put alone on a tape of its own, its inputs as leaves with the values
// that they have in the graph.
namespace taugrad {
namespace {

// A tape on which extents and lengths have the numbers that they have on the other.
void take_extents(const Tape& from, Tape& to) {
  to.length_names = from.length_names;
  for (ExtentId e = kEveryItem + 1; e < from.extent_count(); ++e) to.intern_extent(from.extent(e));
}

struct Alone {
  Graph graph;
  Var loss;
  Vars leaves, moving;
  CheckPoint point;
};

Attrs category_attrs(std::int64_t size) { return size > 0 ? Attrs{{"category", size}} : Attrs{}; }

// Leaves for the inputs of a node; an input that occurs twice is one leaf, as in the graph.
void put_leaves(const Tape& tape, NodeId id, const std::vector<char>& depends,
                const Interpreter<double>& run, Alone& alone) {
  Tape& own = alone.graph.tape();
  const auto inputs = tape.inputs(id);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::size_t first = 0;
    while (inputs[first] != inputs[i]) ++first;
    if (first < i) {
      alone.leaves.push_back(alone.leaves[first]);
      continue;
    }
    const Var leaf = own.leaf(kInput, tape.shape(inputs[i]), tape.extent_id(inputs[i]),
                              category_attrs(tape.category(inputs[i])));
    const std::span<const double> value = run.value(inputs[i]);
    alone.point.leaves.push_back({leaf, {value.begin(), value.end()}});
    alone.leaves.push_back(leaf);
    if (depends[static_cast<std::size_t>(inputs[i])]) alone.moving.push_back(leaf);
  }
}

Alone alone(const Tape& tape, NodeId id, const std::vector<char>& depends,
            const Interpreter<double>& run, const CheckPoint& point) {
  Alone one;
  one.point.batch = point.batch;
  one.point.items = point.items;
  Tape& own = one.graph.tape();
  take_extents(tape, own);
  put_leaves(tape, id, depends, run, one);
  const Var y = own.append(tape.op(id), one.leaves, tape.attrs(id));
  const Var cotangent =
      own.leaf(kDrawNormal, y.shape(), y.extent(), {{"stream", std::string("cotangent")}});
  one.loss = sum(y * cotangent);
  return one;
}

}  // namespace

std::vector<OpFault> find_faults(Var loss, std::span<const Var> variables, const CheckPoint& point,
                                 std::size_t limit) {
  const Tape& tape = *loss.tape;
  const std::vector<char> depends = depends_on(tape, variables, loss.id);
  Interpreter<double> run(tape, {&loss.id, 1});
  place(run, point);
  run.run();
  std::vector<OpFault> faults;
  for (NodeId id = 0; id <= loss.id && faults.size() < limit; ++id) {
    if (!run.needs(id) || !depends[static_cast<std::size_t>(id)] || tape.inputs(id).empty())
      continue;
    Alone one = alone(tape, id, depends, run, point);
    const CheckReport report = check_gradients(one.loss, one.moving, one.point);
    for (const VariableCheck& v : report.variables) {
      if (v.ok) continue;
      int input = 0;
      while (!(one.leaves[static_cast<std::size_t>(input)] == v.variable)) ++input;
      faults.push_back({id, std::string(tape.op(id).name), tape.label(id), input, v.worst});
      break;
    }
  }
  return faults;
}

}  // namespace taugrad
