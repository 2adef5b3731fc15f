#include "evaluate/memory_estimate.h"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/fetch.h"

namespace taugrad {
namespace {

double positions(const ResolvedModel& model, const std::vector<std::int64_t>& lengths,
                 const std::vector<int>& axes) {
  double count = 1;
  for (const int axis : axes)
    count *= static_cast<double>(
        lengths[static_cast<std::size_t>(model.index_length[static_cast<std::size_t>(axis)])]);
  return count;
}

}  // namespace

std::vector<MemoryUse> memory_of_inputs(const ResolvedModel& model,
                                        const std::vector<std::int64_t>& lengths,
                                        std::int64_t items) {
  std::vector<MemoryUse> uses;
  for (const Symbol& s : model.symbols)
    if (s.kind == SymbolKind::input || (s.random() && s.length < 0))
      uses.push_back({fmt::format("drawn \"{}\"", s.name),
                      positions(model, lengths, s.axes) * static_cast<double>(items) *
                          static_cast<double>(s.shape.size()) * sizeof(double)});
  // the lengths and the number of every item
  const auto numbers = static_cast<double>(model.lengths.size() + 2);
  uses.push_back({"lengths of items", static_cast<double>(items) * numbers * sizeof(std::int64_t)});
  return uses;
}

std::vector<MemoryUse> memory_of_weights(const ResolvedModel& model,
                                         const std::vector<std::int64_t>& lengths,
                                         double bytes_per_element) {
  std::vector<MemoryUse> uses;
  for (const Symbol& s : model.symbols)
    if (s.kind == SymbolKind::weight && s.taken)
      uses.push_back({fmt::format("weight \"{}\"", s.name),
                      positions(model, lengths, s.axes) * static_cast<double>(s.shape.size()) *
                          bytes_per_element});
  return uses;
}

std::vector<MemoryUse> memory_of_graph(const GraphSize& size, std::int64_t items,
                                       double bytes_per_element) {
  return {{fmt::format("a graph of about {:.3g} nodes", size.nodes), size.graph_bytes()},
          {"its plan", size.plan_bytes()},
          {"constants", size.constants * bytes_per_element},
          {"values of the largest node",
           size.largest * static_cast<double>(items) * bytes_per_element}};
}

std::vector<MemoryUse> memory_of_check(double nodes, double values, double variables, int order) {
  // bytes, measured: three interpreters, one of them of complex numbers; of order 2 the gradient is
  // in all three, and its own in one
  const double node = order == 2 ? 3 * 200 : 200, value = order == 2 ? 180 : 52;
  constexpr double kVariable = 64;  // as given, as placed, as a direction
  return {{"interpreters", nodes * node},
          {"the values of its nodes", values * value},
          {"what it is checked for", variables * kVariable}};
}

std::vector<MemoryUse> memory_of_run(const ResolvedModel& model,
                                     const std::vector<std::int64_t>& lengths, std::int64_t items,
                                     const RunOptions& options) {
  const double bytes = options.dtype == Dtype::f64 ? sizeof(double) : sizeof(float);
  UnfoldOptions unfolding{.modes = options.modes};
  for (std::size_t l = 0; l < lengths.size(); ++l) unfolding.lengths[model.lengths[l]] = lengths[l];
  GraphSize size = graph_size(model, unfolding);
  std::vector<MemoryUse> results;
  bool gradient = false;
  for (const std::string& text : options.fetch) {
    const Fetch f = parse_fetch(model, text);
    gradient = gradient || f.gradient;
    if (f.loss) continue;
    const Symbol& s = model.symbols[static_cast<std::size_t>(f.symbol)];
    const double rows = s.per_example || f.nll ? static_cast<double>(items) : 1;
    const auto elements = f.nll ? 1.0 : static_cast<double>(s.shape.size());
    const double at = f.has_brackets ? 1 : positions(model, lengths, s.axes);
    results.push_back({fmt::format("result \"{}\"", text), at * rows * elements * bytes});
  }
  if (gradient) size = size.with_gradient();
  std::vector<MemoryUse> uses = memory_of_graph(size, items, bytes);
  if (gradient && options.checkpoint)
    uses.push_back({"the graph that computes again, and its plan",
                    2 * size.graph_bytes() + size.plan_bytes()});
  uses.insert(uses.end(), results.begin(), results.end());
  return uses;
}

}  // namespace taugrad
