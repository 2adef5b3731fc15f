#include "taugrad/draw/write.h"

#include <algorithm>

#include "base/fail.h"
#include "base/system/files.h"
#include "base/system/memory_limit.h"
#include "base/utf8.h"
#include "draw/pictures/scan.h"
#include "graph/adjoint.h"
#include "rewrite/own_gradients.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/draw/explorer.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/format.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/fold/fold.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"
#include "unfold/graph_size.h"

namespace taugrad {
namespace {

const Format& format_of(const std::string& path) {
  if (const Format* f = format_of_file(path)) return *f;
  std::string suffixes;
  for (const Format& f : formats()) suffixes += fmt::format(" .{}", f.suffix);
  fail(Status::usage, "U002", "{}: the suffix tells the format; it is one of{}", printable(path),
       suffixes);
}

/// What the loss depends on and has a gradient worth drawing; of nodes without names the weights.
Vars differentiable(Tape& tape, Var loss) {
  const std::vector<NodeId> outputs{loss.id};
  const std::vector<char> used = reachable(tape, outputs);
  Vars wrt;
  for (NodeId id = 0; id < loss.id; ++id) {
    const Op* op = &tape.op(id);
    const bool number = op != &kInput && op != &kConstant && tape.category(id) == 0;
    const bool term = tape.name(id) == "loss" || tape.name(id).starts_with("nll:");
    const bool drawn = tape.is_value(id) ? number && !term : op == &kWeight;
    if (used[static_cast<std::size_t>(id)] && drawn) wrt.push_back(tape.var(id));
  }
  return wrt;
}

// outputs are numbers, which stay valid in a copy
Picture unfolded_picture(const Graph& graph, const WriteOptions& o) {
  GraphPictureOptions options{.gradient_from = o.gradient_from,
                              .detail = o.detail,
                              .copies = o.copies,
                              .most_steps = o.most_steps,
                              .title = o.title,
                              .about = o.about};
  for (const Var& v : o.outputs) options.outputs.push_back(v.id);
  for (NodeId id = 0; id < graph.size() && !o.outputs.empty() && o.view == View::gradient; ++id)
    if (graph.tape().is_value(id) && graph.tape().name(id).starts_with("grad:"))
      options.outputs.push_back(id);
  return picture_of(graph.tape(), options);
}

Picture with_values(Picture picture, const Graph& graph, const WriteOptions& options) {
  if (!options.values) return picture;
  const DrawnValues& v = *options.values;
  ValuedGraph valued(graph, v.inputs, v.weights, {.seed = v.seed, .item = v.item}, options.loss);
  const GraphValues numbers = valued.values_of({&picture});
  Picture shown = coloured(std::move(picture), numbers, v.colour);
  return v.colour == Colour::gradient && options.view == View::unfolded
             ? with_shares(std::move(shown), valued.graph().tape(), numbers)
             : shown;
}

Var loss_in(const Graph& graph, const std::string& name) {
  const Var loss = find_loss(graph, name);
  return loss ? loss : default_loss(graph);
}

}  // namespace

GraphWithGradient with_gradient(const Graph& graph, const std::string& loss) {
  const bool held = has_gradients(graph.tape());
  const GraphSize size = GraphSize{.nodes = static_cast<double>(graph.size())}.with_gradient();
  // twice: the tables of a graph that grows are moved to ones of twice the size
  require_memory("the gradient", {{fmt::format("a graph of about {:.3g} nodes", size.nodes),
                                   2 * size.graph_bytes()}});
  if (held) {
    const Graph work = clone(graph);
    if (holds_gradients_of(work, loss_in(work, loss))) return {graph};
  }
  GraphCopy copy = clone(graph);
  Var of = loss_in(copy, loss);
  if (held) {
    copy = without_gradients(Graph(copy.graph()), std::span(&of, 1));
    of = copy[of];
  }
  GraphWithGradient made{
      copy.graph(), copy.graph().size(),
      held ? "the graph's own gradients are not those of its loss, and left out" : ""};
  gradient(of, differentiable(made.graph.tape(), of));
  return made;
}

Picture picture_of(const Graph& graph, const WriteOptions& options) {
  for (const Var& v : options.outputs) graph.tape().own(v);
  if (options.view == View::folded) {
    if (options.values)
      fail(Status::usage, "U006", "values are of the nodes of an unfolded graph, not of a circuit");
    return picture_of(fold(graph),
                      {.detail = options.detail, .title = options.title, .about = options.about});
  }
  if (options.view == View::unfolded)
    return with_values(unfolded_picture(graph, options), graph, options);
  WriteOptions known = options;
  const GraphWithGradient whole = with_gradient(graph, options.loss);
  if (whole.first >= 0) known.gradient_from = whole.first;
  if (!options.outputs.empty() && !whole.note.empty()) known.outputs.clear();
  Picture picture = unfolded_picture(whole.graph, known);
  if (!whole.note.empty()) picture.notes.push_back(whole.note);
  return with_values(std::move(picture), whole.graph, options);
}

void write(const Graph& graph, const std::string& path, const WriteOptions& options) {
  const FormatSource source{.picture = [&] { return picture_of(graph, options); },
                            .page = [&] { return explore(graph, options); },
                            .json =
                                [&] {
                                  if (options.view == View::folded) return to_json(fold(graph));
                                  return to_json(options.view == View::gradient
                                                     ? with_gradient(graph, options.loss).graph
                                                     : graph);
                                }};
  write_file(path, format_of(path).text(source, {.labels = options.labels}));
}

void write(const Picture& picture, const std::string& path, bool labels) {
  write_file(path, format_of(path).text({.picture = [&] { return picture; }}, {.labels = labels}));
}

}  // namespace taugrad
