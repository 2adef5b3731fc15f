#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "taugrad/evaluate/run.h"
#include "taugrad/evaluate/stepper.h"
#include "taugrad/layers/layers.h"

// Nanoseconds of one step of one item of an LSTM with one input, in f32 on one thread: the Stepper,
// that of an LSTM whose gates are written apart, and a loop written by hand for that one network,
// in the same run: the least of many short samples, taken in turn. One JSON line for each size.
//   bench_step [SIZES..]      (8 16 32 64)
namespace {

using namespace taugrad;
using Clock = std::chrono::steady_clock;

/// e^x = 2^k e^r with |r| <= ln 2 / 2, by a polynomial: what a compiler turns into vectors.
inline float exp_of(float x) {
  x = std::min(std::max(x, -87.0F), 87.0F);
  const float k = std::nearbyint(x * 1.44269504F);
  const float r = (x - k * 0.693359375F) + k * 2.12194440e-4F;
  const float p =
      1 + r * (1 + r * (0.5F + r * (0.16666667F + r * (0.041666668F + r * 0.008333334F))));
  return p * std::bit_cast<float>((static_cast<std::int32_t>(k) + 127) << 23);
}
inline float sigmoid_of(float x) { return 1 / (1 + exp_of(-x)); }
inline float tanh_of(float x) { return 1 - 2 / (1 + exp_of(2 * x)); }

/// The same network by hand: all sizes known, weights by columns, gates i f g o one after the
/// other.
template <int M>
class ByHand {
 public:
  explicit ByHand(const Tensors& w) {
    const auto at = [&](const char* name, int i) { return static_cast<float>(w.at(name).at(i)); };
    for (int r = 0; r < 4 * M; ++r) {
      input_[r] = at("weight_ih_l0", r);
      bias_[r] = at("bias_ih_l0", r) + at("bias_hh_l0", r);
      for (int c = 0; c < M; ++c) columns_[c][r] = at("weight_hh_l0", r * M + c);
    }
  }
#if defined(__x86_64__) && defined(__GNUC__)
  __attribute__((target("avx2,fma")))
#endif
  const float*
  step(float x) {
    alignas(64) float z[4 * M];
    for (int r = 0; r < 4 * M; ++r) z[r] = bias_[r] + input_[r] * x;
    for (int c = 0; c < M; ++c)
      for (int r = 0; r < 4 * M; ++r) z[r] += columns_[c][r] * h_[c];
    for (int j = 0; j < M; ++j) {
      c_[j] = sigmoid_of(z[M + j]) * c_[j] + sigmoid_of(z[j]) * tanh_of(z[2 * M + j]);
      h_[j] = sigmoid_of(z[3 * M + j]) * tanh_of(c_[j]);
    }
    return h_;
  }

 private:
  alignas(64) float columns_[M][4 * M];
  alignas(64) float input_[4 * M], bias_[4 * M], h_[M] = {}, c_[M] = {};
};

/// Seconds of `steps` calls, the least of some samples.
template <class F>
double nanoseconds(int steps, const F& step) {
  const auto begun = Clock::now();
  for (int i = 0; i < steps; ++i) step(i);
  return std::chrono::duration<double, std::nano>(Clock::now() - begun).count() / steps;
}

/// Its gates each with weights of its own.
Definition gates_apart(int m) {
  std::string weights, equations;
  for (const char* gate : {"i", "f", "g", "o"}) {
    weights += fmt::format(R"j("W{0}": ["m", 1], "R{0}": ["m", "m"], "b{0}": ["m"], )j", gate);
    equations += fmt::format(R"j("{0}[t] = {1}(b{0} + W{0} @ x[t] + R{0} @ h[t-1])", )j", gate,
                             *gate == 'g' ? "tanh" : "sigmoid");
  }
  weights.resize(weights.size() - 2);
  return parse_definition(
      fmt::format(R"j({{"name": "apart", "index": {{"t": "tau"}}, "sizes": {{"m": {}}},
        "inputs": {{"x[t]": [1]}}, "weights": {{{}}}, "equations": [{}
        "c[t] = f[t] * c[t-1] + i[t] * g[t]", "h[t] = o[t] * tanh(c[t])"]}})j",
                  m, weights, equations),
      "apart.json");
}

template <int M>
void measure() {
  const Definition d = lstm({.n = 1, .m = M});
  const Tensors weights = initial_weights(d, {.seed = 1});
  Stepper stepper(d, weights, {.outputs = {"out"}});
  const Definition gates = gates_apart(M);
  Stepper apart(gates, initial_weights(gates, {.seed = 1}), {.outputs = {"h"}});
  ByHand<M> hand(weights);
  const std::span<float> x = stepper.input<float>("x");
  const auto ours = [&](int i) {
    x[0] = static_cast<float>(i % 7) * 0.1F;
    stepper.step();
  };
  const std::span<float> of_apart = apart.input<float>("x");
  const auto other = [&](int i) {
    of_apart[0] = static_cast<float>(i % 7) * 0.1F;
    apart.step();
  };
  float sum = 0, worst = 0;
  const auto theirs = [&](int i) { sum += hand.step(static_cast<float>(i % 7) * 0.1F)[0]; };
  double best[3] = {1e300, 1e300, 1e300};
  for (int sample = 0; sample < 400; ++sample) {
    best[0] = std::min(best[0], nanoseconds(500, ours));
    best[1] = std::min(best[1], nanoseconds(500, theirs));
    best[2] = std::min(best[2], nanoseconds(500, other));
  }
  const float* h = hand.step(0.5F);
  x[0] = 0.5F;
  stepper.step();
  const auto out = stepper.output<float>("out");
  for (int j = 0; j < M; ++j)
    worst = std::max(worst, std::abs(h[j] - out[static_cast<std::size_t>(j)]));
  fmt::print(
      "{{\"lstm\": {}, \"stepper_ns\": {:.1f}, \"by_hand_ns\": {:.1f}, \"ratio\": {:.3f}, "
      "\"gates_apart_ns\": {:.1f}, \"apart\": {:.1e}}}\n",
      M, best[0], best[1], best[0] / best[1], best[2], static_cast<double>(worst));
}

}  // namespace

int main(int count, char** words) {
  std::vector<int> sizes;
  for (int i = 1; i < count; ++i) sizes.push_back(std::atoi(words[i]));
  if (sizes.empty()) sizes = {8, 16, 32, 64};
  for (const int m : sizes) {
    if (m == 8) measure<8>();
    if (m == 16) measure<16>();
    if (m == 32) measure<32>();
    if (m == 64) measure<64>();
  }
}
