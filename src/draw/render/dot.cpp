#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "draw/layout/layout.h"
#include "draw/pictures/check_numbers.h"
#include "draw/printed/printed_layout.h"
#include "draw/render/formats.h"
#include "draw/text/math_text.h"
#include "draw/text/text.h"
#include "taugrad/draw/render.h"

namespace taugrad {
namespace {

using draw::append_number;
using draw::Box;
using draw::dot_escape;
using draw::Layout;
using draw::Point;
using draw::second_line;
using draw::xml_escape;

constexpr double kArrow = 6;             // length of the arrow head, in points
constexpr std::size_t kMostRow = 8'000;  // bytes of a string's line: Graphviz reads no 16,384

/// Longer strings in quotes go on in another line, after a backslash, as the language of DOT has
/// it.
std::string with_short_strings(const std::string& text) {
  std::string out;
  bool quoted = false;
  std::size_t row = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = quoted && text[i] == '\\' && i + 1 < text.size();
    if (text[i] == '"') quoted = !quoted, row = 0;
    if (quoted && ++row % kMostRow == 0) out += "\\\n";
    out += text[i];
    if (escape) out += text[++i];
  }
  return out;
}

class DotWriter {
 public:
  DotWriter(const Picture& picture, const RenderOptions& options)
      : picture_(picture), options_(options), layout_(draw::lay_out(picture)) {}

  std::string write() {
    out_ += "digraph \"" + dot_escape(picture_.title) + "\" {\n";
    out_ += "  graph [layout=nop2, bb=\"0,0,";
    append_number(out_, layout_.width);
    out_ += ',';
    append_number(out_, layout_.height);
    out_ += '"';
    if (!picture_.legend.title.empty()) legend();
    out_ += ", fontname=\"Helvetica\", fontsize=11";
    if (!picture_.about.empty()) out_ += ", tooltip=\"" + dot_escape(picture_.about) + '"';
    if (!picture_.notes.empty()) notes();
    out_ += "];\n";
    out_ +=
        "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", "
        "fontsize=11, margin=\"0.02,0.01\"];\n";
    out_ += "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.6, penwidth=1.1];\n";
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) node(n);
    for (const EdgeKind kind :
         {EdgeKind::recall, EdgeKind::share, EdgeKind::data, EdgeKind::adjoint}) {
      for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
        if (picture_.edges[e].kind == kind) edge(e);
      }
    }
    if (layout_.printed)
      squares();
    else
      clusters();
    out_ += "}\n";
    return with_short_strings(out_);
  }

 private:
  // the graph's own label: its position is that of its middle
  void notes() {
    double width = 0;
    out_ += ", label=\"";
    for (const std::string& note : picture_.notes) {
      out_ += dot_escape(note) + "\\l";
      width = std::max(width, draw::text_width(note, 11));
    }
    out_ += "\", labeljust=l, lp=\"";
    point({layout_.notes.front().x + width / 2,
           (layout_.notes.front().y + layout_.notes.back().y) / 2});
    out_ += '"';
  }

  void point(Point p) {
    append_number(out_, p.x);
    out_ += ',';
    append_number(out_, layout_.height - p.y);  // Graphviz counts upwards
  }

  // as words: a colour of its own tells Graphviz's reader little
  void legend() {
    const Legend& l = picture_.legend;
    out_ += ", label=\"" + dot_escape("colour: " + l.title + ", " + l.low + " to " + l.high) +
            "\", lp=\"";
    point({layout_.width / 2, layout_.height - 8});
    out_ += '"';
  }

  void inches(std::string_view name, double points) {
    const auto thousandths = static_cast<long>(points / 72 * 1000 + 0.5);
    const std::string digits = std::to_string(thousandths % 1000 + 1000);
    out_ += ", ";
    out_ += name;
    out_ += '=' + std::to_string(thousandths / 1000) + '.' + digits.substr(1);
  }

  static std::string_view look(const PictureNode& n) {
    if (n.order > 1)
      return n.kind == NodeKind::operation ? ", fillcolor=\"#f7eaf6\", color=\"#a070a0\""
                                           : ", fillcolor=\"#efd0ec\", color=\"#7a2a78\"";
    switch (n.kind) {
      case NodeKind::input:
        return ", fillcolor=lightyellow";
      case NodeKind::weight:
        return n.adjoint ? ", fillcolor=\"#ffcf9f\"" : ", fillcolor=lightblue";
      case NodeKind::copy:
        return ", fillcolor=\"#dceff6\", color=\"#7a9fb0\"";
      case NodeKind::loss:
        return n.adjoint ? ", fillcolor=\"#ffcf9f\"" : ", fillcolor=darkolivegreen1";
      case NodeKind::random:
        return ", peripheries=2";
      case NodeKind::constant:
        return ", fillcolor=\"#e6e6e6\", color=\"#8a8a8a\"";
      case NodeKind::ellipsis:
        return ", style=\"rounded,dashed\", color=\"#8a8a8a\"";
      case NodeKind::operation:
        return n.adjoint ? ", fillcolor=\"#fff0e0\", color=\"#b08050\""
                         : ", fillcolor=\"#f4f4f4\", color=\"#707070\"";
      case NodeKind::variable:
        return n.adjoint ? ", fillcolor=\"#ffdcb8\"" : "";
    }
    return "";
  }

  void node(std::size_t n) {
    const PictureNode& node = picture_.nodes[n];
    const Box& box = layout_.nodes[n];
    const std::string second = second_line(node, options_.labels);
    out_ += "  " + node.id + " [label=";
    if (layout_.printed && !node.name.empty()) {
      out_ += '<' + math(node.name) + '>';
      if (!second.empty()) side(n, second);
    } else if (node.name.empty()) {
      out_ += '"' + (options_.labels ? dot_escape(node.op) : "") + '"';
    } else {
      out_ +=
          '"' + dot_escape(node.name) + (second.empty() ? "" : "\\n" + dot_escape(second)) + '"';
    }
    out_ += ", pos=\"";
    point({box.x, box.y});
    out_ += '"';
    if (layout_.printed) {
      const bool circle = box.width == box.height;
      out_ += node.kind == NodeKind::ellipsis ? ", shape=plaintext"
              : circle                        ? ", shape=circle"
                                              : "";
      out_ += ", fixedsize=true, fontsize=14";
    }
    const bool doubled = node.kind == NodeKind::random && !layout_.printed;
    const double rings = doubled ? 8 : 0;  // the second outline lies outside
    inches("width", box.width - rings);
    inches("height", box.height - rings);
    if (doubled || node.kind != NodeKind::random) out_ += look(node);
    if (!node.fill.empty())  // the later of two values counts
      out_ += ", fillcolor=\"" + node.fill + "\", fontcolor=\"" + node.ink + '"';
    if (node.striking) out_ += ", color=red, penwidth=3.5";
    if (!node.title.empty()) out_ += ", tooltip=\"" + dot_escape(node.title) + '"';
    out_ += "];\n";
  }

  static std::string_view look(const PictureEdge& e) {
    switch (e.kind) {
      case EdgeKind::data:
        return ", color=\"#303030\"";
      case EdgeKind::share:
        return ", color=\"#6fa6c0\"";
      case EdgeKind::adjoint:
        return ", color=\"#c05a10\"";
      case EdgeKind::recall:
        return ", color=\"#b4b4b4\"";
    }
    return "";
  }

  // The arrow head stands between the end of the curve and the node.
  void curve(const std::vector<Point>& points) {
    const Point tip = points.back();
    Point towards = tip;
    for (std::size_t i = points.size(); i-- > 0;) {
      towards = points[i];
      if (towards.x != tip.x || towards.y != tip.y) break;
    }
    const double dx = tip.x - towards.x, dy = tip.y - towards.y;
    const double length = std::max(1e-9, std::hypot(dx, dy));
    out_ += "e,";
    point(tip);
    for (std::size_t i = 0; i < points.size(); ++i) {
      out_ += ' ';
      const bool last = i + 1 == points.size();
      point(last ? Point{tip.x - kArrow * dx / length, tip.y - kArrow * dy / length} : points[i]);
    }
  }

  void edge(std::size_t e) {
    const PictureEdge& edge = picture_.edges[e];
    const draw::Path& path = layout_.edges[e];
    out_ += "  " + picture_.nodes[static_cast<std::size_t>(edge.from)].id + " -> " +
            picture_.nodes[static_cast<std::size_t>(edge.to)].id + " [";
    out_ += "pos=\"";
    curve(path.points);
    out_ += '"';
    if (!edge.label.empty() && layout_.printed) {
      out_ += ", label=<<I>" + xml_escape(edge.label) + "</I>>, lp=\"";
      point(path.label);
      out_ += '"';
    } else if (!edge.label.empty()) {
      out_ += ", label=\"" + dot_escape(edge.label) + "\", lp=\"";
      point({path.label.x + draw::text_width(edge.label, 10) / 2 + 3, path.label.y});
      out_ += '"';
    }
    if (edge.dotted)
      out_ += ", style=dotted, constraint=false";
    else if (edge.delayed)
      out_ += ", style=dashed, constraint=false";
    out_ += look(edge);
    if (edge.striking) out_ += ", color=red, penwidth=3";
    out_ += "];\n";
  }

  /// A letter with what is raised and lowered, as HTML that Graphviz reads.
  static std::string math(std::string_view name) {
    const draw::MathText m = draw::math_of(name);
    const auto small = [](const char* tag, const std::string& text) {
      return text.empty() ? "" : fmt::format("<{0}>{1}</{0}>", tag, xml_escape(text));
    };
    return m.before + "<I>" + xml_escape(m.base) + "</I>" + small("SUB", m.lowered) +
           small("SUP", m.raised);
  }
  void side(std::size_t n, const std::string& text) {
    out_ += ", xlabel=\"" + dot_escape(text) + "\", xlp=\"";
    point(layout_.sides[n]);
    out_ += '"';
  }

  // what comes from another step, as a black square on its line
  void squares() {
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
      if (!picture_.edges[e].square || !layout_.printed) continue;
      out_ +=
          "  delay_" + std::to_string(e) +
          " [label=\"\", shape=square, style=filled, fillcolor=black, fixedsize=true, width=0.1, "
          "height=0.1, pos=\"";
      point(layout_.edges[e].square);
      out_ += "\"];\n";
    }
  }

  void clusters() {
    std::vector<std::string> members(picture_.clusters.size());
    for (const PictureNode& n : picture_.nodes) {
      if (n.cluster >= 0) members[static_cast<std::size_t>(n.cluster)] += ' ' + n.id + ';';
    }
    for (std::size_t c = 0; c < members.size(); ++c) {
      const Box& box = layout_.clusters[c];
      out_ += "  subgraph cluster_" + std::to_string(c) + " { graph [label=\"" +
              dot_escape(picture_.clusters[c].label) + "\", bb=\"";
      point({box.left(), box.bottom()});
      out_ += ',';
      point({box.right(), box.top()});
      out_ += "\", lp=\"";
      point(layout_.captions[c]);
      out_ += picture_.clusters[c].elided ? "\", style=\"rounded,dashed\"" : "\", style=rounded";
      out_ += ", color=\"#a0a0a0\"];" + members[c] + " }\n";
    }
  }

  const Picture& picture_;
  const RenderOptions& options_;
  Layout layout_;
  std::string out_;
};

}  // namespace

std::string to_dot(const Picture& picture, const RenderOptions& options) {
  draw::check_numbers(picture);
  return DotWriter(picture, options).write();
}

std::string draw::dot_format(const FormatSource& source, const RenderOptions& options) {
  return to_dot(source.picture(), options);
}

}  // namespace taugrad
