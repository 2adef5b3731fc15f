// Products whose operands are rounded to bfloat16.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <random>

#include "rewrite/rounding.h"
#include "support_plan.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/ops/ops.h"

using namespace taugrad;
using namespace support;

namespace {

BatchContext batch_of(const Tape& tape, std::int64_t items, std::int64_t longest) {
  BatchContext batch;
  batch.lengths.assign(tape.length_names.size(),
                       std::vector<std::int64_t>(static_cast<std::size_t>(items), longest));
  return batch;
}

Values values_of(const Work& work, std::int64_t items, std::int64_t steps,
                 const ExecutorOptions& options) {
  Executor<float> executor(work.tape(), work.outputs, options);
  return execute(executor, work.tape(), work.outputs, batch_of(work.tape(), items, steps), items,
                 7);
}

/// The nearest bfloat16: of the two around x the nearer one, of equally near ones the even one.
float nearest(float x) {
  const auto down = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xFFFF0000u);
  const auto up = std::bit_cast<float>((std::bit_cast<std::uint32_t>(x) & 0xFFFF0000u) + 0x10000u);
  const double to_down = std::fabs(double{x} - double{down}),
               to_up = std::fabs(double{up} - double{x});
  if (to_down != to_up) return to_down < to_up ? down : up;
  return (std::bit_cast<std::uint32_t>(down) & 0x10000u) == 0 ? down : up;
}

/// A product of drawn numbers, and the same with other ones in their place.
Tensors linear_map(Tensor x, Tensor w, Precision precision) {
  Graph g;
  const Var y =
      matmul(g.weight("W", Shape{w.dims()[0], w.dims()[1]}), g.input("x", Shape{x.dims()[1]}));
  Program program(g, {g.name(y, "y")}, {.engine = {.precision = precision}});
  return program({{"x", std::move(x)}}, {{"W", std::move(w)}});
}

Tensor drawn(Dims dims, unsigned seed, bool rounded) {
  Tensor t(std::move(dims), Dtype::f32);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (float& v : t.values<float>()) {
    v = normal(random);
    if (rounded) v = nearest(v);
  }
  return t;
}

}  // namespace

TEST_CASE("bf16: products round their operands to the nearest, and nothing else", "[precision]") {
  const auto exact = [](bool rounded, Precision precision) {
    return linear_map(drawn({5, 37}, 1, rounded), drawn({19, 37}, 2, rounded), precision).at("y");
  };
  const Tensor want = exact(true, Precision::full), got = exact(false, Precision::bf16);
  for (std::int64_t i = 0; i < 5 * 19; ++i) {
    CAPTURE(i);  // the same numbers, added up in another order where the machine adds pairs
    CHECK(got.at(i) == Approx(want.at(i)).epsilon(1e-5).margin(1e-5));
  }
  const Tensor other = exact(false, Precision::full);
  double difference = 0;
  for (std::int64_t i = 0; i < 5 * 19; ++i)
    difference = std::max(difference, std::fabs(got.at(i) - other.at(i)));
  CHECK(difference > 1e-3);
}

TEST_CASE("bf16: every product of every shipped graph, gradients included", "[precision]") {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/graphs")) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().stem().string());
    const Definition d = load_definition(entry.path().stem().string());
    const Work work = work_of(d, 4);
    const Rewritten other = round_operands(work.tape(), work.outputs);
    const Tape& tape = other.graph.tape();
    for (NodeId id = 0; id < tape.size(); ++id) {
      if (&tape.op(id) != &kMatmul && &tape.op(id) != &kOuterSum) continue;
      for (NodeId x : tape.inputs(id)) {
        while (&tape.op(x) == &kCopy || &tape.op(x) == &kTranspose || &tape.op(x) == &kSlice)
          x = tape.inputs(x)[0];
        CHECK((&tape.op(x) == &kRound || &tape.op(x) == &kOneHot || tape.op(x).traits.view));
      }
    }
    if (!work.unfolded.has_loss()) continue;
    const Values full = values_of(work, 3, 4, {}),
                 rounded = values_of(work, 3, 4, {.engine = {.precision = Precision::bf16}});
    CHECK(difference(rounded, full) < 0.1);  // of each tensor's largest; 2^-8 a rounding
  }
}

TEST_CASE("bf16: the same bits on any threads, alone and with values computed again",
          "[precision]") {
  Definition d = load_definition("lstm");
  for (auto& s : d.sizes) s.value = 96;
  d.loss = {Text{"sum(h[t] * h[t])", {}}};
  const Work work = work_of(d, 30);
  const ExecutorOptions one{.engine = {.threads = 1, .precision = Precision::bf16}};
  const Values want = values_of(work, 20, 30, one);
  for (const int threads : {1, 2, 3})
    for (const bool again : {false, true}) {
      ExecutorOptions options = one;
      options.engine.threads = threads;
      options.checkpoint = again ? work.unfolded.loss().id : -1;
      CHECK(same_bits(values_of(work, 20, 30, options), want));
    }
  CHECK_THROWS_AS(
      Executor<double>(work.tape(), work.outputs, {.engine = {.precision = Precision::bf16}}),
      Error);
}
