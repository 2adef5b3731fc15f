// The program of the C++ guide: a definition built in C++, unfolded, differentiated, drawn, run and
// checked.
#include <taugrad/taugrad.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace tg = taugrad;

namespace {

tg::Definition elman() {
  tg::Definition d("elman");
  const auto t = d.index("t", "tau");
  const auto n = d.size("n", 2), m = d.size("m", 3), k = d.size("k", 3);
  const auto x = d.input("x", {t}, {n});
  const auto U = d.weight("U", {m, n}), W = d.weight("W", {m, m}), b = d.weight("b", {m});
  const auto V = d.weight("V", {k, m}), c = d.weight("c", {k});
  auto h = d.variable("h", {t}), o = d.variable("o", {t}), y = d.random("y", {t});
  h(t) = tanh(b + matmul(W, h(t - 1)) + matmul(U, x(t)));
  o(t) = c + matmul(V, h(t));
  y(t) = tg::categorical({.logits = o(t)});
  return d;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A folder for the files of one test.
class Scratch {
 public:
  Scratch() { std::filesystem::create_directories(folder_); }
  ~Scratch() { std::filesystem::remove_all(folder_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path(const char* name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("taugrad_api_" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("the C++ guide's program builds, differentiates, runs and checks", "[api]") {
  const tg::Definition d = elman();
  const tg::Unfolded u = tg::unfold(d, {.steps = 4});
  const tg::Gradients g = tg::gradient(u.loss(), {u.weight("W"), u.copy("W", 3), u.at("h", 2)});
  CHECK(g["h[2]"].shape() == tg::Shape{3});
  const Scratch scratch;
  tg::write(u.graph(), scratch.path("elman.dot"));
  CHECK(read(scratch.path("elman.dot")).starts_with("digraph"));
  tg::Program run(u.graph(), {u.loss(), g["W"], g["W[3]"]}, {.dtype = tg::f64});
  const tg::Tensors out = run(tg::random_inputs(d, {.steps = 4, .batch = 2, .seed = 1}),
                              tg::initial_weights(d, {.seed = 1}));
  REQUIRE(out.size() == 3);
  CHECK(out.at("loss").dims() == tg::Dims{2});
  CHECK(out.at("grad:W").dims() == tg::Dims{3, 3});
  CHECK(out.at("grad:W[3]").dims() == tg::Dims{3, 3});
  CHECK(tg::check(d, {.steps = 4}).ok());
}

TEST_CASE("equations in C++ are the text that a file holds", "[api]") {
  const tg::Definition d = elman();
  REQUIRE(d.equations.size() == 3);
  CHECK(d.equations[0].text == "h[t] = tanh(b + W @ h[t-1] + U @ x[t])");
  CHECK(d.equations[1].text == "o[t] = c + V @ h[t]");
  CHECK(d.equations[2].text == "y[t] ~ categorical(logits = o[t])");
  CHECK(tg::to_json(tg::parse_definition(tg::to_json(d), "again")) == tg::to_json(d));
}

TEST_CASE("brackets are written where precedence asks for them", "[api]") {
  tg::Definition d("brackets");
  const auto t = d.index("t", "tau");
  const auto a = d.weight("a", {}), b = d.weight("b", {});
  auto s = d.variable("s", {t}), r = d.variable("r", {t});
  s(t) = (a + b) * s(t - 1) - (a - b) - a / (b * 2) + -a * -(a + 1);
  s(0) = 1;
  r(t) = tg::where((a < b) * s(t + 1) == 0, 0.5, r(tg::last - 1) * s(t - 5));
  CHECK(d.equations[0].text == "s[t] = (a + b) * s[t-1] - (a - b) - a / (b * 2) + -a * -(a + 1)");
  CHECK(d.equations[1].text == "s[0] = 1");
  CHECK(d.equations[2].text == "r[t] = where((a < b) * s[t+1] == 0, 0.5, r[last-1] * s[t-5])");
}

TEST_CASE("every shipped definition survives JSON to C++ to JSON, byte for byte", "[api]") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TAUGRAD_SOURCE_DIR "/graphs")) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path().string());
    const std::string text = read(entry.path());
    CHECK(tg::to_json(tg::parse_definition(text, entry.path().string())) == text);
    ++files;
  }
  CHECK(files >= 30);
}

TEST_CASE("a size written with zeros before it is text, not a JSON number", "[api]") {
  const tg::Definition d = tg::parse_definition(
      R"({"name": "zeros", "inputs": {"x": ["012", 0, "0"]}, "equations": ["y = x"]})",
      "zeros.json");
  const std::string text = tg::to_json(d);
  CHECK(text.find(R"("x": ["012", 0, 0])") != std::string::npos);
  CHECK(tg::to_json(tg::parse_definition(text, "again.json")) == text);
}

TEST_CASE("a graph without a definition is built the same way", "[api]") {
  tg::Graph g;
  const auto x = g.input("x", {3}), w = g.weight("w", {3});
  auto z = matmul(x, w);
  z = g.name(z, "z");
  const auto dz = tg::gradient(z, {w});
  tg::Program run(g, {z, dz["w"]}, {.dtype = tg::f64});
  const tg::Tensors out =
      run({{"x", tg::Tensor::of({2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6})}},
          {{"w", tg::Tensor::of({3}, std::vector<double>{1, 0, -1})}});
  CHECK(out.at("z").at(0) == -2);
  CHECK(out.at("z").at(1) == -2);
  CHECK(out.at("grad:w").at(0) == 5);  // summed over the batch
  CHECK(out.at("grad:w").at(2) == 9);
}

TEST_CASE("a definition in C++ imports cells and takes equations as text", "[api]") {
  tg::Definition d("outer");
  const auto t = d.index("t", "tau");
  const auto n = d.size("n", 2), m = d.size("m", 3);
  d.input("x", {t}, {n});
  d.weight("W", {m, m});
  d.import({.prefix = "b",
            .from = "rnn",
            .inputs = {{"x[t]", "0.5 * x[t]"}},
            .weights = {{"W", "W"}},
            .reverse = {"t"}});
  d.function("twice(a) = 2 * a");
  d.equation("u[t] = twice(b.h[t])");
  d.loss_term("sum(u[t] * u[t])");
  CHECK(tg::to_json(tg::parse_definition(tg::to_json(d), "again")) == tg::to_json(d));
  CHECK(tg::check(d, {.steps = 3}).ok());
  CHECK(tg::to_json(tg::load_definition("elman")).find("\"elman\"") != std::string::npos);
}
