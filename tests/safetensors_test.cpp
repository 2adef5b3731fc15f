#include "taugrad/io/safetensors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/system/files.h"
#include "taugrad/io/tensors.h"

using namespace taugrad;

namespace {

std::string file_of(const std::string& header, std::size_t data) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data, '\1');
}

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + rest;
}

Tensors parse(const std::string& bytes, std::vector<Diagnostic>* warnings = nullptr) {
  return parse_safetensors(std::as_bytes(std::span(bytes)), "w.safetensors", warnings);
}

Diagnostic failure(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& e) {
    CHECK(e.status() == Status::bad_input);
    return e.diagnostics().front();
  }
  return {};
}

struct Bad {
  std::string bytes;
  std::string code;
  std::string message;
};

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                     offsets);
}
std::string header_of(const std::vector<std::string>& entries) {
  return fmt::format("{{{}}}", fmt::join(entries, ","));
}
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t data) {
  return file_of(header_of({entry("w", dtype, shape, offsets)}), data);
}

std::string overlapping(int count) {
  std::vector<std::string> entries;
  for (int i = 0; i < count; ++i)
    entries.push_back(entry(fmt::format("t{}", i), "U8", "[4]", "[0,4]"));
  return file_of(header_of(entries), 4);
}

std::string temporary(const char* name) {
  return (std::filesystem::temp_directory_path() / (std::to_string(::getpid()) + name)).string();
}

}  // namespace

TEST_CASE("safetensors: every malformed file has its code", "[safetensors]") {
  const std::string ok = entry("w", "F32", "[1]", "[0,4]");
  const std::vector<Bad> table = {
      {"", "S001", "file has 0 bytes"},
      {"12345", "S001", "file has 5 bytes; a safetensors file has at least 8"},
      {with_length(std::uint64_t{1} << 63, "{}"), "S002",
       "header length 9223372036854775808 exceeds 100000000"},
      {with_length(100000001, "{}"), "S002", "exceeds"},
      {with_length(1000, std::string(92, ' ')), "S003",
       "header needs 1000 bytes, file has 92: truncated download?"},
      {file_of(" {}", 0), "S004", "header does not start with '{'"},
      {file_of("", 0), "S004", "header does not start with '{'"},
      {file_of("[]", 0), "S004", "does not start"},
      {file_of("{\"w\xFF\":1}", 0), "S004", "not valid JSON: invalid UTF-8 (byte 0xFF)"},
      {file_of("{\"w\"", 0), "S004", "not valid JSON: JSON ends early"},
      {file_of("{} {}", 0), "S004", "not valid JSON"},
      {file_of("{\"w\":3}", 0), "S004", "tensor \"w\" must be an object"},
      {file_of("{\"w\":{\"dtype\":\"F32\",\"size\":3}}", 0), "S004",
       "unknown or repeated field \"size\""},
      {file_of("{\"" + std::string(300, 'n') + "\":{}}", 0), "S004", "at most 256 bytes"},
      {file_of("{" + ok + "," + ok + "}", 4), "S005", "tensor \"w\" listed twice"},
      {file_of("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "S005", "listed twice"},
      {one("F8_E4M3", "[4]", "[0,4]", 4), "S006",
       "unsupported dtype \"F8_E4M3\" (supported: F64 F32 F16 BF16 I64 I32 U8 BOOL)"},
      {file_of(R"({"w":{"dtype":3}})", 0), "S006", "dtype must be a string"},
      {file_of(R"({"w":{"shape":[1],"data_offsets":[0,4]}})", 4), "S006", "dtype is missing"},
      {one("F32", "[2,-1]", "[0,4]", 4), "S007",
       "tensor \"w\": shape[1] must be a non-negative integer"},
      {one("F32", "[1.5]", "[0,4]", 4), "S007", "shape[0]"},
      {one("F32", "[\"2\"]", "[0,4]", 4), "S007", "shape[0]"},
      {one("F32", "[1,[2]]", "[0,4]", 4), "S007", "shape[1]"},
      {one("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]", 4), "S007", "more than 8 axes"},
      {one("F32", "2", "[0,4]", 4), "S007", "shape must be an array"},
      {file_of(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4), "S007", "shape is missing"},
      {one("F32", "[4294967296,4294967296]", "[0,0]", 0), "S008", "tensor \"w\": size overflows"},
      {one("F32", "[2147483647,2147483647,2147483647]", "[0,0]", 0), "S008", "size overflows"},
      {one("F32", "[2]", "[16,8]", 16), "S009", "tensor \"w\": offsets 16..8 invalid"},
      {one("F32", "[1000000]", "[0,4000000]", 4), "S009", "end 4000000 > data 4"},
      {one("F32", "[1]", "[0]", 4), "S009", "two non-negative integers"},
      {one("F32", "[1]", "[0,4,8]", 4), "S009", "two non-negative integers"},
      {one("F32", "[1]", "[-4,0]", 4), "S009", "two non-negative integers"},
      {one("F32", "[1]", "[0,18446744073709551620]", 4), "S009", "two non-negative integers"},
      {file_of(R"({"w":{"dtype":"F32","shape":[1]}})", 4), "S009", "data_offsets is missing"},
      {one("F32", "[2,2]", "[0,4]", 4), "S010",
       "tensor \"w\": [2,2] F32 needs 16 bytes, offsets span 4"},
      {overlapping(2), "S011", "tensors \"t0\" and \"t1\" overlap"},
      {overlapping(100000), "S011", "overlap"},
      {one("F32", "[1]", "[0,4]", 32), "S011", "bytes 4..32 belong to no tensor"},
      {one("F32", "[1]", "[4,8]", 8), "S011", "bytes 0..4 belong to no tensor"},
      {file_of("{}", 8), "S011", "bytes 0..8 belong to no tensor"},
      {file_of(header_of({entry("a", "U8", "[8]", "[0,8]"), entry("b", "U8", "[0]", "[4,4]")}), 8),
       "S011", "overlap"},
      {file_of(R"({"__metadata__":{"step":3}})", 0), "S012", "metadata \"step\" must be a string"},
      {file_of(R"({"__metadata__":[]})", 0), "S012", "must be an object of strings"},
  };
  for (const Bad& bad : table) {
    INFO(bad.bytes.substr(0, 100));
    const Diagnostic d = failure(bad.bytes);
    CHECK(d.code == bad.code);
    CHECK_THAT(d.message, Catch::Contains(bad.message));
    CHECK(d.file == "w.safetensors");
  }
  CHECK_THAT(to_text(failure(file_of("{\"w\xFF\":1}", 0))),
             Catch::Contains("--> w.safetensors @byte 11\n"));
}

TEST_CASE("safetensors: every truncation of a file is refused", "[safetensors]") {
  const std::string whole = file_of(
      header_of({entry("a", "F64", "[2]", "[0,16]"), entry("b", "U8", "[3]", "[16,19]")}) + " ",
      19);
  CHECK(parse(whole).size() == 2);
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK(failure(whole.substr(0, n)).code.substr(0, 1) == "S");
}

TEST_CASE("safetensors: odd but valid files are read", "[safetensors]") {
  // any order of tensors, unaligned data, padding, rank 0, an empty tensor
  const std::string bytes =
      file_of(header_of({entry("b", "F32", "[1]", "[3,7]"), entry("a", "U8", "[3]", "[0,3]"),
                         entry("e", "F64", "[0,5]", "[7,7]"), entry("s", "BOOL", "[]", "[7,8]")}) +
                  "    ",
              8);
  const Tensors t = parse(bytes);
  REQUIRE(t.size() == 4);
  CHECK(t.at("a").dtype() == Dtype::i64);
  CHECK(t.at("a").at(2) == 1);
  CHECK(t.at("b").at(0) == static_cast<double>(std::bit_cast<float>(0x01010101)));
  CHECK(t.at("e").dims() == Dims{0, 5});
  CHECK(t.at("s").dims().empty());
  CHECK(parse(file_of("{}", 0)).empty());
}

TEST_CASE("safetensors: half and bfloat16 values are exact", "[safetensors]") {
  for (const std::string type : {"F16", "BF16"}) {
    std::string bytes = one(type, "[65536]", "[0,131072]", 131072);
    for (std::size_t i = 0; i < 65536; ++i) {
      const auto half = static_cast<std::uint16_t>(i);
      std::memcpy(bytes.data() + bytes.size() - 131072 + 2 * i, &half, 2);
    }
    const Tensors all = parse(bytes);
    const auto values = all.at("w").values<float>();
    const int width = type == "F16" ? 10 : 7, bias = type == "F16" ? 15 : 127;
    const int special = type == "F16" ? 31 : 255;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 65536; ++i) {
      const int exponent = static_cast<int>(i >> width) & special;
      const int fraction = static_cast<int>(i) & ((1 << width) - 1);
      double expected = exponent == 0
                            ? std::ldexp(fraction, 1 - bias - width)
                            : std::ldexp(fraction + (1 << width), exponent - bias - width);
      if (exponent == special)
        expected = fraction == 0 ? std::numeric_limits<double>::infinity() : NAN;
      if (i >= 32768) expected = -expected;
      const double got = static_cast<double>(values[i]);
      const bool same = std::isnan(expected)
                            ? std::isnan(got)
                            : got == expected && std::signbit(got) == std::signbit(expected);
      wrong += !same;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("safetensors: integers keep their signs", "[safetensors]") {
  std::string bytes = one("I32", "[2]", "[0,8]", 8);
  const std::int32_t values[] = {-5, 2147483647};
  std::memcpy(bytes.data() + bytes.size() - 8, values, 8);
  CHECK(parse(bytes).at("w") == Tensor::of({2}, std::vector<std::int64_t>{-5, 2147483647}));
}

TEST_CASE("safetensors: values that are not finite are a warning", "[safetensors]") {
  const std::string path = temporary("nan.safetensors");
  save_safetensors(path, {{"w", Tensor::of({2, 2}, std::vector<double>{1, NAN, INFINITY, 2})},
                          {"v", Tensor::of({1}, std::vector<double>{1})}});
  std::vector<Diagnostic> warnings;
  load_safetensors(path, &warnings);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].code == "S101");
  CHECK(warnings[0].message == "2 of 4 values of \"w\" are not finite");
  std::filesystem::remove(path);
}

TEST_CASE("safetensors: saving is deterministic, sorted and aligned", "[safetensors]") {
  const std::string path = temporary("a.safetensors");
  Tensors t;
  t["z"] = Tensor::of({2}, std::vector<double>{0.1, -0.0});
  t["a"] = Tensor::of({1}, std::vector<double>{3}).to(Dtype::f32);
  t["m"] = Tensor::of({}, std::vector<std::int64_t>{INT64_MIN});
  t["\xC3\xA9 \"<\n"] = Tensor({0, 3}, Dtype::f32);
  save_safetensors(path, t, {{"k", "v\"<"}, {"a", "b"}});
  const std::string first = read_file(path, 1 << 20);
  CHECK(load_safetensors(path) == t);
  save_safetensors(path, load_safetensors(path), {{"k", "v\"<"}, {"a", "b"}});
  CHECK(read_file(path, 1 << 20) == first);
  std::uint64_t length = 0;
  std::memcpy(&length, first.data(), 8);
  CHECK(length % 8 == 0);
  const std::string header = first.substr(8, length);
  CHECK(header.starts_with(
      R"({"__metadata__":{"a":"b","k":"v\"<"},"m":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"z":{"dtype":"F64","shape":[2],"data_offsets":[8,24]},"a":{"dtype":"F32","shape":[1],"data_offsets":[24,28]},)"));
  for (const std::string& name :
       {std::string("__metadata__"), std::string(257, 'x'), std::string("\xFF")})
    CHECK_THROWS_AS(save_safetensors(path, {{name, Tensor({1}, Dtype::f32)}}), Error);
  CHECK(read_file(path, 1 << 20) == first);
  std::filesystem::remove(path);
}

TEST_CASE("tensors: JSON files hold nested arrays", "[tensors]") {
  const Tensors t = tensors_from_json(
      R"({"x": [[1, 2], [3, 4]], "s": 0.5, "i": 7, "m": [1, 2.0], "w": ["inf", 1, "-inf", "nan"], "e": [[], []],
          "none": [], "z": {"shape": [0, 2], "data": []}, "q": {"shape": [2, 1], "data": [1, 2]}})",
      "x.json");
  CHECK(t.at("x") == Tensor::of({2, 2}, std::vector<std::int64_t>{1, 2, 3, 4}));
  CHECK(t.at("s") == Tensor::of({}, std::vector<double>{0.5}));
  CHECK(t.at("i") == Tensor::of({}, std::vector<std::int64_t>{7}));
  CHECK(t.at("m") == Tensor::of({2}, std::vector<double>{1, 2}));
  CHECK(std::isinf(t.at("w").at(0)));
  CHECK(t.at("w").at(2) < 0);
  CHECK(std::isnan(t.at("w").at(3)));
  CHECK(t.at("e").dims() == Dims{2, 0});
  CHECK(t.at("none").dims() == Dims{0});
  CHECK(t.at("z").dims() == Dims{0, 2});
  CHECK(t.at("q") == Tensor::of({2, 1}, std::vector<std::int64_t>{1, 2}));
}

TEST_CASE("tensors: writing to JSON and reading gives the same tensors", "[tensors]") {
  Tensors t;
  t["x"] = Tensor::of({2, 1, 3}, std::vector<double>{0.1, -0.0, 1e300, 3, 5e-324, INFINITY});
  t["i"] = Tensor::of({2}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
  t["s"] = Tensor::of({}, std::vector<double>{2});
  t["e"] = Tensor({0, 3}, Dtype::f64);
  t["n\"<"] = Tensor({0}, Dtype::f64);
  const std::string path = temporary("t.json");
  save_tensors(path, t);
  CHECK(load_tensors(path) == t);
  CHECK(read_file(path, 1 << 20) == tensors_to_json(t));
  std::filesystem::remove(path);
  CHECK(tensors_to_json({{"x", Tensor::of({2, 2}, std::vector<std::int64_t>{1, 2, 3, 4})}}) ==
        "{\n  \"x\": [[1, 2], [3, 4]]\n}\n");
}

TEST_CASE("tensors: malformed JSON tensors are refused at their place", "[tensors]") {
  struct Row {
    std::string text, code, message;
    int line, column;
  };
  const std::vector<Row> table = {
      {"{\"x\": [[1, 2], [3]]}", "S013", "ragged: 1 elements where 2 stood before", 1, 16},
      {"{\"x\": [1, [2]]}", "S013", "ragged: an array where a number stood before", 1, 11},
      {"{\"x\": [[1], 2]}", "S013", "ragged: a number where an array stood before", 1, 13},
      {"{\"x\": [[[[[[[[[1]]]]]]]]]}", "S013", "more than 8 axes", 1, 15},
      {"{\"x\": [true]}", "G010", "\"x\" must be a number, got boolean", 1, 8},
      {"{\"x\": [\"one\"]}", "G010", "must be a number, \"inf\", \"-inf\" or \"nan\"", 1, 8},
      {"{\"x\": {\"shape\": [2], \"data\": [1]}}", "S010", "[2] needs 2 values, got 1", 1, 30},
      {"{\"x\": {\"shape\": [65536, 65536, 65536, 65536], \"data\": []}}", "S008",
       "elements; limit", 1, 55},
      {"{\"x\": {\"shap\": [2], \"data\": [1]}}", "G009", "unknown field \"shap\"", 1, 8},
      {"{\"x\": {\"shape\": [-1], \"data\": [1]}}", "G011", "must be an integer in 0..", 1, 18},
      {"[1]", "G007", "expected an object, got array", 1, 1},
      {"{\"x\": [1,}", "G002", "expected a value", 1, 10},
      {"{\"x\": 1, \"x\": 2}", "G005", "appears twice", 1, 10},
  };
  for (const Row& row : table) {
    INFO(row.text);
    try {
      tensors_from_json(row.text, "x.json");
      FAIL_CHECK("no error");
    } catch (const Error& e) {
      const Diagnostic& d = e.diagnostics().front();
      CHECK(d.code == row.code);
      CHECK_THAT(d.message, Catch::Contains(row.message));
      CHECK(d.line == row.line);
      CHECK(d.column == row.column);
    }
  }
}
