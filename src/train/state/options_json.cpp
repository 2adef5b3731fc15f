#include "train/state/options_json.h"

#include "plan/passes/passes.h"
#include "train/loop/without_effect.h"
#include "train/state/words.h"

namespace taugrad {

void write_options(json::Writer& w, const TrainOptions& o) {
  w.key("options").begin_object();
  w.field("optimizer", text_of(kOptimizers, o.optimizer.kind)).field("lr", o.optimizer.lr);
  w.field("momentum", o.optimizer.momentum)
      .field("beta1", o.optimizer.beta1)
      .field("beta2", o.optimizer.beta2);
  w.field("epsilon", o.optimizer.epsilon).field("weight_decay", o.optimizer.weight_decay);
  if (o.optimizer.nesterov) w.field("nesterov", true);
  if (o.optimizer.coupled) w.field("coupled_decay", true);
  if (!o.optimizer.decayed.empty()) w.field("decayed", o.optimizer.decayed);
  w.field("batch", o.batch)
      .field("epochs", o.epochs)
      .field("clip", o.clip)
      .field("final_lr", o.final_lr);
  if (o.clip_value > 0) w.field("clip_value", o.clip_value);
  if (!o.schedule.empty()) w.field("schedule", o.schedule);
  if (o.accumulate > 1) w.field("accumulate", o.accumulate);
  if (o.average > 0) w.field("average", o.average);
  if (!o.frozen.empty()) w.field("frozen", o.frozen);
  if (o.truncation.back > 0)
    w.field("back", o.truncation.back).field("every", o.truncation.stride());
  if (o.engine.precision != Precision::full)
    w.field("precision", text_of(kPrecisions, o.engine.precision));
  if (o.engine.chunk > 0) w.field("chunk", o.engine.chunk);
  if (!o.engine.without.empty()) {
    w.key("without").begin_array();
    for (const std::string& pass : o.engine.without) w.value(pass);
    w.end_array();
  }
  w.field("seed", std::to_string(o.seed));  // 64 bits are more than a JSON number holds everywhere
  if (!o.modes.empty()) {
    w.key("modes").begin_object();
    for (const auto& [name, mode] : o.modes) w.field(name, to_string(mode));
    w.end_object();
  }
  w.end_object();
}

TrainOptions read_options(json::Value object) {
  const json::Fields f(
      object, "options",
      {"optimizer",    "lr",       "momentum",      "beta1",     "beta2",      "epsilon",
       "weight_decay", "nesterov", "coupled_decay", "decayed",   "batch",      "epochs",
       "clip",         "final_lr", "clip_value",    "schedule",  "accumulate", "average",
       "frozen",       "back",     "every",         "precision", "chunk",      "without",
       "seed",         "modes"});
  const auto real = [&](const char* name) { return f.at(name).number(name); };
  const auto whole = [&](const char* name) { return f.at(name).integer(name, 1, INT64_MAX); };
  TrainOptions o;
  o.optimizer.kind = word(f.at("optimizer"), "optimizer", kOptimizers);
  o.optimizer.lr = real("lr");
  o.optimizer.momentum = real("momentum");
  o.optimizer.beta1 = real("beta1");
  o.optimizer.beta2 = real("beta2");
  o.optimizer.epsilon = real("epsilon");
  o.optimizer.weight_decay = real("weight_decay");
  if (const auto nesterov = f.find("nesterov"))
    o.optimizer.nesterov = nesterov->boolean("nesterov");
  if (const auto coupled = f.find("coupled_decay"))
    o.optimizer.coupled = coupled->boolean("coupled_decay");
  o.batch = whole("batch");
  o.epochs = whole("epochs");
  o.clip = real("clip");
  o.final_lr = real("final_lr");
  if (const auto decayed = f.find("decayed")) o.optimizer.decayed = decayed->string("decayed");
  o.optimizer = without_idle_options(o.optimizer);  // which were no errors once
  if (f.find("clip_value")) o.clip_value = real("clip_value");
  if (const auto schedule = f.find("schedule")) {
    o.schedule = schedule->string("schedule");
    word(*schedule, "a schedule", [](std::string_view text) { return LrSchedule(text); });
  }
  if (f.find("accumulate")) o.accumulate = whole("accumulate");
  if (f.find("average")) o.average = real("average");
  if (const auto frozen = f.find("frozen")) o.frozen = frozen->string("frozen");
  if (f.find("back")) o.truncation = {whole("back"), whole("every")};
  if (const auto chunk = f.find("chunk")) o.engine.chunk = chunk->integer("chunk", 1, INT64_MAX);
  if (const auto precision = f.find("precision"))
    o.engine.precision = word(*precision, "precision", kPrecisions);
  if (const auto without = f.find("without"))
    for (const json::Value& pass : without->elements("without")) {
      word(pass, "a pass", [](std::string_view name) { return plan::PassSet().without(name); });
      o.engine.without.emplace_back(pass.string("a pass"));
    }
  o.seed = whole_text<std::uint64_t>(f.at("seed"), "seed");
  if (const auto modes = f.find("modes"))
    for (const json::Member& m : modes->members("modes"))
      o.modes[std::string(m.name())] = word(m.value, "a mode", mode_from);
  return o;
}

}  // namespace taugrad
