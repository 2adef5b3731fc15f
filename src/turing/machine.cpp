#include "taugrad/turing/machine.h"

#include <algorithm>

#include "base/fail.h"
#include "base/in_range.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

// nothing but blanks lies below: a blank on an empty stack is not stored
void push(std::vector<int>& stack, int symbol) {
  if (symbol != 0 || !stack.empty()) stack.push_back(symbol);
}

int pop(std::vector<int>& stack) {
  if (stack.empty()) return 0;
  const int symbol = stack.back();
  stack.pop_back();
  return symbol;
}

int place_of(const std::vector<std::string>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? -1 : static_cast<int>(at - names.begin());
}

}  // namespace

const TuringRule* TuringMachine::rule(int in, int read) const {
  const auto at = std::find_if(rules.begin(), rules.end(), [&](const TuringRule& r) {
    return r.state == in && r.read == read;
  });
  return at == rules.end() ? nullptr : &*at;
}

int TuringMachine::symbol(std::string_view text) const { return place_of(symbols, text); }
int TuringMachine::state(std::string_view text) const { return place_of(states, text); }

TuringConfiguration start_of(const TuringMachine& m) {
  TuringConfiguration c;
  for (auto s = m.tape.rbegin(); s != m.tape.rend(); ++s) push(c.right, *s);
  return c;
}

bool step(const TuringMachine& m, TuringConfiguration& c) {
  const TuringRule* r = m.rule(c.state, c.read());
  if (r == nullptr) return false;
  pop(c.right);
  if (r->move == TuringMove::right) {
    push(c.left, r->write);
  } else {
    push(c.right, r->write);
    if (r->move == TuringMove::left) push(c.right, pop(c.left));
  }
  c.state = r->next;
  return true;
}

std::string to_text(const TuringMachine& m, const TuringConfiguration& c) {
  std::string text;
  const auto symbol = [&](int s) {
    check_number("symbol", s, m.symbols.size());
    return m.symbols[static_cast<std::size_t>(s)];
  };
  for (const int s : c.left) text += symbol(s);
  text += "[" + symbol(c.read()) + "]";
  for (std::size_t i = c.right.size(); i-- > 1;) text += symbol(c.right[i - 1]);
  return text;
}

std::int64_t marks(const TuringConfiguration& c) {
  const auto filled = [](int s) { return s != 0; };
  return std::count_if(c.left.begin(), c.left.end(), filled) +
         std::count_if(c.right.begin(), c.right.end(), filled);
}

std::vector<int> parse_tape(const TuringMachine& m, std::string_view text) {
  std::vector<int> tape;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = std::max<std::size_t>(utf8_sequence(text, at), 1);
    const std::string_view s = text.substr(at, n);
    tape.push_back(m.symbol(s));
    if (tape.back() < 0)
      fail(Status::usage, "U002", "\"{}\" is not a symbol of {}, which has {}", printable(s),
           m.name, fmt::join(m.symbols, " "));
    at += n;
  }
  return tape;
}

}  // namespace taugrad
