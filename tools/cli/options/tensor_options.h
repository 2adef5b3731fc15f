#pragma once

#include <string>

#include "command.h"
#include "taugrad/base/tensor.h"

namespace taugrad::cli {

/// --strict, of a command that reads tensors.
void add_strict(Command& c, bool& strict);

/// The tensors of a file, none where there is no path. Values that are not finite are warnings
/// (S101), where `strict` an error.
Tensors read_tensors(const std::string& path, bool strict, const Context& context);

}  // namespace taugrad::cli
