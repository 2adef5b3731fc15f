#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/bound_call.h"

namespace taugrad::kernels {

/// Elements of a tile: what one instruction of a fused region works on at a time.
inline constexpr std::int64_t kTile = 256;
/// And of lines of a matrix, most: what is done once a tile takes as long as some lines.
inline constexpr std::int64_t kLargeTile = 1024;

/// What can be computed element by element; each has the meaning of the op of that name.
enum class TileOp : std::uint8_t {
  copy,
  neg,
  add,
  sub,
  mul,
  div,
  minimum,
  maximum,
  clamp,
  tanh,
  sigmoid,
  relu,
  exp,
  log,
  sqrt,
  abs,
  sign,
  round,  ///< to 8 significant bits, ties to even: the numbers of bfloat16
  floor,
  sin,
  cos,
  erf,
  normal_cdf,
  log1p,
  expm1,
  softplus,
  pow,
  mod,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  same_category,   ///< `equal` of categories: a negative one equals nothing
  other_category,  ///< 1 - same_category
  where,           ///< b where a != 0, else c
};
inline constexpr int kTileOps = static_cast<int>(TileOp::where) + 1;

/// Operands that the op has.
constexpr int tile_op_arity(TileOp op) {
  if (op == TileOp::where) return 3;
  const bool one =
      op == TileOp::copy || op == TileOp::neg || (op >= TileOp::clamp && op <= TileOp::softplus);
  return one ? 1 : 2;
}
/// The word of the op: "tanh", "less_equal".
std::string_view tile_op_name(TileOp op);

/// out[i] = f(a[i], b[i], c[i]) for 0 <= i < n: any n, any alignment. Operands that the op does not
/// have are not read and may be null; lo <= hi are the ends of a clamp. `out` may be exactly a, b
/// or c, and may not overlap them otherwise.
///
/// An element's bits depend on its operands and on the machine's instruction set only: not on its
/// place, on n or on the elements beside it.
template <class S>
using TileFunction = void (*)(const S* a, const S* b, const S* c, S* out, std::int64_t n, S lo,
                              S hi);

/// One such call with its operands, for tiles whose places stay: what a step of few numbers takes
/// is the passing on of operands more than the work. Operands that the op does not have are null.
template <class S>
struct alignas(64) TileCall : BoundCall {
  const S *a, *b, *c;
  S* out;
  std::int64_t n;
  S lo, hi;
};
/// The function of a TileCall for tiles of n elements, with the bits of tile_function: where n is a
/// whole register, a half, a quarter, or two or four of them, for that n alone.
template <class S>
void (*tile_call(TileOp op, std::int64_t n))(const BoundCall&);

/// Whether so many bytes are best done in the registers of AVX2, where wider ones would do.
bool fits_shorter_registers(std::int64_t bytes);

/// The function of that op for this machine; S is float or double. Relative errors, over all
/// arguments: tanh, sigmoid, exp, log, sin, cos, erf, normal_cdf, log1p, expm1 and softplus within
/// 4 ulp; the others are exactly rounded but pow, which is within 1 ulp of the C++ library's.
template <class S>
TileFunction<S> tile_function(TileOp op);

}  // namespace taugrad::kernels
