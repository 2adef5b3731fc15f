#include "options/subject.h"

#include <algorithm>
#include <filesystem>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/utf8.h"
#include "io/file_kind.h"
#include "language/syntax/flat_definition.h"
#include "output.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/train/model_folder.h"

namespace taugrad::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWanted = "a definition or a graph";

/// A file whose content tells what it is; a bare name that is no file is one of graphs/.
bool is_file(const std::string& name) {
  std::error_code ignored;
  const bool path = name == "-" || name.find('/') != std::string::npos || name.ends_with(".json");
  return path || (fs::exists(name, ignored) && !fs::is_directory(name, ignored));
}

/// What a text is; of one that is not well formed its own reader tells more.
FileKind kind_of(std::string_view text, const std::string& file) {
  try {
    return kind_of_text(text, file);
  } catch (const Error&) {
    return FileKind::other;
  }
}

std::string stem(const std::string& file) {
  return file == "-" ? "standard input" : fs::path(file).stem().string();
}

void read_graph(Subject& s, std::string_view text, const DefinitionOptions& o, const Context& c) {
  const std::string& file = o.file_or_name;
  refuse_without_effect(c, {"--steps", "--mode"}, kOnGraph);
  refuse_without_effect(c, {"--size", "--set", "--allow-unused"},
                        "on a graph: it is of a definition");
  if (o.loss.size() > 1)
    fail(Status::usage, "U002", "the loss of a graph is one node: --loss says its name once");
  if (!o.loss.empty()) s.loss = o.loss.front();
  s.graph = graph_from_json(text, file == "-" ? "standard input" : file);
  s.name = stem(file);
}

/// `show elman.json` where elman is shipped, and no file of that name is here.
void require_there(const std::string& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored) || !file.ends_with(".json") || file.find('/') != std::string::npos)
    return;
  const std::string name = file.substr(0, file.size() - 5);
  for (const std::string& folder : definition_folders())
    if (fs::exists(folder + "/" + file, ignored)) {
      Diagnostic d;
      d.code = "I001";
      d.message = printable(file) + ": no such file or folder";
      d.help = fmt::format("the shipped definition is called {}", printable(name));
      fail(Status::io, std::move(d));
    }
}

void read_file_of(Subject& s, const DefinitionOptions& o, const Context& context) {
  const std::string& file = o.file_or_name;
  require_there(file);
  const std::string text = read_file(file, limits::kGraphBytes);
  const FileKind kind = kind_of(text, file);
  if (kind == FileKind::graph) return read_graph(s, text, o, context);
  if (kind != FileKind::definition && kind != FileKind::other) refuse_kind(kind, file, kWanted);
  if (text.size() > limits::kJsonBytes)
    fail(Status::resource, "R002", "{} is larger than {} bytes, too much for a definition",
         printable(file), limits::kJsonBytes);
  s.definition = finished_definition(parse_definition(text, file), o, context);
}

}  // namespace

void tell_shadowed(const std::string& name, const Context& context) {
  if (name == "-" || name.find('/') != std::string::npos || name.ends_with(".json")) return;
  std::string shipped;
  std::error_code ignored;
  for (const std::string& folder : definition_folders())
    if (shipped.empty() && fs::exists(folder + "/" + name + ".json", ignored))
      shipped = folder + "/" + name + ".json";
  if (shipped.empty()) return;
  if (is_file(name))
    note(context, fmt::format("reading the file {} of this folder, not {}", printable(name),
                              printable(shipped)));
  else if (fs::exists(name + ".json", ignored))
    note(context, fmt::format("reading {}, not the file {}.json of this folder: write it so",
                              printable(shipped), printable(name)));
}

bool is_model_folder(const std::string& name) {
  std::error_code ignored;
  for (const std::string& folder : definition_folders())
    if (fs::exists(folder + "/" + name + ".json", ignored)) return false;
  if (!fs::is_directory(name, ignored)) return false;
  if (fs::exists(fs::path(name) / "definition.json", ignored)) return true;
  const auto files = fs::directory_iterator(name, ignored);  // of a run: its steps
  return std::ranges::any_of(files, [](const fs::directory_entry& e) {
    return e.path().filename().string().starts_with("step-");
  });
}

Subject read_subject(const DefinitionOptions& o, const Context& context) {
  Subject s;
  if (o.equations.empty() && is_file(o.file_or_name)) {
    tell_shadowed(o.file_or_name, context);
    read_file_of(s, o, context);
  } else if (o.equations.empty() && is_model_folder(o.file_or_name)) {
    TrainedModel model = load_model(o.file_or_name);
    s.weights_file = (fs::path(model.folder) / "model.safetensors").string();
    s.definition = finished_definition(std::move(model.definition), o, context);
  } else {
    s.definition = read_definition(o, context);
  }
  return s;
}

void add_subject(Command& c, DefinitionOptions& o) {
  add_definition(c, o);
  c.positionals.back().help =
      "a definition, a graph's JSON, a model's folder, - for standard input, or a name in graphs/";
}

void require_definition(const DefinitionOptions& o) {
  if (!o.equations.empty() || o.file_or_name == "-" || !is_file(o.file_or_name)) return;
  const FileKind kind = kind_of(read_file(o.file_or_name, limits::kGraphBytes), o.file_or_name);
  if (kind != FileKind::definition && kind != FileKind::other)
    refuse_kind(kind, o.file_or_name, "a definition");
}

}  // namespace taugrad::cli
