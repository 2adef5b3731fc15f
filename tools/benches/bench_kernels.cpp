#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/outer.h"
#include "kernels/gemm/panels.h"

// GFLOP/s of the matrix kernels on the shapes of recurrent networks, on one thread, beside OpenBLAS
// on the same shape in the same run: medians of short samples, taken in turn. Packing in GB/s
// written, beside memcpy. One JSON line each.
//   bench_kernels [f32|f64] [PART OF A NAME]
namespace {

using namespace taugrad::kernels;
using Clock = std::chrono::steady_clock;

void bind_to_one_core() {
#ifdef __linux__
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof one, &one);
#endif
}

template <class S>
std::vector<S> numbers(std::int64_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> draw(-0.1, 0.1);
  std::vector<S> values(static_cast<std::size_t>(count));
  for (S& v : values) v = static_cast<S>(draw(random));
  return values;
}

double seconds(const std::function<void()>& run, int times) {
  // processor time: what other programs do meanwhile does not count
  const std::clock_t start = std::clock();
  for (int i = 0; i < times; ++i) run();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / times;
}

struct Pair {
  double ours, theirs;
};

/// Median seconds of a call of each of the two: samples of about 1 ms, in turn, for 0.3 s.
Pair medians(const std::function<void()>& ours, const std::function<void()>& theirs) {
  int times = 1;
  while (times < 1 << 20 && seconds(ours, times) * times < 1e-3) times *= 2;
  std::vector<double> a, b;
  const auto end = Clock::now() + std::chrono::milliseconds(300);
  while (a.size() < 15 || Clock::now() < end) {
    a.push_back(seconds(ours, times));
    b.push_back(seconds(theirs, times));
  }
  const auto middle = static_cast<std::ptrdiff_t>(a.size() / 2);
  std::nth_element(a.begin(), a.begin() + middle, a.end());
  std::nth_element(b.begin(), b.begin() + middle, b.end());
  return {a[a.size() / 2], b[b.size() / 2]};
}

void report(const std::string& name, const char* unit, const char* peer, double work,
            const std::function<void()>& ours, const std::function<void()>& theirs) {
  const Pair t = medians(ours, theirs);
  fmt::print("{{\"kernel\":\"{}\",\"us\":{:.2f},\"{}\":{:.1f},\"{}\":{:.1f},\"ratio\":{:.2f}}}\n",
             name, 1e6 * t.ours, unit, 1e-9 * work / t.ours, peer, 1e-9 * work / t.theirs,
             t.theirs / t.ours);
  std::fflush(stdout);
}

/// `blocks` blocks of m rows each, A and C without gaps or (`apart`) with each block's rows on
/// their own.
template <class S>
void product(const std::string& wanted, std::int64_t blocks, std::int64_t m, std::int64_t n,
             std::int64_t k, bool apart = false) {
  const std::string name =
      blocks == 1 ? fmt::format("rows_{}x{}x{}", m, n, k)
                  : fmt::format("blocks_{}*{}x{}x{}{}", blocks, m, n, k, apart ? "_apart" : "");
  if (name.find(wanted) == std::string::npos) return;
  const std::int64_t rows = blocks * m, gap = apart ? 16 : 0;
  const auto a = numbers<S>(blocks * (m * k + 2 * gap)), b = numbers<S>(k * n);
  std::vector<S> c(static_cast<std::size_t>(rows * n));
  Panels<S> panels;
  panels.resize(k, n);
  panels.fill(b.data(), n, 1);
  std::vector<RowBlock<S>> list;
  for (std::int64_t i = 0; i < blocks; ++i)  // uneven gaps: no common stride
    list.push_back({a.data() + i * (m * k + gap) + i % 2 * gap, k, c.data() + i * m * n, n, m});
  report(
      name, "gflops", "openblas", 2.0 * static_cast<double>(rows * n * k),
      [&] { multiply_blocks<S>(list, panels, 0, panels.count(), false); },
      [&] {
        gemm(rows, n, k, Matrix<S>{a.data(), k, false}, Matrix<S>{b.data(), n, false}, false,
             c.data(), n);
      });
}

template <class S>
void outer(const std::string& wanted, std::int64_t segments, std::int64_t rows, std::int64_t m,
           std::int64_t n) {
  const std::string name = fmt::format("outer_{}*{}x{}x{}", segments, rows, m, n);
  if (name.find(wanted) == std::string::npos) return;
  const std::int64_t total = segments * rows;
  const auto d = numbers<S>(total * m), x = numbers<S>(total * n);
  std::vector<S> c(static_cast<std::size_t>(m * n));
  std::vector<Segment<S>> list;
  for (std::int64_t i = 0; i < segments; ++i)
    list.push_back({d.data() + i * rows * m, m, x.data() + i * rows * n, n, rows});
  OuterScratch<S> scratch;
  const std::int64_t panels = (n + Panels<S>::kWidth - 1) / Panels<S>::kWidth;
  report(
      name, "gflops", "openblas", 2.0 * static_cast<double>(total * m * n),
      [&] { outer_rows<S>(list, m, n, 0, panels, false, c.data(), n, scratch); },
      [&] {
        gemm(m, n, total, Matrix<S>{d.data(), m, true}, Matrix<S>{x.data(), n, false}, false,
             c.data(), n);
      });
}

template <class S>
void packing(const std::string& wanted, std::int64_t k, std::int64_t n) {
  const std::string name = fmt::format("fill_{}x{}", k, n);
  if (name.find(wanted) == std::string::npos) return;
  const auto b = numbers<S>(k * n);
  std::vector<S> copy(b.size());
  Panels<S> panels;
  panels.resize(k, n);
  for (const bool transposed : {false, true})
    report(
        name + (transposed ? "_transposed" : ""), "gb_s", "memcpy",
        static_cast<double>(b.size() * sizeof(S)),
        [&] { panels.fill(b.data(), transposed ? 1 : n, transposed ? k : 1); },
        [&] { std::memcpy(copy.data(), b.data(), b.size() * sizeof(S)); });
}

template <class S>
void run(const std::string& wanted) {
  constexpr std::int64_t kShapes[][3] = {
      {32, 256, 256},  {64, 1024, 1024}, {32, 2048, 512},  {32, 512, 2048}, {32, 1536, 512},
      {32, 1024, 256}, {1, 64, 64},      {1, 2048, 512},   {2, 512, 512},   {3, 512, 512},
      {5, 512, 512},   {8, 512, 512},    {11, 512, 512},   {17, 512, 512},  {29, 512, 512},
      {43, 512, 512},  {64, 512, 512},   {2048, 2048, 512}};
  for (const auto& [m, n, k] : kShapes) product<S>(wanted, 1, m, n, k);
  product<S>(wanted, 64, 32, 2048, 512);
  product<S>(wanted, 64, 32, 2048, 512, true);
  product<S>(wanted, 64, 32, 256, 256, true);
  product<S>(wanted, 128, 64, 1024, 1024, true);
  product<S>(wanted, 512, 1, 512, 512, true);
  product<S>(wanted, 32, 1, 64, 64, true);
  outer<S>(wanted, 64, 32, 256, 256);
  outer<S>(wanted, 64, 32, 512, 2048);
  outer<S>(wanted, 64, 32, 2048, 512);
  outer<S>(wanted, 64, 64, 1024, 1024);
  for (const std::int64_t segments : {16, 32, 64}) outer<S>(wanted, segments, 1, 64, 64);
  outer<S>(wanted, 64, 32, 65, 256);
  outer<S>(wanted, 64, 32, 256, 65);
  packing<S>(wanted, 256, 256);
  packing<S>(wanted, 1024, 1024);
  packing<S>(wanted, 512, 2048);
}

}  // namespace

int main(int argc, char** argv) {
  bind_to_one_core();
  const std::string wanted = argc > 2 ? argv[2] : "";
  if (argc > 1 && std::string(argv[1]) == "f64")
    run<double>(wanted);
  else
    run<float>(wanted);
  return 0;
}
