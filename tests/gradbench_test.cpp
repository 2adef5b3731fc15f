// The program for GradBench's LSTM task, against the same model as loops over complex numbers.
#include <catch2/catch.hpp>
#include <cmath>
#include <complex>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "support_cli.h"

using namespace support;
using nlohmann::json;

namespace {

using Complex = std::complex<double>;
using Matrix = std::vector<std::vector<Complex>>;

struct Instance {
  Matrix main, extra, state, sequence;
};

Matrix draw(std::mt19937& random, std::size_t rows, std::size_t columns) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  Matrix m(rows, std::vector<Complex>(columns));
  for (auto& row : m)
    for (Complex& x : row) x = uniform(random);
  return m;
}

Instance instance(std::size_t layers, std::size_t steps, std::size_t width) {
  std::mt19937 random(7);
  Instance in{draw(random, 2 * layers, 4 * width), draw(random, 3, width),
              draw(random, 2 * layers, width), draw(random, steps, width)};
  for (auto& row : in.sequence)
    for (Complex& x : row) x = x.real() > 0 ? 1 : 0;
  return in;
}

Complex sigmoid(Complex a) { return 1.0 / (1.0 + std::exp(-a)); }

/// -mean of target times log-softmax, its denominator 2 more, of an LSTM with diagonal weights.
Complex objective(const Instance& in) {
  const std::size_t width = in.sequence[0].size();
  Matrix state = in.state;
  Complex total = 0;
  for (std::size_t t = 0; t + 1 < in.sequence.size(); ++t) {
    Complex sum = 2;
    std::vector<Complex> predicted(width);
    for (std::size_t i = 0; i < width; ++i) {
      Complex x = in.sequence[t][i] * in.extra[0][i];
      for (std::size_t l = 0; l < in.main.size(); l += 2) {
        const auto net = [&](std::size_t gate, Complex from) {
          return from * in.main[l][gate * width + i] + in.main[l + 1][gate * width + i];
        };
        Complex &h = state[l][i], &c = state[l + 1][i];
        c = c * sigmoid(net(0, x)) + sigmoid(net(1, h)) * std::tanh(net(3, h));
        h = sigmoid(net(2, x)) * std::tanh(c);
        x = h;
      }
      predicted[i] = x * in.extra[1][i] + in.extra[2][i];
      sum += std::exp(predicted[i]);
    }
    for (std::size_t i = 0; i < width; ++i)
      total += in.sequence[t + 1][i] * (predicted[i] - std::log(sum));
  }
  return -total / static_cast<double>((in.sequence.size() - 1) * width);
}

/// By complex step, of all of `main`, then of `extra`.
std::vector<double> gradient(Instance in) {
  std::vector<double> slopes;
  for (Matrix* m : {&in.main, &in.extra})
    for (auto& row : *m)
      for (Complex& x : row) {
        x += Complex(0, 1e-40);
        slopes.push_back(objective(in).imag() / 1e-40);
        x = x.real();
      }
  return slopes;
}

json rows(const Matrix& m) {
  json all = json::array();
  for (const auto& row : m) {
    all.push_back(json::array());
    for (const Complex& x : row) all.back().push_back(x.real());
  }
  return all;
}

json file_of(const Instance& in) {
  return {{"main_params", rows(in.main)},
          {"extra_params", rows(in.extra)},
          {"state", rows(in.state)},
          {"sequence", rows(in.sequence)}};
}

Outcome gradbench(const Folder& f, const std::string& arguments) {
  return run_in(f, std::string("'") + TAUGRAD_GRADBENCH + "' " + arguments);
}

std::vector<json> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<json> all;
  for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
  return all;
}

}  // namespace

TEST_CASE("gradbench: value and gradient are those of the loops", "[gradbench]") {
  struct Size {
    std::size_t layers, steps, width;
  };
  for (const Size& s : {Size{1, 2, 1}, Size{2, 5, 3}, Size{3, 40, 14}}) {
    CAPTURE(s.layers, s.steps, s.width);
    const Folder f;
    const Instance in = instance(s.layers, s.steps, s.width);
    spill(f / "in.json", file_of(in).dump());
    const Outcome value = gradbench(f, "in.json objective");
    REQUIRE(value.status == 0);
    CHECK(lines(value.out)[0].get<double>() == Approx(objective(in).real()).epsilon(1e-13));
    const Outcome slopes = gradbench(f, "in.json jacobian");
    REQUIRE(slopes.status == 0);
    const auto got = lines(slopes.out)[0].get<std::vector<double>>();
    const std::vector<double> want = gradient(in);
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      CHECK(got[i] == Approx(want[i]).epsilon(1e-11).margin(1e-15));
  }
}

TEST_CASE("gradbench: a line a time, as many as are asked for", "[gradbench]") {
  const Folder f;
  json file = file_of(instance(1, 3, 2));
  file["min_runs"] = 7;
  spill(f / "in.json", file.dump());
  const std::vector<json> got = lines(gradbench(f, "in.json jacobian").out);
  REQUIRE(got.size() == 9);
  CHECK(got[1]["name"] == "prepare");
  for (std::size_t i = 2; i < got.size(); ++i) {
    CHECK(got[i]["name"] == "evaluate");
    CHECK(got[i]["nanoseconds"].get<long>() > 0);
  }
  file["min_runs"] = 1;
  file["min_seconds"] = 0.01;
  spill(f / "in.json", file.dump());
  long passed = 0;
  for (const json& line : lines(gradbench(f, "in.json objective").out))
    if (line.is_object() && line["name"] == "evaluate") passed += line["nanoseconds"].get<long>();
  CHECK(passed >= 10'000'000);
}

TEST_CASE("gradbench: what does not fit is said", "[gradbench]") {
  const Folder f;
  const json good = file_of(instance(2, 3, 2));
  const auto refused = [&](const json& file, int status, const std::string& words) {
    spill(f / "in.json", file.dump());
    const Outcome o = gradbench(f, "in.json jacobian");
    INFO(o.err);
    CHECK(o.status == status);
    CHECK(o.out.empty());
    CHECK(has(o.err, words));
  };
  json file = good;
  file.erase("state");
  refused(file, 3, "lacks the field \"state\"");
  file = good;
  file["main_params"].erase(3);
  refused(file, 3, "\"main_params\" has 3 rows");
  file = good;
  file["sequence"] = json::array({json::array({0, 1})});
  refused(file, 3, "\"sequence\" has 1 rows of 2, want 2 rows or more");
  file = good;
  file["state"][1].push_back(0);
  refused(file, 3, "a row of \"state\" has 3 numbers, want 2");
  file = good;
  file["extra_params"][0][0] = "x";
  refused(file, 3, "must be a number");
  CHECK(gradbench(f, "in.json hessian").status == 2);
  CHECK(gradbench(f, "none.json objective").status == 4);
}
