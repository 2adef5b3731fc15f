#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

enum class TuringMove : int { left = -1, stay = 0, right = 1 };

/// In `state`, reading `read`: write, move, go on in `next`. Numbers of states and symbols.
struct TuringRule {
  int state = 0, read = 0;
  int write = 0;
  TuringMove move = TuringMove::stay;
  int next = 0;
};

/// A machine with one tape, infinite both ways. It halts where no rule applies: a state without
/// rules is a halting state.
struct TuringMachine {
  std::string name, about;
  std::vector<std::string> symbols;  ///< one character each; the first is the blank
  std::vector<std::string> states;   ///< the first is the start
  std::vector<int> tape = {};        ///< at the start; the head stands on its first symbol
  std::vector<TuringRule> rules = {};

  /// The rule for a state that reads a symbol, or null: the machine halts.
  const TuringRule* rule(int state, int read) const;
  int symbol(std::string_view text) const;  ///< its number, or -1
  int state(std::string_view text) const;
};

/// Where a machine stands: the tape left of its head, and from the head on; the top of each stack
/// is its last element. No blanks lie at the bottom, so that equal configurations are equal values.
struct TuringConfiguration {
  int state = 0;  ///< -1: none (a network that lost its way)
  std::vector<int> left = {}, right = {};

  int read() const { return right.empty() ? 0 : right.back(); }
  bool operator==(const TuringConfiguration&) const = default;
};
TuringConfiguration start_of(const TuringMachine& m);
/// One step of the machine itself. False, and nothing done, where it has halted.
bool step(const TuringMachine& m, TuringConfiguration& c);
/// "1 1[0]1": the head's cell in brackets.
std::string to_text(const TuringMachine& m, const TuringConfiguration& c);
/// Cells that are not blank.
std::int64_t marks(const TuringConfiguration& c);

/// Reads a machine from JSON text.                                            (docs/turing.md)
/// @throws Error with every problem found (G001-G014, G025, T001, T002)
TuringMachine parse_machine(std::string_view json_text, std::string_view filename);
/// A file's path, or the bare name of a shipped machine ("busy_beaver_2"). @throws Error
TuringMachine load_machine(std::string_view file_or_name);
/// Symbols of a tape written side by side: "1011". @throws Error (U002) for one that is not m's
std::vector<int> parse_tape(const TuringMachine& m, std::string_view text);

}  // namespace taugrad
