// GraphML, http://graphml.graphdrawing.org: nodes and edges with their facts and their places.
#include <fmt/format.h>

#include <array>

#include "draw/layout/layout.h"
#include "draw/pictures/check_numbers.h"
#include "draw/render/formats.h"
#include "draw/render/palette.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

struct Key {
  std::string_view id, of, type;
};
constexpr std::array<Key, 20> kKeys{
    {{"title", "graph", "string"},     {"about", "graph", "string"},
     {"name", "node", "string"},       {"op", "node", "string"},
     {"shape", "node", "string"},      {"kind", "node", "string"},
     {"step", "node", "string"},       {"gradient", "node", "boolean"},
     {"order", "node", "int"},         {"gradient_of", "node", "string"},
     {"about_node", "node", "string"}, {"fill", "node", "string"},
     {"x", "node", "double"},          {"y", "node", "double"},
     {"width", "node", "double"},      {"height", "node", "double"},
     {"edge_kind", "edge", "string"},  {"label", "edge", "string"},
     {"delayed", "edge", "boolean"},   {"not_finite", "edge", "boolean"}}};

class GraphmlWriter {
 public:
  explicit GraphmlWriter(const Picture& picture) : picture_(picture), layout_(lay_out(picture)) {}

  std::string write() {
    out_ =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
        "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n";
    for (const Key& k : kKeys)
      out_ += fmt::format("  <key id=\"{0}\" for=\"{1}\" attr.name=\"{2}\" attr.type=\"{3}\"/>\n",
                          k.id, k.of,
                          k.id == "about_node"  ? "about"
                          : k.id == "edge_kind" ? "kind"
                                                : k.id,
                          k.type);
    out_ += "  <graph id=\"G\" edgedefault=\"directed\">\n";
    text("title", picture_.title);
    text("about", picture_.about);
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) node(n);
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) edge(e);
    out_ += "  </graph>\n</graphml>\n";
    return std::move(out_);
  }

 private:
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) out_ += fmt::format("<data key=\"{}\">{}</data>\n", key, xml_escape(value));
  }
  void number(std::string_view key, double value) {
    std::string digits;
    append_number(digits, value);
    text(key, digits);
  }

  const PictureNode& at(int n) const { return picture_.nodes[static_cast<std::size_t>(n)]; }

  void node(std::size_t n) {
    const PictureNode& node = picture_.nodes[n];
    out_ += fmt::format("    <node id=\"{}\">\n", node.id);
    text("name", node.name);
    text("op", node.op);
    text("shape", node.shape);
    text("kind", word_of(node.kind));
    if (node.cluster >= 0)
      text("step", picture_.clusters[static_cast<std::size_t>(node.cluster)].label);
    text("gradient", node.adjoint ? "true" : "false");
    if (node.order > 0) number("order", node.order);
    if (node.beside >= 0) text("gradient_of", at(node.beside).id);
    text("about_node", node.title);
    text("fill", look_of(node).fill);
    const Box& box = layout_.nodes[n];
    number("x", box.x);
    number("y", box.y);
    number("width", box.width);
    number("height", box.height);
    out_ += "    </node>\n";
  }

  // numbered: two nodes may be joined more than once
  void edge(std::size_t e) {
    const PictureEdge& edge = picture_.edges[e];
    out_ += fmt::format("    <edge id=\"e{}\" source=\"{}\" target=\"{}\">\n", e, at(edge.from).id,
                        at(edge.to).id);
    text("edge_kind", word_of(edge.kind));
    text("label", edge.label);
    text("delayed", edge.delayed ? "true" : "false");
    if (edge.striking) text("not_finite", "true");
    out_ += "    </edge>\n";
  }

  const Picture& picture_;
  const Layout layout_;
  std::string out_;
};

}  // namespace

std::string graphml_format(const FormatSource& source, const RenderOptions&) {
  const Picture picture = source.picture();
  check_numbers(picture);
  return GraphmlWriter(picture).write();
}

}  // namespace taugrad::draw
