// Bad equations: each gets its code, its place, a caret under the fault, and what would mend it.
#include "bad_definitions.h"

using namespace taugrad;
using namespace taugrad::test;

TEST_CASE("bad definitions: the form of an equation", "[errors]") {
  const BadEquation table[] = {
      {"E001", {"h[t] = tanh(b + W @ h[t-1]<<>>"}, "expected ')', got the end", ""},
      {"E001", {"h[t] = <<)>>b"}, "expected a number, a name or '(', got ')'", ""},
      {"E001", {"h[t] <<+>> b"}, "expected '='", ""},
      {"E001", {"<<3>> = b"}, "the variable", ""},
      {"E001", {"h[t] = b <<b>>"}, "the end of the equation", ""},
      {"E001", {"h[t] = b <<^>> 2"}, "unexpected character '^'", "pow(a, b)"},
      {"E001", {"h[t] = <<2b>>"}, "a number is followed by a letter", "*"},
      {"E001", {"h[t] = <<1e999>> * b"}, "out of range", ""},
      {"E001", {"h[t] = b < 1 <<<=>> 2"}, "chained", "brackets"},
      {"E001", {"h[t] = <<sum[t-1]>>(x[t])"}, "goes over an index", "sum[t]"},
      {"E003",
       {"y[t] ~ <<categorial>>(logits = b)"},
       "unknown distribution \"categorial\"",
       "categorical"},
      {"E003", {"y[t] ~ categorical(<<logit>> = b)"}, "does not take \"logit\"", "logits"},
      {"E003", {"y[t] ~ <<normal>>(mean = b)"}, "takes 2 arguments", "std"},
      {"G017", {"h[t] = h[t-<<0.5>>] + b"}, "must be an integer, got 0.5", "t-1"},
      {"G017", {"h[t] = h[t-<<1000001>>] + b"}, "more than 1000000", ""},
  };
  for (const BadEquation& bad : table) check_bad(bad);
}

TEST_CASE("bad definitions: brackets nested past the limit, quickly and without overflow",
          "[errors]") {
  const std::string deep = "h = " + std::string(200000, '(') + "1" + std::string(200000, ')');
  CHECK(of_text(with_equations({deep}))[0].code == "E002");
  CHECK(of_text(with_equations({"h = " + std::string(200000, '-') + "(z[1]"}))[0].code == "E001");
}

TEST_CASE("bad definitions: names and positions", "[errors]") {
  const BadEquation table[] = {
      {"G012",
       {"h[t] = <<sigmiod>>(b)"},
       "unknown function \"sigmiod\"",
       "did you mean \"sigmoid\"?"},
      {"G014", {"h[t] = W @ <<hh[t-1]>> + b"}, "\"hh\" is not defined", "did you mean \"h\"?"},
      {"G014", {"h[t] = W @ h[t-1] + <<bias>>"}, "\"bias\" is not defined", "declare it"},
      {"G014", {"h[t] = <<x[q]>>"}, "\"q\" is not an index", ""},
      {"G013", {"h[t] = b", "<<h>>[t] = 2 * b"}, "\"h\" is defined twice", "remove one"},
      {"G013",
       {"h[0] = b", "h[t] = b", "<<h>>[0] = 2 * b"},
       "\"h\" is defined twice",
       "remove one"},
      {"E007", {"h[t] = b * <<x>>"}, "\"x\" has 1 index, read here with 0", "x[t]"},
      {"E007", {"h[t] = b * <<x[t,1]>>"}, "read here with 2", ""},
      {"E007", {"h[t] = <<b[t]>>"}, "\"b\" has 0 indices, read here with 1", "write b"},
      {"E007",
       {"o = b * sum(<<x[t]>>)"},
       "stands neither on the left side nor in a reduction",
       "sum[t]"},
      {"E007", {"h[t] = b * <<s>>"}, "index \"s\" stands neither", ""},
      {"E007",
       {"h[t] = <<z[t]>> * b"},
       "index \"t\" runs over \"tau\", this axis over \"n_src\"",
       "same length"},
      {"E007", {"<<h>>[t-1] = b"}, "the left side stands at t-1", "shift the right side"},
      {"E012", {"h[t] = <<tanh[s]>>(z[s])"}, "does not go over an index", ""},
      {"G014", {"h[t] = <<sum[q]>>(z[q])"}, "\"q\" is not an index", ""},
      {"E003",
       {"h[t] = b", "<<h>>[0] ~ categorical(logits = b)"},
       "both random and deterministic",
       "~"},
  };
  for (const BadEquation& bad : table) check_bad(bad);
}

TEST_CASE("bad definitions: shapes and kinds", "[errors]") {
  const BadEquation table[] = {
      {"G020", {"h[t] = tanh(b + U <<@>> b)"}, "[3,2]", ""},
      {"G020", {"h[t] = b <<+>> x[t]"}, "[3]", ""},
      {"G020", {"h[t] = b <<@>> 2"}, "@ takes vectors and matrices", "*"},
      {"G020", {"<<o>>[t] ~ categorical(logits = W)"}, "categorical takes a vector", ""},
      {"G020", {"h[t] = <<slice>>(b, 2, 1)"}, "end lies before the start", ""},
      {"G020", {"h[t] = <<slice>>(b, 2, 4)"}, "slice", ""},
      {"G020", {"h[t] = <<reshape>>(b, 2, 2)"}, "reshape", ""},
      {"G020", {"h[t] = <<conv[t]>>(W, x[t])"}, "depthwise kernel", "[w,m,n]"},
      {"G020", {"h[t] = <<conv[t]>>(b, x[t])"}, "takes a kernel of 3 axes", "[w,m,n]"},
      {"G020",
       {"h[t] = <<one_hot>>(u[t], 4)"},
       "one_hot of 4 places cannot hold a category of 5 symbols",
       ""},
      {"G020", {"h[t] = <<embed>>(W, u[t])"}, "3 rows cannot hold a category of 5 symbols", ""},
      {"G019",
       {"h[t] = tanh(b + W @ h[t-1])", "<<h>>[0] = x[1]"},
       "gives \"h\" the shape [2], the others give [3]",
       ""},
      {"E011", {"h[t] = b <<*>> u[t]"}, "does not work on a category", "one_hot"},
      {"E011", {"h[t] = <<tanh>>(u[t])"}, "does not work on a category", "embed"},
      {"E011", {"h[t] = <<embed>>(W, x[t])"}, "takes a category", ""},
      {"E011", {"h[t] = nll(<<x[t]>>)"}, "nll takes a random variable", ""},
      {"G015", {"h[t] = <<tanh>>(b, b)"}, "tanh takes 1 argument, got 2", ""},
      {"G015", {"h[t] = <<max>>(b, b, b)"}, "max takes 1 or 2 arguments, got 3", "max(a, b)"},
      {"G015", {"h[t] = <<where>>(b)"}, "where takes 3 arguments, got 1", ""},
      {"G015", {"h[t] = <<layer_norm>>(b, b)"}, "layer_norm takes 1 or 3 arguments, got 2", ""},
      {"E005", {"h[t] = slice(b, 0, <<t>>)"}, "must be a number known beforehand", ""},
      {"G011", {"h[t] = slice(b, 0, <</>>)"}, "", ""},
      {"E005", {"h[t] = <<dropout>>(b, 1.5)"}, "probability", ""},
      {"E010",
       {"h[t] = concat(<<h[t-1]>>, h[t-2])"},
       "the shape of \"h\" cannot be told",
       "h[0] = zeros(m)"},
  };
  for (BadEquation bad : table) {
    if (std::string(bad.code) == "G011")
      bad.equations = {"h[t] = slice(b, 0, 3 <</>> 2)"}, bad.message = "must be an integer";
    check_bad(bad);
  }
}

TEST_CASE("bad definitions: no order of evaluation", "[errors]") {
  const BadEquation table[] = {
      {"G016",
       {"h[t] = b + <<h[t]>>"},
       "h depends on itself at the same position: h -> h",
       "h[t-1]"},
      {"G016",
       {"h[t] = b + <<z2[t]>>", "z2[t] = W @ r[t]", "r[t] = h[t] * b"},
       "h -> z2 -> r -> h",
       "z2[t-1]"},
      {"E009",
       {"h[t] = b + <<h[t-1]>> + h[t+1]"},
       "no order of evaluation found for h -> h",
       "one way along one index"},
      {"E009", {"h[t] = b + <<h[last]>>"}, "no order of evaluation found", ""},
      {"E009", {"h[t] = b + <<h[1]>>"}, "no order of evaluation found", "fixed positions"},
      {"E009", {"h[t] = b + <<p[t-1]>>", "p[t] = q", "q = h[last]"}, "h -> p -> q -> h", ""},
  };
  for (const BadEquation& bad : table) check_bad(bad);
}

TEST_CASE("bad definitions: functions", "[errors]") {
  const auto with_functions = [](const std::string& functions, const std::string& equation) {
    return of_text(with_equations({equation}, ",\n \"functions\": [" + functions + "]"));
  };
  CHECK(with_functions("\"f(a) = f(a)\"", "h[t] = f(b)")[0].code == "E006");
  CHECK(with_functions("\"f(a) = g(a)\", \"g(a) = 2 * f(a)\"", "h[t] = f(b)")[0].code == "E006");
  CHECK(with_functions("\"f(a) = a * x[t]\"", "h[t] = f(b)")[0].code == "E006");
  CHECK(with_functions("\"tanh(a) = a\"", "h[t] = tanh(b)")[0].code == "E004");
  CHECK(with_functions("\"f(a) = a\", \"f(a) = 2 * a\"", "h[t] = f(b)")[0].code == "G013");
  const auto arity = with_functions("\"f(a, b2) = a + b2\"", "h[t] = f(b)");
  CHECK(arity[0].code == "G015");
  CHECK(arity[0].column == 11);
  const auto inside =
      with_functions("\"f(a) = a + bb\"", "h[t] = f(b)");  // the caret stands in the function
  CHECK(inside[0].code == "G014");
  CHECK(inside[0].line == 7);
  CHECK(inside[0].excerpt == "f(a) = a + bb");
}

TEST_CASE("bad definitions: all errors are told, each once", "[errors]") {
  const auto found = of_text(with_equations({"h[t] = tanh(b + W @ hh[t-1])", "o[t] = U @ b",
                                             "p[t] = 2 * h[t] + o[t]", "q[t] = sigmiod(b"}));
  REQUIRE(found.size() == 3);  // a slip of form hides no other
  CHECK(found[0].code == "G014");
  CHECK(found[1].code == "G020");
  CHECK(found[2].code == "E001");
  const auto three = of_text(with_equations({"h[t] = tanh(b + W @ hh[t-1])", "o[t] = U @ b",
                                             "p[t] = 2 * h[t] + o[t]", "q[t] = sigmiod(b)"}));
  REQUIRE(three.size() == 3);
  CHECK(three[0].code == "G014");
  CHECK(three[0].line == 5);
  CHECK(three[1].code == "G020");
  CHECK(three[1].line == 6);
  CHECK(three[2].code == "G012");
  CHECK(three[2].line == 8);
}
