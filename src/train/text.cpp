#include "taugrad/train/text.h"

#include <algorithm>
#include <set>

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
      d.help = "convert the file to UTF-8, for example with iconv";
      fail(Status::bad_input, std::move(d));
    }
    at += n;
  }
}

void warn_of_oddities(Corpus& corpus, std::string_view text, const std::string& file) {
  const auto warn = [&](std::string message) {
    Diagnostic d;
    d.code = "D102";
    d.message = std::move(message);
    d.file = file;
    corpus.warnings.push_back(std::move(d));
  };
  if (const auto n = std::count(text.begin(), text.end(), '\0'); n > 0)
    warn(fmt::format("{} NUL bytes; each is a character like any other", n));
  std::int64_t crlf = 0;
  for (std::size_t at = text.find("\r\n"); at != std::string_view::npos;
       at = text.find("\r\n", at + 2))
    ++crlf;
  if (crlf > 0) warn(fmt::format("{} lines end in CRLF; they are read as LF", crlf));
}

}  // namespace

Split split_from(std::string_view name) { return value_of(kSplits, "--split", name); }

void add_text(Corpus& corpus, std::string_view text, const std::string& file, Split split) {
  check_utf8(text, file);
  warn_of_oddities(corpus, text, file);
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

Vocabulary::Vocabulary(const std::vector<TextItem>& items, bool with_end) : with_end_(with_end) {
  std::set<std::string_view> seen;  // in byte order, which is code point order in UTF-8
  for (const TextItem& item : items) {
    const std::string_view text = item.text;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = utf8_sequence(text, at);
      seen.insert(text.substr(at, n));
      at += n;
    }
  }
  if (with_end) symbols_.emplace_back();
  symbols_.insert(symbols_.end(), seen.begin(), seen.end());
  number_symbols();
}

Vocabulary::Vocabulary(std::vector<std::string> symbols, bool with_end, const std::string& file)
    : symbols_(std::move(symbols)), with_end_(with_end) {
  const auto bad = [&](std::size_t i, const char* why) {
    Diagnostic d;
    d.code = "D004";
    d.message = fmt::format("symbol {} of the vocabulary {}", i, why);
    d.file = file;
    fail(Status::bad_input, std::move(d));
  };
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    if (i == 0 && with_end_) {
      if (!symbols_[0].empty()) bad(0, "is the end and must be \"\"");
    } else if (symbols_[i].empty() || utf8_sequence(symbols_[i], 0) != symbols_[i].size()) {
      bad(i, "must be one character");
    }
  }
  number_symbols();
  if (numbers_.size() + (with_end_ ? 1 : 0) == symbols_.size()) return;
  for (std::size_t i = symbols_.size(); i-- > 0;)
    if (numbers_.at(symbols_[i]) != static_cast<std::int64_t>(i)) bad(i, "is there twice");
}

void Vocabulary::number_symbols() {
  for (std::size_t i = with_end_ ? 1 : 0; i < symbols_.size(); ++i)
    numbers_.try_emplace(symbols_[i], static_cast<std::int64_t>(i));
}

std::vector<std::int64_t> Vocabulary::encode(const TextItem& item) const {
  const std::string_view text = item.text;
  std::vector<std::int64_t> out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = std::max<std::size_t>(utf8_sequence(text, at), 1);
    const auto it = numbers_.find(text.substr(at, n));
    if (it == numbers_.end()) {
      Diagnostic d;
      d.code = "D004";
      d.message =
          fmt::format("character \"{}\" is not in the vocabulary", printable(text.substr(at, n)));
      d.file = item.file;
      const LineColumn place = line_column(text, at);
      d.line = item.line + place.line - 1;
      d.column = place.column;
      d.help = "the vocabulary holds the characters of the text the model was made for";
      fail(Status::bad_input, std::move(d));
    }
    out.push_back(it->second);
    at += n;
  }
  return out;
}

std::string Vocabulary::decode(const std::vector<std::int64_t>& symbols) const {
  std::string text;
  for (const std::int64_t s : symbols) {
    if (s < 0 || s >= size())
      fail(Status::usage, "U022", "the vocabulary has {} symbols: there is no number {}", size(),
           s);
    text += symbols_[static_cast<std::size_t>(s)];
  }
  return text;
}

}  // namespace taugrad
