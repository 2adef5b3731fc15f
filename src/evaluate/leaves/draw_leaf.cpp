#include "evaluate/leaves/draw_leaf.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/utf8.h"
#include "taugrad/language/mode.h"

namespace taugrad::runtime {
namespace {

// rows of a [rows, columns] matrix made orthonormal (the shorter side), by Gram and Schmidt, twice
// for accuracy
void orthogonalise(std::vector<double>& a, std::int64_t rows, std::int64_t columns) {
  const bool wide = rows <= columns;
  const std::int64_t count = wide ? rows : columns, length = wide ? columns : rows;
  const auto at = [&](std::int64_t v, std::int64_t i) -> double& {
    return a[static_cast<std::size_t>(wide ? v * columns + i : i * columns + v)];
  };
  for (std::int64_t v = 0; v < count; ++v) {
    for (int pass = 0; pass < 2; ++pass)
      for (std::int64_t w = 0; w < v; ++w) {
        double dot = 0;
        for (std::int64_t i = 0; i < length; ++i) dot += at(v, i) * at(w, i);
        for (std::int64_t i = 0; i < length; ++i) at(v, i) -= dot * at(w, i);
      }
    double norm = 0;
    for (std::int64_t i = 0; i < length; ++i) norm += at(v, i) * at(v, i);
    for (std::int64_t i = 0; i < length; ++i) at(v, i) /= std::sqrt(norm);
  }
}

void fill_orthogonal(Stream& stream, std::int64_t rows, std::int64_t columns,
                     std::span<double> to) {
  std::vector<double> a(to.size());
  for (double& x : a) x = stream.normal();
  orthogonalise(a, rows, columns);
  std::ranges::copy(a, to.begin());
}

}  // namespace

void fill_weight(const Init& init, std::span<const std::int64_t> shape, Stream& stream,
                 std::span<double> to) {
  const auto size = static_cast<std::int64_t>(to.size());
  const std::int64_t columns = shape.empty() ? 1 : std::max<std::int64_t>(shape.back(), 1),
                     rows = size / columns;
  const auto each = [&](auto&& f) {
    for (std::int64_t i = 0; i < size; ++i) to[static_cast<std::size_t>(i)] = f(i);
  };
  const auto uniform = [&](double a) {
    each([&](std::int64_t) { return a * (2 * stream.uniform() - 1); });
  };
  const auto same = [&](double value) { each([&](std::int64_t) { return value; }); };
  using Kind = Init::Kind;
  switch (init.kind) {
    case Kind::by_rank:
      return shape.size() >= 2 ? uniform(1 / std::sqrt(static_cast<double>(columns))) : same(0);
    case Kind::zeros:
      return same(0);
    case Kind::ones:
      return same(1);
    case Kind::identity:
      return each([&](std::int64_t i) { return i / columns == i % columns ? 1.0 : 0.0; });
    case Kind::orthogonal:
      return fill_orthogonal(stream, rows, columns, to);
    case Kind::xavier:
      return uniform(std::sqrt(6.0 / static_cast<double>(rows + columns)));
    case Kind::uniform:
      return uniform(init.value);
    case Kind::normal:
      return each([&](std::int64_t) { return init.value * stream.normal(); });
    case Kind::number:
      return same(init.value);
    case Kind::values:
      return each([&](std::int64_t i) {
        return init.values.at(init.values.size() == 1 ? 0 : static_cast<std::size_t>(i));
      });
  }
}

Init init_of(const Tape& tape, const Source& weight) {
  const Attrs& attrs = tape.attrs(weight.leaves.front());
  return attrs.has("init") ? init_from(attrs.text("init")) : Init{};
}

double draw_input(Stream& stream, std::int64_t category, bool binary) {
  if (category > 0) return std::floor(stream.uniform() * static_cast<double>(category));
  if (binary) return stream.uniform() < 0.5 ? 1 : 0;
  return stream.normal();
}

Dims dims_of(const Source& s, const LengthRules& rules, std::int64_t batch) {
  constexpr double kFar = 1 << 20;  // positions that a loop of steps may well have
  const bool one = rules.steps.size() == 1 && s.per_example;  // else which length is not told
  Dims dims(static_cast<std::size_t>(s.index_axes),
            one ? std::max<std::int64_t>(rules.steps[0], 0) : 0);
  for (std::size_t i = 0; i < s.positions.size(); ++i) {
    std::int64_t& most = dims[i % dims.size()];
    most = std::max<std::int64_t>(most, s.positions[i]);
  }
  double positions = 1;
  for (const std::int64_t n : dims) positions *= static_cast<double>(n);
  if (!dims.empty() && positions > kFar && positions > 16 * static_cast<double>(s.leaves.size()))
    fail(Status::bad_input, "G011",
         "\"{}\" stands at {} of the positions up to {}: its tensor would hold all of them; "
         "number the steps from 1 on",
         printable(s.name, 80), s.leaves.size(), dims_text(dims));
  if (s.per_example) dims.push_back(batch);
  dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  return dims;
}

Tensor drawn_weight(const Tape& tape, const Source& weight, std::uint64_t seed) {
  Tensor t(dims_of(weight, {}, 1), Dtype::f64);
  Stream stream(seed, weight.name);
  const Init init = init_of(tape, weight);
  const auto size = static_cast<std::size_t>(weight.shape.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(t.size()); i += size)
    fill_weight(init, weight.shape.dims(), stream, t.values<double>().subspan(i, size));
  return t;
}

Tensor drawn_input(const Source& input, const LengthRules& rules, std::int64_t batch,
                   std::uint64_t seed) {
  Tensor t(dims_of(input, rules, batch), input.category > 0 ? Dtype::i64 : Dtype::f64);
  Stream stream(seed, "input:" + data_of(input.name));
  for (std::int64_t i = 0; i < t.size(); ++i)
    t.set(i, draw_input(stream, input.category, input.bernoulli));
  return t;
}

}  // namespace taugrad::runtime
