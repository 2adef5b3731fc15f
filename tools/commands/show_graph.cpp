#include "commands/show_graph.h"

#include "base/fail.h"
#include "output.h"
#include "taugrad/draw/explorer.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/render.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/records.h"
#include "taugrad/recurrence/fold.h"

namespace taugrad::cli {
namespace {

void tell_counts(const Context& context, const Graph& g) {
  std::int64_t edges = 0, parameters = 0;
  for (NodeId id = 0; id < g.size(); ++id) {
    edges += std::ssize(g.tape().inputs(id));
    if (&g.tape().op(id) == &kWeight) parameters += g.tape().shape(id).size();
  }
  note(context, fmt::format("{} nodes, {} edges, {} parameters", g.size(), edges, parameters));
}

void deliver_picture(const Picture& picture, const WriteOptions& o, const std::string& format,
                     const std::string& output) {
  const RenderOptions how{.labels = o.labels};
  deliver(output, format == "svg" ? to_svg(picture, how) : to_dot(picture, how));
}

/// A page with all views of a graph.
int show_page(const Subject& s, const WriteOptions& options, const std::string& output,
              const Context& context) {
  WriteOptions o = options;
  o.title = s.name;
  o.loss = s.loss;
  tell_counts(context, *s.graph);
  deliver(output, to_html(explore(*s.graph, o)));
  return 0;
}

int show_folded(const Subject& s, const WriteOptions& o, const std::string& format,
                const std::string& output, const Context& context) {
  FoldedGraph g = fold(*s.graph);
  g.name = s.name;
  note(context, fmt::format("{} nodes, {} edges", g.nodes.size(), g.edges.size()));
  for (const std::string& line : g.notes) note(context, line);
  if (format == "json")
    deliver(output, to_json(g));
  else
    deliver_picture(picture_of(g, {.detail = o.detail}), o, format, output);
  return 0;
}

}  // namespace

int show_graph(const Subject& s, const WriteOptions& options, const std::string& format,
               const std::string& output, const Context& context) {
  if (format == "html") return show_page(s, options, output, context);
  if (options.view == View::folded) return show_folded(s, options, format, output, context);
  const bool gradient = options.view == View::gradient;
  const GraphWithGradient g =
      gradient ? with_gradient(*s.graph, s.loss) : GraphWithGradient{*s.graph};
  tell_counts(context, g.graph);
  if (!g.note.empty()) note(context, g.note);
  WriteOptions o = options;
  o.view = View::unfolded;
  o.gradient_from = g.first;
  o.title = gradient ? s.name + ", gradient" : s.name;
  if (format == "json") {
    deliver(output, to_json(g.graph));
    return 0;
  }
  Picture picture = picture_of(g.graph, o);
  for (const std::string& line : picture.notes) note(context, line);
  if (!g.note.empty()) picture.notes.push_back(g.note);
  deliver_picture(picture, o, format, output);
  return 0;
}

}  // namespace taugrad::cli
