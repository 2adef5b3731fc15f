#include "taugrad/train/trainer.h"

#include <algorithm>
#include <utility>

#include "analysis/state_flow.h"
#include "base/fail.h"
#include "evaluate/leaves/batch_data.h"
#include "evaluate/leaves/data_values.h"
#include "rewrite/chunks/chunks.h"
#include "train/data/counted.h"
#include "train/loop/stack.h"
#include "train/loop/trainer_parts.h"
#include "unfold/segments.h"

namespace taugrad {
namespace {

// the same share of the same epoch
std::int64_t moved(std::int64_t position, std::int64_t batches, std::int64_t batches_now) {
  if (batches <= 0 || batches == batches_now) return position;
  return position / batches * batches_now + position % batches * batches_now / batches;
}

constexpr std::string_view kRaw = "raw.", kCarried = "carried.";

/// Takes the tensors of a prefix out of a state.
Tensors take_prefixed(Tensors& state, std::string_view prefix) {
  Tensors taken;
  for (auto it = state.lower_bound(std::string(prefix));
       it != state.end() && it->first.starts_with(prefix);) {
    taken.emplace(it->first.substr(prefix.size()), std::move(it->second));
    it = state.erase(it);
  }
  return taken;
}

/// Counts of a batch what training counts. Where a target is not given stands what no batch may
/// hold: that is taken out of it, and goes by the data's check.
analysis::CountedLoss counted_loss_of(const ResolvedModel& model, const Items& data,
                                      const std::vector<std::size_t>& items,
                                      std::set<std::string> partly, Tensors& batch) {
  analysis::CountedLoss counted;
  if (partly.empty()) return counted;
  for (const std::string& name : partly) {
    const Symbol& s = model.symbols[static_cast<std::size_t>(model.find(name))];
    Tensor& t = batch.at(name);
    counted.inputs[counted_input(name)] = counted_targets(s, data, items, t);
    Tensor whole = std::exchange(t, Tensor(t.dims(), t.dtype()));
    for (std::int64_t e = 0; e < whole.size(); ++e)
      if (!in_range(s, whole.at(e))) whole.set(e, s.category >= 0 ? -1 : 0);
    counted.inputs[name] = std::move(whole);
  }
  counted.loss = [partly = std::move(partly)](const Unfolded& u) {
    return counted_loss(u, partly);
  };
  return counted;
}

}  // namespace

Trainer::Trainer(const Definition& d, Dataset data, const TrainOptions& options)
    : parts_(std::make_unique<Parts>(d, std::move(data), options)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;

Trainer::Parts& Trainer::parts() const {
  if (!parts_) fail(Status::usage, "U021", "a trainer that was moved from");
  return *parts_;
}

void Trainer::restore(TrainState state) {
  Parts& p = parts();
  if (state.updates < 0) fail(Status::usage, "U022", "a training of {} updates", state.updates);
  p.check_state(state);
  p.plans.clear();  // they read the weights where these were
  if (p.windows) p.windows->forget_plans();
  Tensors raw = take_prefixed(state.optimizer, kRaw);
  Tensors carried = take_prefixed(state.optimizer, kCarried);
  if (p.options.average > 0) p.averaged = state.weights;
  p.weights = std::move(state.weights);
  for (auto& [name, w] : raw)  // what is averaged goes on from where it was
    if (const auto own = p.weights.find(name);
        own != p.weights.end() && own->second.dims() == w.dims())
      own->second = std::move(w);
  const std::int64_t place = state.updates + state.place.ahead;
  p.ahead = moved(place, state.place.batches, p.schedule.batches()) - state.updates;
  p.plateau = state.place.plateau;
  p.optimizer.restore(std::move(state.optimizer), state.updates);
  p.from = 0;
  if (p.windows && state.place.from > 0 && state.place.batches == p.schedule.batches() &&
      p.windows->set_state(carried, p.items, p.items_at(p.position()), state.place.from))
    p.from = state.place.from;
  p.guarded.look(p.weights, p.gradients, p.optimizer);
  p.count_updates();
}

TrainState Trainer::state() const {
  const Parts& p = parts();
  TrainState s{updates(),
               weights(),
               p.optimizer.state(),
               {p.schedule.batches(), p.ahead, p.from, p.plateau}};
  if (p.options.average > 0)
    for (const auto& [name, g] : p.gradients)
      s.optimizer.emplace(std::string(kRaw) + name, p.weights.at(name));
  if (p.windows && p.from > 0)
    for (auto& [name, t] : p.windows->state()) s.optimizer.emplace(std::string(kCarried) + name, t);
  return s;
}

void Trainer::set_weights(const Tensors& given) {
  Parts& p = parts();
  for (const auto& [name, w] : given) {
    const auto own = p.weights.find(name);
    if (own == p.weights.end() || own->second.dims() != w.dims())
      fail(Status::bad_input, "S013", "weight \"{}\" is {}, {}", name, dims_text(w.dims()),
           own == p.weights.end() ? "but the definition has none of this name"
                                  : "the definition needs " + dims_text(own->second.dims()));
    const Tensor narrow = w.to(Dtype::f32);  // in place: plans read them there
    std::ranges::copy(narrow.values<float>(), own->second.values<float>().begin());
  }
  if (p.options.average > 0) p.averaged = p.weights;
  p.guarded.look(p.weights, p.gradients, p.optimizer);
}

void Trainer::measured(double loss) {
  Parts& p = parts();
  p.lr.measured(loss, p.plateau);
}

std::vector<std::string> Trainer::idle() const {
  const Parts& p = parts();
  if (updates() == 0) return {};
  return {p.idle.begin(), p.idle.end()};
}

std::vector<std::string> Trainer::warnings() const {
  const Parts& p = parts();
  if (!p.planner || !p.planner->lacks_chunks()) return {};
  return {fmt::format("a chunk of {} changes nothing: {}", p.options.engine.chunk, kNoChunks)};
}

Update Trainer::step() {
  Parts& p = parts();
  Update u;
  u.update = updates() + 1;
  u.epoch = p.position() / p.schedule.batches();
  u.from = p.from;
  for (const auto& [name, mode] : p.options.modes)
    if (mode.kind == Mode::Kind::mixed) u.mixes[name] = mode.data.at(updates());
  for (auto& [name, g] : p.gradients) std::ranges::fill(g.values<float>(), 0.0F);
  const std::int64_t minibatches = p.options.epochs * p.schedule.batches();
  const std::int64_t ahead = p.ahead, from = p.from;
  const Tensors carried = p.windows && from > 0 ? p.windows->state() : Tensors{};
  BatchRun how{.train = true, .mixes = u.mixes};
  p.pieces.clear();
  try {
    for (std::int64_t piece = 0; piece < p.options.accumulate; ++piece) {
      if (piece > 0 && p.position() >= minibatches) break;
      how.seed = p.options.seed + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(u.update) +
                 0xC2B2AE3D27D4EB4FULL * static_cast<std::uint64_t>(piece);
      const std::vector<std::size_t> items = p.items_at(p.position());
      u.loss += p.add_piece(u, how);
      p.next_piece(items);
      ++p.ahead;  // beyond this update's own minibatch
    }
    --p.ahead;
    p.finish(u);
  } catch (...) {  // as if it had not begun
    p.ahead = ahead;
    p.from = from;
    if (from > 0) p.windows->set_state(carried, p.items, p.items_at(p.position()), from);
    throw;
  }
  return u;
}

std::vector<StateFlow> Trainer::flow() const {
  const Parts& p = parts();
  Schedule schedule = p.schedule;  // arranging an epoch is not this one's business
  const auto items =
      schedule.batch(p.position() / schedule.batches(), p.position() % schedule.batches());
  FlowOptions options;
  options.seed = p.options.seed;
  Items data(p.data);
  for (const std::vector<std::size_t>& group : p.batching.groups(data, items)) {
    data.load(group);
    Tensors batch = stacked(*p.model, data, group);
    const analysis::CountedLoss counted =
        counted_loss_of(*p.model, data, group, partly_given(p.data), batch);
    std::vector<StateFlow> flow =
        analysis::counted_state_flow(p.definition, batch, p.weights, options, counted);
    if (!flow.empty()) return flow;
  }
  return {};
}

std::int64_t Trainer::updates() const { return parts().optimizer.updates(); }
std::int64_t Trainer::total_updates() const { return parts().total; }
std::int64_t Trainer::updates_of_epoch() const {
  const Parts& p = parts();
  const std::int64_t pieces = p.windows_between(0, p.schedule.batches());
  return (pieces + p.options.accumulate - 1) / p.options.accumulate;
}
const Tensors& Trainer::weights() const {
  return parts().options.average > 0 ? parts().averaged : parts().weights;
}
std::int64_t Trainer::parameters() const {
  std::int64_t n = 0;
  for (const auto& [name, w] : parts().weights) n += w.size();
  return n;
}

}  // namespace taugrad
