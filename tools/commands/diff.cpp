#include "io/diff.h"

#include <filesystem>
#include <memory>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "commands/commands.h"
#include "commands/diff_drawing.h"
#include "io/inspect.h"
#include "options/definition_options.h"
#include "output.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/language/describe.h"
#include "taugrad/train/model_folder.h"

namespace taugrad::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> paths;
  double tolerance = 0;
  DiffDrawing drawing;
};

/// What a path holds: the kinds of inspect, tensors in either form, or the folder of a model.
struct Side {
  std::string path, kind;
  std::string text = {};  ///< of standard input, which can be read once
};

std::string kind_of(const std::string& path, const std::string& text) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return "model";
  const bool name = path.find_first_of("/.") == std::string::npos;  // of a shipped definition
  if (path != "-" && name && !fs::is_regular_file(path, ignored)) return "definition";
  const FileKind kind = path == "-" ? kind_of_text(text, "standard input") : kind_of_file(path);
  if (kind == FileKind::graph) return "graph";
  if (kind == FileKind::definition) return "definition";
  const bool tensors = kind == FileKind::safetensors || kind == FileKind::tensors;
  if (!tensors && kind != FileKind::other)
    refuse_kind(kind, path, "a definition, a graph or tensors");
  return "tensors";
}

Side side_of(const std::string& path) {
  Side s{.path = path, .kind = ""};
  if (path == "-") s.text = read_file(path, limits::kGraphBytes);
  s.kind = kind_of(path, s.text);
  if (path == "-" && s.kind == "tensors")
    refuse_kind(kind_of_text(s.text, "standard input"), "standard input",
                "a definition or a graph");
  return s;
}

std::string words(const std::string& kind) { return kind == "tensors" ? kind : "a " + kind; }

Graph graph_of(const Side& s) {
  return s.path == "-" ? graph_from_json(s.text, "standard input") : load_graph(s.path);
}

Definition checked_definition(const Side& s) {
  Definition d = s.path == "-" ? parse_definition(s.text, "-") : load_definition(s.path);
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
  Differences weights = diff_tensors(in(one.folder, "model.safetensors"),
                                     in(other.folder, "model.safetensors"), tolerance);
  d.all.insert(d.all.end(), weights.all.begin(), weights.all.end());
  d.tensors = std::move(weights.tensors);
  d.kind = "model";
  return d;
}

Differences differences(const Side& a, const Side& b, double tolerance) {
  if (a.kind != b.kind)
    fail(Status::usage, "U006", "{} holds {}, {} {}: give two of one kind", a.path, words(a.kind),
         b.path, words(b.kind));
  if (a.kind == "model") return diff_models(a.path, b.path, tolerance);
  if (a.kind == "graph") return diff_graphs(graph_of(a), graph_of(b));
  if (a.kind == "definition") return diff_definitions(checked_definition(a), checked_definition(b));
  return diff_tensors(a.path, b.path, tolerance);
}

/// What one side of the drawing shows.
DrawnSide drawn(const Side& s, const DiffDrawing& o) {
  if (s.kind == "graph") return o.side(s.path, graph_of(s));
  if (s.kind == "definition") return o.side(s.path, checked_definition(s), {});
  const TrainedModel model = load_model(s.path);
  DiffDrawing of_model = o;
  of_model.values = true;
  return of_model.side(s.path, model.definition, model.weights);
}

void check_drawing(const Side& a, const Side& b, const Options& o, const Context& context) {
  const std::initializer_list<const char*> details = {"--steps", "--values", "--detail", "--seed"};
  if (!o.drawing.asked()) return refuse_without_effect(context, details, "without -o");
  if (a.kind == "tensors" || b.kind == "tensors")
    fail(Status::usage, "U007",
         "-o has no effect on tensors: definitions, graphs and models are drawn");
  if (a.kind == "graph")
    refuse_without_effect(context, {"--steps", "--values", "--seed"},
                          "on graphs, which are unfolded already");
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
                .help = "two files of one kind, - for one, names in graphs/, folders of models",
                .least = 2,
                .most = 2,
                .take = [o](const std::string& v) { o->paths.push_back(v); }});
  c.number("--tolerance", "X", "numbers a, b are the same where |a-b| <= X max(1,|a|,|b|) [0]",
           o->tolerance, ">= 0", [](double x) { return x >= 0; });
  add_diff_drawing(c, o->drawing);
  c.details =
      "-o draws A left and B right: orange only in A, blue only in B, purple what is computed\n"
      "otherwise; of models, and with --values, how far each value is from the other side's.\n"
      "Status 0: the same; 1: they differ. Order, blanks and numbers of nodes mean nothing.\n"
      "A graph is taken apart at its named nodes, each compared by the expression that\n"
      "gives it. With a tolerance, types of tensors (F32, F64) may differ.";
  add_max_memory(c);
  c.run = [o](const Context& context) {
    const Side a = side_of(o->paths[0]);
    if (a.kind == "graph" || a.kind == "definition")
      refuse_without_effect(context, {"--tolerance"}, "on " + words(a.kind) + ": it is of tensors");
    const Side b = side_of(o->paths[1]);
    check_drawing(a, b, *o, context);
    const Differences d = differences(a, b, o->tolerance);
    if (o->drawing.asked()) o->drawing.draw(drawn(a, o->drawing), drawn(b, o->drawing), context);
    print(context.json ? to_json(d) : to_text(d));
    note(context, summary(d));
    return d.same() ? 0 : static_cast<int>(Status::check_failed);
  };
  return c;
}

}  // namespace taugrad::cli
