#include "training/training.h"

#include <filesystem>
#include <thread>
#include <utility>

#include "base/fail.h"
#include "base/system/kept_inputs.h"
#include "options/folder_options.h"
#include "output.h"
#include "taugrad/analysis/coupling.h"
#include "train/data/items.h"
#include "train/data/stored_items.h"
#include "training/stop_signal.h"

namespace taugrad::cli {
namespace {

namespace fs = std::filesystem;

void need(const std::string& value, const char* what) {
  if (value.empty()) fail(Status::usage, "U006", "`taugrad train` needs {}", what);
}

/// Takes the share of the items that validation is to be on out of the data.
Dataset hold_out(Dataset& data, std::uint64_t seed, double share) {
  if (share <= 0) return {};
  const std::size_t count = Items(data).size();
  if (count < 2)
    fail(Status::bad_input, "D002", "--valid {}: of one item none is left to validate on", share);
  const std::vector<char> held = held_out(seed, count, share);
  return take_items(data, [&](std::size_t i) { return held[i] != 0; });
}

}  // namespace

Training::Training(const TrainingOptions& o, const Context& context)
    : options_(o), context_(context), clock_(o.save_every), prints_(context.json) {
  refuse_empty_texts();
  o.resume.empty() ? begin() : go_on();
  if (folder_->left_behind() > 0)
    note(context_,
         fmt::format("{} unfinished saves of an earlier run are removed", folder_->left_behind()));
}

void Training::begin() {
  refuse_unread_options(options_.train.optimizer.kind);
  refuse_without_effect(context_, {"--require-identical"}, "without --resume");
  need(options_.output, "-o DIR, the folder to keep the model in");
  need(options_.source.files.empty() ? "" : "data", "--data FILE");
  model_.definition = read_definition(options_.definition, context_);
  state_.options = train_options();
  refuse_chunks_of_windows();
  state_.flow_every = options_.flow_every;
  state_.reading = options_.source.reading;
  begin_validation();
  refuse_unread_schedule();
  const std::optional<TrainedModel> initial = initial_model();
  const bool names_symbols = initial && (initial->vocabulary || !initial->labels.empty());
  if (names_symbols)
    refuse_without_effect(context_, {"--tokens", "--unknown", "--min-count", "--vocabulary"},
                          "beside --init: the symbols are those of its model");
  make_trainer(options_.source, names_symbols ? &*initial : nullptr);
  refuse_sizes_of_data();
  if (initial) take_initial_weights(initial->weights);
  refuse_inputs_in(options_.output);
  folder_ = std::make_unique<RunFolder>(
      options_.output, options_.overwrite ? RunFolder::Use::overwrite : RunFolder::Use::begin);
  description_ = describe_model(model_);
  state_.description = description_.digests;
  metrics_ = std::make_unique<Metrics>(folder_->path());
}

void Training::make_trainer(const DataSource& source, const TrainedModel* trained) {
  TrainingData data = read_training_data(model_.definition, source, trained, context_);
  model_.vocabulary = data.vocabulary;
  model_.labels = data.labels;
  unit_ = unit_of(data.vocabulary);
  state_.digest = data.digest;
  state_.files.clear();
  for (const std::string& file : source.files)
    state_.files.push_back(file == "-" ? file : fs::absolute(file).string());
  TrainOptions o = state_.options;
  o.engine.threads = options_.train.engine.threads;
  o.checkpoint = options_.checkpoint;
  o.engine.max_memory = options_.train.engine.max_memory;
  o.memory = state_.options.memory = shared_memory();  // of validations too
  Dataset held_out = hold_out(data.data, o.seed, state_.validation.share);
  if (!unit_.empty() && data.data.stored && state_.reading.split == "none" && o.truncation.back > 0)
    data.data.stored = data.data.stored->in_parts(o.batch, o.truncation.back);  // side by side
  tell_uncut(data.data);
  trainer_ = std::make_unique<Trainer>(model_.definition, std::move(data.data), o);
  if (state_.validation.any()) make_validation(source, std::move(held_out));
  tell_no_flow();
  if (state_.flow_every > 0 && !trainer_->done())
    trainer_->flow();  // says now what it would say then
}

void Training::begin_validation() {
  const ValidationOptions& o = options_.validation;
  if (!o.files.empty() && o.share > 0)
    fail(Status::usage, "U006", "--valid takes files or a share of the items, not both");
  state_.validation = {o.files, o.share, o.every, o.patience};
  if (!state_.validation.any())
    refuse_without_effect(context_, {"--valid-every", "--patience"}, "without --valid");
}

void Training::make_validation(const DataSource& source, Dataset held_out) {
  ValidationState& v = state_.validation;
  if (v.share > 0) {
    note(context_,
         fmt::format("{} of the items are held out to validate on", Items(held_out).size()));
  } else {
    DataSource other = source;
    other.files = v.files;
    TrainingData data = read_training_data(model_.definition, other, &model_, context_);
    held_out = std::move(data.data);
    for (std::string& file : v.files)
      if (file != "-") file = fs::absolute(file).string();
    Diagnostic d;
    d.code = "D101";
    d.message = "the data to validate on are those that are trained on";
    if (data.digest == state_.digest) warn(context_, d);
  }
  validation_ =
      std::make_unique<Validation>(std::move(held_out), v, state_.options,
                                   options_.train.engine.threads, trainer_->updates_of_epoch());
}

int Training::run() {
  stop_softly_on_signals();
  note(context_, fmt::format("{} parameters, {} updates of {} items", trainer_->parameters(),
                             trainer_->total_updates(), state_.options.batch));
  if (const Coupling c = coupling(model_.definition, state_.options.modes);
      c.decoupled() && c.indexed)
    note(context_, to_text(c));
  begun_ = trainer_->updates();
  progress_ = std::make_unique<Progress>(context_, trainer_->total_updates(), unit_);
  begin_logs();
  try {
    update_until_stopped();
  } catch (...) {
    progress_->finish();
    save_what_there_is();
    throw;
  }
  progress_->finish();
  save_with_retries();
  return finish();
}

void Training::update_until_stopped() {
  while (!is_over() && stop_signal() == 0 && !out_of_time_) {
    const std::vector<StateFlow> flow = flow_due() ? trainer_->flow() : std::vector<StateFlow>{};
    const Update u = trainer_->step();
    const std::optional<double> valid = validate(u.update);
    tell_idle_weights();
    tell_idle_options();
    log(u, flow, valid);
    progress_->show(u);
    flush_metrics(true);
    out_of_time_ = options_.seconds > 0 && progress_->seconds() >= options_.seconds;
    const bool best = valid && state_.validation.best_update == u.update;
    if ((clock_.due() || best) && !is_over() && !out_of_time_) save_or_warn();
  }
}

void Training::begin_logs() {
  curves_ = std::make_unique<Curves>(folder_->path(), unit_);
  if (begun_ > 0) curves_->read_until(begun_);
  if (options_.tensorboard) events_ = std::make_unique<EventFile>(folder_->path(), begun_);
}

// Logs: where one of them fails, training goes on.
void Training::log(const Update& u, const std::vector<StateFlow>& flow,
                   std::optional<double> valid) {
  say(metrics_->add(u, flow, valid, progress_->seconds()));
  curves_->add(u.update, u.loss, valid);
  if (events_) events_->add(u, valid);
}

bool Training::is_over() const {
  return trainer_->done() || (validation_ && validation_->exhausted(trainer_->updates()));
}

std::optional<double> Training::validate(std::int64_t update) {
  if (!validation_ || !(validation_->due(update) || trainer_->done())) return {};
  const double loss = validation_->measure(model_.definition, trainer_->weights(), update);
  trainer_->measured(loss);
  progress_->show_valid(loss);
  return loss;
}

// A net of numbers whose vectors start at zero never learns: each waits for the others.
void Training::tell_idle_weights() {
  constexpr std::int64_t kUpdates = 3;
  const std::int64_t made = trainer_->updates();
  if (begun_ > 0 || !(made == kUpdates || (made < kUpdates && trainer_->done()))) return;
  const std::vector<std::string> idle = trainer_->idle();
  if (idle.empty()) return;
  Diagnostic d;
  d.code = "D104";
  d.message = fmt::format("{} got no gradient in the first {} update{}: {}",
                          idle.size() == 1 ? "a weight" : fmt::format("{} weights", idle.size()),
                          made, made == 1 ? "" : "s", fmt::join(idle, ", "));
  d.help =
      "where all that multiplies them starts at zero, nothing moves: write {\"shape\": [..], "
      "\"init\": \"normal(0.1)\"} for one of them, or see whether the loss reads them at all";
  warn(context_, d);
}

// After an epoch, which has seen all lengths.
void Training::tell_idle_options() {
  const bool seen = trainer_->updates() - begun_ == trainer_->updates_of_epoch() || is_over();
  if (!seen || std::exchange(told_options_, true)) return;
  for (const std::string& text : trainer_->warnings()) {
    Diagnostic d;
    d.code = "D103";
    d.message = text;
    warn(context_, d);
  }
}

bool Training::flow_due() const {
  return state_.flow_every > 0 && (trainer_->updates() + 1) % state_.flow_every == 0;
}

// Standard output is a log: where it fails, training goes on without it.
void Training::say(const std::string& line) {
  if (!prints_) return;
  try {
    print(line);
  } catch (const OutputClosed&) {
    prints_ = false;
  } catch (const Error& e) {
    prints_ = false;
    print_problem_ = e.diagnostics().front();
    warn(context_, *print_problem_);
  }
}

void Training::flush_metrics(bool due_only) {
  if (events_) due_only ? events_->flush_if_due() : events_->flush();
  if (due_only ? metrics_->flush_if_due() : metrics_->flush()) {
    metrics_warned_ = false;
    return;
  }
  if (metrics_->problem().empty() || metrics_warned_) return;
  metrics_warned_ = true;
  Diagnostic d;
  d.code = "I002";
  d.message = fmt::format("{}/metrics.jsonl cannot be written: {}; training goes on",
                          folder_->path(), metrics_->problem());
  warn(context_, d);
}

void Training::save() {
  if (saved_ < 0 && options_.resume.empty()) metrics_->begin();
  flush_metrics(false);
  TrainState s = trainer_->state();
  state_.updates = s.updates;
  state_.place = s.place;
  state_.optimizer = std::move(s.optimizer);
  state_.last_line = metrics_->last_line();
  clock_.begin_save();
  try {
    folder_->save(description_, s.weights, state_, options_.keep);
  } catch (...) {
    clock_.end_save();
    throw;
  }
  clock_.end_save();
  saved_ = s.updates;
  curves_->write();
}

// Where the disk has no room, it may have again: at once, or when the next save is due.
void Training::save_or_warn() {
  if (options_.stop_on_save_error) return save_with_retries();
  try {
    save();
  } catch (const Error& e) {
    if (e.status() != Status::io) throw;
    Diagnostic d = e.diagnostics().front();
    d.message += "; training goes on, with what was saved before kept as it is";
    warn(context_, d);
  }
}

void Training::save_with_retries() {
  constexpr double kPauses[] = {0.1, 1, 5};  // seconds
  for (const double pause : kPauses) {
    if (trainer_->updates() == saved_) return;
    try {
      return save();
    } catch (const Error& e) {
      if (e.status() != Status::io) throw;
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
  }
  try {
    save();
  } catch (const Error& e) {
    save_failed_ = true;
    std::vector<Diagnostic> problems = e.diagnostics();
    problems.front().help =
        saved_ >= 0 ? fmt::format(
                          "the state after update {} is saved; `taugrad train --resume {}` "
                          "goes on from there",
                          saved_, folder_->path())
                    : "make room, or give another folder with -o";
    if (saved_ < 0 && options_.resume.empty()) metrics_->undo();
    throw Error(e.status(), std::move(problems));
  }
}

// An update that failed leaves the weights as they were before it.
void Training::save_what_there_is() {
  if (trainer_->updates() <= begun_) {  // it made nothing
    if (saved_ < 0 && options_.resume.empty()) metrics_->undo();
    return;
  }
  if (save_failed_) return;  // and has been tried again
  try {
    save_with_retries();
    note(context_,
         fmt::format("the state after update {} is saved in {}", saved_, folder_->path()));
  } catch (const Error& e) {
    report(e, context_.json);
  }
}

int Training::finish() {
  flush_metrics(false);
  if (trainer_->updates() > 0) {
    folder_->replace_others();
    metrics_->end();
  }
  const std::string& folder = folder_->path();
  if (trainer_->updates() == begun_ && is_over())
    note(context_, fmt::format("nothing to do: all {} updates are made", trainer_->updates()));
  else if (trainer_->updates() > begun_)
    note(context_, fmt::format("{} updates, {}, {:.0f} s", trainer_->updates(),
                               loss_in_words(progress_->loss(), unit_), progress_->seconds()));
  if (const auto& v = state_.validation; v.best)
    note(context_, fmt::format("best on the data held out: {} after update {}",
                               loss_in_words(*v.best, unit_), v.best_update));
  if (!is_over())
    note(context_, fmt::format("{}; `taugrad train --resume {}` goes on",
                               out_of_time_ ? "the time is over" : "stopped and saved", folder));
  else if (!unit_.empty())
    note(context_, fmt::format("`taugrad sample {}` writes text", folder));
  if (print_problem_) fail(Status::io, *print_problem_);
  if (!metrics_->problem().empty())
    fail(Status::io, "I002", "{}/metrics.jsonl cannot be written: {}", folder, metrics_->problem());
  return stop_signal() == 0 ? 0 : 128 + stop_signal();
}

}  // namespace taugrad::cli
