#include "reference/perturb.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "graph/position_text.h"
#include "reference/measure.h"
#include "taugrad/graph/reachable.h"

namespace taugrad {
namespace {

// so many nodes of one name are weighed against each other, the last ones
constexpr std::size_t kMostCandidates = 1000;

/// An operation "tanh", a name "h", a position "h[2]" or "W[t=2]", a number "#17".
class Named {
 public:
  explicit Named(const std::string& name) : name_(name), position_(read_position(name)) {}
  bool operator()(const Tape& tape, NodeId id) const {
    if (tape.op(id).name == name_) return true;
    if (!tape.is_value(id)) return name_[0] == '#' && name_ == fmt::format("#{}", id);
    return tape.name(id) == name_ || (position_ && position_->fits(tape, id));
  }

 private:
  const std::string& name_;
  std::optional<PositionText> position_;
};

[[noreturn]] void fail_unknown(const Tape& tape, NodeId last, const std::string& name) {
  std::set<std::string> known;
  for (NodeId id = 0; id <= last; ++id) {
    if (!tape.inputs(id).empty()) known.emplace(tape.op(id).name);
    if (tape.is_value(id)) known.emplace(tape.name(id));
  }
  const std::vector<std::string> names(known.begin(), known.end());
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("no operation and no node here is named \"{}\"", printable(name, 80));
  d.help = did_you_mean(name, names);
  if (d.help.empty()) {
    const std::size_t most = std::min<std::size_t>(names.size(), 20);
    d.help = fmt::format("there are {}{}", fmt::join(std::span(names).first(most), ", "),
                         most < names.size() ? ", .." : "");
  }
  fail(Status::usage, std::move(d));
}

[[noreturn]] void fail_without_gradient(const std::string& name, const char* why) {
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("\"{}\" cannot be spoiled: {}", printable(name, 80), why);
  d.help =
      "name an operation between the variables and the loss, such as tanh, or a node that it "
      "computes, such as h[2]";
  fail(Status::usage, std::move(d));
}

// The largest cotangent that the vjp of each node gives to one of its inputs, at the point.
std::vector<double> largest_shares(const std::vector<NodeId>& nodes, Var loss,
                                   const CheckPoint& point, const std::vector<char>& depends) {
  Tape& tape = *loss.tape;
  std::unordered_map<NodeId, std::size_t> number;
  Vars inputs;
  std::set<NodeId> seen;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    number[nodes[i]] = i;
    for (const NodeId in : tape.inputs(nodes[i]))
      if (depends[at(in)] && seen.insert(in).second) inputs.push_back(tape.var(in));
  }
  const Gradients g = gradient({&loss, 1}, {}, inputs, {.named = false});
  std::vector<std::pair<std::size_t, NodeId>> shares;
  std::vector<NodeId> values;
  for (const Var& v : inputs)
    for (const EdgeContribution& e : g.edges(v))
      if (const auto found = number.find(e.user); found != number.end()) {
        shares.emplace_back(found->second, e.value.id);
        values.push_back(e.value.id);
      }
  Interpreter<double> run(tape, values);
  place(run, point);
  run.run();
  std::vector<double> largest(nodes.size(), 0);
  for (const auto& [node, share] : shares)
    for (const double x : run.value(share))
      if (std::isfinite(x)) largest[node] = std::max(largest[node], std::abs(x));
  return largest;
}

}  // namespace

Perturbed find_perturbed(Var value, Var loss, std::span<const Var> variables,
                         const CheckPoint& point, const std::string& name) {
  const Tape& tape = *loss.tape;
  const std::vector<char> depends = depends_on(tape, variables, loss.id);
  const std::vector<char> wanted = reachable(tape, {&loss.id, 1});
  std::vector<NodeId> passed;
  bool known = false, leaf = true;
  const Named is_named(name);
  for (NodeId id = value.id; id >= 0; --id) {
    if (!is_named(tape, id)) continue;
    known = true;
    const auto in = tape.inputs(id);
    leaf = leaf && in.empty();
    const bool through = wanted[at(id)] && !tape.op(id).traits.discrete && depends[at(id)] &&
                         std::ranges::any_of(in, [&](NodeId i) { return depends[at(i)] != 0; });
    if (through && passed.size() < kMostCandidates) passed.push_back(id);
  }
  if (!known) fail_unknown(tape, value.id, name);
  if (leaf) fail_without_gradient(name, "it is given, and has no derivative rule of its own");
  if (passed.empty())
    fail_without_gradient(name, "no gradient passes through it from the loss to a variable");
  const std::vector<double> largest = largest_shares(passed, loss, point, depends);
  const auto most = std::ranges::max_element(largest);
  if (*most == 0)
    fail_without_gradient(name, "no gradient other than 0 passes through it at these values");
  const NodeId id = passed[static_cast<std::size_t>(most - largest.begin())];
  return {id, std::string(tape.op(id).name), tape.label(id)};
}

}  // namespace taugrad
