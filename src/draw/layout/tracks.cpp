#include "draw/layout/tracks.h"

#include <algorithm>
#include <numeric>

namespace taugrad::draw {
namespace {

constexpr double kClearance = 0.5;

struct NetStretch {
  double from, to;
  std::vector<std::size_t> members;
};

// Stretches of one lane and net, sorted by `from`, become one each where they touch or not: a net
// keeps one track.
std::vector<NetStretch> join_nets(const std::vector<Stretch>& all,
                                  const std::vector<std::size_t>& lane) {
  std::vector<NetStretch> nets;
  for (std::size_t i = 0; i < lane.size(); ++i) {
    const Stretch& s = all[lane[i]];
    if (i == 0 || all[lane[i - 1]].net != s.net) nets.push_back({s.from, s.to, {}});
    nets.back().from = std::min(nets.back().from, s.from);
    nets.back().to = std::max(nets.back().to, s.to);
    nets.back().members.push_back(lane[i]);
  }
  std::stable_sort(nets.begin(), nets.end(),
                   [](const auto& a, const auto& b) { return a.from < b.from; });
  return nets;
}

}  // namespace

std::vector<int> assign_tracks(std::vector<Stretch>& stretches, int lanes) {
  std::vector<int> used(static_cast<std::size_t>(lanes), 0);
  std::vector<std::vector<std::size_t>> by_lane(static_cast<std::size_t>(lanes));
  for (std::size_t i = 0; i < stretches.size(); ++i)
    by_lane[static_cast<std::size_t>(stretches[i].lane)].push_back(i);
  for (std::size_t l = 0; l < by_lane.size(); ++l) {
    auto& lane = by_lane[l];
    std::stable_sort(lane.begin(), lane.end(), [&](std::size_t a, std::size_t b) {
      return stretches[a].net < stretches[b].net;
    });
    std::vector<double> free_from;  // by track
    for (const NetStretch& net : join_nets(stretches, lane)) {
      std::size_t track = 0;
      while (track < free_from.size() && free_from[track] > net.from) ++track;
      if (track == free_from.size()) free_from.push_back(0);
      free_from[track] = net.to + kClearance;
      for (const std::size_t member : net.members)
        stretches[member].track = static_cast<int>(track);
    }
    used[l] = static_cast<int>(free_from.size());
  }
  return used;
}

std::vector<double> spread(const std::vector<double>& wishes, const std::vector<double>& weights,
                           const std::vector<double>& separations) {
  struct Pool {
    double sum, weight;
    std::size_t count;
    double mean() const { return sum / weight; }
  };
  std::vector<Pool> pools;  // pool adjacent violators
  std::vector<double> shift(wishes.size(), 0), places(wishes.size(), 0);
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    if (i > 0) shift[i] = shift[i - 1] + separations[i];
    pools.push_back({(wishes[i] - shift[i]) * weights[i], weights[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().weight += last.weight;
      pools.back().count += last.count;
    }
  }
  std::size_t i = 0;
  for (const Pool& pool : pools) {
    for (std::size_t k = 0; k < pool.count; ++k, ++i) places[i] = pool.mean() + shift[i];
  }
  return places;
}

}  // namespace taugrad::draw
