#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "mutate.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace taugrad::fuzz {

/// A custom mutation: our own, that knows the form, or libFuzzer's, that knows the dictionary.
inline std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed,
                          void (Mutator::*own)(std::string&)) {
  Mutator mutator(seed);
  if (mutator.below(3) == 0) return LLVMFuzzerMutate(data, size, most);
  std::string text(reinterpret_cast<const char*>(data), size);
  for (std::size_t n = 1 + mutator.below(3); n > 0; --n) (mutator.*own)(text);
  const std::size_t kept = std::min(text.size(), most);
  std::memcpy(data, text.data(), kept);
  return kept;
}

}  // namespace taugrad::fuzz
