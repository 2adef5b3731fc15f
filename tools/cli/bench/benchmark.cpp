#include "bench/benchmark.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <numeric>
#include <type_traits>

#include "base/fail.h"
#include "evaluate/leaves/bind.h"
#include "evaluate/planner.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"
#include "unfold/graph_size.h"

namespace taugrad::cli {
namespace {

double now_ms() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

/// A line of /proc/self/status, in MiB; 0 where there is none.
double status_mb(std::string_view name) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
  return 0;
}

/// Memory of earlier workloads is given back, and their peak forgotten.
void forget_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

Timing time_runs(double budget_ms, const std::function<void()>& run) {
  constexpr int kLeast = 3, kMost = 20'000, kWarm = 200;
  const double start = now_ms();
  for (int i = 0; i < 2 || (i < kWarm && now_ms() - start < budget_ms * 0.15); ++i) run();
  std::vector<double> times;
  const double warm = now_ms();
  while (times.size() < kLeast || (times.size() < kMost && now_ms() - warm < budget_ms)) {
    const double begin = now_ms();
    run();
    times.push_back(now_ms() - begin);
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times.front(), static_cast<int>(times.size())};
}

DrawOptions draw_of(const Workload& w) {
  return {.steps = w.steps.steps, .lengths = w.steps.lengths, .batch = w.batch, .seed = 1};
}

template <class S>
constexpr Dtype kDtype = std::is_same_v<S, float> ? Dtype::f32 : Dtype::f64;

/// Tensors in the type of the work, so that weights are read in place.
template <class S>
void convert_all(Tensors& tensors) {
  for (auto& entry : tensors) {
    Tensor& tensor = entry.second;
    if (tensor.dtype() != Dtype::f64 || kDtype<S> == Dtype::f64) continue;
    Tensor converted(tensor.dims(), kDtype<S>);
    std::ranges::transform(tensor.values<double>(), converted.values<S>().begin(),
                           [](double x) { return static_cast<S>(x); });
    tensor = std::move(converted);
  }
}

/// Inputs drawn for the whole batch, and how long its items are.
template <class S>
Tensors draw_inputs(const Workload& w) {
  Tensors inputs = random_inputs(w.definition, draw_of(w));
  convert_all<S>(inputs);
  if (w.lengths.empty()) return inputs;
  const auto model = resolve(w.definition);
  const Tensor lengths = Tensor::of({w.batch}, w.lengths);
  for (const std::string& name : model->lengths)
    inputs[model->lengths.size() == 1 ? "lengths" : "lengths:" + name] = lengths;
  return inputs;
}

/// Where there is no loss: variables at their last position.
std::vector<NodeId> last_values(const Unfolded& u, const std::vector<std::string>& fetch) {
  const ResolvedModel& model = u.model();
  std::vector<NodeId> nodes;
  for (const Symbol& s : model.symbols) {
    const bool asked = fetch.empty() || std::ranges::find(fetch, s.name) != fetch.end();
    if (s.kind != SymbolKind::variable || !asked) continue;
    std::vector<std::int32_t> last;
    for (const int axis : s.axes)
      last.push_back(static_cast<std::int32_t>(
          u.length(model.system.indices[static_cast<std::size_t>(axis)].name)));
    if (const NodeId id = u.find(s.name, last); id >= 0) nodes.push_back(id);
  }
  return nodes;
}

Vars trainable_weights(const Unfolded& u) {
  const ResolvedModel& model = u.model();
  Tape& tape = u.graph().tape();
  Vars weights;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (tape.op(id).name != "weight") continue;
    const Symbol& s = model.symbols[static_cast<std::size_t>(model.find(tape.name(id)))];
    const auto& w = model.system.weights[static_cast<std::size_t>(s.declaration)].declaration;
    if (w.trainable.value_or(true)) weights.push_back(tape.var(id));
  }
  return weights;
}

/// One workload in floats of type S.
template <class S>
class Benchmark {
 public:
  Benchmark(const Workload& w, const BenchmarkOptions& o) : w_(w), o_(o) {}

  BenchmarkResult operator()() {
    inputs_ = draw_inputs<S>(w_);
    forget_peak();
    result_.base_mb = status_mb("VmRSS:");
    weights_ = initial_weights(w_.definition, draw_of(w_));
    convert_all<S>(weights_);
    describe();
    model_ = resolve(w_.definition);
    lengths_ = lengths_of(*model_, unfolding());
    result_.steps = lengths_.empty() ? 1 : lengths_.front();
    result_.tokens = w_.lengths.empty()
                         ? result_.steps * w_.batch
                         : std::accumulate(w_.lengths.begin(), w_.lengths.end(), std::int64_t{0});
    const bool has_loss =
        !model_->loss.empty() || std::ranges::any_of(model_->symbols, &Symbol::random);
    run_forward(has_loss);
    if (has_loss) run_step();
    result_.peak_mb = status_mb("VmHWM:");
    if (has_loss && o_.engine.precision == Precision::bf16) compare();
    if (has_loss) time_planning();
    return result_;
  }

 private:
  UnfoldOptions unfolding() const {
    return {.steps = w_.steps.steps, .lengths = w_.steps.lengths, .ragged = !w_.lengths.empty()};
  }

  /// The loss and the gradients of the trainable weights, whose nodes are appended; in the list a
  /// row for each.
  static runtime::Asked step_of(const Unfolded& u) {
    runtime::Asked asked{{u.loss().id}, {plan::Table(1)}, u.graph().size() - 1};
    const Gradients gradients = gradient(u.loss(), trainable_weights(u));
    for (const Var& v : gradients.values()) asked.outputs.push_back(v.id);
    asked.lists[0].cells.assign(asked.outputs.size(), 0);
    return asked;
  }
  runtime::Asked forward_of(const Unfolded& u) const {
    return {u.has_loss() ? std::vector{u.loss().id} : last_values(u, w_.fetch)};
  }

  /// What a batch of another length asks for.
  void time_planning() {
    runtime::Planner<S> planner(model_, step_of, run_options(), o_.checkpoint);
    result_.plan_ms = time_runs(o_.ms / 4, [&] { planner.make(unfolding()); }).median;
  }

  void describe() {
    result_.peer = std::string("taugrad") + (o_.limit ? "-limit" : "") + (o_.f64 ? "-f64" : "") +
                   (o_.engine.precision == Precision::bf16 ? "-bf16" : "");
    result_.workload = w_.name;
    result_.threads = o_.engine.threads;
  }

  /// With what training needs kept, where there is a loss; else the weights are packed beforehand.
  void run_forward(bool train) {
    ExecutorOptions options = run_options();
    options.weights_change = train;
    if (train && !o_.checkpoint) options.engine.without.emplace_back("reuse");
    result_.forward = run([this](const Unfolded& u) { return forward_of(u); }, options, false,
                          result_.gflop_forward, !train);
  }

  ExecutorOptions run_options() const { return {.engine = o_.engine}; }

  void run_step() {
    forget_peak();  // nobody who trains runs the plan of `fwd_ms`, which keeps more than a step
    result_.step = run(step_of, run_options(), o_.checkpoint, result_.gflop, true);
  }

  /// The same in full precision.
  void compare() {
    ExecutorOptions options = run_options();
    const auto rounded = values(options);
    options.engine.precision = Precision::full;
    const auto full = values(options);
    for (std::size_t o = 0; o < full.size(); ++o) {
      double largest = 0, difference = 0;
      for (std::size_t i = 0; i < full[o].size(); ++i) {
        const double x = static_cast<double>(full[o][i]);
        largest = std::max(largest, std::abs(x));
        difference = std::max(difference, std::abs(static_cast<double>(rounded[o][i]) - x));
      }
      double& error = o == 0 ? result_.loss_error : result_.gradient_error;
      error = std::max(error, largest > 0 ? difference / largest : 0.0);
    }
  }

  std::vector<std::vector<S>> values(const ExecutorOptions& options) {
    runtime::Planned<S> planned =
        runtime::Planner<S>(model_, step_of, options, o_.checkpoint).plan(unfolding());
    place(planned);
    planned.executor.run();
    std::vector<std::vector<S>> all;
    for (std::size_t o = 0; o < planned.lists[0].rows(); ++o) {
      const auto value = planned.executor.value(o);
      all.emplace_back(value.begin(), value.end());
    }
    return all;
  }

  /// Gives the executor its batch and its tensors.
  void place(runtime::Planned<S>& planned) {
    const runtime::LengthRules rules{model_->lengths, lengths_, planned.longest, planned.longest};
    const auto batch = runtime::describe_batch(planned.sources, rules, inputs_);
    planned.executor.set_batch(batch.context, batch.items);
    for (const runtime::Source& s : planned.sources)
      runtime::bind_source(planned.executor, s,
                           runtime::tensor_of(s, s.weight ? weights_ : inputs_));
  }

  /// The time of one run. The last plan that a workload has is the one that is told of.
  Timing run(const typename runtime::Planner<S>::Ask& ask, const ExecutorOptions& options,
             bool again, double& gflop, bool last) {
    const double start = now_ms();
    runtime::Planner<S> planner(resolve(w_.definition), ask, options, again);
    runtime::Planned<S> planned = planner.plan(unfolding());
    Executor<S>& executor = planned.executor;
    place(planned);
    if (last) {
      const double ready = now_ms();
      executor.run();
      result_.first_run_ms = now_ms() - ready;
      result_.prepare_ms = now_ms() - start;
    }
    executor.run();  // all of it once, so that there are numbers for the products
    runtime::Profile<S> products(runtime::Profile<S>::Mode::products_only);
    executor.watch(&products);
    gflop = products.products().operations / 1e9;
    if (!o_.limit) executor.watch(nullptr);
    const Timing timing = time_runs(o_.ms, [&] { executor.run(); });
    if (last) {
      result_.nodes = planned.nodes;
      result_.by_law = planned.by_law;
      result_.plan_steps = static_cast<std::int64_t>(executor.steps());
      if (o_.profile && !o_.limit) profile(executor);
    }
    return timing;
  }

  void profile(Executor<S>& executor) {
    runtime::Profile<S> times(runtime::Profile<S>::Mode::times);
    executor.watch(&times);
    time_runs(o_.ms, [&] { executor.run(); });
    executor.watch(nullptr);
    result_.profile = times.rows();
    for (const runtime::ProfileRow& row : result_.profile) result_.profiled_ms += row.ms;
  }

  const Workload& w_;
  const BenchmarkOptions& o_;
  Tensors inputs_, weights_;
  BenchmarkResult result_;
  std::shared_ptr<const ResolvedModel> model_;
  std::vector<std::int64_t> lengths_;  // by number
};

}  // namespace

BenchmarkResult measure(const Workload& w, const BenchmarkOptions& o) {
  return o.f64 ? Benchmark<double>(w, o)() : Benchmark<float>(w, o)();
}

}  // namespace taugrad::cli
