#pragma once

#include <string>

#include "command.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/language/mode.h"

namespace taugrad::cli {

/// `--mode NAME=MODE`, repeatable. @throws Error (U002) for a text that is no mode, or a name given
/// twice
void add_modes(Command& c, Modes& modes);
/// Whether a value is drawn in one of them, not only the likeliest taken.
bool draws_values(const Modes& modes);
/// Whether all that a model draws are symbols, of which the likeliest ones can be told apart.
bool draws_symbols_alone(const ResolvedModel& model);
/// `--seed` goes with a mode that draws. @throws Error (U007) where none does
void refuse_seed_without_draws(const Context& context, const Modes& modes);
/// What --help says of modes.
extern const char* const kModesHelp;

}  // namespace taugrad::cli
