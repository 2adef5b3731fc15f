#include "reference/faults.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
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
  to.longest = from.longest;
  for (ExtentId e = kEveryItem + 1; e < from.extent_count(); ++e) to.intern_extent(from.extent(e));
}

struct Alone {
  Graph graph;
  Var loss;
  Vars leaves, moving;
  CheckPoint point;
  NodeId y = -1;  // the op
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
  one.y = y.id;
  one.loss = sum(y * cotangent);
  return one;
}

// The check of one op alone; a second one where the first found a fault looks for the worst entry.
CheckReport check_alone(const Alone& one, const FaultSearch& how, bool by_entry) {
  SweepOptions sweep = how.sweep;
  if (sweep.spoiled >= 0) sweep.spoiled = one.y;
  const auto run = [&](std::int64_t max_runs) {
    return check_spoiled(one.loss, one.moving, one.point,
                         {.control = {.max_runs = max_runs, .faults = 0}}, sweep,
                         how.watch.rest(1));
  };
  constexpr std::int64_t kEntries = 20'000;
  if (by_entry) return run(kEntries);
  CheckReport along = run(1);  // so few that there is a direction a variable, and no entry
  if (along.ok() && along.kinks() == 0) return along;
  return run(kEntries);
}

OpFault fault_of(const Tape& tape, NodeId id, const Alone& one, const VariableCheck& v) {
  OpFault f;
  f.node = id;
  f.op = tape.op(id).name;
  f.label = tape.label(id);
  while (!(one.leaves[static_cast<std::size_t>(f.input)] == v.variable)) ++f.input;
  f.input_label = tape.label(tape.inputs(id)[static_cast<std::size_t>(f.input)]);
  f.entry = v.worst;
  f.index = v.index;
  f.item = v.item;
  return f;
}

// Nodes in the order in which they are looked at: the spoiled one, the first of each op, for a
// wrong rule shows wherever it is used, and then all others.
std::vector<NodeId> order_of(const Tape& tape, NodeId last, const std::vector<char>& depends,
                             const Interpreter<double>& run, NodeId spoiled) {
  std::vector<NodeId> first, rest;
  std::set<const Op*> seen;
  for (NodeId id = 0; id <= last; ++id) {
    if (!run.needs(id) || !depends[at(id)] || tape.inputs(id).empty()) continue;
    const bool early = seen.insert(&tape.op(id)).second;
    if (id != spoiled) (early ? first : rest).push_back(id);
  }
  first.insert(first.end(), rest.begin(), rest.end());
  if (spoiled >= 0) first.insert(first.begin(), spoiled);
  return first;
}

}  // namespace

std::vector<OpFault> search_faults(Var loss, std::span<const Var> variables,
                                   const CheckPoint& point, const FaultSearch& how) {
  if (!loss) fail(Status::usage, "U021", "a Var that holds nothing is no loss");
  const Tape& tape = *loss.tape;
  for (const Var& v : variables) tape.own(v);
  const std::vector<char> depends = depends_on(tape, variables, loss.id);
  Interpreter<double> run(tape, {&loss.id, 1});
  place(run, point);
  run.run();
  std::vector<OpFault> faults;
  const Watch watch = how.watch.rest(how.watch.least_for_faults());
  const std::vector<NodeId> order = order_of(tape, loss.id, depends, run, how.sweep.spoiled);
  for (const bool by_entry : {false, true}) {
    for (const NodeId id : order) {
      if (faults.size() >= how.limit || watch.over()) break;
      const Alone one = alone(tape, id, depends, run, point);
      FaultSearch here{1, how.sweep, watch};
      if (id != how.sweep.spoiled) here.sweep.spoiled = -1;
      const CheckReport report = check_alone(one, here, by_entry);
      const auto wrong = std::ranges::find(report.variables, false, &VariableCheck::ok);
      if (wrong != report.variables.end()) faults.push_back(fault_of(tape, id, one, *wrong));
    }
    if (!faults.empty()) break;
  }
  std::ranges::sort(faults, {}, &OpFault::node);
  return faults;
}

std::vector<OpFault> find_faults(Var loss, std::span<const Var> variables, const CheckPoint& point,
                                 std::size_t limit) {
  return search_faults(loss, variables, point, {limit});
}

}  // namespace taugrad
