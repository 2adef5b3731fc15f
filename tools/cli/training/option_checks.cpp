// Options of a training that would do nothing are refused, or told.
#include "base/fail.h"
#include "output.h"
#include "train/data/items.h"
#include "train/loop/without_effect.h"
#include "train/state/words.h"
#include "training/training.h"

namespace taugrad::cli {

/// Those that are given, whatever their values: require_effects knows values alone.
void Training::refuse_unread_options(OptimizerKind kind) const {
  const OptimizerRule& rule = rule_of(kind);
  const std::string why = fmt::format("on {}, which has none", text_of(kOptimizers, kind));
  if (!rule.momentum) refuse_without_effect(context_, {"--momentum"}, why);
  if (!rule.beta1) refuse_without_effect(context_, {"--beta1"}, why);
  if (!rule.beta2) refuse_without_effect(context_, {"--beta2"}, why);
}

/// Options that are given and say nothing. Of a training that goes on nothing is frozen then.
void Training::refuse_empty_texts() const {
  const auto empty = [&](const char* option, const std::string& text) {
    return context_.given.contains(option) && text.find_first_not_of(' ') == std::string::npos;
  };
  const TrainOptions& o = options_.train;
  if (empty("--decay-of", o.optimizer.decayed))
    fail(Status::usage, "U002", "--decay-of: no weight is called \"{}\"", o.optimizer.decayed);
  if (options_.resume.empty() && empty("--freeze", o.frozen))
    fail(Status::usage, "U002", "--freeze: no weight is called \"{}\"", o.frozen);
  if (empty("--schedule", o.schedule))
    fail(Status::usage, "U002",
         "cannot read the schedule \"{}\": it says nothing; \"constant\" leaves lr as it is",
         o.schedule);
}

void Training::refuse_chunks_of_windows() const {
  if (state_.options.truncation.back > 0)
    refuse_without_effect(context_, {"--chunk"}, "beside --bptt, whose windows go step by step");
}

void Training::refuse_unread_schedule() const {
  if (!state_.validation.any() && LrSchedule(state_.options.schedule).has_plateau())
    fail(Status::usage, "U007",
         "plateau(..) of --schedule has no effect without --valid: nothing is measured");
}

// what is usual of the optimizer, and what the command line says
TrainOptions Training::train_options() const {
  TrainOptions o = options_.train;
  const OptimizerOptions usual = usual_options(o.optimizer.kind);
  if (!context_.given.contains("--beta2")) o.optimizer.beta2 = usual.beta2;
  if (!context_.given.contains("--weight-decay")) o.optimizer.weight_decay = usual.weight_decay;
  require_effects(o.optimizer);  // before data are read
  return o;
}

// The vocabulary of a text has a size of its own, whatever --size says.
void Training::refuse_sizes_of_data() const {
  for (const auto& [name, value] : options_.definition.sizes)
    for (const SizeDeclaration& s : model_.definition.sizes)
      if (s.name == name && s.value != value)
        fail(Status::usage, "U007", "--size {}={} has no effect: the data have {} symbols", name,
             value, s.value);
}

// What no item is long enough for; other data may be, so it stands.
void Training::tell_uncut(const Dataset& data) const {
  const std::int64_t back = state_.options.truncation.back;
  if (back == 0) return;
  const Items items(data);
  for (std::size_t i = 0; i < items.size(); ++i)
    for (const auto& [name, n] : items.lengths(i))
      if (n > back) return;
  note(context_, fmt::format("--bptt {} cuts nothing: no item has more steps", back));
}

void Training::tell_no_flow() const {
  if (state_.flow_every > trainer_->total_updates())
    note(context_, fmt::format("--flow-every {} tells nothing: there are {} updates",
                               state_.flow_every, trainer_->total_updates()));
}

}  // namespace taugrad::cli
