#include "analysis/flow_data.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/probe.h"
#include "analysis/states.h"
#include "base/fail.h"
#include "base/index.h"
#include "evaluate/memory_estimate.h"
#include "runtime/generic.h"
#include "runtime/stream.h"
#include "taugrad/evaluate/run.h"

namespace taugrad::analysis {
namespace {

std::size_t length_number(const ResolvedModel& model, int axis) {
  return at(model.index_length[at(axis)]);
}

/// Axes of a tensor before the batch.
int index_axes(const ResolvedModel& model, const std::string& name) {
  const std::string variable = name.starts_with("cotangent:") ? name.substr(10) : name;
  const int number = model.find(variable);
  return number < 0 ? 0 : static_cast<int>(model.symbols[at(number)].axes.size());
}

Tensor random_cotangent(const Symbol& s, const FlowData& data, std::uint64_t seed) {
  Dims dims;
  for (const int axis : s.axes)
    dims.push_back(data.batch.longest[length_number(*data.model, axis)]);
  dims.push_back(data.batch.items);
  dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  Tensor t(dims, Dtype::f64);
  Stream stream(seed, "cotangent:" + s.name);
  for (std::int64_t i = 0; i < t.size(); ++i) t.set(i, stream.normal());
  return t;
}

/// Variables with one index and numbers that hand something on in a graph.
std::vector<std::string> states_in(const Unfolded& u) {
  std::vector<std::string> names;
  const std::set<std::string> states = state_names(u);
  for (const Symbol& s : u.model().symbols)
    if (states.contains(s.name) && s.axes.size() == 1 && s.category < 0) names.push_back(s.name);
  return names;
}

/// The graph with its gradient, and what it is drawn for, before any of it is made.
void require_for_drawn(const ResolvedModel& model, const DrawOptions& draw) {
  UnfoldOptions unfolding{.steps = draw.steps, .lengths = draw.lengths};
  if (!has_loss(model)) unfolding.cotangents = numeric_variables(model);
  const std::vector<std::int64_t> lengths = lengths_of(model, unfolding);
  std::vector<MemoryUse> plan =
      memory_of_graph(graph_size(model, unfolding).with_gradient(), draw.batch, sizeof(double));
  for (const MemoryUse& use : memory_of_inputs(model, lengths, draw.batch)) plan.push_back(use);
  for (const MemoryUse& use : memory_of_weights(model, lengths, sizeof(double)))
    plan.push_back(use);
  require_memory(fmt::format("the flow of {} drawn items", draw.batch), plan);
}

}  // namespace

Unfolded FlowData::unfolded(std::vector<std::string> of_cotangents) const {
  UnfoldOptions options;
  for (std::size_t l = 0; l < model->lengths.size(); ++l)
    options.lengths[model->lengths[l]] = batch.longest[l];
  options.ragged = ragged;
  options.cotangents = std::move(of_cotangents);
  return unfold(model, options);
}

const Symbol& FlowData::symbol(const std::string& name) const {
  return model->symbols[at(model->find(name))];
}

std::int64_t FlowData::length_of(const Symbol& s, std::int64_t item) const {
  return lengths_of(s, item).at(0);
}

Dims FlowData::lengths_of(const Symbol& s, std::int64_t item) const {
  Dims lengths;
  for (const int axis : s.axes) {
    const std::size_t l = length_number(*model, axis);
    lengths.push_back(item < 0 ? batch.longest[l] : batch.lengths[l][at(item)]);
  }
  return lengths;
}

std::vector<Position32> positions_of(const Dims& lengths) {
  std::vector<Position32> all{{}};
  for (const std::int64_t n : lengths) {
    std::vector<Position32> longer;
    for (const Position32& p : all)
      for (std::int32_t i = 1; i <= n; ++i) {
        longer.push_back(p);
        longer.back().push_back(i);
      }
    all = std::move(longer);
  }
  return all;
}

FlowData flow_data(const Definition& d, const Tensors& inputs, const Tensors& weights,
                   const FlowOptions& options) {
  FlowData data;
  data.engine = options.engine;
  data.model = resolve(d);
  const DrawOptions draw{.steps = options.steps >= 0 ? options.steps : 20,
                         .lengths = options.lengths,
                         .batch = options.batch,
                         .seed = options.seed};
  if (inputs.empty()) require_for_drawn(*data.model, draw);
  RunOptions run;
  run.steps = inputs.empty() ? draw.steps : options.steps;
  run.lengths = options.lengths;
  if (inputs.empty()) run.batch = options.batch;
  data.weights = weights.empty() ? initial_weights(d, draw) : weights;
  data.batch = read_batch(*data.model, inputs.empty() ? random_inputs(d, draw) : inputs, run);
  for (const auto& lengths : data.batch.lengths)
    data.ragged = data.ragged ||
                  std::ranges::adjacent_find(lengths, std::ranges::not_equal_to{}) != lengths.end();
  if (data.ragged && !can_be_ragged(*data.model))
    fail(Status::bad_input, "D014",
         "items of \"{}\" can only be analysed together with equal lengths",
         data.model->system.name);
  data.inputs = data.batch.inputs;
  for (std::size_t l = 0; l < data.model->lengths.size(); ++l)
    if (!data.model->is_derived(l))
      data.inputs["lengths:" + data.model->lengths[l]] =
          Tensor::of({data.batch.items}, data.batch.lengths[l]);
  if (!has_loss(*data.model)) data.cotangents = numeric_variables(*data.model);
  for (const std::string& name : data.cotangents)
    data.inputs["cotangent:" + name] =
        random_cotangent(data.model->symbols[at(data.model->find(name))], data, options.seed);
  return data;
}

Tensors item_repeated(const FlowData& data, std::int64_t item, std::int64_t times) {
  Tensors result;
  for (const auto& [name, tensor] : data.inputs) {
    const int axes = index_axes(*data.model, name);
    result[name] = repeated(one_item(tensor, axes, item), axes, times);
  }
  return result;
}

std::vector<std::string> states_of(const FlowData& data) {
  return states_in(data.unfolded(data.cotangents));
}

bool are_too_short(const FlowData& data) {
  UnfoldOptions options;
  for (std::size_t l = 0; l < data.model->lengths.size(); ++l)
    if (!data.model->is_derived(l) && data.model->fixed_lengths[l] < 0)
      options.lengths[data.model->lengths[l]] = std::max<std::int64_t>(data.batch.longest[l], 4);
  options.cotangents = data.cotangents;
  return !states_in(unfold(data.model, options)).empty();
}

std::vector<std::string> chosen_states(const FlowData& data, const FlowOptions& options) {
  const ResolvedModel& model = *data.model;
  for (const std::string& name : options.variables) {
    const int number = model.find(name);
    const Symbol* s = number < 0 ? nullptr : &model.symbols[at(number)];
    if (!s || s->kind != SymbolKind::variable || s->random() || s->category >= 0 ||
        s->axes.size() != 1)
      fail(Status::usage, "U002", "\"{}\" is not a variable of \"{}\" with numbers and one index",
           name, model.system.name);
  }
  if (!options.variables.empty()) return options.variables;
  std::vector<std::string> names = states_of(data);
  if (names.empty() && are_too_short(data))
    fail(Status::bad_input, "G028",
         "in data of these lengths no variable of \"{}\" hands something from position to position",
         model.system.name);
  if (names.empty())
    fail(Status::bad_input, "G028",
         "no variable of \"{}\" with one index hands something from position to position",
         model.system.name);
  return names;
}

double norm_of(const Tensor& t, std::int64_t first, std::int64_t size) {
  double sum = 0;
  for (std::int64_t i = first; i < first + size; ++i) sum += t.at(i) * t.at(i);
  return std::sqrt(sum);
}

double mean_norm(const FlowData& data, const Symbol& s, const Tensor& g, std::int64_t t) {
  const std::int64_t size = s.shape.size(), rows = g.size() / std::max<std::int64_t>(size, 1);
  double sum = 0;
  std::int64_t alive = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    alive += rows == 1 || data.length_of(s, row) >= t;
    sum += norm_of(g, row * size, size);
  }
  return alive > 0 ? sum / static_cast<double>(alive) : 0;
}

}  // namespace taugrad::analysis
