#include <memory>

#include "base/fail.h"
#include "base/files.h"
#include "base/limits.h"
#include "commands/commands.h"
#include "io/inspect.h"
#include "output.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/recurrence/definition.h"
#include "taugrad/recurrence/describe.h"

namespace taugrad::cli {
namespace {

template <class Summary>
int show_summary(const Summary& s, const Context& context) {
  print(context.json ? to_json(s) + "\n" : to_text(s));
  return 0;
}

int inspect_file(const std::string& path, const Context& context) {
  const bool name = path.find('/') == std::string::npos && path.find('.') == std::string::npos;
  if (name) return show_summary(describe(load_definition(path)), context);  // a shipped definition
  switch (kind_of_file(path)) {
    case FileKind::definition: return show_summary(describe(load_definition(path)), context);
    case FileKind::graph: return show_summary(inspect_graph(graph_from_json(read_file(path, limits::kGraphBytes), path)), context);
    default: return show_summary(inspect_tensors(path), context);
  }
}

}  // namespace

Command inspect_command() {
  auto path = std::make_shared<std::string>();
  Command c;
  c.name = "inspect";
  c.about = "Says what a definition, graph or tensor file holds";
  c.examples = {{"taugrad inspect model.safetensors", "shapes, ranges, numbers that are not finite"},
                {"taugrad inspect stacked_bidirectional_lstm", "variables with their shapes, parameters"}};
  c.positional({.name = "FILE", .help = "a file, or the name of a definition in graphs/", .least = 1, .most = 1,
                .take = [path](const std::string& v) { *path = v; }});
  c.run = [path](const Context& context) { return inspect_file(*path, context); };
  return c;
}

}  // namespace taugrad::cli
