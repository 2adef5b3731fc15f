// Bad definitions: each gets its code, its place, the line, and what would mend it.
#include "bad_definitions.h"

using namespace taugrad;
using namespace taugrad::test;

TEST_CASE("bad definitions: the JSON text", "[errors]") {
  const BadText table[] = {
      {"G001", "", 0, 0, "bad.json is empty; expected a definition object"},
      {"G001", " \n\t", 0, 0, "is empty"},
      {"G002", "{\"name\": \"a\",\n \"sizes\": {\"m\": 3", 2, 18,
       "JSON ends early at 2:18; 2 unclosed '{' (opened at 2:11)"},
      {"G002", "{\"name\": \"a\"\n \"sizes\": {}}", 2, 2, "expected ',' or '}' at 2:2"},
      {"G002", "{// note\n\"name\": \"a\"}", 1, 2, "comments are not allowed in JSON at 1:2"},
      {"G002", "{\"name\": \"a\", \"equations\": [\"h = 1\",]}", 1, 37, "trailing comma"},
      {"G003", before_rest("\"constants\": {\"p\": NaN}"), 2, 21, "number out of range at 2:21",
       "\"nan\""},
      {"G003", before_rest("\"constants\": {\"p\": Infinity}"), 2, 21, "number out of range"},
      {"G003", before_rest("\"constants\": {\"p\": 1e400}"), 2, 21, "number out of range"},
      {"G004", "{\"name\": \"a\xFF\"}", 1, 12, "invalid UTF-8 (byte 0xFF) at 1:12"},
      {"G004", "{\"name\": \"a\\ud800\"}", 1, 12, "surrogate"},
      {"G004", "\xEF\xBB\xBF{}", 1, 1, "byte-order mark; save as UTF-8 without BOM"},
      {"G004", std::string("\xFF\xFE{\0}\0", 6), 1, 1, "byte-order mark (UTF-16)"},
      {"G005", before_rest("\"sizes\": {\"m\": 3,\n  \"m\": 4}"), 3, 3,
       "key \"m\" appears twice (2:12 and 3:3)"},
      {"G006", std::string(100000, '['), 1, 65, "nesting deeper than 64 at 1:65"},
      {"G007", "[1, 2]", 1, 1, "expected an object, got array"},
      {"G008", before_rest("\"version\": 9"), 2, 13,
       "file version 9 is newer than this program supports (1)"},
      {"G009", before_rest("\"weihgts\": {}"), 2, 2, "unknown field \"weihgts\"",
       "did you mean \"weights\"?"},
      {"G009", before_rest("\"weights\": {\"W\": {\"shape\": [2], \"intit\": 0}}"), 2, 34,
       "unknown field \"intit\"", "\"init\""},
      {"G010", "{\"name\": 5, \"equations\": []}", 1, 10, "\"name\" must be a string, got number"},
      {"G010", "{\"name\": \"a\"}", 1, 1, "lacks the field \"equations\""},
      {"G010", before_rest("\"loss\": 3"), 2, 10, "must be"},
      {"G010", before_rest("\"weights\": {\"W\": {\"shape\": [2], \"init\": \"unifrom(1)\"}}"), 2,
       42, "unknown init", "orthogonal"},
      {"G010",
       before_rest("\"weights\": {\"W\": {\"shape\": [2], \"init\": {\"values\": [1, \"a/b\"]}}}"),
       2, 57, "fraction"},
      {"G011", before_rest("\"sizes\": {\"m\": true}"), 2, 17,
       "\"m\" must be an integer in 0..2147483647, got true"},
      {"G011", before_rest("\"sizes\": {\"m\": 3.7}"), 2, 17, "got 3.7"},
      {"G011", before_rest("\"sizes\": {\"m\": -1}"), 2, 17, "got -1"},
      {"G011", before_rest("\"sizes\": {\"m\": 18446744073709551616}"), 2, 17,
       "got 18446744073709551616"},
  };
  for (const BadText& bad : table) check_bad(bad);
}

TEST_CASE("bad definitions: declarations", "[errors]") {
  const BadText table[] = {
      {"G011", before_rest("\"sizes\": {\"m\": 3}, \"weights\": {\"W\": [\"m-5\"]}"), 2, 40,
       "got -2"},
      {"G011", before_rest("\"sizes\": {\"m\": 3}, \"weights\": {\"W\": [\"m/2\"]}"), 2, 40,
       "got 1.5"},
      {"G014", before_rest("\"sizes\": {\"hidden\": 3}, \"weights\": {\"W\": [\"2*hiden\"]}"), 2,
       47, "size \"hiden\"", "did you mean \"hidden\"?"},
      {"E005", before_rest("\"weights\": {\"W\": [\"max(2)\"]}"), 2, 21, "a size is made of"},
      {"G013", before_rest("\"sizes\": {\"x\": 3}"), 3, 37, "\"x\" is defined twice"},
      {"G013", before_rest("\"sizes\": {\"tau\": 3}, \"weights\": {\"tau\": [2]}"), 2, 36,
       "\"tau\" is defined twice"},
      {"E004", before_rest("\"weights\": {\"last\": [2]}"), 2, 15, "\"last\" is reserved"},
      {"G025", before_rest("\"sizes\": {\"m n\": 2}"), 2, 13, "\"m n\" is not a name"},
      {"E004", before_rest("\"sizes\": {\"softmax\": 2}"), 2, 13, "\"softmax\" is reserved"},
      {"G021", before_rest("\"weights\": {\"big\": [65536, 65536, 65536, 65536]}"), 2, 15,
       "\"big\""},
      {"G021", before_rest("\"weights\": {\"W\": [1, 1, 1, 1, 1]}"), 2, 15,
       "has 5 axes; tensors have at most 4"},
      {"G014", before_rest("\"weights\": {\"W[i]\": [2]}"), 2, 15, "\"i\" is not an index",
       "\"index\""},
      {"G010", before_rest("\"inputs\": {\"u[t]\": \"categorical(3)\"}"), 2, 21,
       "must be a shape, \"category(k)\""},
      {"G014", before_rest("\"ends\": {\"s\": \"1\"}"), 2, 17, "not an index"},
  };
  for (const BadText& bad : table) {
    if (std::string(bad.text).find("\"inputs\": {\"u") != std::string::npos) {
      BadText own = bad;
      own.text =
          "{\"name\": \"a\",\n \"inputs\": {\"u[t]\": \"categorical(3)\"}, \"equations\": [\"h = "
          "1\"]}";
      check_bad(own);
    } else {
      check_bad(bad);
    }
  }
}

TEST_CASE("bad definitions: names that no file format could carry", "[errors]") {
  for (const std::string& name : {std::string("a\\\"b"), std::string("a<b"), std::string("a\\nb"),
                                  std::string("__met adata__"), std::string("__metadata__"),
                                  std::string("3d"), std::string("")}) {
    INFO(name);
    const auto found = of_text(before_rest("\"weights\": {\"" + name + "\": [2]}"));
    CHECK((found[0].code == "G025" || found[0].code == "E001"));
    CHECK(found[0].line == 2);
  }
  for (const char* section : {"sizes", "constants", "index"}) {
    const std::string text = "{\"name\": \"a\",\n \"" + std::string(section) + "\": {\"a<b\": " +
                             (std::string(section) == "index" ? "\"tau\"" : "2") +
                             "}, \"equations\": [\"h = 1\"]}";
    const auto found = of_text(text);
    CHECK(found[0].code == "G025");
    CHECK(found[0].line == 2);
    CHECK(found[0].help.find("letters") != std::string::npos);
  }
  CHECK(of_text(before_rest("\"sizes\": {\"" + std::string(10000, 'a') + "\": 2}"))[0].code ==
        "G025");
  CHECK(of_text(with_equations({std::string(10000, 'h') + " = 1"}))[0].code == "G025");
}

TEST_CASE(
    "bad definitions: three equations with errors are three errors, also where one reads another",
    "[errors]") {
  const auto found = of_text(
      R"j({"name": "a", "index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2, 2]},
    "equations": ["a[t] = W @ a[t-1] + z[t]", "h[t] = tahn(a[t])", "g[t] = sigmoid(h[t], 2)", "o[t] = W @ h[t-1,2] + x[t]"]})j");
  std::vector<std::string> codes;
  for (const Diagnostic& d : found) codes.push_back(d.code);
  CHECK(codes == std::vector<std::string>{"G014", "G012", "G015", "E007"});
}
