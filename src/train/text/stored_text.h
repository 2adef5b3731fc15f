#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "train/data/stored_items.h"
#include "train/text/text_source.h"

namespace taugrad {

/// How often a token occurs, and where it stands first.
struct TokenCount {
  std::int64_t count = 0;
  std::uint32_t source = 0;
  std::uint64_t at = 0;
};
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using TokenCounts = std::unordered_map<std::string, TokenCount, TextHash, std::equal_to<>>;

/// Texts of which only it is held where their items stand: 40 bytes an item, and 8 for every 256
/// tokens of a long one.
struct TextIndex {
  std::vector<TextSource> sources;
  std::vector<TextFacts> facts;  ///< by source
  std::vector<TextPlace> places;
  std::vector<std::uint64_t>
      marks;  ///< where every kMark-th token of an item begins, after the first
  TokenCounts counts;
  Tokens tokens = Tokens::chars;
  std::string digest;  ///< of all bytes

  static constexpr std::int64_t kMark = 256;
};
/// Goes through the texts three times: what they hold, their items, their tokens.
/// @throws Error (D001, D003), (R001) where not even the places fit
TextIndex index_of(std::vector<TextSource> sources, Split split, Tokens tokens);

/// D004, of a token; its place is the caller's.
Diagnostic not_in_vocabulary(std::string_view token, Tokens tokens);

/// The tokens of an index that are not in a vocabulary.
/// @return how many; 0 where it has no unknown
/// @throws Error (D004) for the first one, where the vocabulary has no symbol for others
std::int64_t unknown_tokens(const TextIndex& index, const Vocabulary& vocabulary);

/// Whether a definition's items are its text and nothing else: no other random variable, one
/// length.
bool is_text_alone(const Definition& d);
/// The items of texts as symbols.
/// @throws Error (D006) where the definition takes no text
std::shared_ptr<const StoredItems> stored_text(const Definition& d,
                                               std::shared_ptr<const TextIndex> index,
                                               const Vocabulary& vocabulary);

}  // namespace taugrad
