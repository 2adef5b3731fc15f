#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_set>

#include "draw/layout/layout.h"
#include "draw/pictures/check_numbers.h"
#include "draw/printed/printed_layout.h"
#include "draw/render/formats.h"
#include "draw/render/svg_style.h"
#include "draw/text/math_text.h"
#include "draw/text/path_text.h"
#include "draw/text/text.h"
#include "taugrad/draw/render.h"

namespace taugrad {
namespace {

using draw::append_number;
using draw::Box;
using draw::Layout;
using draw::Point;
using draw::second_line;
using draw::xml_escape;

constexpr double kLegendHeight = 40;  // of pictures that are coloured by numbers

std::string_view class_of(EdgeKind kind) {
  constexpr std::array<std::string_view, 4> names{"data", "share", "back", "recall"};
  return names[static_cast<std::size_t>(kind)];
}
std::string_view class_of(NodeKind kind) {
  constexpr std::array<std::string_view, 9> names{
      "input", "weight", "copy", "variable", "random", "loss", "constant", "operation", "ellipsis"};
  return names[static_cast<std::size_t>(kind)];
}

class SvgWriter {
 public:
  SvgWriter(const Picture& picture, const RenderOptions& options)
      : picture_(picture), options_(options), layout_(draw::lay_out(picture)) {}

  std::string write() {
    head();
    for (std::size_t c = 0; c < picture_.clusters.size() && !layout_.printed; ++c) cluster(c);
    for (const EdgeKind kind :
         {EdgeKind::recall, EdgeKind::share, EdgeKind::data, EdgeKind::adjoint}) {
      for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
        if (picture_.edges[e].kind == kind) edge(e);
      }
    }
    for (std::size_t c = 0; c < picture_.clusters.size() && !layout_.printed; ++c) caption(c);
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) node(n);
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) edge_label(e);
    if (!picture_.legend.title.empty()) legend();
    for (std::size_t n = 0; n < picture_.notes.size(); ++n) note(n);
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  void attribute(std::string_view name, double value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    append_number(out_, value);
    out_ += '"';
  }
  void pair(double x, double y) {
    append_number(out_, x);
    out_ += ' ';
    append_number(out_, y);
  }

  void head() {
    out_ += "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"";
    attribute("width", layout_.width);
    attribute("height", height());
    out_ += " viewBox=\"0 0 ";
    pair(layout_.width, height());
    out_ += "\">\n";
    if (!picture_.title.empty()) out_ += "<title>" + xml_escape(picture_.title) + "</title>\n";
    if (!picture_.about.empty()) out_ += "<desc>" + xml_escape(picture_.about) + "</desc>\n";
    out_ += "<style>";
    out_ += draw::kSvgStyle;
    if (layout_.printed) out_ += draw::kSvgPrinted;
    if (!picture_.legend.title.empty() || any_striking()) out_ += draw::kSvgStriking;
    out_ += "</style>\n<defs>";
    for (const std::string_view name : {"data", "share", "back", "recall"}) {
      out_ += "<marker id=\"a-";
      out_ += name;
      out_ +=
          "\" viewBox=\"0 0 8 6\" refX=\"7.5\" refY=\"3\" markerWidth=\"8\" markerHeight=\"6\" "
          "markerUnits=\"userSpaceOnUse\" "
          "orient=\"auto\"><path d=\"M0 0L8 3L0 6z\"/></marker>";
    }
    out_ += "</defs>\n<rect class=\"bg\"";
    attribute("width", layout_.width);
    attribute("height", height());
    out_ += "/>\n";
  }

  bool any_striking() const {
    return std::ranges::any_of(picture_.edges, &PictureEdge::striking) ||
           std::ranges::any_of(picture_.nodes, &PictureNode::striking);
  }

  double height() const {
    return layout_.height + (picture_.legend.title.empty() ? 0 : kLegendHeight);
  }

  // below the drawing: a bar of the colours between the texts of its ends
  void legend() {
    const Legend& l = picture_.legend;
    constexpr double kWidth = 22, kBar = 10, kLeft = 12;
    const double top = layout_.height + 18;
    const double low = draw::text_width(l.low, draw::kSmallSize);
    out_ += "<g class=\"lg\">";
    text(kLeft, layout_.height + 10, l.title, "lt");
    text(kLeft, top + 9, l.low, "lt");
    for (std::size_t i = 0; i < l.colours.size(); ++i) {
      const double x = kLeft + low + 6 + kWidth * (static_cast<double>(i) + 0.5);
      rectangle({x, top + kBar / 2, kWidth, kBar}, 0, {}, l.colours[i]);
    }
    text(kLeft + low + 12 + kWidth * static_cast<double>(l.colours.size()), top + 9, l.high, "lt");
    out_ += "</g>\n";
  }

  void rectangle(const Box& box, double radius, std::string_view class_name = {},
                 std::string_view fill = {}) {
    out_ += "<rect";
    if (!fill.empty()) {
      out_ += " style=\"fill:";
      out_ += fill;
      out_ += '"';
    }
    if (!class_name.empty()) {
      out_ += " class=\"";
      out_ += class_name;
      out_ += '"';
    }
    attribute("x", box.left());
    attribute("y", box.top());
    attribute("width", box.width);
    attribute("height", box.height);
    attribute("rx", radius);
    out_ += "/>";
  }
  void text(double x, double y, std::string_view content, std::string_view class_name = {},
            std::string_view ink = {}) {
    out_ += "<text";
    if (!ink.empty()) {
      out_ += " style=\"fill:";
      out_ += ink;
      out_ += '"';
    }
    attribute("x", x);
    attribute("y", y);
    if (!class_name.empty()) {
      out_ += " class=\"";
      out_ += class_name;
      out_ += '"';
    }
    out_ += '>' + xml_escape(content) + "</text>";
  }

  void cluster(std::size_t c) {
    const Box& box = layout_.clusters[c];
    rectangle(box, 8, picture_.clusters[c].elided ? "cl gap" : "cl");
    out_ += '\n';
  }
  void caption(std::size_t c) {
    const Point at = layout_.captions[c];
    text(at.x, at.y + 4, picture_.clusters[c].label, "cap");
    out_ += '\n';
  }

  void edge(std::size_t e) {
    const PictureEdge& edge = picture_.edges[e];
    out_ += "<path class=\"";
    out_ += class_of(edge.kind);
    if (edge.striking) out_ += " bad";
    out_ += edge.dotted    ? "\" stroke-dasharray=\"1.5 3\" marker-end=\"url(#a-"
            : edge.delayed ? " delayed\" marker-end=\"url(#a-"
                           : "\" marker-end=\"url(#a-";
    out_ += class_of(edge.kind);
    out_ += ")\" d=\"";
    out_ += draw::path_text(layout_.edges[e]);
    out_ += "\"/>\n";
    if (!edge.square || !layout_.printed) return;
    const Point middle = layout_.edges[e].square;
    rectangle({middle.x, middle.y, draw::kSquare, draw::kSquare}, 0, "sq");
    out_ += '\n';
  }

  void edge_label(std::size_t e) {
    const PictureEdge& edge = picture_.edges[e];
    if (edge.label.empty()) return;
    const Point at = layout_.edges[e].label;
    std::string key = edge.label;  // edges on one line share their label
    append_number(key, at.x);
    append_number(key += ',', at.y);
    if (!labelled_.insert(std::move(key)).second) return;
    if (layout_.printed) {
      text(at.x, at.y + 4, edge.label, "e m");
      out_ += '\n';
      return;
    }
    rectangle({at.x, at.y, draw::text_width(edge.label, draw::kSmallSize) + 3, 11}, 2, "lb");
    text(at.x, at.y + 3.5, edge.label, "e");
    out_ += '\n';
  }

  void node(std::size_t n) {
    const PictureNode& node = picture_.nodes[n];
    const Box& box = layout_.nodes[n];
    const bool unnamed = node.name.empty();
    out_ += "<g id=\"" + node.id + "\" class=\"";
    out_ += class_of(node.kind);
    if (unnamed) out_ += " o";
    if (node.adjoint) out_ += node.order > 1 ? " adjoint second" : " adjoint";
    if (node.striking) out_ += " bad";
    out_ += "\">";
    if (!node.title.empty()) out_ += "<title>" + xml_escape(node.title) + "</title>";
    const double round = layout_.printed ? box.height / 2 : unnamed ? 9 : 5;
    rectangle(box, round, {}, node.fill);
    if (node.kind == NodeKind::random && !layout_.printed)
      rectangle({box.x, box.y, box.width - 5, box.height - 5}, 3, "in");
    const std::string second = second_line(node, options_.labels);
    if (layout_.printed) {
      math(box, node);
      const Point side = layout_.sides[n];
      if (!second.empty() && !unnamed) text(side.x, side.y + 3.5, second, "s");
    } else if (unnamed) {
      if (options_.labels) text(box.x, box.y + 4, node.op, {}, node.ink);
    } else if (second.empty()) {
      text(box.x, box.y + 4, node.name, {}, node.ink);
    } else {
      text(box.x, box.y - 2, node.name, {}, node.ink);
      text(box.x, box.y + 11, second, "s", node.ink);
    }
    out_ += "</g>\n";
  }

  // a letter with what is raised and lowered; of an operation its sign
  void math(const Box& box, const PictureNode& node) {
    if (node.kind == NodeKind::ellipsis || node.name.empty())
      return text(box.x, box.y + 4, node.name.empty() ? node.op : node.name, {}, node.ink);
    const draw::MathText m = draw::math_of(node.name);
    out_ += "<text class=\"m\"";
    if (!node.ink.empty()) out_ += " style=\"fill:" + node.ink + '"';
    attribute("x", box.x);
    attribute("y", box.y + 4.5);
    out_ += '>';
    if (!m.before.empty()) out_ += "<tspan class=\"bf\">" + m.before + "</tspan>";
    out_ += xml_escape(m.base);
    const double down = m.lowered.empty() ? 0 : 3;
    if (!m.lowered.empty())
      out_ += "<tspan class=\"r\" dy=\"3\">" + xml_escape(m.lowered) + "</tspan>";
    if (!m.raised.empty()) {
      out_ += "<tspan class=\"r\"";
      attribute("dy", -5 - down);
      out_ += '>' + xml_escape(m.raised) + "</tspan>";
    }
    out_ += "</text>";
  }

  void note(std::size_t n) {
    out_ += "<text class=\"s note\" style=\"text-anchor:start\"";
    attribute("x", layout_.notes[n].x);
    attribute("y", layout_.notes[n].y + 3.5);
    out_ += '>' + xml_escape(picture_.notes[n]) + "</text>\n";
  }

  const Picture& picture_;
  const RenderOptions& options_;
  Layout layout_;
  std::unordered_set<std::string> labelled_;
  std::string out_;
};

}  // namespace

std::string to_svg(const Picture& picture, const RenderOptions& options) {
  draw::check_numbers(picture);
  return SvgWriter(picture, options).write();
}

std::string draw::svg_format(const FormatSource& source, const RenderOptions& options) {
  return to_svg(source.picture(), options);
}

}  // namespace taugrad
