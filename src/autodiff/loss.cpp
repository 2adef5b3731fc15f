#include "taugrad/autodiff/loss.h"

#include <algorithm>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "graph/adjoint.h"
#include "graph/named_nodes.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

Var checked(const Graph& g, NodeId id, std::string_view name) {
  const Var loss = g.tape().var(id);
  if (!loss.shape().is_scalar())
    fail(Status::bad_input, "G023", "loss \"{}\" has shape {}; reduce it to a scalar",
         printable(name), to_string(loss.shape()));
  if (g.tape().category(id) != 0)
    fail(Status::bad_input, "G023", "loss \"{}\" is a symbol, not a number", printable(name));
  return loss;
}

Var named(const Graph& g, std::string_view name) {
  Tape& tape = g.tape();
  const NamedNodes nodes(tape);
  if (const NodeId id = nodes.find(name); id >= 0) return checked(g, id, name);
  Vars terms;
  for (const NodeId id : nodes.positions(name)) terms.push_back(checked(g, id, name));
  if (terms.size() == 1) return terms.front();
  if (!terms.empty()) return add_n(terms);
  Diagnostic d;
  d.code = "U020";
  d.message = fmt::format("the graph has no node \"{}\" to take for the loss", printable(name));
  d.help = did_you_mean(name, nodes.names());
  if (d.help.empty()) d.help = "a node is named as in h[3] or loss, or by its number, #17";
  fail(Status::usage, std::move(d));
}

/// What could be the loss: numbers that are computed, and that only gradients read if any.
std::vector<NodeId> candidates(const Tape& tape) {
  const std::vector<char> adjoint = adjoint_nodes(tape);
  std::vector<NodeId> ids;
  for (const NodeId id : sinks(tape))
    if (tape.shape(id).is_scalar() && tape.category(id) == 0 && !tape.op(id).traits.leaf &&
        !adjoint[static_cast<std::size_t>(id)])
      ids.push_back(id);
  return ids;
}

}  // namespace

Var find_loss(const Graph& g, std::string_view name) {
  if (!name.empty()) return named(g, name);
  if (const NodeId id = g.tape().find_value("loss"); id >= 0) return checked(g, id, "loss");
  const std::vector<NodeId> ids = candidates(g.tape());
  return ids.size() == 1 ? g.tape().var(ids.front()) : Var{};
}

Var loss_of(const Graph& g, std::string_view name) {
  if (const Var loss = find_loss(g, name)) return loss;
  const NamedNodes nodes(g.tape());
  std::vector<std::string> could;
  for (const NodeId id : candidates(g.tape())) could.push_back(nodes.text(id));
  Diagnostic d;
  d.code = "G023";
  d.message = "the graph has no loss: no node is named \"loss\"";
  if (could.size() > 6) could.resize(6), could.emplace_back("..");
  d.message += could.empty() ? ", and no number is computed that nothing else reads"
                             : fmt::format(", and it could be {}", fmt::join(could, ", "));
  d.help = "say which node it is, or name a number \"loss\"";
  fail(Status::bad_input, std::move(d));
}

}  // namespace taugrad
