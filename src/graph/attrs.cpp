#include "taugrad/graph/attrs.h"

#include <algorithm>

#include "base/fail.h"
#include "graph/tables.h"

namespace taugrad {
namespace {

template <class T>
const T& typed(const Attr* attr, std::string_view name) {
  const T* value = attr ? std::get_if<T>(attr) : nullptr;
  if (!value)
    fail(Status::bad_input, "G020", "attribute \"{}\" is {}", name,
         attr ? "of another type" : "missing");
  return *value;
}

std::uint64_t hash_of_value(const Attr& attr) {
  std::uint64_t h = attr.index();
  if (const auto* i = std::get_if<std::int64_t>(&attr))
    return mixed(h, static_cast<std::uint64_t>(*i));
  if (const auto* d = std::get_if<double>(&attr)) return mixed(h, std::bit_cast<std::uint64_t>(*d));
  if (const auto* s = std::get_if<std::string>(&attr)) return mixed(h, taugrad::hash_of(*s));
  for (const std::int64_t i : std::get<Ints>(attr)) h = mixed(h, static_cast<std::uint64_t>(i));
  return h;
}

}  // namespace

Attrs::Attrs(std::initializer_list<std::pair<std::string_view, Attr>> items) {
  items_.reserve(items.size());
  for (const auto& [name, value] : items) items_.emplace_back(name, value);
  std::sort(items_.begin(), items_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

const Attr* Attrs::find(std::string_view name) const {
  for (const auto& [key, value] : items_)
    if (key == name) return &value;
  return nullptr;
}

std::int64_t Attrs::integer(std::string_view name) const {
  return typed<std::int64_t>(find(name), name);
}

double Attrs::real(std::string_view name) const { return typed<double>(find(name), name); }

const Ints& Attrs::ints(std::string_view name) const { return typed<Ints>(find(name), name); }

const std::string& Attrs::text(std::string_view name) const {
  return typed<std::string>(find(name), name);
}

std::int64_t Attrs::integer_or(std::string_view name, std::int64_t otherwise) const {
  return has(name) ? integer(name) : otherwise;
}

void Attrs::set(std::string name, Attr value) {
  const auto place = std::lower_bound(items_.begin(), items_.end(), name,
                                      [](const auto& a, const auto& b) { return a.first < b; });
  if (place != items_.end() && place->first == name)
    place->second = std::move(value);
  else
    items_.emplace(place, std::move(name), std::move(value));
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mixed(h, text.size());
}

std::uint64_t hash_of(const Attrs& attrs) {
  std::uint64_t h = 0;
  for (const auto& [name, value] : attrs) h = mixed(mixed(h, hash_of(name)), hash_of_value(value));
  return h;
}

bool same_bits(const Attrs& a, const Attrs& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& p, const auto& q) {
    const double* x = std::get_if<double>(&p.second);
    const double* y = std::get_if<double>(&q.second);
    if (p.first != q.first) return false;
    if (x && y) return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
    return p.second == q.second;
  });
}

}  // namespace taugrad
