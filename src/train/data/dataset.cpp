#include "taugrad/train/dataset.h"

#include <algorithm>

#include "base/fail.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/train/predict.h"
#include "train/data/raw_items.h"

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

}  // namespace

// with or without spaces
bool ends_with_symbol(const Definition& d, const std::string& variable) {
  return std::any_of(d.ends.begin(), d.ends.end(), [&](const auto& end) {
    std::string text;
    for (const char c : end.second.text)
      if (c != ' ') text += c;
    return text == fmt::format("{}[{}]==0", variable, end.first);
  });
}

void take_ends_off(const Definition& d, Dataset& data) {
  for (Example& e : data.examples) {
    if (e.values.size() != 1 || e.lengths.size() != 1) continue;
    auto& [name, t] = *e.values.begin();
    if (t.dims().size() != 1 || t.size() == 0 || t.at(t.size() - 1) != 0 ||
        !ends_with_symbol(d, name))
      continue;
    const std::span<const std::int64_t> symbols = std::as_const(t).values<std::int64_t>();
    t = Tensor::of({t.size() - 1}, std::vector<std::int64_t>(symbols.begin(), symbols.end() - 1));
    e.lengths.begin()->second = t.size();
  }
}

TextVariable text_variable(const Definition& d) {
  const auto model = resolve(d);
  TextVariable found;
  for (const Symbol& s : model->symbols) {
    if (s.kind == SymbolKind::input) not_for_text(d, fmt::format("it has the input {}", s.name));
    if (!is_symbol_variable(s)) continue;
    if (!found.name.empty())
      not_for_text(d, fmt::format("both {} and {} are symbols", found.name, s.name));
    found = {s.name, ends_with_symbol(d, s.name), s.category};
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
  if (set_size_of(d, variable.name, symbols)) return;
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
                                                                : checked_item(*model, e.values));
    data.examples.back().file = file;
    data.examples.back().line = item.line;
  }
  return data;
}

Dataset json_lines_dataset(const Definition& d, std::string_view text, const std::string& file) {
  return dataset_of(d, items_of_lines(d, text, file, false), {}, MayLack::nothing).data;
}

PredictData prediction_lines(const Definition& d, std::string_view text, const std::string& file) {
  return dataset_of(d, items_of_lines(d, text, file, false), {}, MayLack::targets);
}

}  // namespace taugrad
