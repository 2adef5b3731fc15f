#include "rewrite/chunks/correction.h"

#include <algorithm>
#include <utility>

#include "rewrite/chunks/terms.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// How far an expression is searched for the state: it is written in one equation.
constexpr int kMostNodes = 64;

class Line {
 public:
  Line(const Tape& tape, const StateAxes& axes, const Factor& line, const StateBefore& before)
      : tape_(tape), line_(line), before_(before), heads_(axes.heads) {
    width_ = line.kind == Factor::Kind::row ? axes.columns : axes.rows;
  }

  std::optional<Correction> run() {
    if (line_.below || line_.heads != heads_ || !holds_read(line_.node)) return std::nullopt;
    result_.line = line_.kind;
    std::vector<Part> open{{line_.node, {}}};
    while (!open.empty()) {
      Part part = std::move(open.back());
      open.pop_back();
      if (holds_read(part.node)) result_.opened.push_back(part.node);
      if (is_read(part.node)) {
        if (!take_read(part)) return std::nullopt;
      } else if (!holds_read(part.node)) {
        take_rest(part);
      } else if (!open_up(part, open)) {
        return std::nullopt;
      }
    }
    return std::move(result_);
  }

 private:
  /// A term of the line, times a scale.
  struct Part {
    NodeId node;
    FactorProduct scale;
  };

  const Op* op(NodeId id) const { return &tape_.op(id); }
  std::span<const NodeId> in(NodeId id) const { return tape_.inputs(id); }

  // ---- where the state is read

  /// The way from a product, or a sum of one, to the state before; empty: there is none.
  std::vector<NodeId> way_to_state(NodeId id) const {
    const bool product = op(id) == &kMatmul || op(id) == &kStackedMatmul;
    const bool sum = (op(id) == &kSum || op(id) == &kSumTo) && op(in(id)[0]) == &kMul;
    if (!product && !sum) return {};
    const NodeId of = sum ? in(id)[0] : id;
    for (const NodeId x : in(of)) {
      std::vector<NodeId> way;
      if (sum) way.push_back(of);
      if (climb(x, way)) return way;
    }
    return {};
  }
  /// Through copies and other axes. The state is the last of the way.
  bool climb(NodeId id, std::vector<NodeId>& way) const {
    for (;; id = in(id)[0]) {
      way.push_back(id);
      if (id == before_.state || id == before_.gated) return true;
      const Op* const by = op(id);
      if (by != &kCopy && by != &kRestrictTo && by != &kExtendTo && by != &kReshape &&
          by != &kTranspose)
        return false;
    }
  }
  bool is_read(NodeId id) const { return !way_to_state(id).empty(); }

  static bool is_linear(const Op* op) {
    const Op* const all[] = {&kAdd, &kSub, &kNeg, &kMul, &kDiv, &kReshape, &kBroadcastTo};
    return std::ranges::find(all, op) != std::end(all);
  }
  bool holds_read(NodeId root) const {
    std::vector<NodeId> open{root};
    for (int n = 0; n < kMostNodes && !open.empty(); ++n) {
      const NodeId id = open.back();
      open.pop_back();
      if (is_read(id)) return true;
      if (is_linear(op(id))) open.insert(open.end(), in(id).begin(), in(id).end());
    }
    return false;
  }

  // ---- terms

  bool take_read(Part& part) {
    if (result_.read.node >= 0) return false;  // two of them
    result_.read.node = part.node;
    result_.way = way_to_state(part.node);
    const bool by_gate = result_.way.back() == before_.gated;
    const bool free = before_.gate.factors.empty();  // the gate is 1 or -1
    result_.gated = by_gate || free;
    result_.scale = std::move(part.scale);
    if (by_gate ? before_.negative : free && before_.gate.negative)
      result_.scale.negative = !result_.scale.negative;
    return true;
  }

  void take_rest(Part& part) {
    const NodeId node = elements_of(tape_, part.node);
    const std::int64_t heads = tape_.shape(node).size() / width_;
    part.scale.factors.push_back({node, line_.kind, false, heads});
    result_.rest.push_back(std::move(part.scale));
  }

  /// The terms of a sum; of a product the factor that holds the state, the other is a number.
  bool open_up(Part& part, std::vector<Part>& open) const {
    const Op* const by = op(part.node);
    const auto x = in(part.node);
    if (tape_.shape(x[0]).size() != heads_ * width_ && by != &kMul) return false;
    if (by == &kAdd || by == &kSub) {
      open.push_back({x[0], part.scale});
      open.push_back({x[1], std::move(part.scale)});
      if (by == &kSub) open.back().scale.negative = !open.back().scale.negative;
      return true;
    }
    if (by == &kMul || by == &kDiv) return open_product(part, open);
    if (by == &kNeg) part.scale.negative = !part.scale.negative;
    open.push_back({x[0], std::move(part.scale)});
    return true;
  }
  bool open_product(Part& part, std::vector<Part>& open) const {
    const auto x = in(part.node);
    const bool below = op(part.node) == &kDiv;
    const bool first = holds_read(x[0]);
    if (first == holds_read(x[1]) || (below && !first)) return false;
    const std::optional<FactorProduct> number = number_of(x[first ? 1 : 0], part.node);
    if (!number) return false;
    if (number->negative) part.scale.negative = !part.scale.negative;
    for (Factor f : number->factors) {
      f.below = f.below != below;
      part.scale.factors.push_back(f);
    }
    open.push_back({x[first ? 0 : 1], std::move(part.scale)});
    return true;
  }
  /// A number for each head that meets a line.
  std::optional<FactorProduct> number_of(NodeId id, NodeId line) const {
    const std::optional<StateAxes> axes = axes_of(tape_.shape(line));
    if (!axes) return std::nullopt;
    std::optional<Term> term = Terms(tape_, tape_.shape(line), *axes).take_apart(id);
    if (!term || !term->full.empty()) return std::nullopt;
    const auto is_number = [](const Factor& f) { return f.kind == Factor::Kind::number; };
    if (!std::ranges::all_of(term->product.factors, is_number)) return std::nullopt;
    return std::move(term->product);
  }
  /// Which axes of a shape are those of the heads and of the numbers of a line.
  std::optional<StateAxes> axes_of(const Shape& s) const {
    StateAxes axes{-1, -1, -1, heads_, 1, width_};
    for (int i = s.rank(); i-- > 0;) {
      if (s[i] == 1) continue;
      if (axes.n < 0 && s[i] == width_)
        axes.n = i;
      else if (axes.n >= 0 && axes.head < 0 && s[i] == heads_)
        axes.head = i;
      else
        return std::nullopt;
    }
    if (axes.n < 0 || (axes.head < 0 && heads_ > 1)) return std::nullopt;
    return axes;
  }

  const Tape& tape_;
  const Factor& line_;
  const StateBefore& before_;
  std::int64_t heads_, width_;
  Correction result_;
};

}  // namespace

std::optional<Correction> correction_of(const Tape& tape, const StateAxes& axes, const Factor& line,
                                        const StateBefore& before) {
  if (line.kind == Factor::Kind::number || axes.rows < 2 || axes.columns < 2) return std::nullopt;
  return Line(tape, axes, line, before).run();
}

}  // namespace taugrad
