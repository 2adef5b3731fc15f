#include "taugrad/language/describe.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "json/json_writer.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

std::string detail_of(const ResolvedModel& model, const Symbol& s) {
  if (s.kind == SymbolKind::weight) {
    const WeightDeclaration& w =
        model.system.weights[static_cast<std::size_t>(s.declaration)].declaration;
    std::string text = w.values ? "given values" : w.init.empty() ? "default init" : w.init;
    if (w.trainable && !*w.trainable) text += ", not trained";
    return s.axes.empty() ? text : text + ", one for each position";
  }
  if (s.position >= 0) {
    const std::string& letter = model.system.indices[static_cast<std::size_t>(s.position)].name;
    return s.after ? fmt::format("positions of {0}, behind {0}", letter)
                   : fmt::format("positions of {}", letter);
  }
  for (const int r : s.rules)
    if (const ParsedEquation& e = *model.rules[static_cast<std::size_t>(r)].equation; e.random)
      return fmt::format("{}({})", e.distribution, fmt::join(e.keywords, ", "));
  return {};
}

std::string kind_of(const Symbol& s) {
  return s.kind == SymbolKind::input    ? "input"
         : s.kind == SymbolKind::weight ? "weight"
         : s.random()                   ? "random"
                                        : "variable";
}

}  // namespace

DefinitionSummary describe(const Definition& d, bool allow_unused) {
  const auto model = resolve(d, {.allow_unused = allow_unused});
  DefinitionSummary summary;
  summary.name = d.name;
  summary.about = d.about;
  for (const FlatIndex& i : model->system.indices)
    summary.indices.push_back(fmt::format("{} = 1..{}", i.name, i.length));
  for (const Symbol& s : model->symbols) {
    if (!s.taken) continue;
    std::vector<std::string> letters;
    for (const int axis : s.axes)
      letters.push_back(model->system.indices[static_cast<std::size_t>(axis)].name);
    const std::string name =
        letters.empty() ? s.name : fmt::format("{}[{}]", s.name, fmt::join(letters, ","));
    summary.entries.push_back(
        {name, kind_of(s), s.shape, s.category, s.per_example, detail_of(*model, s)});
    if (s.kind == SymbolKind::weight)
      (s.axes.empty() ? summary.parameters : summary.parameters_per_step) += s.shape.size();
  }
  for (const ParsedEquation& e : model->system.equations) summary.equations.push_back(e.text.text);
  return summary;
}

std::string to_text(const DefinitionSummary& s) {
  std::string out = fmt::format("definition {}\n", s.name);
  if (!s.about.empty()) out += fmt::format("{}\n", s.about);
  if (!s.indices.empty()) out += fmt::format("index {}\n", fmt::join(s.indices, ", "));
  std::size_t width = 4;
  for (const auto& e : s.entries) width = std::max(width, e.name.size());
  for (const auto& e : s.entries)
    out +=
        fmt::format("  {:<{}}  {:<8}  {:<12}{}{}\n", e.name, width, e.kind,
                    e.category >= 0 ? fmt::format("category({})", e.category) : to_string(e.shape),
                    e.detail.empty() ? "" : "  ", e.detail);
  out += fmt::format("{} parameters, whatever the length", s.parameters);
  if (s.parameters_per_step > 0)
    out += fmt::format(", and {} for each position", s.parameters_per_step);
  return out + "\n";
}

std::string to_json(const DefinitionSummary& s) {
  json::Writer w;
  w.begin_object().field("kind", "definition").field("name", s.name).field("about", s.about);
  w.key("index").begin_array();
  for (const std::string& i : s.indices) w.value(i);
  w.end_array().key("entries").begin_array();
  for (const auto& e : s.entries) {
    w.begin_object().field("name", e.name).field("kind", e.kind).key("shape").begin_array();
    for (const std::int64_t n : e.shape.dims()) w.value(n);
    w.end_array();
    if (e.category >= 0) w.field("category", e.category);
    w.field("per_example", e.per_example).field("detail", e.detail).end_object();
  }
  w.end_array().key("equations").begin_array();
  for (const std::string& e : s.equations) w.value(e);
  w.end_array()
      .field("parameters", s.parameters)
      .field("parameters_per_step", s.parameters_per_step)
      .end_object();
  return w.text();
}

}  // namespace taugrad
