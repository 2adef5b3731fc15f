// Bad machines: each gets its code, its place, and what would mend it.
#include <catch2/catch.hpp>

#include "taugrad/base/error.h"
#include "taugrad/turing/machine.h"

using namespace taugrad;

namespace {

struct Bad {
  const char* code;
  std::string text;
  int line, column;
  const char* message;  ///< a part of it
  const char* help = "";
};

// rules on line 3, the text of the first from column 12 on
std::string with_rules(const std::string& rules) {
  return "{\"name\": \"m\", \"symbols\": [\"0\", \"1\"],\n \"states\": [\"A\", \"B\"],\n "
         "\"rules\": [" +
         rules + "]}";
}
std::string with(const std::string& symbols, const std::string& states,
                 const std::string& more = "") {
  return "{\"name\": \"m\",\n \"symbols\": " + symbols + ",\n \"states\": " + states + ",\n " +
         more + "\"rules\": [\"A 0 -> 1 R B\"]}";
}

std::vector<Diagnostic> problems_of(const std::string& text) {
  try {
    parse_machine(text, "bad.json");
  } catch (const Error& e) {
    CHECK(e.status() == Status::bad_input);
    return e.diagnostics();
  }
  return {};
}

}  // namespace

TEST_CASE("bad machines get their errors", "[errors]") {
  const Bad table[] = {
      {"G001", "", 0, 0, "bad.json is empty; expected a machine object"},
      {"G002", "{\"name\": \"m\"", 1, 13, "JSON ends early"},
      {"G007", "[]", 1, 1, "expected an object, got array"},
      {"G009", with("[\"0\", \"1\"]", "[\"A\", \"B\"]", "\"taep\": \"1\", "), 4, 2,
       "unknown field \"taep\"", "did you mean \"tape\"?"},
      {"G010", "{\"name\": \"m\"}", 1, 1, "lacks the field \"symbols\""},
      {"G010", with("\"01\"", "[\"A\", \"B\"]"), 2, 13, "\"symbols\" must be"},
      {"G010", with("[\"0\", 1]", "[\"A\", \"B\"]"), 2, 19, "\"a symbol\" must be a string"},
      {"G010", with_rules("[\"A\", \"0\"]"), 3, 12, "\"a rule\" must be a string, got array"},
      {"G013", with("[\"0\", \"1\", \"0\"]", "[\"A\", \"B\"]"), 2, 24,
       "symbol \"0\" is listed twice"},
      {"G013", with("[\"0\", \"1\"]", "[\"A\", \"B\", \"A\"]"), 3, 23,
       "state \"A\" is listed twice"},
      {"G013", with_rules("\"A 0 -> 1 R B\", \"A 0 -> 0 L A\""), 3, 28,
       "two rules for state A and symbol \"0\"", "one thing"},
      {"G014", with_rules("\"A 2 -> 1 R B\""), 3, 15, "symbol \"2\" is not defined"},
      {"G014", with_rules("\"A 0 -> 1 R b\""), 3, 24, "state \"b\" is not defined",
       "did you mean \"B\"?"},
      {"G014", with("[\"0\", \"1\"]", "[\"A\", \"B\"]", "\"tape\": \"1021\", "), 4, 13,
       "symbol \"2\" is not defined"},
      {"G025", with("[\"0\", \"1\"]", "[\"A\", \"B C\"]"), 3, 18, "\"B C\" is not a name",
       "letters, digits"},
      {"G025", "{\"name\": \"\", \"symbols\": [\"0\", \"1\"], \"states\": [\"A\"], \"rules\": []}",
       1, 10, "\"\" is not a name"},
      {"T001", with_rules("\"A 0 1 R B\""), 3, 12, "a rule that cannot be read: \"A 0 1 R B\"",
       "A 0 -> 1 R B"},
      {"T001", with_rules("\"A 0 -> 1 right B\""), 3, 22, "a move is L, R or S, not \"right\"",
       "a move is L, R or S"},
      {"T002", with("[\"0\", \"10\"]", "[\"A\", \"B\"]"), 2, 19,
       "a symbol is one character, not \"10\""},
      {"T002", with("[\"0\", \" \"]", "[\"A\", \"B\"]"), 2, 19, "a symbol is one character"},
      {"T002", with("[\"0\"]", "[\"A\", \"B\"]"), 2, 13, "at least two symbols", "\"0\", \"1\""},
      {"T002", with("[\"0\", \"1\"]", "[]"), 3, 12, "at least one state"},
      {"T002", "{\"name\": \"m\", \"symbols\": [\"0\", \"1\"], \"states\": [\"A\"], \"rules\": []}",
       1, 64, "at least one rule", "A 0 -> 1 R B"},
      {"T003", with_rules("\"A 0 -> 1 R A\""), 2, 18, "no rule leads to state \"B\"",
       "take it out"},
  };
  for (const Bad& bad : table) {
    INFO(bad.text);
    const std::vector<Diagnostic> problems = problems_of(bad.text);
    REQUIRE(problems.size() >= 1);
    const Diagnostic& d = problems.front();
    CHECK(d.code == bad.code);
    CHECK(d.line == bad.line);
    CHECK(d.column == bad.column);
    CHECK_THAT(d.message, Catch::Contains(bad.message));
    CHECK_THAT(d.help, Catch::Contains(bad.help));
  }
}

TEST_CASE("all problems of a machine are told together, each under its word", "[errors]") {
  const auto problems = problems_of(with_rules("\"A 2 -> 1 R b\", \"nonsense\", \"A 1 -> 1 X A\""));
  REQUIRE(problems.size() == 4);
  CHECK(problems[0].caret == 14);
  CHECK(problems[0].caret_length == 1);
  CHECK(to_text(problems[3]).find("X A") != std::string::npos);
}

TEST_CASE("machines by name and tapes by symbol", "[errors]") {
  try {
    load_machine("busy_beavr_2");
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.status() == Status::io);
    CHECK(e.diagnostics().front().help == "did you mean \"busy_beaver_2\"?");
  }
  const TuringMachine m = load_machine("binary_increment");
  CHECK(parse_tape(m, "_01") == std::vector<int>{0, 1, 2});
  CHECK_THROWS_AS(parse_tape(m, "012"), Error);
}
