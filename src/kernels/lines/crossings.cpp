#include "kernels/lines/crossings.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lines/crossings.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::CappedTag<float, 16>;
using Floats = hn::Vec<Tag>;

/// test(i) is the mask of the elements from i on.
template <class Test>
HWY_INLINE void each_bit(std::size_t count, std::uint64_t* bits, const Test& test) {
  constexpr std::size_t kWord = 64;
  const Tag d;
  for (std::size_t i = 0; i < count; i += kWord) bits[i / kWord] = 0;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, test(i), bytes);
    bits[i / kWord] |= static_cast<std::uint64_t>(bytes[0] | bytes[1] << 8) << i % kWord;
  }
}

HWY_INLINE Floats at(const float* v, std::size_t i) { return hn::LoadU(Tag(), v + i); }
HWY_INLINE Floats all(const float* v, std::size_t i) { return hn::Set(Tag(), v[i]); }
HWY_INLINE Floats cross(Floats x, Floats y, Floats u, Floats v) {
  return hn::Sub(hn::Mul(x, v), hn::Mul(y, u));
}

void crossings(const LineArrays& s, std::size_t l, std::size_t count, std::uint64_t* bits) {
  const Floats px = all(s.ax, l), py = all(s.ay, l), qx = all(s.bx, l), qy = all(s.by, l);
  const Floats x = hn::Sub(qx, px), y = hn::Sub(qy, py), least = hn::Set(Tag(), -1.0F);
  each_bit(count, bits, [&](std::size_t k) HWY_ATTR {
    const Floats ax = at(s.ax, k), ay = at(s.ay, k), bx = at(s.bx, k), by = at(s.by, k);
    const Floats u = hn::Sub(bx, ax), v = hn::Sub(by, ay);
    const Floats c = cross(x, y, hn::Sub(ax, px), hn::Sub(ay, py)),
                 d = cross(x, y, hn::Sub(bx, px), hn::Sub(by, py)),
                 a = cross(u, v, hn::Sub(px, ax), hn::Sub(py, ay)),
                 b = cross(u, v, hn::Sub(qx, ax), hn::Sub(qy, ay));
    return hn::And(hn::Lt(hn::Mul(c, d), least), hn::Lt(hn::Mul(a, b), least));
  });
}

struct Segment {
  Floats ax, ay, bx, by, length;
};
struct Circle {
  Floats x, y, half_x, half_y, core_x, core_y, round;
};

HWY_INLINE hn::Mask<Tag> hit(const Segment& s, const Circle& n) {
  const Floats x = hn::Sub(s.bx, s.ax), y = hn::Sub(s.by, s.ay), half = hn::Set(Tag(), 0.5F);
  const Floats wide = hn::Abs(x), high = hn::Abs(y);
  const Floats off = hn::Abs(cross(x, y, hn::Sub(n.x, s.ax), hn::Sub(n.y, s.ay)));
  const Floats reach = hn::Add(hn::Add(hn::Mul(n.core_x, high), hn::Mul(n.core_y, wide)),
                               hn::Mul(n.round, s.length));
  const Floats aside = hn::Abs(hn::Sub(hn::Mul(hn::Add(s.ax, s.bx), half), n.x)),
               above = hn::Abs(hn::Sub(hn::Mul(hn::Add(s.ay, s.by), half), n.y));
  return hn::And(hn::Lt(off, reach),
                 hn::And(hn::Lt(aside, hn::Add(n.half_x, hn::Mul(wide, half))),
                         hn::Lt(above, hn::Add(n.half_y, hn::Mul(high, half)))));
}

void nodes_on(const LineArrays& s, const NodeArrays& n, std::size_t l, std::size_t count,
              std::uint64_t* bits) {
  const Segment one{all(s.ax, l), all(s.ay, l), all(s.bx, l), all(s.by, l), all(s.length, l)};
  each_bit(count, bits, [&](std::size_t k) HWY_ATTR {
    return hit(one, Circle{at(n.x, k), at(n.y, k), at(n.half_x, k), at(n.half_y, k),
                           at(n.core_x, k), at(n.core_y, k), at(n.round, k)});
  });
}

void lines_on(const LineArrays& s, const NodeArrays& n, std::size_t node, std::size_t count,
              std::uint64_t* bits) {
  const Circle one{all(n.x, node),      all(n.y, node),      all(n.half_x, node),
                   all(n.half_y, node), all(n.core_x, node), all(n.core_y, node),
                   all(n.round, node)};
  each_bit(count, bits, [&](std::size_t k) HWY_ATTR {
    return hit(Segment{at(s.ax, k), at(s.ay, k), at(s.bx, k), at(s.by, k), at(s.length, k)}, one);
  });
}

CrossingFinders finders() { return {&crossings, &nodes_on, &lines_on}; }

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {

HWY_EXPORT(finders);

const CrossingFinders& crossing_finders() {
  static const CrossingFinders known = HWY_DYNAMIC_DISPATCH(finders)();
  return known;
}

}  // namespace taugrad::kernels
#endif
