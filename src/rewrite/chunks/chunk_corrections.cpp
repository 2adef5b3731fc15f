#include "rewrite/chunks/chunk_writer.h"
#include "taugrad/ops/decays.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/triangular.h"

// Lines that are added as the state before them is read: each step's has what the earlier ones of
// the chunk added, which is a triangular system of equations.
namespace taugrad {
namespace {

const FactorProduct& scale_of(const LinearUpdate& u) {
  static const FactorProduct one;
  return u.correction ? u.correction->scale : one;
}

}  // namespace

/// [C,C]: 1 at each step for the one before it.
Var ChunkWriter::decays_of_none() const {
  return decays(constant(to_, 0, {static_cast<std::int64_t>(size())}), 1);
}

/// What is left at the reads that correct of the steps before them, and of the state before.
ChunkWriter::Decays ChunkWriter::decays_read(Var gates) {
  if (!gates) return {};  // what stands above the diagonal has no part
  if (chain_->correction()->gated) return decays_;
  Decays d;
  d.lines = decays_.lines;
  d.lagging = true;
  if (!d.lines) {
    const std::int64_t heads = gates.shape()[0], count = gates.shape()[1];
    d.between = once(kBefore, gates, {}, [&] { return decays(reshape(gates, {heads, count}), 1); });
  }
  d.from_start = once(kBefore, decays_.from_start, {}, [&] { return lagging(decays_.from_start); });
  return d;
}

/// Of the step before, and 1 at the first.
Var ChunkWriter::lagging(Var from_start) {
  const Var earlier = stacked_matmul(decays_of_none(), from_start);
  return earlier + unit_column(0);
}

ChunkWriter::Group ChunkWriter::corrections() const {
  const StateRead& first = chain_->correction()->read;
  Group group{first.over_columns, first.heads, {}};
  for (std::size_t t = chunk_->first; t < chunk_->end; ++t) {
    const auto& c = chain_->updates[t].correction;
    group.reads.push_back(c ? &c->read : nullptr);
  }
  return group;
}

/// V of (I - s o (P K^T) o L) V = X + s o d o (P S^T).
Var ChunkWriter::corrected() {
  const Group group = corrections();
  const bool over = group.over_columns;
  const Var number = numbers(added_of(0)), scale = product(number, numbers(scale_of));
  const Var p = queries(group);
  const Var minus = scale ? -scale * p : -p;
  Var right = product(number, rest_of_line());
  if (before_) right = right - read_before(minus, over, decays_read_);
  for (std::size_t i = 1; i < products(); ++i) right = right - earlier_lines(minus, i);
  const Var met = scores(minus, keys(over, 0), decays_read_);
  return solve_unit_lower(of_all_heads(met), of_all_heads(right));
}

/// What queries have of the steps before theirs, by one of the products that they add.
Var ChunkWriter::earlier_lines(Var q, std::size_t product) {
  const bool over = chain_->correction()->read.over_columns;
  Var met = scores(q, keys(over, product), decays_read_);
  if (!decays_read_.lagging)
    met = met * decays(constant(to_, 1, {static_cast<std::int64_t>(size())}), 1);
  return of_all_heads(stacked_matmul(met, values(over, product)));
}

/// X
Var ChunkWriter::rest_of_line() {
  const Correction& c = *chain_->correction();
  const bool in_turn = chain_->period > 1;
  Var sum;
  for (std::size_t i = 0; i < c.rest.size() && !in_turn; ++i) {
    const ProductOf rest = [i](const LinearUpdate& u) -> const FactorProduct& {
      return u.correction->rest[i];
    };
    const Var term = of_steps(product(numbers(rest), multiplied(rest, c.line)));
    sum = sum ? sum + term : term;
  }
  const StateAxes& axes = chain_->axes;
  const std::int64_t width = c.line == Factor::Kind::row ? axes.columns : axes.rows;
  if (!in_turn) return sum ? sum : constant(to_, 0, {1, static_cast<std::int64_t>(size()), width});
  std::vector<NodeId> nodes;
  for (std::size_t t = chunk_->first; t < chunk_->end; ++t)
    nodes.push_back(rest_at(chain_->updates[t], c.line, width).id);
  return of_steps(stacked(nodes, axes.heads, width));
}

/// [heads,width], where updates take turns: that of an update without a correction is its line.
Var ChunkWriter::rest_at(const LinearUpdate& u, Factor::Kind kind, std::int64_t width) {
  const std::int64_t heads = chain_->axes.heads;
  const auto line_of = [&](const FactorProduct& product_of) {
    Var line;
    for (const Factor& f : product_of.factors)
      if (u.correction || f.kind == kind)
        line = product(line, reshape(factor_line(f), {f.heads, f.kind == kind ? width : 1}));
    return product_of.negative && u.correction ? -line : line;
  };
  Var sum = u.correction ? Var{} : line_of(u.added.front());
  if (u.correction)
    for (const FactorProduct& rest : u.correction->rest) {
      const Var term = line_of(rest);
      sum = sum ? sum + term : term;
    }
  if (!sum) return constant(to_, u.correction ? 0 : 1, {heads, width});
  return sum.shape()[0] == heads ? sum : broadcast_to(sum, {heads, width});
}

/// What was read, for whoever reads it beside the update.
void ChunkWriter::give_corrections() {
  const Group group = corrections();
  const Var p = queries(group);
  Var y = earlier_lines(p, 0);
  for (std::size_t i = 1; i < products(); ++i) y = y + earlier_lines(p, i);
  give(group, before_ ? y + read_before(p, group.over_columns, decays_read_) : y);
}

}  // namespace taugrad
