#include "draw/render/palette.h"

#include <array>

#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

struct KindLook {
  std::string_view word, fill, stroke;
};
// by NodeKind
constexpr std::array<KindLook, 9> kForward{{{"input", "#ffffd5", "#333333"},
                                            {"weight", "#add8e6", "#333333"},
                                            {"copy", "#e0f1f8", "#6f9db3"},
                                            {"variable", "#ffffff", "#333333"},
                                            {"random", "#ffffff", "#333333"},
                                            {"loss", "#caff70", "#333333"},
                                            {"constant", "#e6e6e6", "#888888"},
                                            {"operation", "#f3f3f3", "#777777"},
                                            {"ellipsis", "#ffffff", "#999999"}}};

}  // namespace

std::string_view word_of(NodeKind kind) { return kForward[static_cast<std::size_t>(kind)].word; }

std::string_view word_of(EdgeKind kind) {
  constexpr std::array<std::string_view, 4> words{"data", "share", "adjoint", "recall"};
  return words[static_cast<std::size_t>(kind)];
}

Look look_of(const PictureNode& node) {
  const KindLook& k = kForward[static_cast<std::size_t>(node.kind)];
  Look look{std::string(k.fill), std::string(k.stroke), "#111111"};
  const bool operation = node.kind == NodeKind::operation;
  if (node.order > 1)
    look = {operation ? "#f7eaf6" : "#efd0ec", operation ? "#a070a0" : "#7a2a78", "#111111"};
  else if (node.adjoint)
    look = {operation ? "#fff0e0" : "#ffdcb8", operation ? "#b08050" : "#8a4a10", "#111111"};
  if (!node.fill.empty()) {
    look.fill = node.fill;
    look.ink = node.ink;
  }
  if (node.striking) look.stroke = "#d00000";
  return look;
}

std::string_view colour_of(EdgeKind kind) {
  constexpr std::array<std::string_view, 4> colours{"#333333", "#6fa6c0", "#c05a10", "#b8b8b8"};
  return colours[static_cast<std::size_t>(kind)];
}

std::vector<std::string> lines_of(const PictureNode& node, bool labels) {
  std::vector<std::string> lines;
  if (!node.name.empty()) lines.push_back(node.name);
  const std::string second =
      node.name.empty() ? (labels ? node.op : "") : second_line(node, labels);
  if (!second.empty()) lines.push_back(second);
  return lines;
}

}  // namespace taugrad::draw
