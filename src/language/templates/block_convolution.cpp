#include <fmt/core.h>

#include <span>
#include <string>
#include <vector>

#include "language/syntax/syntax_help.h"
#include "language/templates/block_compiler.h"
#include "taugrad/ops/ops.h"

// conv[t](K, x[t]): a sum over taps, each the reference read further along.              (R10, R16)
namespace taugrad {
namespace {

constexpr const char* kKernels =
    "K is [w,m,n] for one index and [w,w',m,n] for two; depthwise [w,m] and [w,w',m]";

// whether a letter stands under a node
bool mentions(const Ast& ast, int root, const std::string& letter) {
  std::vector<int> open{root};
  while (!open.empty()) {
    const AstNode& n = ast.nodes[static_cast<std::size_t>(open.back())];
    open.pop_back();
    if (n.kind == AstNode::Kind::name && n.name == letter) return true;
    for (const Place& p : n.places)
      if (p.kind == Place::Kind::letter && p.letter == letter) return true;
    open.insert(open.end(), n.children.begin(), n.children.end());
  }
  return false;
}

/// The first tap of a convolution (a reference; of an import's bound input, its expression) read
/// `by(o)` taps further along letter o of the convolution.
template <class By>
Ast shifted(const Ast& ast, int root, const AstNode& conv, const By& by) {
  Ast tap;
  tap.nodes.assign(ast.nodes.begin(), ast.nodes.begin() + root + 1);
  std::vector<char> inside(tap.nodes.size(), 0);
  inside.back() = 1;
  for (std::size_t id = tap.nodes.size(); id-- > 0;) {
    if (!inside[id]) continue;
    AstNode& n = tap.nodes[id];
    if (n.kind != AstNode::Kind::reference)  // the arithmetic of a place is moved as a whole
      for (const int child : n.children) inside[static_cast<std::size_t>(child)] = 1;
    for (std::size_t a = 0; a < n.places.size(); ++a)
      for (std::size_t o = 0; o < conv.over.size(); ++o) {
        Place& p = n.places[a];
        const bool moves = p.kind == Place::Kind::letter
                               ? p.letter == conv.over[o]
                               : p.kind == Place::Kind::computed &&
                                     mentions(tap, computed_root(n, a), conv.over[o]);
        if (moves) p.offset += conv.steps[o] * by(o);
      }
  }
  return tap;
}

// Each index that a convolution goes over moves what it reads: else all taps would be one.
void require_moves(const Ast& ast, const AstNode& conv) {
  for (std::size_t o = 0; o < conv.over.size(); ++o) {
    const Ast moved =
        shifted(ast, conv.children[1], conv, [&](std::size_t k) { return k == o ? 1 : 0; });
    bool same = true;
    for (std::size_t id = 0; id < moved.nodes.size(); ++id)
      same = same && moved.nodes[id].places == ast.nodes[id].places;
    if (same)
      fail_at("E007",
              fmt::format("conv[{0}] goes over {0}, and reads nothing at {0}", conv.over[o]), conv,
              kKernels);
  }
}

// sum_d K[d] * taps[d] of a K [w,m] or [w,w',m]
Var depthwise(Var k, std::span<const Var> taps) {
  const std::int64_t m = k.shape()[k.shape().rank() - 1],
                     count = static_cast<std::int64_t>(taps.size());
  if (count == 0) return constant(*k.tape, 0, {m});
  const Var rows = reshape(k, {count, m});
  Vars terms;
  for (std::int64_t d = 0; d < count; ++d) {
    const Var& tap = taps[static_cast<std::size_t>(d)];
    terms.push_back(rows[d] * tap);
  }
  return terms.size() == 1 ? terms[0] : add_n(terms);
}

}  // namespace

// sum over d < w of K[d] @ x[t + d dilation], or K[d] * x of a depthwise K: the reference is the
// first tap    (R10, R16)
Value BlockCompiler::conv(const Ast& ast, const AstNode& n, const Value& kernel, int dilation) {
  const int rank = static_cast<int>(n.over.size());
  const int axes = kernel.var ? kernel.var.shape().rank() : 0;
  if (axes != rank + 2 && axes != rank + 1)
    fail_at("G020",
            fmt::format(
                "conv[..] over {} ind{} takes a kernel of {} axes, or of {} where it is depthwise",
                rank, rank == 1 ? "ex" : "ices", rank + 2, rank + 1),
            n, kKernels);
  for (const std::string& letter : n.over) index_called(letter, n);
  require_moves(ast, n);
  const Shape& k = kernel.var.shape();
  const std::int64_t high = k[0], wide = rank == 2 ? k[1] : 1;
  if (high * wide > 4096) fail_at("G021", "a convolution has more than 4096 taps", n);
  std::vector<Var> taps;
  for (std::int64_t d = 0; d < high * wide; ++d) {
    const Ast tap = shifted(ast, n.children[1], n, [&](std::size_t o) {
      return dilation * static_cast<int>(rank == 1 ? d : o == 0 ? d / wide : d % wide);
    });
    const Value x = record(tap, tap.root()).back();
    numeric(x, n);
    taps.push_back(tensor(x));
  }
  if (axes == rank + 2) return {.var = taugrad::conv(kernel.var, taps)};
  for (const Var& tap : taps)
    if (tap.shape() != Shape{k[rank]})
      fail_at("G020",
              fmt::format("each tap of the depthwise kernel {} is a vector [{}], not {}",
                          to_string(k), k[rank], to_string(tap.shape())),
              n, kKernels);
  return {.var = depthwise(kernel.var, taps)};
}

}  // namespace taugrad
