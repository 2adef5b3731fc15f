#include "kernels/tile_math.h"

#include <array>
#include <cmath>

namespace taugrad::kernels {
namespace {

struct Scalar {
  template <class S>
  static S sigmoid(S x) {
    if (x >= 0) return S(1) / (S(1) + std::exp(-x));
    const S e = std::exp(x);
    return e / (S(1) + e);
  }
  template <class S>
  static S sign(S x) {
    return x > 0 ? S(1) : x < 0 ? S(-1) : x != x ? x : S(0);
  }
};

template <TileOp op, class S>
S element(S a, S b, S c, S lo, S hi) {
  if constexpr (op == TileOp::copy) return a;
  if constexpr (op == TileOp::neg) return -a;
  if constexpr (op == TileOp::add) return a + b;
  if constexpr (op == TileOp::sub) return a - b;
  if constexpr (op == TileOp::mul) return a * b;
  if constexpr (op == TileOp::div) return a / b;
  if constexpr (op == TileOp::chain) return a == 0 ? a : a * b;
  if constexpr (op == TileOp::minimum) return a <= b || a != a ? a : b;
  if constexpr (op == TileOp::maximum) return a >= b || a != a ? a : b;
  if constexpr (op == TileOp::clamp) return a < lo ? lo : a > hi ? hi : a;
  if constexpr (op == TileOp::tanh) return std::tanh(a);
  if constexpr (op == TileOp::sigmoid) return Scalar::sigmoid(a);
  if constexpr (op == TileOp::relu) return a <= 0 ? S(0) : a;
  if constexpr (op == TileOp::exp) return std::exp(a);
  if constexpr (op == TileOp::log) return std::log(a);
  if constexpr (op == TileOp::sqrt) return std::sqrt(a);
  if constexpr (op == TileOp::abs) return std::fabs(a);
  if constexpr (op == TileOp::sign) return Scalar::sign(a);
  if constexpr (op == TileOp::pow) return std::pow(a, b);
  if constexpr (op == TileOp::less) return S(a < b);
  if constexpr (op == TileOp::less_equal) return S(a <= b);
  if constexpr (op == TileOp::greater) return S(a > b);
  if constexpr (op == TileOp::greater_equal) return S(a >= b);
  if constexpr (op == TileOp::equal) return S(a == b);
  if constexpr (op == TileOp::not_equal) return S(a != b);
  if constexpr (op == TileOp::same_category) return S(a == b && a >= 0);
  if constexpr (op == TileOp::other_category) return S(!(a == b && a >= 0));
  if constexpr (op == TileOp::where) return a != 0 ? b : c;
}

constexpr int arity(TileOp op) {
  switch (op) {
    case TileOp::where:
      return 3;
    case TileOp::copy:
    case TileOp::neg:
    case TileOp::clamp:
    case TileOp::tanh:
    case TileOp::sigmoid:
    case TileOp::relu:
    case TileOp::exp:
    case TileOp::log:
    case TileOp::sqrt:
    case TileOp::abs:
    case TileOp::sign:
      return 1;
    default:
      return 2;
  }
}

template <TileOp op, class S>
void run(const S* a, const S* b, const S* c, S* out, std::int64_t n, S lo, S hi) {
  for (std::int64_t i = 0; i < n; ++i)
    out[i] = element<op>(a[i], arity(op) > 1 ? b[i] : S(0), arity(op) > 2 ? c[i] : S(0), lo, hi);
}

template <class S, std::size_t... op>
constexpr auto table(std::index_sequence<op...>) {
  return std::array<TileFunction<S>, sizeof...(op)>{&run<static_cast<TileOp>(op), S>...};
}

}  // namespace

template <class S>
TileFunction<S> tile_function(TileOp op) {
  static constexpr auto functions = table<S>(std::make_index_sequence<kTileOps>());
  return functions[static_cast<std::size_t>(op)];
}

template TileFunction<float> tile_function(TileOp);
template TileFunction<double> tile_function(TileOp);

}  // namespace taugrad::kernels
