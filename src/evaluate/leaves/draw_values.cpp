// Inputs and weights drawn from a seed; every tensor has a stream of its own, so none depends on
// the others.
#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "evaluate/leaves/draw_leaf.h"
#include "evaluate/memory_estimate.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/evaluate/run.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

Init init_of(const FlatWeight& w) {
  if (!w.declaration.values) return init_from(w.declaration.init);
  const auto values = w.declaration.values->values<double>();
  return {.kind = Init::Kind::values, .values = {values.begin(), values.end()}};
}

// 0..t-1 where an order rests on it, t+1..tau+1 where that goes the other way, else 0..tau. (R17)
void draw_positions(const ResolvedModel& model, const Symbol& s,
                    const std::vector<std::int64_t>& lengths, Stream& stream, Tensor& tensor) {
  const std::int64_t longest =
      lengths[static_cast<std::size_t>(model.index_length[static_cast<std::size_t>(s.position)])];
  std::int64_t inner = 1,
               own = 1;  // elements behind the axis of the position's own index, and its length
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
    tensor.set(i, static_cast<double>(first) +
                      std::floor(stream.uniform() * static_cast<double>(last - first + 1)));
  }
}

std::vector<std::int64_t> drawn_lengths(const ResolvedModel& model, const DrawOptions& options) {
  check_length_names(model, options.lengths);
  if (options.batch < 0)
    fail(Status::usage, "U002", "a batch has 0 items or more, not {}", options.batch);
  return lengths_of(model, {.steps = options.steps, .lengths = options.lengths});
}

}  // namespace

Tensors initial_weights(const Definition& d, const DrawOptions& options) {
  const auto model = resolve(d);
  const std::vector<std::int64_t> lengths = drawn_lengths(*model, options);
  require_memory("drawing weights", memory_of_weights(*model, lengths, sizeof(double)));
  Tensors weights;
  for (const Symbol& s : model->symbols) {
    if (s.kind != SymbolKind::weight || !s.taken) continue;
    const FlatWeight& w = model->system.weights[static_cast<std::size_t>(s.declaration)];
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
    const Init init = init_of(w);
    const auto size = static_cast<std::size_t>(s.shape.size());
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      runtime::fill_weight(init, w.shape, stream, tensor.values<double>().subspan(i * size, size));
    weights[s.name] = std::move(tensor);
  }
  return weights;
}

Tensors random_inputs(const Definition& d, const DrawOptions& options) {
  const auto model = resolve(d);
  const std::vector<std::int64_t> lengths = drawn_lengths(*model, options);
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
      tensor.set(i, runtime::draw_input(stream, s.category, bernoulli));
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
