#include "reports/readable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "draw/pictures/op_text.h"
#include "taugrad/fold/fold.h"
#include "taugrad/graph/op.h"
#include "taugrad/language/describe.h"

namespace taugrad::cli {
namespace {

constexpr std::array<std::pair<char, std::string_view>, 44> kRaised{
    {{'0', "⁰"}, {'1', "¹"}, {'2', "²"}, {'3', "³"}, {'4', "⁴"}, {'5', "⁵"}, {'6', "⁶"}, {'7', "⁷"},
     {'8', "⁸"}, {'9', "⁹"}, {'+', "⁺"}, {'-', "⁻"}, {'(', "⁽"}, {')', "⁾"}, {',', ","}, {' ', " "},
     {'a', "ᵃ"}, {'b', "ᵇ"}, {'c', "ᶜ"}, {'d', "ᵈ"}, {'e', "ᵉ"}, {'f', "ᶠ"}, {'g', "ᵍ"}, {'h', "ʰ"},
     {'i', "ⁱ"}, {'j', "ʲ"}, {'k', "ᵏ"}, {'l', "ˡ"}, {'m', "ᵐ"}, {'n', "ⁿ"}, {'o', "ᵒ"}, {'p', "ᵖ"},
     {'r', "ʳ"}, {'s', "ˢ"}, {'t', "ᵗ"}, {'u', "ᵘ"}, {'v', "ᵛ"}, {'w', "ʷ"}, {'x', "ˣ"}, {'y', "ʸ"},
     {'z', "ᶻ"}, {'T', "ᵀ"}, {'L', "ᴸ"}, {'N', "ᴺ"}}};

/// "⁽ᵗ⁻¹⁾" of "t-1"; empty where a letter has no raised form.
std::string raised(std::string_view index) {
  std::string out = "⁽";
  for (const char c : index) {
    const auto found = std::ranges::find(kRaised, c, &std::pair<char, std::string_view>::first);
    if (found == kRaised.end()) return {};
    out += found->second;
  }
  return out + "⁾";
}

struct Table {
  std::vector<std::vector<std::string>> rows;
  std::string text() const {
    std::vector<std::size_t> width;
    for (const auto& row : rows)
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c == width.size()) width.push_back(0);
        width[c] = std::max(width[c], utf8_characters(row[c]));
      }
    std::string out;
    for (const auto& row : rows) {
      std::string line = " ";
      for (std::size_t c = 0; c < row.size(); ++c)
        line += " " + row[c] + std::string(width[c] - utf8_characters(row[c]) + 1, ' ');
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
  }
};

/// How often each operation is computed at one step, the most frequent first.
Table operations(const Definition& d) {
  std::map<std::string, int> counts;
  for (const FoldedNode& n : folded(d).nodes) {
    const Op* op = find_op(n.op);
    const bool leaf = op != nullptr && op->traits.leaf;
    if (leaf || n.op.empty() || (op != nullptr && draw::only_spreads(*op))) continue;
    ++counts[n.op];
  }
  std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, {}, [](const auto& c) { return -c.second; });
  Table t;
  for (const auto& [op, count] : sorted) t.rows.push_back({op, std::to_string(count)});
  return t;
}

Table variables(const DefinitionSummary& s) {
  Table t{{{"name", "kind", "shape", "parameters", ""}}};
  for (const DefinitionSummary::Entry& e : s.entries) {
    const std::string shape = e.category >= 0       ? fmt::format("one of {}", e.category)
                              : e.shape.rank() == 0 ? "number"
                                                    : to_string(e.shape);
    const bool weight = e.kind == "weight";
    t.rows.push_back({readable(e.name), e.kind, shape, weight ? std::to_string(e.shape.size()) : "",
                      weight ? "" : e.detail});
  }
  return t;
}

}  // namespace

std::string readable(std::string_view equation) {
  std::string out;
  for (std::size_t at = 0; at < equation.size(); ++at) {
    const char c = equation[at];
    const std::size_t close = c == '[' ? equation.find(']', at) : std::string_view::npos;
    if (close != std::string_view::npos) {
      const std::string index = raised(equation.substr(at + 1, close - at - 1));
      out += index.empty() ? std::string(equation.substr(at, close - at + 1)) : index;
      at = close;
    } else if (equation.substr(at).starts_with(" @ ")) {
      out += ' ';
      at += 2;
    } else if (equation.substr(at).starts_with(" * ")) {
      out += " ⊙ ";
      at += 2;
    } else if (equation.substr(at).starts_with(" ~ ")) {
      out += " ∼ ";
      at += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string readable(const Definition& d) {
  const DefinitionSummary s = describe(d);
  std::string text =
      s.name.empty() ? "" : s.name + (s.about.empty() ? "\n" : ": " + s.about + "\n");
  for (const std::string& index : s.indices) text += fmt::format("  {}\n", index);
  text += "\nequations\n";
  for (const std::string& e : s.equations) text += "  " + readable(e) + "\n";
  text += "\nvariables\n" + variables(s).text();
  text += fmt::format("\n{} parameters{}\n", s.parameters,
                      s.parameters_per_step > 0
                          ? fmt::format(" and {} for each position", s.parameters_per_step)
                          : "");
  return text + "\noperations, at each step\n" + operations(d).text();
}

}  // namespace taugrad::cli
