#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/gemm/panels.h"

namespace taugrad {

template <class S>
std::vector<S> numbers(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> draw(-1, 1);
  std::vector<S> values(static_cast<std::size_t>(count));
  for (S& v : values) v = static_cast<S>(draw(random));
  return values;
}

/// C outside its m x n block must stay what it was.
template <class S>
bool margin_is(const std::vector<S>& c, std::int64_t ldc, std::int64_t m, std::int64_t n, S mark) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = n; j < ldc; ++j)
      if (c[static_cast<std::size_t>(i * ldc + j)] != mark) return false;
  return true;
}

inline std::vector<kernels::InstructionSet> instruction_sets() {
  std::vector<kernels::InstructionSet> sets{kernels::InstructionSet::generic};
  if (kernels::best_instruction_set() >= kernels::InstructionSet::avx2)
    sets.push_back(kernels::InstructionSet::avx2);
  if (kernels::best_instruction_set() >= kernels::InstructionSet::avx512)
    sets.push_back(kernels::InstructionSet::avx512);
  return sets;
}

template <class S>
bool same_bits(const S* a, const S* b, std::int64_t count) {
  return count == 0 || std::memcmp(a, b, sizeof(S) * static_cast<std::size_t>(count)) == 0;
}

}  // namespace taugrad
