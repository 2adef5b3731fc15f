#include "base/init.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/suggest.h"
#include "base/utf8.h"
#include "base/words.h"

namespace taugrad {
namespace {

using Kind = Init::Kind;

constexpr Word<Kind> kWords[] = {{"zeros", Kind::zeros},       {"ones", Kind::ones},
                                 {"identity", Kind::identity}, {"orthogonal", Kind::orthogonal},
                                 {"xavier", Kind::xavier},     {"uniform(", Kind::uniform},
                                 {"normal(", Kind::normal}};

// the whole text as a finite number; what is smaller than any is 0
bool read_number(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return false;
  if (error == std::errc::result_out_of_range)
    return text.find("e-") != text.npos || text.find("E-") != text.npos;
  return error == std::errc() && std::isfinite(value);
}

// "[0.25, 0.5]"; false where it is no list of numbers
bool read_values(std::string_view text, std::vector<double>& values) {
  if (!text.starts_with('[') || !text.ends_with(']')) return false;
  text = text.substr(1, text.size() - 2);
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    std::string_view part = text.substr(from, comma - from);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    double value = 0;
    if (!read_number(part, value)) return false;
    values.push_back(value);
    from = comma + 1;
  }
  return true;
}

}  // namespace

std::string init_text(std::string_view init, std::span<const double> values) {
  return values.empty() ? std::string(init) : fmt::format("[{}]", fmt::join(values, ", "));
}

Init init_from(std::string_view text) {
  if (text.empty()) return {};
  for (const auto& [word, kind] : kWords) {
    if (!word.ends_with('(')) {
      if (text == word) return Init{kind};
      continue;
    }
    Init i{kind};
    if (text.starts_with(word) && text.ends_with(')') &&
        read_number(text.substr(word.size(), text.size() - word.size() - 1), i.value) &&
        i.value >= 0 && i.value < 1e300)
      return i;
  }
  if (Init i{Kind::number}; read_number(text, i.value)) return i;
  if (Init i{Kind::values}; read_values(text, i.values)) return i;
  Diagnostic d;
  d.code = "G010";
  d.message = fmt::format("unknown init \"{}\"", printable(text, 80));
  d.help = did_you_mean(text, texts_of(kWords));
  if (!d.help.empty()) d.help += " ";
  d.help +=
      "zeros, ones, identity, orthogonal, xavier, uniform(a), normal(s), a number, or "
      "{\"values\": [..]}";
  fail(Status::bad_input, std::move(d));
}

}  // namespace taugrad
