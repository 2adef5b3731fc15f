// The repeated step of an unfolded graph: the orbits of its shift are the nodes of the step.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/fail.h"
#include "base/index.h"
#include "fold/fold_grid.h"
#include "fold/fold_shift.h"
#include "fold/fold_timing.h"
#include "fold/folding.h"
#include "graph/adjoint.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"

namespace taugrad {
namespace {

using folding::Net;
using folding::OrbitRead;
using folding::Timing;

[[noreturn]] void refuse(std::string message, std::string help) {
  Diagnostic d;
  d.code = "G026";
  d.message = std::move(message);
  d.help = std::move(help);
  fail(Status::bad_input, std::move(d));
}

// What most instances of an orbit read as one input: an orbit, at a constant offset, or one node.
struct Reads {
  NodeId node = -1;  // read by all; -1: an orbit
  int orbit = -1;
  std::int64_t offset = 0;
  std::int64_t from = 1, to = 0;  // instances that do; the others read a boundary
};

class Refolder {
 public:
  explicit Refolder(const Tape& tape) : tape_(tape), net_(tape) {}

  FoldedGraph run() {
    find_orbits();
    find_reads();
    place();
    make_nodes();
    for (std::size_t o = 0; o < orbits_.size(); ++o)
      for (std::size_t k = 0; k < reads_[o].size(); ++k) connect_orbit(o, k);
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (node_[at(id)] >= 0 && !in_step(id)) connect_single(id);
    name_counts();
    folding::gather_maxima(sketch_);
    return folding::without_boundaries(std::move(sketch_));
  }

 private:
  void find_orbits() {
    orbits_ = folding::Shift(net_).orbits();
    if (orbits_.empty())
      refuse("no step of this graph repeats at least 3 times",
             "unfold it to 3 steps or more, and to more than its longest delay");
    orbit_of_.assign(at(tape_.size()), -1);
    rank_.assign(at(tape_.size()), 0);
    for (std::size_t o = 0; o < orbits_.size(); ++o)
      for (std::size_t i = 0; i < orbits_[o].size(); ++i) {
        orbit_of_[at(orbits_[o][i])] = static_cast<int>(o);
        rank_[at(orbits_[o][i])] = static_cast<std::int64_t>(i) + 1;
      }
  }

  void find_reads() {
    reads_.resize(orbits_.size());
    for (std::size_t o = 0; o < orbits_.size(); ++o)
      for (std::size_t k = 0; k < net_.inputs(orbits_[o][0]).size(); ++k)
        reads_[o].push_back(most_read(o, k));
  }

  NodeId read_by(std::size_t orbit, std::int64_t instance, std::size_t slot) const {
    return net_.inputs(orbits_[orbit][at(instance - 1)])[slot];
  }

  Reads most_read(std::size_t o, std::size_t slot) const {
    const auto count = static_cast<std::int64_t>(orbits_[o].size());
    std::map<std::pair<int, std::int64_t>, std::int64_t> orbits;  // (orbit, offset) -> instances
    std::unordered_map<NodeId, std::int64_t> nodes;
    Reads best;
    std::pair<bool, std::int64_t> most{false, 0};  // computed values before numbers, then by count
    for (std::int64_t i = 1; i <= count; ++i) {
      const NodeId s = read_by(o, i, slot);
      const bool computed = !net_.is_constant(s);
      if (const std::pair now{computed, ++nodes[s]}; now > most) {
        most = now;
        best = {.node = s};
      }
      const int orbit = orbit_of_[at(s)];
      if (orbit < 0) continue;
      const std::int64_t offset = i - rank_[at(s)];
      if (const std::pair now{computed, ++orbits[{orbit, offset}]}; now >= most) {
        most = now;
        best = {.node = -1, .orbit = orbit, .offset = offset};
      }
    }
    set_range(o, slot, most.second, best);
    return best;
  }

  bool reads(std::size_t o, std::int64_t instance, std::size_t slot, const Reads& r) const {
    const NodeId s = read_by(o, instance, slot);
    return r.node >= 0 ? s == r.node
                       : orbit_of_[at(s)] == r.orbit && instance - rank_[at(s)] == r.offset;
  }

  void set_range(std::size_t o, std::size_t slot, std::int64_t count, Reads& r) const {
    while (!reads(o, r.from, slot, r)) ++r.from;
    r.to = r.from + count - 1;
    for (std::int64_t i = r.from; i <= r.to; ++i)
      if (!reads(o, i, slot, r))
        refuse(fmt::format("the steps of this graph are not alike: {} reads another node than in "
                           "the steps before and after",
                           tape_.label(orbits_[o][at(i - 1)])),
               "a step repeats if all steps but the first and last ones read alike");
  }

  // ---- positions ------------------------------------------------------------------------------

  void place() {
    std::vector<std::int64_t> counts;
    std::vector<OrbitRead> orbit_reads;
    for (std::size_t o = 0; o < orbits_.size(); ++o) {
      counts.push_back(static_cast<std::int64_t>(orbits_[o].size()));
      for (const Reads& r : reads_[o])
        if (r.node < 0)
          orbit_reads.push_back({.reader = static_cast<int>(o),
                                 .read = r.orbit,
                                 .offset = r.offset,
                                 .from = r.from,
                                 .to = r.to});
    }
    timing_ = folding::place_orbits(counts, orbit_reads);
    orient();
  }

  // Time runs as the data's positions say, or the order in which it was put in; else the way most
  // recurrences compute, else as the nodes were made.
  void orient() {
    struct Votes {
      std::int64_t data = 0, delays = 0, nodes = 0;
    };
    std::map<int, Votes> votes;  // by domain
    for (std::size_t o = 0; o < orbits_.size(); ++o) {
      Votes& v = votes[timing_[o].domain];
      const std::vector<NodeId>& orbit = orbits_[o];
      if (&tape_.op(orbit[0]) == &kInput) v.data += direction(orbit);
      v.nodes += before(orbit.front(), orbit.back()) ? 1 : -1;
      for (const Reads& r : reads_[o])
        if (const std::int64_t d = r.node < 0 ? delay(o, r) : 0; d != 0) v.delays += d > 0 ? 1 : -1;
    }
    for (const auto& [domain, v] : votes)
      backward_.push_back((v.data != 0 ? v.data : v.delays != 0 ? v.delays : v.nodes) < 0);
    for (std::size_t domain = 0; domain < backward_.size(); ++domain)
      stride_.push_back(stride(static_cast<int>(domain)));
  }

  /// How far apart the positions of a loop lie: of t = 2, 5, 8, .. it is 3. 1 where names say
  /// several distances, or none.
  int stride(int domain) const {
    std::set<int> distances;
    for (std::size_t o = 0; o < orbits_.size(); ++o) {
      if (timing_[o].domain != domain) continue;
      for (std::size_t i = 1; i < orbits_[o].size(); ++i) {
        const NodeId a = orbits_[o][i - 1], b = orbits_[o][i];
        if (tape_.is_value(a) && tape_.is_value(b) && tape_.index(a).size() == 1 &&
            tape_.index(b).size() == 1)
          distances.insert(std::abs(tape_.index(b)[0] - tape_.index(a)[0]));
      }
    }
    return distances.size() == 1 ? std::max(*distances.begin(), 1) : 1;
  }

  std::int64_t delay(std::size_t o, const Reads& r) const {
    return r.offset + timing_[o].shift - timing_[at(r.orbit)].shift;
  }

  bool before(NodeId a, NodeId b) const {
    const auto at_a = tape_.index(a), at_b = tape_.index(b);
    const bool told = at_a.size() == 1 && at_b.size() == 1 && at_a[0] != at_b[0];
    return told ? at_a[0] < at_b[0] : a < b;
  }
  // 1: each instance after the one before, -1: each before it, 0: neither.
  int direction(const std::vector<NodeId>& orbit) const {
    std::size_t rises = 0;
    for (std::size_t i = 1; i < orbit.size(); ++i) rises += before(orbit[i - 1], orbit[i]) ? 1 : 0;
    return rises == orbit.size() - 1 ? 1 : rises == 0 ? -1 : 0;
  }

  bool backward(std::size_t orbit) const { return backward_[at(timing_[orbit].domain)]; }

  // From 1; 0 or less, or more than the steps, at a boundary that looks like a step.
  std::int64_t position(NodeId id) const {
    const auto o = at(orbit_of_[at(id)]);
    const std::int64_t p = rank_[at(id)] + timing_[o].shift;
    return backward(o) ? timing_[o].steps + 1 - p : p;
  }
  bool in_step(NodeId id) const {
    if (orbit_of_[at(id)] < 0) return false;
    const std::int64_t p = position(id);
    return p >= 1 && p <= timing_[at(orbit_of_[at(id)])].steps;
  }

  // From the nearer end: "2", "last-1".
  std::string place_text(NodeId id) const {
    const std::int64_t p = position(id), steps = timing_[at(orbit_of_[at(id)])].steps;
    if (p <= steps - p) return fmt::format("{}", p);
    return p == steps ? "last" : fmt::format("last-{}", steps - p);
  }

  // ---- nodes and edges ------------------------------------------------------------------------

  void make_nodes() {
    node_.assign(at(tape_.size()), -1);
    std::vector<int> of_orbit(orbits_.size(), -1);
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (net_.gone(id)) continue;
      if (!in_step(id)) {
        node_[at(id)] = sketch_.add(folding::node_of(tape_, id));
        continue;
      }
      int& node = of_orbit[at(orbit_of_[at(id)])];
      if (node < 0) node = sketch_.add(node_of_orbit(at(orbit_of_[at(id)])));
      node_[at(id)] = node;
    }
  }

  FoldedNode node_of_orbit(std::size_t o) const {
    const std::vector<NodeId>& orbit = orbits_[o];
    FoldedNode n = folding::node_of(tape_, orbit[orbit.size() / 2]);
    const int domain = timing_[o].domain;
    n.over = {domain == 0 ? "t" : fmt::format("t{}", domain + 1)};
    const auto value = [&](NodeId id) { return tape_.attrs(id).real("value"); };
    if (net_.is_constant(orbit[0]) && value(orbit[0]) != value(orbit[1])) {
      n.op = folding::kIndexOp;
      n.attrs = {};
    }
    return n;
  }

  void connect_orbit(std::size_t o, std::size_t slot) {
    const Reads& r = reads_[o][slot];
    const Timing& own = timing_[o];
    const auto count = static_cast<std::int64_t>(orbits_[o].size());
    FoldedEdge e;
    e.slot = static_cast<int>(slot);
    for (std::int64_t i = own.first(); i <= own.last(count); ++i) {
      const NodeId s = read_by(o, i, slot);
      e.to = node_[at(orbits_[o][at(i - 1)])];
      e.from = node_[at(s)];
      const bool step = i >= r.from && i <= r.to && (r.node >= 0 || in_step(s));
      if (!step && boundaries_.insert({e.from, e.to}).second) sketch_.connect(e, true);
    }
    const NodeId middle = read_by(o, (r.from + r.to) / 2, slot);
    e.from = node_[at(middle)];
    if (r.node < 0) {
      const int steps = static_cast<int>(backward(o) ? -delay(o, r) : delay(o, r));
      e.delay = {steps * stride_[at(own.domain)]};
    } else if (in_step(r.node)) {
      e.whole = true;
      e.place = place_text(r.node);
    } else {
      e.delay = {0};
    }
    sketch_.connect(std::move(e));
  }

  // A node outside the steps; a sum over steps has one edge for all that an orbit gives it.
  void connect_single(NodeId id) {
    const int first = folding::first_term(tape_.op(id));
    std::map<int, int> terms;  // by orbit
    for (const NodeId in : net_.inputs(id))
      if (in_step(in)) ++terms[orbit_of_[at(in)]];
    const auto inputs = net_.inputs(id);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const bool sum = first >= 0 && k >= at(first);
      FoldedEdge e;
      e.from = node_[at(inputs[k])];
      e.to = node_[at(id)];
      e.slot = sum ? first : static_cast<int>(k);
      if (in_step(inputs[k])) {
        int& left = terms[orbit_of_[at(inputs[k])]];
        if (left == 0) continue;  // its edge is there
        e.whole = true;
        e.place = sum && left > 1 ? std::string(folding::kAll) : place_text(inputs[k]);
        if (sum) left = 0;
      }
      sketch_.connect(std::move(e));
    }
  }

  // The number that divides the sum over steps in a mean is how many steps there are.
  void name_counts() {
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const bool mean = &tape_.op(id) == &kMeanN;
      if ((!mean && &tape_.op(id) != &kDiv) || in_step(id)) continue;
      const NodeId sum = mean ? id : net_.inputs(id)[0];
      NodeId count = net_.inputs(id)[mean ? 0 : 1];
      if (&tape_.op(count) == &kBroadcastTo) count = net_.inputs(count)[0];
      const int first = folding::first_term(tape_.op(sum));
      if (first < 0 || !net_.is_constant(count) || in_step(count)) continue;
      const auto terms = static_cast<double>(net_.inputs(sum).size() - at(first));
      if (tape_.attrs(count).real("value") != terms) continue;
      FoldedNode& n = sketch_.graph.nodes[at(node_[at(count)])];
      n.op = folding::kLengthOp;
      n.attrs = {};
    }
  }

  const Tape& tape_;
  Net net_;
  std::vector<std::vector<NodeId>> orbits_;
  std::vector<int> orbit_of_;              // by node; -1: none
  std::vector<std::int64_t> rank_;         // by node: its number in its orbit, from 1
  std::vector<std::vector<Reads>> reads_;  // by orbit and input
  std::vector<Timing> timing_;
  std::vector<char> backward_;  // by domain: orbits run against time
  std::vector<int> stride_;     // by domain
  std::vector<int> node_;       // by node of the tape
  std::set<std::pair<int, int>> boundaries_;
  folding::Sketch sketch_;
};

/// A grid by its positions; where those are not alike (attention), along one index.
FoldedGraph circuit_of(const Tape& tape) {
  if (!folding::is_grid(tape)) return Refolder(tape).run();
  try {
    return folding::fold_grid(tape);
  } catch (const Error& unlike) {
    try {
      return Refolder(tape).run();
    } catch (const Error&) {
      throw unlike;
    }
  }
}

}  // namespace

FoldedGraph fold(const Graph& graph) {
  const bool gradients = has_gradients(graph.tape());
  const Graph forward = gradients ? without_gradients(graph).graph() : graph;
  FoldedGraph folded = circuit_of(forward.tape());
  if (forward.size() < graph.size())
    folded.notes.emplace_back("gradients are left out: the forward part is folded");
  return folded;
}

}  // namespace taugrad
