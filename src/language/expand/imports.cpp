#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/expand/import.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
Text import_text(const ImportDeclaration& i, const std::string& what) { return {what, i.source}; }

void fail_import(const ImportDeclaration& i, const char* code, std::string message,
                 std::string help) {
  Diagnostic d = at_text(code, std::move(message), import_text(i, i.prefix), 0, 1, std::move(help));
  d.excerpt.clear();
  d.caret = -1;
  throw Error(Status::bad_input, std::move(d));
}

namespace {

constexpr std::size_t kMaxDepth = 16;       // imports within imports
constexpr std::size_t kMaxImports = 1'000;  // altogether

bool bare_name(const std::string& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

FlatDefinition load_import(const FlatDefinition& outer, const Definition& d,
                           const ImportDeclaration& i, Expansion& spent) {
  std::vector<std::string>& trail = spent.trail;
  if (!bare_name(i.from))
    fail_import(
        i, "E008", fmt::format("\"from\" must be a bare name, got \"{}\"", i.from),
        "imports are looked up beside the file and among the shipped definitions, never by path");
  if (std::find(trail.begin(), trail.end(), i.from) != trail.end())
    fail_import(
        i, "E008",
        fmt::format("imports go round in a cycle: {} -> {}", fmt::join(trail, " -> "), i.from));
  if (trail.size() >= kMaxDepth) fail_import(i, "E008", "imports are nested too deep");
  if (++spent.imports > kMaxImports)
    fail_import(i, "G022", fmt::format("the definition takes more than {} imports", kMaxImports));
  const Definition inner = load_import_of(d, i.from);
  std::map<std::string, std::int64_t> sizes;
  for (const SizeDeclaration& s : inner.sizes) {
    const auto given = std::find_if(i.sizes.begin(), i.sizes.end(),
                                    [&](const auto& g) { return g.first == s.name; });
    if (given != i.sizes.end())
      sizes[s.name] = size_value(given->second, outer.sizes);
    else if (const auto same = outer.sizes.find(s.name); same != outer.sizes.end())
      sizes[s.name] = same->second;
  }
  for (const auto& [name, text] : i.sizes)
    if (std::none_of(inner.sizes.begin(), inner.sizes.end(),
                     [&, key = name](const auto& s) { return s.name == key; }))
      fail_at("G014", fmt::format("{} has no size \"{}\"", i.from, name), text, 0, 1);
  trail.push_back(i.from);
  FlatDefinition system = expand_within(inner, sizes, spent);
  trail.pop_back();
  return system;
}

}  // namespace

void expand_imports(FlatDefinition& system, const Definition& d, Expansion& spent) {
  for (const ImportDeclaration& i : d.imports)
    collect(
        system,
        [&] {
          Import import(system, i, load_import(system, d, i, spent), spent);
          import.add_to_outer();
        },
        i.prefix);
}

}  // namespace taugrad
