"""What a mutant changes, and the C++ by which the change sleeps in the code until the program is told to wake it.

The sources are compiled once with every mutant in them: `a < b` becomes `::taugrad_mutant::less(17, (a), (b))`, which is
`a <= b` where 17 is awake. Every operand is written once, so mutants may stand inside each other.
"""

# operator: (function, what it becomes)
BINARY = {"<": ("less", "<="), "<=": ("less_equal", "<"), ">": ("greater", ">="), ">=": ("greater_equal", ">"),
          "==": ("equal", "!="), "!=": ("not_equal", "=="),
          "+": ("plus", "-"), "-": ("minus", "+"), "*": ("times", "/"), "/": ("over", "*"), "%": ("modulo", "/"),
          "<<": ("shift_left", ">>"), ">>": ("shift_right", "<<"), "&": ("bit_and", "|"), "|": ("bit_or", "&")}
ASSIGNING = {"+=": ("add", "-="), "-=": ("subtract", "+="), "*=": ("multiply", "/="), "/=": ("divide", "*="),
             "|=": ("set_bits", "&="), "&=": ("clear_bits", "|=")}
LOGICAL = {"&&": "||", "||": "&&"}
COMPARISONS = {"<", "<=", ">", ">=", "==", "!="}

NAMESPACE = "::taugrad_mutant::"

HEADER = """// Written by tools/mutants: see tools/mutation/changes.py.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <type_traits>

namespace taugrad_mutant {

extern int awake;               // the number of a mutant; -1: all sleep
extern unsigned char* reached;  // by number: 1 where the program came by

[[gnu::always_inline]] inline bool on(int n) {
  reached[n] = 1;
  return n == awake;
}
// a bound, one further
template <class T>
[[gnu::always_inline]] inline T number(int n, T value) {
  return on(n) ? static_cast<T>(value + 1) : value;
}
template <class T>
[[gnu::always_inline]] inline auto negative(int n, const T& value) {
  using R = std::decay_t<decltype(-value)>;
  return on(n) ? static_cast<R>(value) : static_cast<R>(-value);
}
template <class T>
[[gnu::always_inline]] inline bool negation(int n, const T& value) {
  return on(n) ? !!value : !value;
}
template <class T>
[[gnu::always_inline]] inline decltype(auto) next(int n, T&& value) {
  return on(n) ? --value : ++value;
}
template <class T>
[[gnu::always_inline]] inline decltype(auto) previous(int n, T&& value) {
  return on(n) ? ++value : --value;
}
template <class T>
[[gnu::always_inline]] inline auto then_next(int n, T&& value) {
  return on(n) ? value-- : value++;
}
template <class T>
[[gnu::always_inline]] inline auto then_previous(int n, T&& value) {
  return on(n) ? value++ : value--;
}
template <class T>
[[gnu::always_inline]] inline T min(int n, const T& a, const T& b) {
  return on(n) ? std::max<T>(a, b) : std::min<T>(a, b);
}
template <class T>
[[gnu::always_inline]] inline T max(int n, const T& a, const T& b) {
  return on(n) ? std::min<T>(a, b) : std::max<T>(a, b);
}
template <class T>
inline T min(int n, std::initializer_list<T> all) {
  return on(n) ? std::max(all) : std::min(all);
}
template <class T>
inline T max(int n, std::initializer_list<T> all) {
  return on(n) ? std::min(all) : std::max(all);
}
"""

OPERATION = """template <class A, class B>
[[gnu::always_inline]] inline auto %(name)s(int n, const A& a, const B& b) {
  using R = std::decay_t<decltype(a %(old)s b)>;
  if constexpr (requires { static_cast<R>(a %(new)s b); })
    if (on(n)) return static_cast<R>(a %(new)s b);
  return static_cast<R>(a %(old)s b);
}
"""
ASSIGNMENT = """template <class A, class B>
[[gnu::always_inline]] inline decltype(auto) %(name)s(int n, A&& a, const B& b) {
  if constexpr (requires { a %(new)s b; })
    if (on(n)) return a %(new)s b;
  return a %(old)s b;
}
"""

# Tests start the program itself: what it reaches and what is awake in it come by the environment.
SOURCE = """// Written by tools/mutants: see tools/mutation/changes.py.
#include "mutant.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace taugrad_mutant {
namespace {
unsigned char unseen[%(count)d];
}
int awake = -1;
unsigned char* reached = unseen;

// before the constructors of static objects, in which there are mutants too
__attribute__((constructor(101))) static void wake() {
  if (const char* number = std::getenv("TAUGRAD_MUTANT")) awake = std::atoi(number);
  const char* name = std::getenv("TAUGRAD_MUTANTS_REACHED");
  if (!name) return;
  const int file = ::open(name, O_RDWR | O_CLOEXEC);
  if (file < 0) std::abort();
  void* seen = ::mmap(nullptr, sizeof unseen, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (seen == MAP_FAILED) std::abort();
  ::close(file);
  reached = static_cast<unsigned char*>(seen);
}
}  // namespace taugrad_mutant
"""


def header():
    text = HEADER
    for table, form in ((BINARY, OPERATION), (ASSIGNING, ASSIGNMENT)):
        for old, (name, new) in table.items():
            text += form % {"name": name, "old": old, "new": new}
    return text + "\n}  // namespace taugrad_mutant\n"


def source(count):
    return SOURCE % {"count": count}


def insertions(site, number):
    """(offset, bytes replaced, text) of a site; texts at one offset in the order in which they have to stand."""
    n, start, end = number, site["start"], site["end"]
    call = NAMESPACE + "%s(" + str(n) + ", ("
    on = f"{NAMESPACE}on({n})"
    kind = site["kind"]
    if kind in ("binary", "assign"):
        name = {**BINARY, **ASSIGNING}[site["old"]][0]
        return [(start, 0, call % name), (site["at"], len(site["old"]), "), ("), (end, 0, "))")]
    if kind == "logical":  # a && b is !(!a || !b): awake, the three nots are there
        return [(start, 0, "((static_cast<bool>("), (site["at"], 0, f") != {on}) "),
                (site["at"] + 2, 0, " (static_cast<bool>("), (end, 0, f") != {on})) != {on}")]
    if kind == "condition":
        return [(start, 0, "(static_cast<bool>("), (end, 0, f") != {on})")]
    if kind == "callee":  # std::min, std::max: up to the parenthesis
        return [(start, len("std::"), NAMESPACE), (site["at"], 1, f"({n}, ")]
    name, length = {"!": ("negation", 1), "-": ("negative", 1), "++x": ("next", 2), "--x": ("previous", 2),
                    "x++": ("then_next", 2), "x--": ("then_previous", 2)}.get(site["old"], ("number", 0))
    if site["old"] in ("true", "false"):
        return [(start, end - start, f"({site['old']} != {on})")]
    if site["old"].startswith("x"):
        return [(start, 0, call % name), (end - 2, 2, "))")]
    return [(start, length, call % name), (end, 0, "))")]


def rewritten(text, sites):
    """`text` (bytes) with `sites`, a list of (number, site), asleep in it; lines keep their numbers."""
    parts = []
    for number, site in sites:
        size = site["end"] - site["start"]
        for offset, replaced, new in insertions(site, number):
            # outer ones open first and close last; a replaced token stands after what closes before it
            opens = offset == site["start"]
            closes = offset == site["end"] and not replaced
            rank = (0, size) if closes else (1, -size) if opens else (0, 1 << 60) if not replaced else (2, 0)
            parts.append((offset, rank, replaced, new.encode()))
    out, at = [b'#include "mutant.h"\n#line 1\n'], 0
    for offset, _, replaced, new in sorted(parts):
        out += [text[at:offset], new]
        at = offset + replaced
    return b"".join(out + [text[at:]])
