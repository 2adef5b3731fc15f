// Texts as files have them: what their lines end in, and where their items stand.
#include "train/text/text_source.h"

#include <limits>
#include <span>

#include "base/fail.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // a byte-order mark in UTF-8
constexpr std::string_view kBlank = " \t\r\v\f";

int clamped(std::int64_t n) {
  return static_cast<int>(std::min<std::int64_t>(n, std::numeric_limits<int>::max()));
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

/// By its byte-order mark, or without one by every other byte: NULs of text that is mostly ASCII,
/// else the upper bytes of an alphabet (04 of Cyrillic), which are control characters, beside NULs.
/// Empty: it is not of 16 or 32 bits.
std::string_view wide_encoding(std::string_view begin) {
  constexpr std::size_t kLook = 512;
  if (begin.starts_with(std::string_view("\xFF\xFE\0\0", 4)) ||
      begin.starts_with(std::string_view("\0\0\xFE\xFF", 4)))
    return "UTF-32";
  if (begin.starts_with("\xFF\xFE") || begin.starts_with("\xFE\xFF")) return "UTF-16";
  const std::size_t whole = std::min(begin.size(), kLook) / 4;
  std::size_t of_four[4] = {0, 0, 0, 0};
  for (std::size_t i = 0; i < 4 * whole; ++i) of_four[i % 4] += begin[i] == '\0';
  // no character has more than 21 bits
  if (whole > 0 && of_four[3] == whole && of_four[2] == whole && of_four[0] < whole)
    return "UTF-32LE";
  if (whole > 0 && of_four[0] == whole && of_four[1] == whole && of_four[3] < whole)
    return "UTF-32BE";
  const std::size_t n = std::min(begin.size(), kLook) / 2;
  std::size_t nul[2] = {0, 0}, control[2] = {0, 0};
  for (std::size_t i = 0; i < 2 * n; ++i) {
    nul[i % 2] += begin[i] == '\0';
    control[i % 2] += is_control(begin[i]);
  }
  if (n < 2) return "";
  if (nul[0] == 0 && 2 * nul[1] > n) return "UTF-16LE";
  if (nul[1] == 0 && 2 * nul[0] > n) return "UTF-16BE";
  if (10 * control[1] >= 9 * n && control[0] < control[1]) return "UTF-16LE";
  if (10 * control[0] >= 9 * n && control[1] < control[0]) return "UTF-16BE";
  return "";
}

/// Counts what a text holds, and checks that it is UTF-8.
class Facts {
 public:
  Facts(const std::string& file, bool utf8) : file_(file), utf8_(utf8) {}

  void add(std::string_view piece) {
    if (!begun_) begin(piece);
    count(piece);
    if (!utf8_) return;
    if (carried_.empty()) return check(piece, false);
    carried_ += piece;
    std::string whole;
    whole.swap(carried_);
    check(whole, false);
  }
  TextFacts end() {
    check(std::string(std::move(carried_)), true);
    if (facts_.lf == 0 && facts_.cr > 0) facts_.end_of_line = '\r';
    return facts_;
  }

 private:
  void begin(std::string_view piece) {
    begun_ = true;
    facts_.mark = piece.starts_with(kMark);
    const std::string_view encoding = utf8_ ? wide_encoding(piece) : "";
    if (encoding.empty()) return;
    Diagnostic d;
    d.code = "D003";
    d.message = fmt::format("{} is {}", printable(file_), encoding);
    d.help = fmt::format("convert it: iconv -f {} -t UTF-8", encoding);
    fail(Status::bad_input, std::move(d));
  }

  void count(std::string_view piece) {
    for (const char c : piece) {
      facts_.nul += c == '\0';
      facts_.cr += c == '\r';
      facts_.lf += c == '\n';
      facts_.crlf += c == '\n' && last_ == '\r';
      last_ = c;
    }
  }

  // a sequence that a piece cuts is looked at with the next
  void check(std::string_view text, bool last) {
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t n = static_cast<signed char>(text[i]) >= 0 ? 1 : utf8_sequence(text, i);
      if (n == 0) {
        if (last || text.size() - i >= 4) refuse(at_ + i);
        carried_ = text.substr(i);
        text = text.substr(0, i);
        break;
      }
      ++column_;
      if (text[i] == '\n') {
        ++line_;
        column_ = 1;
      }
      i += n;
    }
    at_ += text.size();
  }

  [[noreturn]] void refuse(std::uint64_t at) const {
    Diagnostic d;
    d.code = "D003";
    d.message = fmt::format("invalid UTF-8 at byte {}", at + 1);
    d.file = file_;
    d.line = clamped(line_);
    d.column = clamped(column_);
    d.help = "convert the file to UTF-8, for example with iconv, or read bytes: --tokens bytes";
    fail(Status::bad_input, std::move(d));
  }

  const std::string& file_;
  bool utf8_, begun_ = false;
  TextFacts facts_;
  char last_ = '\n';
  std::string carried_;
  std::uint64_t at_ = 0;  ///< bytes that were checked
  std::int64_t line_ = 1, column_ = 1;
};

/// Goes through a text line by line, and keeps where its items begin and end.
class ItemFinder {
 public:
  ItemFinder(const TextFacts& facts, Split split, std::uint32_t source,
             std::vector<TextPlace>& places)
      : split_(split),
        end_of_line_(facts.end_of_line),
        source_(source),
        at_(facts.begin()),
        places_(places) {}

  void add(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = std::min(piece.find(end_of_line_), piece.size());
      take(piece.substr(0, end));
      if (end == piece.size()) return;
      end_line(true);
      piece.remove_prefix(end + 1);
    }
  }
  void end() {
    if (length_ > 0) end_line(false);
    end_item();
  }

 private:
  void take(std::string_view part) {
    if (part.empty()) return;
    if (length_ == 0) first_ = part.front();
    last_ = part.back();
    length_ += part.size();
    if (split_ == Split::blank)
      blank_ = blank_ && part.find_first_not_of(kBlank) == std::string_view::npos;
  }

  void end_line(bool terminated) {
    ++line_;
    // CRLF ends a line as LF does
    const bool two = terminated && end_of_line_ == '\n' && length_ > 0 && last_ == '\r';
    const std::uint64_t length = length_ - (two ? 1 : 0);
    const bool separates = split_ == Split::blank     ? blank_
                           : split_ == Split::percent ? length == 1 && first_ == '%'
                                                      : false;
    if (separates) {
      end_item();
    } else {
      if (!any_) item_.begin = at_;
      if (!any_) item_.line = static_cast<std::uint32_t>(clamped(line_));
      any_ = true;
      item_.bytes = at_ + length - item_.begin;
      if (split_ == Split::line) end_item();
    }
    at_ += length_ + (terminated ? 1 : 0);
    length_ = 0;
    blank_ = true;
  }

  void end_item() {
    item_.source = source_;
    if (any_ && item_.bytes > 0) places_.push_back(item_);
    any_ = false;
  }

  Split split_;
  char end_of_line_;
  std::uint32_t source_;
  std::uint64_t at_;  ///< where the line begins
  std::vector<TextPlace>& places_;
  std::uint64_t length_ = 0;  ///< of the line so far
  char first_ = 0, last_ = 0;
  bool blank_ = true;
  std::int64_t line_ = 0;
  TextPlace item_;
  bool any_ = false;  ///< the item has a line
};

}  // namespace

TextSource::TextSource(const std::string& file, std::uint64_t hold)
    : name_(file), file_(std::make_unique<InputFile>(file)), size_(file_->size()) {
  if (size_ >= hold) return;
  std::string text;
  read(0, size_, text);
  text_ = std::move(text);
  file_.reset();
}

void TextSource::read(std::uint64_t begin, std::uint64_t end, std::string& to) const {
  to.resize(end - begin);
  if (file_)
    file_->read(begin, std::as_writable_bytes(std::span(to)));
  else
    to.assign(text_, begin, end - begin);
}

std::vector<Diagnostic> TextFacts::warnings(const std::string& file) const {
  std::vector<Diagnostic> all;
  const auto tell = [&](std::string message) {
    Diagnostic d;
    d.code = "D102";
    d.message = std::move(message);
    d.file = file;
    all.push_back(std::move(d));
  };
  if (mark) tell("the file begins with a byte-order mark; it is left out");
  if (nul > 0) tell(fmt::format("{} NUL bytes; each is a character like any other", nul));
  if (crlf > 0) tell(fmt::format("{} lines end in CRLF; they are read as LF", crlf));
  if (end_of_line == '\r') tell(fmt::format("{} lines end in CR; they are read as LF", cr));
  return all;
}

TextFacts facts_of(const TextSource& source, Tokens tokens, Digest* digest) {
  Facts facts(source.name(), tokens != Tokens::bytes);
  source.each_piece([&](std::string_view piece) {
    if (digest != nullptr) digest->add(piece);
    facts.add(piece);
  });
  return facts.end();
}

void find_items(const TextSource& source, const TextFacts& facts, Split split, std::uint32_t number,
                std::vector<TextPlace>& places) {
  const std::size_t before = places.size();
  ItemFinder items(facts, split, number, places);
  std::uint64_t skip = facts.begin();
  source.each_piece([&](std::string_view piece) {
    piece.remove_prefix(std::min<std::uint64_t>(skip, piece.size()));
    skip = 0;
    items.add(piece);
  });
  items.end();
  if (places.size() > before) return;
  Diagnostic d;
  d.code = "D001";
  d.message = fmt::format("{} is empty", source.name() == "-" ? "standard input" : source.name());
  d.help = "training needs at least one character";
  fail(Status::bad_input, std::move(d));
}

std::string with_line_feeds(std::string_view bytes, char end_of_line) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r')
      out += bytes[i];
    else if (end_of_line == '\r')
      out += '\n';
    else if (i + 1 == bytes.size() || bytes[i + 1] != '\n')
      out += '\r';
  }
  return out;
}

}  // namespace taugrad
