// Items as files have them, checked against a definition.
#include <algorithm>
#include <iterator>
#include <optional>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "evaluate/leaves/batch_data.h"
#include "language/resolve/resolved_model.h"
#include "train/data/raw_items.h"

namespace taugrad {
namespace {

// a tensor [index..., shape...] as the batch of one item
Tensor with_batch_axis(const Tensor& t, std::size_t indices) {
  Dims dims = t.dims();
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(std::min(indices, dims.size())), 1);
  Tensor out(dims, t.dtype());
  std::copy(t.bytes().begin(), t.bytes().end(), out.bytes().begin());
  return out;
}

Tensor without_batch_axis(const Tensor& t, std::size_t indices) {
  Dims dims = t.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(indices));
  Tensor out(dims, t.dtype());
  std::copy(t.bytes().begin(), t.bytes().end(), out.bytes().begin());
  return out;
}

const Symbol* symbol_named(const ResolvedModel& model, const std::string& name) {
  const int s = model.find(name);
  return s < 0 ? nullptr : &model.symbols[static_cast<std::size_t>(s)];
}

std::size_t indices_of(const ResolvedModel& model, const std::string& name) {
  const Symbol* s = symbol_named(model, name);
  return s == nullptr ? 0 : s->axes.size();
}

// JSON has one form, [], for all shapes without elements: of an item without steps it is [0,..]
Tensor of_no_steps(const ResolvedModel& model, const std::string& name, const Tensor& t) {
  const Symbol* symbol = symbol_named(model, name);
  if (symbol == nullptr || t.dims() != Dims{0} || symbol->axes.empty()) return t;
  Dims dims(symbol->axes.size(), 0);
  dims.insert(dims.end(), symbol->shape.dims().begin(), symbol->shape.dims().end());
  return Tensor(dims, t.dtype());
}

/// What of an item of a model is not given.
class Checked {
 public:
  /// @param labels  of words
  Checked(const ResolvedModel& model, ItemFields fields, const Labels& labels)
      : model_(model), fields_(std::move(fields)) {
    for (const auto& [name, known] : labels)
      if (fields_.values.contains(name)) fields_.words[name] = words_of(fields_, name);
    for (auto& [name, words] : fields_.words) numbers_of_words(name, words, labels);
    for (auto& [name, elements] : fields_.nulls) places_of_nulls(name, elements);
  }

  /// @param absent  takes the random variables that it has not, which become zeros; null: none may
  /// be  @param open  a length that nothing tells is 0
  Example example(std::set<std::string>* absent, bool open = false) {
    Tensors batch;
    for (const auto& [name, t] : fields_.values)
      batch.emplace(name, with_batch_axis(of_no_steps(model_, name, t), indices_of(model_, name)));
    const BatchData data = read_batch(model_, batch, open ? lengths_of_nothing() : RunOptions{});
    Example e;
    for (const auto& [name, t] : data.inputs)
      e.values.emplace(name, without_batch_axis(t, indices_of(model_, name)));
    for (std::size_t i = 0; i < model_.lengths.size(); ++i)
      e.lengths[model_.lengths[i]] = data.lengths[i][0];
    for (const Symbol& s : model_.symbols) add_absent(s, e, absent);
    for (auto& [name, places] : missing_) {
      Tensor& t = e.values.at(name);
      const std::int64_t size = symbol_named(model_, name)->shape.size();
      const bool symbol = symbol_named(model_, name)->category >= 0;
      for (const std::int64_t place : places)
        for (std::int64_t i = 0; i < size; ++i) t.set(place * size + i, symbol ? -1 : 0);
      e.missing.emplace(name, std::move(places));
    }
    return e;
  }

 private:
  RunOptions lengths_of_nothing() const {
    RunOptions o;
    std::vector<char> told(model_.lengths.size());
    for (const auto& [name, t] : fields_.values) {
      const Symbol* s = symbol_named(model_, name);
      if (s == nullptr) return o;  // lengths
      for (const int axis : s->axes)
        told[static_cast<std::size_t>(model_.index_length[static_cast<std::size_t>(axis)])] = 1;
      if (s->length >= 0) told[static_cast<std::size_t>(s->length)] = 1;
    }
    for (std::size_t l = 0; l < told.size(); ++l)
      if (told[l] == 0 && model_.fixed_lengths[l] < 0 && !model_.is_derived(l))
        o.lengths[model_.lengths[l]] = 0;
    return o;
  }

  void numbers_of_words(const std::string& name, const std::vector<std::string>& words,
                        const Labels& labels) {
    const Symbol* s = symbol_named(model_, name);
    if (s == nullptr) return;  // the reader of a batch tells more
    const auto known = labels.find(name);
    if (s->category < 0) {
      for (const std::string& w : words)
        if (w != "nan" && w != "inf" && w != "-inf" && !w.empty())
          fail(Status::bad_input, "D004", "\"{}\" holds the word \"{}\": only symbols have names",
               name, printable(w, 80));
      return;  // numbers
    }
    if (known == labels.end())
      fail(Status::bad_input, "D004", "\"{}\" holds the word \"{}\", and nothing names its symbols",
           name, printable(words.front(), 80));
    std::vector<std::int64_t> numbers;
    const std::vector<std::int64_t>& nulls = fields_.nulls[name];
    bool ended = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool given = !std::ranges::binary_search(nulls, static_cast<std::int64_t>(i));
      numbers.push_back(given ? number_of(words[i], name, known->second) : 0);
      ended = given && words[i].empty();
    }
    Dims dims = fields_.values.at(name).dims();
    if (known->second.front().empty() && dims.size() == 1 && !ended && is_alone(*s)) {
      numbers.push_back(0);  // the end, as after a text
      ++dims[0];
    }
    fields_.values.at(name) = Tensor::of(std::move(dims), std::move(numbers));
  }

  static std::int64_t number_of(const std::string& word, const std::string& name,
                                const std::vector<std::string>& known) {
    const auto at = std::ranges::lower_bound(known, word);
    if (at == known.end() || *at != word) refuse_word(name, word, known);
    return std::distance(known.begin(), at);
  }

  // nothing else of the item goes along its length
  bool is_alone(const Symbol& s) const {
    const auto length = [&](int axis) {
      return model_.index_length[static_cast<std::size_t>(axis)];
    };
    return std::ranges::none_of(fields_.values, [&](const auto& field) {
      const Symbol* other = symbol_named(model_, field.first);
      if (other == nullptr) return true;  // the lengths are told
      return other != &s && std::ranges::any_of(other->axes, [&](int axis) {
               return length(axis) == length(s.axes[0]);
             });
    });
  }

  [[noreturn]] static void refuse_word(const std::string& name, const std::string& word,
                                       const std::vector<std::string>& known) {
    Diagnostic d;
    d.code = "D004";
    d.message = fmt::format("\"{}\" is no symbol of \"{}\" in the training's data",
                            printable(word, 80), name);
    d.help = did_you_mean(word, known);
    fail(Status::bad_input, std::move(d));
  }

  // a null stands for a whole place, whether it is one or one for each of its elements
  void places_of_nulls(const std::string& name, const std::vector<std::int64_t>& elements) {
    const Symbol* s = symbol_named(model_, name);
    if (s == nullptr) return;
    if (const std::string why = why_no_nulls(model_, *s); !why.empty())
      fail(Status::bad_input, "D021", "\"{}\" holds null: {}", name, why);
    Tensor& t = fields_.values.at(name);
    const std::size_t axes = s->axes.size();
    std::int64_t size = s->shape.size();
    if (t.dims().size() == axes && s->shape.rank() > 0) {  // nothing but nulls: of any shape
      Dims dims = t.dims();
      dims.insert(dims.end(), s->shape.dims().begin(), s->shape.dims().end());
      t = Tensor(dims, Dtype::f64);
      size = 1;
    }
    std::vector<std::int64_t>& places = missing_[name];
    for (std::size_t i = 0; i < elements.size(); i += static_cast<std::size_t>(size)) {
      const std::size_t last = i + static_cast<std::size_t>(size) - 1;
      if (elements[i] % size != 0 || last >= elements.size() ||
          elements[last] != elements[i] + size - 1)
        fail(Status::bad_input, "D021", "\"{}\" holds null beside numbers of the same step", name);
      places.push_back(elements[i] / size);
    }
    if (s->category >= 0)  // read as a symbol until it is absent
      for (const std::int64_t place : places) t.set(place, 0);
  }

  void add_absent(const Symbol& s, Example& e, std::set<std::string>* absent) const {
    if ((s.kind != SymbolKind::input && (!s.random() || s.length >= 0)) ||
        e.values.contains(s.name))
      return;
    if (absent == nullptr || s.kind == SymbolKind::input)
      fail(Status::bad_input, "D005", "the item has no \"{}\"", s.name);
    absent->insert(s.name);
    Dims dims;
    for (const int axis : s.axes)
      dims.push_back(e.lengths.at(model_.lengths[static_cast<std::size_t>(
          model_.index_length[static_cast<std::size_t>(axis)])]));
    dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
    e.values.emplace(s.name, Tensor(dims, s.category >= 0 ? Dtype::i64 : Dtype::f64));
  }

  const ResolvedModel& model_;
  ItemFields fields_;
  std::map<std::string, std::vector<std::int64_t>> missing_;
};

}  // namespace

std::string why_no_nulls(const ResolvedModel& model, const Symbol& s) {
  if (!s.random() || s.length >= 0)
    return "only targets, values of random variables, may be left out";
  return model.loss.empty() ? "" : "the definition's own loss says what counts";
}

Example checked_item(const ResolvedModel& model, const Tensors& values) {
  return Checked(model, {values, {}, {}}, {}).example(nullptr);
}

namespace {

/// What is wrong with an item, where it stands.
Diagnostic told_at_line(const Error& e, const RawItem& item) {
  Diagnostic d = e.diagnostics().front();
  d.file = *item.file;
  d.line = item.line;
  if (item.numbered && d.code != "D005")  // what one item of tensors lacks, all do
    d.message = fmt::format("item {}: {}", item.number, d.message);
  if (d.code == "D016" && !item.numbered) {
    d.help += d.help.empty() ? "" : "; ";
    d.help += "fields that are no variables are passed over with ignore_unknown";
  }
  return d;
}

/// What one item of tensors lacks, all of them do.
bool same_lack(const Diagnostic& d, const RawItem& item, const std::vector<Diagnostic>& told) {
  return item.numbered && d.code == "D005" && !told.empty() && told.back().code == d.code &&
         told.back().file == d.file;
}

}  // namespace

Example example_of(const ResolvedModel& model, RawItem item, const Labels& labels) {
  try {
    Example e =
        Checked(model, std::move(item.fields), item.numbered ? Labels{} : labels).example(nullptr);
    e.file = item.file;
    e.line = item.line;
    return e;
  } catch (const Error& e) {
    if (e.status() != Status::bad_input) throw;
    throw Error(Status::bad_input, told_at_line(e, item));
  }
}

PredictData dataset_of(const Definition& d, std::vector<RawItem> items, const Labels& labels,
                       MayLack may_lack) {
  const auto model = resolve(d);
  PredictData out;
  std::vector<Diagnostic> problems;
  std::optional<std::set<std::string>> unknown;
  for (RawItem& item : items) {
    std::ranges::move(item.problems, std::back_inserter(problems));
    if (!item.problems.empty()) continue;
    try {
      std::set<std::string> absent;
      Example e = Checked(*model, std::move(item.fields), item.numbered ? Labels{} : labels)
                      .example(may_lack != MayLack::nothing ? &absent : nullptr,
                               may_lack == MayLack::targets_and_lengths);
      e.file = item.file;
      e.line = item.line;
      if (!unknown) unknown = absent;
      std::vector<std::string> differ;
      std::ranges::set_symmetric_difference(absent, *unknown, std::back_inserter(differ));
      if (!differ.empty())
        fail(Status::bad_input, "D005", "\"{}\" is in some lines and not in others",
             differ.front());
      out.data.examples.push_back(std::move(e));
    } catch (const Error& e) {
      if (e.status() != Status::bad_input) throw;
      Diagnostic problem = told_at_line(e, item);
      if (!same_lack(problem, item, problems)) problems.push_back(std::move(problem));
    }
  }
  if (!problems.empty()) throw Error(Status::bad_input, std::move(problems));
  out.unknown = unknown.value_or(std::set<std::string>{});
  return out;
}

}  // namespace taugrad
