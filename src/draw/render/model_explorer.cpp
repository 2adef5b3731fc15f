// Model Explorer (github.com/google-ai-edge/model-explorer) in the types that it publishes: a
// GraphCollection of all views, with what goes over the edges; NodeDataProviderData of the values;
// SyncNavigationData between the circuit and the steps.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/fail.h"
#include "base/index.h"
#include "draw/pictures/check_numbers.h"
#include "draw/pictures/names.h"
#include "draw/render/formats.h"
#include "draw/render/palette.h"
#include "json/json_writer.h"

namespace taugrad::draw {
namespace {

using json::Writer;

/// The views of a page, each once: of a long sequence the one with all steps.
std::vector<const ExplorerScene*> graphs_of(const Explorer& page) {
  std::vector<const ExplorerScene*> graphs;
  for (const ExplorerScene& s : page.scenes) {
    check_numbers(s.picture);
    if (s.name.ends_with("_all") && !graphs.empty() && s.name.starts_with(graphs.back()->name))
      graphs.back() = &s;
    else
      graphs.push_back(&s);
  }
  return graphs;
}

std::string id_of(const ExplorerScene& s) {
  return s.name.ends_with("_all") ? s.name.substr(0, s.name.size() - 4) : s.name;
}

/// "/" parts the levels of a namespace.
std::string level(std::string text) {
  std::ranges::replace(text, '/', '|');
  return text;
}

/// The step, then the gradient, then the variable that an operation is on the way to.
std::string namespace_of(const Picture& p, const PictureNode& n) {
  std::string path = n.cluster < 0 ? "" : level(p.clusters[at(n.cluster)].label);
  const auto enter = [&](const std::string& name) { path += (path.empty() ? "" : "/") + name; };
  if (n.adjoint) enter(n.order > 1 ? "gradient of the gradient" : "gradient");
  const std::size_t owner = n.role.find('/');
  if (n.name.empty() && owner != std::string::npos && owner > 0)
    enter(level(n.role.substr(0, owner)));
  return path;
}

void attribute(Writer& w, std::string_view key, std::string_view value) {
  if (!value.empty()) w.begin_object().field("key", key).field("value", value).end_object();
}

std::string told(const TensorFacts& t) {
  std::string text =
      fmt::format("{:.4g} to {:.4g}, mean {:.4g}, norm {:.4g}", t.least, t.largest, t.mean, t.norm);
  if (t.not_finite > 0) text += fmt::format(", {} not finite", t.not_finite);
  return text;
}

const NodeFacts* facts_of(const Explorer& page, const ExplorerScene& s, std::size_t node) {
  return s.facts.empty() || s.facts[node] < 0 ? nullptr : &page.facts[at(s.facts[node])];
}

void write_attributes(Writer& w, const PictureNode& n, const NodeFacts* facts) {
  w.key("attrs").begin_array();
  attribute(w, "name", n.name);
  attribute(w, "operation", n.op);
  attribute(w, "kind", word_of(n.kind));
  attribute(w, "about", n.title);
  if (facts != nullptr) {
    attribute(w, "value", told(facts->value));
    if (facts->has_gradient) attribute(w, "gradient", told(facts->gradient));
    attribute(w, "operations", std::to_string(facts->operations));
    attribute(w, "bytes", std::to_string(facts->bytes));
  }
  w.end_array();
}

void write_node(Writer& w, const Explorer& page, const ExplorerScene& s, std::size_t number,
                const std::vector<int>& into) {
  const PictureNode& n = s.picture.nodes[number];
  w.begin_object().field("id", n.id);
  w.field("label", n.name.empty() ? n.op : n.name);
  w.field("namespace", namespace_of(s.picture, n));
  write_attributes(w, n, facts_of(page, s, number));
  w.key("incomingEdges").begin_array();
  for (std::size_t i = 0; i < into.size(); ++i) {
    const PictureEdge& e = s.picture.edges[at(into[i])];
    w.begin_object().field("sourceNodeId", s.picture.nodes[at(e.from)].id);
    w.field("sourceNodeOutputId", "0").field("targetNodeInputId", std::to_string(i));
    w.key("metadata").begin_object().field("kind", word_of(e.kind));
    if (!e.label.empty()) w.field("label", e.label);
    w.end_object().end_object();
  }
  w.end_array();
  w.key("outputsMetadata").begin_array().begin_object().field("id", "0");
  w.key("attrs").begin_array();
  attribute(w, "tensor_shape", n.shape);
  w.end_array().end_object().end_array();
  const Look look = look_of(n);
  w.key("style").begin_object().field("backgroundColor", look.fill);
  w.field("borderColor", look.stroke).end_object().end_object();
}

/// Edges that are drawn over the graph where one of their nodes is selected.
template <class Label>
void write_overlay(Writer& w, const Picture& p, const char* name, const char* colour, Label label) {
  w.begin_object().field("name", name).key("edges").begin_array();
  for (std::size_t e = 0; e < p.edges.size(); ++e) {
    const std::string text = label(e);
    if (text.empty()) continue;
    w.begin_object().field("sourceNodeId", p.nodes[at(p.edges[e].from)].id);
    w.field("targetNodeId", p.nodes[at(p.edges[e].to)].id).field("label", text).end_object();
  }
  w.end_array().field("edgeColor", colour).field("edgeWidth", 2).end_object();
}

void write_overlays(Writer& w, const ExplorerScene& s) {
  const Picture& p = s.picture;
  w.key("tasksData").begin_object();
  w.key("edgeOverlaysDataListLeftPane").begin_array().begin_object();
  w.field("type", "edge_overlays").field("name", s.label).field("graphName", id_of(s));
  w.key("overlays").begin_array();
  write_overlay(w, p, "from step to step", "#6b4fa0", [&](std::size_t e) {
    return p.edges[e].delayed ? p.edges[e].label : std::string();
  });
  if (!s.shares.empty())
    write_overlay(w, p, "share of the gradient", "#c05a10", [&](std::size_t e) {
      return std::isfinite(s.shares[e]) ? fmt::format("{:.1f} %", 100 * s.shares[e])
                                        : std::string();
    });
  w.end_array().end_object().end_array().end_object();
}

void write_graph(Writer& w, const Explorer& page, const ExplorerScene& s) {
  std::vector<std::vector<int>> into(s.picture.nodes.size());
  for (std::size_t e = 0; e < s.picture.edges.size(); ++e)
    into[at(s.picture.edges[e].to)].push_back(static_cast<int>(e));
  w.begin_object().field("id", id_of(s)).key("nodes").begin_array();
  for (std::size_t n = 0; n < into.size(); ++n) write_node(w, page, s, n, into[n]);
  w.end_array();
  w.key("groupNodeAttributes").begin_object().key("").begin_object();
  w.field("title", s.picture.title).field("about", s.picture.about);
  w.end_object().end_object();
  write_overlays(w, s);
  w.end_object();
}

/// The picture as a program that shows one number a node colours it.
Picture coloured_of(const Explorer& page, const ExplorerScene& s) {
  GraphValues values;
  values.facts = page.facts;
  Picture p = s.picture;
  for (std::size_t n = 0; n < p.nodes.size(); ++n) {
    p.nodes[n].source = static_cast<int>(n);  // of this table
    values.entry.push_back(s.facts[n]);
  }
  return coloured(std::move(p), values, page.colour);
}

double number_of(const NodeFacts& f, Colour by) {
  return by == Colour::value      ? f.value.mean
         : by == Colour::gradient ? f.gradient.norm
         : by == Colour::time     ? static_cast<double>(f.operations)
                                  : static_cast<double>(f.bytes);
}

bool finite(const NodeFacts& f, Colour by) {
  return by == Colour::value      ? f.value.not_finite == 0
         : by == Colour::gradient ? f.gradient.not_finite == 0
                                  : true;
}

/// Ids of the unfolded nodes, without those of the gradient, that each node of the circuit stands
/// for.
std::map<std::string, std::vector<std::string>> steps_by_circuit(const Picture& folded,
                                                                 const Picture& unfolded) {
  std::map<std::string, std::vector<std::string>> steps;
  for (const PictureNode& n : folded.nodes) steps[n.id];
  for (const PictureNode& n : unfolded.nodes) {
    if (n.adjoint) continue;
    const auto circuit = steps.find(IdMaker().make(n.role, {}, ""));  // "h/matmul/0": h_matmul_0
    if (circuit != steps.end()) circuit->second.push_back(n.id);
  }
  std::erase_if(steps, [](const auto& s) { return s.second.empty(); });
  return steps;
}

}  // namespace

std::string model_explorer_format(const FormatSource& source, const RenderOptions&) {
  const Explorer page = page_of(source);
  Writer w;
  w.begin_object().field("label", page.title.empty() ? "taugrad" : page.title);
  w.key("graphs").begin_array();
  const auto graphs = graphs_of(page);
  const ExplorerScene* first = page.scenes.empty() ? nullptr : &page.scenes[page.first];
  for (const bool now : {true, false})  // the one that was asked for first
    for (const ExplorerScene* s : graphs)
      if ((first != nullptr && id_of(*s) == id_of(*first)) == now) write_graph(w, page, *s);
  w.end_array().end_object();
  return w.text() + "\n";
}

std::string node_data_format(const FormatSource& source, const RenderOptions&) {
  const Explorer page = page_of(source);
  if (page.facts.empty())
    fail(Status::usage, "U006", "node-data is of values and gradients: take --values");
  Writer w;
  w.begin_object();
  for (const ExplorerScene* s : graphs_of(page)) {
    if (s->facts.empty()) continue;
    const Picture p = coloured_of(page, *s);
    w.key(id_of(*s)).begin_object().field("name", p.legend.title);
    w.key("results").begin_object();
    for (std::size_t n = 0; n < p.nodes.size(); ++n) {
      const NodeFacts* f = facts_of(page, *s, n);
      if (f == nullptr || (page.colour == Colour::gradient && !f->has_gradient)) continue;
      w.key(p.nodes[n].id).begin_object();
      if (finite(*f, page.colour))
        w.field("value", number_of(*f, page.colour));
      else
        w.field("value", "not finite");
      w.field("bgColor", p.nodes[n].fill).field("textColor", p.nodes[n].ink).end_object();
    }
    w.end_object().end_object();
  }
  w.end_object();
  return w.text() + "\n";
}

std::string sync_format(const FormatSource& source, const RenderOptions&) {
  const Explorer page = page_of(source);
  const ExplorerScene *folded = nullptr, *unfolded = nullptr;
  for (const ExplorerScene* s : graphs_of(page)) {
    if (id_of(*s) == "folded") folded = s;
    if (id_of(*s) == "unfolded") unfolded = s;
  }
  Writer w;
  w.begin_object().field("type", "sync_navigation").key("mappingEntries").begin_array();
  if (folded != nullptr && unfolded != nullptr)
    for (const auto& [circuit, steps] : steps_by_circuit(folded->picture, unfolded->picture)) {
      w.begin_object().key("leftNodeIds").begin_array().value(circuit).end_array();
      w.key("rightNodeIds").begin_array();
      for (const std::string& id : steps) w.value(id);
      w.end_array().end_object();
    }
  w.end_array().field("disableMappingFallback", true).end_object();
  return w.text() + "\n";
}

}  // namespace taugrad::draw
