#pragma once

#include <string>

#include "command.h"
#include "taugrad/train/model_folder.h"

namespace taugrad::cli {

/// The folder of a model, as commands that run one take it.
struct FolderOptions {
  std::string folder;
  bool strict = false, best = false;
};
/// DIR, --strict, --best.
void add_model_folder(Command& c, FolderOptions& o);
/// Reads the folder; weights that are not finite are a warning, an error where strict.
TrainedModel read_model(const FolderOptions& o, const Context& context);

}  // namespace taugrad::cli
