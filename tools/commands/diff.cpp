#include "io/diff.h"

#include <filesystem>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "io/inspect.h"
#include "output.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/recurrence/describe.h"
#include "taugrad/train/model_folder.h"

namespace taugrad::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> paths;
  double tolerance = 0;
};

/// What a path holds: the kinds of inspect, tensors in either form, or the folder of a model.
std::string kind_of(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return "model";
  const bool name = path.find_first_of("/.") == std::string::npos;  // of a shipped definition
  if (name && !fs::is_regular_file(path, ignored)) return "definition";
  const FileKind kind = kind_of_file(path);
  if (kind == FileKind::graph) return "graph";
  if (kind == FileKind::definition) return "definition";
  const bool tensors = kind == FileKind::safetensors || kind == FileKind::tensors;
  if (!tensors && kind != FileKind::other)
    refuse_kind(kind, path, "a definition, a graph or tensors");
  return "tensors";
}

std::string words(const std::string& kind) { return kind == "tensors" ? kind : "a " + kind; }

Definition checked_definition(const std::string& path) {
  Definition d = load_definition(path);
  describe(d);  // throws where it does not hold
  return d;
}

Differences diff_models(const std::string& a, const std::string& b, double tolerance) {
  const auto in = [](const std::string& folder, const char* file) {
    return (fs::path(folder) / file).string();
  };
  const TrainedModel one = load_model(a), other = load_model(b);
  Differences d = diff_definitions(one.definition, other.definition);
  const auto vocabulary = [](const TrainedModel& m) {
    return m.vocabulary ? to_json(*m.vocabulary) : std::string();
  };
  if (vocabulary(one) != vocabulary(other))
    d.all.push_back(
        {Difference::Change::changed, "vocabulary", "", in(a, "vocab.json"), in(b, "vocab.json")});
  Differences weights =
      diff_tensors(in(a, "model.safetensors"), in(b, "model.safetensors"), tolerance);
  d.all.insert(d.all.end(), weights.all.begin(), weights.all.end());
  d.tensors = std::move(weights.tensors);
  d.kind = "model";
  return d;
}

Differences differences(const std::string& a, const std::string& b, double tolerance) {
  const std::string kind = kind_of(a), other = kind_of(b);
  if (kind != other)
    fail(Status::usage, "U006", "{} holds {}, {} {}: give two of one kind", a, words(kind), b,
         words(other));
  if (kind == "model") return diff_models(a, b, tolerance);
  if (kind == "graph") return diff_graphs(load_graph(a), load_graph(b));
  if (kind == "definition") return diff_definitions(checked_definition(a), checked_definition(b));
  return diff_tensors(a, b, tolerance);
}

std::string summary(const Differences& d) {
  if (!d.same()) return fmt::format("{} difference{}", d.all.size(), d.all.size() == 1 ? "" : "s");
  double largest = 0;
  for (const TensorDifference& t : d.tensors) largest = std::max(largest, t.largest);
  return largest > 0 ? fmt::format("the same within the tolerance; largest |a - b| {:.3g}", largest)
                     : "the same";
}

}  // namespace

Command diff_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "diff";
  c.about = "Says how two definitions, graphs, files of tensors or models differ";
  c.examples = {
      {"taugrad diff elman own.json", "sizes, weights, equations: removed (-), added (+)"},
      {"taugrad diff before.safetensors after.safetensors --tolerance 1e-6",
       "each tensor's largest difference, and where"}};
  c.positional({.name = "A B",
                .help = "two files of one kind, names in graphs/, folders of models",
                .least = 2,
                .most = 2,
                .take = [o](const std::string& v) { o->paths.push_back(v); }});
  c.number("--tolerance", "X", "numbers a, b are the same where |a-b| <= X max(1,|a|,|b|) [0]",
           o->tolerance, ">= 0", [](double x) { return x >= 0; });
  c.details =
      "Status 0: the same; 1: they differ. Order, blanks and numbers of nodes mean nothing.\n"
      "A graph is taken apart at its named nodes, each compared by the expression that\n"
      "gives it. With a tolerance, types of tensors (F32, F64) may differ.";
  add_max_memory(c);
  c.run = [o](const Context& context) {
    const std::string kind = kind_of(o->paths[0]);
    if (kind == "graph" || kind == "definition")
      refuse_without_effect(context, {"--tolerance"}, "on " + words(kind) + ": it is of tensors");
    const Differences d = differences(o->paths[0], o->paths[1], o->tolerance);
    print(context.json ? to_json(d) : to_text(d));
    note(context, summary(d));
    return d.same() ? 0 : static_cast<int>(Status::check_failed);
  };
  return c;
}

}  // namespace taugrad::cli
