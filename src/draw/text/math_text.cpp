#include "draw/text/math_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 30> kGreek{
    {{"alpha", "α"},  {"beta", "β"},  {"gamma", "γ"}, {"delta", "δ"}, {"epsilon", "ε"},
     {"zeta", "ζ"},   {"eta", "η"},   {"theta", "θ"}, {"iota", "ι"},  {"kappa", "κ"},
     {"lambda", "λ"}, {"mu", "μ"},    {"nu", "ν"},    {"xi", "ξ"},    {"pi", "π"},
     {"rho", "ρ"},    {"sigma", "σ"}, {"tau", "τ"},   {"phi", "φ"},   {"chi", "χ"},
     {"psi", "ψ"},    {"omega", "ω"}, {"Gamma", "Γ"}, {"Delta", "Δ"}, {"Theta", "Θ"},
     {"Lambda", "Λ"}, {"Sigma", "Σ"}, {"Phi", "Φ"},   {"Psi", "Ψ"},   {"Omega", "Ω"}}};

std::string spelt(std::string_view base) {
  const auto greek =
      std::ranges::find(kGreek, base, &std::pair<std::string_view, std::string_view>::first);
  if (greek != kGreek.end()) return std::string(greek->second);
  if (base.size() == 4 && base.ends_with("hat")) return std::string(base.substr(0, 1)) + "\u0302";
  return std::string(base);
}

bool is_index(std::string_view inside) {
  return !inside.empty() && std::ranges::all_of(inside, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ',' ||
           c == '-' || c == '+' || c == ' ' || c == '_';
  });
}

}  // namespace

MathText math_of(std::string_view name) {
  MathText m;
  constexpr std::string_view kNabla = "∇";
  if (name.starts_with(kNabla)) {
    m.before = kNabla;
    name.remove_prefix(kNabla.size());
  }
  const std::size_t open = name.rfind('[');
  if (open != std::string_view::npos && open > 0 && name.ends_with(']') &&
      is_index(name.substr(open + 1, name.size() - open - 2))) {
    m.raised = "(" + std::string(name.substr(open + 1, name.size() - open - 2)) + ")";
    name = name.substr(0, open);
  }
  const std::size_t line = name.find('_');
  if (line != std::string_view::npos && line > 0 && line + 2 == name.size()) {
    m.lowered = name.substr(line + 1);
    name = name.substr(0, line);
  }
  m.base = spelt(name);
  return m;
}

double math_width(const MathText& text, double font_size) {
  constexpr double kSmall = 0.68;
  return text_width(text.before + text.base, font_size) +
         std::max(text_width(text.raised, font_size * kSmall),
                  text_width(text.lowered, font_size * kSmall));
}

}  // namespace taugrad::draw
