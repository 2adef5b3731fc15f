#include "language/shapes/shape_system.h"

#include <algorithm>
#include <bit>
#include <set>

namespace taugrad {
namespace {

constexpr std::size_t kMostNear = 256;

}  // namespace

int ShapeSystem::unknown(Ranks ranks) {
  terms_.push_back({static_cast<int>(terms_.size()), ranks});
  readers_.emplace_back();
  open_.push_back(0);
  return terms_.back().parent;
}

int ShapeSystem::known(std::vector<GivenSize> axes) {
  const int term = unknown(only_rank(static_cast<int>(axes.size())));
  terms_.back().axes = static_cast<int>(axes_.size());
  axes_.emplace_back();
  for (const GivenSize& size : axes) axes_.back().push_back(sizes_.given(size));
  return term;
}

int ShapeSystem::find(int term) {
  while (terms_[static_cast<std::size_t>(term)].parent != term) {
    int& up = terms_[static_cast<std::size_t>(term)].parent;
    term = up = terms_[static_cast<std::size_t>(up)].parent;
  }
  return term;
}

void ShapeSystem::relate(ShapeRule rule, std::span<const int> terms, Origin origin, GivenSize first,
                         GivenSize second) {
  const int number = static_cast<int>(relations_.size());
  Relation r{rule,
             true,
             static_cast<int>(operands_.size()),
             static_cast<int>(terms.size()),
             static_cast<int>(numbers_.size()),
             origin};
  operands_.insert(operands_.end(), terms.begin(), terms.end());
  numbers_.push_back(std::move(first));
  numbers_.push_back(std::move(second));
  relations_.push_back(r);
  for (const int a : terms) readers_[static_cast<std::size_t>(find(a))].push_back(number);
  is_due_.push_back(1);
  due_.push_back(number);
}

const std::vector<int>& ShapeSystem::axes(int term) {
  Term& t = terms_[static_cast<std::size_t>(find(term))];
  if (t.axes < 0) {
    t.axes = static_cast<int>(axes_.size());
    axes_.emplace_back();
    for (int axis = 0; axis < rank(term); ++axis) axes_.back().push_back(sizes_.unknown());
  }
  return axes_[static_cast<std::size_t>(t.axes)];
}

int ShapeSystem::rank(int term) { return std::countr_zero(ranks_of(term)); }

Shape ShapeSystem::shape(int term) {
  std::vector<std::int64_t> dims;
  for (const int axis : axes(term)) dims.push_back(sizes_.value(axis));
  return Shape(std::span<const std::int64_t>(dims));
}

void ShapeSystem::solve() {
  settle_ranks();
  const Sizes given = save();
  settle_sizes();
  std::set<int> kept;
  for (std::size_t c = 0; c < conflicts_.size();) {
    const int conflict = conflicts_[c];
    const bool fewer = !kept.contains(conflict) && raise_a_number(conflict, given);
    if (!fewer) kept.insert(conflict);
    c = fewer ? 0 : c + 1;
  }
}

void ShapeSystem::restore(const Sizes& s) {
  terms_ = s.terms;
  axes_ = s.axes;
  sizes_ = s.sizes;
  conflicts_ = s.conflicts;
}

// What operations give comes before what they ask of their operands: of two sizes that contradict
// each other, the one that is read is wrong.
void ShapeSystem::settle_sizes() {
  for (const bool asked : {false, true}) {
    for (std::size_t r = 0; r < relations_.size(); ++r)
      if (relations_[r].holds) relate_sizes(static_cast<int>(r), asked);
    sizes_.propagate();
  }
  conflicts_.insert(conflicts_.end(), sizes_.broken().begin(), sizes_.broken().end());
}

// Where sizes contradict each other, a term that was taken for a number, the smallest, may be a
// vector: v of W @ (v * g) with g of [1]. Only if no other would do as well.
bool ShapeSystem::raise_a_number(int conflict, const Sizes& given) {
  const std::vector<int> numbers = open_numbers_near(conflict);
  if (numbers.empty()) return false;
  if (tries_ > kMostTries)
    return unsolved_.push_back(relations_[static_cast<std::size_t>(conflict)].origin), false;
  const Sizes found = save();
  const std::vector<Term> open = open_terms_;
  std::vector<int> raised;
  for (const int t : numbers) {
    tries_ += open.size();
    const bool better =
        tries_ <= kMostTries && settle_raised(t, open, given) &&
        conflicts_.size() < found.conflicts.size() &&
        std::find(conflicts_.begin(), conflicts_.end(), conflict) == conflicts_.end();
    if (better) raised.push_back(t);
  }
  if (raised.size() == 1) return settle_raised(raised.front(), open, given);
  restore(found);
  open_terms_ = open;
  if (raised.size() > 1 || tries_ > kMostTries)
    unsolved_.push_back(relations_[static_cast<std::size_t>(conflict)].origin);
  return false;
}

// terms that were taken for numbers, found by going from relation to relation
std::vector<int> ShapeSystem::open_numbers_near(int relation) {
  std::vector<int> numbers, queue{relation};
  std::set<int> relations{relation}, terms;
  for (std::size_t next = 0; next < queue.size() && next < kMostNear; ++next)
    for (const int a : this->terms(relations_[static_cast<std::size_t>(queue[next])])) {
      const int root = find(a);
      const Term& before = open_terms_[static_cast<std::size_t>(root)];
      if (before.axes >= 0 || !terms.insert(root).second)
        continue;  // what is given tells nothing of others
      if ((before.ranks & 1) != 0 && before.ranks != 1) numbers.push_back(root);
      for (const int r : readers_[static_cast<std::size_t>(root)])
        if (relations.insert(r).second) queue.push_back(r);
    }
  return numbers;
}

bool ShapeSystem::settle_raised(int term, const std::vector<Term>& open, const Sizes& given) {
  restore(given);
  terms_ = open;
  if (std::vector<int> failing; !try_narrow(term, kOneOrMore) || !try_smallest(failing))
    return false;
  settle_sizes();
  return true;
}

void ShapeSystem::equal(int a, int b, int number) {
  if (!sizes_.equal(a, b)) conflicts_.push_back(number);
}

void ShapeSystem::choose() {
  for (std::size_t t = 0; t < terms_.size(); ++t)
    for (const int axis : axes(static_cast<int>(t)))
      if (!sizes_.is_known(axis)) open_[static_cast<std::size_t>(find(static_cast<int>(t)))] = 1;
  for (const int r : sizes_.choose())
    unsolved_.push_back(relations_[static_cast<std::size_t>(r)].origin);
}

void ShapeSystem::relate_broadcast(const Relation& r, int number) {
  const std::span<const int> t = terms(r);
  const int rank = this->rank(t[0]);
  for (int axis = 1; axis <= rank; ++axis) {  // from the last
    std::vector<int> in;
    for (const int a : t.subspan(1)) {
      if (const int of = this->rank(a); axis <= of)
        in.push_back(axes(a)[static_cast<std::size_t>(of - axis)]);
      if (in.size() > 1 && in.back() == in.front()) in.pop_back();
    }
    const int out = axes(t[0])[static_cast<std::size_t>(rank - axis)];
    if (in.size() != 1 || in.front() != out) sizes_.broadcast(out, std::move(in), number);
  }
}

// what an operation gives: letters of its result; what it asks: that a letter is one size
void ShapeSystem::relate_contraction(const Relation& r, int number, bool asked) {
  const std::span<const int> t = terms(r);
  const bool two = t.size() > 2;
  Core core;
  core_of(r.rule, rank(t[1]), two ? rank(t[2]) : 0, core);
  std::array<int, 128> first;
  first.fill(-1);
  const auto read = [&](int term, std::string_view letters) {
    const std::vector<int> of = axes(term);
    for (std::size_t i = 0; i < letters.size(); ++i) {
      int& known = first[static_cast<std::size_t>(letters[i])];
      const int axis = of[of.size() - letters.size() + i];
      if (known < 0)
        known = axis;
      else if (asked)
        equal(known, axis, number);
    }
  };
  read(t[1], core.a);
  if (two) read(t[2], core.b);
  if (asked) return;
  const std::vector<int> y = axes(t[0]);
  for (std::size_t i = 0; i < core.y.size(); ++i)
    equal(y[y.size() - core.y.size() + i], first[static_cast<std::size_t>(core.y[i])], number);
  relate_leading(r, number);
}

void ShapeSystem::relate_leading(const Relation& r, int number) {
  const std::span<const int> t = terms(r);
  const bool two = t.size() > 2;
  Core core;
  core_of(r.rule, rank(t[1]), two ? rank(t[2]) : 0, core);
  const int rest_a = rank(t[1]) - static_cast<int>(core.a.size());
  const int rest_b = two ? rank(t[2]) - static_cast<int>(core.b.size()) : 0;
  const int lead = rank(t[0]) - static_cast<int>(core.y.size());
  for (int axis = 1; axis <= lead; ++axis) {  // from the last
    std::vector<int> in;
    if (axis <= rest_a) in.push_back(axes(t[1])[static_cast<std::size_t>(rest_a - axis)]);
    if (axis <= rest_b) in.push_back(axes(t[2])[static_cast<std::size_t>(rest_b - axis)]);
    const int out = axes(t[0])[static_cast<std::size_t>(lead - axis)];
    if (in.size() == 1)
      equal(out, in.front(), number);
    else
      sizes_.broadcast(out, std::move(in), number);
  }
}

void ShapeSystem::relate_reduced(const Relation& r, int number) {
  const std::span<const int> t = terms(r);
  const std::int64_t left = this->number(r, 1).value;
  const std::vector<int> y = axes(t[0]), a = axes(t[1]);
  std::int64_t axis = this->number(r, 0).value;
  if (axis < 0) axis += static_cast<std::int64_t>(a.size());
  for (std::size_t i = 0, to = 0; i < a.size(); ++i) {
    const bool gone = left == kAllKept || static_cast<std::int64_t>(i) == axis;
    if (gone && left == kDropped) continue;
    equal(y[to++], gone ? sizes_.given({1, "1"}) : a[i], number);
  }
}

// K [w,m,n], or [w,m] where it is depthwise; [w,w',..] over two indices
void ShapeSystem::relate_taps(const Relation& r, int number, bool asked) {
  const std::span<const int> t = terms(r);
  const std::vector<int> k = axes(t[1]);
  const bool full = static_cast<std::int64_t>(k.size()) == this->number(r, 0).value + 2;
  if (asked) return equal(axes(t[2]).front(), k.back(), number);
  equal(axes(t[0]).front(), full ? k[k.size() - 2] : k.back(), number);
}

// concat, slice and rows: the axes but the first are the same
void ShapeSystem::relate_rows(const Relation& r, int number) {
  const std::span<const int> t = terms(r);
  const std::vector<int> y = axes(t[0]);
  std::vector<int> first;
  for (const int term : t.subspan(1)) {
    const std::vector<int> a = axes(term);
    first.push_back(a.front());
    for (std::size_t axis = 1; axis < a.size(); ++axis)
      equal(y[r.rule == ShapeRule::rows ? axis - 1 : axis], a[axis], number);
  }
  if (r.rule == ShapeRule::concat) sizes_.total(y.front(), first, number);
  if (r.rule != ShapeRule::slice) return;
  equal(y.front(), sizes_.given(this->number(r, 0)), number);
  sizes_.at_least(first.front(), this->number(r, 1).value);
}

void ShapeSystem::relate_sizes(int number, bool asked) {
  const Relation& r = relations_[static_cast<std::size_t>(number)];
  const std::span<const int> t = terms(r);
  if (Core core; core_of(r.rule, 1, 1, core)) return relate_contraction(r, number, asked);
  if (r.rule == ShapeRule::taps) return relate_taps(r, number, asked);
  const std::vector<int> y = axes(t[0]);
  if (asked != (r.rule == ShapeRule::elements || r.rule == ShapeRule::symbols)) return;
  const auto equal_all = [&](const std::vector<int>& a, std::size_t skipped) {
    for (std::size_t axis = 0; axis < a.size(); ++axis) equal(y[axis + skipped], a[axis], number);
  };
  switch (r.rule) {
    case ShapeRule::same:
      return equal_all(axes(t[1]), 0);
    case ShapeRule::broadcast:
      return relate_broadcast(r, number);
    case ShapeRule::stack:
      equal(y.front(), sizes_.given(this->number(r, 0)), number);
      for (const int a : t.subspan(1)) equal_all(axes(a), 1);
      return;
    case ShapeRule::transpose: {
      std::vector<int> a = axes(t[1]);
      std::reverse(a.begin(), a.end());
      return equal_all(a, 0);
    }
    case ShapeRule::permute: {
      std::vector<int> a;
      for (std::size_t axis = y.size(); axis-- > 0;)
        a.push_back(
            axes(t[1])[static_cast<std::size_t>(this->number(r, 0).value >> (3 * axis) & 7)]);
      return equal_all(a, 0);
    }
    case ShapeRule::reduced:
      return relate_reduced(r, number);
    case ShapeRule::elements:
      if (y.size() == 1) return equal(y.front(), sizes_.given(this->number(r, 0)), number);
      return sizes_.elements(y, this->number(r, 0).value, number);
    case ShapeRule::symbols:
      return equal(y.front(), axes(t[1]).front(), number);
    case ShapeRule::ranks:
      return;
    default:
      return relate_rows(r, number);
  }
}

}  // namespace taugrad
