#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "base/utf8.h"
#include "io/diff.h"
#include "json/json_writer.h"

namespace taugrad {
namespace {

using Change = Difference::Change;

constexpr std::size_t kMostLines = 20;  // of one part; the rest is counted
constexpr std::size_t kWidest = 400;

const char* to_string(Change c) {
  return c == Change::removed ? "removed" : c == Change::added ? "added" : "changed";
}

std::string at(const Dims& position) {
  return position.empty() ? "" : fmt::format(" at [{}]", fmt::join(position, ","));
}

std::string values(const TensorDifference& t) {
  if (t.different == 0 && t.largest == 0) return "  the values are the same\n";
  std::int64_t elements = 1;
  for (const std::int64_t d : t.dims) elements *= d;
  return fmt::format(
      "  {} of {} elements differ, by up to {:.3g}{}: {:.9g}, {:.9g}; relative {:.3g}\n",
      t.different, elements, t.largest, at(t.worst), t.a, t.b, t.relative);
}

void write_dims(json::Writer& w, const Dims& dims) {
  w.begin_array();
  for (const std::int64_t n : dims) w.value(n);
  w.end_array();
}

}  // namespace

std::string to_text(const Differences& d) {
  std::map<std::string, const TensorDifference*> tensors;
  for (const TensorDifference& t : d.tensors) tensors[t.name] = &t;
  std::map<std::string, std::size_t> lines, left;
  std::string text;
  for (const Difference& x : d.all) {
    if (++lines[x.part] > kMostLines) {
      ++left[x.part];
      continue;
    }
    const bool values_only = x.change == Change::changed && x.before == x.after;
    if (values_only) text += fmt::format("~ {} {}\n", x.part, printable(x.before, kWidest));
    if (x.change != Change::added && !values_only)
      text += fmt::format("- {} {}\n", x.part, printable(x.before, kWidest));
    if (x.change != Change::removed && !values_only)
      text += fmt::format("+ {} {}\n", x.part, printable(x.after, kWidest));
    const auto t = x.part == "tensor" ? tensors.find(x.name) : tensors.end();
    if (t != tensors.end()) text += values(*t->second);
  }
  for (const auto& [part, n] : left) text += fmt::format("  and {} more of {}\n", n, part);
  return text;
}

std::string to_json(const Differences& d) {
  json::Writer w(2);
  w.begin_object().field("format", "taugrad-diff").field("version", 1).field("kind", d.kind);
  w.field("same", d.same()).key("differences").begin_array();
  for (const Difference& x : d.all) {
    w.begin_object().field("change", to_string(x.change)).field("part", x.part);
    if (!x.name.empty()) w.field("name", x.name);
    if (x.change != Change::added) w.field("before", x.before);
    if (x.change != Change::removed) w.field("after", x.after);
    w.end_object();
  }
  w.end_array();
  if (!d.tensors.empty()) {
    w.key("tensors").begin_array();
    for (const TensorDifference& t : d.tensors) {
      w.begin_object().field("name", t.name).field("type_a", t.type_a).field("type_b", t.type_b);
      w.key("shape");
      write_dims(w, t.dims);
      w.field("different", t.different).field("largest", t.largest).field("relative", t.relative);
      if (t.largest > 0) {
        w.key("worst");
        write_dims(w, t.worst);
        w.field("a", t.a).field("b", t.b);
      }
      w.end_object();
    }
    w.end_array();
  }
  return w.end_object().text() + "\n";
}

}  // namespace taugrad
