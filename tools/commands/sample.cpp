#include "taugrad/train/sample.h"

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "json/json_writer.h"
#include "language/resolve/resolved_model.h"
#include "options/definition_options.h"
#include "options/folder_options.h"
#include "options/mode_options.h"
#include "output.h"
#include "reports/item_text.h"
#include "taugrad/train/dataset.h"
#include "train/predict/sample_length.h"
#include "train/text/stored_text.h"
#include "training/read_as_trained.h"
#include "training/training_data.h"

namespace taugrad::cli {
namespace {

struct Options {
  FolderOptions model;
  DataSource source;
  std::string prompt, output;
  SampleOptions sample;
  std::int64_t beam = 0;
  double length_penalty = 0;
};

std::vector<std::int64_t> symbols_of(const Tensor& t) {
  const auto values = t.values<std::int64_t>();
  return {values.begin(), values.end()};
}

std::string text_of(const TrainedModel& m, const std::vector<Tensors>& samples, bool json) {
  const std::string variable = text_variable(m.definition).name;
  std::string out;
  for (const Tensors& item : samples) {
    const std::string text = m.vocabulary->decode(symbols_of(item.at(variable)));
    if (json) {
      json::Writer w;
      w.begin_object().field("text", text).end_object();
      out += w.text() + "\n";
    } else {
      // the form of fortune files: an item, then a line with %
      out += text + "\n" + (samples.size() > 1 ? "%\n" : "");
    }
  }
  return out;
}

// options that say nothing of what this model draws
void refuse(const Options& o, const Definition& d, const Context& context) {
  const auto model = resolve(d);
  const bool inputs = std::ranges::any_of(
      model->symbols, [](const Symbol& s) { return s.kind == SymbolKind::input; });
  if (o.beam > 0)
    refuse_without_effect(context, {"--temperature", "--top-k", "--top-p", "--seed"},
                          "beside --beam, which draws nothing");
  if (o.beam > 0 && !inputs)
    refuse_without_effect(context, {"--data"}, "beside --beam, which draws nothing");
  if (o.beam == 0) refuse_without_effect(context, {"--length-penalty"}, "without --beam");
  if (o.source.files.empty())
    refuse_without_effect(context, {"--column", "--ignore-unknown"}, "without --data");
  if (o.sample.temperature == 0)
    refuse_without_effect(context, {"--top-k", "--top-p", "--seed"},
                          "at temperature 0, which takes the likeliest");
  if (std::ranges::none_of(model->symbols,
                           [](const Symbol& s) { return s.random() && s.category >= 0; }))
    refuse_without_effect(context, {"--top-k", "--top-p"}, "on a model that draws no symbols");
  if (o.sample.top_k == 1 && draws_symbols_alone(*model))
    refuse_without_effect(context, {"--temperature", "--top-p", "--seed"},
                          "beside --top-k 1, which takes the likeliest");
  if (length_variable(*model))
    refuse_without_effect(context, {"--steps"}, "on a model that draws its length");
}

std::vector<Tensors> likeliest(const Options& o, const TrainedModel& m, const Context& context) {
  const BeamOptions beam{o.beam,           o.sample.count,  o.sample.steps,
                         o.length_penalty, o.sample.prompt, o.sample.engine};
  std::vector<std::vector<Found>> found;
  if (o.source.files.empty())
    found.push_back(beam_search(m.definition, m.weights, beam));
  else
    found = beam_search(m.definition, m.weights,
                        read_items(m, o.source, MayLack::targets_and_lengths, context).data, beam);
  std::string variable;
  for (const Symbol& s : resolve(m.definition)->symbols)
    if (s.random()) variable = s.name;  // the only one
  std::vector<Tensors> all;
  for (std::vector<Found>& of_item : found)
    for (Found& f : of_item) {
      const auto steps = static_cast<std::int64_t>(f.symbols.size());
      note(context, fmt::format("log p {:.4f}", f.log_p));
      all.push_back({{variable, Tensor::of({steps}, std::move(f.symbols))}});
    }
  return all;
}

std::vector<Tensors> sequences(const Options& o, const TrainedModel& m, const Context& context) {
  if (o.beam > 0) return likeliest(o, m, context);
  if (o.source.files.empty()) return sample(m.definition, m.weights, o.sample);
  return sample(m.definition, m.weights,
                read_items(m, o.source, MayLack::targets_and_lengths, context).data, o.sample);
}

/// A text of any length, of which no more is held than is drawn at once.
int print_as_drawn(Options& o, const TrainedModel& m) {
  o.sample.tell = [&](std::span<const std::int64_t> symbols) {
    print(m.vocabulary->decode({symbols.begin(), symbols.end()}));
  };
  sample(m.definition, m.weights, o.sample);
  print("\n");
  return 0;
}

int draw(Options o, const Context& context) {
  const TrainedModel m = read_model(o.model, context);
  if (!o.source.files.empty()) read_as_in_training(o.source, m, LongItems::kept, context);
  const std::string format =
      format_of(o.output, {"txt", "jsonl", "ndjson"}, context.json ? "jsonl" : "txt");
  if (!o.prompt.empty()) {
    if (!m.vocabulary) fail(Status::usage, "U002", "--prompt is for models of text");
    o.sample.prompt = m.vocabulary->encode({o.prompt, "--prompt", 1});
  }
  refuse(o, m.definition, context);
  const bool printed = o.output.empty() || o.output == "-";
  if (m.vocabulary && format == "txt" && printed && o.sample.count == 1 && o.beam == 0 &&
      o.source.files.empty() && is_text_alone(m.definition))
    return print_as_drawn(o, m);
  const std::vector<Tensors> samples = sequences(o, m, context);
  std::string text;
  if (m.vocabulary)
    text = text_of(m, samples, format != "txt");
  else
    for (const Tensors& item : samples) text += line_of(item, m);
  deliver(o.output, text);
  return 0;
}

}  // namespace

Command sample_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "sample";
  c.about = "Draws sequences from a trained model";
  c.examples = {
      {"taugrad sample model --count 5 --temperature 0.7", "five texts, separated by lines with %"},
      {"taugrad sample model --prompt 'A man ' --seed 7", "goes on from a beginning"}};
  add_model_folder(c, o->model);
  c.integer("--count", "N", "sequences to draw [1]", o->sample.count, 1, 1'000'000);
  c.integer("--steps", "N", "the longest, where the model does not end itself [500]",
            o->sample.steps, 1, 100'000'000);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "other seeds, other sequences [1]",
            .take = [o](const std::string& v) { o->sample.seed = parse_seed("--seed", v); }});
  c.number("--temperature", "X", "below 1 likelier values, 0 always the likeliest [1]",
           o->sample.temperature, "0, or in 0.001..1000",
           [](double x) { return x == 0 || (x >= 1e-3 && x <= 1e3); });
  c.integer("--top-k", "K", "symbols are drawn of the K likeliest [all]", o->sample.top_k, 1,
            2147483647);
  c.number("--top-p", "X", "and of the likeliest that have this share together [1]",
           o->sample.top_p, "in (0, 1]", [](double x) { return x > 0 && x <= 1; });
  c.integer("--beam", "K", "the likeliest sequence, of K kept from step to step; no draws", o->beam,
            1, 100'000);
  c.number("--length-penalty", "X", "with --beam: log p over length^X is compared [0]",
           o->length_penalty, ">= 0", [](double x) { return x >= 0; })
      .rare();
  add_data(c, o->source, "inputs of the model: --count sequences for each item");
  c.text("--prompt", "TEXT", "what each text begins with", o->prompt);
  c.output("-o,--output", "FILE",
           ".jsonl: a JSON object a line; .txt: as printed [standard output]", o->output);
  add_engine(c, o->sample.engine);
  c.run = [o](const Context& context) { return draw(*o, context); };
  return c;
}

}  // namespace taugrad::cli
