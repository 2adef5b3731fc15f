// Inputs and weights drawn from a seed; every tensor has a stream of its own, so none depends on
// the others.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "exec/memory_estimate.h"
#include "exec/stream.h"
#include "recurrence/init.h"
#include "recurrence/model.h"
#include "recurrence/unfold_check.h"
#include "taugrad/exec/run.h"

namespace taugrad {
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

void fill_matrix(const SystemWeight& w, Stream& stream, double* out, std::int64_t size) {
  const std::int64_t columns = w.shape.empty() ? 1 : std::max<std::int64_t>(w.shape.back(), 1),
                     rows = size / columns;
  const auto each = [&](auto&& f) {
    for (std::int64_t i = 0; i < size; ++i) out[i] = f(i);
  };
  const auto uniform = [&](double a) {
    each([&](std::int64_t) { return a * (2 * stream.uniform() - 1); });
  };
  const auto same = [&](double value) { each([&](std::int64_t) { return value; }); };
  if (w.declaration.values)
    return each([&](std::int64_t i) {
      return w.declaration.values->at(w.declaration.values->size() == 1 ? 0 : i);
    });
  const Init init = init_from(w.declaration.init);
  switch (init.kind) {
    case Init::Kind::by_rank:
      return w.shape.size() >= 2 ? uniform(1 / std::sqrt(static_cast<double>(columns))) : same(0);
    case Init::Kind::zeros:
      return same(0);
    case Init::Kind::ones:
      return same(1);
    case Init::Kind::identity:
      return each([&](std::int64_t i) { return i / columns == i % columns ? 1.0 : 0.0; });
    case Init::Kind::orthogonal: {
      std::vector<double> a(static_cast<std::size_t>(size));
      for (double& x : a) x = stream.normal();
      orthogonalise(a, rows, columns);
      return each([&](std::int64_t i) { return a[static_cast<std::size_t>(i)]; });
    }
    case Init::Kind::xavier:
      return uniform(std::sqrt(6.0 / static_cast<double>(rows + columns)));
    case Init::Kind::uniform:
      return uniform(init.value);
    case Init::Kind::normal:
      return each([&](std::int64_t) { return init.value * stream.normal(); });
    case Init::Kind::number:
      return same(init.value);
  }
}

// 0..t-1 where an order rests on it, t+1..tau+1 where that goes the other way, else 0..tau.        (R17)
void draw_positions(const Model& model, const Symbol& s, const std::vector<std::int64_t>& lengths, Stream& stream, Tensor& tensor) {
  const std::int64_t longest = lengths[static_cast<std::size_t>(model.index_length[static_cast<std::size_t>(s.position)])];
  std::int64_t inner = 1, own = 1;  // elements behind the axis of the position's own index, and its length
  for (std::size_t a = tensor.dims().size(); a-- > 0;) {
    const bool found = a < s.axes.size() && s.axes[a] == s.position;
    if (found) own = tensor.dims()[a];
    if (found) break;
    inner *= tensor.dims()[a];
  }
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const std::int64_t t = i / inner % own + 1;
    const std::int64_t first = s.ordered && s.after ? t + 1 : 0;
    const std::int64_t last = !s.ordered ? longest : s.after ? longest + 1 : t - 1;
    tensor.set(i, static_cast<double>(first) + std::floor(stream.uniform() * static_cast<double>(last - first + 1)));
  }
}

std::vector<std::int64_t> lengths_of(const Model& model, const DrawOptions& options) {
  check_length_names(model, options.lengths);
  if (options.batch < 0)
    fail(Status::usage, "U002", "a batch has 0 items or more, not {}", options.batch);
  return taugrad::lengths_of(model, {.steps = options.steps, .lengths = options.lengths});
}

}  // namespace

Tensors initial_weights(const Definition& d, const DrawOptions& options) {
  const auto model = resolve(d);
  const std::vector<std::int64_t> lengths = lengths_of(*model, options);
  require_memory("drawing weights", memory_of_weights(*model, lengths, sizeof(double)));
  Tensors weights;
  for (const Symbol& s : model->symbols) {
    if (s.kind != SymbolKind::weight || !s.taken) continue;
    const SystemWeight& w = model->system.weights[static_cast<std::size_t>(s.declaration)];
    Dims dims;
    std::int64_t count = 1;
    for (const int axis : s.axes) {
      dims.push_back(
          lengths[static_cast<std::size_t>(model->index_length[static_cast<std::size_t>(axis)])]);
      count *= dims.back();
    }
    dims.insert(dims.end(), w.shape.begin(), w.shape.end());
    if (w.declaration.values && w.declaration.values->size() != 1 &&
        w.declaration.values->dims() != Dims(w.shape))
      fail_at("G019",
              fmt::format("the values of \"{}\" have shape {}, want {}", s.name,
                          dims_text(w.declaration.values->dims()), dims_text(w.shape)),
              w.declaration.name, 0, static_cast<int>(s.name.size()));
    Tensor tensor(dims, Dtype::f64);
    Stream stream(options.seed, s.name);
    for (std::int64_t i = 0; i < count; ++i)
      fill_matrix(w, stream, tensor.values<double>().data() + i * s.shape.size(), s.shape.size());
    weights[s.name] = std::move(tensor);
  }
  return weights;
}

Tensors random_inputs(const Definition& d, const DrawOptions& options) {
  const auto model = resolve(d);
  const std::vector<std::int64_t> lengths = lengths_of(*model, options);
  require_memory("drawing inputs", memory_of_inputs(*model, lengths, options.batch));
  Tensors inputs;
  for (const Symbol& s : model->symbols) {
    if (s.kind != SymbolKind::input && !(s.random() && s.length < 0)) continue;
    Dims dims;
    for (const int axis : s.axes)
      dims.push_back(
          lengths[static_cast<std::size_t>(model->index_length[static_cast<std::size_t>(axis)])]);
    dims.push_back(options.batch);
    dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
    Stream stream(options.seed, "input:" + s.name);
    const bool stops =
        std::any_of(model->system.ends.begin(), model->system.ends.end(), [&](const auto& e) {
          return std::any_of(e.second.nodes.begin(), e.second.nodes.end(),
                             [&](const AstNode& n) { return n.name == s.name; });
        });
    const bool bernoulli = s.distribution == DistributionKind::bernoulli_logits ||
                           s.distribution == DistributionKind::bernoulli_p;
    if (bernoulli && stops) continue;  // follows from the lengths
    Tensor tensor(dims, s.category >= 0 || s.position >= 0 ? Dtype::i64 : Dtype::f64);
    if (s.position >= 0) {
      draw_positions(*model, s, lengths, stream, tensor);
      inputs[s.name] = std::move(tensor);
      continue;
    }
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, s.category >= 0 ? std::floor(stream.uniform() * static_cast<double>(s.category))
                    : bernoulli     ? (stream.uniform() < 0.5 ? 1 : 0)
                                    : stream.normal());
    inputs[s.name] = std::move(tensor);
  }
  if (inputs.empty()) {  // nothing else would tell how many items there are
    for (std::size_t l = 0; l < model->lengths.size(); ++l)
      if (model->fixed_lengths[l] < 0 && !model->is_derived(l))
        inputs["lengths:" + model->lengths[l]] = Tensor::of(
            {options.batch},
            std::vector<std::int64_t>(static_cast<std::size_t>(options.batch), lengths[l]));
  }
  return inputs;
}

}  // namespace taugrad
