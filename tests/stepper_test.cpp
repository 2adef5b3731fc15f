// A Stepper gives the bits of the whole sequence, a step at a time, and asks nobody for anything.
#include "taugrad/evaluate/stepper.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "support_segments.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {
std::atomic<long> allocations{0};
}

// not inlined: g++ would see free() of what the library's operator new is said to have made
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size > 0 ? size : 1)) return p;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size > 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

namespace {

constexpr std::int64_t kSteps = 9, kBatch = 3;

/// Step t (from 0) of a tensor whose first axis is cut, or all of another.
Tensor step_of(const Tensor& t, std::int64_t step, bool cut) {
  if (!cut) return t;
  Dims dims(t.dims().begin() + 1, t.dims().end());
  Tensor out(dims, t.dtype());
  for (std::int64_t i = 0; i < out.size(); ++i) out.set(i, t.at(step * out.size() + i));
  return out;
}

const char* kLstm = R"j("index": {"t": "tau"}, "sizes": {"n": 1, "m": 8}, "inputs": {"x[t]": ["n"]},
  "weights": {"W": ["4*m", "n"], "R": ["4*m", "m"], "b": {"shape": ["4*m"], "init": "normal(0.3)"}},
  "equations": ["z[t] = b + W @ x[t] + R @ h[t-1]", "i[t] = sigmoid(slice(z[t], 0, m))",
    "f[t] = sigmoid(slice(z[t], m, 2*m))", "g[t] = tanh(slice(z[t], 2*m, 3*m))",
    "o[t] = sigmoid(slice(z[t], 3*m, 4*m))", "c[t] = f[t] * c[t-1] + i[t] * g[t]",
    "h[t] = o[t] * tanh(c[t])"])j";

}  // namespace

TEST_CASE("a step at a time gives the bits of the whole") {
  for (const Handed& h : handed_on()) {
    if (h.name == std::string("untied")) continue;
    const Definition d = define(h.body);
    DrawOptions draw{.steps = kSteps, .batch = kBatch, .seed = 4};
    if (h.name == std::string("translated")) draw.lengths["n"] = 4;
    Tensors inputs = random_inputs(d, draw);
    std::erase_if(inputs, [](const auto& t) { return t.first.starts_with("lengths"); });
    const Tensors weights = initial_weights(d, draw);
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      RunOptions o;
      o.dtype = dtype;
      o.fetch = h.fetch;
      if (h.name == std::string("translated")) o.lengths["tau"] = kSteps;
      const Tensors whole = run(d, inputs, weights, o).values;
      StepperOptions so{.outputs = h.fetch, .batch = kBatch, .dtype = dtype};
      if (h.name == std::string("translated")) so.lengths["n"] = 4;
      Stepper stepper(d, weights, so);
      for (int round = 0; round < 2; ++round) {
        for (std::int64_t t = 0; t < kSteps; ++t) {
          CAPTURE(h.name, t, round, static_cast<int>(dtype));
          Tensors now;
          for (const auto& [name, x] : inputs)
            now[name] = step_of(x, t, name != "u" && name != "z");
          const Tensors& out = stepper.step(now);
          for (const std::string& f : h.fetch) CHECK(out.at(f) == step_of(whole.at(f), t, true));
        }
        for (std::int64_t i = 0; i < kBatch; ++i) stepper.reset(i);
      }
    }
  }
}

// Few items: the products of all gates are one, whose columns go to several values. The matrix of
// the largest is beyond the first-level cache: every other step begins with its last columns.
TEST_CASE("gates written apart have the bits of a larger batch, however few items there are") {
  constexpr std::int64_t kMost = 5, kLong = 6;
  for (const std::int64_t m : {3, 8, 16, 33, 70}) {
    const Definition d = define(fmt::format(
        R"j("index": {{"t": "tau"}}, "sizes": {{"n": 2, "m": {}}}, "inputs": {{"x[t]": ["n"]}},
      "weights": {{"Wi": ["m", "n"], "Wf": ["m", "n"], "Wg": ["2*m", "n"], "Ri": ["m", "m"],
        "Rf": ["m", "m"], "Rg": ["2*m", "m"], "V": ["n", "m"]}},
      "equations": ["i[t] = sigmoid(Wi @ x[t] + Ri @ h[t-1])",
        "f[t] = sigmoid(Wf @ x[t] + Rf @ h[t-1])", "g[t] = tanh(Wg @ x[t] + Rg @ h[t-1])",
        "c[t] = f[t] * c[t-1] + i[t] * slice(g[t], 0, m)",
        "h[t] = tanh(c[t]) * slice(g[t], m, 2*m)", "o[t] = V @ h[t]"])j",
        m));
    const Tensors weights = initial_weights(d, {.seed = 3});
    const Tensors inputs = random_inputs(d, {.steps = kLong, .batch = kMost, .seed = 4});
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      RunOptions how;
      how.dtype = dtype;
      how.fetch = {"h", "o"};
      const Tensors whole = run(d, inputs, weights, how).values;
      for (const std::int64_t batch : {1, 2, 3, 4}) {
        Stepper stepper(d, weights, {.outputs = how.fetch, .batch = batch, .dtype = dtype});
        for (std::int64_t t = 0; t < kLong; ++t) {
          CAPTURE(m, batch, t, static_cast<int>(dtype));
          const auto items = [&](const Tensor& all) {
            const Tensor now = step_of(all, t, true);
            Dims dims = now.dims();
            dims[0] = batch;
            Tensor out(dims, now.dtype());
            for (std::int64_t i = 0; i < out.size(); ++i) out.set(i, now.at(i));
            return out;
          };
          const Tensors& out = stepper.step({{"x", items(inputs.at("x"))}});
          for (const std::string& f : how.fetch) CHECK(out.at(f) == items(whole.at(f)));
        }
      }
    }
  }
}

// A value may be written where the next step reads it once all of this step have read what is
// there.
TEST_CASE("states that other states read late have the bits of the whole") {
  const std::vector<std::pair<const char*, std::vector<std::string>>> nets = {
      {R"j(["a[t] = tanh(x[t] + b[t-1])", "b[t] = 0.5 * a[t-1] - b[t-1]"])j", {"a", "b"}},
      {R"j(["a[t] = x[t] + 0.5 * a[t-1]", "b[t] = a[t] * a[t-1]", "c[t] = b[t] + c[t-1] * a[t-1]"])j",
       {"a", "b", "c"}},
      {R"j(["a[t] = x[t] + 0.5 * a[t-2]", "b[t] = sigmoid(a[t-1]) * b[t-1]"])j", {"b", "a"}},
      {R"j(["a[t] = W @ b[t-1] + x[t]", "b[t] = tanh(a[t]) + a[t-1]"])j", {"a"}},
      {R"j(["a[t] = W @ a[t-1] + x[t]", "b[t] = W @ a[t-1] + V @ b[t-1]"])j", {"b"}},
      {R"j(["a[t] = concat(slice(a[t-1], 1, m), slice(x[t], 0, 1))"])j", {"a"}}};
  constexpr std::int64_t kLong = 6;
  for (const std::int64_t m : {1, 4, 8, 11, 16, 32, 40})
    for (const auto& [equations, outputs] : nets) {
      const std::string text = equations;
      const bool w = text.find("W @") != std::string::npos,
                 v = text.find("V @") != std::string::npos;
      if (m == 1 && text.find("concat") != std::string::npos) continue;
      const Definition d = define(fmt::format(
          R"j("index": {{"t": "tau"}}, "sizes": {{"m": {}}}, "inputs": {{"x[t]": ["m"]}},
      "weights": {{{}{}}}, "equations": {})j",
          m, w ? R"("W": ["m", "m"])" : "", v ? R"(, "V": ["m", "m"])" : "", equations));
      const Tensors weights = initial_weights(d, {.seed = 3});
      for (const std::int64_t batch : {1, 2}) {
        const Tensors inputs = random_inputs(d, {.steps = kLong, .batch = batch, .seed = 4});
        for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
          RunOptions how;
          how.dtype = dtype;
          how.fetch = outputs;
          const Tensors whole = run(d, inputs, weights, how).values;
          Stepper stepper(d, weights, {.outputs = outputs, .batch = batch, .dtype = dtype});
          for (int round = 0; round < 2; ++round) {
            Tensors kept;
            for (std::int64_t t = 0; t < kLong; ++t) {
              CAPTURE(text, m, batch, t, round);
              const Tensors& out = stepper.step({{"x", step_of(inputs.at("x"), t, true)}});
              for (const std::string& f : outputs)
                CHECK(out.at(f) == step_of(whole.at(f), t, true));
              if (t == 3) kept = stepper.state();
            }
            stepper.set_state(kept);
            const Tensors& out = stepper.step({{"x", step_of(inputs.at("x"), 4, true)}});
            for (const std::string& f : outputs) CHECK(out.at(f) == step_of(whole.at(f), 4, true));
            for (std::int64_t i = 0; i < batch; ++i) stepper.reset(i);
          }
        }
      }
    }
}

// Items at the first step and at later ones take turns in what a step works on.
TEST_CASE("an item that begins anew leaves the others as they are") {
  for (const std::int64_t m : {3, 8, 32}) {
    const Definition d = define(fmt::format(
        R"j("index": {{"t": "tau"}}, "sizes": {{"n": 1, "m": {}}}, "inputs": {{"x[t]": ["n"]}},
      "weights": {{"W": ["m", "n"], "R": ["m", "m"]}},
      "equations": ["g[t] = sigmoid(W @ x[t] + R @ h[t-1])", "c[t] = g[t] * c[t-1] + tanh(R @ h[t-1])",
        "h[t] = g[t] * tanh(c[t]) + g[t]"])j",
        m));
    const Tensors weights = initial_weights(d, {.seed = 3});
    constexpr std::int64_t kItems = 2, kLong = 12;
    const Tensors inputs = random_inputs(d, {.steps = kLong, .batch = kItems, .seed = 4});
    RunOptions how;
    how.fetch = {"h"};
    how.dtype = Dtype::f32;
    const Tensor whole = run(d, inputs, weights, how).values.at("h");
    Stepper stepper(d, weights, {.outputs = {"h"}, .batch = kItems});
    std::int64_t at[kItems] = {0, 0};
    for (int step = 0; step < 30; ++step) {
      for (std::int64_t i = 0; i < kItems; ++i)
        if (at[i] == kLong || (i == 0 && step % 5 == 4)) {
          stepper.reset(i);
          at[i] = 0;
        }
      Tensor x({kItems, 1}, Dtype::f32);
      for (std::int64_t i = 0; i < kItems; ++i) x.set(i, inputs.at("x").at(at[i] * kItems + i));
      const Tensor& h = stepper.step({{"x", x}}).at("h");
      CAPTURE(m, step);
      for (std::int64_t i = 0; i < kItems; ++i)
        for (std::int64_t j = 0; j < m; ++j)
          CHECK(h.at(i * m + j) == whole.at((at[i] * kItems + i) * m + j));
      for (std::int64_t& t : at) ++t;
    }
  }
}

TEST_CASE("items begin anew one by one, and a state is taken up") {
  const Definition d = define(handed_on()[3].body);  // with equations for steps 1 and 3
  const Tensors inputs = random_inputs(d, {.steps = 12, .batch = 1, .seed = 8});
  RunOptions o;
  o.fetch = {"s"};
  o.dtype = Dtype::f64;
  const Tensor whole = run(d, inputs, {}, o).values.at("s");
  Stepper stepper(d, {}, {.outputs = {"s"}, .batch = 3, .dtype = Dtype::f64});
  std::vector<std::int64_t> at(3, 0);
  Tensors kept;
  const auto step = [&] {
    Tensor x({3}, Dtype::f64);
    for (std::size_t i = 0; i < 3; ++i)
      x.set(static_cast<std::int64_t>(i), inputs.at("x").at(at[i]));
    const Tensors& out = stepper.step({{"x", x}});
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(out.at("s").at(static_cast<std::int64_t>(i)) == whole.at(at[i]++));
  };
  for (int t = 0; t < 10; ++t) {
    if (t == 2 || t == 7) {
      stepper.reset(1);
      at[1] = 0;
    }
    if (t == 5) {
      stepper.reset(2);
      at[2] = 0;
    }
    step();
    if (t == 3) kept = stepper.state();
  }
  Stepper other(d, {}, {.outputs = {"s"}, .batch = 3, .dtype = Dtype::f64});
  other.set_state(kept);
  stepper = std::move(other);
  at = {4, 2, 4};
  for (int t = 0; t < 5; ++t) step();
  CHECK_THROWS_AS(stepper.reset(3), Error);
  kept.erase("steps");
  CHECK_THROWS_AS(stepper.set_state(kept), Error);
}

TEST_CASE("draws of a Stepper are those of a run") {
  const Definition d = define(handed_on()[4].body);
  const Tensors weights = initial_weights(d, {.seed = 2});
  RunOptions o;
  o.fetch = {"y"};
  o.modes["y"] = Mode::sampled;
  o.seed = 9;
  o.steps = 20;
  const Tensors none{{"item", Tensor::of({2}, std::vector<std::int64_t>{0, 1})}};
  const Tensor whole = run(d, none, weights, o).values.at("y");
  Stepper stepper(d, weights, {.outputs = {"y"}, .batch = 2, .modes = o.modes, .seed = 9});
  for (std::int64_t t = 0; t < 20; ++t) {
    const Tensors& out = stepper.step({});
    for (std::int64_t i = 0; i < 2; ++i) CHECK(out.at("y").at(i) == whole.at(t * 2 + i));
  }
}

TEST_CASE("a step that fails leaves the state as it was") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"A[t]": [2, 2]}, "weights": {"b": {"shape": [2], "init": 1}},
  "equations": ["h[t] = 0.5 * h[t-1] + solve(A[t], b)", "u[t] = h[t-2] + h[t]"])j");
  const Tensors weights = initial_weights(d);
  const auto matrix = [](double x) {
    return Tensors{{"A", Tensor::of({1, 2, 2}, std::vector<double>{x, 0, 1, x})}};
  };
  const StepperOptions o{.outputs = {"h", "u"}, .dtype = Dtype::f64};
  Stepper plain(d, weights, o), failing(d, weights, o);
  for (int t = 1; t < 9; ++t) {
    if (t > 4) {
      CHECK_THROWS_AS(failing.step(matrix(0)), Error);
      if (t == 7) CHECK(failing.state() == plain.state());
    }
    const Tensors a = plain.step(matrix(t)), b = failing.step(matrix(t));
    CAPTURE(t);
    CHECK(a == b);
  }
}

TEST_CASE("a step allocates nothing") {
  for (const std::string& body : {std::string(kLstm), handed_on()[2].body}) {
    const Definition d = define(body);
    const Tensors weights = initial_weights(d);
    Stepper stepper(d, weights, {.outputs = {"h"}, .batch = 2});
    Tensors inputs;
    for (const auto& [name, x] : random_inputs(d, {.steps = 1, .batch = 2}))
      if (name == "x") inputs[name] = step_of(x, 0, true);
    const long before = allocations;
    double sum = 0;
    for (int t = 0; t < 100; ++t) {
      if (t == 50) stepper.reset(1);
      sum += stepper.step(inputs).at("h").at(0) + stepper.state().at("h[t]").at(0);
    }
    CHECK(allocations == before);
    CHECK(std::isfinite(sum));
  }
}

// In strict mode the kernel ends a process at its first system call but read, write and exit.
TEST_CASE("a step calls no system function") {
  const Definition d = define(kLstm);
  Stepper stepper(d, initial_weights(d), {.outputs = {"h"}});
  stepper.step({{"x", Tensor({1, 1}, Dtype::f32)}});
  const std::span<float> x = stepper.input<float>("x");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::prctl(PR_SET_SECCOMP, 1 /* SECCOMP_MODE_STRICT */) != 0) ::_exit(77);
    for (int t = 0; t < 1000; ++t) {
      x[0] = static_cast<float>(t % 7);
      stepper.step();
    }
    ::syscall(SYS_exit, 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    WARN("no seccomp here: system calls are not watched");
    return;
  }
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a Stepper says what it cannot do") {
  const auto code = [](const char* equations, StepperOptions o) {
    const Definition d = define(fmt::format(
        R"j("index": {{"t": "tau"}}, "inputs": {{"x[t]": []}}, "equations": {})j", equations));
    try {
      Stepper(d, {}, o);
    } catch (const Error& e) {
      return e.diagnostics()[0].code;
    }
    return std::string("none");
  };
  CHECK(code(R"j(["h[t] = x[t] + h[t-1]", "o = h[last]"])j", {.outputs = {"h"}}) == "none");
  CHECK(code(R"j(["h[t] = x[t] + h[t-1]", "o = h[last]"])j", {.outputs = {"o"}}) == "G040");
  CHECK(code(R"j(["h[t] = x[t] + h[t-1]"])j", {.outputs = {"x"}}) == "U020");
  CHECK(code(R"j(["h[t] = x[t] + h[t-1]"])j", {.outputs = {"h"}, .batch = 0}) == "U002");
  CHECK(code(R"j(["h[t] = x[t] + h[t-1]"])j", {.outputs = {}}) == "U002");
}
