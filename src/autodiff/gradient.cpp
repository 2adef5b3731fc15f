#include "taugrad/autodiff/gradient.h"

#include <algorithm>

#include "autodiff/structural_zeros.h"
#include "autodiff/sweep.h"
#include "base/fail.h"
#include "base/limits.h"
#include "graph/gradient_order.h"
#include "graph/verified.h"
#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

// What has flowed into the nodes so far: for each a list, first the share of its first user.
class Cotangents {
 public:
  explicit Cotangents(NodeId last) : head_(at(last) + 1, -1) {}

  // shares arrive from the last user to the first
  void add(NodeId id, EdgeContribution share) {
    pool_.push_back({share.user, share.slot, share.value.id, head_[at(id)]});
    head_[at(id)] = static_cast<std::int32_t>(pool_.size() - 1);
  }
  bool any(NodeId id) const { return head_[at(id)] >= 0; }
  /// body(user, slot, value) for each share, from the first user to the last
  template <class Body>
  void each(NodeId id, const Body& body) const {
    for (std::int32_t i = head_[at(id)]; i >= 0;) {
      const Entry& e = pool_[static_cast<std::size_t>(i)];
      body(e.user, e.slot, e.value);
      i = e.next;
    }
  }

 private:
  struct Entry {
    NodeId user;
    int slot;
    NodeId value;
    std::int32_t next;
  };
  Column<std::int32_t> head_;
  Column<Entry> pool_;
};

// The tape, backwards: each node's cotangent is complete when the sweep reaches it, because all its
// users have higher ids.
class Reverse {
 public:
  Reverse(Tape& tape, std::span<const Var> wrt, NodeId last, const SweepOptions& options)
      : tape_(tape),
        last_(last),
        options_(options),
        depends_(depends_on(tape, wrt, last)),
        asked_(at(last) + 1, 0),
        bar_(at(last) + 1, -1),
        arrived_(last),
        zeros_(tape, depends_, last) {
    for (const Var& v : wrt)
      if (v.id <= last) asked_[at(v.id)] = 1;
  }

  void seed(Var output, Var cotangent) {
    if (!depends_[at(output.id)]) return;
    arrived_.add(output.id, {-1, 0, fitted(cotangent, output, output.op())});
    zeros_.whole(output.id);
  }

  void run() {
    OwnerScope owner(tape_);
    zeros_.prepare();
    for (NodeId id = last_; id >= 0; --id) {
      if (!depends_[at(id)] || !arrived_.any(id)) continue;
      owner.enter(id);
      const Var ybar = sum(id);
      if (asked_[at(id)]) bar_[at(id)] = ybar.id;
      if (!tape_.op(id).traits.discrete && !tape_.inputs(id).empty()) pull(id, ybar);
    }
  }

  // the cotangent of a node after the sweep; an empty Var: nothing flowed
  Var of(Var v) const {
    return v.id <= last_ && bar_[at(v.id)] >= 0 ? tape_.var(bar_[at(v.id)]) : Var{};
  }
  std::vector<EdgeContribution> edges(Var v) const {
    std::vector<EdgeContribution> edges;
    if (v.id <= last_)
      arrived_.each(v.id, [&](NodeId user, int slot, NodeId value) {
        if (user >= 0) edges.push_back({user, slot, tape_.var(value)});
      });
    return edges;
  }

 private:
  // A weight's shares from its last copy to its first: as they become known when the gradient goes
  // back through time.
  Var sum(NodeId id) {
    terms_.clear();
    arrived_.each(id, [&](NodeId, int, NodeId value) { terms_.push_back(tape_.var(value)); });
    if (tape_.extent_id(id) == kShared)
      std::ranges::reverse(terms_);
    else if (terms_.size() > 1)
      join_shares(terms_);
    return terms_.size() == 1 ? terms_[0] : add_n(terms_);
  }

  // one node's vjp: its cotangent becomes shares of its inputs'
  void pull(NodeId id, Var ybar) {
    const Op& op = tape_.op(id);
    if (!op.vjp)
      fail(Status::usage, "U024", "{} has no reverse mode: its record lacks a vjp ({})", op.name,
           tape_.label(id));
    primal_.out = tape_.var(id);
    primal_.in.clear();
    primal_.wanted.clear();
    for (const NodeId in : tape_.inputs(id)) {
      primal_.in.push_back(tape_.var(in));
      primal_.wanted.push_back(depends_[at(in)]);
    }
    xbar_.assign(primal_.in.size(), Var{});
    const Var mask = zeros_.mask(id);
    op.vjp(mask ? zeros_.finite(primal_, mask) : primal_, ybar, xbar_);
    for (const Var& x : xbar_)
      if (x && x.tape.get() != &tape_)
        fail(Status::usage, "U024", "the vjp of {} gives a node of another graph ({})", op.name,
             tape_.label(id));
    if (id == options_.spoiled)
      for (Var& x : xbar_)
        if (x) x = x * options_.factor;
    for (std::size_t i = xbar_.size(); i-- > 0;)
      if (xbar_[i] && primal_.wanted[i]) {
        const Var in = primal_.in[i], share = zeros_.cleared(primal_, i, mask, xbar_[i]);
        arrived_.add(in.id, {id, static_cast<int>(i), fitted(share, in, op)});
      }
    zeros_.pass(primal_, mask);
  }

  Tape& tape_;
  NodeId last_;
  SweepOptions options_;
  std::vector<char> depends_, asked_;
  Column<NodeId> bar_;
  Cotangents arrived_;
  ReverseZeros zeros_;
  Primal primal_;
  Vars terms_, xbar_;
};

// A further name for a node: a copy that moves nothing, of an owner.
Var append_view(Var v, NameId name, IndexId index) {
  OwnerScope owner(*v.tape);
  v.tape->set_owner(name, index);
  return copy(v);
}

// Names the gradient of W[3] `grad:W` with index {3}. A node that is already a variable keeps its
// name, so the gradient is then a view of it; a second gradient of W on the tape is no value of
// that name, but known by it. One whose name would be too long has none.
Var named_gradient(Var v, Var g) {
  Tape& tape = *v.tape;
  if (!tape.is_value(v.id)) return g;
  const std::string name = "grad:" + std::string(tape.name(v.id));
  const std::vector<std::int32_t> index(tape.index(v.id).begin(), tape.index(v.id).end());
  if (name.size() > limits::kNameBytes) return g;
  if (tape.is_value(g.id)) g = append_view(g, 0, 0);
  const NameId number = tape.intern_name(name, tape.letters_of(tape.name_id(v.id)));
  const bool taken = std::ranges::any_of(tape.find_values(name, index),
                                         [&](NodeId id) { return tape.name_id(id) == number; });
  if (!taken) {
    tape.set_value(g.id, number, tape.intern_index(index));
    return g;
  }
  // pictures show it in the step of what it is the gradient of
  if (tape.index_id(g.id) != tape.index_id(v.id) || !tape.known_name(g.id).empty())
    g = append_view(g, tape.name_id(v.id), tape.index_id(v.id));
  tape.know_as(g.id, number, tape.intern_index(index));
  return g;
}

}  // namespace

Gradients gradient(std::span<const Var> outputs, std::span<const Var> cotangents,
                   std::span<const Var> wrt) {
  return gradient(outputs, cotangents, wrt, SweepOptions{});
}

Gradients gradient(std::span<const Var> outputs, std::span<const Var> cotangents,
                   std::span<const Var> wrt, const SweepOptions& options) {
  if (outputs.empty() || !outputs[0].tape)
    fail(Status::usage, "G023", "a gradient needs a variable to differentiate");
  if (!cotangents.empty() && cotangents.size() != outputs.size())
    fail(Status::usage, "G023", "{} cotangents for {} variables", cotangents.size(),
         outputs.size());
  Tape& tape = *outputs[0].tape;
  last_of(wrt, tape);
  const NodeId first = tape.size();
  check_directions(outputs, cotangents, tape);
  tape.reserve(9 * static_cast<std::size_t>(tape.size()) / 4);  // most graphs double
  const GradientOrderScope order(tape, order_through(tape, outputs, wrt) + 1);
  Reverse sweep(tape, wrt, last_of(outputs, tape), options);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Var y = outputs[i];
    const bool given = !cotangents.empty() && cotangents[i];
    sweep.seed(y, given ? cotangents[i] : constant(tape, 1, y.shape(), y.extent()));
  }
  sweep.run();

  Gradients g;
  for (const Var& v : wrt) {
    const Var found = sweep.of(v);
    g.wrt_.push_back(v);
    g.labels_.push_back(tape.label(v.id));
    g.edges_.push_back(sweep.edges(v));
    const Var value = found ? found : constant(tape, 0, v.shape(), v.extent());
    g.values_.push_back(options.named ? named_gradient(v, value) : value);
  }
  verify_rewritten(tape, first);
  return g;
}

Gradients gradient(Var loss, std::span<const Var> wrt) {
  if (loss && !loss.shape().is_scalar()) {
    Diagnostic d;
    d.code = "G023";
    d.message = fmt::format("a loss is a number, {} has shape {}", loss.tape->label(loss.id),
                            to_string(loss.shape()));
    d.help = "a sum is one, sum(h * h); jacobian(y, x) is the derivative of a vector";
    fail(Status::bad_input, std::move(d));
  }
  require_no_symbol(loss);
  return gradient({&loss, 1}, {}, wrt);
}

Gradients gradient(Var loss, std::initializer_list<Var> wrt) {
  return gradient(loss, std::span<const Var>(wrt.begin(), wrt.size()));
}

Var gradient(Var loss, Var wrt) { return gradient(loss, std::span<const Var>(&wrt, 1))[0]; }

Gradients gradient(std::initializer_list<Var> outputs, std::initializer_list<Var> cotangents,
                   std::initializer_list<Var> wrt) {
  return gradient(std::span(outputs), std::span(cotangents), std::span(wrt));
}

Var Gradients::operator[](std::string_view label) const {
  const auto place = std::find(labels_.begin(), labels_.end(), label);
  if (place == labels_.end())
    fail(Status::usage, "G014", "the gradient of \"{}\" was not asked for", label);
  return values_[static_cast<std::size_t>(place - labels_.begin())];
}

std::size_t Gradients::place(Var v) const {
  const auto found = std::find(wrt_.begin(), wrt_.end(), v);
  if (found == wrt_.end())
    fail(Status::usage, "G014", "the gradient of {} was not asked for",
         v ? v.tape->label(v.id) : "nothing");
  return static_cast<std::size_t>(found - wrt_.begin());
}

Var Gradients::of(Var v) const { return values_[place(v)]; }

Var Gradients::operator[](std::size_t i) const {
  if (i >= values_.size())
    fail(Status::usage, "U022", "{} gradients were asked for: there is no number {}",
         values_.size(), i);
  return values_[i];
}

const std::vector<EdgeContribution>& Gradients::edges(Var v) const& { return edges_[place(v)]; }
std::vector<EdgeContribution> Gradients::edges(Var v) && { return std::move(edges_[place(v)]); }

}  // namespace taugrad
