#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taugrad/base/rational.h"
#include "taugrad/language/definition.h"
#include "taugrad/turing/machine.h"

namespace taugrad {

/// A machine as a network h[t] = clamp(W @ h[t-1] + b, 0, 1) with rational weights: any function
/// that a Turing machine computes is computed by such a network of finite size.       (section 3)
///
/// A stack a_1 a_2 .. (top first) is one number q = sum_i (2 a_i + 1) / B^i, B the least power of
/// two >= 2k for k symbols. With s(z) = min(max(z, 0), 1):
///   holds a or above:  s(B q - 2a), a = 0: not empty        push a:  q/B + (2a + 1)/B
///   pop:  B q - 2 sum_{a>=1} s(B q - 2a) - s(B q)           conjunction of n bits:  s(sum - (n-1))
///   a value v in [0, 1] where a bit c is 1, else 0:  s(v + c - 1)
/// Three layers work in turn: read the tops; find the rule (a bit for each rule and symbol on the
/// left stack); apply it. A step of the machine is three steps of the network. The left stack is
/// the tape left of the head, the right one the cell of the head and what is right of it.
struct TuringNetwork {
  TuringMachine machine;
  Definition definition;
  std::vector<std::string>
      units;                 ///< what each element of h is: "read A", "left: A 0, 1 on the left"
  std::int64_t base = 4;     ///< B
  int bits = 2;              ///< log2 B: what a symbol takes of a significand
  std::int64_t weights = 0;  ///< elements of W that are not 0
  std::int64_t first_state = 0;  ///< of the last layer: one unit a state, then
  std::int64_t first_gate = 0;   ///< a share of the left stack for each command, then of the right
  std::int64_t gates = 0;        ///< commands: the shares of one stack
};

/// @throws Error (R002) for a machine that would take too many units
TuringNetwork to_network(const TuringMachine& m);

/// q of a stack whose top is the last element; and back: empty where q is no stack.
Rational stack_value(const TuringNetwork& n, const std::vector<int>& stack);
std::optional<std::vector<int>> stack_of(const TuringNetwork& n, const Rational& q);

/// What stands in h after the last layer.
struct TuringReading {
  Rational left, right;               ///< the two numbers q
  TuringConfiguration configuration;  ///< state -1 where it is none
};
TuringReading read_network(const TuringNetwork& n, const std::vector<Rational>& h);

}  // namespace taugrad
