#include "commands/show_graph.h"

#include "base/fail.h"
#include "output.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/format.h"
#include "taugrad/fold/fold.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/records.h"

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

class GraphDrawing {
 public:
  GraphDrawing(const Subject& s, const WriteOptions& options, const std::string& format,
               const std::string& output, const Context& context)
      : s_(s), o_(options), format_(format_named(format)), output_(output), context_(context) {}

  int run() {
    if (format_.all_views) return page();
    return o_.view == View::folded ? folded() : unfolded();
  }

 private:
  void write(FormatSource source) const {
    const auto picture = std::move(source.picture);
    source.picture = [&] {
      Picture p = picture();
      for (const std::string& line : p.notes) note(context_, line);
      return p;
    };
    deliver(output_, format_.text(source, {.labels = o_.labels}));
  }

  /// With all views of the graph.
  int page() {
    o_.title = s_.name;
    o_.loss = s_.loss;
    tell_counts(context_, *s_.graph);
    write({.picture = [&] { return picture_of(*s_.graph, o_); },
           .page = [&] { return explore(*s_.graph, o_); }});
    return 0;
  }

  int folded() const {
    FoldedGraph g = fold(*s_.graph);
    g.name = s_.name;
    note(context_, fmt::format("{} nodes, {} edges", g.nodes.size(), g.edges.size()));
    const auto json = [&] {
      for (const std::string& line : g.notes) note(context_, line);
      return to_json(g);
    };
    write({.picture = [&] { return picture_of(g, {.detail = o_.detail}); }, .json = json});
    return 0;
  }

  int unfolded() {
    const bool gradient = o_.view == View::gradient;
    const GraphWithGradient g =
        gradient ? with_gradient(*s_.graph, s_.loss) : GraphWithGradient{*s_.graph};
    tell_counts(context_, g.graph);
    o_.view = View::unfolded;
    o_.gradient_from = g.first;
    o_.title = gradient ? s_.name + ", gradient" : s_.name;
    WriteOptions with_loss = o_;  // of the values
    with_loss.loss = s_.loss;
    with_loss.view = gradient ? View::gradient : View::unfolded;
    const auto picture = [&] {
      if (o_.values) return picture_of(*s_.graph, with_loss);
      Picture p = picture_of(g.graph, o_);
      if (!g.note.empty()) p.notes.push_back(g.note);
      return p;
    };
    const auto json = [&] {
      if (!g.note.empty()) note(context_, g.note);
      return to_json(g.graph);
    };
    write({.picture = picture, .json = json});
    return 0;
  }

  const Subject& s_;
  WriteOptions o_;
  const Format& format_;
  const std::string& output_;
  const Context& context_;
};

}  // namespace

int show_graph(const Subject& s, const WriteOptions& options, const std::string& format,
               const std::string& output, const Context& context) {
  return GraphDrawing(s, options, format, output, context).run();
}

}  // namespace taugrad::cli
