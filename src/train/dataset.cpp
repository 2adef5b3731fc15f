#include "taugrad/train/dataset.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/fail.h"
#include "evaluate/leaves/batch_data.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/io/tensors.h"
#include "taugrad/train/predict.h"

namespace taugrad {
namespace {

bool is_symbol_variable(const Symbol& s) {
  return s.random() && s.category >= 0 && s.axes.size() == 1 && s.length < 0;
}

[[noreturn]] void not_for_text(const Definition& d, const std::string& why) {
  Diagnostic e;
  e.code = "D006";
  e.message =
      fmt::format("text cannot train {}: {}", d.name.empty() ? "this definition" : d.name, why);
  e.file = d.file;
  e.help =
      "text goes to the one indexed category variable with ~ of a definition without inputs; "
      "anything else reads JSON lines (a file named .jsonl)";
  fail(Status::bad_input, std::move(e));
}

// "y[t] == 0" with or without spaces
bool is_end_symbol(const Definition& d, const std::string& variable) {
  return std::any_of(d.ends.begin(), d.ends.end(), [&](const auto& end) {
    std::string text;
    for (const char c : end.second.text)
      if (c != ' ') text += c;
    return text == fmt::format("{}[{}]==0", variable, end.first);
  });
}

// the number of symbols of `variable` where size number `i` is `value`; -1: the definition does not
// hold then
std::int64_t symbols_with(Definition d, std::size_t i, std::int64_t value,
                          const std::string& variable) {
  d.sizes[i].value = value;
  try {
    const auto model = resolve(d);
    const int s = model->find(variable);
    return s < 0 ? -1 : model->symbols[static_cast<std::size_t>(s)].category;
  } catch (const Error&) {
    return -1;
  }
}

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

std::size_t indices_of(const ResolvedModel& model, const std::string& name) {
  const int s = model.find(name);
  return s < 0 ? 0 : model.symbols[static_cast<std::size_t>(s)].axes.size();
}

// JSON has one form, [], for all shapes without elements: of an item without steps it is [0,..]
Tensor of_no_steps(const ResolvedModel& model, const std::string& name, const Tensor& t) {
  const int s = model.find(name);
  if (s < 0 || t.dims() != Dims{0}) return t;
  const Symbol& symbol = model.symbols[static_cast<std::size_t>(s)];
  if (symbol.axes.empty()) return t;
  Dims dims(symbol.axes.size(), 0);
  dims.insert(dims.end(), symbol.shape.dims().begin(), symbol.shape.dims().end());
  return Tensor(dims, t.dtype());
}

// checks an item against the model and adds what follows from its lengths (R14)
// @param absent  takes the random variables that it has not, which become zeros; null: none may be
Example checked(const ResolvedModel& model, const Tensors& values,
                std::set<std::string>* absent = nullptr) {
  Tensors batch;
  for (const auto& [name, t] : values)
    batch.emplace(name, with_batch_axis(of_no_steps(model, name, t), indices_of(model, name)));
  const BatchData data = read_batch(model, batch, RunOptions{});
  std::vector<const Symbol*> unknown;
  for (const Symbol& s : model.symbols) {
    if ((s.kind != SymbolKind::input && (!s.random() || s.length >= 0)) ||
        data.inputs.contains(s.name))
      continue;
    if (absent == nullptr || s.kind == SymbolKind::input)
      fail(Status::bad_input, "D005", "the item has no \"{}\"", s.name);
    unknown.push_back(&s);
    absent->insert(s.name);
  }
  Example e;
  for (const auto& [name, t] : data.inputs)
    e.values.emplace(name, without_batch_axis(t, indices_of(model, name)));
  for (std::size_t i = 0; i < model.lengths.size(); ++i)
    e.lengths[model.lengths[i]] = data.lengths[i][0];
  for (const Symbol* s : unknown) {
    Dims dims;
    for (const int axis : s->axes)
      dims.push_back(data.lengths[static_cast<std::size_t>(
          model.index_length[static_cast<std::size_t>(axis)])][0]);
    dims.insert(dims.end(), s->shape.dims().begin(), s->shape.dims().end());
    e.values.emplace(s->name, Tensor(dims, s->category >= 0 ? Dtype::i64 : Dtype::f64));
  }
  return e;
}

}  // namespace

TextVariable text_variable(const Definition& d) {
  const auto model = resolve(d);
  TextVariable found;
  for (const Symbol& s : model->symbols) {
    if (s.kind == SymbolKind::input) not_for_text(d, fmt::format("it has the input {}", s.name));
    if (!is_symbol_variable(s)) continue;
    if (!found.name.empty())
      not_for_text(d, fmt::format("both {} and {} are symbols", found.name, s.name));
    found = {s.name, is_end_symbol(d, s.name), s.category};
  }
  if (found.name.empty()) not_for_text(d, "it has no indexed category variable with ~");
  return found;
}

bool takes_text(const Definition& d) {
  const auto model = resolve(d);
  const auto& all = model->symbols;
  return std::count_if(all.begin(), all.end(), is_symbol_variable) == 1 &&
         std::none_of(all.begin(), all.end(),
                      [](const Symbol& s) { return s.kind == SymbolKind::input; });
}

void set_symbols(Definition& d, const TextVariable& variable, std::int64_t symbols) {
  if (variable.symbols == symbols) return;
  for (std::size_t i = 0; i < d.sizes.size(); ++i) {
    // two values, so that a size that has the right value by chance is not taken
    if (symbols_with(d, i, symbols, variable.name) != symbols) continue;
    if (symbols_with(d, i, symbols + 1, variable.name) != symbols + 1) continue;
    d.sizes[i].value = symbols;
    return;
  }
  not_for_text(d, fmt::format("{} has {} symbols, the text {}, and no size says so", variable.name,
                              variable.symbols, symbols));
}

Dataset text_dataset(const Definition& d, const Corpus& corpus, const Vocabulary& vocabulary) {
  const TextVariable variable = text_variable(d);
  const auto model = resolve(d);
  const bool alone = std::count_if(model->symbols.begin(), model->symbols.end(),
                                   [](const Symbol& s) { return s.random(); }) == 1;
  const Symbol& symbol = model->symbols[static_cast<std::size_t>(model->find(variable.name))];
  const int length = model->index_length[static_cast<std::size_t>(symbol.axes[0])];
  Dataset data;
  std::shared_ptr<const std::string> file;
  for (const TextItem& item : corpus.items) {
    if (!file || *file != item.file) file = std::make_shared<const std::string>(item.file);
    std::vector<std::int64_t> symbols = vocabulary.encode(item);
    if (variable.ends) symbols.push_back(0);
    const auto steps = static_cast<std::int64_t>(symbols.size());
    Example e;
    e.values.emplace(variable.name, Tensor::of({steps}, std::move(symbols)));
    e.lengths[model->lengths[static_cast<std::size_t>(length)]] = steps;
    data.examples.push_back(alone && model->lengths.size() == 1 ? std::move(e)
                                                                : checked(*model, e.values));
    data.examples.back().file = file;
    data.examples.back().line = item.line;
  }
  return data;
}

namespace {

/// f(values) of each line that is not blank, as an item.
template <class F>
Dataset dataset_of_lines(std::string_view text, const std::string& file, const F& item) {
  Dataset data;
  const auto name = std::make_shared<const std::string>(file);
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      data.examples.push_back(item(tensors_from_json(line, file)));
      data.examples.back().file = name;
      data.examples.back().line = number;
    } catch (const Error& e) {
      // places are those of the line alone until here
      std::vector<Diagnostic> problems = e.diagnostics();
      for (Diagnostic& p : problems) {
        p.file = file;
        p.line = number;
      }
      throw Error(e.status(), std::move(problems));
    }
  }
  if (data.examples.empty()) fail(Status::bad_input, "D001", "{} is empty", file);
  return data;
}

}  // namespace

Dataset json_lines_dataset(const Definition& d, std::string_view text, const std::string& file) {
  const auto model = resolve(d);
  return dataset_of_lines(text, file,
                          [&](const Tensors& values) { return checked(*model, values); });
}

PredictData prediction_lines(const Definition& d, std::string_view text, const std::string& file) {
  const auto model = resolve(d);
  PredictData out;
  bool first = true;
  out.data = dataset_of_lines(text, file, [&](const Tensors& values) {
    std::set<std::string> absent;
    Example e = checked(*model, values, &absent);
    if (first) out.unknown = absent;
    first = false;
    if (absent == out.unknown) return e;
    std::vector<std::string> differ;
    std::ranges::set_symmetric_difference(absent, out.unknown, std::back_inserter(differ));
    fail(Status::bad_input, "D005", "\"{}\" is in some lines and not in others", differ.front());
  });
  return out;
}

}  // namespace taugrad
