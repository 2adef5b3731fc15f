// What `run` does with a graph: nodes by name, tensors by the names of leaves.
#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/index.h"
#include "base/utf8.h"
#include "evaluate/evaluation.h"
#include "evaluate/graphs/graph_request.h"
#include "evaluate/leaves/bind.h"
#include "evaluate/leaves/leaf_names.h"
#include "evaluate/not_finite.h"
#include "reference/not_finite.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// One run in floats of type S.
template <class S>
class GraphRun {
 public:
  GraphRun(const GraphRequest& request, const Tensors& inputs, const Tensors& weights,
           const RunOptions& options)
      : request_(request),
        inputs_(inputs),
        weights_(weights),
        executor_(request.tape(), request.outputs(),
                  {.engine = options.engine,
                   .checkpoint = options.checkpoint ? request.forward_end() : -1}),
        sources_(runtime::sources_of(request.tape(), executor_.leaves())),
        batch_(runtime::describe_batch(runtime::sources_of(request.tape(), known_leaves()),
                                       runtime::length_rules(request.tape(), {}), inputs)) {
    require_lengths();
    batch_.context.seed = options.seed;
    batch_.context.train = options.train;
  }

  Tensors operator()() {
    executor_.set_batch(batch_.context, batch_.items);
    for (const runtime::Source& s : sources_)
      runtime::bind_source(executor_, s, runtime::tensor_of(s, s.weight ? weights_ : inputs_));
    executor_.run();
    Tensors values;
    for (const GraphResult& r : request_.results()) values.insert_or_assign(r.text, collect(r));
    return values;
  }

  std::vector<Diagnostic> not_finite(const Tensors& values) {
    std::vector<Diagnostic> found;
    for (const GraphResult& r : request_.results()) {
      const Tensor& t = values.at(r.text);
      const std::int64_t where = first_not_finite(t);
      if (where < 0) continue;
      const ResultPlace place = place_in(t.dims(), r.lengths.size(), per_example(r), where);
      found.push_back(told(r.text, t.at(where), place, source(r)));
    }
    return found;
  }

 private:
  const Tape& tape() const { return request_.tape(); }

  /// Of several lengths that no step tells, one that is read as a number has to be given.
  void require_lengths() const {
    const runtime::LengthRules rules = runtime::length_rules(tape(), {});
    for (std::size_t l = 0; l < rules.names.size(); ++l) {
      const std::string& name = rules.names[l];
      if (rules.longest[l] > 0 || rules.steps[l] >= 0) continue;
      const bool given = inputs_.contains("lengths:" + name);
      if (!given && rules.names.size() > 1 && is_read(l))
        fail(Status::bad_input, "D014",
             "the graph reads the length \"{}\" as a number: give lengths:{}", name, name);
    }
  }
  bool is_read(std::size_t length) const {
    const std::vector<char> used = reachable(tape(), request_.outputs());
    for (NodeId id = 0; id < tape().size(); ++id)
      if (used[at(id)] && &tape().op(id) == &kLength &&
          tape().attrs(id).integer("which") == static_cast<std::int64_t>(length))
        return true;
    return false;
  }

  NodeId output(std::size_t o) const { return request_.outputs()[o]; }

  /// Those that are read, and all whose tensors are given: they tell how many items there are.
  std::vector<NodeId> known_leaves() const {
    std::vector<char> is_known(at(tape().size()), 0);
    for (const NodeId id : executor_.leaves()) is_known[at(id)] = 1;
    std::vector<NodeId> known;
    for (NodeId id = 0; id < tape().size(); ++id)
      if (is_known[at(id)] != 0 ||
          (&tape().op(id) == &kInput && inputs_.contains(std::string(tape().name(id)))))
        known.push_back(id);
    return known;
  }

  bool per_example(const GraphResult& r) const {
    if (r.per_example) return true;
    for (std::size_t o = r.first; o < r.first + r.count; ++o)
      if (tape().extent_id(output(o)) != kShared) return true;
    return false;
  }

  // [positions..., batch, shape...]; a number of its own is a vector of one
  Tensor collect(const GraphResult& r) const {
    Dims dims(r.lengths.begin(), r.lengths.end());
    const bool items = per_example(r);
    if (items) dims.push_back(batch_.items);
    const Shape& shape = tape().shape(output(r.first));
    dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
    if (dims.empty()) dims.push_back(1);
    Tensor t(std::move(dims), sizeof(S) == 4 ? Dtype::f32 : Dtype::f64);
    const std::int64_t rows = items ? batch_.items : 1;
    for (std::size_t i = 0; i < r.count; ++i)
      store(r.first + i, t.template values<S>().subspan(r.adds ? 0 : i * at(rows * shape.size())),
            rows, r.adds);
    return t;
  }

  void store(std::size_t o, std::span<S> to, std::int64_t rows, bool adds) const {
    const std::span<const S> from = executor_.value(o);
    const auto n = at(tape().shape(output(o)).size());
    const auto put = [&](std::size_t row, std::size_t item) {
      for (std::size_t i = 0; i < n; ++i)
        to[item * n + i] = adds ? to[item * n + i] + from[row * n + i] : from[row * n + i];
    };
    if (tape().extent_id(output(o)) == kShared) {
      for (std::size_t item = 0; item < at(rows); ++item) put(0, item);
      return;
    }
    const std::span<const std::int32_t> items = executor_.output_items(o);
    for (std::size_t row = 0; row < items.size(); ++row) put(row, at(items[row]));
  }

  // the same batch once more, by the interpreter, which holds the value of every node
  std::optional<NotFinite> source(const GraphResult& r) const {
    if (!fits_interpreter(tape())) return std::nullopt;
    const std::span<const NodeId> outputs = std::span(request_.outputs()).subspan(r.first, r.count);
    Interpreter<S> run(tape(), outputs);
    run.set_batch(batch_.context, batch_.items);
    for (const runtime::Source& s : sources_)
      for (std::size_t i = 0; i < s.leaves.size(); ++i)
        if (run.needs(s.leaves[i])) fill(run, s, i);
    run.run();
    for (const NodeId id : outputs)
      if (auto found = source_of_not_finite(tape(), run, id)) return found;
    return std::nullopt;
  }

  void fill(Interpreter<S>& run, const runtime::Source& s, std::size_t i) const {
    const Tensor& t = runtime::tensor_of(s, s.weight ? weights_ : inputs_);
    const std::span<S> to = run.leaf(s.leaves[i]);
    std::int64_t position = 0;
    for (std::size_t a = 0; a < at(s.index_axes); ++a)
      position = position * t.dims()[a] + s.positions[i * at(s.index_axes) + a] - 1;
    const std::int64_t n = s.shape.size();
    if (!s.per_example) return convert(t, position * n, to);
    for (std::int64_t row = 0; row * n < std::ssize(to); ++row)
      convert(t, (position * batch_.items + run.item_of(s.leaves[i], row)) * n,
              to.subspan(at(row * n), at(n)));
  }

  const GraphRequest& request_;
  const Tensors &inputs_, &weights_;
  Executor<S> executor_;
  std::vector<runtime::Source> sources_;
  runtime::BatchDescription batch_;
};

void check_graph_options(const RunOptions& o) {
  const bool steps = o.steps >= 0 || !o.lengths.empty();
  if (steps || !o.modes.empty() || o.temperature != 1 || o.top_k != 0 || o.top_p != 1)
    fail(Status::usage, "U007",
         "steps, modes and what draws are of a definition: a graph is unfolded already");
  if (o.dtype != Dtype::f32 && o.dtype != Dtype::f64)
    fail(Status::usage, "U020", "a run computes in f32 or f64, not in {}", to_string(o.dtype));
}

/// Names that no leaf has: of an input an error, of a weight a warning.
void check_names(const Tape& tape, const Tensors& inputs, const Tensors& weights,
                 RunResult& result) {
  const runtime::LeafNames known = runtime::leaf_names(tape);
  for (const auto& [name, tensor] : inputs)
    if (!name.starts_with("cotangent:")) known.check_input(name);
  for (const auto& [name, tensor] : weights)
    if (!known.weights.contains(name))
      result.warnings.push_back(fmt::format("weight \"{}\" is not in the graph", printable(name)));
}

/// A graph is unfolded to its steps: what an input has beyond them is read by nothing.
void tell_unread_steps(const Tape& tape, const Tensors& inputs, RunResult& result) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &kInput) leaves.push_back(id);
  for (const runtime::Source& s : runtime::sources_of(tape, leaves)) {
    const auto given = inputs.find(s.name);
    const auto axes = at(s.index_axes);
    if (given == inputs.end() || given->second.dims().size() < axes) continue;
    for (std::size_t a = 0; a < axes; ++a) {
      std::int64_t longest = 0;
      for (std::size_t i = a; i < s.positions.size(); i += axes)
        longest = std::max<std::int64_t>(longest, s.positions[i]);
      if (const std::int64_t length = given->second.dims()[a]; length > longest)
        result.warnings.push_back(fmt::format("\"{}\" has {} positions, of which the graph has {}",
                                              printable(s.name), length, longest));
    }
  }
}

template <class S>
void evaluate(const GraphRequest& request, const Tensors& inputs, const Tensors& weights,
              const RunOptions& options, RunResult& result) {
  GraphRun<S> run(request, inputs, weights, options);
  result.values = run();
  result.not_finite = run.not_finite(result.values);
}

}  // namespace

RunResult run(const Graph& graph, const Tensors& inputs, const Tensors& weights,
              const RunOptions& options) {
  check_graph_options(options);
  RunResult result;
  check_names(graph.tape(), inputs, weights, result);
  tell_unread_steps(graph.tape(), inputs, result);
  const bool drawn = inputs.empty() && weights.empty();
  const DrawOptions draw{.batch = options.batch >= 0 ? options.batch : 1, .seed = options.seed};
  const Tensors drawn_inputs = drawn ? random_inputs(graph, draw) : Tensors();
  const Tensors drawn_weights = drawn ? initial_weights(graph, draw) : Tensors();
  const GraphRequest request(graph, inputs, options);
  result.warnings.insert(result.warnings.end(), request.warnings().begin(),
                         request.warnings().end());
  const Tensors& given = drawn ? drawn_inputs : inputs;
  if (options.dtype == Dtype::f64)
    evaluate<double>(request, given, drawn ? drawn_weights : weights, options, result);
  else
    evaluate<float>(request, given, drawn ? drawn_weights : weights, options, result);
  return result;
}

}  // namespace taugrad
