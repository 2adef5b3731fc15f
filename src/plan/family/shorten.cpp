#include "plan/family/shorten.h"

#include <algorithm>
#include <limits>

#include "base/index.h"
#include "graph/verified.h"
#include "plan/plan_builder.h"
#include "rewrite/tape_copy.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

constexpr NodeId kGone = -1;

/// Sets of items, and indices, are numbered one after another as the times go by: where the times
/// left out are left out of the numbers.
struct Cut {
  std::int64_t from, count;  ///< numbers left out
  bool fits = true;          ///< false once one of them was asked for

  bool gone(std::int64_t e) const { return e >= from && e < from + count; }
  std::uint32_t mapped(std::int64_t e) {
    fits = fits && !gone(e);
    return static_cast<std::uint32_t>(e < from ? e : e - count);
  }
  /// A number that moves on by `step`, up from the first time's or down from it.
  std::uint32_t moved(std::int64_t first, std::int64_t step, std::int32_t time) {
    if (step == 0) return mapped(first);
    fits = fits && (step == 1 ? first < from : step == -1 && first >= from + count);
    return static_cast<std::uint32_t>(first + time * step - (step > 0 ? 0 : count));
  }
};

class Shortener {
 public:
  Shortener(const Tape& tape, std::span<const std::uint8_t> long_sum,
            std::span<const Repeat> repeats, std::int32_t times)
      : from_(tape), long_sum_(long_sum), repeats_(repeats), times_(times), to_(out_.graph.tape()) {
    gone_.push_back(0);
    for (const Repeat& r : repeats) gone_.push_back(gone_.back() + r.length * times);
  }

  std::optional<Shortened> run(std::span<const NodeId> outputs) {
    if (!copy_extents()) return std::nullopt;
    copy_indices();
    NodeId id = 0;
    for (std::size_t r = 0; r < repeats_.size() && fits(); ++r) {
      add_others(id, repeats_[r].first);
      add_repeat(r);
      id = repeats_[r].end();
    }
    add_others(id, from_.size());
    for (const NodeId output : outputs)
      if (const NodeId copy = mapped(output); copy != kGone) out_.outputs.push_back(copy);
    keep_list(out_.outputs, outputs);
    if (!fits()) return std::nullopt;
    verify_rewritten(out_.graph.tape());
    return std::move(out_);
  }

 private:
  bool fits() const { return fits_ && extents_.fits && indices_.fits; }

  /// The first repeat that ends behind a node.
  std::size_t next_repeat(NodeId id) const {
    return static_cast<std::size_t>(
        std::ranges::partition_point(repeats_, [&](const Repeat& r) { return r.end() <= id; }) -
        repeats_.begin());
  }

  /// A node's number in the shorter tape.
  NodeId mapped(NodeId id) const {
    const std::size_t r = next_repeat(id);
    if (r == repeats_.size() || id < repeats_[r].first) return id - gone_[r];
    const Repeat& repeat = repeats_[r];
    const std::int32_t time = (id - repeat.first) / repeat.length, left = repeat.count - times_;
    if (time < left / 2) return id - gone_[r];
    return time >= left / 2 + times_ ? id - gone_[r + 1] : kGone;
  }

  // ---- sets of items and indices

  /// The numbers to leave out of those that move on with the repeats.
  template <class NumberOf>
  Cut cut(const NumberOf& number_of) const {
    std::int64_t lowest = std::numeric_limits<std::int64_t>::max(), highest = -1;
    for (const Repeat& r : repeats_)
      for (NodeId id = r.first; id < r.first + r.length; ++id) {
        const std::int64_t first = number_of(id), last = number_of(id + r.length * (r.count - 1));
        if (first == last) continue;
        lowest = std::min({lowest, first, last});
        highest = std::max({highest, first, last});
      }
    if (highest < 0) return {lowest, 0};
    return {lowest + (highest + 1 - lowest - times_) / 2, times_};
  }

  bool copy_extents() {
    to_.length_names = from_.length_names;
    extents_ = cut([&](NodeId id) { return from_.extent_id(id); });
    const Layout layout = layout_of(from_);
    const auto number = [](std::int64_t e) { return static_cast<ExtentId>(e); };
    for (std::int64_t e = kEveryItem; e < static_cast<std::int64_t>(from_.extent_count()); ++e)
      if (!extents_.gone(e))
        to_.intern_extent(from_.extent(number(e)));
      else if (layout.prefix(number(e)) != layout.prefix(number(extents_.from)))
        return false;
    return true;
  }

  void copy_indices() {
    indices_ = cut([&](NodeId id) { return from_.index_id(id); });
    IndexId last = 0;
    for (NodeId id = 0; id < from_.size(); ++id) last = std::max(last, from_.index_id(id));
    for (IndexId i = 0; i <= last; ++i)
      if (!indices_.gone(i)) to_.intern_index(from_.index_of(i));
  }

  // ---- nodes

  void append(NodeId like, ExtentId extent, IndexId index, AttrsId attrs) {
    const ShapeId shape = renumbered(shapes_, from_.shape_id(like),
                                     [&] { return to_.intern_shape(from_.shape(like)); });
    const NameId name = renumbered(names_, from_.name_id(like), [&] {
      return to_.intern_name(from_.name(like), from_.letters_of(from_.name_id(like)));
    });
    to_.set_owner(name, index);
    to_.append_raw(from_.op(like), inputs_, shape, attrs, extent);
    out_.long_sum.push_back(0);
  }

  void add_others(NodeId id, NodeId end) {
    for (; id < end && fits(); ++id) {
      inputs_.clear();
      const auto in = from_.inputs(id);
      for (const NodeId x : in)
        if (const NodeId copy = mapped(x); copy != kGone) inputs_.push_back(copy);
      const ExtentId extent = extents_.mapped(from_.extent_id(id));
      const IndexId index = indices_.mapped(from_.index_id(id));
      if (!fits()) return;
      append(id, extent, index, same_attrs(id, extent));
      const bool known = !long_sum_.empty() && long_sum_[at(id)] != 0;
      out_.long_sum.back() = known || in.size() > kMostTerms;
      // a sum over all times stays one of its kind; whatever else reads the middle is special
      const bool shared = from_.extent_id(id) == kShared;
      if (inputs_.size() == in.size()) continue;
      const bool sum = &from_.op(id) == &kAddN && (shared || out_.long_sum.back() != 0);
      const std::size_t least = &from_.op(id) == &kMeanN ? 2 : 1;  // a count, and a term
      fits_ = fits_ && (sum || &from_.op(id) == &kMeanN) && inputs_.size() >= least;
      keep_list(inputs_, in);
    }
  }

  void keep_list(std::span<const NodeId> left, std::span<const NodeId> whole) {
    out_.lists.emplace_back().cells.assign(left.begin(), left.end());
    out_.whole_lists.emplace_back().cells.assign(whole.begin(), whole.end());
  }

  void add_repeat(std::size_t number) {
    const Repeat& r = repeats_[number];
    const std::int32_t count = r.count - times_;
    fits_ = fits_ && count >= 2;
    out_.repeats.push_back({to_.size(), r.length, count});
    for (std::int32_t time = 0; time < count && fits(); ++time)
      for (NodeId id = r.first; id < r.first + r.length && fits(); ++id) add_again(r, id, time);
  }

  /// A node of a repeat, at a time of the shorter tape; `id` is it at time 0.
  void add_again(const Repeat& r, NodeId id, std::int32_t time) {
    inputs_.clear();
    const auto in = from_.inputs(id), next = from_.inputs(id + r.length);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const NodeId step = next[i] - in[i];
      const NodeId x =
          step == 0 ? mapped(in[i]) : moved(in[i] + time * step, in[i] + r.count / 2 * step, step);
      fits_ = fits_ && x >= 0 && x < to_.size();
      inputs_.push_back(x);
    }
    if (!fits_) return;
    const auto moved_number = [&](Cut& cut, std::int64_t now, std::int64_t later) {
      return cut.moved(now, later - now, time);
    };
    const NodeId later = id + r.length;
    const ExtentId extent = moved_number(extents_, from_.extent_id(id), from_.extent_id(later));
    const IndexId index = moved_number(indices_, from_.index_id(id), from_.index_id(later));
    if (!fits()) return;
    const bool same = from_.attrs_id(id) == from_.attrs_id(later);
    append(id, extent, index, same ? same_attrs(id, extent) : moved_attrs(id, later, time, extent));
  }

  // ---- attributes

  AttrsId same_attrs(NodeId id, ExtentId extent) {
    const Attrs& attrs = from_.attrs(id);
    if (from_.op(id).traits.variadic_items) return moved_attrs(id, id, 0, extent);
    return renumbered(attrs_, from_.attrs_id(id), [&] { return to_.intern_attrs(attrs); });
  }

  /// Whole numbers move on as from `id` to `next`: up from the first time's, or down from the
  /// last's.
  AttrsId moved_attrs(NodeId id, NodeId next, std::int32_t time, ExtentId extent) {
    Attrs attrs = from_.attrs(id);
    auto later = from_.attrs(next).begin();
    for (const auto& [name, value] : from_.attrs(id)) {
      if (const auto* first = std::get_if<std::int64_t>(&value)) {
        const std::int64_t step = std::get<std::int64_t>(later->second) - *first;
        attrs.set(name, *first + time * step + (step < 0 ? times_ * step : 0));
      }
      ++later;
    }
    if (from_.op(id).traits.variadic_items) attrs.set("extent", std::int64_t{extent});
    return to_.intern_attrs(attrs);
  }

  /// The number of `x` that moves on by `step` within the repeat around `middle`.
  NodeId moved(NodeId x, NodeId middle, NodeId step) {
    const std::size_t r = next_repeat(middle);
    if (r == repeats_.size() || middle < repeats_[r].first || std::abs(step) != repeats_[r].length)
      return kGone;
    return x - (step > 0 ? gone_[r] : gone_[r + 1]);  // counted from its beginning or its end
  }

  const Tape& from_;
  std::span<const std::uint8_t> long_sum_;
  std::span<const Repeat> repeats_;
  std::int32_t times_;
  Shortened out_;
  Tape& to_;
  std::vector<NodeId> gone_;  // nodes left out before each repeat
  bool fits_ = true;
  Cut extents_{0, 0}, indices_{0, 0};
  std::vector<std::uint32_t> shapes_, attrs_, names_;  // numbers in the new tape, plus 1
  std::vector<NodeId> inputs_;
};

}  // namespace

std::optional<Shortened> shorten(const Tape& tape, std::span<const NodeId> outputs,
                                 std::span<const std::uint8_t> long_sum,
                                 std::span<const Repeat> repeats, std::int32_t times) {
  return Shortener(tape, long_sum, repeats, times).run(outputs);
}

}  // namespace taugrad::plan
