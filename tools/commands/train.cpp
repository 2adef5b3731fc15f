#include <csignal>
#include <filesystem>
#include <memory>

#include "base/fail.h"
#include "base/kept_inputs.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "mode_options.h"
#include "folder_options.h"
#include "output.h"
#include "progress.h"
#include "taugrad/analysis/coupling.h"
#include "train/words.h"
#include "training_data.h"

namespace taugrad::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  DefinitionOptions definition;
  DataSource source;
  TrainOptions train;
  std::string output, resume;
  std::int64_t save_every = 500, flow_every = 0;
  int threads = 0;
  bool checkpoint = false;
  double seconds = 0;
  bool overwrite = false, epochs_given = false;
};

volatile std::sig_atomic_t stop_signal = 0;

// the first signal asks for a save and an end; the handler is gone then, so that the second ends at
// once
void stop_softly_on_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { stop_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void make_folder(const Options& o) {
  refuse_inputs_in(o.output);
  std::error_code error;
  const bool used = fs::exists(o.output, error) &&
                    !(fs::is_directory(o.output, error) && fs::is_empty(o.output, error));
  if (used && !o.overwrite) {
    Diagnostic d;
    d.code = "U003";
    d.message = fmt::format("{} exists", o.output);
    d.help = fmt::format("go on with `taugrad train --resume {}`, or start anew with --overwrite",
                         o.output);
    fail(Status::usage, std::move(d));
  }
  fs::create_directories(o.output, error);
  if (error) fail(Status::io, "I002", "{}: {}", o.output, error.message());
  for (const char* file :
       {"state.json", "optimizer.safetensors", "model.safetensors", "vocab.json"})
    fs::remove(fs::path(o.output) / file, error);  // of a model that is overwritten
}

void need(const std::string& value, const char* what) {
  if (value.empty()) fail(Status::usage, "U006", "`taugrad train` needs {}", what);
}

/// One training: what it runs on and where it is kept.
class Training {
 public:
  Training(const Options& o, const Context& context) : options_(o), context_(context) {
    o.resume.empty() ? begin() : go_on();
  }

  int run() try { return updates(); } catch (const Error&) {
    if (options_.resume.empty() && trainer_->updates() == 0) discard();
    throw;
  }

 private:
  int updates() {
    stop_softly_on_signals();
    note(context_, fmt::format("{} parameters, {} updates of {} items", trainer_->parameters(),
                               trainer_->total_updates(), state_.options.batch));
    if (const Coupling c = coupling(model_.definition, state_.options.modes);
        c.decoupled() && c.indexed)
      note(context_, to_text(c));
    begun_ = trainer_->updates();
    Progress progress(context_, trainer_->total_updates(), text_);
    Metrics metrics(folder_ + "/metrics.jsonl", trainer_->updates());
    bool out_of_time = false;
    while (!trainer_->done() && stop_signal == 0 && !out_of_time) {
      const std::vector<StateFlow> flow = flow_due() ? trainer_->flow() : std::vector<StateFlow>{};
      const Update u = trainer_->step();
      const std::string line = metrics.add(u, flow);
      if (context_.json) print(line);
      progress.show(u);
      if (u.update % options_.save_every == 0) save(metrics);
      out_of_time = options_.seconds > 0 && progress.seconds() >= options_.seconds;
    }
    progress.finish();
    save(metrics);
    return finish(progress, out_of_time);
  }

  bool flow_due() const {
    return state_.flow_every > 0 && (trainer_->updates() + 1) % state_.flow_every == 0;
  }

  // a training that made no update leaves no half of a model
  void discard() const {
    std::error_code ignored;
    for (const char* file : {"definition.json", "vocab.json", "metrics.jsonl"})
      fs::remove(fs::path(folder_) / file, ignored);
    fs::remove(folder_, ignored);  // only where nothing else is in it
  }

  void begin() {
    options_.train.optimizer.kind == OptimizerKind::sgd
        ? refuse_without_effect(context_, {"--beta1", "--beta2"}, "on sgd: it is of adam")
        : refuse_without_effect(context_, {"--momentum"}, "on adam: it is of --optimizer sgd");
    need(options_.output, "-o DIR, the folder to keep the model in");
    need(options_.source.files.empty() ? "" : "data", "--data FILE");
    model_.definition = read_definition(options_.definition, context_);
    folder_ = options_.output;
    state_.options = options_.train;
    state_.flow_every = options_.flow_every;
    state_.split = options_.source.split;
    state_.max_length = options_.source.max_length;
    make_trainer(options_.source, nullptr);
    make_folder(options_);
    state_.description = save_model_description(folder_, model_);
  }

  void go_on() {
    const char* as_it_began = "on a training that goes on as it began";
    if (!options_.definition.file_or_name.empty())
      fail(Status::usage, "U007", "a definition has no effect {}", as_it_began);
    refuse_without_effect(
        context_, {"--equation", "--loss", "--size", "--set", "--allow-unused", "--output",
                   "--overwrite", "--split", "--max-length", "--batch", "--lr", "--seed",
                   "--optimizer", "--momentum", "--beta1", "--beta2", "--weight-decay", "--clip",
                   "--final-lr", "--precision"},
        as_it_began);
    folder_ = options_.resume;
    {
      const UpdatesInPlace own;
      model_ = read_model({folder_}, context_);
      state_ = load_resume_state(folder_);
    }
    state_.description = model_.description;
    if (!options_.train.modes.empty() && options_.train.modes != state_.options.modes)
      fail(Status::usage, "U002",
           "--mode: a training goes on in the modes that it began with; leave it out");
    if (options_.epochs_given) state_.options.epochs = options_.train.epochs;
    if (options_.flow_every > 0) state_.flow_every = options_.flow_every;
    DataSource source{options_.source.files.empty() ? state_.files : options_.source.files,
                      state_.split, state_.max_length};
    const std::string digest = state_.digest;
    make_trainer(source, &model_.vocabulary);
    if (state_.digest != digest) {
      Diagnostic d;
      d.code = "C004";
      d.message = "the data are not those that the training began with";
      d.help = "--data names them where they have moved";
      fail(Status::bad_input, std::move(d));
    }
    trainer_->restore({state_.updates, model_.weights, state_.optimizer});
    note(context_, fmt::format("goes on after update {} of {}", trainer_->updates(),
                               trainer_->total_updates()));
  }

  void make_trainer(const DataSource& source, const std::optional<Vocabulary>* vocabulary) {
    TrainingData data = read_training_data(model_.definition, source, vocabulary, context_);
    model_.vocabulary = data.vocabulary;
    text_ = data.vocabulary.has_value();
    state_.digest = data.digest;
    state_.files.clear();
    for (const std::string& file : source.files)
      state_.files.push_back(file == "-" ? file : fs::absolute(file).string());
    TrainOptions o = state_.options;
    o.threads = options_.threads;
    o.checkpoint = options_.checkpoint;
    trainer_ = std::make_unique<Trainer>(model_.definition, std::move(data.data), o);
    if (state_.flow_every > 0 && !trainer_->done())
      trainer_->flow();  // says now what it would say then
  }

  void save(Metrics& metrics) {
    metrics.flush();
    const TrainState s = trainer_->state();
    state_.updates = s.updates;
    state_.optimizer = s.optimizer;
    save_training(folder_, s.weights, state_);
  }

  int finish(const Progress& progress, bool out_of_time) const {
    if (trainer_->updates() == begun_ && trainer_->done())
      note(context_, fmt::format("nothing to do: all {} updates are made", trainer_->updates()));
    else if (trainer_->updates() > begun_)
      note(context_,
           text_ ? fmt::format("{} updates, {:.3f} bits/char, {:.0f} s", trainer_->updates(),
                               progress.loss() / 0.6931471805599453, progress.seconds())
                 : fmt::format("{} updates, loss {:.6g}, {:.0f} s", trainer_->updates(),
                               progress.loss(), progress.seconds()));
    if (!trainer_->done())
      note(context_, fmt::format("{}; `taugrad train --resume {}` goes on",
                                 out_of_time ? "the time is over" : "stopped and saved", folder_));
    else if (text_)
      note(context_, fmt::format("`taugrad sample {}` writes text", folder_));
    if (stop_signal != 0) return 128 + stop_signal;
    return 0;
  }

  const Options& options_;
  Context context_;
  TrainedModel model_;
  ResumeState state_;
  std::string folder_;
  bool text_ = false;
  std::unique_ptr<Trainer> trainer_;
  std::int64_t begun_ = 0;  ///< updates that an earlier run made
};

void add_where(Command& c, const std::shared_ptr<Options>& o) {
  c.option({.name = "--data",
            .letter = "",
            .value = "FILE",
            .help = "text, or JSON lines: an item a line, by variable name",
            .take = [o](const std::string& v) { o->source.files.push_back(v); },
            .many = true});
  c.text("-o,--output", "DIR", "folder of the model, made by this", o->output);
  c.text("--resume", "DIR", "go on with a training: nothing else is needed", o->resume);
  c.choice("--split", "what an item of a text is [line]", o->source.split,
           texts_of(kSplits));
  c.integer("--max-length", "N", "leave out items of more steps", o->source.max_length, 1,
            2147483647);
  c.flag("--overwrite", "replace the model in DIR", o->overwrite);
}

void add_how(Command& c, const std::shared_ptr<Options>& o) {
  TrainOptions& t = o->train;
  const auto positive = [](double x) { return x > 0; };
  const auto fraction = [](double x) { return x >= 0 && x < 1; };
  c.option({.name = "--epochs",
            .letter = "",
            .value = "N",
            .help = "passes over the data [10]",
            .take = [o](const std::string& v) {
              o->train.epochs = parse_integer("--epochs", v, 1, 1'000'000'000);
              o->epochs_given = true;
            }});
  c.integer("--batch", "B", "items of an update [32]", t.batch, 1, 1'000'000'000);
  c.number("--lr", "X", "step size [0.002]", t.optimizer.lr, "> 0", positive);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of weights, order and dropout [1]",
            .take = [o](const std::string& v) { o->train.seed = parse_seed("--seed", v); }});
  c.number("--seconds", "X", "stop and save after this time", o->seconds, "> 0", positive);
  c.choice("--optimizer", "[adam]", t.optimizer.kind, kOptimizers).rare();
  c.number("--momentum", "X", "of sgd [0]", t.optimizer.momentum, "in [0, 1)", fraction).rare();
  c.number("--beta1", "X", "of adam [0.9]", t.optimizer.beta1, "in [0, 1)", fraction).rare();
  c.number("--beta2", "X", "of adam [0.999]", t.optimizer.beta2, "in [0, 1)", fraction).rare();
  c.number("--weight-decay", "X", "weights shrink by lr times this [0]", t.optimizer.weight_decay,
           ">= 0", [](double x) { return x >= 0; })
      .rare();
  c.number("--clip", "X", "largest norm of a gradient, 0: none [1]", t.clip, ">= 0", [](double x) {
     return x >= 0;
   }).rare();
  c.number("--final-lr", "X", "lr falls to this share of itself at the end [1]", t.final_lr,
           "in [0, 1]", [](double x) { return x >= 0 && x <= 1; })
      .rare();
  c.integer("--save-every", "N", "updates between saves [500]", o->save_every, 1, 1'000'000'000)
      .rare();
  c.integer("--flow-every", "N", "the gradient through time into the metrics, every N updates",
            o->flow_every, 1, 1'000'000'000)
      .rare();
  add_modes(c, t.modes);
  add_max_memory(c);
  add_threads(c, o->threads);
  add_checkpoint(c, o->checkpoint);
  add_precision(c, o->train.precision);
}

}  // namespace

Command train_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "train";
  c.about = "Trains a definition on text or JSON lines";
  c.examples = {
      {"taugrad train char_lm --size m=128 --data book.txt --split blank -o model",
       "a model of characters, a paragraph an item; `taugrad sample model` writes"},
      {"taugrad train --resume model", "goes on where Ctrl-C stopped it, with the same bits"}};
  add_definition(c, o->definition);
  add_where(c, o);
  add_how(c, o);
  c.details =
      "Text goes to the one indexed category variable with ~ of a definition without\n"
      "inputs; its characters are the symbols, and where \"ends\" is y[t] == 0 symbol 0\n"
      "ends every item. Anything else reads JSON lines: {\"x\": [[..], ..], \"y\": [..]}.\n"
      "What is minimised is a batch's loss divided by its number of targets. The folder\n"
      "holds definition.json, model.safetensors, vocab.json, metrics.jsonl and the state\n"
      "for --resume. Ctrl-C saves and ends with status 130.\n"
      "--mode 'y=mixed(linear(1,0.2,1000))' is scheduled sampling: at each step of each item\n"
      "the network reads the true symbol with that probability, else its own; metrics.jsonl\n"
      "tells the probability of each update.\n" +
      std::string(kModesHelp);
  c.run = [o](const Context& context) { return Training(*o, context).run(); };
  return c;
}

}  // namespace taugrad::cli
