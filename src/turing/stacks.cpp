// Stacks as numbers and numbers as stacks.
#include <algorithm>

#include "base/fail.h"
#include "taugrad/turing/network.h"

namespace taugrad {

// q = sum_i (2 a_i + 1) / B^i: in binary, the symbols side by side
Rational stack_value(const TuringNetwork& n, const std::vector<int>& stack) {
  std::string digits;
  for (auto a = stack.rbegin(); a != stack.rend(); ++a)
    for (int bit = n.bits; bit-- > 0;) digits += static_cast<char>('0' + ((2 * *a + 1) >> bit & 1));
  return Rational::of_binary_fraction(digits);
}

std::optional<std::vector<int>> stack_of(const TuringNetwork& n, const Rational& q) {
  const std::optional<std::string> digits = q.binary_fraction();
  if (!digits || n.bits < 1) return std::nullopt;
  const auto bits = static_cast<std::size_t>(n.bits);
  const auto bit = [&](std::size_t i) { return i < digits->size() && (*digits)[i] == '1'; };
  std::vector<int> stack;
  for (std::size_t at = 0; at < digits->size(); at += bits) {
    std::size_t d = 0;
    for (std::size_t i = at; i < at + bits; ++i) d = 2 * d + bit(i);
    if (d % 2 == 0 || d / 2 >= n.machine.symbols.size()) return std::nullopt;
    stack.push_back(static_cast<int>(d / 2));
  }
  while (!stack.empty() && stack.back() == 0) stack.pop_back();  // blanks at the bottom
  std::reverse(stack.begin(), stack.end());
  return stack;
}

TuringReading read_network(const TuringNetwork& n, const std::vector<Rational>& h) {
  const auto size = static_cast<std::int64_t>(h.size());
  if (n.gates < 0 || n.first_gate < 0 || n.first_gate > size - 2 * n.gates || n.first_state < 0 ||
      n.first_state > size - static_cast<std::int64_t>(n.machine.states.size()) || n.bits < 1)
    fail(Status::usage, "U022", "{} units are not those of this network", h.size());
  TuringReading r;
  const auto sum = [&](std::int64_t first) {
    Rational total;
    for (std::int64_t c = first; c < first + n.gates; ++c) total += h[static_cast<std::size_t>(c)];
    return total;
  };
  r.left = sum(n.first_gate);
  r.right = sum(n.first_gate + n.gates);
  int state = -1, active = 0;
  for (std::size_t i = 0; i < n.machine.states.size(); ++i) {
    const Rational& x = h[static_cast<std::size_t>(n.first_state) + i];
    active += !x.is_zero();
    if (x == Rational(1)) state = static_cast<int>(i);
  }
  const auto left = stack_of(n, r.left), right = stack_of(n, r.right);
  r.configuration.state = active == 1 && left && right ? state : -1;
  if (left) r.configuration.left = *left;
  if (right) r.configuration.right = *right;
  return r;
}

}  // namespace taugrad
