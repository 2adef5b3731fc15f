#include "taugrad/train/text.h"

#include <algorithm>

#include "base/utf8.h"
#include "train/state/words.h"
#include "train/text/text_source.h"

namespace taugrad {
namespace {

bool is_word(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         u >= 0x80;
}
bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

Split split_from(std::string_view name) { return value_of(kSplits, "--split", name); }

std::size_t token_length(std::string_view text, Tokens tokens) {
  if (tokens == Tokens::bytes) return 1;
  if (tokens == Tokens::chars) return std::max<std::size_t>(utf8_sequence(text, 0), 1);
  std::size_t end = text[0] == ' ' && text.size() > 1 && !is_white(text[1]) ? 1 : 0;
  if (!is_word(text[end])) return end + 1;
  while (end < text.size() && is_word(text[end])) ++end;
  return end;
}

void add_text(Corpus& corpus, std::string_view text, const std::string& file, Split split,
              Tokens tokens) {
  const TextSource source(file, std::string(text));
  const TextFacts facts = facts_of(source, tokens);
  for (Diagnostic& w : facts.warnings(file)) corpus.warnings.push_back(std::move(w));
  std::vector<TextPlace> places;
  find_items(source, facts, split, 0, places);
  for (const TextPlace& p : places)
    corpus.items.push_back({with_line_feeds(text.substr(p.begin, p.bytes), facts.end_of_line), file,
                            static_cast<int>(p.line)});
}

}  // namespace taugrad
