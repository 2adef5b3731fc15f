#include "taugrad/analysis/influence.h"

#include <algorithm>

#include "analysis/flow_data.h"
#include "analysis/jacobians.h"
#include "analysis/matrix_norm.h"
#include "analysis/probe.h"
#include "base/fail.h"
#include "base/index.h"
#include "json/json_writer.h"

namespace taugrad {
namespace {

using analysis::FlowData;

void check_name(const FlowData& data, const std::string& name, bool influenced) {
  const int number = data.model->find(name);
  const Symbol* s = number < 0 ? nullptr : &data.model->symbols[at(number)];
  const bool fits =
      s && s->category < 0 && s->position < 0 && !s->random() &&
      (s->kind == SymbolKind::variable || (s->kind == SymbolKind::input && !influenced));
  if (!fits)
    fail(Status::usage, "U002", "\"{}\" is not {} of \"{}\" with numbers", name,
         influenced ? "a variable" : "an input or a variable", data.model->system.name);
}

void add_norms(const FlowData& data, InfluenceReport& r) {
  analysis::Jacobians jacobians(data, r.of, r.from);
  r.of_positions = jacobians.of();
  r.from_positions = jacobians.from();
  const std::size_t n = r.from_positions.size();
  const std::int64_t items = jacobians.shared() ? 1 : data.batch.items;
  for (std::size_t p = 0; p < r.of_positions.size(); ++p) {
    std::vector<double> sum(n, 0), count(n, 0);
    for (std::int64_t item = 0; item < items; ++item) {
      if (!jacobians.has(item, static_cast<std::int64_t>(p))) continue;
      const auto rows = jacobians(item, static_cast<std::int64_t>(p));
      for (std::size_t q = 0; q < n; ++q)
        if (jacobians.has_from(item, static_cast<std::int64_t>(q))) {
          sum[q] += analysis::norm_of(rows[q], jacobians.rows(), r.norm);
          ++count[q];
        }
    }
    for (std::size_t q = 0; q < n; ++q) sum[q] /= std::max(count[q], 1.0);
    r.sees = std::max(r.sees, static_cast<std::int64_t>(
                                  std::ranges::count_if(sum, [](double x) { return x != 0; })));
    r.influence.push_back(std::move(sum));
  }
}

/// Axes of both that have the same length, in order.
bool comparable(const FlowData& data, const InfluenceReport& r) {
  const ResolvedModel& m = *data.model;
  const auto length_numbers = [&](const std::string& name) {
    std::vector<int> numbers;
    for (const int axis : data.symbol(name).axes) numbers.push_back(m.index_length[at(axis)]);
    return numbers;
  };
  return length_numbers(r.of) == length_numbers(r.from);
}

void add_reach(const FlowData& data, InfluenceReport& r) {
  const Symbol& of = data.symbol(r.of);
  if (r.sees == 0) return;
  for (std::size_t a = 0; a < of.axes.size(); ++a) {
    std::int64_t back = INT32_MIN, ahead = INT32_MIN;
    for (std::size_t p = 0; p < r.of_positions.size(); ++p)
      for (std::size_t q = 0; q < r.from_positions.size(); ++q) {
        if (r.influence[p][q] == 0) continue;
        const std::int64_t offset = r.from_positions[q][a] - r.of_positions[p][a];
        back = std::max(back, -offset);
        ahead = std::max(ahead, offset);
      }
    r.reach.push_back({data.model->system.indices[at(of.axes[a])].name, back, ahead});
  }
}

void add_profile(const FlowData& data, InfluenceReport& r) {
  if (data.symbol(r.of).axes.size() != 1 || r.of_positions.empty()) return;
  const std::size_t n = r.of_positions.size();
  r.profile.assign(2 * n - 1, 0);
  for (std::size_t t = 0; t < n; ++t)
    for (std::size_t k = 0; k < n; ++k) r.profile[k + n - 1 - t] += r.influence[t][k];
  for (std::size_t i = 0; i < r.profile.size(); ++i)
    r.profile[i] /= static_cast<double>(std::min(i + 1, 2 * n - 1 - i));
}

/// What it takes to compute the variable for one item.
void add_cost(const FlowData& data, InfluenceReport& r) {
  const Unfolded u = data.unfolded({});
  std::vector<NodeId> outputs;
  for (const auto& p : r.of_positions)
    if (const NodeId id = u.find(r.of, p); id >= 0) outputs.push_back(id);
  if (outputs.empty()) return;
  analysis::Probe probe(u, outputs, data.engine);
  probe(analysis::item_repeated(data, 0, 1), data.weights);
  r.parameters = probe.parameters();
  r.operations = probe.operations();
}

void numbers(json::Writer& w, const std::vector<double>& values) {
  w.begin_array();
  for (const double x : values) w.value(x);
  w.end_array();
}

void positions(json::Writer& w, const char* name, const std::vector<analysis::Position32>& all) {
  w.key(name).begin_array();
  for (const auto& p : all) {
    w.begin_array();
    for (const std::int32_t i : p) w.value(static_cast<std::int64_t>(i));
    w.end_array();
  }
  w.end_array();
}

}  // namespace

InfluenceReport influence(const Definition& d, const Tensors& inputs, const Tensors& weights,
                          const std::string& of, const std::string& from,
                          const FlowOptions& options) {
  const FlowData data = analysis::flow_data(d, inputs, weights, options);
  check_name(data, of, true);
  check_name(data, from, false);
  InfluenceReport r{.name = data.model->system.name,
                    .of = of,
                    .from = from,
                    .items = data.batch.items,
                    .norm = options.norm};
  add_norms(data, r);
  if (comparable(data, r)) {
    add_reach(data, r);
    add_profile(data, r);
  }
  add_cost(data, r);
  return r;
}

std::string to_json(const InfluenceReport& r) {
  json::Writer w;
  w.begin_object().field("format", "taugrad-influence").field("version", 1);
  w.field("name", r.name).field("of", r.of).field("from", r.from).field("items", r.items);
  w.field("norm", r.norm == MatrixNorm::spectral ? "spectral" : "frobenius");
  w.field("parameters", r.parameters).field("operations", r.operations).field("sees", r.sees);
  w.key("reach").begin_array();
  for (const Reach& reach : r.reach)
    w.begin_object()
        .field("index", reach.index)
        .field("back", reach.back)
        .field("ahead", reach.ahead)
        .end_object();
  w.end_array();
  w.key("profile");
  numbers(w, r.profile);
  positions(w, "of_positions", r.of_positions);
  positions(w, "from_positions", r.from_positions);
  w.key("influence").begin_array();
  for (const std::vector<double>& row : r.influence) numbers(w, row);
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace taugrad
