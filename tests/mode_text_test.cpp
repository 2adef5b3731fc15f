// Modes as texts, and the schedules of scheduled sampling.                          (row S42)
#include <catch2/catch.hpp>
#include <map>

#include "taugrad/base/error.h"
#include "taugrad/language/mode.h"

using namespace taugrad;

namespace {

std::string why(const std::string& text) {
  try {
    mode_from(text);
  } catch (const Error& e) {
    return e.diagnostics()[0].code + ": " + e.diagnostics()[0].message;
  }
  return "";
}

}  // namespace

TEST_CASE("modes: texts", "[modes]") {
  for (const char* text :
       {"observed", "sampled", "greedy", "sampled(pathwise)", "greedy(pathwise)", "mixed(0.7)",
        "mixed(0.25,greedy,pathwise)", "mixed(linear(1,0.2,1000))", "mixed(exponential(0.999))",
        "mixed(sigmoid(500),greedy)", "forced(10,5)", "forced(0,1,greedy)", "forced(3,2,pathwise)"})
    CHECK(to_string(mode_from(text)) == text);
  CHECK(mode_from(" mixed( linear(1, 0.2, 1000) , greedy )") ==
        mode_from("mixed(linear(1,0.2,1000),greedy)"));
  CHECK(mode_from("mixed(1)") == Mode::mixed(1));
  CHECK(mode_from("forced(3,4)") == Mode::forced(3, 4));
}

TEST_CASE("modes: texts that are none", "[modes]") {
  for (const auto& [text, part] : std::map<std::string, std::string>{
           {"", "\"\" is no mode"},
           {"free", "\"free\" is no mode"},
           {"mixed", "mixed takes a probability"},
           {"mixed()", "mixed takes a probability"},
           {"mixed(2)", "the probability must be a number in 0..1, not \"2\""},
           {"mixed(-0.1)", "in 0..1"},
           {"mixed(nan)", "in 0..1"},
           {"mixed(0.5", "a bracket is not closed"},
           {"mixed(0.5))", "a bracket too many"},
           {"mixed(0.5,0.6)", "mixed takes a probability"},
           {"mixed(linear(1,0.2))", "linear takes 3 numbers, as in linear(1,0.2,1000)"},
           {"mixed(linear(1,0.2,0))", "UPDATES must be a number"},
           {"mixed(exponential(1.5))", "C must be a number in 0..1"},
           {"mixed(sigmoid(0.5))", "K must be a number >= 1"},
           {"mixed(cosine(3))", "\"cosine\" is no schedule"},
           {"forced(3)", "forced takes the steps of data and the free ones"},
           {"forced(0,0)", "one of the two must be 1 or more"},
           {"forced(-1,2)", "\"-1\" is no number of steps"},
           {"forced(1.5,2)", "\"1.5\" is no number of steps"},
           {"sampled(0.5)", "sampled takes no numbers"},
           {"sampled(greedy)", "sampled takes no numbers"},
           {"observed(pathwise)", "observed takes no numbers"},
       }) {
    CAPTURE(text);
    CHECK(why(text).starts_with("U002: cannot read the mode"));
    CHECK(why(text).find(part) != std::string::npos);
  }
}

TEST_CASE("modes: schedules", "[modes][rows]") {
  const auto p = [](const char* schedule, std::int64_t update) {
    return mode_from("mixed(" + std::string(schedule) + ")").data.at(update);
  };
  CHECK(p("0.3", 1000) == 0.3);
  CHECK(p("linear(1,0.2,1000)", 0) == 1);
  CHECK(p("linear(1,0.2,1000)", 250) == Approx(0.8).epsilon(1e-15));
  CHECK(p("linear(1,0.2,1000)", 1000) == 0.2);
  CHECK(p("linear(1,0.2,1000)", 100000) == 0.2);
  CHECK(p("exponential(0.5)", 0) == 1);
  CHECK(p("exponential(0.5)", 3) == 0.125);
  CHECK(p("sigmoid(100)", 0) == Approx(100.0 / 101).epsilon(1e-15));
  CHECK(p("sigmoid(100)", 461) == Approx(0.5).margin(0.01));  // k log k
  CHECK(p("sigmoid(1)", 10000) == 0);
}
