#include "io/inspect.h"

#include <filesystem>
#include <memory>

#include "commands/commands.h"
#include "definition_options.h"
#include "output.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/recurrence/describe.h"

namespace taugrad::cli {
namespace {

std::string describe_file(const std::string& path, bool json) {
  const auto form = [&](const auto& summary) { return json ? to_json(summary) : to_text(summary); };
  std::error_code ignored;
  const bool name = path.find_first_of("/.") == std::string::npos;  // of a shipped definition
  if (name && !std::filesystem::is_regular_file(path, ignored))
    return form(describe(load_definition(path)));
  const FileKind kind = kind_of_file(path);
  if (kind == FileKind::graph) return form(inspect_graph(load_graph(path)));
  if (kind == FileKind::definition) return form(describe(load_definition(path)));
  const bool tensors = kind == FileKind::safetensors || kind == FileKind::tensors;
  if (!tensors && kind != FileKind::other)
    refuse_kind(kind, path, "a graph, a definition or tensors");
  return form(inspect_tensors(path));
}

}  // namespace

Command inspect_command() {
  auto files = std::make_shared<std::vector<std::string>>();
  Command c;
  c.name = "inspect";
  c.about = "Says what a graph, a definition or a file of tensors holds";
  c.examples = {{"taugrad inspect model.safetensors",
                 "every tensor: axes, mean, spread, values that are not finite"},
                {"taugrad inspect graphs/lstm.json --json",
                 "a definition, its shapes inferred, for programs"}};
  c.positional({.name = "FILE",
                .help = "safetensors, graph, definition or tensors JSON, a name in graphs/",
                .least = 1,
                .most = 1000000,
                .take = [files](const std::string& v) { files->push_back(v); }});
  add_max_memory(c);
  c.run = [files](const Context& context) {
    for (const std::string& path : *files) {
      const std::string text = describe_file(path, context.json);
      print(text.ends_with('\n') ? text : text + "\n");
    }
    return 0;
  };
  return c;
}

}  // namespace taugrad::cli
