#include "training_data.h"

#include <algorithm>
#include <iterator>

#include "base/digest.h"
#include "base/fail.h"
#include "base/files.h"
#include "base/limits.h"
#include "base/memory_limit.h"
#include "output.h"
#include "taugrad/io/safetensors.h"
#include "train/tables.h"
#include "train/text_size.h"
#include "train/words.h"
#include "unfold/graph_size.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 30;

bool is_tensors(const std::string& file) { return file.ends_with(".safetensors"); }

bool holds_items(const std::string& file) {
  return file.ends_with(".jsonl") || file.ends_with(".ndjson") || is_table(file) ||
         is_tensors(file);
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

/// What a training's text makes, or a file names.
Vocabulary new_vocabulary(const DataSource& source, const Corpus& corpus, bool ends) {
  const VocabularyOptions options{source.tokens, ends, source.unknown, source.min_count};
  if (source.vocabulary.empty()) return {corpus.items, options};
  const std::string text = read_file(source.vocabulary, limits::kJsonBytes);
  if (text.starts_with('{')) {
    Vocabulary v = parse_vocabulary(text, source.vocabulary);
    if (v.with_end() != ends)
      fail(Status::bad_input, "D004", "{} has {} symbol for the end, the definition {}",
           source.vocabulary, v.with_end() ? "a" : "no", ends ? "one" : "none");
    return v;
  }
  const bool unknown = source.unknown || source.min_count > 1;
  std::vector<std::string> symbols((ends ? 1U : 0U) + (unknown ? 1U : 0U));
  for (std::size_t from = 0; from < text.size();) {  // a token a line
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string token = text.substr(from, end - from);
    if (token.ends_with('\r')) token.pop_back();
    symbols.push_back(std::move(token));
    from = end + 1;
  }
  return {std::move(symbols), {source.tokens, ends, unknown}, source.vocabulary};
}

void tell_unknown(const Dataset& data, const Vocabulary& v, const Context& context) {
  if (v.unknown() < 0) return;
  std::int64_t unknown = 0, all = 0;
  for (const Example& e : data.examples)
    for (const auto& [name, t] : e.values) {
      if (t.dtype() != Dtype::i64) continue;
      unknown += std::ranges::count(t.values<std::int64_t>(), v.unknown());
      all += t.size();
    }
  if (unknown > 0)
    note(context, fmt::format("{} of {} {}s are not in the vocabulary", unknown, all,
                              text_of(kTokens, v.tokens()).substr(0, 4)));
}

TrainingData read_text(Definition& d, const DataSource& source, const TrainedModel* trained,
                       const Context& context) {
  if (trained != nullptr && !trained->vocabulary)
    fail(Status::bad_input, "C003",
         "vocab.json is missing: nothing tells the numbers of the model's characters");
  TrainingData out;
  Corpus corpus;
  std::string all;
  const Split split = split_from(source.split.empty() ? "line" : source.split);
  const Tokens tokens = trained != nullptr ? trained->vocabulary->tokens() : source.tokens;
  TextMeasure measure(split, source.max_length, tokens);
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
    add_text(corpus, text, file, split, tokens);
    all.empty() ? std::swap(all, text) : void(all += text);
  }
  out.digest = digest_of(all);
  for (const Diagnostic& w : corpus.warnings) warn(context, w);
  const TextVariable variable = text_variable(d);
  out.vocabulary =
      trained != nullptr ? *trained->vocabulary : new_vocabulary(source, corpus, variable.ends);
  set_symbols(d, variable, out.vocabulary->size());
  out.data = text_dataset(d, corpus, *out.vocabulary);
  tell_unknown(out.data, *out.vocabulary, context);
  return out;
}

// A number of a few bytes becomes a node of a document before it becomes an element of a tensor.
void require_for_items(const std::vector<std::string>& files) {
  double bytes = 0;
  for (const std::string& file : files)
    if (file != "-") bytes += static_cast<double>(InputFile(file).size());
  require_memory("reading items", {{"the files", 2 * bytes}, {"their values", 4 * bytes}});
}

void add_items(std::vector<RawItem>& items, const Definition& d, const DataSource& source,
               const std::string& file, const Labels& labels, Digest& digest) {
  std::vector<RawItem> part;
  if (is_tensors(file)) {
    const Tensors tensors = load_safetensors(file);
    digest.add(digest_of(tensors));
    part = items_of_tensors(d, tensors, file);
  } else {
    const std::string text = read_file(file, kMostBytes);
    digest.add(text);
    part = is_table(file) ? items_of_table(d, text, file, columns_from(source.columns), labels)
                          : items_of_lines(d, text, file, source.ignore_unknown);
  }
  std::ranges::move(part, std::back_inserter(items));
}

void refuse_for_items(const DataSource& source, const Context& context) {
  refuse_without_effect(context, {"--split"}, "on data that are items");
  refuse_without_effect(context, {"--tokens", "--unknown", "--min-count", "--vocabulary"},
                        "on data that are no text");
  if (std::ranges::none_of(source.files, is_table))
    refuse_without_effect(context, {"--column"}, "without a table (.csv, .tsv)");
}

/// @param labels  of the model; where it is trained on these data, what is found in them
std::vector<RawItem> read_raw_items(Definition& d, const DataSource& source, bool find_labels,
                                    Labels& labels, std::string& digest, const Context& context) {
  refuse_for_items(source, context);
  require_for_items(source.files);
  std::vector<RawItem> items;
  Digest sum;
  for (const std::string& file : source.files) add_items(items, d, source, file, labels, sum);
  digest = sum.text();
  if (find_labels) {
    labels = labels_in(items);
    set_label_sizes(d, labels);
  }
  return items;
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
  return !std::all_of(source.files.begin(), source.files.end(), holds_items) && takes_text(d);
}

std::string unit_of(const std::optional<Vocabulary>& v) {
  return v ? std::string(text_of(kTokens, v->tokens()).substr(0, 4)) : "";
}

TrainingData read_training_data(Definition& d, const DataSource& source,
                                const TrainedModel* trained, const Context& context) {
  TrainingData out;
  if (reads_text(d, source)) {
    const auto items = std::ranges::find_if(source.files, holds_items);
    if (items != source.files.end())
      fail(Status::usage, "U002", "{} holds items, and stands beside files that are text", *items);
    refuse_without_effect(context, {"--column", "--ignore-unknown"}, "on text");
    out = read_text(d, source, trained, context);
  } else {
    if (trained != nullptr) out.labels = trained->labels;
    std::vector<RawItem> items =
        read_raw_items(d, source, trained == nullptr, out.labels, out.digest, context);
    out.data = dataset_of(d, std::move(items), out.labels, MayLack::nothing).data;
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

PredictData read_items(const TrainedModel& trained, const DataSource& source, MayLack may_lack,
                       const Context& context) {
  Definition d = trained.definition;
  PredictData items;
  if (reads_text(d, source)) {
    refuse_without_effect(context, {"--column", "--ignore-unknown"}, "on text");
    items.data = read_text(d, source, &trained, context).data;
    return items;
  }
  Labels labels = trained.labels;
  std::string digest;
  std::vector<RawItem> raw = read_raw_items(d, source, false, labels, digest, context);
  return dataset_of(d, std::move(raw), labels, may_lack);
}

void add_data(Command& c, DataSource& source, std::string help) {
  c.option({.name = "--data",
            .letter = "",
            .value = "FILE",
            .help = std::move(help),
            .take = [&source](const std::string& v) { source.files.push_back(v); },
            .many = true});
  c.option({.name = "--column",
            .letter = "",
            .value = "NAME=COLS",
            .help = "of a table: x=2,3 or y=label; item=1 tells items apart [columns by name]",
            .take = [&source](const std::string& v) { source.columns.push_back(v); },
            .many = true})
      .rare();
  c.flag("--ignore-unknown", "pass over fields of JSON lines that are no variables",
         source.ignore_unknown)
      .rare();
}

void add_tokens(Command& c, DataSource& source) {
  c.choice("--tokens", "what a symbol of a text is [chars]", source.tokens, kTokens);
  c.flag("--unknown", "a symbol for what is not in the vocabulary", source.unknown).rare();
  c.integer("--min-count", "N", "tokens that occur less often are that symbol [1]",
            source.min_count, 1, 1'000'000'000)
      .rare();
  c.text("--vocabulary", "FILE", "vocab.json of another model, or a token a line",
         source.vocabulary)
      .rare();
}

}  // namespace taugrad::cli
