// Plans of many lengths take turns in one memory, in training and evaluation: what is held at once
// is counted where it is asked for.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>
#include <string>

#include "taugrad/language/definition.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;

namespace {

/// Bytes of memory of whole pages, which values lie in: now, and the most at once.
std::atomic<std::size_t> held{0}, most{0};
constexpr std::size_t kPage = 4096;

}  // namespace

[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t align) {
  const auto to = static_cast<std::size_t>(align);
  const std::size_t before = to < sizeof(std::size_t) ? sizeof(std::size_t) : to;
  void* const p = std::aligned_alloc(before, (before + size + before - 1) / before * before);
  if (p == nullptr) throw std::bad_alloc();
  *static_cast<std::size_t*>(p) = to >= kPage ? size : 0;
  held += to >= kPage ? size : 0;
  if (held > most) most = held.load();
  return static_cast<char*>(p) + before;
}
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t align) noexcept {
  if (p == nullptr) return;
  const auto to = static_cast<std::size_t>(align);
  void* const begin = static_cast<char*>(p) - (to < sizeof(std::size_t) ? sizeof(std::size_t) : to);
  held -= *static_cast<std::size_t*>(begin);
  std::free(begin);
}
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t align) noexcept {
  operator delete[](p, align);
}

namespace {

Definition net() {
  return parse_definition(R"json({"name": "net", "index": {"t": "tau"}, "sizes": {"m": 32},
    "inputs": {"x[t]": [], "z[t]": []},
    "weights": {"W": ["m", "m"], "U": ["m"], "V": ["m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + U * x[t])", "e[t] = V @ h[t] - z[t]"],
    "loss": "sum(e[t] * e[t])"})json",
                          "net");
}

std::string item(int steps) {
  std::string x;
  for (int t = 0; t < steps; ++t) x += t > 0 ? ",0.5" : "0.5";
  return "{\"x\": [" + x + "], \"z\": [" + x + "]}\n";
}

}  // namespace

TEST_CASE("plans of many lengths need the memory of the longest", "[train]") {
  const Definition d = net();
  std::string many;
  for (int steps = 8; steps <= 200; steps += 8) many += item(steps);
  const auto needs = [&](const std::string& lines, const TrainOptions& o) {
    most = held.load();
    const std::size_t before = held;
    Trainer trainer(d, json_lines_dataset(d, lines, "items"), o);
    while (!trainer.done()) trainer.step();
    const Evaluation e =
        evaluate(d, trainer.weights(), json_lines_dataset(d, lines, "items"), {.batch = o.batch});
    CHECK(e.items.size() == (lines == many ? 25 : 1));
    return most - before;
  };
  const TrainOptions plain{.batch = 1, .epochs = 2};
  TrainOptions cut = plain;
  cut.truncation.back = 64;
  for (const TrainOptions& o : {plain, cut}) {
    const std::size_t longest = needs(item(200), o), all = needs(many, o);
    CAPTURE(longest, all);
    CHECK(longest > 10 * kPage);
    CHECK(all <= longest + longest / 4);
  }
  CHECK(held == 0);
}
