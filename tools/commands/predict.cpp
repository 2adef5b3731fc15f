#include "taugrad/train/predict.h"

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "base/files.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "folder_options.h"
#include "json/json_writer.h"
#include "mode_options.h"
#include "output.h"
#include "taugrad/io/tensors.h"
#include "training_data.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 30;

struct Options {
  FolderOptions model;
  DataSource source;
  std::string output, fetch;
  std::int64_t steps = 0;
  bool draw = false;
  PredictOptions predict;
  ForecastOptions forecast;
};

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : list + ",") {
    if (c != ',') {
      name += c;
    } else if (!name.empty()) {
      names.push_back(std::move(name));
      name.clear();
    }
  }
  return names;
}

// of a model of text the symbols are characters
std::string line_of(const Tensors& item, const std::optional<Vocabulary>& vocabulary) {
  Tensors rest = item;
  json::Writer w;
  w.begin_object();
  for (const auto& [name, t] : item) {
    if (!vocabulary || t.dtype() != Dtype::i64 || t.dims().size() != 1) continue;
    const auto symbols = t.values<std::int64_t>();
    w.field(name, vocabulary->decode({symbols.begin(), symbols.end()}));
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

PredictData read_items(Options& o, TrainedModel& m, const Context& context) {
  if (o.source.files.empty()) fail(Status::usage, "U006", "`taugrad predict` needs --data FILE");
  PredictData items;
  if (reads_text(m.definition, o.source)) {
    if (o.source.split.empty()) o.source.split = saved_split(m).value_or("");
    TrainingData data = read_training_data(m.definition, o.source, &m.vocabulary, context);
    items.data = std::move(data.data);
    return items;
  }
  refuse_without_effect(context, {"--split"}, "on JSON lines: each is an item");
  for (const std::string& file : o.source.files) {
    PredictData part = prediction_lines(m.definition, read_file(file, kMostBytes), file);
    if (!items.data.examples.empty() && part.unknown != items.unknown)
      fail(Status::bad_input, "D005", "{} has other random variables than {}", file,
           o.source.files.front());
    items.unknown = std::move(part.unknown);
    std::ranges::move(part.data.examples, std::back_inserter(items.data.examples));
  }
  return items;
}

std::vector<Tensors> results_of(Options& o, const TrainedModel& m, const PredictData& items,
                                const Context& context) {
  if (o.steps == 0) {
    refuse_without_effect(context, {"--draw", "--temperature", "--top-k"},
                          "without --steps: it is of a forecast");
    o.predict.fetch = names_in(o.fetch);
    return predict(m.definition, m.weights, items, o.predict);
  }
  refuse_without_effect(context, {"--fetch", "--mode"},
                        "beside --steps, which goes on after the data");
  if (!items.unknown.empty())
    fail(Status::bad_input, "D005", "a forecast goes on with \"{}\", and the data have none",
         *items.unknown.begin());
  if (!o.draw)
    refuse_without_effect(context, {"--temperature", "--top-k", "--seed"},
                          "on the likeliest values: it goes with --draw");
  o.forecast.steps = o.steps;
  o.forecast.likeliest = !o.draw;
  o.forecast.seed = o.predict.seed;
  o.forecast.threads = o.predict.threads;
  return forecast(m.definition, m.weights, items.data, o.forecast);
}

int run_predict(Options o, const Context& context) {
  format_of(o.output, {"jsonl", "ndjson", "txt"}, "jsonl");
  TrainedModel m = read_model(o.model, context);
  const PredictData items = read_items(o, m, context);
  std::string text;
  for (const Tensors& item : results_of(o, m, items, context)) text += line_of(item, m.vocabulary);
  deliver(o.output, text);
  return 0;
}

}  // namespace

Command predict_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "predict";
  c.about = "What a trained model says of data: likeliest values, probabilities, forecasts";
  c.examples = {{"taugrad predict model --data new.jsonl", "a JSON object for each item: y, p:y"},
                {"taugrad predict model --data series.jsonl --steps 24",
                 "each item goes on for 24 steps after its own end"}};
  add_model_folder(c, o->model);
  c.option({.name = "--data",
            .letter = "",
            .value = "FILE",
            .help = "JSON lines, in which targets may be left out; or text",
            .take = [o](const std::string& v) { o->source.files.push_back(v); },
            .many = true});
  c.text("--fetch", "LIST", "y,p:y,std:y,nll:y,h [of each random variable y, p:y or std:y]",
         o->fetch);
  c.integer("--steps", "N", "a forecast: N steps after each item's end", o->steps, 1,
            1'000'000'000);
  c.flag("--draw", "a forecast of draws, not of the likeliest values", o->draw);
  c.number("--temperature", "X", "of these draws [1]", o->forecast.temperature, "> 0",
           [](double x) { return x > 0; });
  c.integer("--top-k", "K", "symbols are drawn of the K likeliest [all]", o->forecast.top_k, 1,
            2147483647);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of draws [1]",
            .take = [o](const std::string& v) { o->predict.seed = parse_seed("--seed", v); }});
  add_modes(c, o->predict.modes);
  c.choice("--split", "what an item of a text is [as in training]", o->source.split,
           std::vector<std::string>{"line", "blank", "%", "none"});
  c.integer("--batch", "B", "items that run together; the values are the same [32]",
            o->predict.batch, 1, 1'000'000'000)
      .rare();
  c.output("-o,--output", "FILE", "where to write [standard output]", o->output);
  add_max_memory(c);
  add_threads(c, o->predict.threads);
  c.details =
      "A line for each item, in the order of the data. y is the likeliest symbol, 0 or 1, or\n"
      "the mean; p:y the probabilities, std:y the deviation, nll:y -log p of what the data\n"
      "hold. Symbols of text are characters. Where the data have a random variable that\n"
      "equations read, they read the data (--mode says otherwise); where they have not,\n"
      "the likeliest value, or with --mode y=sampled a draw.\n" +
      std::string(kModesHelp);
  c.run = [o](const Context& context) { return run_predict(*o, context); };
  return c;
}

}  // namespace taugrad::cli
