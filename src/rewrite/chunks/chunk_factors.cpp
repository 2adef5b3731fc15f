#include <algorithm>

#include "rewrite/chunks/chunk_writer.h"
#include "taugrad/ops/ops.h"

// The factors of what updates do, a row a step.
namespace taugrad {

/// The product of the factors of one kind; an empty Var: there are none.
Var ChunkWriter::multiplied(const ProductOf& of, Factor::Kind kind) {
  const std::vector<Factor>& factors = of(chain_->updates[chunk_->first]).factors;
  const StateAxes& axes = chain_->axes;
  const std::int64_t width = kind == Factor::Kind::row      ? axes.columns
                             : kind == Factor::Kind::column ? axes.rows
                                                            : 1;
  if (chain_->period > 1) return multiplied_in_turn(of, kind, width);
  Var all;
  for (std::size_t f = 0; f < factors.size(); ++f) {
    if (factors[f].kind != kind) continue;
    std::vector<NodeId> nodes;
    for (std::size_t t = chunk_->first; t < chunk_->end; ++t)
      nodes.push_back(factor_line(of(chain_->updates[t]).factors[f]).id);
    all = product(all, stacked(nodes, factors[f].heads, width));
  }
  return all;
}

Var ChunkWriter::factor_line(const Factor& factor) {
  const Var x = kept(factor.node);
  // of items that have ended there is nothing to divide by
  return factor.below ? once(kInverse, x, {}, [&] { return 1.0 / x; }) : x;
}

/// Where updates take turns, step by step: 1 where one has no such factor.
Var ChunkWriter::multiplied_in_turn(const ProductOf& of, Factor::Kind kind, std::int64_t width) {
  std::int64_t heads = 0;
  for (std::size_t t = 0; t < chain_->period; ++t)
    for (const Factor& f : of(chain_->updates[t]).factors)
      if (f.kind == kind) heads = std::max(heads, f.heads);
  if (heads == 0) return {};
  std::vector<NodeId> nodes;
  for (std::size_t t = chunk_->first; t < chunk_->end; ++t) {
    std::vector<NodeId> key{static_cast<NodeId>(heads)};
    Var line;
    for (const Factor& f : of(chain_->updates[t]).factors) {
      if (f.kind != kind) continue;
      key.push_back(factor_line(f).id);
      line = product(line, reshape(factor_line(f), {f.heads, width}));
    }
    Var& known = in_turn_[{std::move(key), width}];
    if (!known && !line) known = constant(to_, 1, {heads, width});
    if (!known) known = line.shape()[0] == heads ? line : broadcast_to(line, {heads, width});
    nodes.push_back(known.id);
  }
  return stacked(nodes, heads, width);
}

Var ChunkWriter::numbers(const ProductOf& of) {
  const Var all = multiplied(of, Factor::Kind::number);
  const auto is_negative = [&](const LinearUpdate& u) { return of(u).negative; };
  const auto begin = chain_->updates.begin();
  const std::span<const LinearUpdate> turn(begin,
                                           begin + static_cast<std::ptrdiff_t>(chain_->period));
  if (std::ranges::none_of(turn, is_negative)) return all;
  if (std::ranges::all_of(turn, is_negative))
    return all ? -all : constant(to_, -1, {1, static_cast<std::int64_t>(size()), 1});
  return product(all, signs(of));
}

/// [1,C,1]: 1 or -1
Var ChunkWriter::signs(const ProductOf& of) {
  const NodeId plus = constant(to_, 1, {}).id, minus = constant(to_, -1, {}).id;
  std::vector<NodeId> nodes;
  for (std::size_t t = chunk_->first; t < chunk_->end; ++t)
    nodes.push_back(of(chain_->updates[t]).negative ? minus : plus);
  return stacked(nodes, 1, 1);
}

}  // namespace taugrad
