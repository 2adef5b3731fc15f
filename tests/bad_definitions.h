#pragma once

#include "language_support.h"
#include "taugrad/unfold/unfold.h"

/// What tests of bad definitions share: texts with an error, and where it is told.
namespace taugrad::test {

/// A definition whose equations stand from line 5 on, one a line, their text from column 4 on.
inline std::string with_equations(const std::vector<std::string>& equations,
                                  const std::string& more = "") {
  std::string text =
      R"j({"name": "bad", "index": {"t": "tau", "s": "n_src"}, "sizes": {"n": 2, "m": 3},
 "inputs": {"x[t]": ["n"], "u[t]": "category(5)", "z[s]": []},
 "weights": {"W": ["m", "m"], "U": ["m", "n"], "b": ["m"], "K": [2, "m", "n"], "w[t]": []},
 "equations": [)j";
  for (const std::string& e : equations)
    text += (&e == &equations[0] ? "\n  \"" : ",\n  \"") + e + "\"";
  return text + "\n ]" + more + "}";
}

inline std::vector<Diagnostic> of_text(const std::string& text) {
  return problems_of([&] { unfold(parse_definition(text, "bad.json"), {.steps = 3}); });
}

/// Takes the marks << >> out of a text; returns the marked part's offset and length.
inline std::pair<int, int> unmark(std::string& text) {
  const auto from = text.find("<<");
  REQUIRE(from != std::string::npos);
  text.erase(from, 2);
  const auto to = text.find(">>");
  text.erase(to, 2);
  return {static_cast<int>(from), static_cast<int>(to - from)};
}

struct BadEquation {
  const char* code;
  std::vector<std::string> equations;  ///< << >> marks what the caret stands under
  const char* message;                 ///< a part of it
  const char* help;                    ///< a part of it
  const char* more = "";
};

inline void check_bad(const BadEquation& bad) {
  INFO(bad.code << ": " << bad.message);
  std::vector<std::string> equations = bad.equations;
  std::size_t line = 0;
  while (equations.at(line).find("<<") == std::string::npos) ++line;
  const auto [offset, length] = unmark(equations[line]);
  const std::vector<Diagnostic> found = of_text(with_equations(equations, bad.more));
  const Diagnostic& d = found.front();
  INFO(to_text(d));
  CHECK(found.size() == 1);
  CHECK(d.code == bad.code);
  CHECK(d.file == "bad.json");
  CHECK(d.line == 5 + static_cast<int>(line));
  CHECK(d.column == 4 + offset);
  CHECK(d.pointer == "/equations/" + std::to_string(line));
  CHECK(d.excerpt == equations[line]);
  CHECK(d.caret == offset);
  CHECK(d.caret_length == std::max(length, 1));
  CHECK(d.message.find(bad.message) != std::string::npos);
  CHECK(d.help.find(bad.help) != std::string::npos);
}

struct BadText {
  const char* code;
  std::string text;  ///< of the whole file
  int line, column;
  const char* message;
  const char* help = "";
};

inline void check_bad(const BadText& bad) {
  INFO(bad.code << ": " << bad.message);
  const std::vector<Diagnostic> found = of_text(bad.text);
  const Diagnostic& d = found.front();
  INFO(to_text(d));
  CHECK(d.code == bad.code);
  CHECK(d.line == bad.line);
  CHECK(d.column == bad.column);
  CHECK(d.message.find(bad.message) != std::string::npos);
  CHECK(d.help.find(bad.help) != std::string::npos);
}

inline const char* const kRest =
    R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "equations": ["h[t] = tanh(x[t])"]})j";
inline std::string before_rest(const std::string& first) {
  return "{\"name\": \"a\",\n " + first + ",\n " + kRest;
}

}  // namespace taugrad::test
