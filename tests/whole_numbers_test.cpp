// Where an integer is wanted and something else is given.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support_errors.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/io/tensors.h"
#include "taugrad/language/definition.h"

using namespace taugrad;

namespace {

using support::code_of;

}  // namespace

TEST_CASE("numbers that are not whole are refused where whole ones are wanted", "[run]") {
  struct Row {
    const char *definition, *before, *after, *code;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"elman", R"({"x": [[[0, 1]]], "y": [[0]], "item": [)", "]}", "D015"},
           {"elman", R"({"x": [[[0, 1], [1, 0]]], "y": [[0, 0]], "item": [3, )", "]}", "D015"},
           {"elman", R"({"x": [[[0, 1]]], "y": [[0]], "lengths": [)", "]}", "D014"},
           {"elman", R"({"x": [[[0, 1]]], "y": [[0]], "lengths:t": [)", "]}", "D014"},
           {"elman", R"({"x": [[[0, 1]]], "y": [[)", "]]}", "D013"},
           {"predicted_length", R"({"y": [[0]], "tau": [)", "]}", "D014"},
           {"predicted_length", R"({"y": [[0, 1]], "tau": [1, )", "]}", "D014"},
       }) {
    const Definition d = load_definition(row.definition);
    const Tensors weights = initial_weights(d, {.seed = 1});
    for (const char* bad : {"\"nan\"", "\"inf\"", "\"-inf\"", "1.5", "1e300", "-1e300", "1e19",
                            "9223372036854775808", "-0.5", "1e-300"}) {
      const std::string json = row.before + std::string(bad) + row.after;
      INFO(row.definition << " " << json);
      RunOptions o;
      o.fetch = {"loss"};
      CHECK(code_of([&] { run(d, tensors_from_json(json, "in.json"), weights, o); }) == row.code);
    }
  }
}

TEST_CASE("whole numbers keep all their bits, whatever the type of the tensor", "[run]") {
  const Definition d = load_definition("end_symbol");
  const Tensors weights = initial_weights(d, {.seed = 4});
  RunOptions o;
  o.steps = 12;
  o.fetch = {"y"};
  o.modes["y"] = Mode::sampled;
  const auto drawn = [&](Tensor item) {
    return run(d, {{"item", item}}, weights, o).values.at("y");
  };
  const auto of = [&](std::int64_t item) { return drawn(Tensor::of({1}, std::vector{item})); };
  constexpr std::int64_t kLarge = std::int64_t{1} << 53;
  // neighbours that a double cannot tell apart are other items
  CHECK_FALSE(of(kLarge) == of(kLarge + 1));
  CHECK_FALSE(of(INT64_MAX) == of(INT64_MAX - 1));
  CHECK(drawn(Tensor::of({1}, std::vector<double>{7})) == of(7));
  Tensor f32({1}, Dtype::f32);
  f32.set(0, 7);
  CHECK(drawn(f32) == of(7));
  f32.set(0, 7.5);
  CHECK(code_of([&] { drawn(f32); }) == "D015");
  CHECK(code_of([&] { drawn(Tensor::of({1}, std::vector{std::nan("")})); }) == "D015");
}

TEST_CASE("a tensor of integers takes no fraction", "[tensor]") {
  Tensor t({1}, Dtype::i64);
  for (const double bad :
       {0.5, 1e300, -1e19, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(code_of([&] { t.set(0, bad); }) == "G011");
    CHECK(code_of([&] { Tensor::of({1}, std::vector{bad}).to(Dtype::i64); }) == "G011");
  }
  t.set(0, -4);
  CHECK(t.at(0) == -4);
  CHECK(Tensor::of({1}, std::vector{3.0}).to(Dtype::i64).values<std::int64_t>()[0] == 3);
}

TEST_CASE("an init that no word or number is, in C++ and in JSON", "[definition]") {
  const auto with = [](const std::string& init) {
    return R"({"name": "d", "index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": {"shape": [], "init": )" +
           init + R"(}}, "equations": ["h[t] = w * x[t]"]})";
  };
  for (const char* bad : {"\"orthogonl\"", "\"uniform\"", "\"uniform(a)\"", "\"normal(-1)\"",
                          "\"\"", "\"Zeros\"", "\"uniform(1\""})
    CHECK(code_of([&] { parse_definition(with(bad), "d.json"); }) == "G010");
  for (const char* good : {"\"ones\"", "0.25", "-3e-5", "1e-400", "\"uniform(0.5)\""}) {
    const Definition d = parse_definition(with(good), "d.json");
    CHECK(to_json(parse_definition(to_json(d), "again.json")) == to_json(d));
    CHECK_NOTHROW(initial_weights(d, {.seed = 1}));
  }
  Definition d = parse_definition(with("1"), "d.json");
  d.weights[0].init = "orthogonl";  // as C++ may say it
  CHECK(code_of([&] { initial_weights(d, {.seed = 1}); }) == "G010");
}

TEST_CASE("numbers in quotes survive writing and reading", "[definition]") {
  for (const char* text : {"07", "7", "0", "00", "1201", "-0", "1234567890123"}) {
    CAPTURE(text);
    const std::string source = fmt::format(
        R"j({{"name": "a", "index": {{"t": "{0}"}}, "inputs": {{"x[t]": ["{0}"]}},
              "equations": ["h[t] = x[t]"]}})j",
        text);
    try {
      const std::string written = to_json(parse_definition(source, "a.json"));
      CHECK(to_json(parse_definition(written, "again.json")) == written);
    } catch (const Error& e) {  // refused as it is, not as it was written
      CHECK(e.diagnostics()[0].file == "a.json");
    }
  }
  for (const char* init : {".5", "0.5", "05", "1.", "1e3", "-0", "+1", "-.5", "0x10", "zeros"}) {
    CAPTURE(init);
    const std::string source = fmt::format(
        R"j({{"name": "a", "index": {{"t": "tau"}}, "inputs": {{"x[t]": [1]}},
              "weights": {{"w": {{"shape": [1], "init": "{}"}}}}, "equations": ["h[t] = w * x[t]"]}})j",
        init);
    try {
      const std::string written = to_json(parse_definition(source, "a.json"));
      CHECK(to_json(parse_definition(written, "again.json")) == written);
    } catch (const Error& e) {
      CHECK(e.diagnostics()[0].file == "a.json");
    }
  }
}
