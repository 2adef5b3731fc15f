#include "reports/item_text.h"

#include <algorithm>

#include "json/json_writer.h"
#include "taugrad/io/tensors.h"

namespace taugrad::cli {
namespace {

/// [steps] or a number of symbols as words.
void write_words(json::Writer& w, const Tensor& t, const std::vector<std::string>& words) {
  const auto word = [&](std::int64_t symbol) {
    const bool known = symbol >= 0 && symbol < static_cast<std::int64_t>(words.size());
    known ? w.value(words[static_cast<std::size_t>(symbol)]) : w.null();
  };
  const auto symbols = t.values<std::int64_t>();
  if (t.dims().empty()) return word(symbols[0]);
  w.begin_array();
  for (const std::int64_t s : symbols) word(s);
  w.end_array();
}

}  // namespace

std::string line_of(const Tensors& item, const TrainedModel& model) {
  Tensors rest = item;
  json::Writer w;
  w.begin_object();
  for (const auto& [name, t] : item) {
    if (t.dtype() != Dtype::i64 || t.dims().size() > 1) continue;
    const auto labels = model.labels.find(name);
    if (labels != model.labels.end()) {
      w.key(name);
      write_words(w, t, labels->second);
    } else if (model.vocabulary && t.dims().size() == 1) {
      const auto symbols = t.values<std::int64_t>();
      w.field(name, model.vocabulary->decode({symbols.begin(), symbols.end()}));
    } else {
      continue;
    }
    rest.erase(name);
  }
  w.end_object();
  std::string text = w.text(), others = tensors_to_json(rest);
  std::erase(others, '\n');
  if (rest.empty()) return text + "\n";
  if (rest.size() == item.size()) return others + "\n";
  text.pop_back();  // the two objects as one
  return text + ", " + others.substr(1) + "\n";
}

}  // namespace taugrad::cli
