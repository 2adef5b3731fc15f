#include "rewrite/chunks/chunk_writer.h"
#include "taugrad/ops/decays.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/triangular.h"

// Lines that are added as the state before them is read: each step's has what the earlier ones of
// the chunk added, which is a triangular system of equations.
namespace taugrad {
namespace {

const FactorProduct& added_of(const LinearUpdate& u) { return u.added; }
const FactorProduct& scale_of(const LinearUpdate& u) { return u.correction->scale; }

}  // namespace

const Correction* ChunkWriter::correction(std::size_t t) const {
  const auto& c = chain_->updates[t].correction;
  return c ? &*c : nullptr;
}

/// What is left at the reads that correct of the steps before them, and of the state before.
ChunkWriter::Decays ChunkWriter::decays_read(Var gates) {
  if (!gates) return {};  // what stands above the diagonal has no part
  if (correction(chunk_->first)->gated) return decays_;
  const std::int64_t heads = gates.shape()[0], count = gates.shape()[1];
  Decays d;
  d.between = once(kBefore, gates, {}, [&] { return decays(reshape(gates, {heads, count}), 1); });
  d.from_start = once(kFromStart, gates, d.between, [&] {
    const Var first = unit_column(0);
    const Var gate = stacked_matmul(reshape(gates, {heads, 1, count}), first);
    return first + gate * stacked_matmul(d.between, first);
  });
  return d;
}

ChunkWriter::Group ChunkWriter::corrections() const {
  const StateRead& first = correction(chunk_->first)->read;
  Group group{first.over_columns, first.heads, {}};
  for (std::size_t t = chunk_->first; t < chunk_->end; ++t)
    group.reads.push_back(&correction(t)->read);
  return group;
}

/// V of (I - s o (P K^T) o L) V = X + s o d o (P S^T).
Var ChunkWriter::corrected() {
  const Group group = corrections();
  const bool over = group.over_columns;
  const Var number = numbers(added_of), scale = product(number, numbers(scale_of));
  const Var p = queries(group);
  const Var minus = scale ? -scale * p : -p;
  Var right = of_steps(product(number, rest_of_line()));
  if (before_) right = right - read_before(minus, over, decays_read_);
  const Var met = scores(minus, keys(over), decays_read_);
  return solve_unit_lower(of_all_heads(met), of_all_heads(right));
}

/// X
Var ChunkWriter::rest_of_line() {
  const Correction& c = *correction(chunk_->first);
  Var sum;
  for (std::size_t i = 0; i < c.rest.size(); ++i) {
    const ProductOf rest = [i](const LinearUpdate& u) -> const FactorProduct& {
      return u.correction->rest[i];
    };
    const Var term = product(numbers(rest), multiplied(rest, c.line));
    sum = sum ? sum + term : term;
  }
  const StateAxes& axes = chain_->axes;
  const std::int64_t width = c.line == Factor::Kind::row ? axes.columns : axes.rows;
  return sum ? sum : constant(to_, 0, {1, static_cast<std::int64_t>(size()), width});
}

/// What was read, for whoever reads it beside the update.
void ChunkWriter::give_corrections() {
  const Group group = corrections();
  const Var p = queries(group);
  const Var earlier = decays(constant(to_, 1, {static_cast<std::int64_t>(size())}), 1);
  const Var met = scores(p, keys(group.over_columns), decays_read_);
  const Var y = of_all_heads(stacked_matmul(met * earlier, line_));
  give(group, before_ ? y + read_before(p, group.over_columns, decays_read_) : y);
}

}  // namespace taugrad
