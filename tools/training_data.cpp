#include "training_data.h"

#include <algorithm>

#include "base/fail.h"
#include "base/files.h"
#include "base/memory_limit.h"
#include "output.h"
#include "taugrad/train/model_folder.h"
#include "train/text_size.h"
#include "unfold/graph_size.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 30;

bool is_json_lines(const std::string& file) {
  return file.ends_with(".jsonl") || file.ends_with(".ndjson");
}

// What a text takes as items and symbols, and the graph of its longest item: asked before it is
// read, or before anything is made of it where it came through a pipe.
void require_for_text(const Definition& d, const TextSize& size) {
  constexpr double kItem = 400;  // bytes of an item's names, lengths and tables
  const auto model = resolve(d);
  UnfoldOptions unfolding{.steps = size.longest};
  const GraphSize graph = graph_size(*model, unfolding);
  const auto bytes = static_cast<double>(size.bytes), items = static_cast<double>(size.items);
  std::vector<MemoryUse> plan = {
      {"the text", 2 * bytes},
      {"its items", bytes + items * kItem},
      {"its symbols", static_cast<double>(size.characters) * sizeof(std::int64_t)},
      {fmt::format("the graph of {} steps, about {:.3g} nodes", size.longest, graph.nodes),
       graph.graph_bytes() + graph.plan_bytes()}};
  require_memory(fmt::format("{} items of up to {} steps", size.items, size.longest), plan);
}

TrainingData read_text(Definition& d, const DataSource& source,
                       const std::optional<Vocabulary>* vocabulary, const Context& context) {
  if (vocabulary != nullptr && !*vocabulary)
    fail(Status::bad_input, "C003",
         "vocab.json is missing: nothing tells the numbers of the model's characters");
  TrainingData out;
  Corpus corpus;
  std::string all;
  const Split split = split_from(source.split.empty() ? "line" : source.split);
  TextMeasure measure(split, source.max_length);
  for (const std::string& file : source.files)
    if (file != "-") measure_file(file, measure);
  require_for_text(d, measure.size());
  for (const std::string& file : source.files) {
    std::string text = read_file(file, kMostBytes);
    if (file == "-") {
      measure.add(text);
      measure.end_file();
      require_for_text(d, measure.size());
    }
    add_text(corpus, text, file, split);
    all.empty() ? std::swap(all, text) : void(all += text);
  }
  out.digest = digest_of(all);
  for (const Diagnostic& w : corpus.warnings) warn(context, w);
  const TextVariable variable = text_variable(d);
  out.vocabulary = vocabulary != nullptr ? **vocabulary : Vocabulary(corpus.items, variable.ends);
  set_symbols(d, variable, out.vocabulary->size());
  out.data = text_dataset(d, corpus, *out.vocabulary);
  return out;
}

// A number of a few bytes becomes a node of a document before it becomes an element of a tensor.
void require_for_json_lines(const std::vector<std::string>& files) {
  double bytes = 0;
  for (const std::string& file : files)
    if (file != "-") bytes += static_cast<double>(InputFile(file).size());
  require_memory("reading JSON lines", {{"the text", 2 * bytes}, {"its values", 4 * bytes}});
}

void leave_out_long_items(Dataset& data, std::int64_t max_length, const Context& context) {
  if (max_length <= 0) return;
  const std::size_t before = data.examples.size();
  std::erase_if(data.examples, [&](const Example& e) {
    return std::any_of(e.lengths.begin(), e.lengths.end(),
                       [&](const auto& l) { return l.second > max_length; });
  });
  if (data.examples.size() < before)
    note(context, fmt::format("{} of {} items have more than {} steps and are left out",
                              before - data.examples.size(), before, max_length));
}

std::int64_t steps_of(const Dataset& data) {
  std::int64_t steps = 0;
  for (const Example& e : data.examples) {
    std::int64_t longest = 0;
    for (const auto& [name, n] : e.lengths) longest = std::max(longest, n);
    steps += longest;
  }
  return steps;
}

}  // namespace

bool reads_text(const Definition& d, const DataSource& source) {
  return !std::all_of(source.files.begin(), source.files.end(), is_json_lines) && takes_text(d);
}

TrainingData read_training_data(Definition& d, const DataSource& source,
                                const std::optional<Vocabulary>* vocabulary,
                                const Context& context) {
  TrainingData out;
  if (reads_text(d, source)) {
    out = read_text(d, source, vocabulary, context);
  } else {
    refuse_without_effect(context, {"--split"}, "on JSON lines: each is an item");
    std::string all;
    require_for_json_lines(source.files);
    for (const std::string& file : source.files) {
      const std::string text = read_file(file, kMostBytes);
      Dataset part = json_lines_dataset(d, text, file);
      std::move(part.examples.begin(), part.examples.end(), std::back_inserter(out.data.examples));
      all += text;
    }
    out.digest = digest_of(all);
  }
  leave_out_long_items(out.data, source.max_length, context);
  if (out.data.examples.empty())
    fail(Status::bad_input, "D002", "every item has more than {} steps: nothing is left",
         source.max_length);
  note(context,
       fmt::format("{} items, {} steps{}", out.data.examples.size(), steps_of(out.data),
                   out.vocabulary ? fmt::format(", {} symbols", out.vocabulary->size()) : ""));
  return out;
}

}  // namespace taugrad::cli
