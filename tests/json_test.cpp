#include "json/json.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "base/suggest.h"
#include "base/utf8.h"
#include "json/json_writer.h"
#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"

using namespace taugrad;
using json::Document;
using json::Kind;

namespace {

struct Bad {
  std::string text;
  std::string code;
  int line, column;
  std::string message;  // part of it
};

Diagnostic failure(const std::string& text) {
  try {
    const Document d(text, "f.json", "a graph object");
    d.root_object();
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

std::string again(const std::string& text) {
  const Document d(text, "f.json");
  json::Writer w;
  struct Step {
    json::Value value;
    std::size_t next = 0;
  };
  // writes the tree back with an explicit stack
  std::vector<Step> stack;
  const auto start = [&](json::Value v) {
    switch (v.kind()) {
      case Kind::null:
        w.null();
        break;
      case Kind::boolean:
        w.value(v.boolean("b"));
        break;
      case Kind::integer:
        w.value(v.integer("i", INT64_MIN, INT64_MAX));
        break;
      case Kind::real:
        w.value(v.number("r"));
        break;
      case Kind::string:
        w.value(v.string("s"));
        break;
      case Kind::array:
        w.begin_array(), stack.push_back({v});
        break;
      case Kind::object:
        w.begin_object(), stack.push_back({v});
        break;
    }
  };
  start(d.root());
  while (!stack.empty()) {
    Step& top = stack.back();
    const std::size_t i = top.next++;
    if (top.value.is(Kind::array)) {
      const auto elements = top.value.elements("a");
      if (i < elements.size())
        start(elements[i]);
      else
        w.end_array(), stack.pop_back();
    } else {
      const auto members = top.value.members("o");
      if (i < members.size())
        w.key(members[i].name()), start(members[i].value);
      else
        w.end_object(), stack.pop_back();
    }
  }
  return w.text();
}

}  // namespace

TEST_CASE("json: what is not strict JSON is refused with code and place", "[json]") {
  const std::string deep(100000, '[');
  const std::vector<Bad> table = {
      {"", "G001", 0, 0, "f.json is empty; expected a graph object"},
      {" \n\t", "G001", 0, 0, "is empty"},
      {"{\n  \"a\": {\"b\": 1,\n", "G002", 3, 1,
       "JSON ends early at 3:1; 2 unclosed '{' (opened at 2:8)"},
      {"{\"a\": \"bc", "G002", 1, 10, "the string opened at 1:7 is not closed"},
      {"{\"a\": tru", "G002", 1, 7, "expected a value"},
      {"{\"a\": -", "G002", 1, 8, "JSON ends early"},
      {"{\"a\": 1 \"b\": 2}", "G002", 1, 9, "expected ',' or '}' at 1:9"},
      {"[1 2]", "G002", 1, 4, "expected ',' or ']' at 1:4"},
      {"{\"a\" 1}", "G002", 1, 6, "expected ':'"},
      {"{a: 1}", "G002", 1, 2, "expected a key in double quotes"},
      {"{'a': 1}", "G002", 1, 2, "expected a key"},
      {"{// no\n}", "G002", 1, 2, "comments are not allowed in JSON at 1:2"},
      {"{\"a\": 1, # no\n}", "G002", 1, 10, "comments are not allowed"},
      {"{\"a\": 1,}", "G002", 1, 9, "trailing comma before '}'"},
      {"[1,]", "G002", 1, 4, "trailing comma before ']'"},
      {"{} {}", "G002", 1, 4, "expected nothing after the value"},
      {"{\"a\": 01}", "G002", 1, 7, "a number starts with 0"},
      {"{\"a\": 1.}", "G002", 1, 9, "expected a digit"},
      {"{\"a\": +1}", "G002", 1, 7, "expected a value"},
      {"{\"a\": 1e}", "G002", 1, 9, "expected a digit"},
      {"{\"a\": \"\\x\"}", "G002", 1, 8, "unknown escape"},
      {"{\"a\": \"\\u12g4\"}", "G002", 1, 12, "four hexadecimal digits"},
      {"{\"a\": \"x\ny\"}", "G002", 1, 9, "control character (byte 0x0A)"},
      {"{\"a\": NaN}", "G003", 1, 7, "number out of range at 1:7"},
      {"{\"a\": -Infinity}", "G003", 1, 7, "number out of range"},
      {"{\n\n \"a\": 1e400}", "G003", 3, 7, "number out of range at 3:7"},
      {"{\"a\": -1e99999999999999999999}", "G003", 1, 7, "number out of range"},
      {"{\"a\": 0.1e310}", "G003", 1, 7, "number out of range"},
      {"{\"a\": \"\xFF\"}", "G004", 1, 8, "invalid UTF-8 (byte 0xFF) at 1:8"},
      {"{\"a\": \"\xC0\x80\"}", "G004", 1, 8, "invalid UTF-8 (byte 0xC0)"},
      {"{\"\xC3\xA9\": \"\xED\xA0\x80\"}", "G004", 1, 8, "invalid UTF-8 (byte 0xED)"},
      {"{\"a\": \"\\ud800\"}", "G004", 1, 8, "lone surrogate"},
      {"{\"a\": \"\\ud800\\u0041\"}", "G004", 1, 8, "lone surrogate"},
      {"{\"a\": \"\\udc00\"}", "G004", 1, 8, "lone surrogate"},
      {"\xEF\xBB\xBF{}", "G004", 1, 1, "byte-order mark; save as UTF-8"},
      {std::string("\xFF\xFE{\0}\0", 6), "G004", 1, 1, "byte-order mark (UTF-16)"},
      {std::string("{\0}\0", 4), "G004", 1, 2, "NUL byte"},
      {std::string("{\"a\0\": 1}", 9), "G004", 1, 4, "control character (byte 0x00)"},
      {"{\n \"op\": 1,\n \"b\": 2,\n \"op\": 3}", "G005", 4, 2,
       "key \"op\" appears twice (2:2 and 4:2)"},
      {"{\"op\": 1, \"o\\u0070\": 3}", "G005", 1, 11, "key \"op\" appears twice"},
      {deep, "G006", 1, 65, "nesting deeper than 64 at 1:65"},
      {"[1, 2]", "G007", 1, 1, "expected an object, got array"},
      {"3", "G007", 1, 1, "expected an object, got number"},
  };
  for (const Bad& bad : table) {
    INFO(bad.text.substr(0, 60));
    const Diagnostic d = failure(bad.text);
    CHECK(d.code == bad.code);
    CHECK(d.line == bad.line);
    CHECK(d.column == bad.column);
    CHECK_THAT(d.message, Catch::Contains(bad.message));
    CHECK(d.file == "f.json");
  }
}

TEST_CASE("json: every prefix of a text is refused", "[json]") {
  const std::string text = R"({"a": [1, -2.5e3, "x\u00e9\n", true, null], "b": {"c": {}}})";
  for (std::size_t n = 0; n < text.size(); ++n) {
    const Diagnostic d = failure(text.substr(0, n));
    CHECK((d.code == "G001" || d.code == "G002"));
  }
}

TEST_CASE("json: values keep kind, order and place", "[json]") {
  const Document d("{\n  \"z\": [1, 2.0, -0, true],\n  \"a/~\": {\"é\": \"ü\", \"n\": null}\n}\n",
                   "f.json");
  const auto members = d.root_object().members("root");
  REQUIRE(members.size() == 2);
  CHECK(members[0].name() == "z");
  CHECK(members[0].key.place().line == 2);
  CHECK(members[0].key.place().column == 3);
  const auto list = members[0].value.elements("z");
  REQUIRE(list.size() == 4);
  CHECK(list[0].kind() == Kind::integer);
  CHECK(list[1].kind() == Kind::real);
  CHECK(list[2].kind() == Kind::real);
  CHECK(std::signbit(list[2].number("x")));
  CHECK(list[3].boolean("x"));
  CHECK(list[3].place().column == 21);
  CHECK(list[3].pointer() == "/z/3");
  const auto inner = members[1].value.members("a");
  CHECK(inner[0].value.string("x") == "ü");
  CHECK(inner[1].key.place().column == 21);  // characters, not bytes
  CHECK(inner[1].value.pointer() == "/a~1~0/n");
  CHECK(inner[1].key.pointer() == "/a~1~0/n");
  CHECK(inner[1].value.is(Kind::null));
}

TEST_CASE("json: a place inside a string counts its escapes", "[json]") {
  const Document d(R"({"e": ["a\nb\u00e9c\ud83d\ude00d", "éa", "plain"]})", "f.json");
  const auto list = d.root().members("r")[0].value.elements("e");
  const auto v = list[0];
  REQUIRE(v.string("x") ==
          "a\nb\xC3\xA9"
          "c\xF0\x9F\x98\x80"
          "d");
  const auto column = [&](std::size_t offset) { return v.place_in_string(offset).column; };
  const std::vector<int> columns = v.string_columns();
  // bytes: a \n b é é c 😀 x4 d, then the quote
  const std::vector<int> expected = {9, 10, 12, 13, 13, 19, 20, 20, 20, 20, 32, 33};
  CHECK(columns == expected);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(column(i) == expected[i]);
  CHECK(list[1].string_columns() == std::vector<int>{37, 37, 38, 39});
  CHECK(list[2].string_columns().empty());
}

TEST_CASE("json: typed reading says what was wanted and what was got", "[json]") {
  const Document d(
      R"({"op": 5, "units": 3.7, "flag": 1, "big": 18446744073709551616, "n": -1, "t": true,
    "s": "x", "dealy": 1, "list": {}, "w": "inf", "x": "nan"})",
      "f.json");
  const auto get = [&](std::string_view name) {
    for (const auto& m : d.root().members("r"))
      if (m.name() == name) return m.value;
    throw std::logic_error("no such member");
  };
  const auto message = [&](auto read) {
    try {
      read();
    } catch (const Error& e) {
      const Diagnostic& x = e.diagnostics().front();
      return x.code + ": " + x.message + (x.help.empty() ? "" : " | " + x.help);
    }
    return std::string("no error");
  };
  const auto size = [&](std::string_view name) {
    return message([&] { get(name).integer("units", 1, 2147483647); });
  };
  CHECK(message([&] { get("op").string("op"); }) == "G010: \"op\" must be a string, got number");
  CHECK(message([&] { get("flag").boolean("flag"); }) ==
        "G010: \"flag\" must be true or false, got number");
  CHECK(message([&] { get("list").elements("list"); }) ==
        "G010: \"list\" must be an array, got object");
  CHECK(message([&] { get("op").members("op"); }) == "G010: \"op\" must be an object, got number");
  CHECK(message([&] { get("s").number("s"); }) == "G010: \"s\" must be a number, got string");
  CHECK(size("units") == "G011: \"units\" must be an integer in 1..2147483647, got 3.7");
  CHECK(size("big") ==
        "G011: \"units\" must be an integer in 1..2147483647, got 18446744073709551616");
  CHECK(size("n") == "G011: \"units\" must be an integer in 1..2147483647, got -1");
  CHECK(size("t") == "G011: \"units\" must be an integer in 1..2147483647, got true");
  CHECK(size("s") == "G010: \"units\" must be an integer, got string");
  CHECK(size("flag") == "no error");
  CHECK(std::isinf(get("w").number_or_word("w")));
  CHECK(std::isnan(get("x").number_or_word("x")));
  CHECK(message([&] { get("s").number_or_word("s"); }).substr(0, 4) == "G010");
  CHECK(message([&] {
          json::Fields(d.root(), "node",
                       {"op", "units", "flag", "big", "n", "t", "s", "delay", "list", "w", "x"});
        }) == "G009: unknown field \"dealy\" | did you mean \"delay\"?");
  const Document o("{\"a\": 1}", "f.json");
  CHECK(message([&] {
          json::Fields(o.root(), "a node", {"a", "op"}).at("op");
        }) == "G010: a node lacks the field \"op\"");
}

TEST_CASE("json: numbers and strings survive writing and reading", "[json]") {
  for (const double x : {0.1, 1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                         -0.0, 1e22, 123456789.0, 1e-7, 3.0}) {
    std::string text;
    json::append_number(text, x, true);
    const Document d(text, "f");
    const double back = d.root().number("x");
    CHECK(back == x);
    CHECK(std::signbit(back) == std::signbit(x));
    CHECK(d.root().kind() == Kind::real);
  }
  for (const std::int64_t i : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
    std::string text;
    json::append_number(text, i);
    const Document d(text, "f");
    CHECK(d.root().integer("x", INT64_MIN, INT64_MAX) == i);
  }
  std::string all;
  for (char32_t c = 0; c < 0x300; ++c) append_utf8(all, c);
  for (const char32_t c : {0x2028u, 0xFFFDu, 0x1F600u, 0x10FFFFu}) append_utf8(all, c);
  for (const auto escape : {json::Escape::plain, json::Escape::html}) {
    std::string text;
    json::append_string(text, all, escape);
    CHECK((text.find('<') == text.npos) == (escape == json::Escape::html));
    CHECK(Document(text, "f").root().string("s") == all);
  }
  std::string broken;
  json::append_string(broken, "a\xFFz");
  CHECK(broken == "\"a\xEF\xBF\xBDz\"");
  CHECK(Document("1e-400", "f").root().number("x") == 0.0);
  CHECK(Document("0.0000e999999999999999999999", "f").root().number("x") == 0.0);
  const std::string text = R"({"a": [1, 2.5, "x\n\"", true, null, [], {}], "b": {"c": [[], [1]]}})";
  CHECK(again(text) == text);
}

TEST_CASE("json: a document of a million values reads in one pass", "[json]") {
  std::string text = "[0";
  for (int i = 1; i < 1000000; ++i) text += ",{\"k\":" + std::to_string(i) + "}";
  text += "]";
  const Document d(text, "f");
  const auto list = d.root().elements("list");
  REQUIRE(list.size() == 1000000);
  long long columns = 0;
  for (const auto& v : list)
    columns += v.place().column;  // one long line: still constant time each
  CHECK(columns > 0);
  CHECK(list.back().members("o")[0].value.integer("k", 0, 1000000) == 999999);
}

TEST_CASE("errors: the printed form shows place, excerpt and caret", "[error]") {
  Diagnostic d;
  d.code = "G016";
  d.message = "h depends on itself at t";
  d.file = "gru.json";
  d.line = 21;
  d.column = 14;
  d.pointer = "/equations/2";
  d.excerpt = "h[t] = \xC3\xA9 + h[t]";
  d.caret = 12;
  d.caret_length = 4;
  d.help = "write h[t-1]";
  CHECK(to_text(d) ==
        "error[G016]: h depends on itself at t\n"
        "  --> gru.json:21:14 (/equations/2)\n"
        "   |\n"
        "21 | h[t] = \xC3\xA9 + h[t]\n"
        "   |            ^^^^\n"
        "   = help: write h[t-1]\n");
  CHECK(
      json::to_json(d) ==
      R"({"level": "error", "code": "G016", "file": "gru.json", "line": 21, "column": 14, "pointer": "/equations/2", )"
      R"("message": "h depends on itself at t", "help": "write h[t-1]"})");
  Diagnostic plain;
  plain.code = "S101";
  plain.message = "a \x1B[31mred\x1B[0m name\nerror[X]: forged";
  CHECK(to_text(plain, true) == "warning[S101]: a \\x1b[31mred\\x1b[0m name\n  error[X]: forged\n");
  const Diagnostic bad = failure("{\"a\": 1,\n \"b\": \t oops}");
  CHECK(bad.excerpt == " \"b\": \t oops}");
  CHECK(bad.caret == 8);
  const Diagnostic wide =
      failure("[" + std::string(5000, ' ') + "oops" + std::string(5000, ' ') + "]");
  CHECK(wide.excerpt.size() <= 200);
  CHECK(wide.excerpt.substr(static_cast<std::size_t>(wide.caret), 4) == "oops");
}

TEST_CASE("suggestions: near names only", "[error]") {
  const std::vector<std::string> known = {"delay", "sigmoid", "h", "W_hh", "tanh"};
  CHECK(did_you_mean("dealy", known) == "did you mean \"delay\"?");
  CHECK(did_you_mean("sigmiod", known) == "did you mean \"sigmoid\"?");
  CHECK(did_you_mean("H", known) == "did you mean \"h\"?");
  CHECK(did_you_mean("w_hh", known) == "did you mean \"W_hh\"?");
  CHECK(did_you_mean("g", known).empty());
  CHECK(did_you_mean("completely", known).empty());
  CHECK(did_you_mean(std::string(1 << 20, 'x'), known).empty());
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ab", "ba") == 1);
}

TEST_CASE("tensors: sizes are checked before anything is allocated", "[tensor]") {
  const auto code = [](Dims dims) {
    try {
      checked_bytes(dims, Dtype::f64);
    } catch (const Error& e) {
      return e.diagnostics().front().code;
    }
    return std::string();
  };
  CHECK(code({65536, 65536, 65536, 65536}) == "G021");  // the product wraps to 0 in 64 bits
  CHECK(code({-1}) == "G021");
  CHECK(code({2147483648}) == "G021");
  CHECK(code({1, 1, 1, 1, 1, 1, 1, 1, 1}) == "G021");
  CHECK(code({2147483647, 2147483647, 2147483647, 0}).empty());
  CHECK(checked_elements(Dims{2147483647, 2147483647, 2147483647, 0}) == 0);
  CHECK(checked_elements(Dims{}) == 1);
  Tensor t = Tensor::of({2, 2}, std::vector<double>{1, 2, 3, 4});
  CHECK(t.to(Dtype::f32).at(3) == 4);
  CHECK(t.to(Dtype::i64).values<std::int64_t>()[1] == 2);
  CHECK_THROWS_AS(t.values<float>(), Error);
  CHECK_THROWS_AS(Tensor::of({3}, std::vector<double>{1}), Error);
  t.set(0, 1e300);
  CHECK_THROWS_AS(t.to(Dtype::i64), Error);
}
