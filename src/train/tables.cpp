#include "train/tables.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

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

std::optional<double> number_in(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  double x = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), x);
  if (error != std::errc() || end != field.data() + field.size()) return {};
  return x;
}

std::optional<std::int64_t> whole_in(std::string_view field) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), n);
  if (error != std::errc() || end != field.data() + field.size()) return {};
  return n;
}

Diagnostic problem(const std::string& file, int line, std::string message, std::string help = {}) {
  Diagnostic d;
  d.code = "D020";
  d.message = std::move(message);
  d.file = file;
  d.line = line;
  d.help = std::move(help);
  return d;
}

class Table {
 public:
  Table(const Definition& d, const std::string& file, const TableColumns& columns,
        const Labels& labels)
      : model_(resolve(d)), file_(file), columns_(columns), labels_(labels) {}

  std::vector<RawItem> items(std::string_view text) {
    Rows rows(text, file_.ends_with(".tsv") ? '\t' : ',');
    Row row;
    bool first = true;
    while (rows.next(row)) {
      if (first && !row.fields.empty() && is_header(row)) {
        header_ = row.fields;
        width_ = header_.size();
      } else {
        rows_.push_back(row);
        if (width_ == 0) width_ = row.fields.size();
      }
      first = first && row.fields.empty();
    }
    if (rows.fault() != nullptr)
      throw Error(Status::bad_input, problem(file_, rows.line_of_fault(), rows.fault(),
                                             "a quote inside a field in quotes is written twice"));
    if (std::ranges::all_of(rows_, [](const Row& r) { return r.fields.empty(); }))
      fail(Status::bad_input, "D001", "{} is empty", file_);
    find_columns();
    for (const Row& r : rows_)
      if (!r.fields.empty() && r.fields.size() != width_)
        problems_.push_back(
            problem(file_, r.line,
                    fmt::format("the row has {} fields, the first {}", r.fields.size(), width_)));
    if (problems_.empty()) take_items();
    if (!problems_.empty()) throw Error(Status::bad_input, std::move(problems_));
    return std::move(items_);
  }

 private:
  struct Column {
    const Symbol* symbol;
    std::vector<std::size_t> at;
    bool words = false;
  };

  static bool is_header(const Row& row) {
    return std::ranges::none_of(row.fields,
                                [](const std::string& f) { return number_in(f).has_value(); });
  }

  std::size_t column_named(const std::string& name) const {
    if (std::ranges::count(header_, name) > 1)
      throw Error(
          Status::bad_input,
          problem(file_, 1, fmt::format("several columns are called \"{}\"", printable(name, 80)),
                  "choose one by its number, from 1"));
    if (const auto at = std::ranges::find(header_, name); at != header_.end())
      return static_cast<std::size_t>(at - header_.begin());
    const auto number = whole_in(name);
    if (number && *number >= 1 && static_cast<std::size_t>(*number) <= width_)
      return static_cast<std::size_t>(*number) - 1;
    throw Error(Status::bad_input,
                problem(file_, 1, fmt::format("there is no column \"{}\"", printable(name, 80)),
                        header_.empty() ? fmt::format("columns are numbered 1..{}", width_)
                                        : did_you_mean(name, header_)));
  }

  void find_columns() {
    std::vector<std::pair<std::string, std::vector<std::string>>> of = columns_.of;
    for (const std::string& name : header_)
      if (is_data(name) && std::ranges::none_of(of, [&](const auto& o) { return o.first == name; }))
        of.push_back({name, {name}});
    if (of.empty())
      throw Error(Status::bad_input,
                  problem(file_, 1, "no column is named as a variable of the definition",
                          "--column x=2,3 says which columns are which variable"));
    for (const auto& [name, texts] : of) {
      if (!is_data(name))
        fail(Status::usage, "U002",
             "--column {}: the definition has no input and no random "
             "variable of this name",
             name);
      Column c{&model_->symbols[static_cast<std::size_t>(model_->find(name))], {}};
      for (const std::string& text : texts) c.at.push_back(column_named(text));
      c.words = c.symbol->category >= 0 && (labels_.contains(name) || holds_words(c));
      taken_.push_back(std::move(c));
    }
    if (!columns_.item.empty()) item_ = column_named(columns_.item);
  }

  bool is_data(const std::string& name) const {
    const int s = model_->find(name);
    if (s < 0) return false;
    const Symbol& symbol = model_->symbols[static_cast<std::size_t>(s)];
    return symbol.kind == SymbolKind::input || symbol.random();
  }

  bool holds_words(const Column& c) const {
    return std::ranges::any_of(rows_, [&](const Row& r) {
      return std::ranges::any_of(c.at, [&](std::size_t at) {
        return at < r.fields.size() && !r.fields[at].empty() && !whole_in(r.fields[at]);
      });
    });
  }

  void take_items() {
    const auto name = std::make_shared<const std::string>(file_);
    for (std::size_t from = 0; from < rows_.size();) {
      if (rows_[from].fields.empty()) {
        ++from;
        continue;
      }
      std::size_t to = from + 1;
      while (to < rows_.size() && !rows_[to].fields.empty() &&
             (!item_ || rows_[to].fields[*item_] == rows_[from].fields[*item_]))
        ++to;
      RawItem item{{}, name, rows_[from].line};
      for (const Column& c : taken_) take(c, from, to, item.fields);
      items_.push_back(std::move(item));
      from = to;
    }
  }

  // rows from..to-1 of a variable: [steps], [steps, columns], or without an index those of a row
  void take(const Column& c, std::size_t from, std::size_t to, ItemFields& fields) {
    const bool indexed = !c.symbol->axes.empty();
    const std::size_t last = indexed ? to : from + 1;
    for (std::size_t r = from + 1; r < to && !indexed; ++r)
      for (const std::size_t at : c.at)
        if (rows_[r].fields[at] != rows_[from].fields[at]) {
          problems_.push_back(
              problem(file_, rows_[r].line,
                      fmt::format("\"{}\" has no index, and is another in a later row of its item",
                                  c.symbol->name)));
          return;
        }
    Dims dims;
    if (indexed) dims.push_back(static_cast<std::int64_t>(to - from));
    if (c.symbol->shape.rank() > 0 || c.at.size() > 1)
      dims.push_back(static_cast<std::int64_t>(c.at.size()));
    Tensor t(dims, c.symbol->category >= 0 ? Dtype::i64 : Dtype::f64);
    std::vector<std::string> words;
    std::int64_t element = 0;
    for (std::size_t r = from; r < last; ++r)
      for (const std::size_t at : c.at) {
        const std::string& field = rows_[r].fields[at];
        if (field.empty()) fields.nulls[c.symbol->name].push_back(element);
        if (c.words)
          words.push_back(field);
        else if (!field.empty())
          set(t, element, field, *c.symbol, rows_[r].line);
        ++element;
      }
    fields.values.emplace(c.symbol->name, std::move(t));
    if (c.words) fields.words.emplace(c.symbol->name, std::move(words));
  }

  void set(Tensor& t, std::int64_t element, const std::string& field, const Symbol& s, int line) {
    if (const auto x = number_in(field)) return t.set(element, *x);
    problems_.push_back(problem(
        file_, line, fmt::format("\"{}\" of \"{}\" is no number", printable(field, 80), s.name)));
  }

  std::shared_ptr<const ResolvedModel> model_;
  const std::string& file_;
  const TableColumns& columns_;
  const Labels& labels_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
  std::size_t width_ = 0;
  std::vector<Column> taken_;
  std::optional<std::size_t> item_;
  std::vector<RawItem> items_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

TableColumns columns_from(const std::vector<std::string>& texts) {
  TableColumns columns;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
      fail(Status::usage, "U002", "--column takes NAME=COLUMNS, as in x=2,3; got {}", text);
    const std::string name = text.substr(0, equals);
    std::vector<std::string> of;
    for (std::size_t from = equals + 1; from <= text.size();) {
      const std::size_t end = std::min(text.find(',', from), text.size());
      of.push_back(text.substr(from, end - from));
      from = end + 1;
    }
    const bool again =
        name == "item"
            ? !columns.item.empty()
            : std::ranges::any_of(columns.of, [&](const auto& o) { return o.first == name; });
    if (again) fail(Status::usage, "U002", "--column {} is there twice", name);
    if (name == "item")
      columns.item = of.front();
    else
      columns.of.emplace_back(name, std::move(of));
  }
  return columns;
}

bool is_table(const std::string& file) { return file.ends_with(".csv") || file.ends_with(".tsv"); }

std::vector<RawItem> items_of_table(const Definition& d, std::string_view text,
                                    const std::string& file, const TableColumns& columns,
                                    const Labels& labels) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_utf8(text))
    fail(Status::bad_input, "D003", "{} is not UTF-8: convert it, for example with iconv",
         printable(file));
  return Table(d, file, columns, labels).items(text);
}

}  // namespace taugrad
