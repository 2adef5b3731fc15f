#pragma once

#include <cstdint>

#include "runtime/runtime.h"

namespace taugrad::runtime {

/// Calls add(i) for one after another of `count`, and where one joins those before it, in the place
/// of calls for others that lie evenly with it, repeat(how many they are).
/// @param times_at  how many lie evenly from i on
template <class Times, class Add, class Repeat>
void each_even(std::uint32_t count, const Times& times_at, const Add& add, const Repeat& repeat) {
  for (std::uint32_t i = 0; i < count;) {
    const std::uint32_t end = i + static_cast<std::uint32_t>(times_at(i));
    for (const std::uint32_t first = i; i < end; ++i) {
      if (!add(i) || i == first) continue;
      repeat(end - i - 1);
      i = end - 1;
    }
  }
}

/// The same for the instances of a step, of `each` operands.
template <class S, class Add, class Repeat>
void each_even_instance(const Step<S>& step, std::uint32_t each, const Runtime<S>& machine,
                        const Add& add, const Repeat& repeat) {
  const std::uint32_t count = step.operand_count / each;
  const auto times_at = [&](std::uint32_t i) {
    return machine.even_operands(step.first_operand + i * each, each, count - i);
  };
  each_even(
      count, times_at, [&](std::uint32_t i) { return add(i * each); }, repeat);
}

}  // namespace taugrad::runtime
