#include "train/predict/sample_long.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/fail.h"
#include "taugrad/ops/records.h"
#include "taugrad/train/dataset.h"
#include "train/predict/in_segments.h"
#include "train/predict/sample_length.h"
#include "unfold/unfolder.h"

namespace taugrad {
namespace {

/// One way to run segments: reading the prompt, or drawing.
class Phase {
 public:
  struct Output {
    std::size_t variable;  ///< among the random ones
    std::int64_t step;     ///< in the segment, from 1; 0: without an index
    enum class Kind { value, end, likelihood } kind = Kind::value;
  };
  Phase(const std::shared_ptr<const ResolvedModel>& model, const SegmentRequest& request,
        const SampleOptions& options, const Tensors& weights)
      : model_(model), segments_(model, request), options_(options), weights_(weights) {}

  Segments& segments() { return segments_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  Executor<float>& executor() { return plan_->executor(); }

  /// The next `steps` steps of all sequences.
  void run(std::int64_t first, std::int64_t steps, runtime::SegmentState<float>& state) {
    const std::int64_t settled = std::max<std::int64_t>(segments_.settled(), 1);
    const std::pair key{std::min(first, settled), steps};
    if (!plan_ || key != key_) plan_for(first, steps);
    key_ = key;
    runtime::SegmentItems batch;
    batch.seed = options_.seed;
    batch.lengths.emplace_back(static_cast<std::size_t>(options_.count), steps);
    for (std::int64_t i = 0; i < options_.count; ++i) {
      batch.items.push_back(static_cast<std::size_t>(i));
      batch.keys.push_back(i);
    }
    plan_->run(batch, state, [&](const runtime::SegmentRead& r, std::span<float> to) {
      to[0] = static_cast<float>(options_.prompt[static_cast<std::size_t>(r.at[0] - 1)]);
    });
  }

 private:
  void plan_for(std::int64_t first, std::int64_t steps) {
    plan_.reset();
    runtime::SegmentShape shape{.first = first, .steps = steps, .lengths = {steps}};
    const double temperature = options_.temperature > 0 ? options_.temperature : 1;
    plan_ = std::make_unique<runtime::SegmentPlan<float>>(
        segments_, shape, runtime::SegmentDraws{temperature, options_.top_k, {}, options_.top_p},
        [&](const Unfolded& u) { return nodes_of(u, steps); },
        ExecutorOptions{.engine = options_.engine});
    plan_->bind(weights_);
    plan_->forget_graph();
  }

  std::vector<NodeId> nodes_of(const Unfolded& u, std::int64_t steps) {
    std::vector<NodeId> nodes;
    outputs_.clear();
    std::size_t variable = 0;
    const auto before = static_cast<std::int32_t>(u.segment()->of.first);
    const auto add = [&](Var v, const Output& o) {
      nodes.push_back(v.id);
      outputs_.push_back(o);
    };
    for (const Symbol& s : model_->symbols) {
      if (!s.random()) continue;
      for (std::int64_t t = s.axes.empty() ? 0 : 1; t <= (s.axes.empty() ? 0 : steps); ++t) {
        const Var v = t == 0 ? u.at(s.name) : u.at(s.name, before + static_cast<std::int32_t>(t));
        add(v, {variable, t});
        // the likeliest symbol is one even where nothing has a probability
        Tape& tape = *v.tape;
        const bool likeliest = &tape.op(v.id) == &kArgmax || &tape.op(v.id) == &kGreaterEqual;
        if (options_.temperature == 0 && likeliest)
          add(nll_of(s, v, tape.var(tape.inputs(v.id)[0]), {}, v.extent()),
              {variable, t, Output::Kind::likelihood});
      }
      ++variable;
    }
    for (std::int64_t t = 1; t <= steps; ++t)
      if (const Var end = u.end(static_cast<std::int32_t>(t))) add(end, {0, t, Output::Kind::end});
    return nodes;
  }

  std::shared_ptr<const ResolvedModel> model_;
  Segments segments_;
  const SampleOptions& options_;
  const Tensors& weights_;
  std::pair<std::int64_t, std::int64_t> key_;
  std::unique_ptr<runtime::SegmentPlan<float>> plan_;
  std::vector<Output> outputs_;
};

/// The sequences as they grow.
class Sequences {
 public:
  Sequences(const ResolvedModel& model, const std::string& prompted, const SampleOptions& options)
      : options_(options),
        ended_(static_cast<std::size_t>(options.count), 0),
        lengths_(ended_.size(), static_cast<std::int64_t>(options.prompt.size())) {
    for (const Symbol& s : model.symbols) {
      if (!s.random()) continue;
      variables_.push_back({&s, std::vector<std::vector<float>>(ended_.size())});
      if (s.name != prompted) continue;
      prompted_ = variables_.size() - 1;
      for (auto& own : variables_.back().values)
        own.assign(options.prompt.begin(), options.prompt.end());
    }
  }
  bool all_ended() const {
    return std::ranges::all_of(ended_, [](char e) { return e != 0; });
  }

  /// Takes what was drawn beside the prompt.
  void add_beside(Phase& phase, std::int64_t first, std::int64_t steps) {
    for (std::size_t item = 0; item < ended_.size(); ++item)
      for (std::size_t o = 0; o < phase.outputs().size(); ++o)
        if (phase.outputs()[o].variable != prompted_) take(phase, o, item, first, steps);
  }

  /// Takes the values of a segment. @throws Error (N004) where there was no distribution
  void add(Phase& phase, std::int64_t first, std::int64_t steps) {
    const std::vector<Phase::Output>& outputs = phase.outputs();
    for (std::size_t item = 0; item < ended_.size(); ++item) {
      std::int64_t last = ended_[item] != 0 ? 0 : steps;
      for (std::size_t o = 0; o < outputs.size(); ++o)
        if (outputs[o].kind == Phase::Output::Kind::end && value(phase, o, item)[0] != 0)
          last = std::min(last, outputs[o].step);
      for (std::size_t o = 0; o < outputs.size() && ended_[item] == 0; ++o)
        take(phase, o, item, first, last);
      lengths_[item] += last;
      if (last < steps || ends_at(phase, item, last)) ended_[item] = 1;
    }
    if (options_.tell) tell();
  }

  std::vector<Tensors> tensors() const {
    std::vector<Tensors> all(ended_.size());
    for (const Variable& v : variables_)
      for (std::size_t item = 0; item < all.size(); ++item) {
        Dims dims(v.symbol->shape.dims().begin(), v.symbol->shape.dims().end());
        if (!v.symbol->axes.empty()) dims.insert(dims.begin(), lengths_[item]);
        Tensor t(dims, v.symbol->category >= 0 ? Dtype::i64 : Dtype::f32);
        for (std::int64_t i = 0; i < t.size(); ++i)
          t.set(i, static_cast<double>(v.values[item][static_cast<std::size_t>(i)]));
        all[item].emplace(v.symbol->name, std::move(t));
      }
    return all;
  }

 private:
  struct Variable {
    const Symbol* symbol;
    std::vector<std::vector<float>> values;  ///< by item
  };
  // all items have every step: a row each, in their order
  static std::span<const float> value(Phase& phase, std::size_t output, std::size_t item) {
    const std::span<const float> all = phase.executor().value(output);
    const std::size_t rows = phase.executor().output_items(output).size();
    const std::size_t size = rows == 0 ? all.size() : all.size() / rows;
    return all.subspan(rows == 0 ? 0 : item * size, size);
  }
  /// What there is of the one sequence, which is not held then.
  void tell() {
    std::vector<float>& own = variables_.front().values.front();
    options_.tell(std::vector<std::int64_t>(own.begin(), own.end()));
    own.clear();
  }
  static bool ends_at(Phase& phase, std::size_t item, std::int64_t step) {
    for (std::size_t o = 0; o < phase.outputs().size(); ++o)
      if (phase.outputs()[o].kind == Phase::Output::Kind::end && phase.outputs()[o].step == step &&
          value(phase, o, item)[0] != 0)
        return true;
    return false;
  }
  void take(Phase& phase, std::size_t o, std::size_t item, std::int64_t first, std::int64_t last) {
    const Phase::Output& output = phase.outputs()[o];
    if (output.kind == Phase::Output::Kind::end || output.step > last) return;
    Variable& v = variables_[output.variable];
    const std::span<const float> values = value(phase, o, item);
    for (const float x : values)
      if (std::isnan(x))
        no_distribution(v.symbol->name, output.step > 0 ? first + output.step : 0,
                        static_cast<std::int64_t>(item));
    if (output.kind == Phase::Output::Kind::likelihood) return;
    if (output.step == 0) v.values[item].clear();  // the same in every segment
    v.values[item].insert(v.values[item].end(), values.begin(), values.end());
  }

  const SampleOptions& options_;
  std::vector<Variable> variables_;
  std::size_t prompted_ = SIZE_MAX;
  std::vector<char> ended_;
  std::vector<std::int64_t> lengths_;
};

/// The state for another way of running, whose slots may stand in another order.
runtime::SegmentState<float> reordered(runtime::SegmentState<float> from,
                                       const std::vector<StateSlot>& slots,
                                       const ResolvedModel& model) {
  auto to = runtime::empty_state<float>(model, slots, from.steps.size());
  to.steps = std::move(from.steps);
  for (std::size_t s = 0; s < slots.size(); ++s) {
    const auto found = std::ranges::find(from.slots, slots[s]);
    if (found == from.slots.end()) fail(Status::bug, "B001", "a prompt hands on too little");
    to.values[s] = std::move(from.values[static_cast<std::size_t>(found - from.slots.begin())]);
  }
  return to;
}

std::vector<Tensors> drawn(const std::shared_ptr<const ResolvedModel>& model, const Modes& modes,
                           const std::string& prompted, const Tensors& weights,
                           const SampleOptions& options) {
  Phase draw(model, request_of(*model, modes, true), options, weights);
  const auto count = static_cast<std::size_t>(options.count);
  const std::vector<std::int64_t> lengths(1, 0);
  auto state = runtime::empty_state<float>(*model, draw.segments().slots(lengths), count);
  const auto prompt = static_cast<std::int64_t>(options.prompt.size());
  Sequences sequences(*model, prompted, options);
  if (prompt > 0) {
    Modes given = modes;
    given[prompted] = Mode::observed;
    Phase read(model, request_of(*model, given, false), options, weights);
    state = runtime::empty_state<float>(*model, read.segments().slots(lengths), count);
    const std::int64_t settled = std::max<std::int64_t>(read.segments().settled(), 1);
    for (std::int64_t from = 0; from < prompt;) {
      const std::int64_t steps = std::min(from < settled ? settled - from : kRead, prompt - from);
      read.run(from, steps, state);
      sequences.add_beside(read, from, steps);
      from += steps;
    }
    state = reordered(std::move(state), draw.segments().slots(lengths), *model);
  }
  const std::int64_t settled = std::max<std::int64_t>(draw.segments().settled(), 1);
  for (std::int64_t from = prompt; from < options.steps && !sequences.all_ended();) {
    const std::int64_t steps =
        std::min(from < settled ? settled - from : kDraw, options.steps - from);
    draw.run(from, steps, state);
    sequences.add(draw, from, steps);
    from += steps;
  }
  return options.tell ? std::vector<Tensors>() : sequences.tensors();
}

// one length that is open, and random variables along it alone
bool is_simple(const ResolvedModel& model) {
  if (model.lengths.size() != 1 || model.fixed_lengths[0] >= 0) return false;
  return std::ranges::none_of(model.symbols, [](const Symbol& s) { return s.length >= 0; });
}

}  // namespace

std::optional<std::vector<Tensors>> sample_in_segments(
    const Definition& d, const std::shared_ptr<const ResolvedModel>& model, const Tensors& weights,
    const SampleOptions& options) {
  if (!is_simple(*model)) return {};
  try {
    SegmentRequest probe = request_of(*model, modes_of(*model, options), true);
    if (Segments(model, probe).settled() < 0) return {};
  } catch (const Error& e) {
    if (e.diagnostics().front().code != "G040") throw;
    return {};
  }
  const std::string prompted = options.prompt.empty() ? "" : text_variable(d).name;
  return drawn(model, modes_of(*model, options), prompted, weights, options);
}

}  // namespace taugrad
