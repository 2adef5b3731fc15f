#include "train/loop/replay.h"

#include <algorithm>
#include <chrono>

#include "evaluate/not_finite.h"
#include "taugrad/ops/records.h"
#include "train/data/counted.h"
#include "train/loop/plan.h"
#include "unfold/unfolder.h"

namespace taugrad {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLongest{20};

void fill(Interpreter<float>& run, const Tensors& weights, const Items& data, std::size_t item,
          const BatchRun& how) {
  for (const NodeId id : run.leaves()) {
    const DataLeaf leaf = data_leaf(run.tape(), id);
    const std::span<float> to = run.leaf(id);
    if (to.empty()) continue;  // the item has no such step
    if (leaf.name.starts_with(mix_input(""))) {
      to[0] = static_cast<float>(how.mixes.at(leaf.name.substr(mix_input("").size())));
    } else if (&run.tape().op(id) != &kWeight) {
      fill_leaf(leaf, data, {&item, 1}, to);
    } else {
      const Tensor& w = weights.at(leaf.name);
      const auto first = static_cast<std::size_t>(flat_position(w, leaf.at)) * to.size();
      std::ranges::copy(w.values<float>().subspan(first, to.size()), to.begin());
    }
  }
}

std::optional<Replayed> replay_item(const std::shared_ptr<const ResolvedModel>& model,
                                    const Modes& modes, const Tensors& weights, const Dataset& all,
                                    std::size_t item, const BatchRun& how) {
  Items data(all);
  std::vector<std::int64_t> lengths;
  for (const std::string& name : model->lengths) lengths.push_back(data.length(item, name));
  const LossGraph g = loss_graph(model, lengths, false, modes, {.partly = partly_given(all)});
  const Tape& tape = g.unfolded.graph().tape();
  if (!fits_interpreter(tape)) return {};
  Interpreter<float> run(tape, g.outputs);
  run.set_batch(batch_context(model->lengths, data, {item}, how), 1);
  data.load({&item, 1});
  fill(run, weights, data, item, how);
  run.run();
  for (std::size_t k = 0; k < g.outputs.size(); ++k) {
    auto source = source_of_not_finite(tape, run, g.outputs[k]);
    if (!source) continue;
    source->of = k == 0 ? "the loss" : "the gradient of " + g.slots[k - 1].name;
    Replayed found{item, *source};
    if (&tape.op(source->node) == &kWeight) found.leaf = Replayed::Leaf::weight;
    if (&tape.op(source->node) == &kInput) found.leaf = Replayed::Leaf::data;
    return found;
  }
  return {};
}

}  // namespace

std::optional<Replayed> replay(const std::shared_ptr<const ResolvedModel>& model,
                               const Modes& modes, const Tensors& weights, const Dataset& data,
                               const std::vector<std::size_t>& items, const BatchRun& how) {
  const auto begun = Clock::now();
  for (const std::size_t item : items) {
    if (auto found = replay_item(model, modes, weights, data, item, how)) return found;
    if (Clock::now() - begun > kLongest) break;
  }
  return {};
}

}  // namespace taugrad
