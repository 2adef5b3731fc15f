#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string_view>
#include <vector>

#include "kernels/rows/row_math.h"
#include "kernels/tiles/tile_math.h"

// Nanoseconds an element of the functions of tiles and rows, on one tile in the first-level cache:
// the median of many short runs. One JSON line each.
namespace {

using namespace taugrad::kernels;

template <class Body>
double median_nanoseconds(const Body& body) {
  constexpr int kRuns = 201, kRepeats = 50;
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) {
    const auto from = std::chrono::steady_clock::now();
    for (int i = 0; i < kRepeats; ++i) body();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - from;
    times.push_back(time.count() / kRepeats / static_cast<double>(kTile));
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

void report(std::string_view name, std::string_view scalar, double nanoseconds) {
  fmt::print("{{\"workload\":\"math_{}_{}\",\"ns_per_element\":{:.3f}}}\n", name, scalar,
             nanoseconds);
}

template <class S>
struct Tiles {
  alignas(64) S a[kTile], b[kTile], c[kTile], out[kTile], numbers[kTile] = {};
  Tiles() {
    std::mt19937 random(1);
    std::uniform_real_distribution<S> draw(S(0.1), S(4));
    for (S* x : {a, b, c}) std::generate_n(x, kTile, [&] { return draw(random); });
  }
};

template <class S>
void rows_of(std::string_view scalar, Tiles<S>& t, std::int64_t n) {
  const std::int64_t rows = kTile / n;
  const auto say = [&](std::string_view name, const auto& body) {
    report(fmt::format("{}_rows_of_{}", name, n), scalar, median_nanoseconds(body));
  };
  const RowOperand<S> terms[] = {{t.a, n}, {t.b, n}, {t.c, n}};
  say("softmax", [&] { softmax_rows(rows, t.a, n, n, t.out, n); });
  say("log_softmax", [&] { log_softmax_rows(rows, t.a, n, n, t.out, n); });
  say("normalize", [&] { normalize_rows(rows, t.a, n, n, t.out, n); });
  say("nll",
      [&] { nll_rows(rows, t.a, n, n, t.numbers, std::int64_t{1}, t.out, std::int64_t{1}); });
  say("sum", [&] { sum_rows(rows, t.a, n, n, t.out, std::int64_t{1}); });
  say("max", [&] { max_rows(rows, t.a, n, n, t.out, std::int64_t{1}); });
  say("add_3", [&] { add_rows<S>(rows, n, terms, t.out, n); });
  say("sum_columns", [&] { sum_columns(rows, t.a, n, n, true, t.out); });
  say("scatter", [&] { scatter_rows(rows, t.numbers, std::int64_t{1}, t.a, n, n, rows, t.out); });
}

template <class S>
void run(std::string_view scalar) {
  Tiles<S> t;
  for (int i = 0; i < kTileOps; ++i) {
    const TileFunction<S> f = tile_function<S>(static_cast<TileOp>(i));
    report(tile_op_name(static_cast<TileOp>(i)), scalar,
           median_nanoseconds([&] { f(t.a, t.b, t.c, t.out, kTile, S(1), S(2)); }));
  }
  for (const std::int64_t n : {8, 64, 256}) rows_of(scalar, t, n);
}

}  // namespace

int main() {
  run<float>("f32");
  run<double>("f64");
  return 0;
}
