// Bad imports, and definitions that ask for too much.
#include "bad_definitions.h"
#include "language/resolve/resolved_model.h"
#include "support_scratch.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

const char* const kCell =
    R"j({"name": "cell", "index": {"t": "tau"}, "sizes": {"n": 2, "m": 3}, "inputs": {"x[t]": ["n"]},
  "weights": {"U": ["m", "n"], "b": ["m"]}, "equations": ["h[t] = b + U @ x[t]", "k[t] = h[t-1]", "k[0] = ones(m)"]})j";

/// What is wrong with importing kCell as `{"from": "cell" <more>}` (line 3 of the file).
std::vector<Diagnostic> of_import(const std::string& import,
                                  const std::string& equation = "o[t] = c.h[t]") {
  const support::Definitions folder;
  folder.add("cell", kCell);
  folder.add("outer",
             "{\"name\": \"outer\", \"index\": {\"t\": \"tau\", \"s\": \"len\"}, \"inputs\": "
             "{\"x[t]\": [2], \"v\": [2]},\n" +
                 std::string(" \"weights\": {\"B\": [3, 2], \"A\": [4, 5], \"d[t]\": [3]}, "
                             "\"imports\": {\n  \"c\": ") +
                 import + "},\n \"equations\": [\"" + equation + "\"]}");
  return problems_of([&] { unfold(load_definition(folder.file("outer")), {.steps = 3}); });
}

void check_import(const char* code, const std::string& import, const std::string& message,
                  const std::string& help = "", const std::string& equation = "o[t] = c.h[t]") {
  const auto found = of_import(import, equation);
  INFO(to_text(found[0]));
  CHECK(found[0].code == code);
  CHECK(found[0].line > 0);
  CHECK(found[0].message.find(message) != std::string::npos);
  CHECK(found[0].help.find(help) != std::string::npos);
}

}  // namespace

TEST_CASE("bad imports: paths are refused, before anything is opened", "[errors]") {
  for (const char* from : {"../cell", "/etc/passwd", "cell.json", "a/b", "", "."})
    check_import("E008", std::string(R"({"from": ")") + from + R"("})", "bare name",
                 "never by path");
}

TEST_CASE("bad imports: a definition that does not exist", "[errors]") {
  const auto found = of_import(R"({"from": "elmann"})");
  CHECK(found[0].code == "I001");
  CHECK(found[0].help.find("\"elman\"") != std::string::npos);
}

TEST_CASE("bad imports: a cycle is named whole", "[errors]") {
  const support::Definitions folder;
  const auto importing = [&](const std::string& name, const std::string& from) {
    folder.add(name, "{\"name\": \"" + name +
                         "\", \"index\": {\"t\": \"tau\"}, \"imports\": {\"c\": {\"from\": \"" +
                         from + "\"}}, \"equations\": [\"h[t] = c.h[t-1]\"]}");
  };
  importing("a", "b");
  importing("b", "d");
  importing("d", "b");
  const auto found = problems_of([&] { unfold(load_definition(folder.file("a")), {.steps = 3}); });
  CHECK(found[0].code == "E008");
  CHECK(found[0].message.find("b -> d -> b") != std::string::npos);
  importing("e", "e");
  CHECK(problems_of([&] { unfold(load_definition(folder.file("e")), {.steps = 3}); })[0].code ==
        "E008");
}

TEST_CASE("bad imports: what is bound must exist and fit", "[errors]") {
  const std::string x = R"("inputs": {"x[t]": "x[t]"})";
  check_import("G014", R"({"from": "cell"})", "input \"x\" of import \"c\" is not bound",
               "\"inputs\": {\"x[t]\": \"..\"}");
  check_import("G014", R"({"from": "cell", "inputs": {"y[t]": "x[t]"}})", "no input \"y\"");
  check_import("E007", R"({"from": "cell", "inputs": {"x": "v"}})", "has 1 index");
  check_import("G014", R"({"from": "cell", )" + x + R"(, "weights": {"W": "B"}})",
               "no weight \"W\"");
  check_import("G014", R"({"from": "cell", )" + x + R"(, "weights": {"U": "BB"}})",
               "\"BB\" is not defined");
  check_import("G024", R"({"from": "cell", )" + x + R"(, "weights": {"U": "A"}})",
               "\"A\" is [4,5], but cell needs [3,2]");
  check_import("E007", R"({"from": "cell", )" + x + R"(, "weights": {"b": "d"}})", "\"d\"");
  check_import("G014", R"({"from": "cell", "sizes": {"q": 2}, )" + x + "}", "no size \"q\"");
  check_import("G014", R"({"from": "cell", "index": {"q": "t"}, )" + x + "}", "no index \"q\"");
  check_import("G014", R"({"from": "cell", "index": {"t": "q"}, )" + x + "}",
               "\"q\" is not an index here");
  check_import("G014", R"({"from": "cell", "reverse": ["q"], )" + x + "}",
               "\"q\", which is not an index");
  check_import("G014", R"({"from": "cell", )" + x + "}", "\"c.hh\" is not defined",
               "did you mean \"c.h\"?", "o[t] = c.hh[t]");
  check_import("E001", R"({"from": "cell", "inputs": {"x[t]": "x[t"}})", "expected ']'");
  check_import("G009", R"({"from": "cell", "input": {}})", "unknown field \"input\"",
               "did you mean \"inputs\"?");
}

// R11, R16: a declared shape is one, whatever reads the input
TEST_CASE("imports: what is bound to an input has the input's shape", "[errors]") {
  const support::Definitions folder;
  const auto cell = [&](const std::string& input, const std::string& equations) {
    folder.add(
        "cell",
        R"j({"name": "cell", "index": {"t": "tau"}, "sizes": {"n": 2}, "inputs": {"x[t]": )j" +
            input + R"(}, "equations": [)" + equations + "]}");
  };
  const auto outer =
      [&](const std::string& rest, const std::string& given, const std::string& more = "") {
        folder.add("outer", R"({"name": "outer", "index": {"t": "tau"}, )" + rest +
                                R"("imports": {"a": {"from": "cell", "inputs": {"x[t]": ")" +
                                given + R"("}}},
      "equations": [)" + more + R"("o[t] = a.m[t]"]})");
        return load_definition(folder.file("outer"));
      };
  const auto refused = [&](const Definition& d, const char* code, const char* message) {
    const auto found = problems_of([&] { unfold(d, {.steps = 3}); });
    CHECK(std::ranges::any_of(found, [&](const Diagnostic& p) {
      UNSCOPED_INFO(to_text(p));
      return p.code == code && p.line > 0 && p.message.find(message) != std::string::npos;
    }));
  };
  cell(R"(["n"])", R"j("m[t] = sum(x[t]) / n")j");
  refused(outer(R"("inputs": {"u[t]": [5]}, )", "u[t]"), "G020",
          "\"u[t]\" is [5], but cell needs [2] for \"x\"");
  refused(outer(R"("inputs": {"u[t]": []}, )", "2 * u[t]"), "G020", "is [], but cell needs [2]");
  refused(outer(R"j("inputs": {"u[t]": "category(5)"}, )j", "u[t]"), "E011",
          "a category of 5, but cell needs [2]");
  // what is known only by that is a vector, as is a number in its place
  const auto value = [&](const Definition& d) {
    return run(d, {}, {}, {.fetch = {"o"}, .dtype = Dtype::f64, .steps = 2}).values.at("o");
  };
  const Tensor found = value(outer("", "v[t]", R"("v[t] = 0.5 * v[t-1] + 1", )"));
  CHECK(found.at(0) == 1);
  CHECK(found.at(1) == 1.5);
  CHECK(value(outer("", "3")).at(1) == 3);
  CHECK(value(outer("", "t / 2")).at(1) == 1);
  cell(R"j("category(3)")j", R"j("m[t] = (x[t] == 2) + n")j");
  refused(outer(R"j("inputs": {"u[t]": "category(7)"}, )j", "u[t]"), "G020",
          "a category of 7, but cell needs a category of 3");
  refused(outer(R"("inputs": {"u[t]": []}, )", "u[t]"), "E011",
          "is [], but cell needs a category of 3");
  CHECK_NOTHROW(unfold(outer(R"j("inputs": {"u[t]": "category(3)"}, )j", "u[t]"), {.steps = 3}));
}

TEST_CASE("bad imports: an error inside an import is told in the file it stands in", "[errors]") {
  const support::Definitions folder;
  folder.add("cell",
             "{\"name\": \"cell\", \"index\": {\"t\": \"tau\"},\n \"equations\": [\"h[t] = 1 + "
             "hh[t-1]\"]}");
  folder.add(
      "outer",
      R"j({"name": "outer", "index": {"t": "tau"}, "imports": {"c": {"from": "cell"}}, "equations": ["o[t] = c.h[t]"]})j");
  const auto found =
      problems_of([&] { unfold(load_definition(folder.file("outer")), {.steps = 3}); });
  CHECK(found[0].code == "G014");
  CHECK(found[0].file == folder.file("cell"));
  CHECK(found[0].line == 2);
  CHECK(found[0].excerpt == "h[t] = 1 + hh[t-1]");
  CHECK(found[0].caret == 11);
}

TEST_CASE("definitions that ask for too many steps are refused before anything is allocated",
          "[errors]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": ["h[t] = h[t-1] + x[t]"])j");
  CHECK(problems_of([&] { unfold(d, {.steps = -1}); })[0].code == "G022");
  CHECK(problems_of([&] { unfold(d); })[0].code == "G022");
  const auto many = problems_of([&] { unfold(d, {.steps = 1'000'000'000'000}); });
  CHECK(many[0].code == "G022");
  const Definition grid = define(
      R"j("index": {"i": "r", "j": "c"}, "inputs": {"x[i,j]": []}, "equations": ["h[i,j] = x[i,j]"])j");
  CHECK(problems_of([&] { unfold(grid, {.steps = 100'000}); })[0].code == "G022");
  CHECK_NOTHROW(unfold(d, {.steps = 0}));
}

TEST_CASE("a run over its memory limit is refused with what it needs", "[errors]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1000]}, "weights": {"W": [1000, 1000]},
    "equations": ["h[t] = tanh(W @ h[t-1] + x[t])"], "loss": "sum(h[last])")j");
  RunOptions o;
  o.fetch = {"grad:W"};
  o.steps = 10;
  o.batch = 10;
  o.engine.max_memory = 1 << 20;
  try {
    run(d, {}, {}, o);
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK(e.status() == Status::resource);
    CHECK(e.diagnostics()[0].code == "R001");
    CHECK(e.diagnostics()[0].message.find("MiB") != std::string::npos);
  }
}

TEST_CASE("a gradient without a loss, and a loss that is not a number, are errors", "[errors]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": ["h[t] = x[t]"])j");
  CHECK(problems_of([&] { unfold(d, {.steps = 2}).loss(); })[0].code == "G023");
  const Definition symbol = define(
      R"j("index": {"t": "tau"}, "inputs": {"u[t]": "category(3)"}, "equations": ["h[t] = u[t] == 1"], "loss": "u[t]")j");
  CHECK(problems_of([&] { unfold(symbol, {.steps = 2}); })[0].code == "E011");
}

TEST_CASE("unused inputs and weights are errors unless allowed", "[errors]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "z[t]": []}, "weights": {"w": []}, "equations": ["h[t] = x[t]"])j");
  CHECK_NOTHROW(resolve(d));
  const auto found = problems_of([&] { resolve(d, {.allow_unused = false}); });
  REQUIRE(found.size() == 2);
  for (const Diagnostic& e : found) {
    CHECK(e.code == "E014");
    CHECK(e.help.find("allow_unused") != std::string::npos);
  }
}
