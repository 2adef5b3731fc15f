// Random variables: their value in every mode, and the likelihood of their target (R12).
#include "language/resolve/drawing.h"
#include "taugrad/ops/ops.h"
#include "unfold/unfolder.h"

namespace taugrad {

void Unfolder::set_modes() {
  for (const Symbol& s : model_.symbols) {
    const auto mode = options_.modes.find(s.name);
    modes_.push_back(mode == options_.modes.end() ? Mode::observed : mode->second);
    const Mode::Kind kind = modes_.back().kind;
    has_data_.push_back((kind != Mode::Kind::sampled && kind != Mode::Kind::greedy) ||
                        options_.given.contains(s.name));
  }
}

bool Unfolder::observed(const Symbol& s, const Positions& at) const {
  if (!s.random()) return false;
  const Mode& mode = mode_of(s);
  if (mode.kind == Mode::Kind::mixed)
    return !inside(s, at);  // where there are no data there is nothing to mix
  if (mode.kind == Mode::Kind::observed) return true;
  return mode.is_data(at.empty() ? 1 : at[0]) && before_data_end(s, at);
}

bool Unfolder::before_data_end(const Symbol& s, const Positions& at) const {
  for (std::size_t a = 0; a < at.size() && a < s.axes.size(); ++a) {
    const int length = model_.index_length[static_cast<std::size_t>(s.axes[a])];
    const auto end = options_.data_lengths.find(model_.lengths[static_cast<std::size_t>(length)]);
    if (end != options_.data_lengths.end() && at[a] > end->second) return false;
  }
  return true;
}

// whether the likelihood at a position scores data, which the value there need not be (R12)
bool Unfolder::scores_data(const Symbol& s, const Positions& at) const {
  return observed(s, at) || (has_data_[static_cast<std::size_t>(&s - model_.symbols.data())] &&
                             inside(s, at) && before_data_end(s, at));
}

Var nll_of(const Symbol& s, Var y, Var a, Var second, ExtentId extent) {
  if (!a.per_example() && !s.normal()) a = to_items(a, extent);
  switch (s.distribution) {
    case DistributionKind::categorical_logits:
      return nll_categorical(a, y);
    case DistributionKind::categorical_p:
      return nll_categorical_p(a, y);
    case DistributionKind::bernoulli_logits:
      return nll_bernoulli(a, y);
    case DistributionKind::bernoulli_p:
      return nll_bernoulli_p(a, y);
    case DistributionKind::normal:
      return nll_normal(y, broadcast_to(a, s.shape), broadcast_to(second, s.shape));
    case DistributionKind::none:
      break;
  }
  return {};
}

void Unfolder::place_nll(const Task& task, const Setting& setting) {
  const Rule& rule = model_.rules[static_cast<std::size_t>(task.rule)];
  const Symbol& s = symbol(rule.symbol);
  Done& d = done(rule);
  const Positions at = position_of(rule, task.letters);
  Var a = tape_.var(d.argument0.get(task.letters));
  const NodeId second = d.argument1.get(task.letters);
  const Var y = tape_.var(s.length >= 0        ? length_node(s.length, setting.extent)
                          : scores_data(s, at) ? given(rule.symbol, at)
                                               : d.value.get(task.letters));
  NameId& name = nll_names_[static_cast<std::size_t>(rule.symbol)];
  if (name == 0) name = tape_.intern_name("nll:" + s.name, letters_of(s.axes));
  const IndexId index = index_at(at, s.axes);
  tape_.set_owner(name, index);
  const Var nll = nll_of(s, y, a, second < 0 ? Var{} : tape_.var(second), setting.extent);
  tape_.set_value(nll.id, name, index);
  tape_.set_owner(0, 0);
  d.nll.set(task.letters, nll.id);
  nlls_[static_cast<std::size_t>(rule.symbol)]->set(at, nll.id);
}

// A draw or the mode of the distribution; of a mixed variable the data where a coin says so. (R12)
NodeId Unfolder::random_value(const Task& task, const Setting& setting) {
  const Rule& rule = model_.rules[static_cast<std::size_t>(task.rule)];
  const Symbol& s = symbol(rule.symbol);
  const Mode& mode = mode_of(s);
  const Positions at = position_of(rule, task.letters);
  Var a = tape_.var(done(rule).argument0.get(task.letters));
  const NodeId second = done(rule).argument1.get(task.letters);
  tape_.set_owner(names_[static_cast<std::size_t>(rule.symbol)], index_at(at, s.axes));
  if (!a.per_example()) a = to_items(a, setting.extent);
  Var y = mode.takes_likeliest() ? likeliest(s, a)
                                 : drawn(s, a, second < 0 ? Var{} : tape_.var(second),
                                         {options_.temperature, options_.top_k, options_.top_p});
  if (s.normal() && !mode.pathwise) y = stop_gradient(y);
  if (mode.kind == Mode::Kind::mixed && before_data_end(s, at))
    y = mixed_with_data(y, rule.symbol, at, setting);
  const NodeId id = finish_value(y.id, s, setting, at);
  tape_.set_owner(0, 0);
  return id;
}

Var Unfolder::mixed_with_data(Var value, int number, const Positions& at, const Setting& setting) {
  const NameId owner = tape_.owner_name();
  const IndexId owner_index = tape_.owner_index();
  const Symbol& s = symbol(number);
  auto mix = mixes_.find(number);
  if (mix == mixes_.end()) {
    tape_.set_owner(0, 0);
    mix = mixes_.emplace(number, input(tape_, mix_input(s.name), {}, {}, kShared).id).first;
    tape_.set_owner(owner, owner_index);
  }
  const Var data = tape_.var(fit(given(number, at), setting.extent));
  const Var coin =
      draw_bernoulli(to_items(tape_.var(mix->second), setting.extent), mix_input(s.name));
  return where(coin, data, value);
}

}  // namespace taugrad
