#include "taugrad/train/sample.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "base/fail.h"
#include "evaluate/memory_estimate.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/train/dataset.h"
#include "taugrad/unfold/unfold.h"
#include "train/predict/sample_check.h"
#include "train/predict/sample_length.h"
#include "train/predict/sample_long.h"
#include "train/text/stored_text.h"
#include "unfold/unfolder.h"

namespace taugrad {
namespace {

class Sampler {
 public:
  Sampler(const Definition& d, const Tensors& weights, const SampleOptions& o)
      : model_(resolve(d)), weights_(weights), options_(o) {
    check_sampling(d, *model_, o, false);
    if (!o.prompt.empty()) prompted_ = text_variable(d).name;
    UnfoldOptions u;
    u.steps = o.steps;
    if (o.temperature > 0) u.temperature = o.temperature;
    u.top_k = o.top_k;
    u.top_p = o.top_p;
    u.modes = modes_of(*model_, o);
    if (!prompted_.empty()) {  // a prompt: data first, then free
      Mode& mode = u.modes.at(prompted_);
      const bool likeliest = mode.takes_likeliest();
      mode = Mode::forced(static_cast<std::int64_t>(o.prompt.size()), o.steps);
      mode.likeliest = likeliest;
    }
    require_memory(fmt::format("sampling {} sequences", o.count),
                   memory_of_graph(graph_size(*model_, u), o.count, sizeof(float)));
    unfolded_ = std::make_unique<Unfolded>(unfold(model_, u));
  }

  std::vector<Tensors> operator()() {
    collect_outputs();
    Executor<float> executor(unfolded_->graph().tape(), nodes_, {.engine = options_.engine});
    BatchContext context;
    context.seed = options_.seed;
    context.lengths.resize(model_->lengths.size());
    for (std::int64_t i = 0; i < options_.count; ++i) {
      context.item.push_back(i);
      for (std::size_t l = 0; l < context.lengths.size(); ++l)
        context.lengths[l].push_back(length(l));
    }
    executor.set_batch(context, options_.count);
    for (const NodeId id : executor.leaves()) fill(executor, id);
    executor.run();
    return cut(executor);
  }

 private:
  struct Drawn {
    std::string name;
    std::int32_t step;  // 0: without an index; below: where the sequence ends
    Shape shape;
    bool symbol;
    bool likelihood = false;  // of a value: NaN where there is no distribution
  };

  std::int64_t length(std::size_t l) const { return unfolded_->length(model_->lengths[l]); }

  void add(Var v, Drawn drawn) {
    nodes_.push_back(v.id);
    drawn_.push_back(std::move(drawn));
  }

  void collect_outputs() {
    for (const Symbol& s : model_->symbols) {
      if (!s.random() || s.length >= 0) continue;
      if (s.axes.empty()) add_value(unfolded_->at(s.name), s, 0);
      const std::int64_t steps =
          s.axes.empty() ? 0
                         : length(static_cast<std::size_t>(
                               model_->index_length[static_cast<std::size_t>(s.axes[0])]));
      for (std::int32_t t = 1; t <= steps; ++t)
        if (s.name != prompted_ || t > static_cast<std::int32_t>(options_.prompt.size()))
          add_value(unfolded_->at(s.name, t), s, t);
    }
    const auto first = static_cast<std::int32_t>(options_.prompt.size()) + 1;
    for (std::int32_t t = first; t <= options_.steps; ++t)
      if (const Var end = unfolded_->end(t)) add(end, {"", -t, {}, false});
  }

  void add_value(Var v, const Symbol& s, std::int32_t step) {
    add(v, {s.name, step, s.shape, s.category >= 0});
    Tape& tape = *v.tape;
    const bool likeliest = &tape.op(v.id) == &kArgmax || &tape.op(v.id) == &kGreaterEqual;
    if (options_.temperature > 0 || !likeliest) return;
    // it is one even where nothing has a probability
    const Var nll = nll_of(s, v, tape.var(tape.inputs(v.id)[0]), {}, v.extent());
    add(nll, {s.name, step, {}, false, true});
  }

  void fill(Executor<float>& executor, NodeId id) {
    const Tape& tape = unfolded_->graph().tape();
    const std::string name(tape.name(id));
    const std::span<float> to = executor.leaf(id);
    const std::span<const std::int32_t> at = tape.index(id);
    if (name == prompted_) {
      std::ranges::fill(to,
                        static_cast<float>(options_.prompt[static_cast<std::size_t>(at[0] - 1)]));
      return;
    }
    const auto it = weights_.find(name);
    std::int64_t first = 0;
    if (it != weights_.end())
      for (std::size_t a = 0; a < at.size(); ++a) first = first * it->second.dims()[a] + at[a] - 1;
    first *= static_cast<std::int64_t>(to.size());
    const auto rest = [&](const Dims& d) {  // behind the positions; no views: clang 14 has none
      return std::span(d).subspan(std::min(at.size(), d.size()));
    };
    const bool fits =
        it != weights_.end() && std::ranges::equal(rest(it->second.dims()), tape.shape(id).dims());
    if (!fits || first < 0 || first + static_cast<std::int64_t>(to.size()) > it->second.size())
      fail(Status::bad_input, "S013", "weight \"{}\" {}", name,
           it == weights_.end()
               ? "is missing"
               : fmt::format("is {}, the definition needs {}", dims_text(it->second.dims()),
                             to_string(tape.shape(id))));
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<float>(it->second.at(first + static_cast<std::int64_t>(i)));
  }

  // the first step at which each sequence ends, else the last there is
  std::vector<std::int64_t> lasts(const Executor<float>& executor) const {
    std::vector<std::int64_t> last(static_cast<std::size_t>(options_.count), options_.steps);
    for (std::size_t k = 0; k < drawn_.size(); ++k) {
      if (drawn_[k].step >= 0) continue;
      const auto items = executor.output_items(k);
      for (std::size_t r = 0; r < items.size(); ++r)
        if (executor.value(k)[r] != 0) {
          auto& l = last[static_cast<std::size_t>(items[r])];
          l = std::min<std::int64_t>(l, -drawn_[k].step);
        }
    }
    return last;
  }

  std::vector<Tensors> cut(const Executor<float>& executor) const {
    const std::vector<std::int64_t> last = lasts(executor);
    std::vector<Tensors> all(last.size());
    for (std::size_t k = 0; k < drawn_.size(); ++k) {
      const Drawn& d = drawn_[k];
      if (d.step < 0) continue;
      const auto items = executor.output_items(k);
      const std::span<const float> values = executor.value(k);
      const std::int64_t size = d.shape.size();
      for (std::size_t r = 0; r < items.size(); ++r) {
        const auto item = static_cast<std::size_t>(items[r]);
        if (d.step > last[item]) continue;
        if (d.likelihood && std::isnan(values[r])) no_distribution(d.name, d.step, items[r]);
        if (d.likelihood) continue;
        Tensor& t = tensor_of(all[item], d, last[item]);
        for (std::int64_t i = 0; i < size; ++i) {
          const float value =
              values[r * static_cast<std::size_t>(size) + static_cast<std::size_t>(i)];
          if (std::isnan(value)) no_distribution(d.name, d.step, items[r]);
          t.set(std::max(d.step - 1, 0) * size + i, static_cast<double>(value));
        }
      }
    }
    return all;
  }

  Tensor& tensor_of(Tensors& item, const Drawn& d, std::int64_t steps) const {
    const auto [it, fresh] = item.try_emplace(d.name);
    if (!fresh) return it->second;
    Dims dims(d.shape.dims().begin(), d.shape.dims().end());
    if (d.step > 0) dims.insert(dims.begin(), steps);
    it->second = Tensor(dims, d.symbol ? Dtype::i64 : Dtype::f32);
    if (d.name == prompted_)
      for (std::size_t i = 0; i < options_.prompt.size(); ++i)
        it->second.set(static_cast<std::int64_t>(i), static_cast<double>(options_.prompt[i]));
    return it->second;
  }

  std::shared_ptr<const ResolvedModel> model_;
  const Tensors& weights_;
  const SampleOptions& options_;
  std::string prompted_;
  std::unique_ptr<Unfolded> unfolded_;
  std::vector<NodeId> nodes_;
  std::vector<Drawn> drawn_;
};

}  // namespace

namespace {

void check_telling(const Definition& d, const SampleOptions& options) {
  if (options.count != 1 || !takes_text(d) || !is_text_alone(d))
    fail(Status::usage, "U002", "one sequence of symbols alone is told as it is drawn");
}

/// Of few steps: all at once.
std::vector<Tensors> told(std::vector<Tensors> sequences, const SampleOptions& options) {
  if (!options.tell) return sequences;
  options.tell(std::as_const(sequences.front().begin()->second).values<std::int64_t>());
  return {};
}

}  // namespace

std::vector<Tensors> sample(const Definition& d, const Tensors& weights,
                            const SampleOptions& options) {
  check_weights_to_draw(weights);
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  if (options.tell) check_telling(d, options);
  const Symbol* length = length_variable(*model);
  check_sampling(d, *model, options, false);
  if (!length && options.steps > kLongSample)
    if (auto sequences = sample_in_segments(d, model, weights, options))
      return *std::move(sequences);
  if (!length) return told(Sampler(d, weights, options)(), options);
  if (!options.prompt.empty())
    cannot_sample(d, "a prompt has a length already, and here it is drawn");
  return sample_to_length(d, *model, *length, weights, options);
}

}  // namespace taugrad
