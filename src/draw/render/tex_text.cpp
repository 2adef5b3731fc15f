#include "draw/render/tex_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "draw/text/math_text.h"

namespace taugrad::draw {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// what plain text must not hold
constexpr std::array<Pair, 15> kAscii{{{"\\", "\\textbackslash{}"},
                                       {"{", "\\{"},
                                       {"}", "\\}"},
                                       {"$", "\\$"},
                                       {"&", "\\&"},
                                       {"#", "\\#"},
                                       {"_", "\\_"},
                                       {"%", "\\%"},
                                       {"~", "\\textasciitilde{}"},
                                       {"^", "\\textasciicircum{}"},
                                       {"<", "\\textless{}"},
                                       {">", "\\textgreater{}"},
                                       {"|", "\\textbar{}"},
                                       {"\"", "{''}"},
                                       {"-", "-{}"}}};

// of pictures, in mathematics
constexpr std::array<Pair, 58> kSigns{
    {{"∇", "\\nabla"},   {"−", "-"},           {"×", "\\times"},      {"÷", "\\div"},
     {"⊗", "\\otimes"},  {"Σ", "\\Sigma"},     {"ᵀ", "^{\\top}"},     {"≤", "\\le"},
     {"≥", "\\ge"},      {"≠", "\\ne"},        {"…", "\\ldots"},      {"·", "\\cdot"},
     {"⁻", "^{-}"},      {"⁺", "^{+}"},        {"⁰", "^{0}"},         {"¹", "^{1}"},
     {"²", "^{2}"},      {"³", "^{3}"},        {"⁴", "^{4}"},         {"⁵", "^{5}"},
     {"⁶", "^{6}"},      {"⁷", "^{7}"},        {"⁸", "^{8}"},         {"⁹", "^{9}"},
     {"α", "\\alpha"},   {"β", "\\beta"},      {"γ", "\\gamma"},      {"δ", "\\delta"},
     {"ε", "\\epsilon"}, {"ζ", "\\zeta"},      {"η", "\\eta"},        {"θ", "\\theta"},
     {"ι", "\\iota"},    {"κ", "\\kappa"},     {"λ", "\\lambda"},     {"μ", "\\mu"},
     {"ν", "\\nu"},      {"ξ", "\\xi"},        {"π", "\\pi"},         {"ρ", "\\rho"},
     {"σ", "\\sigma"},   {"τ", "\\tau"},       {"φ", "\\phi"},        {"χ", "\\chi"},
     {"ψ", "\\psi"},     {"ω", "\\omega"},     {"Γ", "\\Gamma"},      {"Δ", "\\Delta"},
     {"Θ", "\\Theta"},   {"Λ", "\\Lambda"},    {"Φ", "\\Phi"},        {"Ψ", "\\Psi"},
     {"Ω", "\\Omega"},   {"←", "\\leftarrow"}, {"→", "\\rightarrow"}, {"∂", "\\partial"},
     {"ᵗ", "^{t}"},      {"∑", "\\sum"}}};

template <std::size_t N>
std::string_view found(const std::array<Pair, N>& table, std::string_view one) {
  const auto it = std::ranges::find(table, one, &Pair::first);
  return it == table.end() ? std::string_view() : it->second;
}

char32_t code_of(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  char32_t code = sequence.size() == 2   ? lead & 0x1Fu
                  : sequence.size() == 3 ? lead & 0x0Fu
                                         : lead & 7u;
  for (const char c : sequence.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return code;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The letter of a name, in mathematics.
std::string base_of(const std::string& base) {
  constexpr std::string_view kHat = "\u0302";
  if (base.size() == 1 && is_letter(base[0])) return base;
  if (base.size() == 1 + kHat.size() && is_letter(base[0]) && base.ends_with(kHat))
    return "\\hat{" + base.substr(0, 1) + "}";
  if (const std::string_view sign = found(kSigns, base); !sign.empty()) return std::string(sign);
  return "\\textit{" + tex_escape(base) + "}";
}

}  // namespace

const std::string_view kTexChar =
    "\\providecommand\\tgchar[2]{\\ifdefined\\Umathchar#1\\else\\texttt{U+#2}\\fi}\n";

std::string tex_escape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    const std::string_view one = text.substr(at, std::max<std::size_t>(length, 1));
    const auto c = static_cast<unsigned char>(one[0]);
    const std::string_view ascii = found(kAscii, one), sign = found(kSigns, one);
    if (!ascii.empty())
      out += ascii;
    else if (!sign.empty())
      out += fmt::format("\\ensuremath{{{}}}", sign);
    else if (c == '\n' || c == '\r' || c == '\t')
      out += ' ';
    else if (length == 0 || c < 0x20 || c == 0x7F)
      out += '?';
    else if (length == 1)
      out += one;
    else
      out += fmt::format("\\tgchar{{{}}}{{{:04X}}}", one, static_cast<std::uint32_t>(code_of(one)));
    at += one.size();
  }
  return out;
}

std::string tex_math(std::string_view name) {
  const MathText m = math_of(name);
  std::string out = "$" + std::string(m.before.empty() ? "" : "\\nabla ") + base_of(m.base);
  const auto script = [](const std::string& text) {
    const bool plain = std::ranges::all_of(text, [](char c) {
      return is_letter(c) || (c >= '0' && c <= '9') || c == '(' || c == ')' || c == ',' ||
             c == '-' || c == '+' || c == ' ';
    });
    return plain ? text : "\\textrm{" + tex_escape(text) + "}";
  };
  if (!m.lowered.empty()) out += "_{" + script(m.lowered) + "}";
  if (!m.raised.empty()) out += "^{" + script(m.raised) + "}";
  return out + "$";
}

}  // namespace taugrad::draw
