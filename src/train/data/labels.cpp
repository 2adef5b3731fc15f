// Words that stand for symbols in data.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/fail.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/json_writer.h"
#include "language/resolve/resolved_model.h"
#include "train/data/raw_items.h"

namespace taugrad {
namespace {

std::int64_t symbols_of(const Definition& d, const std::string& variable) {
  const auto model = resolve(d);
  const int s = model->find(variable);
  return s < 0 ? -1 : model->symbols[static_cast<std::size_t>(s)].category;
}

/// The number of symbols where a size is another; -1: the definition does not hold then.
std::int64_t symbols_with(Definition d, std::size_t size, std::int64_t value,
                          const std::string& variable) {
  d.sizes[size].value = value;
  try {
    return symbols_of(d, variable);
  } catch (const Error&) {
    return -1;
  }
}

void check_words(const std::vector<std::string>& words, const json::Value& place) {
  std::set<std::string> seen;
  for (const std::string& w : words)
    if ((w.empty() && !seen.empty()) || !seen.insert(w).second)  // the first may be the end
      place.fail("D004", fmt::format("the label \"{}\" is {}", printable(w, 80),
                                     w.empty() ? "empty" : "there twice"));
}

// a number as a word
std::string written(double x) {
  if (x == std::floor(x) && std::abs(x) < 1e15)
    return fmt::format("{}", static_cast<std::int64_t>(x));
  return fmt::format("{}", x);
}

}  // namespace

bool set_size_of(Definition& d, const std::string& variable, std::int64_t symbols) {
  if (symbols_of(d, variable) == symbols) return true;
  for (std::size_t i = 0; i < d.sizes.size(); ++i) {
    // two values, so that a size that has the right value by chance is not taken
    if (symbols_with(d, i, symbols, variable) != symbols) continue;
    if (symbols_with(d, i, symbols + 1, variable) != symbols + 1) continue;
    d.sizes[i].value = symbols;
    return true;
  }
  return false;
}

std::string to_json(const Labels& labels) {
  json::Writer w;
  w.begin_object().field("format", 1).key("labels").begin_object();
  for (const auto& [name, words] : labels) {
    w.key(name).begin_array();
    for (const std::string& word : words) w.value(word);
    w.end_array();
  }
  w.end_object().end_object();
  return w.text() + "\n";
}

Labels parse_labels(std::string_view json_text, const std::string& file) {
  const json::Document document(json_text, file, "an object of labels");
  const json::Fields fields(document.root_object(), "labels", {"format", "labels"});
  const json::Value format = fields.at("format");
  if (format.integer("format", 0, INT32_MAX) != 1)
    format.fail("G008", "the labels' format is not 1", "it was made by a newer version");
  Labels labels;
  for (const json::Member& m : fields.at("labels").members("labels")) {
    std::vector<std::string>& words = labels[std::string(m.name())];
    for (const json::Value& word : m.value.elements("labels"))
      words.emplace_back(word.string("a label"));
    check_words(words, m.value);
  }
  return labels;
}

std::vector<std::string> words_of(const ItemFields& fields, const std::string& variable) {
  if (const auto words = fields.words.find(variable); words != fields.words.end())
    return words->second;
  const Tensor& numbers = fields.values.at(variable);
  std::vector<std::string> words;
  for (std::int64_t i = 0; i < numbers.size(); ++i) words.push_back(written(numbers.at(i)));
  if (const auto nulls = fields.nulls.find(variable); nulls != fields.nulls.end())
    for (const std::int64_t i : nulls->second) words[static_cast<std::size_t>(i)].clear();
  return words;
}

LabelFinder::LabelFinder(const Definition& d) : definition_(d), model_(resolve(d)) {}

void LabelFinder::add(const RawItem& item) {
  if (item.numbered) return;
  for (const auto& [name, t] : item.fields.values) {
    const int s = model_->find(name);
    if (s < 0 || model_->symbols[static_cast<std::size_t>(s)].category < 0) continue;
    if (const auto words = item.fields.words.find(name); words != item.fields.words.end()) {
      std::set<std::string>& all = words_[name];
      for (const std::string& w : words->second)
        if (!w.empty()) all.insert(w);
      continue;
    }
    const auto nulls = item.fields.nulls.find(name);
    for (std::int64_t i = 0; i < t.size(); ++i)
      if (nulls == item.fields.nulls.end() || !std::ranges::binary_search(nulls->second, i))
        numbers_[name].insert(t.at(i));
  }
}

Labels LabelFinder::labels() const {
  Labels labels;
  for (const auto& [name, words] : words_) {
    std::set<std::string> all = words;
    if (const auto numbers = numbers_.find(name); numbers != numbers_.end())
      for (const double x : numbers->second) all.insert(written(x));
    if (ends_with_symbol(definition_, name)) all.insert("");
    labels[name] = {all.begin(), all.end()};
  }
  return labels;
}

Labels labels_in(const Definition& d, const std::vector<RawItem>& items) {
  LabelFinder finder(d);
  for (const RawItem& item : items) finder.add(item);
  return finder.labels();
}

void set_label_sizes(Definition& d, const Labels& labels) {
  for (const auto& [name, words] : labels) {
    const auto count = static_cast<std::int64_t>(words.size());
    const std::int64_t known = symbols_of(d, name);
    if (known < 0) continue;  // its reader tells more
    if (set_size_of(d, name, count)) continue;
    Diagnostic p;
    p.code = "D004";
    p.message = fmt::format("{} has {} symbols, the data {} words for them, and no size says so",
                            name, known, count);
    p.help = "write its number of symbols as a size: \"sizes\": {\"k\": ..}, category(k)";
    fail(Status::bad_input, std::move(p));
  }
}

}  // namespace taugrad
