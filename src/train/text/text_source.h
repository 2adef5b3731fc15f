#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/system/files.h"
#include "taugrad/train/text.h"

namespace taugrad {

/// The bytes of a text: those of a file, which are read where they stand, or held, where they came
/// through a pipe or are few.
class TextSource {
 public:
  /// @param hold  files of fewer bytes are held, so that thousands of them need not stay open
  /// @throws Error (I001, I003)
  explicit TextSource(const std::string& file, std::uint64_t hold = std::uint64_t{1} << 20);
  TextSource(std::string name, std::string text)
      : name_(std::move(name)), text_(std::move(text)), size_(text_.size()) {}

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }
  bool held() const { return file_ == nullptr; }
  /// Fills `to` with bytes begin..end-1. @throws Error (I001)
  void read(std::uint64_t begin, std::uint64_t end, std::string& to) const;
  /// f(piece) of one piece after another, cut anywhere.
  template <class F>
  void each_piece(const F& f) const {
    constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
    std::string piece;
    for (std::uint64_t at = 0; at < size_; at += piece.size()) {
      read(at, std::min(at + kPiece, size_), piece);
      f(std::string_view(piece));
    }
  }

 private:
  std::string name_, text_;
  std::unique_ptr<InputFile> file_;
  std::uint64_t size_ = 0;
};

/// What one pass over a text finds.
struct TextFacts {
  bool mark = false;        ///< begins with a byte-order mark, which is no character
  char end_of_line = '\n';  ///< '\r' where no line ends in '\n'
  std::int64_t nul = 0, crlf = 0, cr = 0, lf = 0;

  std::uint64_t begin() const { return mark ? 3 : 0; }
  /// D102, of what is read as something else.
  std::vector<Diagnostic> warnings(const std::string& file) const;
};
/// @param digest  takes the bytes; null: none
/// @throws Error (D003) for UTF-16, and where tokens are not bytes for what is not UTF-8
TextFacts facts_of(const TextSource& source, Tokens tokens, Digest* digest = nullptr);

/// Where an item stands in its text.
struct TextPlace {
  std::uint64_t begin = 0, bytes = 0;
  std::int64_t tokens = 0;
  std::uint32_t line = 1;    ///< where it begins
  std::uint32_t source = 0;  ///< number of its text
  std::uint32_t mark = 0;    ///< of its first mark (train/stored_text.h)
};
/// Adds the items of a text: items without a character are left out. (Split)
/// @throws Error (D001) where there is none
void find_items(const TextSource& source, const TextFacts& facts, Split split, std::uint32_t number,
                std::vector<TextPlace>& places);

/// The text of some bytes of a source, whatever its lines end in.
std::string with_line_feeds(std::string_view bytes, char end_of_line);

}  // namespace taugrad
