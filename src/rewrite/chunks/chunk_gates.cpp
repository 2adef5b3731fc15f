#include <algorithm>

#include "rewrite/chunks/chunk_writer.h"
#include "taugrad/ops/decays.h"
#include "taugrad/ops/gated.h"
#include "taugrad/ops/ops.h"

// What gates leave between the steps of a chunk.
namespace taugrad {
namespace {

/// [h,C,width] as [C,h,width], and back.
Var turned(Var v) { return transpose(v, {1, 0, 2}); }

const FactorProduct& gate_of(const LinearUpdate& u) { return u.gate; }

}  // namespace

Var ChunkWriter::unit_column(std::int64_t place) const {
  return pad(constant(to_, 1, {1, 1}), place, static_cast<std::int64_t>(size()));
}

Var ChunkWriter::gates() {
  const Factor::Kind kind = chain_->gate_kind();
  const Var number = numbers(gate_of);
  if (kind == Factor::Kind::number) return number;
  return product(number, multiplied(gate_of, kind));
}

ChunkWriter::Decays ChunkWriter::decays_of(Var gates) {
  if (chain_->gate_kind() != Factor::Kind::number) return decays_of_lines(gates);
  const auto count = static_cast<std::int64_t>(size());
  Decays d;
  if (!gates) {
    const Var one = constant(to_, 1, {1, count});
    d.between = decays(one);
    return d;
  }
  const std::int64_t heads = gates.shape()[0];
  const Var between = once(kBetween, gates, {}, [&] {
    return decays(reshape(gates, {heads, count}));
  });
  d.between = between;
  d.from_start = once(kFromStart, gates, {}, [&] {
    const Var first = unit_column(0);
    const Var gate = stacked_matmul(reshape(gates, {heads, 1, count}), first);
    return gate * stacked_matmul(between, first);
  });
  const auto row = [&] { return reshape(unit_column(count - 1), {1, count}); };
  d.to_end = once(kToEnd, gates, {}, [&] {
    return reshape(stacked_matmul(row(), between), {heads, count, 1});
  });
  d.all = stacked_matmul(row(), d.from_start);
  return d;
}

/// Multiplied up step by step, from the first on and back from the last.
ChunkWriter::Decays ChunkWriter::decays_of_lines(Var gates) {
  const std::int64_t heads = gates.shape()[0], count = gates.shape()[1], width = gates.shape()[2];
  const Var steps = turned(gates);
  const Var first = pad(slice(steps, 0, 1), 0, count);
  const Var last = pad(constant(to_, 1, {1, heads, width}), count - 1, count);
  const Var from_start = scan(steps, first);
  Decays d;
  d.lines = gates;
  d.from_start = turned(from_start);
  d.to_end = turned(scan(steps, last, Way::backwards));
  d.all = reshape(slice(from_start, count - 1, count), {heads, 1, width});
  return d;
}

/// Whether rows of gates stand beside queries and keys, not beside the values.
bool ChunkWriter::gates_meet_queries(bool over_columns) const {
  return over_columns == (chain_->gate_kind() == Factor::Kind::row);
}

/// What queries have of each step of the chunk.
Var ChunkWriter::scores(Var q, Var k, const Decays& decays) {
  if (decays.lines) {
    const std::int64_t heads = std::max({q.shape()[0], k.shape()[0], decays.lines.shape()[0]});
    const Var lines = of_heads(k, heads), gates = of_heads(decays.lines, heads);
    if (!decays.lagging) return gated_scores(of_heads(q, heads), lines, gates);
    // a query stands at the step before it, and what it has comes back to its own
    const Var back = decays_of_none();
    const Var earlier = of_heads(stacked_matmul(back, q, true), heads);
    return stacked_matmul(back, gated_scores(earlier, lines, gates));
  }
  const Var met = once(kMet, q, k, [&] { return stacked_matmul(q, k, false, true); });
  if (!decays.between) return met;
  return once(kWeighed, met, decays.between, [&] { return met * decays.between; });
}

/// What is read of the steps of the chunk itself.
Var ChunkWriter::read_in_chunk(Var q, bool over_columns) {
  Var sum;
  for (std::size_t i = 0; i < products(); ++i) {
    const Var k = keys(over_columns, i), v = values(over_columns, i);
    const Var read = of_all_heads(read_of(q, k, v, over_columns));
    sum = sum ? sum + read : read;
  }
  return sum;
}
Var ChunkWriter::read_of(Var q, Var k, Var v, bool over_columns) {
  const Var gates = decays_.lines;
  if (!gates || gates_meet_queries(over_columns)) return stacked_matmul(scores(q, k, decays_), v);
  const Var met = scores(q, k, {});
  const std::int64_t heads = std::max({met.shape()[0], v.shape()[0], gates.shape()[0]});
  const Var weights = of_heads(met, heads), lines = of_heads(v, heads);
  return gated_sums(weights, lines, of_heads(gates, heads));
}

/// What is read of the state before it.
Var ChunkWriter::read_before(Var q, bool over_columns, const Decays& decays) const {
  if (decays.lines && gates_meet_queries(over_columns))
    return stacked_matmul(decays.from_start * q, before_, false, over_columns);
  return product(decays.from_start, stacked_matmul(q, before_, false, over_columns));
}

Var ChunkWriter::state_after() {
  const Factor::Kind kind = chain_->gate_kind();
  Var added, all = decays_.all;
  for (std::size_t i = 0; i < products(); ++i) {
    Var lines = values(true, i), row = keys(true, i);
    if (kind == Factor::Kind::row)
      row = decays_.to_end * row;
    else
      lines = product(decays_.to_end, lines);
    const Var one = of_all_heads(stacked_matmul(lines, row, true));
    added = added ? added + one : one;
  }
  if (kind == Factor::Kind::column) all = reshape(all, {all.shape()[0], all.shape()[2], 1});
  return before_ ? product(all, before_) + added : added;
}

}  // namespace taugrad
