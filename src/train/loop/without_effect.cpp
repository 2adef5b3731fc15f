#include "train/loop/without_effect.h"

#include <algorithm>

#include "base/fail.h"
#include "train/loop/name_patterns.h"
#include "train/state/words.h"

namespace taugrad {
namespace {

using Kind = OptimizerKind;

/// An option, when it does nothing, and what it is where it is not given.
struct Rule {
  const char* flag;    ///< of the command line
  const char* option;  ///< of OptimizerOptions
  bool (*idle)(const OptimizerOptions& o, const OptimizerRule& of);
  void (*leave_out)(OptimizerOptions& o);
  const char* why;  ///< empty: the optimizer has none
  const char* help;
};

const Rule kRules[] = {
    {"--momentum", "momentum",
     [](const auto& o, const auto& of) { return !of.momentum && o.momentum != 0; },
     [](auto& o) { o.momentum = 0; }, "", "sgd and rmsprop have a momentum"},
    {"--beta1", "beta1",
     [](const auto& o, const auto& of) { return !of.beta1 && o.beta1 != OptimizerOptions{}.beta1; },
     [](auto& o) { o.beta1 = OptimizerOptions{}.beta1; }, "", "adam, adamw and lion have a beta1"},
    {"--beta2", "beta2",
     [](const auto& o, const auto& of) {
       return !of.beta2 && o.beta2 != OptimizerOptions{}.beta2 && o.beta2 != of.usual_beta2;
     },
     [](auto& o) { o.beta2 = OptimizerOptions{}.beta2; }, "",
     "adam, adamw, rmsprop and lion have a beta2"},
    {"--nesterov", "nesterov",
     [](const auto& o, const auto&) { return o.nesterov && o.kind != Kind::sgd; },
     [](auto& o) { o.nesterov = false; }, "", "it is of sgd"},
    {"--nesterov", "nesterov",
     [](const auto& o, const auto&) { return o.nesterov && o.momentum == 0; },
     [](auto& o) { o.nesterov = false; }, "without a momentum, which it looks ahead along",
     "give a momentum too, 0.9 for example"},
    {"--coupled-decay", "coupled",
     [](const auto& o, const auto&) { return o.coupled && o.kind == Kind::adamw; },
     [](auto& o) { o.coupled = false; }, "on adamw, whose decay is decoupled",
     "adam has a decay that is coupled"},
    {"--coupled-decay", "coupled",
     [](const auto& o, const auto&) { return o.coupled && o.weight_decay == 0; },
     [](auto& o) { o.coupled = false; }, "without a decay",
     "give a weight decay too, 0.01 for example"},
    {"--decay-of", "decayed",
     [](const auto& o, const auto&) { return !o.decayed.empty() && o.weight_decay == 0; },
     [](auto& o) { o.decayed.clear(); }, "without a decay",
     "give a weight decay too, 0.01 for example"},
};

}  // namespace

void require_effects(const OptimizerOptions& o) {
  const OptimizerRule& of = rule_of(o.kind);
  for (const Rule& rule : kRules) {
    if (!rule.idle(o, of)) continue;
    const std::string_view why = rule.why;
    Diagnostic d;
    d.code = "U007";
    d.message =
        fmt::format("{} (\"{}\" of the optimizer) has no effect {}", rule.flag, rule.option,
                    why.empty() ? fmt::format("on {}, which has none", text_of(kOptimizers, o.kind))
                                : std::string(why));
    d.help = rule.help;
    fail(Status::usage, std::move(d));
  }
}

OptimizerOptions without_idle_options(OptimizerOptions o) {
  const OptimizerRule& of = rule_of(o.kind);
  for (const Rule& rule : kRules)
    if (rule.idle(o, of)) rule.leave_out(o);
  return o;
}

void require_effect_on(const char* option, std::string_view patterns,
                       const std::vector<std::string>& names, const std::vector<std::string>& moved,
                       std::string_view why) {
  require_matches(option, patterns, names);
  for (const std::string_view one : patterns_in(patterns)) {
    const auto fits = [&](const std::string& name) { return matches_any(one, name); };
    if (std::ranges::any_of(moved, fits)) continue;
    const std::string& found = *std::ranges::find_if(names, fits);
    fail(Status::usage, "U007", "{}: \"{}\" has no effect: {} {}", option, one, found, why);
  }
}

}  // namespace taugrad
