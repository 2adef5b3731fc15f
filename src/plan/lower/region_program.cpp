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
  splat_.clear();
  splats_.clear();
  constants_.clear();
  code_.clear();
  tiles_ = 0;
  for (const NodeId id : nodes) write_node(id);
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
  terms_.resize(3);
  const Ref out = result(id);
  append(*tile_op_of(op, draft_.tape.attrs(id)), out, terms_[0], terms_[1], terms_[2]);
  if (&op == &kClamp) {
    code_.back().lo = static_cast<S>(draft_.tape.attrs(id).real("lo"));
    code_.back().hi = static_cast<S>(draft_.tape.attrs(id).real("hi"));
  }
}

/// Terms from left to right; the last addition writes the result, so that it may lie on a term.
template <class S>
void ProgramWriter<S>::write_sum(NodeId id, std::span<const Ref> terms) {
  Ref sum = terms.empty() ? Ref{} : terms[0];
  const bool stored = draft_.stored[PlanBuilder::at(id)] != 0;
  if (terms.size() < 2) {
    ref_[PlanBuilder::at(id)] = sum;
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
  const auto x = PlanBuilder::at(read.node);
  if (draft_.added(read.node)) return {};
  const bool splat = read.kind == Read::Kind::splat && draft_.elements(user) != 1;
  if (!splat && draft_.form[x] == Form::fused &&
      draft_.region[x] == draft_.region[PlanBuilder::at(user)])
    return ref_[x];
  return stream(value_[x], splat);
}

template <class S>
typename ProgramWriter<S>::Ref ProgramWriter<S>::stream(ValueId value, bool splat) {
  if (value < 0) fail(Status::bug, "B001", "a region reads what has no place");
  std::uint16_t number = 0;
  while (number < streams_.size() && (streams_[number] != value || (splat_[number] != 0) != splat))
    ++number;
  if (number == streams_.size()) {
    streams_.push_back(value);
    splat_.push_back(splat);
  }
  if (!splat) return {Ref::Kind::stream, number};
  for (const auto& [known, ref] : splats_)
    if (known == number) return ref;
  const Ref out = tile();
  append(TileOp::copy, out, {Ref::Kind::stream, number});
  code_.back().splat = true;
  splats_.emplace_back(number, out);
  return out;
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
  Ref& ref = ref_[PlanBuilder::at(id)];
  return ref = draft_.stored[PlanBuilder::at(id)] != 0 ? stream(value_[PlanBuilder::at(id)], false)
                                                       : tile();
}

template <class S>
void ProgramWriter<S>::append(TileOp op, Ref out, Ref a, Ref b, Ref c) {
  code_.push_back({op, false, out, a, b, c, S(0), S(0)});
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
    add(line.splat);
    for (const Ref* ref : {&line.out, &line.a, &line.b, &line.c}) {
      add(ref->kind);
      add(ref->number);
    }
    add(line.lo);
    add(line.hi);
  }
  for (const S c : constants_) add(c);
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

template <class S>
RegionProgram<S> ProgramWriter<S>::finish() const {
  RegionProgram<S> program;
  program.constants = constants_;
  program.splat = splat_;
  program.registers = registers_;
  program.first_write.assign(streams_.size(), -1);
  program.last_read.assign(streams_.size(), -1);
  std::int16_t number = 0;
  for (const Line& line : code_) {
    program.code.push_back({line.splat ? nullptr : kernels::tile_function<S>(line.op), line.op,
                            place(line.out), place(line.a), place(line.b), place(line.c), line.lo,
                            line.hi});
    for (const Ref* ref : {&line.a, &line.b, &line.c})
      if (ref->kind == Ref::Kind::stream) program.last_read[ref->number] = number;
    if (line.out.kind == Ref::Kind::stream) {
      auto& first = program.first_write[line.out.number];
      if (first < 0) first = number;
      program.result = line.out.number;
    }
    ++number;
  }
  return program;
}

template class ProgramWriter<float>;
template class ProgramWriter<double>;

}  // namespace taugrad::plan
