// A tikzpicture, which a paper reads by \input.
#include <fmt/format.h>

#include <array>
#include <map>
#include <unordered_set>

#include "base/utf8.h"
#include "draw/layout/layout.h"
#include "draw/pictures/check_numbers.h"
#include "draw/printed/printed_layout.h"
#include "draw/render/formats.h"
#include "draw/render/palette.h"
#include "draw/render/tex_text.h"
#include "draw/text/path_text.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

class TikzWriter {
 public:
  TikzWriter(const Picture& picture, const RenderOptions& options)
      : picture_(picture), options_(options), layout_(lay_out(picture)) {}

  std::string write() {
    out_ = fmt::format(
        "% {}\n% in the preamble: \\usepackage{{tikz}} \\usetikzlibrary{{arrows.meta}}\n"
        "\\begin{{tikzpicture}}[x=1pt, y=-1pt, font=\\sffamily\\fontsize{{8}}{{9}}\\selectfont,\n"
        "  tg box/.style={{draw, rounded corners=4pt, align=center, inner sep=0pt, line "
        "width=.5pt}},\n"
        "  tg step/.style={{rounded corners=6pt, draw=black!25, fill=black!2}},\n"
        "  tg caption/.style={{text=black!65, font=\\sffamily\\fontsize{{7}}{{8}}\\selectfont}},\n"
        "  tg label/.style={{fill=white, inner sep=1pt, font=\\sffamily\\fontsize{{7}}{{8}}"
        "\\selectfont}},\n"
        "  tg edge/.style={{-{{Stealth[length=4pt]}}, line width=.6pt}}]\n",
        printable_line(picture_.title));
    out_ += kTexChar;
    colours();
    for (std::size_t c = 0; c < picture_.clusters.size() && !layout_.printed; ++c) cluster(c);
    for (const EdgeKind kind :
         {EdgeKind::recall, EdgeKind::share, EdgeKind::data, EdgeKind::adjoint})
      for (std::size_t e = 0; e < picture_.edges.size(); ++e)
        if (picture_.edges[e].kind == kind) edge(e);
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) node(n);
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) edge_label(e);
    for (std::size_t n = 0; n < picture_.notes.size(); ++n)
      line(layout_.notes[n], "tg caption, anchor=west", tex_escape(picture_.notes[n]));
    legend();
    out_ += "\\end{tikzpicture}\n";
    return std::move(out_);
  }

 private:
  void point(Point p) {
    out_ += '(';
    append_number(out_, p.x);
    out_ += ',';
    append_number(out_, p.y);
    out_ += ')';
  }
  void line(Point p, std::string_view style, const std::string& text) {
    out_ += fmt::format("\\node[{}] at ", style);
    point(p);
    out_ += " {" + text + "};\n";
  }

  // each once, by a name of letters
  std::string colour(const std::string& hex) const { return "tg" + hex.substr(1); }
  void colours() {
    std::map<std::string, int> used;
    for (const PictureNode& n : picture_.nodes) {
      const Look look = look_of(n);
      for (const std::string& c : {look.fill, look.stroke, look.ink}) used[c];
    }
    for (const PictureEdge& e : picture_.edges) used[std::string(colour_of(e.kind))];
    for (const std::string& c : picture_.legend.colours) used[c];
    used["#d00000"];
    for (const auto& [hex, number] : used) {
      std::string digits = hex.substr(1);
      for (char& c : digits) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
      out_ += fmt::format("\\definecolor{{{}}}{{HTML}}{{{}}}\n", colour(hex), digits);
    }
  }

  void rectangle(const Box& box, std::string_view style) {
    out_ += fmt::format("\\draw[{}] ", style);
    point({box.left(), box.top()});
    out_ += " rectangle ";
    point({box.right(), box.bottom()});
    out_ += ";\n";
  }

  void cluster(std::size_t c) {
    const Box& box = layout_.clusters[c];
    rectangle(box, picture_.clusters[c].elided ? "tg step, fill=none, dashed" : "tg step");
    line(layout_.captions[c], "tg caption", tex_escape(picture_.clusters[c].label));
  }

  void edge(std::size_t e) {
    const PictureEdge& edge = picture_.edges[e];
    out_ += fmt::format("\\draw[tg edge, {}{}{}] ", colour(std::string(colour_of(edge.kind))),
                        edge.delayed ? ", dashed" : "",
                        edge.striking ? ", tgd00000, line width=2pt" : "");
    const std::vector<Point>& p = layout_.edges[e].points;
    point(p[0]);
    for (std::size_t i = 0; i + 3 < p.size(); i += 3) {
      if (is_line(&p[i])) {
        out_ += " -- ";
      } else {
        out_ += " .. controls ";
        point(p[i + 1]);
        out_ += " and ";
        point(p[i + 2]);
        out_ += " .. ";
      }
      point(p[i + 3]);
    }
    out_ += ";\n";
    if (!edge.square || !layout_.printed) return;
    const Point m = layout_.edges[e].square;
    rectangle({m.x, m.y, 6, 6}, "fill=black");
  }

  void node(std::size_t n) {
    const PictureNode& node = picture_.nodes[n];
    const Box& box = layout_.nodes[n];
    const Look look = look_of(node);
    std::string style = fmt::format("tg box, draw={}, fill={}, text={}", colour(look.stroke),
                                    colour(look.fill), colour(look.ink));
    if (node.kind == NodeKind::random && !layout_.printed) style += ", double";
    if (node.kind == NodeKind::ellipsis) style += ", dashed";
    if (node.striking) style += ", line width=2pt";
    const auto length = [&](std::string_view what, double value) {
      style += fmt::format(", minimum {}=", what);
      append_number(style, value);
      style += "pt";
    };
    length("width", box.width);
    length("height", box.height);
    if (layout_.printed) return printed_node(n, style);
    std::string text;
    for (const std::string& each : lines_of(node, options_.labels)) {
      const bool name = text.empty() && !node.name.empty();
      text += text.empty() ? "" : "\\\\[-1pt] \\scriptsize ";
      text += name ? tex_math(each) : tex_escape(each);
    }
    line({box.x, box.y}, style, text);
  }

  void printed_node(std::size_t n, std::string style) {
    const PictureNode& node = picture_.nodes[n];
    const Box& box = layout_.nodes[n];
    if (node.kind == NodeKind::ellipsis) return line({box.x, box.y}, "", "$\\cdots$");
    style += ", rounded corners=";
    append_number(style, box.height / 2);
    style += "pt, font=\\normalsize";
    line({box.x, box.y}, style, node.name.empty() ? tex_escape(node.op) : tex_math(node.name));
    if (side_width(node) > 0 && options_.labels)
      line(layout_.sides[n], "tg caption", tex_escape(second_line(node, true)));
  }

  void edge_label(std::size_t e) {
    const std::string& label = picture_.edges[e].label;
    if (label.empty()) return;
    const Point at = layout_.edges[e].label;
    std::string key = label;  // edges on one line share their label
    append_number(key, at.x);
    append_number(key += ',', at.y);
    if (!labelled_.insert(std::move(key)).second) return;
    if (layout_.printed)
      line(at, "inner sep=0pt, font=\\small", "\\textit{" + tex_escape(label) + "}");
    else
      line(at, "tg label", tex_escape(label));
  }

  void legend() {
    const Legend& l = picture_.legend;
    if (l.title.empty()) return;
    constexpr double kWidth = 22, kBar = 10;
    const double top = layout_.height + 18;
    line({12, layout_.height + 8}, "tg caption, anchor=west", tex_escape(l.title));
    line({12, top + 5}, "tg caption, anchor=west", tex_escape(l.low));
    double x = 18 + text_width(l.low, kSmallSize);
    for (const std::string& c : l.colours) {
      rectangle({x + kWidth / 2, top + kBar / 2, kWidth, kBar},
                fmt::format("draw=none, fill={}", colour(c)));
      x += kWidth;
    }
    line({x + 4, top + 5}, "tg caption, anchor=west", tex_escape(l.high));
  }

  const Picture& picture_;
  const RenderOptions& options_;
  const Layout layout_;
  std::unordered_set<std::string> labelled_;
  std::string out_;
};

}  // namespace

std::string tikz_format(const FormatSource& source, const RenderOptions& options) {
  const Picture picture = source.picture();
  check_numbers(picture);
  return TikzWriter(picture, options).write();
}

}  // namespace taugrad::draw
