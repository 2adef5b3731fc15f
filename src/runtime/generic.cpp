#include "runtime/generic.h"

#include "runtime/stream.h"

namespace taugrad {

std::vector<std::string> numeric_variables(const ResolvedModel& model) {
  std::vector<std::string> names;
  for (const Symbol& s : model.symbols)
    if (s.kind == SymbolKind::variable && !s.random() && s.category < 0) names.push_back(s.name);
  return names;
}

bool has_loss(const ResolvedModel& model) {
  if (!model.loss.empty()) return true;
  for (const Symbol& s : model.symbols)
    if (s.random()) return true;
  return false;
}

Tensors generic_weights(const ResolvedModel& model, Tensors weights, std::uint64_t seed) {
  for (const FlatWeight& w : model.system.weights) {
    if (!w.taken || !w.declaration.init.empty() || w.declaration.values) continue;
    move_off_zero(w.name, seed, weights.at(w.name));
  }
  return weights;
}

void move_off_zero(const std::string& name, std::uint64_t seed, Tensor& weight) {
  Stream stream(seed, "check:" + name);
  for (std::int64_t i = 0; i < weight.size(); ++i)
    weight.set(i, weight.at(i) + 0.3 * stream.normal());
}

void add_stops(const ResolvedModel& model, const Unfolded& u, std::int64_t items, Tensors& inputs) {
  for (const Symbol& s : model.symbols) {
    if (!s.random() || s.length >= 0 || inputs.contains(s.name)) continue;
    Dims dims;
    std::int64_t positions = 1;
    for (const int axis : s.axes) {
      dims.push_back(u.length(model.system.indices[static_cast<std::size_t>(axis)].name));
      positions *= dims.back();
    }
    dims.push_back(items);
    dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
    Tensor stop(dims, Dtype::f64);
    for (std::int64_t i = 0; positions > 0 && i < items; ++i)
      stop.set((positions - 1) * items + i, 1);
    inputs[s.name] = std::move(stop);
  }
}

}  // namespace taugrad
