#include "train/data/tables.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/system/suffix.h"
#include "base/utf8.h"
#include "language/resolve/resolved_model.h"
#include "train/data/table_rows.h"

namespace taugrad {
namespace {

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
    look_over(text);
    take_items(text);
    return std::move(items_);
  }

 private:
  struct Column {
    const Symbol* symbol;
    std::vector<std::size_t> at;
    bool words = false;
  };

  // what the columns are, and which of them hold words; no row is kept
  void look_over(std::string_view text) {
    Rows rows(text, separator());
    Row row;
    bool any = false;
    while (rows.next(row)) {
      if (row.fields.empty()) continue;
      if (width_ == 0) {
        width_ = row.fields.size();
        if (is_header(row)) {
          header_ = row.fields;
          continue;
        }
      }
      if (!any) find_columns();
      any = true;
      if (row.fields.size() == width_)
        for (Column& c : taken_) c.words = c.words || holds_words(c, row);
    }
    if (rows.fault() != nullptr)
      throw Error(Status::bad_input, problem(file_, rows.line_of_fault(), rows.fault(),
                                             "a quote inside a field in quotes is written twice"));
    if (!any)
      fail(Status::bad_input, "D001", "{} {}", file_,
           header_.empty() ? "is empty" : "has a line of names and no row");
  }
  char separator() const { return has_suffix(file_, ".tsv") ? '\t' : ','; }

  static bool is_header(const Row& row) {
    return std::ranges::none_of(row.fields,
                                [](const std::string& f) { return number_in(f).has_value(); });
  }

  static bool is_one_with(const std::vector<std::string>& header, const char* what) {
    return header.size() == 1 && header[0].find(what) != std::string::npos;
  }

  bool has_column(const std::string& name) const {
    const auto number = whole_in(name);
    return std::ranges::count(header_, name) > 0 ||
           (number && *number >= 1 && static_cast<std::size_t>(*number) <= width_);
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
                        : is_one_with(header_, ";") || is_one_with(header_, "\t")
                            ? fmt::format("fields are apart by {}, and all of the line is one",
                                          separator() == ',' ? "commas" : "tabs")
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
      if (columns_.may_lack_targets && c.symbol->random() &&
          !std::ranges::all_of(texts, [&](const std::string& text) { return has_column(text); }))
        continue;
      for (const std::string& text : texts) {
        const std::size_t column = column_named(text);
        if (std::ranges::count(c.at, column) > 0)
          fail(Status::usage, "U002",
               "--column {}: column {} is there twice, by name and by number", name, column + 1);
        c.at.push_back(column);
      }
      c.words = c.symbol->category >= 0 && labels_.contains(name);
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

  static bool holds_words(const Column& c, const Row& row) {
    return c.symbol->category >= 0 && std::ranges::any_of(c.at, [&](std::size_t at) {
             const std::string& field = row.fields[at];
             const auto number = number_in(field);
             return !field.empty() && !(number && std::isfinite(*number));
           });
  }

  void take_items(std::string_view text) {
    const auto name = std::make_shared<const std::string>(file_);
    Rows rows(text, separator());
    Row row;
    bool header = !header_.empty();
    const auto finish = [&] {
      if (rows_.empty() && problems_.empty()) return;
      RawItem item{{}, name, rows_.empty() ? problems_.front().line : rows_.front().line};
      for (const Column& c : taken_)
        if (!rows_.empty()) take(c, item.fields);
      std::ranges::stable_sort(problems_, {}, &Diagnostic::line);  // columns after one another
      item.problems = std::exchange(problems_, {});
      if (!item.problems.empty()) item.fields = {};
      items_.push_back(std::move(item));
      rows_.clear();
    };
    while (rows.next(row)) {
      if (row.fields.empty()) {
        finish();
      } else if (header) {
        header = false;
      } else if (row.fields.size() != width_) {
        problems_.push_back(
            problem(file_, row.line,
                    fmt::format("the row has {} fields, the first {}", row.fields.size(), width_)));
      } else {
        if (!rows_.empty() && item_ && rows_.front().fields[*item_] != row.fields[*item_]) finish();
        rows_.push_back(std::move(row));
      }
    }
    finish();
  }

  // the rows of an item as a variable: [steps], [steps, columns], or without an index those of one
  void take(const Column& c, ItemFields& fields) {
    const bool indexed = !c.symbol->axes.empty();
    const std::size_t last = indexed ? rows_.size() : 1;
    for (std::size_t r = 1; r < rows_.size() && !indexed; ++r)
      for (const std::size_t at : c.at)
        if (rows_[r].fields[at] != rows_[0].fields[at]) {
          problems_.push_back(
              problem(file_, rows_[r].line,
                      fmt::format("\"{}\" has no index, and is another in a later row of its item",
                                  c.symbol->name)));
          return;
        }
    Dims dims;
    if (indexed) dims.push_back(static_cast<std::int64_t>(rows_.size()));
    if (c.symbol->shape.rank() > 0 || c.at.size() > 1)
      dims.push_back(static_cast<std::int64_t>(c.at.size()));
    Tensor t(dims, c.symbol->category >= 0 ? Dtype::i64 : Dtype::f64);
    std::vector<std::string> words;
    std::int64_t element = 0;
    for (std::size_t r = 0; r < last; ++r) {
      look_for_nulls(c, rows_[r]);
      for (const std::size_t at : c.at) {
        const std::string& field = rows_[r].fields[at];
        if (field.empty()) fields.nulls[c.symbol->name].push_back(element);
        if (c.words)
          words.push_back(field);
        else if (!field.empty())
          set(t, element, field, *c.symbol, rows_[r].line);
        ++element;
      }
    }
    fields.values.emplace(c.symbol->name, std::move(t));
    if (c.words) fields.words.emplace(c.symbol->name, std::move(words));
  }

  // as the check of an item, which knows no rows
  void look_for_nulls(const Column& c, const Row& row) {
    const auto nulls = static_cast<std::size_t>(
        std::ranges::count_if(c.at, [&](std::size_t at) { return row.fields[at].empty(); }));
    if (nulls == 0) return;
    std::string why = why_no_nulls(*model_, *c.symbol);
    if (why.empty() && nulls == c.at.size()) return;
    why = why.empty() ? " beside numbers of the same step" : ": " + why;
    problems_.push_back(
        problem(file_, row.line, fmt::format("\"{}\" holds null{}", c.symbol->name, why)));
    problems_.back().code = "D021";
  }

  void set(Tensor& t, std::int64_t element, const std::string& field, const Symbol& s, int line) {
    const auto x = number_in(field);
    const bool whole =
        t.dtype() != Dtype::i64 || (x && *x == std::floor(*x) && std::abs(*x) < 1e15);
    if (x && whole) return t.set(element, *x);
    problems_.push_back(problem(file_, line,
                                fmt::format("\"{}\" of \"{}\" is no {}number", printable(field, 80),
                                            s.name, x ? "whole " : "")));
  }

  std::shared_ptr<const ResolvedModel> model_;
  const std::string& file_;
  const TableColumns& columns_;
  const Labels& labels_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;  ///< of the present item
  std::size_t width_ = 0;
  std::vector<Column> taken_;
  std::optional<std::size_t> item_;
  std::vector<RawItem> items_;
  std::vector<Diagnostic> problems_;  ///< of the present item
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
      std::string column = text.substr(from, end - from);
      if (std::ranges::count(of, column) > 0)
        fail(Status::usage, "U002", "--column {}: column {} is there twice", text, column);
      of.push_back(std::move(column));
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

bool is_table(const std::string& file) {
  return has_suffix(file, ".csv") || has_suffix(file, ".tsv");
}

std::vector<RawItem> items_of_table(const Definition& d, std::string_view text,
                                    const std::string& file, const TableColumns& columns,
                                    const Labels& labels) {
  return Table(d, file, columns, labels).items(text);
}

}  // namespace taugrad
