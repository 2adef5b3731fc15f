#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "language/syntax/from_equations.h"

namespace taugrad {
namespace {

std::string index_of_end(const EquationSection& s) {
  std::set<std::string> letters;
  for (const AstNode& n : s.ast.nodes)
    for (const Place& p : n.places)
      if (p.kind == Place::Kind::letter) letters.insert(p.letter);
  if (letters.size() != 1)
    fail_at("E013", "\"ends\" says where one index ends", s.text, 0,
            static_cast<int>(s.text.text.size()), "for example ends = y[t] == 0");
  return *letters.begin();
}

}  // namespace

EquationSection section_from(ParsedEquation e) {
  const int length = static_cast<int>(e.name.size());
  if (e.random || e.bracket)
    fail_at("E004",
            fmt::format("\"{}\" names no variable: it is {}", e.name,
                        e.name == "loss" ? "the loss" : "where a sequence ends"),
            e.text, 0, length,
            fmt::format("write {} = .., without an index: those inside count", e.name));
  Text text = e.text;
  const std::size_t sign = text.text.find('='), start = text.text.find_first_not_of(' ', sign + 1);
  text.text.erase(0, start);
  return {e.name, std::move(text), std::move(e.arguments.at(0))};
}

void add_end(Definition& d, const EquationSection& s) {
  std::string letter = index_of_end(s);
  if (std::any_of(d.ends.begin(), d.ends.end(), [&](const auto& e) { return e.first == letter; }))
    fail_at("E013", fmt::format("\"ends\" of {} is said twice", letter), s.text, 0,
            static_cast<int>(s.text.text.size()), "join the conditions, as in max(a, b)");
  d.ends.emplace_back(std::move(letter), s.text);
}

}  // namespace taugrad
