#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "io/diff.h"
#include "language/syntax/flat_definition.h"

namespace taugrad {
namespace {

using Json = nlohmann::ordered_json;
using Change = Difference::Change;

/// One line of a definition: what it is compared by, and how it is shown.
struct Entry {
  std::string compared, shown;
};
/// By part and name, in the order of the file.
struct Entries {
  std::vector<std::pair<std::string, std::string>> order;
  std::map<std::pair<std::string, std::string>, Entry> found;
  void add(const std::string& part, const std::string& name, Entry e) {
    if (found.emplace(std::pair(part, name), std::move(e)).second) order.emplace_back(part, name);
  }
};

std::string without_blanks(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
  return text;
}

/// The left side of an equation, or the name of a function.
std::string left_side(const std::string& part, const std::string& text) {
  return without_blanks(text.substr(0, text.find_first_of(part == "function" ? "(" : "=~")));
}

void add_texts(Entries& entries, const std::string& prefix, const std::string& part,
               const Json& list) {
  for (const Json& item : list) {
    const auto text = item.get<std::string>();
    // a loss has no name: its terms are there or not
    const std::string name = part == "loss" ? without_blanks(text) : left_side(part, text);
    entries.add(part, prefix + name,
                {without_blanks(text), prefix.empty() ? text : prefix + " " + text});
  }
}

std::string part_of(const std::string& section) {
  if (section == "index" || section == "loss" || section == "ends" || section == "about" ||
      section == "name")
    return section;
  return section.substr(0, section.size() - 1);  // "sizes": size
}

void add_sections(Entries& entries, const std::string& prefix, const Definition& d) {
  const Json sections = Json::parse(to_json(d));
  for (const auto& [section, value] : sections.items()) {
    const std::string part = part_of(section);
    if (value.is_object()) {
      for (const auto& [key, item] : value.items()) {
        const std::string name = prefix + without_blanks(key);
        entries.add(part, name, {without_blanks(item.dump()), name + ": " + item.dump()});
      }
    } else if (section == "name" || section == "about") {
      if (prefix.empty()) entries.add(part, "", {value.dump(), value.dump()});
    } else {
      add_texts(entries, prefix, part, value.is_array() ? value : Json::array({value}));
    }
  }
}

/// A definition, then what it imports under its prefix, and so on.
Entries entries_of(const Definition& d) {
  Entries entries;
  std::vector<std::pair<std::string, Definition>> open{{"", d}};
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto [prefix, next] = open[i];
    add_sections(entries, prefix, next);
    for (const ImportDeclaration& import : next.imports)
      open.emplace_back(prefix + import.prefix + ".", load_import_of(next, import.from));
  }
  return entries;
}

}  // namespace

Differences diff_definitions(const Definition& a, const Definition& b) {
  Differences d{.kind = "definition"};
  const Entries in_a = entries_of(a), in_b = entries_of(b);
  for (const auto& key : in_a.order) {
    const Entry& before = in_a.found.at(key);
    const auto other = in_b.found.find(key);
    if (other == in_b.found.end())
      d.all.push_back({Change::removed, key.first, key.second, before.shown, ""});
    else if (before.compared != other->second.compared)
      d.all.push_back({Change::changed, key.first, key.second, before.shown, other->second.shown});
  }
  for (const auto& key : in_b.order)
    if (!in_a.found.contains(key))
      d.all.push_back({Change::added, key.first, key.second, "", in_b.found.at(key).shown});
  return d;
}

}  // namespace taugrad
