#include "options/folder_options.h"

#include "base/fail.h"
#include "options/tensor_options.h"
#include "output.h"

namespace taugrad::cli {

void add_model_folder(Command& c, FolderOptions& o) {
  c.positional({.name = "DIR",
                .help = "folder of a model, made by train",
                .least = 1,
                .most = 1,
                .take = [&o](const std::string& v) { o.folder = v; }});
  add_strict(c, o.strict);
  c.flag("--best", "the step that validated best, not the newest one", o.best);
}

TrainedModel read_model(const FolderOptions& o, const Context& context) {
  TrainedModel m = o.best ? load_best_model(o.folder) : load_model(o.folder);
  if (o.strict && !m.warnings.empty()) throw Error(Status::bad_input, m.warnings);
  for (const Diagnostic& w : m.warnings) warn(context, w);
  return m;
}

}  // namespace taugrad::cli
