#include <algorithm>
#include <unordered_set>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "evaluate/check/check_how.h"
#include "evaluate/check/check_point.h"
#include "evaluate/memory_estimate.h"
#include "graph/adjoint.h"
#include "graph/named_nodes.h"
#include "reference/directions.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"

// The check of a graph: there is no definition to ask what its variables and its loss are.
namespace taugrad {
namespace {

bool is_copy_of_weight(const Tape& tape, NodeId id) {
  return &tape.op(id) == &kCopy && &tape.op(tape.inputs(id)[0]) == &kWeight;
}

Vars default_variables(Tape& tape, NodeId last) {
  Vars leaves, copies;
  for (NodeId id = 0; id <= last; ++id) {
    const bool number = tape.category(id) == 0;
    if (&tape.op(id) == &kWeight || (&tape.op(id) == &kInput && number))
      leaves.push_back(tape.var(id));
    if (is_copy_of_weight(tape, id)) copies.push_back(tape.var(id));
  }
  leaves.insert(leaves.end(), copies.begin(), copies.end());
  return leaves;
}

[[noreturn]] void fail_unknown_variable(const Tape& tape, const NamedNodes& nodes,
                                        const std::string& name) {
  Diagnostic d;
  d.code = "G014";
  d.message = fmt::format("the graph has no node named \"{}\"", printable(name, 80));
  d.help = help_for_missing(tape, nodes, name);
  fail(Status::bad_input, std::move(d));
}

Vars named_variables(Tape& tape, const std::vector<std::string>& names) {
  const NamedNodes nodes(tape);
  Vars all;
  std::unordered_set<NodeId> seen;
  for (const std::string& name : names) {
    std::vector<NodeId> found = nodes.all(name);
    if (found.empty()) found.push_back(nodes.find(name));
    if (found.front() < 0) fail_unknown_variable(tape, nodes, name);
    for (const NodeId id : found)
      if (seen.insert(id).second) all.push_back(tape.var(id));
  }
  return all;
}

void check_names(const std::vector<runtime::Source>& sources, const runtime::LengthRules& rules,
                 const Tensors& tensors) {
  std::vector<std::string> known{"item", "lengths"};
  for (const runtime::Source& s : sources) {
    known.push_back(s.name);
    known.push_back(data_of(s.name));
  }
  for (const std::string& name : rules.names) known.push_back("lengths:" + name);
  for (const auto& [name, tensor] : tensors) {
    if (std::ranges::find(known, name) != known.end()) continue;
    Diagnostic d;
    d.code = "D016";
    d.message =
        fmt::format("no input and no weight of the graph is named \"{}\"", printable(name, 80));
    d.help = did_you_mean(name, known);
    fail(Status::bad_input, std::move(d));
  }
}

void require_for_check(const Tape& tape, std::int64_t items, int order) {
  constexpr double kNode = 64;  // bytes
  double values = 0, weights = 0;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const auto size = static_cast<double>(tape.shape(id).size());
    values += size * (tape.extent_id(id) == kShared ? 1 : static_cast<double>(items));
    if (&tape.op(id) == &kWeight) weights += size;
  }
  const double grown = order == 2 ? 9 : 3;  // what a graph becomes with its gradient, about
  const auto nodes = static_cast<double>(tape.size());
  std::vector<MemoryUse> plan = memory_of_check(3 * nodes, values, weights, order);
  plan.push_back(
      {fmt::format("a graph of about {:.3g} nodes", grown * nodes), grown * nodes * kNode});
  require_memory(fmt::format("checking {} items", items), plan);
}

CheckPoint point_for(Tape& tape, const Tensors& given, const GraphCheckOptions& options) {
  const std::vector<NodeId> leaves = runtime::given_leaves(tape);
  std::vector<NodeId> named;
  for (const NodeId id : leaves)
    if (tape.name_id(id) != 0) named.push_back(id);
  const std::vector<runtime::Source> sources = runtime::sources_of(tape, named);
  const runtime::LengthRules rules = runtime::length_rules(tape, {});
  check_names(sources, rules, given);
  const Tensors tensors =
      runtime::with_drawn(tape, sources, rules, given, options.batch, options.seed);
  const bool any = std::ranges::any_of(sources, [](const auto& s) { return s.per_example; });
  runtime::BatchDescription batch = runtime::describe_batch(sources, rules, tensors);
  if (!any && rules.names.empty()) batch.items = options.batch;
  for (const runtime::Source& s : sources) runtime::tensor_of(s, tensors);  // its axes
  require_for_check(tape, batch.items, options.order);
  return runtime::point_of(tape, leaves, tensors, std::move(batch.context), batch.items,
                           options.seed);
}

}  // namespace

CheckReport check(const Graph& graph, const Var& loss, const Tensors& tensors,
                  const GraphCheckOptions& options) {
  const Watch watch(options.control.seconds);
  graph.tape().own(loss);
  if (options.batch < 1)
    fail(Status::usage, "U002", "a batch has at least 1 item, not {}", options.batch);
  const GraphCopy copy = clone(graph);  // which the gradient is appended to
  Tape& tape = copy.graph().tape();
  const Vars variables = options.variables.empty() ? default_variables(tape, loss.id)
                                                   : named_variables(tape, options.variables);
  const CheckPoint point = point_for(tape, tensors, options);
  CheckReport report = check_gradients(copy[loss], variables, point, how_of(options, watch));
  for (VariableCheck& v : report.variables) v.variable = graph.tape().var(v.variable.id);
  return report;
}

CheckReport check(const Graph& graph, const Var& loss, const GraphCheckOptions& options) {
  return check(graph, loss, {}, options);
}

CheckReport check(const Graph& graph, const GraphCheckOptions& options) {
  if (const Var loss = find_loss(graph)) return check(graph, loss, options);
  const Graph copy = clone(graph);  // a loss is appended
  CheckReport report = check(copy, default_loss(copy), options);
  for (VariableCheck& v : report.variables) v.variable = graph.tape().var(v.variable.id);
  return report;
}

Var default_loss(const Graph& graph) {
  Tape& tape = graph.tape();
  if (const Var loss = find_loss(graph)) return loss;
  const Vars variables = default_variables(tape, tape.size() - 1);
  const std::vector<char> depends = depends_on(tape, variables, tape.size() - 1);
  std::vector<char> read(static_cast<std::size_t>(tape.size()), 0);
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId in : tape.inputs(id)) read[at(in)] = 1;
  const std::vector<char> adjoint = adjoint_nodes(tape);
  Vars outputs;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (!read[at(id)] && depends[at(id)] && !tape.inputs(id).empty() && !adjoint[at(id)])
      outputs.push_back(tape.var(id));
  if (outputs.empty())
    fail(Status::bad_input, "G023", "nothing in the graph depends on a weight or an input");
  return along_random_directions(outputs, "cotangent");
}

}  // namespace taugrad
