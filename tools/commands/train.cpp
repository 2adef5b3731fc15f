#include <memory>

#include "commands/commands.h"
#include "options/definition_options.h"
#include "options/mode_options.h"
#include "train/state/words.h"
#include "training/training.h"

namespace taugrad::cli {
namespace {

/// "64", or "64,32".
Truncation truncation_from(const std::string& text) {
  const std::size_t comma = text.find(',');
  Truncation t;
  t.back = parse_integer("--bptt", text.substr(0, comma), 1, 2147483647);
  if (comma != std::string::npos)
    t.every = parse_integer("--bptt", text.substr(comma + 1), 1, t.back);
  return t;
}

bool stops(const std::string& word) {
  static const std::vector<std::string> words = {"stop", "continue"};
  return check_word(words, "--on-save-error", word) == 0;
}

void add_where(Command& c, const std::shared_ptr<TrainingOptions>& o) {
  add_data(c, o->source, "text, or items: JSON lines, .csv, .tsv, .safetensors");
  c.text("-o,--output", "DIR", "folder of the model, made by this", o->output);
  c.text("--resume", "DIR", "go on with a training: nothing else is needed", o->resume);
  c.choice("--split", "what an item of a text is [line]", o->source.reading.split,
           texts_of(kSplits));
  add_tokens(c, o->source);
  c.integer("--max-length", "N", "leave out items of more steps", o->source.reading.max_length, 1,
            2147483647)
      .rare();
  c.flag("--overwrite", "replace the model in DIR", o->overwrite);
}

void add_how(Command& c, const std::shared_ptr<TrainingOptions>& o) {
  TrainOptions& t = o->train;
  const auto positive = [](double x) { return x > 0; };
  const auto fraction = [](double x) { return x >= 0 && x < 1; };
  c.integer("--epochs", "N", "passes over the data [10]", t.epochs, 1, 1'000'000'000);
  c.integer("--batch", "B", "items of an update [32]", t.batch, 1, 1'000'000'000);
  c.number("--lr", "X", "step size [0.002]", t.optimizer.lr, "> 0", positive);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of weights, order and dropout [1]",
            .take = [o](const std::string& v) { o->train.seed = parse_seed("--seed", v); }});
  add_validation(c, o->validation);
  c.number("--seconds", "X", "stop and save after this time", o->seconds, "> 0", positive);
  c.choice("--optimizer", "[adam]", t.optimizer.kind, kOptimizers).rare();
  c.number("--momentum", "X", "of sgd and rmsprop [0]", t.optimizer.momentum, "in [0, 1)", fraction)
      .rare();
  c.flag("--nesterov", "of sgd: the momentum looks ahead", t.optimizer.nesterov).rare();
  c.number("--beta1", "X", "of adam, adamw, lion [0.9]", t.optimizer.beta1, "in [0, 1)", fraction)
      .rare();
  c.number("--beta2", "X", "of those and rmsprop [0.999; lion, rmsprop 0.99]", t.optimizer.beta2,
           "in [0, 1)", fraction)
      .rare();
  c.number("--weight-decay", "X", "weights shrink by lr times this [0; adamw 0.01]",
           t.optimizer.weight_decay, ">= 0", [](double x) { return x >= 0; })
      .rare();
  c.flag("--coupled-decay", "the decay goes through the gradient, as a penalty in the loss",
         t.optimizer.coupled)
      .rare();
  c.number("--clip", "X", "largest norm of a gradient, 0: none [1]", t.clip, ">= 0", [](double x) {
     return x >= 0;
   }).rare();
  c.number("--final-lr", "X", "lr falls to this share of itself at the end [1]", t.final_lr,
           "in [0, 1]", [](double x) { return x >= 0 && x <= 1; })
      .rare();
  c.text("--schedule", "EXPR", "of lr: 'warmup(500) cosine(0.1)', step(0.5, 1000), plateau(0.5, 3)",
         t.schedule)
      .rare();
  c.option({.name = "--bptt",
            .letter = "",
            .value = "K[,N]",
            .help = "windows of K steps with carried state, an update every N [whole sequences]",
            .take = [o](const std::string& v) { o->train.truncation = truncation_from(v); }});
  c.integer("--accumulate", "N", "minibatches, or windows, of an update [1]", t.accumulate, 1,
            1'000'000'000)
      .rare();
  c.number("--ema", "X",
           "the model is the average of the weights: 0.999; 0 beside --resume ends it [0: none]",
           t.average, "in [0, 1)", fraction)
      .rare();
  c.text("--init", "FILE", "weights to begin with, by name: safetensors, or a model's folder",
         o->init)
      .rare();
  c.option({.name = "--map",
            .letter = "",
            .value = "FROM=TO",
            .help = "names in --init that begin so: 'module.lstm.=l.'",
            .take = [o](const std::string& v) { o->maps.push_back(v); },
            .many = true})
      .rare();
  c.text("--freeze", "NAMES", "weights that are not trained: 'E,l.*'", t.frozen).rare();
  c.text("--decay-of", "NAMES", "weights that decay [all]", t.optimizer.decayed).rare();
  c.number("--clip-value", "X", "largest element of a gradient, 0: none [0]", t.clip_value, ">= 0",
           [](double x) { return x >= 0; })
      .rare();
  c.option({.name = "--on-save-error",
            .letter = "",
            .value = "stop|continue",
            .help = "where a save on the way fails, again and again: continue goes on without it "
                    "[stop]",
            .take = [o](const std::string& v) { o->stop_on_save_error = stops(v); }})
      .rare();
  c.number("--save-every", "X", "seconds of work between saves, 0: every update [60]",
           o->save_every, ">= 0", [](double x) { return x >= 0; })
      .rare();
  c.integer("--keep", "N", "saved states in DIR, the newest ones [2]", o->keep, 1, 1'000'000)
      .rare();
  c.flag("--require-identical", "with --resume: only where the bits stay what they would have been",
         o->require_identical)
      .rare();
  c.flag("--tensorboard", "event files in DIR too", o->tensorboard).rare();
  c.integer("--flow-every", "N", "the gradient through time into the metrics, every N updates",
            o->flow_every, 1, 1'000'000'000)
      .rare();
  add_modes(c, t.modes);
  add_engine(c, o->train.engine);
  add_checkpoint(c, o->checkpoint);
  add_chunk(c, o->train.engine);
}

}  // namespace

Command train_command() {
  auto o = std::make_shared<TrainingOptions>();
  Command c;
  c.name = "train";
  c.about = "Trains a definition on text, JSON lines or tables";
  c.examples = {
      {"taugrad train char_lm --size m=128 --data book.txt --split blank -o model",
       "a model of characters, a paragraph an item; `taugrad sample model` writes"},
      {"taugrad train --resume model", "goes on where Ctrl-C stopped it, with the same bits"}};
  add_definition(c, o->definition);
  add_where(c, o);
  add_how(c, o);
  c.details =
      "Text goes to the one indexed category variable with ~ of a definition without\n"
      "inputs; its characters, bytes or words are the symbols, and where \"ends\" is\n"
      "y[t] == 0 symbol 0 ends every item. Anything else reads items: JSON lines,\n"
      "{\"x\": [[..], ..], \"y\": [..]}; tables, whose rows are steps; safetensors, as run.\n"
      "Symbols may be words, and null is a target that is not given.\n"
      "What is minimised is a batch's loss divided by its number of targets. DIR holds\n"
      "whole states, step-N after update N, and metrics.jsonl; nothing that happens to a\n"
      "training takes the newest of them. Ctrl-C saves and ends with status 130, a second\n"
      "one ends at once. Options beside --resume hold from then on, and the state notes it.\n"
      "--mode 'y=mixed(linear(1,0.2,1000))' is scheduled sampling: at each step of each item\n"
      "the network reads the true symbol with that probability, else its own; metrics.jsonl\n"
      "tells the probability of each update.\n" +
      std::string(kModesHelp);
  c.run = [o](const Context& context) { return Training(*o, context).run(); };
  return c;
}

}  // namespace taugrad::cli
