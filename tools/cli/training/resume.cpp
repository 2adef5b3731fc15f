// Going on with a training: every option beside --resume is done, told and noted, or refused.
#include <filesystem>
#include <type_traits>

#include "base/fail.h"
#include "base/system/kept_inputs.h"
#include "base/utf8.h"
#include "options/folder_options.h"
#include "output.h"
#include "train/loop/without_effect.h"
#include "train/state/made_by.h"
#include "train/state/words.h"
#include "training/training.h"

namespace taugrad::cli {
namespace {

template <class T>
std::string text_of_value(const T& v) {
  return fmt::format("{}", v);
}
std::string text_of_value(const std::vector<std::string>& list) {
  return fmt::format("[{}]", fmt::join(list, ", "));
}
std::string text_of_value(const Truncation& t) {
  return t.back == 0 ? "whole" : fmt::format("{},{}", t.back, t.stride());
}
std::string text_of_value(Precision p) { return std::string(text_of(kPrecisions, p)); }

// as a state has them
std::vector<std::string> whole_paths(std::vector<std::string> files) {
  for (std::string& file : files)
    if (file != "-") file = std::filesystem::absolute(file).string();
  return files;
}

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
// a state says how often, an option need not
bool same(const Truncation& a, const Truncation& b) {
  return a.back == b.back && a.stride() == b.stride();
}

}  // namespace

void Training::go_on() {
  const char* why = "on a training that goes on: it is of the model";
  if (!options_.definition.file_or_name.empty())
    fail(Status::usage, "U007", "a definition has no effect {}", why);
  refuse_without_effect(context_, {"--equation", "--loss", "--size", "--set", "--allow-unused"},
                        why);
  refuse_without_effect(context_, {"--output", "--overwrite"},
                        "beside --resume DIR: it goes on in DIR");
  refuse_without_effect(context_, {"--tokens", "--unknown", "--min-count", "--vocabulary"}, why);
  refuse_without_effect(context_, {"--init", "--map"},
                        "on a training that goes on: it has weights of its own");
  folder_ = std::make_unique<RunFolder>(options_.resume, RunFolder::Use::go_on);
  std::optional<ResumeState> state;
  {
    const UpdatesInPlace own;
    model_ = read_model({folder_->path()}, context_);
    state = load_resume_state(model_);
  }
  description_ = describe_model(model_);
  metrics_ = std::make_unique<Metrics>(folder_->path());
  state ? go_on_from(std::move(*state)) : begin_from_weights();
  state_.description = model_.description;
  folder_->go_on_from(model_.folder, state_);
  saved_ = model_.reading ? trainer_->updates() : -1;
  metrics_->go_on(trainer_->updates(), state_.last_line);
  flush_metrics(false);
}

void Training::note_change(const std::string& what) {
  state_.changes.push_back(fmt::format("after update {}: {}", state_.updates, what));
}

// When all of them are accepted.
void Training::tell_changes(std::size_t before) const {
  for (std::size_t i = before; i < state_.changes.size(); ++i) note(context_, state_.changes[i]);
}

template <class T>
void Training::change(const char* option, T& saved, const T& given, const char* none) {
  if (!context_.given.contains(option) || same(saved, given)) return;
  const auto text = [&](const T& v) {
    if constexpr (std::is_same_v<T, std::string>)
      return v.empty() ? std::string(none) : v;
    else
      return text_of_value(v);
  };
  note_change(fmt::format("{} {} -> {}", option, text(saved), text(given)));
  saved = given;
}

void Training::apply_options() {
  const char* why = "on a training that goes on: what it has learned belongs to it";
  refuse_without_effect(context_, {"--seed", "--optimizer"}, why);
  const TrainOptions& given = options_.train;
  TrainOptions& o = state_.options;
  refuse_unread_options(o.optimizer.kind);
  if (!given.modes.empty() && given.modes != o.modes)
    fail(Status::usage, "U002",
         "--mode: a training goes on in the modes that it began with; leave it out");
  change("--epochs", o.epochs, given.epochs);
  change("--batch", o.batch, given.batch);
  change("--lr", o.optimizer.lr, given.optimizer.lr);
  change("--momentum", o.optimizer.momentum, given.optimizer.momentum);
  change("--beta1", o.optimizer.beta1, given.optimizer.beta1);
  change("--beta2", o.optimizer.beta2, given.optimizer.beta2);
  change("--weight-decay", o.optimizer.weight_decay, given.optimizer.weight_decay);
  o.optimizer = without_idle_options(o.optimizer);  // of what it was before
  change("--nesterov", o.optimizer.nesterov, given.optimizer.nesterov);
  change("--coupled-decay", o.optimizer.coupled, given.optimizer.coupled);
  change("--decay-of", o.optimizer.decayed, given.optimizer.decayed, "all");
  require_effects(o.optimizer);
  change("--clip", o.clip, given.clip);
  change("--final-lr", o.final_lr, given.final_lr);
  change("--schedule", o.schedule, given.schedule);
  change("--clip-value", o.clip_value, given.clip_value);
  change("--accumulate", o.accumulate, given.accumulate);
  change("--ema", o.average, given.average);
  change("--freeze", o.frozen, given.frozen);
  change("--bptt", o.truncation, given.truncation);
  change("--precision", o.engine.precision, given.engine.precision);
  change("--chunk", o.engine.chunk, given.engine.chunk);
  refuse_chunks_of_windows();
  change("--without", o.engine.without, given.engine.without);
  change("--flow-every", state_.flow_every, options_.flow_every);
  const ValidationOptions& valid = options_.validation;
  if (valid.share > 0 && valid.share != state_.validation.share)
    fail(Status::usage, "U007",
         "--valid {} has no effect on a training that goes on: it has seen these items",
         valid.share);
  if (!valid.files.empty()) {
    if (state_.validation.share > 0)
      fail(Status::usage, "U007", "--valid FILE has no effect on a training that holds out items");
    change("--valid", state_.validation.files, whole_paths(valid.files));
    state_.validation.best.reset();  // of other data
  }
  if (!state_.validation.any())
    refuse_without_effect(context_, {"--valid-every", "--patience"}, "without --valid");
  refuse_unread_schedule();
  change("--valid-every", state_.validation.every, valid.every);
  change("--patience", state_.validation.patience, valid.patience);
  change("--column", state_.reading.columns, options_.source.reading.columns);
  change("--ignore-unknown", state_.reading.ignore_unknown, options_.source.reading.ignore_unknown);
  change("--max-length", state_.reading.max_length, options_.source.reading.max_length);
  std::string split = state_.reading.split.empty() ? "line" : state_.reading.split;
  change("--split", split, options_.source.reading.split);
  if (context_.given.contains("--split")) state_.reading.split = split;
}

// The same bits are those of the same program on the same kind of processor.
void Training::look_who_saved() {
  const std::optional<std::string> saved = saved_made_by(model_);
  if (!saved || *saved == made_by()) return;
  Diagnostic d;
  d.code = "C101";
  d.message = fmt::format(
      "the training was saved by \"{}\" and goes on by \"{}\": its bits may be "
      "others than they would have been there",
      printable(*saved, 120), made_by());
  if (options_.require_identical) fail(Status::bad_input, std::move(d));
  warn(context_, d);
}

void Training::go_on_from(ResumeState state) {
  look_who_saved();
  state_ = std::move(state);
  const std::size_t before = state_.changes.size();
  apply_options();
  const DataSource& given = options_.source;
  const bool other_items =
      context_.given.contains("--max-length") || context_.given.contains("--split");
  const std::string digest = state_.digest;
  make_trainer({given.files.empty() ? state_.files : given.files, state_.reading}, &model_);
  if (state_.digest != digest && given.files.empty()) {
    Diagnostic d;
    d.code = "C004";
    d.message = "the data are not those that the training began with";
    d.help = "--data names them where they have moved, or says that these are meant";
    fail(Status::bad_input, std::move(d));
  }
  if (state_.digest != digest)
    note_change(fmt::format("--data other data ({} -> {})", digest, state_.digest));
  if (other_items && unit_.empty()) refuse_without_effect(context_, {"--split"}, "on JSON lines");
  trainer_->restore({state_.updates, model_.weights, std::move(state_.optimizer), state_.place});
  tell_changes(before);
  if (state_.has_optimizer)
    note(context_, fmt::format("goes on after update {} of {}", trainer_->updates(),
                               trainer_->total_updates()));
  else
    note(context_, fmt::format("{} has no optimizer.safetensors: begins anew from its weights",
                               model_.folder));
}

// weights, and no word of how they were trained
void Training::begin_from_weights() {
  refuse_without_effect(context_, {"--require-identical"},
                        "on weights without a state: no bits are told");
  if (options_.source.files.empty())
    fail(Status::usage, "U006",
         "{} has no state.json: to train its weights further, `taugrad train --resume` needs "
         "--data FILE",
         model_.folder);
  refuse_unread_options(options_.train.optimizer.kind);
  state_.options = train_options();
  state_.flow_every = options_.flow_every;
  state_.reading = options_.source.reading;
  begin_validation();
  refuse_chunks_of_windows();
  refuse_unread_schedule();
  const bool names_symbols = model_.vocabulary || !model_.labels.empty();
  make_trainer(options_.source, names_symbols ? &model_ : nullptr);
  trainer_->restore({0, model_.weights, {}});
  note(context_, fmt::format("{} has no state.json: begins anew from its weights", model_.folder));
}

}  // namespace taugrad::cli
