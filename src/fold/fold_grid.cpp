#include "fold/fold_grid.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/fail.h"
#include "base/index.h"
#include "fold/fold_shift.h"
#include "fold/folding.h"
#include "graph/positions.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad::folding {
namespace {

using Letters = std::vector<std::string>;
using Position = std::vector<std::int32_t>;

/// What makes nodes at different positions one node of the step.
struct Key {
  enum Kind { value, near, far, outside, unread } kind = unread;
  std::int64_t of = 0;  ///< name; reader's class; reader; label
  int slot = 0;
  Position offset = {};  ///< of a reader elsewhere
  auto operator<=>(const Key&) const = default;
};

/// What an input of a class is at most positions: a class at an offset, or one node.
struct Read {
  bool computed = false;
  int cls = -1;
  Position offset = {};
  NodeId node = -1;
  auto operator<=>(const Read&) const = default;
};

class GridFolder {
 public:
  explicit GridFolder(const Tape& tape)
      : tape_(tape),
        net_(tape),
        owner_(position_owners(tape, std::vector<char>(at(tape.size()), 0))),
        class_(at(tape.size()), -1),
        best_(at(tape.size())) {}

  FoldedGraph run() {
    for (NodeId id = tape_.size() - 1; id >= 0; --id) classify(id);
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (class_[at(id)] >= 0) members_[at(class_[at(id)])].push_back(id);
    for (std::vector<NodeId>& members : members_) keep_alike(members);
    find_extents();
    make_nodes();
    for (std::size_t c = 0; c < members_.size(); ++c) connect_class(c);
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (node_[at(id)] >= 0 && class_[at(id)] < 0) connect_single(id);
    return without_boundaries(std::move(sketch_));
  }

 private:
  // ---- which nodes correspond -----------------------------------------------------------------

  bool placed(NodeId id) const { return owner_[at(id)] >= 0 && !net_.gone(id); }
  std::span<const std::int32_t> position(NodeId id) const { return tape_.index(owner_[at(id)]); }
  Letters letters(NodeId id) const {
    const auto told = tape_.letters(owner_[at(id)]);
    if (!told.empty()) return {told.begin(), told.end()};
    const std::size_t rank = position(id).size();
    if (rank == 1) return {"t"};
    Letters usual{"i", "j", "k", "l"};
    while (usual.size() < rank) usual.push_back(fmt::format("i{}", usual.size()));
    usual.resize(rank);
    return usual;
  }
  bool same_place(NodeId a, NodeId b) const {
    return std::ranges::equal(position(a), position(b)) && letters(a) == letters(b);
  }

  void classify(NodeId id) {
    if (net_.gone(id)) return;
    if (placed(id)) {
      const bool named = tape_.is_value(id);
      Key key = best_[at(id)] ? *best_[at(id)] : Key{.of = net_.label(id)};
      if (named) key = {.kind = Key::value, .of = tape_.name_id(id)};
      const auto place = std::pair(letters(id), Position(position(id).begin(), position(id).end()));
      const int ordinal = taken_[{key, place}]++;  // two of one kind, in the order of the tape
      const auto [it, fresh] =
          classes_.try_emplace({key, place.first, ordinal}, static_cast<int>(members_.size()));
      if (fresh) members_.emplace_back();
      class_[at(id)] = it->second;
    }
    const auto inputs = net_.inputs(id);
    for (std::size_t k = 0; k < inputs.size(); ++k) offer(inputs[k], id, static_cast<int>(k));
  }

  /// A reader that may tell what an input is for: the first of the nearest kind.
  void offer(NodeId input, NodeId reader, int slot) {
    if (!placed(input)) return;
    Key key{.kind = Key::outside, .of = reader};
    if (placed(reader) && same_place(input, reader))
      key = {.kind = Key::near, .of = class_[at(reader)], .slot = slot};
    else if (placed(reader) && position(reader).size() == position(input).size())
      key = {.kind = Key::far,
             .of = class_[at(reader)],
             .slot = slot,
             .offset = difference(position(reader), position(input))};
    if (!best_[at(input)] || key < *best_[at(input)]) best_[at(input)] = std::move(key);
  }

  static Position difference(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
    Position d;
    for (std::size_t i = 0; i < a.size(); ++i) d.push_back(a[i] - b[i]);
    return d;
  }

  /// Those that do what most do; the others are boundaries.
  void keep_alike(std::vector<NodeId>& members) {
    std::map<std::uint32_t, std::int64_t> count;
    std::pair<bool, std::int64_t> best{false, 0};  // computed and given ones before numbers
    std::uint32_t most = 0;
    for (const NodeId id : members) {
      const std::pair now{!net_.is_constant(id), ++count[net_.label(id)]};
      if (now > best) best = now, most = net_.label(id);
    }
    const bool alone = count[most] < 2;  // no step repeats
    for (const NodeId id : members)
      if (alone || net_.label(id) != most) class_[at(id)] = -1;
    std::erase_if(members, [&](NodeId id) { return class_[at(id)] < 0; });
  }

  /// Of each letter's computed positions, the first and the last.
  void find_extents() {
    bool any = false;
    for (const std::vector<NodeId>& members : members_)
      for (const NodeId id : members) {
        const Letters names = letters(id);
        any = any || names.size() > 1;
        for (std::size_t a = 0; a < names.size(); ++a) {
          const auto [it, fresh] = extent_.try_emplace(names[a], position(id)[a], position(id)[a]);
          it->second.first = std::min(it->second.first, position(id)[a]);
          it->second.second = std::max(it->second.second, position(id)[a]);
        }
      }
    if (any) return;
    Diagnostic d;
    d.code = "G026";
    d.message = "no step of this grid repeats: no two positions have values of one name";
    d.help =
        "name values by their positions, name(v, \"p\", {i, j}) or within step(\"i\", i) and "
        "step(\"j\", j), and make it at least 2 wide each way";
    fail(Status::bad_input, std::move(d));
  }

  // ---- nodes and edges ------------------------------------------------------------------------

  void make_nodes() {
    node_.assign(at(tape_.size()), -1);
    std::vector<int> of_class(members_.size(), -1);
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (net_.gone(id)) continue;
      const int c = class_[at(id)];
      if (c < 0) {
        node_[at(id)] = sketch_.add(node_of(tape_, id));
        continue;
      }
      if (of_class[at(c)] < 0) {
        const std::vector<NodeId>& members = members_[at(c)];
        FoldedNode n = node_of(tape_, members[members.size() / 2]);
        n.over = letters(id);
        of_class[at(c)] = sketch_.add(std::move(n));
      }
      node_[at(id)] = of_class[at(c)];
    }
  }

  /// What a member reads, seen from its own position.
  Read read_of(NodeId id, std::size_t slot) const {
    const NodeId in = net_.inputs(id)[slot];
    Read r{.computed = !net_.is_constant(in)};
    if (class_[at(in)] < 0) return r.node = in, r;
    r.cls = class_[at(in)];
    const Letters own = letters(id), other = letters(in);
    for (std::size_t a = 0; a < own.size(); ++a) {
      const auto shared = std::ranges::find(other, own[a]);
      const auto b = shared - other.begin();
      r.offset.push_back(shared == other.end() ? 0 : position(id)[a] - position(in)[at(b)]);
    }
    return r;
  }

  /// Whether a node has letters that its reader lacks: it is read not position by position.
  bool beyond(NodeId in, const Letters& reader) const {
    return class_[at(in)] >= 0 && std::ranges::any_of(letters(in), [&](const std::string& letter) {
             return std::ranges::find(reader, letter) == reader.end();
           });
  }

  void connect_class(std::size_t c) {
    if (members_[c].empty()) return;
    const NodeId first = members_[c].front();
    const Letters own = letters(first);
    if (std::ranges::any_of(net_.inputs(first), [&](NodeId in) { return beyond(in, own); }))
      return gather(first, own);
    for (std::size_t k = 0; k < net_.inputs(first).size(); ++k) connect_slot(c, k, own);
  }

  void connect_slot(std::size_t c, std::size_t slot, const Letters& own) {
    std::map<Read, std::int64_t> count;
    for (const NodeId id : members_[c]) ++count[read_of(id, slot)];
    const auto most = std::ranges::max_element(
        count, {}, [](const auto& entry) { return std::pair(entry.first.computed, entry.second); });
    FoldedEdge e;
    e.to = node_[at(members_[c].front())];
    e.slot = static_cast<int>(slot);
    for (const NodeId id : members_[c]) {
      const Read r = read_of(id, slot);
      e.from = node_[at(net_.inputs(id)[slot])];
      if (r == most->first) continue;
      if (r.cls >= 0 || (most->first.cls < 0 && r.computed)) refuse(id);
      if (boundaries_.emplace(e.from, e.to).second) sketch_.connect(e, true);
    }
    const Read& r = most->first;
    e.from = r.cls >= 0 ? node_[at(members_[at(r.cls)].front())] : node_[at(r.node)];
    e.delay = r.cls >= 0 ? std::vector<int>(r.offset.begin(), r.offset.end())
                         : std::vector<int>(own.size(), 0);
    sketch_.connect(std::move(e));
  }

  [[noreturn]] void refuse(NodeId id) const {
    Diagnostic d;
    d.code = "G026";
    d.message = fmt::format(
        "the positions of this grid are not alike: {} reads another node than "
        "at most others",
        tape_.label(owner_[at(id)]));
    d.help = "a step repeats if all positions but those at the edges read alike";
    fail(Status::bad_input, std::move(d));
  }

  /// Inputs that have letters of their own: a sum takes all of them, another op those at one place.
  void gather(NodeId id, const Letters& own) {
    const bool sum = &tape_.op(id) == &kAddN;
    std::map<int, std::int64_t> terms;
    const auto inputs = net_.inputs(id);
    for (const NodeId in : inputs)
      if (beyond(in, own)) ++terms[class_[at(in)]];
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      FoldedEdge e;
      e.from = node_[at(inputs[k])];
      e.to = node_[at(id)];
      e.slot = sum ? 0 : static_cast<int>(k);
      if (beyond(inputs[k], own)) {
        std::int64_t& left = terms[class_[at(inputs[k])]];
        if (left == 0) continue;  // its edge is there
        e.whole = true;
        e.place = sum && left > 1 ? std::string(kAll) : place_text(inputs[k]);
        if (sum) left = 0;
      } else {
        e.delay.assign(own.size(), 0);
      }
      sketch_.connect(std::move(e));
    }
  }

  void connect_single(NodeId id) { gather(id, {}); }

  /// From the nearer end, axis by axis: "last,1".
  std::string place_text(NodeId id) const {
    const Letters names = letters(id);
    std::vector<std::string> parts;
    for (std::size_t a = 0; a < names.size(); ++a) {
      const auto [first, last] = extent_.at(names[a]);
      const std::int32_t p = position(id)[a];
      parts.push_back(p == last              ? "last"
                      : p - first > last - p ? fmt::format("last-{}", last - p)
                                             : fmt::format("{}", p));
    }
    return fmt::format("{}", fmt::join(parts, ","));
  }

  const Tape& tape_;
  Net net_;
  std::vector<NodeId> owner_;             // by node: whose position it has; -1: none
  std::vector<int> class_;                // by node; -1: outside all steps, or a boundary
  std::vector<std::optional<Key>> best_;  // by node: what its readers say it is for
  std::map<std::pair<Key, std::pair<Letters, Position>>, int> taken_;
  std::map<std::tuple<Key, Letters, int>, int> classes_;
  std::vector<std::vector<NodeId>> members_;  // by class
  std::map<std::string, std::pair<std::int32_t, std::int32_t>> extent_;
  std::vector<int> node_;  // by node of the tape: that of the circuit
  std::set<std::pair<int, int>> boundaries_;
  Sketch sketch_;
};

}  // namespace

bool is_grid(const Tape& tape) {
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.is_value(id) && tape.index(id).size() > 1 && !tape.inputs(id).empty() &&
        &tape.op(id) != &kCopy)
      return true;
  return false;
}

FoldedGraph fold_grid(const Tape& tape) { return GridFolder(tape).run(); }

}  // namespace taugrad::folding
