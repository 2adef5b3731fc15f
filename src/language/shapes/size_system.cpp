#include "language/shapes/size_system.h"

#include <algorithm>

#include "taugrad/base/shape.h"

namespace taugrad {
namespace {

constexpr int kMostRaises = 1000;

}  // namespace

int SizeSystem::unknown() {
  parent_.push_back(static_cast<int>(parent_.size()));
  classes_.emplace_back();
  return parent_.back();
}

int SizeSystem::given(const GivenSize& size) {
  const int a = unknown();
  classes_.back().known = true;
  classes_.back().value = size.value;
  classes_.back().text = size.text;
  return a;
}

int SizeSystem::find(int a) {
  while (parent_[static_cast<std::size_t>(a)] != a) {
    int& up = parent_[static_cast<std::size_t>(a)];
    a = up = parent_[static_cast<std::size_t>(up)];
  }
  return a;
}

void SizeSystem::wake(int a) {
  for (const int r : at(a).relations)
    if (!is_due_[static_cast<std::size_t>(r)]) {
      is_due_[static_cast<std::size_t>(r)] = 1;
      due_.push_back(r);
    }
}

bool SizeSystem::equal(int a, int b) { return unite(a, b); }

bool SizeSystem::unite(int a, int b) {
  a = find(a), b = find(b);
  if (a == b) return true;
  Class *one = &at(a), *other = &at(b);
  if (one->known && other->known && one->value != other->value) return false;
  if (one->relations.size() < other->relations.size()) std::swap(a, b), std::swap(one, other);
  if (one->known != other->known) {
    wake(one->known ? b : a);
    one->value = one->known ? one->value : other->value;
    one->known = true;
  } else if (!one->known) {
    one->value = std::max(one->value, other->value);
    wake(b);  // two operands of a relation may have become one
  }
  if (one->text.empty()) one->text = std::move(other->text);
  one->relations.insert(one->relations.end(), other->relations.begin(), other->relations.end());
  other->relations = {};
  parent_[static_cast<std::size_t>(b)] = a;
  return true;
}

bool SizeSystem::set(int a, std::int64_t value) {
  Class& c = at(a);
  if (c.known) return c.value == value;
  if (value < 0 || value > kMaxDim) return false;
  c.known = true;
  c.value = value;
  wake(a);
  return true;
}

void SizeSystem::add(Relation r) {
  const int number = static_cast<int>(relations_.size());
  for (const int a : r.in) at(a).relations.push_back(number);
  if (r.out >= 0) at(r.out).relations.push_back(number);
  relations_.push_back(std::move(r));
  is_due_.push_back(1);
  due_.push_back(number);
}

void SizeSystem::broadcast(int out, std::vector<int> in, int origin) {
  add({Kind::broadcast, out, std::move(in), 0, origin});
}
void SizeSystem::total(int out, std::vector<int> parts, int origin) {
  add({Kind::total, out, std::move(parts), 0, origin});
}
void SizeSystem::elements(std::vector<int> axes, std::int64_t product, int origin) {
  add({Kind::elements, -1, std::move(axes), product, origin});
}
void SizeSystem::at_least(int a, std::int64_t least) {
  if (!at(a).known) at(a).value = std::max(at(a).value, least);
}

void SizeSystem::propagate() {
  for (std::size_t next = 0; next < due_.size(); ++next) {
    const auto r = static_cast<std::size_t>(due_[next]);
    is_due_[r] = 0;
    if (!relations_[r].holds || draw(relations_[r])) continue;
    relations_[r].holds = false;
    broken_.push_back(relations_[r].origin);
  }
  due_.clear();
}

bool SizeSystem::draw(Relation& r) {
  if (r.kind == Kind::broadcast) return draw_broadcast(r);
  return r.kind == Kind::total ? draw_total(r) : draw_elements(r);
}

bool SizeSystem::draw_broadcast(const Relation& r) {
  std::vector<int> open;  // may still be 1 or the result's
  bool taken = false;
  for (const int a : r.in) {
    const Class& c = at(a);
    if (c.known && c.value == 1) continue;
    if (c.known && !set(r.out, c.value)) return false;
    taken = taken || c.known;
    if (!c.known && std::find(open.begin(), open.end(), find(a)) == open.end())
      open.push_back(find(a));
  }
  if (!at(r.out).known) {
    if (open.empty()) return set(r.out, 1);
    return open.size() > 1 || unite(r.out, open.front());
  }
  if (at(r.out).value == 1)
    return std::all_of(open.begin(), open.end(), [&](int a) { return set(a, 1); });
  if (taken || open.size() > 1) return true;
  return open.size() == 1 && unite(r.out, open.front());
}

bool SizeSystem::draw_total(const Relation& r) {
  std::int64_t known = 0, times = 0;
  int open = -1;
  for (const int a : r.in) {
    if (at(a).known) {
      known += at(a).value;
    } else {
      if (open >= 0 && open != find(a)) return true;
      open = find(a);
      ++times;
    }
  }
  if (open < 0) return set(r.out, known);
  if (!at(r.out).known) return true;
  const std::int64_t rest = at(r.out).value - known;
  return rest >= 0 && rest % times == 0 && set(open, rest / times);
}

bool SizeSystem::draw_elements(const Relation& r) {
  std::int64_t known = 1;
  int open = -1;
  for (const int a : r.in) {
    if (!at(a).known && open >= 0) return true;
    if (!at(a).known)
      open = a;
    else if (__builtin_mul_overflow(known, at(a).value, &known))
      return false;
  }
  if (open < 0) return known == r.number;
  if (known == 0) return r.number == 0;
  return r.number % known == 0 && set(open, r.number / known);
}

void SizeSystem::join() {
  propagate();
  for (std::size_t i = 0; i < relations_.size(); ++i) {
    if (relations_[i].kind != Kind::broadcast) continue;
    const Relation r = relations_[i];
    for (const int a : r.in)
      if (!(at(a).known && at(a).value == 1) && !(at(a).known && at(r.out).known))
        unite(r.out, a), propagate();
  }
}

std::vector<int> SizeSystem::parts_of(int a) {
  for (const int r : at(a).relations)
    if (const Relation& relation = relations_[static_cast<std::size_t>(r)];
        relation.kind == Kind::total && find(relation.out) == find(a))
      return relation.in;
  return {};
}

// A size that rises more often than there are sizes rises for ever.
bool SizeSystem::raise(int a, std::int64_t least) {
  Class& c = at(a);
  if (c.known || c.value >= least) return true;
  if (least > kMaxDim || ++c.raises > std::min(static_cast<int>(classes_.size()), kMostRaises))
    return false;
  c.value = least;
  wake(a);
  return true;
}

bool SizeSystem::lift(const Relation& r) {
  if (r.kind == Kind::elements) return true;
  std::int64_t sum = 0, largest = 1;
  for (const int a : r.in) {
    sum += at(a).value;
    largest = std::max(largest, at(a).value);
  }
  if (r.kind == Kind::total) return raise(r.out, sum);
  if (!raise(r.out, largest)) return false;
  return std::all_of(r.in.begin(), r.in.end(),
                     [&](int a) { return at(a).value < 2 || raise(a, largest); });
}

bool SizeSystem::satisfied(const Relation& r) {
  std::int64_t number = r.kind == Kind::total ? 0 : 1;
  for (const int a : r.in) {
    const std::int64_t size = at(a).value;
    if (r.kind == Kind::total) number += size;
    if (r.kind == Kind::elements && __builtin_mul_overflow(number, size, &number)) return false;
    if (r.kind == Kind::broadcast && size != 1) {
      if (number != 1 && number != size) return false;
      number = size;
    }
  }
  return number == (r.kind == Kind::elements ? r.number : at(r.out).value);
}

std::vector<int> SizeSystem::choose() {
  propagate();
  std::vector<int> origins;
  for (std::size_t r = 0; r < relations_.size(); ++r)
    due_.push_back(static_cast<int>(r)), is_due_[r] = 1;
  for (std::size_t next = 0; next < due_.size(); ++next) {
    Relation& r = relations_[static_cast<std::size_t>(due_[next])];
    is_due_[static_cast<std::size_t>(due_[next])] = 0;
    if (!r.holds || lift(r)) continue;
    r.holds = false;
    origins.push_back(r.origin);
  }
  due_.clear();
  for (const Relation& r : relations_)
    if (r.holds && !satisfied(r)) origins.push_back(r.origin);
  for (Class& c : classes_) c.known = true;
  return origins;
}

}  // namespace taugrad
