// Norms of the Jacobians of a graph's values.
#include <cmath>

#include "analysis/graph_point.h"
#include "analysis/matrix_norm.h"
#include "analysis/probe.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"

namespace taugrad::analysis {
namespace {

constexpr const char* kUnit = "flow:cotangent";  // unit vectors, of the Jacobians

Vars vars(const Graph& g, const std::vector<NodeId>& ids) {
  Vars all;
  for (const NodeId id : ids) all.push_back(g.tape().var(id));
  return all;
}

/// |dh(t)/dh(k)| for all positions: a batch of unit vectors for each t and item.
class JacobianNorms {
 public:
  JacobianNorms(const GraphPoint& p, const std::vector<NodeId>& nodes)
      : p_(p),
        g_(clone(p.graph).graph()),
        h_(vars(g_, nodes)),
        probe_(g_, outputs(), {}, p.engine) {}

  void run(MatrixNorm kind, const std::function<void()>& told, VariableFlow& v) {
    const std::size_t length = h_.size();
    v.jacobian.assign(length, std::vector<double>(length, 0));
    std::vector<double> logs(length, 0), counts(length, 0);
    const std::int64_t items = shared_ ? 1 : p_.items;
    for (std::int64_t item = 0; item < items; ++item) {
      inputs_ = shared_ ? p_.inputs : item_repeated(p_.tape(), p_.inputs, item, rows());
      for (std::size_t t = 0; t < length; ++t) {
        const auto jacobians = at_position(t);
        for (std::size_t k = 0; k < length; ++k) {
          const double n = norm_of(jacobians[k], size(), kind);
          v.jacobian[t][k] += n / static_cast<double>(items);
          if (n == 0) continue;
          logs[k > t ? k - t : t - k] += std::log(n);
          counts[k > t ? k - t : t - k] += 1;
        }
        told();
      }
    }
    for (std::size_t lag = 0; lag < length; ++lag)
      v.by_lag.push_back(counts[lag] > 0 ? std::exp(logs[lag] / counts[lag]) : 0);
  }

 private:
  std::int64_t size() const { return h_.front().shape().size(); }
  std::int64_t rows() const { return shared_ ? 1 : size(); }  // unit vectors in one run

  std::vector<NodeId> outputs() {
    Vars units;
    for (std::int32_t t = 0; const Var& x : h_) {
      ++t;
      units.push_back(g_.tape().named_leaf(kInput, x.shape(), x.extent(), {}, kUnit, {&t, 1}));
      shared_ = shared_ || !x.per_example();
    }
    std::vector<NodeId> ids;
    for (const Var& y : gradient(h_, units, h_).values()) ids.push_back(y.id);
    return ids;
  }

  /// [k]: dh(t)/dh(k), row by row.
  std::vector<std::vector<double>> at_position(std::size_t t) {
    std::vector<std::vector<double>> j(h_.size());
    for (std::int64_t first = 0; first < size(); first += rows()) {
      Dims dims{std::ssize(h_)};
      if (!shared_) dims.push_back(rows());
      dims.insert(dims.end(), h_[0].shape().dims().begin(), h_[0].shape().dims().end());
      Tensor unit(dims, Dtype::f64);
      for (std::int64_t r = 0; r < rows(); ++r)
        unit.set((static_cast<std::int64_t>(t) * rows() + r) * size() + first + r, 1);
      inputs_.insert_or_assign(kUnit, std::move(unit));
      const std::vector<Tensor> values = probe_(inputs_, p_.weights);
      for (std::size_t k = 0; k < j.size(); ++k)
        for (std::int64_t i = 0; i < rows() * size(); ++i) j[k].push_back(values[k].at(i));
    }
    return j;
  }

  const GraphPoint& p_;
  Graph g_;
  Vars h_;
  bool shared_ = false;
  Probe probe_;
  Tensors inputs_ = {};
};

}  // namespace

void add_jacobians(const GraphPoint& p, const std::vector<NodeId>& positions, MatrixNorm norm,
                   const std::function<void()>& told, VariableFlow& v) {
  JacobianNorms(p, positions).run(norm, told, v);
}

}  // namespace taugrad::analysis
