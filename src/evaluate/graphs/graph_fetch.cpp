#include "evaluate/graphs/graph_fetch.h"

#include <algorithm>

#include "base/fail.h"
#include "base/utf8.h"
#include "graph/adjoint.h"
#include "graph/position_text.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

constexpr std::string_view kGradient = "grad:", kCotangent = "cotangent:";

/// Fills `nodes` and `lengths`; false where the graph has nothing of that name.
bool resolve(const Tape& tape, const NamedNodes& nodes, std::string_view name, GraphFetch& f) {
  if (const NodeId id = nodes.find(name); id >= 0) {
    f.nodes = {id};
    return true;
  }
  const std::vector<NodeId> positions = nodes.positions(name);
  if (positions.empty()) return false;
  PositionStack stack = stacked(tape, positions);
  if (stack.nodes.empty())
    fail(Status::usage, "U020",
         "\"{}\" stands at {}, which is no range in one shape: fetch one position", printable(name),
         positions_text(tape, positions));
  f.nodes = std::move(stack.nodes);
  f.lengths = std::move(stack.lengths);
  f.first = std::move(stack.first);
  return true;
}

[[noreturn]] void refuse(const Tape& tape, const NamedNodes& nodes, const std::string& text,
                         std::string_view name) {
  Diagnostic d;
  d.code = "U020";
  d.message =
      fmt::format("cannot fetch \"{}\": the graph has no \"{}\"", printable(text), printable(name));
  d.help = help_for_missing(tape, nodes, name);
  fail(Status::usage, std::move(d));
}

}  // namespace

GraphFetch parse_fetch(const Tape& tape, const NamedNodes& nodes, const std::string& text,
                       bool as_named) {
  GraphFetch f{.text = text};
  std::string_view name = text;
  // a node called grad:W may be that of another loss, or of what has been replaced since
  const bool gradient = name.starts_with(kGradient) && !as_named;
  if (gradient) name.remove_prefix(kGradient.size());
  f.gradient = gradient && resolve(tape, nodes, name, f);
  if (!f.gradient && (resolve(tape, nodes, text, f) || text == "loss")) return f;
  if (!gradient) refuse(tape, nodes, text, name);
  if (!f.gradient) {
    f.gradient = true;
    const std::size_t at = name.rfind('@');
    if (at == std::string_view::npos) refuse(tape, nodes, text, name);
    f.edge = name.substr(at + 1);
    name = name.substr(0, at);
    if (!resolve(tape, nodes, name, f)) refuse(tape, nodes, text, name);
  }
  for (const NodeId id : f.nodes)
    if (tape.category(id) != 0)
      fail(Status::usage, "U020", "\"{}\" is a symbol: it has no gradient", printable(name));
  return f;
}

std::vector<std::string> everything(const Tape& tape, const NamedNodes& nodes) {
  std::vector<std::string> texts;
  bool random = false;
  for (const std::string& name : nodes.names()) {
    const std::vector<NodeId> positions = nodes.positions(name);
    const NodeId alone = tape.find_value(name);
    const auto computed = [&](NodeId id) {
      const bool copy = &tape.op(id) == &kCopy && &tape.op(tape.inputs(id)[0]) == &kWeight;
      return !tape.op(id).traits.leaf && !copy;
    };
    random = random || name.starts_with("nll:");
    if (name.starts_with("nll:")) continue;
    if (alone >= 0 && computed(alone)) texts.push_back(name);
    if (!std::ranges::any_of(positions, computed)) continue;
    // where the name alone is a node, it does not stand for the others
    if (alone < 0 && !stacked(tape, positions).nodes.empty()) {
      texts.push_back(name);
      continue;
    }
    for (const NodeId id : positions)
      if (id != alone && computed(id)) texts.push_back(nodes.text(id));
  }
  const bool loss = random && tape.find_value("loss") < 0;  // a likelihood is the loss
  if (loss) texts.emplace_back("loss");
  if (!texts.empty()) return texts;
  for (const NodeId id : sinks(tape)) texts.push_back(nodes.text(id));
  return texts;
}

Vars cotangent_terms(const Graph& graph, const Tensors& inputs) {
  Tape& tape = graph.tape();
  Vars terms;
  for (const auto& [name, tensor] : inputs) {
    if (!name.starts_with(kCotangent)) continue;
    const NamedNodes nodes(tape);
    if (nodes.find(name) >= 0 || !nodes.positions(name).empty()) continue;  // a leaf of the graph
    GraphFetch of;
    const std::string variable = name.substr(kCotangent.size());
    if (!resolve(tape, nodes, variable, of)) refuse(tape, nodes, name, variable);
    for (const NodeId id : of.nodes) {
      if (tape.category(id) != 0)
        fail(Status::bad_input, "G014", "\"{}\" names a symbol, which has no cotangent",
             printable(name));
      const Var v = tape.var(id);
      std::vector<std::int32_t> row;  // of the tensor, which begins where the range does
      for (std::size_t a = 0; a < of.lengths.size(); ++a)
        row.push_back(static_cast<std::int32_t>(tape.index(id)[a] - of.first[a] + 1));
      const Var c = tape.named_leaf(kInput, v.shape(), v.extent(), {}, name, row);
      terms.push_back(sum(c * v));
    }
  }
  return terms;
}

}  // namespace taugrad
