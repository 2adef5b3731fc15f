#include "plan/lower/region_program.h"

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "plan/lower/tile_ops.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {

using kernels::TileOp;

template <class S>
std::int32_t ProgramWriter<S>::write(std::span<const NodeId> nodes) {
  streams_.clear();
  stream_pattern_.clear();
  spread_.clear();
  patterns_.clear();
  again_.clear();
  elements_ = 0;
  constants_.clear();
  code_.clear();
  tiles_ = 0;
  for (const NodeId id : nodes) write_node(id);
  const std::int64_t places = draft_.places(nodes[0]);
  const bool spreads = std::ranges::any_of(stream_pattern_, [](auto p) { return p != 0; });
  const bool sums = std::ranges::any_of(code_, [](const Line& line) { return line.sums(); });
  if (sums || (spreads && places >= kernels::kTile)) {
    elements_ = places;
    fold();
  }
  share_registers();
  const auto [it, fresh] =
      known_.try_emplace(signature(), static_cast<std::int32_t>(programs_.size()));
  if (fresh) programs_.push_back(finish());
  return it->second;
}

template <class S>
void ProgramWriter<S>::write_node(NodeId id) {
  const Op& op = draft_.tape.op(id);
  terms_.clear();
  for (const Read& read : draft_.reads(id)) terms_.push_back(operand(read, id));
  if (&op == &kAdd || &op == &kAddN) {
    std::erase(terms_, Ref{});  // products that add to another's place
    return write_sum(id, terms_);
  }
  if (draft_.sums(id)) {
    terms_.resize(2);
    return write_sum_of_places(id, terms_[0], terms_[1]);
  }
  terms_.resize(3);
  const Ref out = result(id);
  const auto known = tile_op_of(op, draft_.tape.attrs(id));
  if (!known) return append_product(out, terms_[0], terms_[1]);
  append(*known, out, terms_[0], terms_[1], terms_[2]);
  if (&op == &kClamp) {
    code_.back().lo = static_cast<S>(draft_.tape.attrs(id).real("lo"));
    code_.back().hi = static_cast<S>(draft_.tape.attrs(id).real("hi"));
  }
}

/// Terms from left to right; the last addition writes the result, so that it may lie on a term.
template <class S>
void ProgramWriter<S>::write_sum(NodeId id, std::span<const Ref> terms) {
  Ref sum = terms.empty() ? Ref{} : terms[0];
  const bool stored = draft_.stored[at(id)] != 0;
  if (terms.size() < 2) {
    ref_[at(id)] = sum;
    if (stored) append(TileOp::copy, result(id), sum);
    return;
  }
  for (std::size_t i = 1; i < terms.size(); ++i) {
    const Ref out = i + 1 == terms.size() ? result(id) : tile();
    append(TileOp::add, out, sum, terms[i]);
    sum = out;
  }
}

template <class S>
typename ProgramWriter<S>::Ref ProgramWriter<S>::operand(const Read& read, NodeId user) {
  if (read.kind == Read::Kind::constant)
    return constant(draft_.tape.attrs(read.node).real("value"));
  const auto x = at(read.node);
  if (draft_.added(read.node)) return {};
  if (draft_.form[x] == Form::again) return made_again(read.node);
  if (read.kind == Read::Kind::spread) return spread(value_[x], read.pattern);
  if (draft_.form[x] == Form::fused && draft_.region[x] == draft_.region[at(user)]) return ref_[x];
  return {Ref::Kind::stream, stream(value_[x], 0)};
}

/// A product of matrices, of which each sum has one term.
template <class S>
void ProgramWriter<S>::append_product(Ref out, Ref a, Ref b) {
  append(TileOp::mul, out, a, b);
  code_.back().kind = Instruction<S>::Kind::product;
  code_.back().from_zero = true;
}

template <class S>
typename ProgramWriter<S>::Ref ProgramWriter<S>::made_again(NodeId id) {
  for (const auto& [known, ref] : again_)
    if (known == id) return ref;
  const auto reads = draft_.reads(id);
  const Ref a = operand(reads[0], id), b = operand(reads[1], id), out = tile();
  if (&draft_.tape.op(id) == &kMul)
    append(TileOp::mul, out, a, b);
  else
    append_product(out, a, b);
  again_.emplace_back(id, out);
  return out;
}

template <class S>
std::uint16_t ProgramWriter<S>::stream(ValueId value, std::uint32_t pattern) {
  if (value < 0) fail(Status::bug, "B001", "a region reads what has no place");
  std::uint16_t number = 0;
  while (number < streams_.size() &&
         (streams_[number] != value || stream_pattern_[number] != pattern))
    ++number;
  if (number == streams_.size()) {
    streams_.push_back(value);
    stream_pattern_.push_back(pattern);
  }
  return number;
}

/// A tile of what a stream holds for each element.
template <class S>
typename ProgramWriter<S>::Ref ProgramWriter<S>::spread(ValueId value, std::uint32_t by) {
  const std::uint16_t number = stream(value, by);
  for (const auto& [known, ref] : spread_)
    if (known == number) return ref;
  const Ref out = tile();
  append(TileOp::copy, out, {Ref::Kind::stream, number});
  code_.back().kind = Instruction<S>::Kind::spread;
  code_.back().pattern = pattern(by);
  spread_.emplace_back(number, out);
  return out;
}

template <class S>
std::uint16_t ProgramWriter<S>::pattern(std::uint32_t number) {
  const auto found = std::ranges::find(patterns_, number);
  const auto at = static_cast<std::uint16_t>(found - patterns_.begin());
  if (found == patterns_.end()) patterns_.push_back(number);
  return at;
}

/// What the places of a node's tiles hold, or its products, added up.
template <class S>
void ProgramWriter<S>::write_sum_of_places(NodeId id, Ref a, Ref b) {
  const std::uint32_t by = draft_.sum[at(id)] - 1;
  const bool product = b.kind != Ref::Kind::none;
  append(TileOp::copy, {Ref::Kind::stream, stream(value_[at(id)], 1 + by)}, a, b);
  code_.back().kind = product ? Instruction<S>::Kind::dot : Instruction<S>::Kind::sum;
  code_.back().pattern = pattern(by);
}

template <class S>
typename ProgramWriter<S>::Ref ProgramWriter<S>::constant(double value) {
  const S number = static_cast<S>(value);
  std::uint16_t i = 0;  // by their bits: 0 and -0 differ
  while (i < constants_.size() && std::memcmp(&constants_[i], &number, sizeof(S)) != 0) ++i;
  if (i == constants_.size()) constants_.push_back(number);
  return {Ref::Kind::constant, i};
}

template <class S>
typename ProgramWriter<S>::Ref ProgramWriter<S>::result(NodeId id) {
  Ref& ref = ref_[at(id)];
  if (draft_.stored[at(id)] == 0) return ref = tile();
  return ref = {Ref::Kind::stream, stream(value_[at(id)], 0)};
}

template <class S>
void ProgramWriter<S>::append(TileOp op, Ref out, Ref a, Ref b, Ref c) {
  code_.push_back(
      {op, Instruction<S>::Kind::tile, Instruction<S>::kTiles, out, a, b, c, S(0), S(0)});
}

/// Tiles that are not needed at the same time share a register.
template <class S>
void ProgramWriter<S>::share_registers() {
  std::vector<int> last(tiles_, -1);
  std::vector<std::uint16_t> place(tiles_), free;
  const auto each_operand = [](auto& line, auto&& body) {
    for (Ref* ref : {&line.a, &line.b, &line.c})
      if (ref->kind == Ref::Kind::tile) body(*ref);
  };
  for (int i = 0; i < static_cast<int>(code_.size()); ++i)
    each_operand(code_[static_cast<std::size_t>(i)], [&](Ref& r) { last[r.number] = i; });
  registers_ = 0;
  for (int i = 0; i < static_cast<int>(code_.size()); ++i) {
    auto& line = code_[static_cast<std::size_t>(i)];
    each_operand(line, [&](Ref& r) {
      const std::uint16_t tile = r.number;
      r.number = place[tile];
      if (last[tile] != i) return;
      last[tile] = -1;  // once, even where it is read twice
      free.push_back(r.number);
    });
    if (line.out.kind != Ref::Kind::tile) continue;
    if (free.empty()) free.push_back(registers_++);
    place[line.out.number] = free.back();
    free.pop_back();
    line.out.number = place[line.out.number];
  }
}

/// Equal for programs that do the same.
template <class S>
std::string ProgramWriter<S>::signature() const {
  std::string text;
  const auto add = [&](const auto& value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const Line& line : code_) {
    add(line.op);
    add(line.kind);
    add(line.from_zero);
    for (const std::uint16_t p : {line.pattern, line.of_a, line.of_b})
      add(p == Instruction<S>::kTiles ? 0u : 1 + patterns_[p]);
    for (const Ref* ref : {&line.out, &line.a, &line.b, &line.c}) {
      add(ref->kind);
      add(ref->number);
    }
    add(line.lo);
    add(line.hi);
  }
  for (const S c : constants_) add(c);
  add(elements_);
  return text;
}

template <class S>
std::uint16_t ProgramWriter<S>::place(const Ref& ref) const {
  const auto constants = static_cast<std::uint16_t>(constants_.size());
  switch (ref.kind) {
    case Ref::Kind::none:
      return 0;
    case Ref::Kind::tile:
      return ref.number;
    case Ref::Kind::constant:
      return static_cast<std::uint16_t>(registers_ + ref.number);
    case Ref::Kind::stream:
      return static_cast<std::uint16_t>(registers_ + constants + ref.number);
  }
  return 0;
}

/// What sums along lines ask for; else lines of the other sums are whole, which is faster. Of whole
/// lines as many as a cache holds beside the streams: how many changes no sum.
template <class S>
std::int64_t ProgramWriter<S>::tile_elements() const {
  std::int64_t along = 0, across = kernels::kTile;
  for (const Line& line : code_) {
    if (line.sums()) along = std::max(along, sum_tile(pattern_of(line.pattern)));
    for (const std::uint16_t p : {line.pattern, line.of_a, line.of_b})
      if (p != Instruction<S>::kTiles && pattern_of(p).line() > 0)
        across = std::min(across, whole_lines(pattern_of(p).line()));
  }
  const std::int64_t least = along > 0 ? along : across;
  constexpr std::int64_t kRegisters = 16384 / sizeof(S);  // elements of all of them
  const std::int64_t most =
      std::min(kernels::kLargeTile, kRegisters / std::max<std::int64_t>(registers_, 1));
  if (elements_ == 0 || along >= kernels::kTile || most < 2 * least) return least;
  return most / least * least;
}

template <class S>
RegionProgram<S> ProgramWriter<S>::finish() const {
  RegionProgram<S> program;
  program.constants = constants_;
  for (const std::uint32_t number : patterns_) program.patterns.push_back(draft_.patterns[number]);
  for (const std::uint32_t number : stream_pattern_) program.apart.push_back(number != 0);
  program.functions = kernels::pattern_functions<S>();
  program.elements = elements_;
  program.registers = registers_;
  program.first_write.assign(streams_.size(), -1);
  program.last_read.assign(streams_.size(), -1);
  std::int16_t number = 0;
  for (const Line& line : code_) {
    using Kind = typename Instruction<S>::Kind;
    const bool tile = line.kind == Kind::tile;
    program.code.push_back({tile ? kernels::tile_function<S>(line.op) : nullptr, line.op, line.kind,
                            line.from_zero, place(line.out), place(line.a), place(line.b),
                            place(line.c), line.pattern, line.of_a, line.of_b, line.lo, line.hi});
    for (const Ref* ref : {&line.a, &line.b, &line.c})
      if (ref->kind == Ref::Kind::stream) program.last_read[ref->number] = number;
    if (line.out.kind == Ref::Kind::stream) {
      if (!line.sums() || program.first_write[program.result] < 0) program.result = line.out.number;
      auto& first = program.first_write[line.out.number];
      if (first < 0) first = number;
    }
    ++number;
  }
  program.tile = tile_elements();
  return program;
}

template class ProgramWriter<float>;
template class ProgramWriter<double>;

}  // namespace taugrad::plan
