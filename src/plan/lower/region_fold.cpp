// What a program need not write down: smaller rows are read by their pattern where they are
// multiplied, products are added or summed as they are made. The bits stay the same.
#include <algorithm>

#include "plan/lower/region_program.h"

namespace taugrad::plan {

using kernels::TileOp;

template <class S>
void ProgramWriter<S>::fold() {
  definition_.assign(tiles_, -1);
  reads_.assign(tiles_, 0);
  for (const Line& line : code_)
    for (const Ref* ref : {&line.a, &line.b, &line.c})
      if (ref->kind == Ref::Kind::tile) ++reads_[ref->number];
  for (std::size_t i = 0; i < code_.size(); ++i) {
    Line& line = code_[i];
    fold_patterns(line);
    fold_sum(line);
    fold_addition(line);
    if (line.out.kind == Ref::Kind::tile)
      definition_[line.out.number] = static_cast<std::int32_t>(i);
  }
  drop_unread();
}

/// Factors that are spread by a pattern are read by it; the second one of two.
template <class S>
void ProgramWriter<S>::fold_patterns(Line& line) {
  using Kind = typename Instruction<S>::Kind;
  const bool dot = line.kind == Kind::dot;
  if (!dot && (line.kind == Kind::sum || line.op != TileOp::mul)) return;
  if (dot && pattern_of(line.pattern).single()) return;
  std::int64_t length = dot ? pattern_of(line.pattern).line() : 0;
  const bool b = fold_pattern(line.b, line.of_b, length);
  const bool a = fold_pattern(line.a, line.of_a, length);
  if (!a && !b) return;
  if (!dot) line.kind = Kind::product;
  if (a && !b) {
    std::swap(line.a, line.b);
    std::swap(line.of_a, line.of_b);
  }
}

/// @param length  of the lines of what was folded before; 0: any
template <class S>
bool ProgramWriter<S>::fold_pattern(Ref& operand, std::uint16_t& by, std::int64_t& length) {
  if (operand.kind != Ref::Kind::tile) return false;
  const Line& from = code_[static_cast<std::size_t>(definition_[operand.number])];
  if (from.kind != Instruction<S>::Kind::spread) return false;
  const kernels::Pattern& p = pattern_of(from.pattern);
  const std::int64_t step = p.step[static_cast<std::size_t>(p.rank - 1)];
  if (step > 1 || (!p.single() && length != 0 && p.line() != length)) return false;
  if (!p.single()) length = p.line();
  --reads_[operand.number];
  operand = from.a;
  by = from.pattern;
  return true;
}

/// The line of a product that nothing else reads.
template <class S>
const typename ProgramWriter<S>::Line* ProgramWriter<S>::single_product(const Ref& operand) const {
  using Kind = typename Instruction<S>::Kind;
  if (operand.kind != Ref::Kind::tile || reads_[operand.number] != 1) return nullptr;
  const Line& from = code_[static_cast<std::size_t>(definition_[operand.number])];
  return from.op == TileOp::mul && (from.kind == Kind::tile || from.kind == Kind::product)
             ? &from
             : nullptr;
}

/// Makes a line read what a product reads, in the place of the product.
template <class S>
void ProgramWriter<S>::read_factors(Line& line, const Line& product) {
  line.a = product.a;
  line.b = product.b;
  line.of_a = product.of_a;
  line.of_b = product.of_b;
  for (const Ref* ref : {&line.a, &line.b})
    if (ref->kind == Ref::Kind::tile) ++reads_[ref->number];
}

template <class S>
void ProgramWriter<S>::fold_sum(Line& line) {
  using Kind = typename Instruction<S>::Kind;
  const Line* product = line.kind == Kind::sum ? single_product(line.a) : nullptr;
  if (product == nullptr) return;
  const kernels::Pattern& into = pattern_of(line.pattern);
  for (const std::uint16_t p : {product->of_a, product->of_b})
    if (p != Instruction<S>::kTiles &&
        (into.single() || (!pattern_of(p).single() && pattern_of(p).line() != into.line())))
      return;
  --reads_[line.a.number];
  line.kind = Kind::dot;
  read_factors(line, *product);
}

template <class S>
void ProgramWriter<S>::fold_addition(Line& line) {
  using Kind = typename Instruction<S>::Kind;
  if (line.kind != Kind::tile || line.op != TileOp::add || line.a == line.b) return;
  const Line* product = single_product(line.b);
  if (product == nullptr) {
    product = single_product(line.a);
    if (product == nullptr) return;
    std::swap(line.a, line.b);
  }
  --reads_[line.b.number];
  line.kind = Kind::product;
  line.from_zero = product->from_zero;
  line.c = line.a;
  read_factors(line, *product);
}

template <class S>
void ProgramWriter<S>::drop_unread() {
  std::vector<Line> kept;
  for (std::size_t i = code_.size(); i-- > 0;) {
    const Line& line = code_[i];
    if (line.out.kind == Ref::Kind::tile && reads_[line.out.number] == 0) {
      for (const Ref* ref : {&line.a, &line.b, &line.c})
        if (ref->kind == Ref::Kind::tile) --reads_[ref->number];
      continue;
    }
    kept.push_back(line);
  }
  code_.assign(kept.rbegin(), kept.rend());
}

// the members that are defined here
template class ProgramWriter<float>;
template class ProgramWriter<double>;

}  // namespace taugrad::plan
