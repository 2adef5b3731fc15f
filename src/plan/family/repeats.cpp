#include "plan/family/repeats.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/index.h"
#include "taugrad/graph/op.h"

namespace taugrad::plan {
namespace {

constexpr int kMostTries = 8;        ///< lengths that are tried from one node on
constexpr int kMostMarks = 1 << 12;  ///< nodes that look alike are told from others by so many

bool steady(std::int64_t a, std::int64_t b, std::int64_t c) { return c - b == b - a; }

/// Equal but for whole numbers.
bool same_kind(const Attrs& a, const Attrs& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.index() == y.second.index() &&
           (std::holds_alternative<std::int64_t>(x.second) || x.second == y.second);
  });
}

/// Of attributes of one kind.
bool steady(const Attrs& a, const Attrs& b, const Attrs& c) {
  auto y = b.begin(), z = c.begin();
  for (const auto& [name, x] : a) {
    if (const auto* number = std::get_if<std::int64_t>(&x);
        number &&
        !steady(*number, std::get<std::int64_t>(y->second), std::get<std::int64_t>(z->second)))
      return false;
    ++y, ++z;
  }
  return true;
}

class Finder {
 public:
  Finder(const Tape& tape, std::span<const NodeId> outputs)
      : tape_(tape),
        is_output_(at(tape.size())),
        next_(at(tape.size())),
        budget_(8 * std::int64_t{tape.size()}) {
    for (const NodeId id : outputs) is_output_[at(id)] = 1;
    std::vector<NodeId> last(kMostMarks, tape.size());
    for (NodeId id = tape.size() - 1; id >= 0; --id)
      next_[at(id)] = std::exchange(last[mark(id)], id);
  }

  std::vector<Repeat> run() {
    std::vector<Repeat> found;
    for (NodeId id = 0; id < tape_.size() && budget_ > 0;) {
      const Repeat repeat = repeat_from(id);
      if (repeat.count > 0) found.push_back(repeat);
      id = repeat.count > 0 ? repeat.end() : repeat.first;
    }
    return found;
  }

 private:
  /// The repeat that begins at `id`; count 0: its `first` is where to look next.
  Repeat repeat_from(NodeId id) {
    Repeat next{id + 1, 0, 0};
    if (tape_.op(id).traits.leaf && tape_.extent_id(id) == kShared) return next;  // comes once
    const NodeId longest = (tape_.size() - id) / kFewest;
    NodeId furthest = id;
    int tries = 0;
    for (NodeId again = next_[at(id)]; again - id <= longest; again = next_[at(again)]) {
      if (++tries > kMostTries || budget_ < 0) break;
      if (!alike(id, again)) continue;
      const NodeId length = again - id;
      const NodeId end = end_of(id, length);
      budget_ -= end - id - length;
      if (end - id >= kFewest * length) return {id, length, (end - id) / length};
      if (end <= furthest || end - id < 2 * length) continue;
      furthest = end;  // what breaks off after its second time does so from wherever it begins
      next.first = std::max(id + 1, end - 2 * length + 1);
    }
    return next;
  }

  /// Where the run of this length breaks off.
  NodeId end_of(NodeId id, NodeId length) const {
    NodeId end = id + length;
    while (end < tape_.size() && alike(end - length, end) &&
           (end < id + 2 * length || moves_on(end - 2 * length, end - length, end)))
      ++end;
    return end;
  }

  /// Equal for nodes that are alike, and seldom for others.
  std::size_t mark(NodeId id) const {
    std::uint64_t h = std::bit_cast<std::uintptr_t>(&tape_.op(id)) >> 4;
    h = (h * 31 + tape_.name_id(id)) * 31 + tape_.shape_id(id);
    return (h * 0x9E3779B97F4A7C15u >> 40) % kMostMarks;
  }

  bool alike(NodeId a, NodeId b) const {
    return &tape_.op(a) == &tape_.op(b) && tape_.shape_id(a) == tape_.shape_id(b) &&
           tape_.name_id(a) == tape_.name_id(b) && is_output_[at(a)] == is_output_[at(b)] &&
           tape_.inputs(a).size() == tape_.inputs(b).size() &&
           (tape_.attrs_id(a) == tape_.attrs_id(b) || same_kind(tape_.attrs(a), tape_.attrs(b)));
  }

  bool moves_on(NodeId a, NodeId b, NodeId c) const {
    if (!steady(tape_.extent_id(a), tape_.extent_id(b), tape_.extent_id(c)) ||
        !steady(tape_.index_id(a), tape_.index_id(b), tape_.index_id(c)))
      return false;
    if ((tape_.attrs_id(a) != tape_.attrs_id(b) || tape_.attrs_id(b) != tape_.attrs_id(c)) &&
        !steady(tape_.attrs(a), tape_.attrs(b), tape_.attrs(c)))
      return false;
    const auto p = tape_.inputs(a), q = tape_.inputs(b), r = tape_.inputs(c);
    for (std::size_t i = 0; i < p.size(); ++i)
      if (!steady(p[i], q[i], r[i])) return false;
    return true;
  }

  const Tape& tape_;
  std::vector<std::uint8_t> is_output_;
  std::vector<NodeId> next_;  // by node: the next one of its mark; or behind the last
  std::int64_t budget_;       // comparisons
};

}  // namespace

std::vector<Repeat> find_repeats(const Tape& tape, std::span<const NodeId> outputs) {
  return Finder(tape, outputs).run();
}

}  // namespace taugrad::plan
