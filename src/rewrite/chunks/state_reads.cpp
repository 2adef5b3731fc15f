#include "rewrite/chunks/state_reads.h"

#include <algorithm>

#include "rewrite/chunks/terms.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// A state under way to what reads it: behind copies, other axes, transposes.
struct View {
  NodeId node;
  bool turned;  ///< its matrices are transposed
};

class Reads {
 public:
  Reads(const Tape& tape, const Users& users, const StateAxes& axes, const LinearUpdate* next)
      : tape_(tape), users_(users), axes_(axes), next_(next) {}

  /// The read at the end of a way from the state.
  std::optional<StateRead> at_end(const Correction& c) {
    state_ = c.way.back();
    open_ = {{state_, false}};
    const auto before_state = c.way.rbegin() + 1;
    for (auto at = before_state; at != c.way.rend() && open_.size() == 1; ++at) {
      const View view = open_.back();
      if (&tape_.op(*at) == &kMul) break;  // of which the read is a sum
      open_.clear();
      if (&tape_.op(*at) == &kExtendTo ? !pass({*at, view.turned}) : !take(*at, view))
        return std::nullopt;
    }
    if (open_.size() != 1) return std::nullopt;
    const Op* const op = &tape_.op(c.read.node);
    const bool sum = op == &kSum || op == &kSumTo;
    if (!take(sum ? c.way.front() : c.read.node, open_.back())) return std::nullopt;
    const auto found = std::ranges::find(found_, c.read.node, &StateRead::node);
    return found == found_.end() ? std::nullopt : std::optional(*found);
  }

  std::optional<std::vector<StateRead>> run(NodeId state) {
    state_ = state;
    open_ = {{state, false}};
    while (!open_.empty()) {
      const View view = open_.back();
      open_.pop_back();
      for (const NodeId user : users_.of(view.node))
        if (!take(user, view)) return std::nullopt;
    }
    std::ranges::sort(found_, {}, &StateRead::node);
    const auto same = [](const StateRead& a, const StateRead& b) { return a.node == b.node; };
    if (std::ranges::adjacent_find(found_, same) != found_.end()) return std::nullopt;  // S S
    return std::move(found_);
  }

 private:
  const Shape& shape(NodeId id) const { return tape_.shape(id); }

  bool take(NodeId user, const View& view) {
    const Op* const op = &tape_.op(user);
    if (goes_on(user)) return true;
    if (op == &kCopy || op == &kRestrictTo) return pass({user, view.turned});
    if (op == &kExtendTo) return only_goes_on(user);  // else zeros where an item has no such step
    if (op == &kReshape) return reshaped(user, view);
    if (op == &kTranspose) return transposed(user, view);
    if (op == &kMatmul) return product(user, view, false, false);
    if (op == &kStackedMatmul) {
      const Attrs& attrs = tape_.attrs(user);
      return product(user, view, attrs.integer_or("transpose_a", 0) != 0,
                     attrs.integer_or("transpose_b", 0) != 0);
    }
    return op == &kMul && sums(user, view);
  }

  /// Whether it is on the way to the next state, and leads nowhere else.
  bool goes_on(NodeId user) const {
    if (next_ == nullptr) return false;
    if (user == next_->state || corrects(user)) return true;
    return on_way(user) && only_goes_on(user);
  }
  bool on_way(NodeId id) const {
    const auto& correction = next_->correction;
    return std::ranges::count(next_->way, id) > 0 ||
           (correction && std::ranges::count(correction->way, id) > 0);
  }
  /// Whether it is what the next update reads of the state.
  bool corrects(NodeId id) const {
    return next_ != nullptr && next_->correction && next_->correction->read.node == id;
  }

  bool only_goes_on(NodeId id) const {
    return std::ranges::all_of(users_.of(id), [&](NodeId u) { return goes_on(u); });
  }

  bool pass(View view) {
    open_.push_back(view);
    return true;
  }

  /// Rows of all heads one after another, or heads of their own.
  bool reshaped(NodeId user, const View& view) {
    const Shape& s = shape(user);
    return !view.turned && s.rank() > 0 && s[s.rank() - 1] == axes_.columns && pass({user, false});
  }

  bool transposed(NodeId user, const View& view) {
    const Shape& s = shape(view.node);
    if (s.rank() < 2 || !is_matrix(s, view.turned)) return false;
    const Attrs& attrs = tape_.attrs(user);
    const bool last_two = s.rank() == 2 || (s.rank() == 3 && attrs.has("axes") &&
                                            attrs.ints("axes") == Ints{0, 2, 1});
    return last_two && pass({user, !view.turned});
  }

  /// Whether the last two axes are those of the matrix.
  bool is_matrix(const Shape& s, bool turned) const {
    if (s.rank() < 2) return axes_.rows == 1 && s.rank() == 1;
    const std::int64_t m = s[s.rank() - 2], n = s[s.rank() - 1];
    return turned ? m == axes_.columns && n == axes_.rows : m == axes_.rows && n == axes_.columns;
  }

  /// A product with a vector, on either side.
  bool product(NodeId user, const View& view, bool turned_a, bool turned_b) {
    const auto in = tape_.inputs(user);
    if (in[0] == in[1]) return false;
    const bool left = in[0] == view.node;
    const NodeId query = in[left ? 1 : 0];
    const bool query_turned = left ? turned_b : turned_a;
    const bool turned = view.turned != (left ? turned_a : turned_b);
    const Shape &s = shape(view.node), &q = shape(query);
    // of the state as it is, its columns where it stands on the left
    const bool over_columns = left != turned || s.rank() == 1;
    if (q.rank() >= 2) {
      const std::int64_t lines = q[q.rank() - (left != query_turned ? 1 : 2)];
      if (lines != 1) return false;  // several vectors
    }
    const std::int64_t n = over_columns ? axes_.columns : axes_.rows;
    if (n == 0 || q.size() % n != 0) return false;
    const std::int64_t heads = q.size() / n;
    if (heads != 1 && heads != axes_.heads) return false;
    // a product of flat rows sums over columns only, with one vector for all heads
    const bool matrices = is_matrix(s, view.turned) && (s.rank() > 2 || axes_.heads == 1);
    if (!matrices && (!over_columns || heads != 1 || turned || s.rank() > 2)) return false;
    return read(user, query, over_columns, heads);
  }

  bool read(NodeId node, NodeId query, bool over_columns, std::int64_t heads) {
    const std::int64_t size = axes_.heads * (over_columns ? axes_.rows : axes_.columns);
    if (shape(node).size() != size) return false;
    if (corrects(node)) return true;
    found_.push_back({node, elements_of(tape_, query), 0, over_columns, heads});
    return true;
  }

  /// sum(S * q) along an axis.
  bool sums(NodeId user, const View& view) {
    if (shape(user) != shape(state_) || shape(view.node) != shape(state_)) return false;
    const auto in = tape_.inputs(user);
    if (in[0] == in[1]) return false;
    NodeId query = in[in[0] == view.node ? 1 : 0];
    if (&tape_.op(query) == &kBroadcastTo) query = tape_.inputs(query)[0];
    const auto seen = seen_as(shape(query), shape(state_), axes_);
    using Kind = Factor::Kind;
    if (!seen || seen->kind == Kind::number) return false;
    const bool over_columns = seen->kind == Kind::row;
    return std::ranges::all_of(users_.of(user), [&](NodeId sum) {
      return is_sum(sum, over_columns) && read(sum, query, over_columns, seen->heads);
    });
  }

  bool is_sum(NodeId sum, bool over_columns) const {
    const Op* const op = &tape_.op(sum);
    const std::int64_t left = over_columns ? axes_.rows : axes_.columns;
    if (op == &kSum) return axes_.heads * left == 1;
    if (op != &kSumTo) return false;
    const auto seen = seen_as(shape(sum), shape(state_), axes_);
    using Kind = Factor::Kind;
    const Kind kind = left == 1 ? Kind::number : over_columns ? Kind::column : Kind::row;
    return seen && seen->kind == kind && seen->heads == axes_.heads;
  }

  const Tape& tape_;
  const Users& users_;
  const StateAxes& axes_;
  const LinearUpdate* next_;
  NodeId state_ = -1;
  std::vector<View> open_;
  std::vector<StateRead> found_;
};

}  // namespace

Users::Users(const Tape& tape) : first(static_cast<std::size_t>(tape.size()) + 1) {
  const auto at = [](NodeId id) { return static_cast<std::size_t>(id); };
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId x : tape.inputs(id)) ++first[at(x) + 1];
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  user.resize(first.back());
  std::vector<std::size_t> next(first.begin(), first.end() - 1);
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId x : tape.inputs(id)) user[next[at(x)]++] = id;
}

std::optional<std::vector<StateRead>> reads_of(const Tape& tape, const Users& users, NodeId state,
                                               const StateAxes& axes, const LinearUpdate* next) {
  return Reads(tape, users, axes, next).run(state);
}

std::optional<StateRead> read_of(const Tape& tape, const Users& users, const Correction& c,
                                 const StateAxes& axes) {
  return Reads(tape, users, axes, nullptr).at_end(c);
}

}  // namespace taugrad
