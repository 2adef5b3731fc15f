#include "rewrite/chunks/turns.h"

#include <algorithm>
#include <utility>
#include <vector>

// Steps of several updates.

namespace taugrad {
namespace {

bool are_like(const LinearUpdate& a, const LinearUpdate& b) {
  const auto same = [](const FactorProduct& x, const FactorProduct& y) { return x.is_like(y); };
  const bool alike = a.gate.is_like(b.gate) && std::ranges::equal(a.added, b.added, same);
  if (!a.correction || !b.correction) return alike && !a.correction && !b.correction;
  return alike && a.correction->is_like(*b.correction);
}

/// Whether all that is made of a state is another one, to which a product is added.
bool only_adds(const Users& users, const LinearUpdate& before, const LinearUpdate& next) {
  return next.gate.factors.empty() && !next.gate.negative && !next.correction &&
         std::ranges::all_of(users.of(before.state), [&](NodeId user) {
           return user == next.state || std::ranges::count(next.way, user) > 0;
         });
}

FactorProduct of_kind(FactorProduct product, Factor::Kind kind) {
  std::erase_if(product.factors, [&](const Factor& f) { return f.kind != kind; });
  return product;
}
/// The nodes of factors that are neither numbers nor of the line; of a product that has no line
/// there are none.
std::vector<std::pair<NodeId, bool>> others(const FactorProduct& product, Factor::Kind line) {
  std::vector<std::pair<NodeId, bool>> nodes;
  for (const Factor& f : product.factors)
    if (f.kind != Factor::Kind::number && f.kind != line) nodes.emplace_back(f.node, f.below);
  return nodes;
}

}  // namespace

Turns turns_of(std::span<const LinearUpdate* const> all) {
  constexpr std::size_t kMostAStep = 4;
  Turns best{1, 1};
  for (std::size_t period = 1; period <= kMostAStep; ++period) {
    std::size_t n = period;
    while (n < all.size() && are_like(*all[n - period], *all[n])) ++n;
    n -= n % period;
    if (n > period && n > best.count) best = {period, n};
  }
  return best;
}

void join(StateChain& chain, const Users& users) {
  const std::size_t period = chain.period, count = chain.updates.size() / period;
  for (std::size_t t = 0; t < chain.updates.size(); ++t)
    if (t % period != 0 && !only_adds(users, chain.updates[t - 1], chain.updates[t])) return;
  std::vector<LinearUpdate> joined;
  for (std::size_t step = 0; step < count; ++step) {
    LinearUpdate all = std::move(chain.updates[step * period]);
    for (std::size_t i = 1; i < period; ++i) {
      LinearUpdate& next = chain.updates[step * period + i];
      all.way.push_back(all.state);
      all.way.insert(all.way.end(), next.way.begin(), next.way.end());
      all.opened.insert(all.opened.end(), next.opened.begin(), next.opened.end());
      all.added.push_back(std::move(next.added.front()));
      all.state = next.state;
    }
    joined.push_back(std::move(all));
  }
  chain.updates = std::move(joined);
  chain.period = 1;
}

void fold(StateChain& chain) {
  for (std::size_t i = chain.updates.front().added.size(); i-- > 1;) {
    const auto goes_along = [&](const LinearUpdate& u) {
      return u.correction && i < u.added.size() &&
             !of_kind(u.added[i], u.correction->line).factors.empty() &&
             others(u.added[0], u.correction->line) == others(u.added[i], u.correction->line);
    };
    if (!std::ranges::all_of(chain.updates, goes_along)) continue;
    for (LinearUpdate& u : chain.updates) {
      Correction& c = *u.correction;
      FactorProduct& first = u.added[0];
      const FactorProduct scale = of_kind(first, Factor::Kind::number);
      c.scale = c.scale.times(scale);
      for (FactorProduct& rest : c.rest) rest = rest.times(scale);
      std::erase_if(first.factors, [](const Factor& f) { return f.kind == Factor::Kind::number; });
      first.negative = false;
      c.rest.push_back(
          of_kind(u.added[i], Factor::Kind::number).times({of_kind(u.added[i], c.line).factors}));
      u.added.erase(u.added.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace taugrad
