// The ranks of a ShapeSystem: a set for each term, narrowed by what relates them.
#include <algorithm>
#include <bit>

#include "language/shapes/shape_system.h"

namespace taugrad {
namespace {

int lowest(Ranks r) { return std::countr_zero(r); }
bool has(Ranks r, int rank) { return (r >> rank & 1) != 0; }
bool one_only(Ranks r) { return std::has_single_bit(r); }

// of the result; -1: none
int product_rank(ShapeRule rule, int a, int b) {
  Core core;
  core_of(rule, a, b, core);
  const int rest_a = a - static_cast<int>(core.a.size()),
            rest_b = b - static_cast<int>(core.b.size());
  const int y = std::max(rest_a, rest_b) + static_cast<int>(core.y.size());
  return rest_a < 0 || rest_b < 0 || y > kMaxRank ? -1 : y;
}

}  // namespace

bool core_of(ShapeRule rule, int a, int b, Core& core) {
  switch (rule) {
    case ShapeRule::product:
      core = a < 2   ? b < 2 ? Core{"k", "k", ""} : Core{"k", "kn", "n"}
               : b < 2 ? Core{"mk", "k", "m"}
                     : Core{"mk", "kn", "mn"};
      return true;
    case ShapeRule::outer:
      core = {"m", "n", "mn"};
      return true;
    case ShapeRule::matvec:
      core = {"mn", "n", "m"};
      return true;
    case ShapeRule::vecdot:
      core = {"n", "n", ""};
      return true;
    case ShapeRule::solve:
      core = b < a ? Core{"mm", "m", "m"} : Core{"mm", "mn", "mn"};
      return true;
    case ShapeRule::logdet:
      core = {"mm", "", ""};
      return true;
    default:
      return false;
  }
}

void ShapeSystem::wake(int term) {
  for (const int r : readers_[static_cast<std::size_t>(find(term))])
    if (!is_due_[static_cast<std::size_t>(r)]) {
      is_due_[static_cast<std::size_t>(r)] = 1;
      due_.push_back(r);
    }
}

// false: nothing would be left; then nothing is taken
bool ShapeSystem::narrow(int term, Ranks ranks) {
  Ranks& now = ranks_of(term);
  const auto left = static_cast<Ranks>(now & ranks);
  if (left == 0) return false;
  if (left != now) now = left, wake(term);
  return true;
}

bool ShapeSystem::merge(int a, int b) {
  a = find(a), b = find(b);
  const auto both = static_cast<Ranks>(ranks_of(a) & ranks_of(b));
  if (both == 0) return false;
  Term &one = terms_[static_cast<std::size_t>(a)], &other = terms_[static_cast<std::size_t>(b)];
  if (trying_ || (one.axes >= 0 && other.axes >= 0)) return narrow(a, both) && narrow(b, both);
  std::vector<int>&ours = readers_[static_cast<std::size_t>(a)],
  &theirs = readers_[static_cast<std::size_t>(b)];
  if (ours.size() < theirs.size()) ours.swap(theirs);
  ours.insert(ours.end(), theirs.begin(), theirs.end());
  theirs = {};
  if (one.axes < 0) one.axes = other.axes;
  one.ranks = both;
  other.parent = a;
  wake(a);
  return true;
}

void ShapeSystem::unite(int a, int b) {
  if (find(a) != find(b)) merge(a, b);
}

void ShapeSystem::propagate() {
  for (std::size_t next = 0; next < due_.size(); ++next) {
    const auto r = static_cast<std::size_t>(due_[next]);
    is_due_[r] = 0;
    if (relations_[r].holds && !draw(relations_[r])) give_up(relations_[r]);
  }
  due_.clear();
}

// Of operands whose ranks are sure, the operation itself says what is wrong when it is recorded.
void ShapeSystem::give_up(Relation& r) {
  r.holds = false;
  const std::span<const int> t = terms(r);
  const auto operands = t.subspan(t.size() > 1 ? 1 : 0);
  if (!std::all_of(operands.begin(), operands.end(), [&](int a) { return one_only(ranks_of(a)); }))
    unsolved_.push_back(r.origin);
}

bool ShapeSystem::draw(Relation& r) {
  const std::span<const int> t = terms(r);
  switch (r.rule) {
    case ShapeRule::broadcast:
      return draw_broadcast(r);
    case ShapeRule::product:
    case ShapeRule::outer:
    case ShapeRule::matvec:
    case ShapeRule::vecdot:
    case ShapeRule::solve:
    case ShapeRule::logdet:
      return draw_contraction(r);
    case ShapeRule::reduced:
      return draw_reduced(r);
    case ShapeRule::permute: {
      const Ranks rank = only_rank(
          (static_cast<int>(std::bit_width(static_cast<std::uint64_t>(number(r, 0).value))) - 1) /
          3);
      return narrow(t[0], rank) && narrow(t[1], rank);
    }
    case ShapeRule::stack:
      return draw_stack(r, 1);
    case ShapeRule::rows:
      return draw_stack(r, -1);
    case ShapeRule::ranks:
      return narrow(t[0], static_cast<Ranks>(number(r, 0).value));
    case ShapeRule::elements:  // only one element makes a number
      return number(r, 0).value == 1 || narrow(t[0], kOneOrMore);
    case ShapeRule::taps: {
      const auto indices = static_cast<int>(number(r, 0).value);
      return narrow(t[0], only_rank(1)) &&
             narrow(t[1], only_rank(indices + 1) | only_rank(indices + 2)) &&
             narrow(t[2], only_rank(1));
    }
    case ShapeRule::symbols:
      return narrow(t[0], kOneOrMore) && narrow(t[1], only_rank(1));
    default:
      break;
  }
  Ranks all = kAnyRank;
  for (const int a : t) all = static_cast<Ranks>(all & ranks_of(a));
  return all != 0 && std::all_of(t.begin(), t.end(), [&](int a) { return narrow(a, all); });
}

// the largest rank; each operand's is possible beside those of the others
bool ShapeSystem::draw_broadcast(const Relation& r) {
  const std::span<const int> t = terms(r);
  std::vector<int> in;
  for (const int a : t.subspan(1))
    if (!is_number(a) && std::find(in.begin(), in.end(), find(a)) == in.end())
      in.push_back(find(a));
  if (in.empty()) return narrow(t[0], only_rank(0));
  if (in.size() == 1) return in[0] == find(t[0]) || merge(t[0], in[0]);
  std::array<std::size_t, kMaxRank + 1> fitting{},
      reaching{};  // operands that can be at most, exactly of a rank
  for (const int a : in)
    for (int rank = 0; rank <= kMaxRank; ++rank) {
      fitting[static_cast<std::size_t>(rank)] += lowest(ranks_of(a)) <= rank;
      reaching[static_cast<std::size_t>(rank)] += has(ranks_of(a), rank);
    }
  Ranks out = 0;
  for (int rank = 0; rank <= kMaxRank; ++rank)
    if (fitting[static_cast<std::size_t>(rank)] == in.size() &&
        reaching[static_cast<std::size_t>(rank)] > 0)
      out |= only_rank(rank);
  if (!narrow(t[0], out)) return false;
  out = static_cast<Ranks>(out & ranks_of(t[0]));
  for (const int a : in) {
    Ranks possible = 0;
    const Ranks before = ranks_of(a);
    for (int rank = 0; rank <= kMaxRank; ++rank)
      for (int result = rank; has(before, rank) && result <= kMaxRank; ++result)
        if (has(out, result) && (result == rank || reaching[static_cast<std::size_t>(result)] >
                                                       (has(before, result) ? 1U : 0U)))
          possible |= only_rank(rank);
    if (!narrow(a, possible)) return false;
  }
  return true;
}

bool ShapeSystem::draw_contraction(const Relation& r) {
  const std::span<const int> t = terms(r);
  const bool two = t.size() > 2;
  std::array<Ranks, 3> possible{};
  for (int a = 0; a <= kMaxRank; ++a)
    for (int b = 0; b <= (two ? kMaxRank : 0); ++b) {
      const int y = product_rank(r.rule, a, b);
      if (y < 0 || !has(ranks_of(t[0]), y) || !has(ranks_of(t[1]), a) ||
          (two && !has(ranks_of(t[2]), b)))
        continue;
      possible[0] |= only_rank(y), possible[1] |= only_rank(a), possible[2] |= only_rank(b);
    }
  return narrow(t[0], possible[0]) && narrow(t[1], possible[1]) &&
         (!two || narrow(t[2], possible[2]));
}

bool ShapeSystem::draw_reduced(const Relation& r) {
  const std::span<const int> t = terms(r);
  const std::int64_t axis = number(r, 0).value, left = number(r, 1).value;
  Ranks from = 0, to = 0;
  for (int rank = 0; rank <= kMaxRank; ++rank) {
    const bool has_axis = left == kAllKept || (axis < rank && -axis <= rank && rank > 0);
    const int result = left == kDropped ? rank - 1 : rank;
    if (!has_axis || !has(ranks_of(t[1]), rank) || !has(ranks_of(t[0]), result)) continue;
    from |= only_rank(rank), to |= only_rank(result);
  }
  return narrow(t[0], to) && narrow(t[1], from);
}

// the first is `deeper` ranks above the others, which are equal
bool ShapeSystem::draw_stack(const Relation& r, int deeper) {
  const std::span<const int> t = terms(r);
  const auto shifted = [](Ranks ranks, int by) {
    return static_cast<Ranks>((by > 0 ? ranks << by : ranks >> -by) & kAnyRank);
  };
  Ranks inner = shifted(ranks_of(t[0]), -deeper);
  for (const int a : t.subspan(1)) inner = static_cast<Ranks>(inner & ranks_of(a));
  if (deeper < 0) inner &= kOneOrMore;
  return inner != 0 && narrow(t[0], shifted(inner, deeper)) &&
         std::all_of(t.begin() + 1, t.end(), [&](int a) { return narrow(a, inner); });
}

void ShapeSystem::prefer(int term, int rank) {
  if (has(ranks_of(term), rank)) narrow(term, only_rank(rank));
  propagate();
}

void ShapeSystem::settle_ranks() {
  propagate();
  for (std::size_t t = 0; t < terms_.size(); ++t) open_[t] = !one_only(terms_[t].ranks);
  for (std::vector<int> failing; !try_smallest(failing); failing.clear()) {
    if (std::any_of(failing.begin(), failing.end(), [&](int r) {
          return exclude_smallest(relations_[static_cast<std::size_t>(r)]);
        })) {
      propagate();
      continue;
    }
    for (const int r : failing) {
      relations_[static_cast<std::size_t>(r)].holds = false;
      unsolved_.push_back(relations_[static_cast<std::size_t>(r)].origin);
    }
  }
}

// every open term at its smallest rank: where that satisfies all, no solution is smaller
bool ShapeSystem::try_smallest(std::vector<int>& failing) {
  const std::vector<Term> before = terms_;
  for (Term& t : terms_) t.ranks = only_rank(lowest(t.ranks));
  trying_ = true;
  for (std::size_t r = 0; r < relations_.size(); ++r)
    if (relations_[r].holds && !draw(relations_[r])) failing.push_back(static_cast<int>(r));
  trying_ = false;
  if (!failing.empty())
    terms_ = before;
  else
    open_terms_ = before;
  return failing.empty();
}

// what all relations together rule out, though none does alone
bool ShapeSystem::exclude_smallest(const Relation& r) {
  for (const int a : terms(r)) {
    const Ranks ranks = ranks_of(a);
    const Ranks smallest = only_rank(lowest(ranks));
    if (one_only(ranks) || (tries_ += terms_.size()) > kMostTries || !is_impossible(a, smallest))
      continue;
    return narrow(a, static_cast<Ranks>(ranks & ~smallest));
  }
  return false;
}

bool ShapeSystem::is_impossible(int term, Ranks ranks) {
  const std::vector<Term> before = terms_;
  const bool possible = try_narrow(term, ranks);
  terms_ = before;
  return !possible;
}

// what follows, where the term is of these ranks; false: a contradiction
bool ShapeSystem::try_narrow(int term, Ranks ranks) {
  trying_ = true;
  bool possible = narrow(term, ranks);
  for (std::size_t next = 0; next < due_.size(); ++next) {
    const auto r = static_cast<std::size_t>(due_[next]);
    is_due_[r] = 0;
    possible = possible && (!relations_[r].holds || draw(relations_[r]));
  }
  due_.clear();
  trying_ = false;
  return possible;
}

}  // namespace taugrad
