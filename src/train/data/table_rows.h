#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// A row of a table.
struct Row {
  int line = 0;
  std::vector<std::string> fields;  ///< none: an empty line
};

/// Rows of a table; a field in quotes may hold separators, ends of lines, and quotes twice.
class Rows {
 public:
  Rows(std::string_view text, char separator) : text_(text), separator_(separator) {}

  bool next(Row& row) {
    if (at_ == text_.size()) return false;
    row = {line_, {}};
    do row.fields.push_back(field());
    while (at_ < text_.size() && text_[at_] == separator_ && ++at_);
    if (at_ < text_.size()) {  // CR LF, LF or CR
      const bool two = text_.substr(at_).starts_with("\r\n");
      at_ += two ? 2 : 1;
      ++line_;
    }
    if (row.fields.size() == 1 && row.fields[0].empty()) row.fields.clear();
    return true;
  }

  /// What is wrong with a field in quotes, or nothing; and the line where it begins.
  const char* fault() const { return fault_; }
  int line_of_fault() const { return line_of_fault_; }

 private:
  bool ends(char c) const { return c == separator_ || c == '\n' || c == '\r'; }

  std::string field() {
    std::string out;
    if (at_ < text_.size() && text_[at_] == '"') {
      const int begin = line_;
      bool closed = false;
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '\n') ++line_;
        if (text_[at_] != '"') {
          out += text_[at_];
        } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          out += text_[++at_];
        } else {
          ++at_;
          closed = true;
          break;
        }
      }
      const std::size_t next = std::min(text_.find_first_not_of(' ', at_), text_.size());
      if (!closed)
        note(begin, "a quote that begins here is not closed");
      else if (next < text_.size() && !ends(text_[next]))
        note(begin, "text follows a field in quotes");
    }
    while (at_ < text_.size() && !ends(text_[at_])) out += text_[at_++];
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out.substr(std::min(out.find_first_not_of(' '), out.size()));
  }

  void note(int line, const char* what) {
    if (fault_ != nullptr) return;
    fault_ = what;
    line_of_fault_ = line;
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  int line_ = 1;
  const char* fault_ = nullptr;
  int line_of_fault_ = 0;
};

}  // namespace taugrad
