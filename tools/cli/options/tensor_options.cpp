#include "options/tensor_options.h"

#include "output.h"
#include "taugrad/base/error.h"
#include "taugrad/io/tensors.h"

namespace taugrad::cli {

void add_strict(Command& c, bool& strict) {
  c.flag("--strict", "values that are not finite are errors", strict).rare();
}

Tensors read_tensors(const std::string& path, bool strict, const Context& context) {
  if (path.empty()) return {};
  std::vector<Diagnostic> warnings;
  Tensors tensors = load_tensors(path, &warnings);
  if (strict && !warnings.empty()) throw Error(Status::bad_input, std::move(warnings));
  for (const Diagnostic& d : warnings) warn(context, d);
  return tensors;
}

}  // namespace taugrad::cli
