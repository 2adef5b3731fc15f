#include "samples.h"

#include <fmt/core.h>

#include <cmath>
#include <map>

#include "base/philox.h"
#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/decays.h"
#include "taugrad/ops/gated.h"
#include "taugrad/ops/steps.h"
#include "taugrad/ops/triangular.h"

namespace samples {
namespace {

const std::vector<Shape> kShapes{{},     {1},       {0},          {7},    {3, 4}, {1, 5},
                                 {5, 1}, {2, 3, 4}, {2, 1, 3, 1}, {0, 3}, {3, 0}};
// lengths around the widths of vector registers
const std::vector<std::int64_t> kTails{2, 3, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127};

using Samples = std::vector<Sample>;

// Each numeric input per example and shared, in all combinations.
void add_each_way(Samples& out, const Sample& s) {
  const std::size_t n = std::min<std::size_t>(s.leaves.size(), 3);
  for (unsigned bits = 0; bits < (1u << n); ++bits) {
    Sample way = s;
    for (std::size_t i = 0; i < s.leaves.size(); ++i)
      way.leaves[i].items = (bits >> (i % n)) & 1 ? -1 : s.leaves[i].items;
    out.push_back(way);
  }
}

struct Range {
  double lo = -1.5, hi = 1.5;
};

Range range_of(const Op& op, int input) {
  static const std::map<const Op*, std::vector<Range>> ranges{
      {&kLog, {{0.2, 2}}},
      {&kSqrt, {{0.2, 2}}},
      {&kDiv, {{-1.5, 1.5}, {0.3, 2}}},
      {&kPow, {{0.2, 2}, {-2, 2}}},
      {&kMod, {{-1.5, 1.5}, {0.3, 2}}},
      {&kLog1p, {{-0.7, 2}}},
      {&kMeanN, {{0.3, 2}, {-1.5, 1.5}, {-1.5, 1.5}}},
      {&kNllBernoulliP, {{0.1, 0.9}, {0, 1}}},
      {&kNllNormal, {{-1, 1}, {-1, 1}, {0.4, 2}}},
      {&kNllCategoricalP, {{0.1, 0.9}, {}}},
      {&kDrawBernoulli, {{0.1, 0.9}}},
  };
  const auto found = ranges.find(&op);
  return found == ranges.end() ? Range{} : found->second[static_cast<std::size_t>(input)];
}

Leaf leaf(const Op& op, int input, const Shape& shape) {
  const Range r = range_of(op, input);
  return {.shape = shape, .items = 0, .lo = r.lo, .hi = r.hi};
}

Attrs elementwise_attrs(const Op& op) {
  if (&op == &kClamp) return {{"hi", 0.8}, {"lo", -0.7}};
  if (op.traits.random) return {{"stream", std::string("draw")}};
  return {};
}

void add_one_shape(Samples& out, const Op& op, int arity) {
  const auto with = [&](const Shape& shape) {
    Sample s{.op = &op, .attrs = elementwise_attrs(op)};
    for (int i = 0; i < arity; ++i) s.leaves.push_back(leaf(op, i, shape));
    return s;
  };
  for (const Shape& shape : kShapes) add_each_way(out, with(shape));
  for (const std::int64_t n : kTails) out.push_back(with({n}));
}

void add(Samples& out, const Op& op, const std::vector<Shape>& shapes, const Attrs& attrs = {}) {
  Sample s{.op = &op, .attrs = attrs};
  for (std::size_t i = 0; i < shapes.size(); ++i)
    s.leaves.push_back(leaf(op, static_cast<int>(i), shapes[i]));
  add_each_way(out, s);
}

Samples products(const Op& op) {
  Samples out;
  if (&op == &kMatmul)
    for (const std::int64_t m : {0, 1, 2, 5})
      for (const std::int64_t k : {0, 1, 3})
        for (const std::int64_t n : {0, 1, 4}) {
          add(out, op, {{m, k}, {k, n}});
          if (n == 4) add(out, op, {{m, k}, {k}});
          if (m == 5) add(out, op, {{k}, {k, n}});
          if (m == 5 && n == 4) add(out, op, {{k}, {k}});
        }
  else if (&op == &kStackedMatmul) {
    const std::int64_t yes = 1;
    add(out, op, {{2, 3}, {3, 2}});
    add(out, op, {{2, 2, 3}, {2, 3, 2}});
    add(out, op, {{2, 1, 3}, {3, 2}});
    add(out, op, {{2, 3}, {2, 3, 1}});
    add(out, op, {{2, 1, 2, 3}, {3, 3, 1}});
    add(out, op, {{2, 0, 3}, {2, 3, 2}});
    add(out, op, {{2, 2, 0}, {2, 0, 2}});
    add(out, op, {{2, 3, 2}, {2, 3, 2}}, {{"transpose_a", yes}});
    add(out, op, {{2, 2, 3}, {2, 3}}, {{"transpose_b", yes}});
    add(out, op, {{3, 2}, {2, 1, 3}}, {{"transpose_a", yes}, {"transpose_b", yes}});
    add(out, op, {{2, 9, 8}, {8, 9}});
    add(out, op, {{2, 8, 9}, {2, 8, 9}}, {{"transpose_a", yes}});
    add(out, op, {{2, 9, 8}, {2, 9, 8}}, {{"transpose_b", yes}});
  } else if (&op == &kSolve) {
    const Attrs turned{{"transposed", std::int64_t{1}}};
    for (const Attrs& attrs : {Attrs{}, turned}) {
      add(out, op, {{3, 3}, {3}}, attrs);
      add(out, op, {{2, 2}, {2, 3}}, attrs);
      add(out, op, {{2, 3, 3}, {2, 3}}, attrs);
      add(out, op, {{2, 2, 2}, {2}}, attrs);
      add(out, op, {{2, 2}, {2, 2, 1}}, attrs);
      add(out, op, {{2, 2, 2}, {2, 2, 1}}, attrs);
    }
    add(out, op, {{0, 0}, {0}});
  } else if (&op == &kLogdet) {
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 3}, Shape{2, 2, 2}, Shape{0, 0}})
      add(out, op, {shape});
  } else if (&op == &kConv) {
    add(out, op, {{3, 2, 4}, {4}, {4}, {4}});
    add(out, op, {{2, 2, 3, 2}, {2}, {2}, {2}, {2}});
    add(out, op, {{1, 1, 1}, {1}});
  } else {
    for (const std::int64_t m : {0, 1, 3})
      for (const std::int64_t n : {0, 1, 4}) add(out, op, {{m}, {n}});
  }
  return out;
}

Attrs to_shape(const Ints& dims) { return {{"shape", dims}}; }

Samples layouts(const Op& op) {
  Samples out;
  if (&op == &kTranspose) {
    for (const Shape& shape : kShapes) add(out, op, {shape});
    add(out, op, {{2, 3, 2}}, {{"axes", Ints{0, 2, 1}}});
    add(out, op, {{2, 1, 3, 2}}, {{"axes", Ints{2, 0, 3, 1}}});
  }
  if (&op == &kAt)
    for (const Shape& table : {Shape{4}, Shape{4, 3}, Shape{4, 2, 2}, Shape{4, 0}}) {
      Sample s{.op = &op};
      s.leaves = {leaf(op, 0, table), {.whole = 4}};
      add_each_way(out, s);
    }
  if (&op == &kReshape) {
    add(out, op, {{3, 4}}, to_shape({2, 6}));
    add(out, op, {{}}, to_shape({1, 1}));
    add(out, op, {{0, 3}}, to_shape({2, 0}));
    add(out, op, {{2, 1, 3, 1}}, to_shape({6}));
  }
  const std::vector<std::pair<Shape, Ints>> wide{{{}, {}},
                                                 {{}, {3}},
                                                 {{3}, {3}},
                                                 {{1}, {3}},
                                                 {{4}, {3, 4}},
                                                 {{3, 1}, {3, 4}},
                                                 {{3, 1}, {2, 3, 4}},
                                                 {{1}, {2, 3, 4}},
                                                 {{1, 3}, {0, 3}},
                                                 {{2, 1, 4}, {2, 3, 4}},
                                                 {{1}, {5, 1}},
                                                 {{2, 1, 3, 1}, {2, 2, 3, 4}}};
  for (const auto& [narrow, dims] : wide) {
    const Attrs attrs =
        to_shape(&op == &kBroadcastTo ? dims : Ints(narrow.dims().begin(), narrow.dims().end()));
    if (&op == &kBroadcastTo) add(out, op, {narrow}, attrs);
    if (&op == &kSumTo) add(out, op, {Shape(dims)}, attrs);
  }
  if (&op == &kConcat) {
    add(out, op, {{2}, {3}});
    add(out, op, {{2, 3}, {0, 3}, {1, 3}});
    add(out, op, {{1}});
  }
  if (&op == &kStack) {
    add(out, op, {{}, {}, {}});
    add(out, op, {{2, 3}, {2, 3}});
    add(out, op, {{0}, {0}});
  }
  if (&op == &kSlice) {
    add(out, op, {{5}}, {{"from", std::int64_t{1}}, {"to", std::int64_t{3}}});
    add(out, op, {{4, 2}}, {{"from", std::int64_t{0}}, {"to", std::int64_t{4}}});
    add(out, op, {{4, 2}}, {{"from", std::int64_t{2}}, {"to", std::int64_t{2}}});
  }
  if (&op == &kPad) {
    add(out, op, {{2}}, {{"from", std::int64_t{1}}, {"size", std::int64_t{5}}});
    add(out, op, {{3, 2}}, {{"from", std::int64_t{0}}, {"size", std::int64_t{3}}});
    add(out, op, {{0, 2}}, {{"from", std::int64_t{2}}, {"size", std::int64_t{2}}});
  }
  return out;
}

Samples last_axes(const Op& op) {
  Samples out;
  for (const Shape& shape : kShapes)
    if (shape.rank() > 0) add(out, op, {shape});
  for (const std::int64_t n : kTails) add(out, op, {{n}});
  return out;
}

// of all elements where that is meant, and along each axis
Samples along_axes(const Op& op) {
  Samples out;
  if (&op != &kCumsum)
    for (const Shape& shape : kShapes) add(out, op, {shape});
  for (const Shape& shape : {Shape{7}, Shape{3, 4}, Shape{2, 3, 2}, Shape{3, 0}})
    for (std::int64_t axis = 0; axis < shape.rank(); ++axis)
      add(out, op, {shape}, {{"axis", axis}});
  if (&op == &kCumsum)
    add(out, op, {{2, 3}}, {{"axis", std::int64_t{1}}, {"reverse", std::int64_t{1}}});
  return out;
}

// of lines and gates of that shape, before which there may be weights between steps
std::vector<Shape> chunk_shapes(const Op& op, const Shape& lines) {
  const std::int64_t steps = lines[lines.rank() - 2];
  std::vector<Shape> shapes(static_cast<std::size_t>(op.arity), lines);
  if (&op != &kGatedScores)
    shapes[0] = lines.rank() == 2 ? Shape{steps, steps} : Shape{lines[0], steps, steps};
  return shapes;
}

Samples gates(const Op& op) {
  Samples out;
  for (const Attrs& attrs : {Attrs{}, Attrs{{"lag", std::int64_t{1}}}})
    for (const Shape& shape : {Shape{1}, Shape{4}, Shape{2, 3}, Shape{2, 0}, Shape{0, 3}})
      add(out, op, {shape}, attrs);
  return out;
}

// steps of a chunk, with gates for each number
Samples gated(const Op& op) {
  Samples out;
  const Attrs reverse{{"reverse", std::int64_t{1}}};
  const bool two_ways = &op == &kScan || &op == &kGatedSums;
  for (const Attrs& attrs : {Attrs{}, reverse}) {
    if (attrs.has("reverse") && !two_ways) continue;
    if (&op == &kScan)
      for (const Shape& s : {Shape{1}, Shape{4}, Shape{3, 2}, Shape{2, 1, 3}, Shape{0, 2}})
        add(out, op, {s, s}, attrs);
    else
      for (const Shape& s : {Shape{1, 2}, Shape{2, 2}, Shape{3, 1}, Shape{4, 3}, Shape{2, 3, 2},
                             Shape{3, 9}, Shape{2, 0}})
        add(out, op, chunk_shapes(op, s), attrs);
  }
  return out;
}

// what stands on the diagonal and above it has no part
Samples triangular(const Op& op) {
  Samples out;
  for (const Attrs& attrs : {Attrs{}, Attrs{{"transposed", std::int64_t{1}}}})
    for (const Shape& b :
         {Shape{1, 2}, Shape{2, 1}, Shape{4, 3}, Shape{2, 3, 2}, Shape{3, 0}, Shape{0, 2}}) {
      const std::int64_t n = b[b.rank() - 2];
      add(out, op, {b.rank() == 2 ? Shape{n, n} : Shape{b[0], n, n}, b}, attrs);
    }
  return out;
}

Samples symbols(const Op& op) {
  Samples out;
  Sample s{.op = &op};
  const Leaf category{.category = 4};
  if (&op == &kOneHot) s.leaves = {category}, s.attrs = {{"size", std::int64_t{4}}};
  if (&op == &kArgmax) s.leaves = {leaf(op, 0, {4})}, s.attrs = {{"category", std::int64_t{4}}};
  if (&op == &kDrawCategorical)
    s.leaves = {leaf(op, 0, {4})},
    s.attrs = {{"category", std::int64_t{4}}, {"stream", std::string("y")}};
  if (&op == &kScatterRows) {
    s.attrs = {{"size", std::int64_t{4}}};
    for (const Shape& row : {Shape{}, Shape{3}, Shape{2, 2}, Shape{0}}) {
      s.leaves = {category, leaf(op, 1, row)};
      add_each_way(out, s);
    }
    return out;
  }
  if (&op == &kEmbed) {
    for (const Shape& table : {Shape{4}, Shape{4, 3}, Shape{4, 2, 2}, Shape{4, 0}}) {
      s.leaves = {leaf(op, 0, table), category};
      add_each_way(out, s);
    }
    return out;
  }
  if (&op == &kNllCategorical || &op == &kNllCategoricalP) {
    for (const std::int64_t n : {1, 2, 4, 7}) {
      s.leaves = {leaf(op, 0, {n}), {.category = n}};
      add_each_way(out, s);
    }
    return out;
  }
  add_each_way(out, s);
  return out;
}

Samples item_ops(const Op& op) {
  Samples out;
  const auto put = [&](std::vector<int> in, int to, Attrs attrs = {}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 2}, Shape{0}}) {
      Sample s{.op = &op, .attrs = attrs, .items = to};
      for (const int items : in) s.leaves.push_back({.shape = shape, .items = items});
      out.push_back(s);
    }
  };
  if (&op == &kSumItems) put({0}, -1), put({2}, -1), put({-1}, -1);
  if (&op == &kToItems) put({-1}, 0), put({-1}, 2);
  if (&op == &kRestrictTo) put({0}, 1), put({1}, 3), put({2}, 2);
  if (&op == &kExtendTo) put({1}, 0), put({3}, 1), put({3}, 2);
  const std::int64_t zero = 0, two = 2;
  if (&op == &kIfLength) {
    put({0}, 2, {{"length", two}, {"which", zero}});
    put({0}, 0, {{"length", zero}, {"which", zero}});
    put({2}, 0, {{"length", two}, {"which", zero}});
  }
  if (&op == &kAtLength) {
    put({0, 1, 2, 3}, 0, {{"first", zero}, {"which", zero}});
    put({0, 0}, 1, {{"first", two}, {"which", zero}});
    put({-1, 1, 2, 3}, 0, {{"first", zero}, {"which", zero}});
  }
  if (&op == &kGiveSteps) {
    const auto given = [](Ints at, std::int64_t size) { return Attrs{{"at", at}, {"size", size}}; };
    put({0, 1, 3}, 0, given({0, 1, 2}, 3));
    put({1, -1, 3}, 1, given({1, 3, 4}, 6));
    put({2}, 2, given({1}, 3));
  }
  if (&op == &kStepOf)
    for (const Shape& shape : {Shape{3}, Shape{3, 2}, Shape{4, 2, 2}, Shape{3, 0}})
      for (const auto& [from, to] : {std::pair(0, 0), std::pair(0, 2), std::pair(1, 3)})
        out.push_back({.op = &op,
                       .leaves = {{.shape = shape, .items = from}},
                       .attrs = {{"at", two}},
                       .items = to});
  // positions a little inside and outside of the steps
  const Leaf position{.items = 0, .lo = -0.4, .hi = 4.4}, later{.items = 2, .lo = -0.4, .hi = 4.4};
  const auto add_position = [&](std::size_t at, const Leaf& leaf) {
    for (Sample& s : out)
      if (s.leaves.size() == at || at == 0)
        s.leaves.insert(s.leaves.begin() + static_cast<std::ptrdiff_t>(at), leaf);
  };
  if (&op == &kAtPosition) {
    put({0, 1, -1}, 0, {{"first", std::int64_t{1}}});
    put({0, 2}, 2, {{"first", std::int64_t{2}}});
    add_position(0, position);
  }
  if (&op == &kIfPosition) {
    put({0}, 2, {{"position", two}});
    put({2}, 0, {{"position", std::int64_t{1}}});
    add_position(1, later);
    put({2, 0}, 0, {{"position", two}});
    for (Sample& s : out)
      if (s.leaves.size() == 2 && s.leaves[1].items == 0) {
        s.leaves.insert(s.leaves.begin() + 1, later);
        s.leaves.push_back(position);
      }
  }
  // a place before the sources, or behind each of the rows
  const Leaf place{.shape = {2}, .lo = -0.4, .hi = 3.4};
  if (&op == &kTakeRows) {
    put({0, 1, 3}, 0, {{"first", std::int64_t{1}}});
    put({2, 0}, 2, {{"first", zero}});
    for (Sample& s : out) {
      s.leaves.insert(s.leaves.begin(), place);
      s.leaves[0].items = s.items;
    }
  }
  if (&op == &kGiveRows) {
    put({2}, 0, {{"source", two}});
    put({0, 3}, 1, {{"source", std::int64_t{1}}});
    for (Sample& s : out)
      for (std::size_t i = 0; i < s.leaves.size(); i += 2) {
        Leaf of = place;
        of.items = s.leaves[i].items;
        s.leaves.insert(s.leaves.begin() + static_cast<std::ptrdiff_t>(i) + 1, of);
      }
  }
  return out;
}

double draw(std::uint64_t seed, std::uint32_t leaf, std::uint32_t i) {
  const auto words = philox({i, leaf, 0, 0}, seed);
  return unit_interval(words[0], words[1]);
}

ExtentId extent(Tape& tape, int items) {
  if (items < 0) return kShared;
  return items == 0 ? kEveryItem : tape.intern_extent({{{0, items}}});
}

std::size_t rows(const CheckPoint& point, int items) {
  if (items < 0) return 1;
  std::size_t n = 0;
  for (const std::int64_t l : point.batch.lengths[0]) n += l >= items ? 1 : 0;
  return n;
}

}  // namespace

std::string Sample::text() const {
  std::string t(op->name);
  for (const Leaf& l : leaves)
    t += fmt::format(" {}{}", to_string(l.shape),
                     l.items < 0   ? " shared"
                     : l.items > 0 ? fmt::format("+{}", l.items)
                                   : "");
  return t;
}

std::vector<Sample> of(const Op& op) {
  Samples out;
  const bool n_ary = &op == &kAddN || &op == &kMeanN;
  if (&op == &kQuotient) {
    for (const std::int64_t by : {1, 2, 5})
      out.push_back({.op = &op, .leaves = {{.lo = -9.4, .hi = 9.4}}, .attrs = {{"divisor", by}}});
    return out;
  }
  if (&op == &kDrawCategorical || &op == &kArgmax || &op == &kOneHot || &op == &kEmbed ||
      &op == &kScatterRows || &op == &kNllCategorical || &op == &kNllCategoricalP)
    return symbols(op);
  if (&op == &kMax || &op == &kFirstMax || &op == &kNorm || &op == &kLogSumExp || &op == &kCumsum)
    return along_axes(op);
  if (&op == &kDecays) return gates(op);
  if (&op == &kScan || &op == &kGatedScores || &op == &kGatedSums || &op == &kGatedSlopes)
    return gated(op);
  if (&op == &kSolveUnitLower) return triangular(op);
  if (&op == &kStackedMatmul || &op == &kSolve || &op == &kLogdet) return products(op);
  if (&op == &kMatmul || &op == &kOuter || &op == &kOuterSum || &op == &kConv) return products(op);
  if (&op == &kSoftmax || &op == &kLogSoftmax || &op == &kCentre || &op == &kNormalize)
    return last_axes(op);
  if (op.traits.variadic_items || &op == &kSumItems) return item_ops(op);
  if (op.traits.elementwise || &op == &kSum || &op == &kMean || &op == &kNllBernoulli ||
      &op == &kNllBernoulliP || &op == &kNllNormal)
    add_one_shape(out, op, n_ary ? 3 : op.arity);
  else
    out = layouts(op);
  return out;
}

void begin(Tape& tape, CheckPoint& point) {
  tape.length_names = {"tau"};
  point.items = kItems;
  point.batch.seed = 7;
  point.batch.train = true;
  point.batch.lengths = {{3, 0, 2}};
}

Placed place(Tape& tape, const Sample& sample, CheckPoint& point, std::uint64_t seed) {
  Placed placed;
  for (std::uint32_t i = 0; i < sample.leaves.size(); ++i) {
    const Leaf& l = sample.leaves[i];
    const Attrs attrs = l.category > 0 ? Attrs{{"category", l.category}} : Attrs{};
    const Var v = tape.leaf(kInput, l.shape, extent(tape, l.items), attrs);
    std::vector<double> numbers(rows(point, l.items) * static_cast<std::size_t>(l.shape.size()));
    for (std::uint32_t k = 0; k < numbers.size(); ++k) {
      const double u = draw(seed, i, k);
      // a category is sometimes absent
      numbers[k] = l.category > 0 ? std::floor(u * static_cast<double>(l.category + 1)) - 1
                   : l.whole > 0  ? std::floor(u * static_cast<double>(l.whole))
                                  : l.lo + (l.hi - l.lo) * u;
    }
    point.leaves.push_back({v, numbers});
    placed.leaves.push_back(v);
    if (l.category == 0 && l.whole == 0) placed.moving.push_back(v);
  }
  return placed;
}

Var apply(Tape& tape, const Op& op, const Sample& sample, const Placed& placed) {
  Attrs attrs = sample.attrs;
  if (op.traits.variadic_items)
    attrs.set("extent", static_cast<std::int64_t>(extent(tape, sample.items)));
  return tape.append(op, placed.leaves, attrs);
}

Var number_leaf(Var v, CheckPoint& point, std::uint64_t seed) {
  const Var leaf = v.tape->leaf(kInput, v.shape(), v.extent());
  std::size_t n = 1;
  if (v.per_example()) {
    const auto& bounds = v.tape->extent(v.extent()).bounds;
    n = rows(point, bounds.empty() ? 0 : bounds[0].at_least);
  }
  std::vector<double> numbers(n * static_cast<std::size_t>(v.shape().size()));
  for (std::uint32_t k = 0; k < numbers.size(); ++k) numbers[k] = 2 * draw(seed, 99, k) - 1;
  point.leaves.push_back({leaf, numbers});
  return leaf;
}

Var weighted(Var y, CheckPoint& point, std::uint64_t seed) {
  if (const std::int64_t symbols = category_size(y); symbols > 0) y = one_hot(y, symbols);
  return sum(y * number_leaf(y, point, seed));
}

}  // namespace samples
