#include "base/words.h"

#include <algorithm>
#include <utility>

#include "base/suggest.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

// Words of other tools, and ours; the first that is known here counts.
constexpr std::pair<std::string_view, std::string_view> kForeign[] = {
    {"float32", "f32"},
    {"float", "f32"},
    {"single", "f32"},
    {"float64", "f64"},
    {"double", "f64"},
    {"bfloat16", "bf16"},
    {"half", "bf16"},
    {"bilstm", "lstm"},
    {"elman", "rnn"},
    {"vanilla", "rnn"},
    {"graphviz", "dot"},
    {"gv", "dot"},
    {"complex-step", "complex"},
    {"complex_step", "complex"},
    {"finite", "central"},
    {"differences", "central"},
    {"numeric", "central"},
    {"unrolled", "unfolded"},
    {"unroll", "unfolded"},
    {"backward", "gradient"},
    {"grad", "gradient"},
};

std::string help_for(const std::vector<std::string>& known, std::string_view text) {
  for (const auto& [theirs, ours] : kForeign)
    if (theirs == text && std::ranges::find(known, ours) != known.end())
      return fmt::format("did you mean \"{}\"?", ours);
  const bool picture = text == "png" || text == "pdf" || text == "jpg";
  if (picture && std::ranges::find(known, "dot") != known.end())
    return fmt::format("Graphviz makes it of DOT text, the form without -o: | dot -T{} > FILE.{}",
                       text, text);
  return did_you_mean(text, known);
}

}  // namespace

std::size_t check_word(const std::vector<std::string>& known, std::string_view what,
                       std::string_view text) {
  const auto found = std::find(known.begin(), known.end(), text);
  if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
  Diagnostic d;
  d.code = "U002";
  d.message =
      fmt::format("{} must be one of {}, got {}", what, fmt::join(known, " "), printable(text));
  d.help = help_for(known, text);
  fail(Status::usage, std::move(d));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace taugrad
