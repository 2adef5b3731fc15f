#pragma once

#include <functional>
#include <string>

#include "options/definition_options.h"
#include "taugrad/analysis/graphical_model.h"
#include "taugrad/draw/picture.h"

namespace taugrad::cli {

/// `show --view model`: what else it can be asked for.
struct ModelOptions {
  StepOptions steps;
  bool states = false, confirm = false, all_steps = false, printed = false;
  std::string independent;  ///< "y[1];y[3]|y[2]"
};
void add_model(Command& c, ModelOptions& o);

/// Draws through `deliver`, says the counts and what was asked for.
/// @returns the exit status: 1 where an answer is no
int show_model(const Definition& d, const ModelOptions& o, const Context& context,
               const std::function<void(const GraphicalModel&, const Picture&)>& deliver);

}  // namespace taugrad::cli
