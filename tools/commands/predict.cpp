#include "taugrad/train/predict.h"

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "language/resolve/resolved_model.h"
#include "options/definition_options.h"
#include "options/folder_options.h"
#include "options/mode_options.h"
#include "output.h"
#include "reports/item_text.h"
#include "train/state/words.h"
#include "training/read_as_trained.h"
#include "training/training_data.h"

namespace taugrad::cli {
namespace {

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

PredictData items_of(Options& o, const TrainedModel& m, const Context& context) {
  if (o.source.files.empty()) fail(Status::usage, "U006", "`taugrad predict` needs --data FILE");
  read_as_in_training(o.source, m, LongItems::kept, context);
  return read_items(m, o.source, MayLack::targets, context);
}

std::vector<Tensors> results_of(Options& o, const TrainedModel& m, const PredictData& items,
                                const Context& context) {
  if (o.steps == 0) {
    refuse_without_effect(context, {"--draw", "--temperature", "--top-k", "--top-p"},
                          "without --steps: it is of a forecast");
    refuse_seed_without_draws(context, o.predict.modes);
    o.predict.fetch = names_in(o.fetch);
    return predict(m.definition, m.weights, items, o.predict);
  }
  refuse_without_effect(context, {"--fetch", "--mode"},
                        "beside --steps, which goes on after the data");
  refuse_without_effect(context, {"--batch"}, "beside --steps: all items go on together");
  if (!items.unknown.empty())
    fail(Status::bad_input, "D005", "a forecast goes on with \"{}\", and the data have none",
         *items.unknown.begin());
  if (!o.draw)
    refuse_without_effect(context, {"--temperature", "--top-k", "--top-p", "--seed"},
                          "on the likeliest values: it goes with --draw");
  const auto model = resolve(m.definition);
  if (std::ranges::none_of(model->symbols,
                           [](const Symbol& s) { return s.random() && s.category >= 0; }))
    refuse_without_effect(context, {"--top-k", "--top-p"}, "on a model that draws no symbols");
  if (o.forecast.top_k == 1 && draws_symbols_alone(*model))
    refuse_without_effect(context, {"--temperature", "--top-p", "--seed"},
                          "beside --top-k 1, which takes the likeliest");
  o.forecast.steps = o.steps;
  o.forecast.likeliest = !o.draw;
  o.forecast.seed = o.predict.seed;
  o.forecast.engine = o.predict.engine;
  Dataset data = items.data;
  take_ends_off(m.definition, data);
  return forecast(m.definition, m.weights, data, o.forecast);
}

int run_predict(Options o, const Context& context) {
  format_of(o.output, {"jsonl", "ndjson", "txt"}, "jsonl");
  const TrainedModel m = read_model(o.model, context);
  const PredictData items = items_of(o, m, context);
  std::string text;
  for (const Tensors& item : results_of(o, m, items, context)) text += line_of(item, m);
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
  add_data(c, o->source, "text, or items, in which targets may be left out: JSON lines, tables");
  c.text("--fetch", "LIST", "y,p:y,std:y,nll:y,h [of each random variable y, p:y or std:y]",
         o->fetch);
  c.integer("--steps", "N", "a forecast: N steps after each item's end", o->steps, 1,
            1'000'000'000);
  c.flag("--draw", "a forecast of draws, not of the likeliest values", o->draw);
  c.number("--temperature", "X", "of these draws [1]", o->forecast.temperature, "> 0",
           [](double x) { return x > 0; });
  c.integer("--top-k", "K", "symbols are drawn of the K likeliest [all]", o->forecast.top_k, 1,
            2147483647);
  c.number("--top-p", "X", "and of the likeliest that have this share together [1]",
           o->forecast.top_p, "in (0, 1]", [](double x) { return x > 0 && x <= 1; });
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of draws [1]",
            .take = [o](const std::string& v) { o->predict.seed = parse_seed("--seed", v); }});
  add_modes(c, o->predict.modes);
  c.choice("--split", "what an item of a text is [as in training]", o->source.reading.split,
           texts_of(kSplits));
  c.integer("--batch", "B", "items that run together; the values are the same [32]",
            o->predict.batch, 1, 1'000'000'000)
      .rare();
  c.output("-o,--output", "FILE", "where to write [standard output]", o->output);
  add_engine(c, o->predict.engine);
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
