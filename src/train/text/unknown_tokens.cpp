// Tokens of a text that a vocabulary has no symbol for.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "base/source_text.h"
#include "base/utf8.h"
#include "train/text/stored_text.h"

namespace taugrad {
namespace {

/// The others that are not in the vocabulary, some of them by name.
std::string and_others(const std::vector<std::string_view>& others) {
  constexpr std::size_t kNamed = 10;
  if (others.empty()) return "";
  std::string text = fmt::format(", nor {} {} other{}: ", others.size() == 1 ? "is" : "are",
                                 others.size(), others.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(others.size(), kNamed); ++i)
    text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", printable(others[i], 80));
  return text + (others.size() > kNamed ? ", .." : "");
}

/// @param unknown  by the place where they first stand
[[noreturn]] void fail_unknown(const TextIndex& index,
                               const std::vector<const TokenCounts::value_type*>& unknown) {
  const auto& [token, first] = *unknown.front();
  std::vector<std::string_view> others;
  for (std::size_t i = 1; i < unknown.size(); ++i) others.push_back(unknown[i]->first);
  const TextSource& source = index.sources[first.source];
  std::string before;
  source.read(0, first.at, before);
  if (index.facts[first.source].end_of_line == '\r') before = with_line_feeds(before, '\r');
  const LineColumn place = line_column(before, before.size());
  Diagnostic d = not_in_vocabulary(token, index.tokens);
  d.message += and_others(others);
  d.file = source.name();
  d.line = place.line;
  d.column = place.column;
  fail(Status::bad_input, std::move(d));
}

}  // namespace

std::int64_t unknown_tokens(const TextIndex& index, const Vocabulary& vocabulary) {
  std::vector<const TokenCounts::value_type*> unknown;
  std::int64_t count = 0;
  for (const auto& entry : index.counts) {
    if (vocabulary.number(entry.first) >= 0) continue;
    count += entry.second.count;
    unknown.push_back(&entry);
  }
  if (count == 0 || vocabulary.unknown() >= 0) return count;
  std::ranges::sort(unknown, {}, [](const TokenCounts::value_type* t) {
    return std::pair(t->second.source, t->second.at);
  });
  fail_unknown(index, unknown);
}

}  // namespace taugrad
