#include "io/inspect.h"

#include <filesystem>
#include <memory>

#include "base/limits.h"
#include "base/system/files.h"
#include "commands/commands.h"
#include "options/definition_options.h"
#include "options/subject.h"
#include "output.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/language/describe.h"
#include "taugrad/train/model_folder.h"

namespace taugrad::cli {
namespace {

template <class Summary>
std::string form_of(const Summary& summary, bool json) {
  const std::string text = json ? to_json(summary) : to_text(summary);
  return text.ends_with('\n') ? text : text + "\n";
}

std::string describe_standard_input(bool json) {
  const std::string text = read_file("-", limits::kGraphBytes), name = "standard input";
  const FileKind kind = kind_of_text(text, name);
  if (kind == FileKind::graph) return form_of(inspect_graph(graph_from_json(text, name)), json);
  if (kind == FileKind::definition || kind == FileKind::other)
    return form_of(describe(parse_definition(text, "-")), json);
  refuse_kind(kind, name, "a graph or a definition");
}

// as one line each: what was trained, and its weights
std::string describe_model(const std::string& folder, bool json) {
  const TrainedModel model = load_model(folder);
  const auto weights = std::filesystem::path(model.folder) / "model.safetensors";
  return form_of(describe(model.definition), json) +
         form_of(inspect_tensors(weights.string()), json);
}

std::string describe_file(const std::string& path, bool json) {
  const auto form = [&](const auto& summary) { return form_of(summary, json); };
  if (path == "-") return describe_standard_input(json);
  if (is_model_folder(path)) return describe_model(path, json);
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
  c.positional(
      {.name = "FILE",
       .help = "safetensors, graph, definition or tensors JSON, a name in graphs/, a model",
       .least = 1,
       .most = 1000000,
       .take = [files](const std::string& v) { files->push_back(v); }});
  add_max_memory(c);
  c.run = [files](const Context& context) {
    for (const std::string& path : *files) print(describe_file(path, context.json));
    return 0;
  };
  return c;
}

}  // namespace taugrad::cli
