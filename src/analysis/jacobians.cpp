#include "analysis/jacobians.h"

#include "base/index.h"
#include "taugrad/autodiff/gradient.h"

namespace taugrad::analysis {
namespace {

bool inside(const Position32& position, const Dims& lengths) {
  for (std::size_t a = 0; a < position.size(); ++a)
    if (position[a] > lengths[a]) return false;
  return true;
}

}  // namespace

Jacobians::Jacobians(const FlowData& data, const std::string& of, const std::string& from)
    : data_(data),
      of_(of),
      from_(from),
      symbol_(data.symbol(of)),
      from_symbol_(data.symbol(from)),
      size_(symbol_.shape.size()),
      of_positions_(positions_of(data.lengths_of(symbol_))),
      from_positions_(positions_of(data.lengths_of(from_symbol_))),
      u_(data.unfolded({of})),
      probe_(u_, outputs(), data.engine) {}

// Gradients of the nodes from(q); notes which there are, and whether any is shared.
std::vector<NodeId> Jacobians::outputs() {
  Vars nodes;
  for (const Position32& q : from_positions_) {
    const NodeId id = u_.find(from_, q);
    output_of_.push_back(id < 0 ? -1 : static_cast<std::int64_t>(nodes.size()));
    if (id >= 0) nodes.push_back(u_.graph().tape().var(id));
  }
  for (const Var& v : nodes) shared_ = shared_ || !v.per_example();
  for (const Position32& p : of_positions_)
    if (const NodeId id = u_.find(of_, p); id >= 0)
      shared_ = shared_ || !u_.graph().tape().var(id).per_example();
  std::vector<NodeId> ids;
  const Gradients g = gradient(u_.loss(), nodes);
  for (const Var& v : g.values()) ids.push_back(v.id);
  return ids;
}

bool Jacobians::has(std::int64_t item, std::int64_t p) const {
  return inside(of_positions_[at(p)], data_.lengths_of(symbol_, item));
}
bool Jacobians::has_from(std::int64_t item, std::int64_t q) const {
  return inside(from_positions_[at(q)], data_.lengths_of(from_symbol_, item));
}

std::vector<std::vector<double>> Jacobians::operator()(std::int64_t item, std::int64_t p) {
  const std::int64_t rows = shared_ ? 1 : size_;
  if (item != item_) inputs_ = item_repeated(data_, item, rows);
  item_ = item;
  const std::int64_t columns = from_symbol_.shape.size();
  std::vector<std::vector<double>> j(from_positions_.size());
  for (std::int64_t first = 0; first < size_; first += rows) {
    Dims dims = data_.lengths_of(symbol_);
    dims.push_back(rows);
    dims.insert(dims.end(), symbol_.shape.dims().begin(), symbol_.shape.dims().end());
    Tensor unit(dims, Dtype::f64);
    for (std::int64_t r = 0; r < rows; ++r) unit.set((p * rows + r) * size_ + first + r, 1);
    inputs_["cotangent:" + of_] = std::move(unit);
    const std::vector<Tensor> values = probe_(inputs_, data_.weights);
    for (std::size_t q = 0; q < j.size(); ++q)
      for (std::int64_t i = 0; i < rows * columns; ++i)
        j[q].push_back(output_of_[q] < 0 ? 0 : values[at(output_of_[q])].at(i));
  }
  return j;
}

}  // namespace taugrad::analysis
