#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/fail.h"
#include "commands/commands.h"
#include "options/definition_options.h"
#include "options/folder_options.h"
#include "options/mode_options.h"
#include "output.h"
#include "progress.h"
#include "reports/evaluation_text.h"
#include "taugrad/train/evaluate.h"
#include "train/data/items.h"
#include "train/state/words.h"
#include "training/read_as_trained.h"
#include "training/training_data.h"

namespace taugrad::cli {
namespace {

struct Options {
  FolderOptions model;
  std::string output;
  DataSource source;
  EvaluateOptions evaluate;
  bool per_item = false, divergence = false;
};

// the first item whose loss is no number
std::optional<Diagnostic> not_finite_in(const Evaluation& e, const Dataset& data) {
  for (std::size_t i = 0; i < e.items.size(); ++i) {
    const double loss = e.items[i].loss;
    if (std::isfinite(loss)) continue;
    Diagnostic d;
    d.code = "N004";
    d.message = fmt::format("the loss of item {} is not finite: {}", i,
                            std::isnan(loss) ? "NaN"
                            : loss > 0       ? "inf"
                                             : "-inf");
    Items(data).tell_place(i, d);
    return d;
  }
  return {};
}

int evaluate_model(Options o, const Context& context) {
  if (o.source.files.empty()) fail(Status::usage, "U006", "`taugrad eval` needs --data FILE");
  if (o.divergence && o.evaluate.modes.empty())
    fail(Status::usage, "U006",
         "--divergence compares with teacher forcing: it needs a --mode, such as y=greedy");
  refuse_seed_without_draws(context, o.evaluate.modes);
  TrainedModel m = read_model(o.model, context);
  const std::string format = format_of(o.output, {"json", "txt"}, context.json ? "json" : "txt");
  if (!read_as_in_training(o.source, m, LongItems::left_out, context) &&
      o.source.reading.split.empty() && reads_text(m.definition, o.source))
    note(context, fmt::format("{} has no state.json to tell what an item is: a line; --split says "
                              "otherwise",
                              o.model.folder));
  const TrainingData data = read_training_data(m.definition, o.source, &m, context);
  Counter counter(context, "item", static_cast<std::int64_t>(Items(data.data).size()));
  o.evaluate.progress = [&](std::int64_t items) { counter.show(items); };
  const Evaluation e = evaluate(m.definition, m.weights, data.data, o.evaluate);
  EvaluationText text(e, {.per_item = o.per_item, .unit = unit_of(m.vocabulary)});
  Evaluation forced;
  if (o.divergence) {
    EvaluateOptions observed = o.evaluate;
    observed.modes.clear();
    forced = evaluate(m.definition, m.weights, data.data, observed);
    text.compare_with(forced);
  }
  counter.finish();
  for (const std::string& why : e.warnings) {
    Diagnostic d;
    d.code = "D103";
    d.message = why;
    warn(context, d);
  }
  if (const auto found = not_finite_in(e, data.data)) {
    if (o.model.strict) throw Error(Status::numerical, *found);
    warn(context, *found);
  }
  deliver(o.output, format == "json" ? text.json() : text.table());
  return 0;
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  add_model_folder(c, o->model);
  add_data(c, o->source, "text, or items: JSON lines, .csv, .tsv, .safetensors");
  c.flag("--per-item", "the likelihood of each item too", o->per_item);
  add_modes(c, o->evaluate.modes);
  c.options.back().common = true;
  c.flag("--divergence", "with --mode: how far from teacher forcing, step by step", o->divergence);
  c.choice("--split", "what an item of a text is [as in training]", o->source.reading.split,
           texts_of(kSplits));
  c.integer("--max-length", "N", "leave out items of more steps [as in training]",
            o->source.reading.max_length, 1, 2147483647);
  c.output("-o,--output", "FILE", "where to write [standard output]", o->output);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of draws [1]",
            .take = [o](const std::string& v) { o->evaluate.seed = parse_seed("--seed", v); }});
  c.integer("--batch", "B", "items that run together; scores are the same [32]", o->evaluate.batch,
            1, 1'000'000'000)
      .rare();
  add_engine(c, o->evaluate.engine);
  add_chunk(c, o->evaluate.engine);
}

}  // namespace

Command eval_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "eval";
  c.about = "Measures a trained model: likelihood, bits, perplexity, accuracy";
  c.examples = {{"taugrad eval model --data heldout.txt", "bits per symbol of other text"},
                {"taugrad eval model --data heldout.txt --mode y=greedy --divergence",
                 "left to itself: where it departs from the truth"}};
  add_options(c, o);
  c.details =
      "nats: -log p of the targets, by the natural logarithm; bits: nats / log 2;\n"
      "perplexity: exp(nats), both per target. Accuracy is the share of targets that are\n"
      "the likeliest value: of a bernoulli, element by element. A definition with a \"loss\"\n"
      "of its own has that instead. With --divergence, `apart` is the share of values read\n"
      "that are not the data's (of a normal, the mean square of the distance), and\n"
      "`difference` the nats that this costs at that step.\n" +
      std::string(kModesHelp);
  c.run = [o](const Context& context) { return evaluate_model(*o, context); };
  return c;
}

}  // namespace taugrad::cli
