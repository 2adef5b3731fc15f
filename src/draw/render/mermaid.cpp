// A flowchart for Markdown, which lays it out itself: https://mermaid.js.org
#include <fmt/format.h>

#include <array>
#include <map>

#include "base/utf8.h"
#include "draw/pictures/check_numbers.h"
#include "draw/render/formats.h"
#include "draw/render/palette.h"
#include "json/json_writer.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostEdges = 500;  // that GitHub draws
// by NodeKind: what stands around a text
constexpr std::array<std::array<std::string_view, 2>, 9> kShapes{{{"[/", "/]"},
                                                                  {"{{", "}}"},
                                                                  {"(", ")"},
                                                                  {"[", "]"},
                                                                  {"[[", "]]"},
                                                                  {"([", "])"},
                                                                  {"[", "]"},
                                                                  {"(", ")"},
                                                                  {"[", "]"}}};

/// In quotes; whatever Markdown, HTML or Mermaid would read is written by its number.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    const auto c = static_cast<unsigned char>(text[at]);
    constexpr std::string_view kPlain = " (),./:=?[]@|^~!$%{}";
    const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool item = c == '.' && at + 1 < text.size() && text[at + 1] == ' ';  // "1. " of a list
    if (length > 1)
      out += text.substr(at, length);
    else if (letter || (kPlain.find(text[at]) != std::string_view::npos && !item))
      out += text[at];
    else if (c == '\n' || c == '\r' || c == '\t')
      out += ' ';
    else if (length == 0 || c < 0x20 || c == 0x7F)
      out += "\xEF\xBF\xBD";
    else
      out += fmt::format("#{};", c);
    at += length == 0 ? 1 : length;
  }
  return out + '"';
}

/// No id may be one of Mermaid's words ("end", "style").
std::string id_of(const PictureNode& node) { return "n_" + node.id; }

class MermaidWriter {
 public:
  MermaidWriter(const Picture& picture, const RenderOptions& options)
      : picture_(picture), options_(options) {}

  std::string write() {
    out_ = "---\ntitle: ";
    json::append_string(out_, picture_.title);  // which YAML reads too
    out_ += "\n---\nflowchart LR\n";
    if (picture_.edges.size() > kMostEdges)
      out_ +=
          fmt::format("  %% {} edges: GitHub draws up to {}\n", picture_.edges.size(), kMostEdges);
    for (const std::string& note : picture_.notes) comment(note);
    const Legend& l = picture_.legend;
    if (!l.title.empty()) comment(fmt::format("colour: {}, {} to {}", l.title, l.low, l.high));
    std::vector<std::vector<std::size_t>> members(picture_.clusters.size());
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      const int c = picture_.nodes[n].cluster;
      if (c >= 0)
        members[static_cast<std::size_t>(c)].push_back(n);
      else
        node(n, "  ");
    }
    for (std::size_t c = 0; c < members.size(); ++c) {
      out_ += fmt::format("  subgraph step_{}[{}]\n", c, in_quotes(picture_.clusters[c].label));
      for (const std::size_t n : members[c]) node(n, "    ");
      out_ += "  end\n";
    }
    for (const PictureEdge& e : picture_.edges) edge(e);
    edge_colours();
    node_colours();
    return std::move(out_);
  }

 private:
  void comment(const std::string& text) {
    std::string line = in_quotes(text);
    out_ += "  %% " + line.substr(1, line.size() - 2) + "\n";
  }

  void node(std::size_t n, const char* indent) {
    const PictureNode& node = picture_.nodes[n];
    std::string text;
    for (const std::string& line : lines_of(node, options_.labels)) {
      const std::string one = in_quotes(line);
      text += (text.empty() ? "" : "<br/>") + one.substr(1, one.size() - 2);
    }
    const auto& shape = kShapes[static_cast<std::size_t>(node.kind)];
    out_ += indent + id_of(node);
    out_ += shape[0];
    out_ += '"' + (text.empty() ? " " : text) + '"';
    out_ += shape[1];
    out_ += '\n';
  }

  void edge(const PictureEdge& e) {
    const auto id = [&](int n) { return id_of(picture_.nodes[static_cast<std::size_t>(n)]); };
    out_ += "  " + id(e.from) + (e.delayed ? " -.->" : e.striking ? " ==>" : " -->");
    if (!e.label.empty()) out_ += '|' + in_quotes(e.label) + '|';
    out_ += ' ' + id(e.to) + '\n';
  }

  // by the numbers of the edges, as they were written
  void edge_colours() {
    std::map<std::string, std::string> edges;
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
      const PictureEdge& edge = picture_.edges[e];
      if (edge.kind == EdgeKind::data && !edge.striking) continue;
      std::string& list = edges[edge.striking ? "#d00000" : std::string(colour_of(edge.kind))];
      list += (list.empty() ? "" : ",") + std::to_string(e);
    }
    for (const auto& [colour, list] : edges)
      out_ += "  linkStyle " + list + " stroke:" + colour + '\n';
  }

  // one class for each look
  void node_colours() {
    std::map<std::string, std::string> nodes;
    for (const PictureNode& n : picture_.nodes) {
      const Look look = look_of(n);
      std::string& list = nodes[fmt::format("fill:{},stroke:{},color:{}{}", look.fill, look.stroke,
                                            look.ink, n.striking ? ",stroke-width:3px" : "")];
      list += (list.empty() ? "" : ",") + id_of(n);
    }
    int number = 0;
    for (const auto& [look, list] : nodes) {
      out_ += fmt::format("  classDef look{} {}\n", number, look);
      out_ += fmt::format("  class {} look{}\n", list, number++);
    }
  }

  const Picture& picture_;
  const RenderOptions& options_;
  std::string out_;
};

}  // namespace

std::string mermaid_format(const FormatSource& source, const RenderOptions& options) {
  const Picture picture = source.picture();
  check_numbers(picture);
  return MermaidWriter(picture, options).write();
}

}  // namespace taugrad::draw
