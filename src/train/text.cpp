#include "taugrad/train/text.h"

#include <algorithm>

#include "base/fail.h"
#include "base/source_text.h"
#include "base/utf8.h"
#include "train/words.h"

namespace taugrad {
namespace {

// Lines of a text one after another; CRLF ends a line as LF does.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const bool terminated = end < rest_.size();
    line = rest_.substr(0, end);
    rest_.remove_prefix(terminated ? end + 1 : end);
    if (terminated && line.ends_with('\r')) line.remove_suffix(1);
    return true;
  }

 private:
  std::string_view rest_;
};

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

bool separates(std::string_view line, Split split) {
  return split == Split::blank ? is_blank(line) : line == "%";
}

void check_utf8(std::string_view text, const std::string& file) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = utf8_sequence(text, at);
    if (n == 0) {
      Diagnostic d;
      d.code = "D003";
      d.message = fmt::format("invalid UTF-8 at byte {}", at + 1);
      d.file = file;
      const LineColumn place = line_column(text, at);
      d.line = place.line;
      d.column = place.column;
      d.help = "convert the file to UTF-8, for example with iconv, or read bytes: --tokens bytes";
      fail(Status::bad_input, std::move(d));
    }
    at += n;
  }
}

Diagnostic oddity(std::string message, const std::string& file) {
  Diagnostic d;
  d.code = "D102";
  d.message = std::move(message);
  d.file = file;
  return d;
}

void warn_of_oddities(Corpus& corpus, std::string_view text, const std::string& file) {
  if (const auto n = std::count(text.begin(), text.end(), '\0'); n > 0)
    corpus.warnings.push_back(
        oddity(fmt::format("{} NUL bytes; each is a character like any other", n), file));
  std::int64_t crlf = 0;
  for (std::size_t at = text.find("\r\n"); at != std::string_view::npos;
       at = text.find("\r\n", at + 2))
    ++crlf;
  if (crlf > 0)
    corpus.warnings.push_back(
        oddity(fmt::format("{} lines end in CRLF; they are read as LF", crlf), file));
}

// of a file whose lines end in CR alone
std::string with_line_feeds(Corpus& corpus, std::string_view text, const std::string& file) {
  std::string out(text);
  const auto n = std::count(out.begin(), out.end(), '\r');
  std::ranges::replace(out, '\r', '\n');
  corpus.warnings.push_back(
      oddity(fmt::format("{} lines end in CR; they are read as LF", n), file));
  return out;
}

void refuse_utf16(std::string_view text, const std::string& file) {
  if (!text.starts_with("\xFF\xFE") && !text.starts_with("\xFE\xFF")) return;
  Diagnostic d;
  d.code = "D003";
  d.message = fmt::format("{} is UTF-16", printable(file));
  d.help = "convert it: iconv -f UTF-16 -t UTF-8";
  fail(Status::bad_input, std::move(d));
}

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // a byte-order mark in UTF-8

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
  if (tokens != Tokens::bytes) {
    refuse_utf16(text, file);
    check_utf8(text, file);
  }
  if (text.starts_with(kMark)) {
    text.remove_prefix(kMark.size());
    corpus.warnings.push_back(
        oddity("the file begins with a byte-order mark; it is left out", file));
  }
  warn_of_oddities(corpus, text, file);
  std::string converted;
  if (text.find('\r') != text.npos && text.find('\n') == text.npos)
    text = converted = with_line_feeds(corpus, text, file);
  const std::size_t before = corpus.items.size();
  TextItem item{"", file, 1};
  bool any = false;
  const auto finish = [&] {
    if (!item.text.empty()) corpus.items.push_back(item);
    item.text.clear();
    any = false;
  };
  int number = 0;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    ++number;
    if (split != Split::none && split != Split::line && separates(line, split)) {
      finish();
      continue;
    }
    if (!any) item.line = number;
    if (any) item.text += '\n';
    item.text += line;
    any = true;
    if (split == Split::line) finish();
  }
  finish();
  if (corpus.items.size() == before) {
    Diagnostic d;
    d.code = "D001";
    d.message = fmt::format("{} is empty", file);
    d.help = "training needs at least one character";
    fail(Status::bad_input, std::move(d));
  }
}

}  // namespace taugrad
