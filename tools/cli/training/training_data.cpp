#include "training/training_data.h"

#include <algorithm>
#include <iterator>

#include "base/digest.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/system/memory_limit.h"
#include "base/system/suffix.h"
#include "output.h"
#include "taugrad/io/safetensors.h"
#include "train/data/items.h"
#include "train/data/stored_lines.h"
#include "train/data/tables.h"
#include "train/state/words.h"
#include "train/text/stored_text.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 30;

bool is_tensors(const std::string& file) { return has_suffix(file, ".safetensors"); }

bool is_lines(const std::string& file) {
  return has_suffix(file, ".jsonl") || has_suffix(file, ".ndjson");
}

bool holds_items(const std::string& file) {
  return is_lines(file) || is_table(file) || is_tensors(file);
}

TextSource source_of(const std::string& file) {
  return file == "-" ? TextSource(file, read_file(file, kMostBytes)) : TextSource(file);
}

/// A file of symbols: a model's, or a token a line.
Vocabulary given_vocabulary(const DataSource& source, bool ends, const Context& context) {
  const std::string text = read_file(source.vocabulary, limits::kJsonBytes);
  refuse_without_effect(context, {"--min-count"},
                        "beside --vocabulary, which says what is a symbol");
  if (text.starts_with('{')) {
    Vocabulary v = parse_vocabulary(text, source.vocabulary);
    const std::string_view unit = text_of(kTokens, v.tokens());
    if (source.tokens != v.tokens())
      refuse_without_effect(context, {"--tokens"},
                            fmt::format("beside a --vocabulary of {}", unit));
    if (v.unknown() < 0)
      refuse_without_effect(context, {"--unknown"},
                            "beside a model's --vocabulary, which has no symbol for others");
    if (v.with_end() != ends)
      fail(Status::bad_input, "D004", "{} has {} symbol for the end, the definition {}",
           source.vocabulary, v.with_end() ? "a" : "no", ends ? "one" : "none");
    return v;
  }
  std::vector<std::string> symbols((ends ? 1U : 0U) + (source.unknown ? 1U : 0U));
  for (std::size_t from = 0; from < text.size();) {  // a token a line
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string token = text.substr(from, end - from);
    if (token.ends_with('\r')) token.pop_back();
    symbols.push_back(std::move(token));
    from = end + 1;
  }
  return {std::move(symbols), {source.tokens, ends, source.unknown}, source.vocabulary};
}

/// What a training's text makes.
Vocabulary new_vocabulary(const DataSource& source, const TokenCounts& counts, bool ends) {
  std::map<std::string, std::int64_t> sorted;
  for (const auto& [token, of] : counts) sorted.emplace(token, of.count);
  return {sorted, {source.tokens, ends, source.unknown, source.min_count}};
}

// An item that is held is a name, a length and a tensor of symbols.
Dataset held_text(const Definition& d, const TextIndex& index, const Vocabulary& vocabulary) {
  constexpr double kItem = 400;
  double bytes = 0, symbols = 0;
  for (const TextPlace& p : index.places) {
    bytes += static_cast<double>(p.bytes);
    symbols += static_cast<double>(p.tokens);
  }
  require_memory(fmt::format("{} items", index.places.size()),
                 {{"the text", bytes},
                  {"its items", static_cast<double>(index.places.size()) * kItem},
                  {"its symbols", symbols * sizeof(std::int64_t)}});
  Corpus corpus;
  for (const TextPlace& p : index.places) {
    const TextSource& source = index.sources[p.source];
    std::string text;
    source.read(p.begin, p.begin + p.bytes, text);
    corpus.items.push_back({with_line_feeds(text, index.facts[p.source].end_of_line), source.name(),
                            static_cast<int>(p.line)});
  }
  return text_dataset(d, corpus, vocabulary);
}

/// @param hold  the items, whatever they are
TrainingData read_text(Definition& d, const DataSource& source, const TrainedModel* trained,
                       bool hold, const Context& context) {
  if (trained != nullptr && !trained->vocabulary)
    fail(Status::bad_input, "C003",
         "vocab.json is missing: nothing tells the numbers of the model's characters");
  TrainingData out;
  const TextVariable variable = text_variable(d);
  if (trained != nullptr)
    out.vocabulary = *trained->vocabulary;
  else if (!source.vocabulary.empty())
    out.vocabulary = given_vocabulary(source, variable.ends, context);
  const Tokens tokens = out.vocabulary ? out.vocabulary->tokens() : source.tokens;
  std::vector<TextSource> sources;
  for (const std::string& file : source.files) sources.push_back(source_of(file));
  const Split split = split_from(source.reading.split.empty() ? "line" : source.reading.split);
  const auto index = std::make_shared<const TextIndex>(index_of(std::move(sources), split, tokens));
  out.digest = index->digest;
  for (std::size_t s = 0; s < index->sources.size(); ++s)
    for (const Diagnostic& w : index->facts[s].warnings(index->sources[s].name())) warn(context, w);
  if (!out.vocabulary) out.vocabulary = new_vocabulary(source, index->counts, variable.ends);
  const std::int64_t unknown = unknown_tokens(*index, *out.vocabulary);
  set_symbols(d, variable, out.vocabulary->size());
  if (hold || !is_text_alone(d))
    out.data = held_text(d, *index, *out.vocabulary);
  else
    out.data.stored = stored_text(d, index, *out.vocabulary);
  if (unknown > 0) {
    std::int64_t all = 0;
    for (const TextPlace& p : index->places) all += p.tokens + (variable.ends ? 1 : 0);
    note(context, fmt::format("{} of {} {}s are not in the vocabulary", unknown, all,
                              text_of(kTokens, tokens).substr(0, 4)));
  }
  return out;
}

// A number of a few bytes becomes a node of a document before it becomes an element of a tensor.
std::vector<MemoryUse> memory_of_items(const std::vector<std::string>& files) {
  double bytes = 0;
  for (const std::string& file : files)
    if (file != "-") bytes += static_cast<double>(InputFile(file).size());
  return {{"the files", 2 * bytes}, {"their values", 4 * bytes}};
}

// JSON lines that would take half of what there is stay in their files: reading them again and
// again costs time.
bool stay_in_files(const std::vector<std::string>& files) {
  double bytes = 0;
  for (const MemoryUse& use : memory_of_items(files)) bytes += use.bytes;
  return std::ranges::all_of(files, is_lines) && bytes > static_cast<double>(memory_budget()) / 2;
}

TrainingData read_lines_in_files(Definition& d, const DataSource& source,
                                 const TrainedModel* trained, const Context& context) {
  std::vector<TextSource> sources;
  for (const std::string& file : source.files) sources.push_back(source_of(file));
  StoredLines lines = stored_lines(d, std::move(sources), source.reading.ignore_unknown,
                                   trained != nullptr ? &trained->labels : nullptr);
  for (const Diagnostic& w : lines.warnings) warn(context, w);
  TrainingData out;
  out.data.stored = std::move(lines.items);
  out.labels = std::move(lines.labels);
  out.digest = std::move(lines.digest);
  return out;
}

// Whatever its lines end in, as a text.
std::string text_of_items(const std::string& file, Digest& digest, const Context& context) {
  const TextSource source = source_of(file);
  const TextFacts facts = facts_of(source, Tokens::chars, &digest);
  for (const Diagnostic& w : facts.warnings(file)) warn(context, w);
  std::string text;
  source.read(facts.begin(), source.size(), text);
  return facts.cr == 0 ? text : with_line_feeds(text, facts.end_of_line);
}

TableColumns columns_of(const DataSource& source) {
  TableColumns columns = columns_from(source.reading.columns);
  columns.may_lack_targets = source.columns_of_training;
  return columns;
}

void add_items(std::vector<RawItem>& items, const Definition& d, const DataSource& source,
               const std::string& file, const Labels& labels, Digest& digest,
               const Context& context) {
  std::vector<RawItem> part;
  if (is_tensors(file)) {
    const Tensors tensors = load_safetensors(file);
    digest.add(digest_of(tensors));
    part = items_of_tensors(d, tensors, file);
  } else {
    const std::string text = text_of_items(file, digest, context);
    part = is_table(file) ? items_of_table(d, text, file, columns_of(source), labels)
                          : items_of_lines(d, text, file, source.reading.ignore_unknown);
  }
  std::ranges::move(part, std::back_inserter(items));
}

void refuse_for_items(const DataSource& source, const Context& context) {
  refuse_without_effect(context, {"--split"}, "on data that are items");
  refuse_without_effect(context, {"--tokens", "--unknown", "--min-count", "--vocabulary"},
                        "on data that are no text");
  if (std::ranges::none_of(source.files, is_table))
    refuse_without_effect(context, {"--column"}, "without a table (.csv, .tsv)");
  if (std::ranges::all_of(source.files,
                          [](const std::string& f) { return is_table(f) || is_tensors(f); }))
    refuse_without_effect(context, {"--ignore-unknown"}, "without JSON lines");
}

/// @param labels  of the model; where it is trained on these data, what is found in them
std::vector<RawItem> read_raw_items(Definition& d, const DataSource& source, bool find_labels,
                                    Labels& labels, std::string& digest, const Context& context) {
  require_memory("reading items", memory_of_items(source.files));
  std::vector<RawItem> items;
  Digest sum;
  for (const std::string& file : source.files)
    add_items(items, d, source, file, labels, sum, context);
  digest = sum.text();
  if (find_labels) {
    labels = labels_in(d, items);
    set_label_sizes(d, labels);
  }
  return items;
}

void leave_out_long_items(Dataset& data, std::int64_t max_length, const Context& context) {
  if (max_length <= 0) return;
  const Items items(data);
  const std::size_t before = items.size();
  std::vector<char> long_ones(before);
  for (std::size_t i = 0; i < before; ++i)
    for (const auto& [name, n] : items.lengths(i))
      if (n > max_length) long_ones[i] = 1;
  const Dataset taken = take_items(data, [&](std::size_t i) { return long_ones[i] != 0; });
  if (const std::size_t count = Items(taken).size(); count > 0)
    note(context, fmt::format("{} of {} items have more than {} steps and are left out", count,
                              before, max_length));
}

std::int64_t steps_of(const Dataset& data) {
  const Items items(data);
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::int64_t longest = 0;
    for (const auto& [name, n] : items.lengths(i)) longest = std::max(longest, n);
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
    if (source.tokens == Tokens::bytes)
      refuse_without_effect(context, {"--unknown", "--min-count"}, "on bytes: there are all 256");
    out = read_text(d, source, trained, false, context);
  } else if (refuse_for_items(source, context); stay_in_files(source.files)) {
    out = read_lines_in_files(d, source, trained, context);
  } else {
    if (trained != nullptr) out.labels = trained->labels;
    std::vector<RawItem> items =
        read_raw_items(d, source, trained == nullptr, out.labels, out.digest, context);
    out.data = dataset_of(d, std::move(items), out.labels, MayLack::nothing).data;
  }
  leave_out_long_items(out.data, source.reading.max_length, context);
  if (Items(out.data).size() == 0)
    fail(Status::bad_input, "D002", "every item has more than {} steps: nothing is left",
         source.reading.max_length);
  note(context,
       fmt::format("{} items, {} steps{}", Items(out.data).size(), steps_of(out.data),
                   out.vocabulary ? fmt::format(", {} symbols", out.vocabulary->size()) : ""));
  return out;
}

PredictData read_items(const TrainedModel& trained, const DataSource& source, MayLack may_lack,
                       const Context& context) {
  Definition d = trained.definition;
  PredictData items;
  if (reads_text(d, source)) {
    refuse_without_effect(context, {"--column", "--ignore-unknown"}, "on text");
    items.data = read_text(d, source, &trained, true, context).data;
    return items;
  }
  refuse_for_items(source, context);
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
            .take = [&source](const std::string& v) { source.reading.columns.push_back(v); },
            .many = true})
      .rare();
  c.flag("--ignore-unknown", "pass over fields of JSON lines that are no variables",
         source.reading.ignore_unknown)
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
