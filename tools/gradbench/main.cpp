// gradbench FILE FUNCTION: the LSTM task of GradBench (github.com/gradbench/gradbench), as its C++
// tools speak: FILE is a JSON object with main_params, extra_params, state, sequence, and perhaps
// min_runs and min_seconds; FUNCTION is objective or jacobian. The first line is the value, or the
// gradient; then a line a time.
#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <string_view>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "gradbench/lstm.h"
#include "json/json_writer.h"

namespace {

using namespace taugrad;

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string text_of(const std::vector<double>& values, bool list) {
  std::string text;
  for (const double v : values) {
    text += text.empty() ? "" : ", ";
    json::append_number(text, v);
  }
  return list ? "[" + text + "]" : text;
}

void evaluate(const std::string& file, bool gradient) {
  const json::Document document(read_file(file, limits::kJsonBytes), file);
  const json::Fields fields(
      document.root_object(), "an instance",
      {"main_params", "extra_params", "state", "sequence", "min_runs", "min_seconds"});
  const auto least = fields.find("min_runs");
  const auto seconds = fields.find("min_seconds");
  const std::int64_t runs = least ? least->integer("min_runs", 1, 1'000'000'000) : 1;
  const double ns = seconds ? seconds->number("min_seconds") * 1e9 : 0;
  const gradbench::LstmInput input = gradbench::read_lstm(fields);

  const std::int64_t begin = now_ns();
  gradbench::Lstm lstm(input, gradient);
  const std::int64_t prepared = now_ns() - begin;
  std::vector<std::int64_t> times;
  std::string value;
  double passed = 0;
  while (static_cast<std::int64_t>(times.size()) < runs || passed < ns) {
    const std::int64_t start = now_ns();
    const std::vector<double>& result = lstm();
    times.push_back(now_ns() - start);
    passed += static_cast<double>(times.back());
    if (value.empty()) value = text_of(result, gradient);
  }
  fmt::print("{}\n{{\"name\": \"prepare\", \"nanoseconds\": {}}}\n", value, prepared);
  for (const std::int64_t t : times)
    fmt::print("{{\"name\": \"evaluate\", \"nanoseconds\": {}}}\n", t);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view function = argc == 3 ? argv[2] : "";
  if (function != "objective" && function != "jacobian") {
    fmt::print(stderr, "usage: gradbench FILE FUNCTION, where FUNCTION is objective or jacobian\n");
    return 2;
  }
  try {
    evaluate(argv[1], function == "jacobian");
  } catch (const Error& e) {
    fmt::print(stderr, "{}", e.what());
    return static_cast<int>(e.status());
  }
  return 0;
}
