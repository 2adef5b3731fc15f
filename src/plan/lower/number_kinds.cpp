#include "plan/lower/number_kinds.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "graph/tables.h"

namespace taugrad::plan {
namespace {

/// Takes numbers out of a record, as long as a row has place.
class Taken {
 public:
  explicit Taken(Numbers& numbers) : numbers_(numbers) { numbers.fill(0); }

  Coding whole(std::int64_t number) {
    if (count_ == numbers_.size()) return Coding::fixed;
    numbers_[count_++] = number;
    return Coding::whole;
  }
  /// Of a constant that is made from a double, and comes back with the same bits.
  template <class S>
  Coding real(S x) {
    constexpr double kExact = 9e15;  // whole numbers below are doubles
    const double value = x;
    if (std::abs(value) < kExact && std::trunc(value) == value && !std::signbit(value))
      return whole(static_cast<std::int64_t>(value));
    const double inverse = std::round(1 / value);
    if (std::abs(inverse) < kExact && static_cast<S>(1 / inverse) == x &&
        whole(static_cast<std::int64_t>(inverse)) == Coding::whole)
      return Coding::reciprocal;
    return Coding::fixed;
  }

 private:
  Numbers& numbers_;
  std::size_t count_ = 0;
};

double decoded(Coding coding, std::int64_t number) {
  const auto value = static_cast<double>(number);
  return coding == Coding::reciprocal ? 1 / value : value;
}

template <class Known, class Same>
std::int64_t number_of(std::vector<Known>& known, Known kind, const Same& same) {
  const auto found = std::ranges::find_if(
      known, [&](const Known& k) { return k.codings == kind.codings && same(k, kind); });
  const std::int64_t number = found - known.begin();
  if (found == known.end()) known.push_back(std::move(kind));
  return number;
}

template <class S>
bool same_program(const RegionProgram<S>& a, const RegionProgram<S>& b) {
  const auto same_line = [](const Instruction<S>& x, const Instruction<S>& y) {
    return x.function == y.function && x.op == y.op && x.kind == y.kind &&
           x.from_zero == y.from_zero && x.pattern == y.pattern && x.of_a == y.of_a &&
           x.of_b == y.of_b && x.out == y.out && x.a == y.a && x.b == y.b && x.c == y.c &&
           x.lo == y.lo && x.hi == y.hi;
  };
  return std::ranges::equal(a.code, b.code, same_line) && a.constants == b.constants &&
         a.patterns == b.patterns && a.apart == b.apart && a.elements == b.elements &&
         a.tile == b.tile && a.registers == b.registers && a.result == b.result &&
         a.first_write == b.first_write && a.last_read == b.last_read;
}

}  // namespace

std::int64_t kind_of(const Attrs& attrs, std::vector<AttrsKind>& known, Numbers& numbers) {
  Taken taken(numbers);
  AttrsKind kind{attrs, {}};
  for (const auto& [name, value] : attrs) {
    Coding coding = Coding::fixed;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      coding = taken.whole(*whole);
      if (coding != Coding::fixed) kind.attrs.set(name, std::int64_t{0});
    } else if (const auto* real = std::get_if<double>(&value)) {
      coding = taken.real(*real);
      if (coding != Coding::fixed) kind.attrs.set(name, 0.0);
    }
    kind.codings.push_back(coding);
  }
  return number_of(known, std::move(kind), [](const AttrsKind& a, const AttrsKind& b) {
    return same_bits(a.attrs, b.attrs);
  });
}

template <class S>
std::int64_t kind_of(const RegionProgram<S>& program, std::vector<ProgramKind<S>>& known,
                     Numbers& numbers) {
  Taken taken(numbers);
  ProgramKind<S> kind{program, {}};
  for (S& constant : kind.program.constants) {
    kind.codings.push_back(taken.real(constant));
    if (kind.codings.back() != Coding::fixed) constant = 0;
  }
  return number_of(known, std::move(kind), [](const ProgramKind<S>& a, const ProgramKind<S>& b) {
    return same_program(a.program, b.program);
  });
}

Attrs with_numbers(const AttrsKind& kind, const std::int64_t* numbers) {
  Attrs attrs = kind.attrs;
  std::size_t i = 0;
  for (const auto& [name, value] : kind.attrs) {
    const Coding coding = kind.codings[i++];
    if (coding == Coding::fixed) continue;
    if (std::holds_alternative<std::int64_t>(value))
      attrs.set(name, *numbers++);
    else
      attrs.set(name, decoded(coding, *numbers++));
  }
  return attrs;
}

template <class S>
RegionProgram<S> with_numbers(const ProgramKind<S>& kind, const std::int64_t* numbers) {
  RegionProgram<S> program = kind.program;
  for (std::size_t i = 0; i < program.constants.size(); ++i)
    if (kind.codings[i] != Coding::fixed)
      program.constants[i] = static_cast<S>(decoded(kind.codings[i], *numbers++));
  return program;
}

template std::int64_t kind_of(const RegionProgram<float>&, std::vector<ProgramKind<float>>&,
                              Numbers&);
template std::int64_t kind_of(const RegionProgram<double>&, std::vector<ProgramKind<double>>&,
                              Numbers&);
template RegionProgram<float> with_numbers(const ProgramKind<float>&, const std::int64_t*);
template RegionProgram<double> with_numbers(const ProgramKind<double>&, const std::int64_t*);

}  // namespace taugrad::plan
