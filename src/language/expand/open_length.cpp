// A length that is not known before the start: what a draw depends on must not look ahead along it.
// (R14)
#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

bool names_length(const ResolvedModel& model, const AstNode& n, int length) {
  return n.kind == AstNode::Kind::name && model.find(n.name) < 0 &&
         n.name == model.lengths[static_cast<std::size_t>(length)];
}

bool goes_over(const ResolvedModel& model, const AstNode& n, int length) {
  return n.kind == AstNode::Kind::reduction && n.name != "conv" &&
         std::any_of(n.over.begin(), n.over.end(), [&](const std::string& letter) {
           for (std::size_t i = 0; i < model.system.indices.size(); ++i)
             if (model.system.indices[i].name == letter) return model.index_length[i] == length;
           return false;
         });
}

bool reads_ahead(const ResolvedModel& model, const AstNode& n, const Symbol& read, int length) {
  for (std::size_t a = 0; a < n.places.size() && a < read.axes.size(); ++a) {
    if (model.index_length[static_cast<std::size_t>(read.axes[a])] != length) continue;
    const Place& p = n.places[a];
    const bool letter = std::any_of(model.system.indices.begin(), model.system.indices.end(),
                                    [&](const FlatIndex& i) { return i.name == p.letter; });
    if (p.kind == Place::Kind::end || p.kind == Place::Kind::computed ||
        (p.kind == Place::Kind::letter && (!letter || p.offset > 0)))
      return true;
  }
  return false;
}

}  // namespace

void check_open_length(const ResolvedModel& model, int length,
                       const std::vector<std::string>& sampled) {
  std::vector<int> open;
  std::vector<char> seen(model.symbols.size(), 0);
  const auto visit = [&](int symbol) {
    if (symbol < 0 || seen[static_cast<std::size_t>(symbol)]) return;
    seen[static_cast<std::size_t>(symbol)] = 1;
    open.push_back(symbol);
  };
  for (const std::string& name : sampled) visit(model.find(name));
  while (!open.empty()) {
    const Symbol& s = model.symbols[static_cast<std::size_t>(open.back())];
    open.pop_back();
    for (const int r : s.rules)
      for (const Ast& ast : model.rules[static_cast<std::size_t>(r)].equation->arguments)
        for (const AstNode& n : ast.nodes) {
          const int read = n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference
                               ? model.find(n.name)
                               : -1;
          if (names_length(model, n, length) || goes_over(model, n, length) ||
              (read >= 0 &&
               reads_ahead(model, n, model.symbols[static_cast<std::size_t>(read)], length)))
            fail_at("E017",
                    fmt::format(
                        "a draw depends on what lies ahead, and where \"{}\" ends is not known yet",
                        model.lengths[static_cast<std::size_t>(length)]),
                    n,
                    "give the length: the number of steps without \"ends\", a tensor of lengths, "
                    "or a length "
                    "drawn first");
          visit(read);
        }
  }
}

}  // namespace taugrad
