#include "rewrite/chunks/chunk_writer.h"

#include <algorithm>
#include <numeric>

#include "ops/positions/lengths.h"
#include "rewrite/chunks/linear_update.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/steps.h"

namespace taugrad {
ChunkWriter::ChunkWriter(const Tape& from, TapeCopy& copy, std::vector<NodeId>& kept,
                         const std::set<std::string>& asked)
    : from_(from), copy_(copy), to_(copy.graph().tape()), kept_(kept), lanes_(to_, asked) {}

void ChunkWriter::write(const StateChain& chain, const Chunk& chunk) {
  begin(chain, chunk);
  const std::vector<Group> all = groups();
  const bool last = chunk.end == chain.updates.size();
  const bool ends = std::ranges::any_of(all, [&](const Group& g) { return reads_end(g); });
  Var& after = after_[&chain];
  if (!last || chain.whole || ends) after = state_after();
  for (const Group& group : all) {
    if (!reads_end(group)) {
      give(group, result(group));
      continue;
    }
    const StateRead& read = *group.reads.back();
    const NodeId query[] = {kept(read.query).id};
    const Var q =
        stacked(query, read.heads, group.over_columns ? chain.axes.columns : chain.axes.rows);
    give(group, stacked_matmul(q, after, false, group.over_columns));
  }
  if (line_ && chain.correction()->read.node >= 0) give_corrections();
  if (!last || !chain.whole) return;
  const NodeId state = chain.updates.back().state;
  const Var whole = taugrad::copy(reshape(fit(after, from_.extent_id(state)), from_.shape(state)));
  copy_.name(state, kept_[static_cast<std::size_t>(state)] = whole.id);
}

void ChunkWriter::begin(const StateChain& chain, const Chunk& chunk) {
  chain_ = &chain;
  chunk_ = &chunk;
  copy_.own(chain.updates[chunk.end - 1].state);
  extent_ = items_of_chunk();
  before_ = state_before();
  const Var all = gates();
  decays_ = decays_of(all);
  line_ = {};
  if (!chain.correction()) return;
  decays_read_ = decays_read(all);
  line_ = corrected();
}

/// Items only end, or only begin, within a chunk: it has all of them.
ExtentId ChunkWriter::items_of_chunk() const {
  const ExtentId first = from_.extent_id(chain_->updates[chunk_->first].state);
  const ExtentId last = from_.extent_id(chain_->updates[chunk_->end - 1].state);
  if (first == kShared || last == kShared) return std::max(first, last);
  return within(from_, last, first) ? first : last;
}

Var ChunkWriter::state_before() {
  const StateAxes& axes = chain_->axes;
  if (!chunk_->is_first()) return fit(after_.at(chain_), extent_);
  if (is_zero(from_, chain_->updates[0].before)) return {};
  const Var state = fit(kept(chain_->first()), from_.extent_id(chain_->updates[0].state));
  return reshape(fit(state, extent_), {axes.heads, axes.rows, axes.columns});
}

/// The same for the items of the chunk; zeros for those that it has no value of.
Var ChunkWriter::fit(Var v, ExtentId extent) const {
  if (!v.per_example() || v.extent() == extent) return v;
  if (extent == kShared) return v;
  return within(to_, extent, v.extent()) ? restrict_to(v, extent) : extend_to(v, extent);
}

// ---- a row a step

/// @param nodes  of the new tape; -1: zeros
Var ChunkWriter::stacked(std::span<const NodeId> nodes, std::int64_t heads, std::int64_t width) {
  std::vector<NodeId> key{extent_ == kShared ? -1 : static_cast<NodeId>(extent_)};
  key.insert(key.end(), nodes.begin(), nodes.end());
  Var& known = stacked_[{std::move(key), width}];
  if (known) return known;
  const auto count = static_cast<std::int64_t>(nodes.size());
  const Var all = all_lines(nodes, heads, width);
  if (heads == 1) return known = reshape(all, {1, count, width});
  if (width == 1) return known = reshape(transpose(all), {heads, count, 1});
  return known = transpose(all, {1, 0, 2});
}

/// [C,width], [C,heads] where a head has a number, or [C,heads,width]
Var ChunkWriter::all_lines(std::span<const NodeId> nodes, std::int64_t heads, std::int64_t width) {
  const auto count = static_cast<std::int64_t>(nodes.size());
  const Shape line = heads == 1 ? Shape{width} : width == 1 ? Shape{heads} : Shape{heads, width};
  const bool same_items = std::ranges::all_of(nodes, [&](NodeId id) {
    return id < 0 || !to_.var(id).per_example() || to_.extent_id(id) == extent_ ||
           extent_ == kShared;
  });
  const bool same_shape = std::ranges::all_of(nodes, [&](NodeId id) {
    return id >= 0 && to_.shape_id(id) == to_.shape_id(std::max(nodes[0], 0));
  });
  if (same_items && same_shape) {
    const Var all = lanes_.stacked(nodes);
    return reshape(all, line.rank() == 2 ? Shape{count, heads, width} : Shape{count, line[0]});
  }
  Vars lines;
  for (const NodeId id : nodes)
    lines.push_back(id < 0 ? constant(to_, 0, line) : reshape(to_.var(id), line));
  if (same_items) return stack(lines);
  Ints steps(nodes.size());
  std::iota(steps.begin(), steps.end(), 0);
  return give_steps(lines, steps, count, extent_);
}

/// What queries meet of a product that is added: the rows where the columns are summed over.
Var ChunkWriter::keys(bool over_columns, std::size_t product) {
  const auto kind = over_columns ? Factor::Kind::row : Factor::Kind::column;
  if (line_ && product == 0 && chain_->correction()->line == kind) return line_;
  if (const Var all = multiplied(added_of(product), kind)) return all;
  const std::int64_t width = over_columns ? chain_->axes.columns : chain_->axes.rows;
  return constant(to_, 1, {1, static_cast<std::int64_t>(size()), width});
}

Var ChunkWriter::values(bool over_columns, std::size_t product) {
  const bool is_line = line_ && product == 0;  // which has the numbers
  const Var scale = is_line ? Var{} : numbers(added_of(product));
  const Var lines = keys(!over_columns, product);
  return of_steps(scale ? once(kValues, scale, lines, [&] { return scale * lines; }) : lines);
}

/// Zeros for items that have no such step, where something is added that all items share.
Var ChunkWriter::of_steps(Var v) {
  const bool shared = !v.per_example() || chain_->period > 1;  // some of it may be
  if (!shared || extent_ == kShared) return v;
  std::vector<ExtentId> extents;
  for (std::size_t t = chunk_->first; t < chunk_->end; ++t)
    extents.push_back(from_.extent_id(chain_->updates[t].state));
  if (std::ranges::count(extents, extent_) == static_cast<std::ptrdiff_t>(size())) return v;
  Var& known = made_[{kOfSteps, v.id, chain_->updates[chunk_->first].state}];
  if (known) return known;
  std::vector<NodeId> nodes;
  for (const ExtentId e : extents) nodes.push_back(to_items(constant(to_, 1, {}), e).id);
  return known = v * stacked(nodes, 1, 1);
}

// ---- reads

std::vector<ChunkWriter::Group> ChunkWriter::groups() const {
  std::vector<Group> all;
  for (const std::size_t r : chunk_->reads) {
    const StateRead& read = chain_->reads[r];
    const std::size_t step = read.step - chunk_->first;
    const auto takes = [&](const Group& g) {
      return g.over_columns == read.over_columns && g.heads == read.heads && !g.reads[step];
    };
    auto group = std::ranges::find_if(all, takes);
    if (group == all.end())
      group = all.insert(all.end(), {read.over_columns, read.heads,
                                     std::vector<const StateRead*>(size(), nullptr)});
    group->reads[step] = &read;
  }
  return all;
}

/// Whether only the last state is read, of which there is no need to know the others' results.
bool ChunkWriter::reads_end(const Group& group) const {
  return size() > 1 &&
         std::ranges::count(group.reads, nullptr) + 1 == static_cast<std::ptrdiff_t>(size()) &&
         group.reads.back();
}

Var ChunkWriter::queries(const Group& group) {
  std::vector<NodeId> nodes;
  for (const StateRead* read : group.reads) nodes.push_back(read ? kept(read->query).id : -1);
  return stacked(nodes, group.heads, group.over_columns ? chain_->axes.columns : chain_->axes.rows);
}

Var ChunkWriter::result(const Group& group) {
  const Var q = queries(group);
  const Var y = read_in_chunk(q, group.over_columns);
  return before_ ? y + read_before(q, group.over_columns, decays_) : y;
}

/// Rows of [heads,C or 1,width] become the reads.
void ChunkWriter::give(const Group& group, Var y) {
  const std::int64_t lines = y.shape()[1];
  const Var by_step =
      y.shape()[0] == 1 ? reshape(y, {lines, y.shape()[2]}) : transpose(y, {1, 0, 2});
  for (std::size_t t = 0; t < group.reads.size(); ++t) {
    if (!group.reads[t]) continue;
    const NodeId id = group.reads[t]->node;
    const std::int64_t line = lines == 1 ? 0 : static_cast<std::int64_t>(t);
    const ExtentId extent = from_.extent_id(id);
    const Var step = extent == kShared || !by_step.per_example() ? slice(by_step, line, line + 1)
                                                                 : step_of(by_step, line, extent);
    const Var read = reshape(step, from_.shape(id));
    copy_.name(id, kept_[static_cast<std::size_t>(id)] = read.id);
  }
}

Var ChunkWriter::product(Var a, Var b) { return a ? b ? a * b : a : b; }

Var ChunkWriter::of_heads(Var v, std::int64_t heads) {
  return v.shape()[0] == heads ? v : broadcast_to(v, {heads, v.shape()[1], v.shape()[2]});
}

}  // namespace taugrad
