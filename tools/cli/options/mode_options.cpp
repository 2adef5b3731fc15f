#include "options/mode_options.h"

#include <algorithm>

#include "base/fail.h"

namespace taugrad::cli {

const char* const kModesHelp =
    "A mode says where a random variable's value comes from, which the equations read:\n"
    "observed: the data; sampled: a draw; greedy: the likeliest symbol, p >= 0.5, the\n"
    "mean; mixed(P): the data with probability P at each step of each item, else a draw;\n"
    "forced(T,K): T steps of data, K drawn, and so on. P is a number, or while training\n"
    "linear(FROM,TO,UPDATES), exponential(C) or sigmoid(K). mixed(P,greedy) and\n"
    "forced(T,K,greedy) take the likeliest instead of a draw; `pathwise` at the end lets\n"
    "the gradient through the value of a normal. The likelihood scores the data where\n"
    "they are given, whatever the mode.";

bool draws_values(const Modes& modes) {
  return std::ranges::any_of(
      modes, [](const auto& m) { return m.second.draws() && !m.second.takes_likeliest(); });
}

bool draws_symbols_alone(const ResolvedModel& model) {
  return std::ranges::all_of(model.symbols,
                             [](const Symbol& s) { return !s.random() || s.category >= 0; });
}

void refuse_seed_without_draws(const Context& context, const Modes& modes) {
  if (!draws_values(modes))
    refuse_without_effect(context, {"--seed"},
                          "where nothing is drawn: it goes with a --mode, such as y=sampled");
}

void add_modes(Command& c, Modes& modes) {
  c.option({.name = "--mode",
            .letter = "",
            .value = "NAME=MODE",
            .help = "observed, sampled, greedy, mixed(0.7), forced(10,5); repeatable",
            .take =
                [&modes](const std::string& text) {
                  const std::size_t equals = text.find('=');
                  if (equals == std::string::npos || equals == 0)
                    fail(Status::usage, "U002", "--mode takes NAME=MODE, as in y=sampled; got {}",
                         text);
                  const std::string name = text.substr(0, equals);
                  if (!modes.emplace(name, mode_from(text.substr(equals + 1))).second)
                    fail(Status::usage, "U002", "--mode gives \"{}\" two modes", name);
                },
            .common = false});
}

}  // namespace taugrad::cli
