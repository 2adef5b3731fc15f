#include "fold/fold_timing.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>

#include "base/index.h"

namespace taugrad::folding {
namespace {

constexpr std::int64_t kUnexplained = 10;  // a boundary that the delay does not account for
constexpr int kRounds = 8;

// Orbits joined by reads, numbered.
std::vector<int> domains(std::size_t count, const std::vector<OrbitRead>& reads) {
  std::vector<int> parent(count);
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](int i) {
    while (parent[at(i)] != i) i = parent[at(i)] = parent[at(parent[at(i)])];
    return i;
  };
  for (const OrbitRead& r : reads) parent[at(root(r.reader))] = root(r.read);
  std::map<int, int> numbers;
  std::vector<int> domain(count);
  for (std::size_t i = 0; i < count; ++i)
    domain[i] = numbers.try_emplace(root(static_cast<int>(i)), static_cast<int>(numbers.size()))
                    .first->second;
  return domain;
}

// The commonest number of instances, of each domain; of two the larger.
std::vector<std::int64_t> lengths(const std::vector<std::int64_t>& counts,
                                  const std::vector<int>& domain) {
  std::map<int, std::map<std::int64_t, int>> votes;
  for (std::size_t i = 0; i < counts.size(); ++i) ++votes[domain[i]][counts[i]];
  std::vector<std::int64_t> length(votes.size());
  for (const auto& [d, of] : votes) {
    int most = 0;
    for (const auto& [count, vote] : of)
      if (vote >= most) {
        most = vote;
        length[at(d)] = count;
      }
  }
  return length;
}

class OrbitPlacer {
 public:
  OrbitPlacer(const std::vector<std::int64_t>& counts, const std::vector<OrbitRead>& reads)
      : counts_(counts), timing_(counts.size()), touching_(counts.size()) {
    const std::vector<int> domain = domains(counts.size(), reads);
    const std::vector<std::int64_t> length = lengths(counts, domain);
    for (std::size_t i = 0; i < counts.size(); ++i)
      timing_[i] = {.shift = 0, .steps = length[at(domain[i])], .domain = domain[i]};
    for (const OrbitRead& r : reads) {
      touching_[at(r.reader)].push_back(&r);
      if (r.read != r.reader) touching_[at(r.read)].push_back(&r);
    }
  }

  std::vector<Timing> run() {
    for (std::size_t i = 0; i < counts_.size(); ++i) timing_[i].shift = first_guess(i);
    bool changed = true;
    for (int round = 0; changed && round < kRounds; ++round) {
      changed = false;
      for (std::size_t i = 0; i < counts_.size(); ++i) changed = improve(i) || changed;
    }
    return std::move(timing_);
  }

 private:
  // an orbit too long has its boundary where it reads boundaries itself
  std::int64_t first_guess(std::size_t i) const {
    const std::int64_t excess = counts_[i] - timing_[i].steps;
    if (excess <= 0) return 0;
    const bool breaks_first =
        std::any_of(touching_[i].begin(), touching_[i].end(),
                    [&](const OrbitRead* r) { return at(r->reader) == i && r->from > 1; });
    return breaks_first ? -excess : 0;
  }

  bool improve(std::size_t i) {
    const std::int64_t spare = timing_[i].steps - counts_[i];
    if (spare == 0) return false;
    const std::int64_t now = timing_[i].shift;
    std::int64_t best = now, least = cost(i);
    for (std::int64_t shift = std::min<std::int64_t>(spare, 0);
         shift <= std::max<std::int64_t>(spare, 0); ++shift) {
      timing_[i].shift = shift;
      if (const std::int64_t c = cost(i); c < least) {
        least = c;
        best = shift;
      }
    }
    timing_[i].shift = best;
    return best != now;
  }

  std::int64_t cost(std::size_t i) const {
    std::int64_t sum = 0;
    for (const OrbitRead* r : touching_[i]) sum += cost(*r);
    return sum;
  }

  std::int64_t cost(const OrbitRead& r) const {
    const Timing &reader = timing_[at(r.reader)], &read = timing_[at(r.read)];
    const std::int64_t n = counts_[at(r.reader)], m = counts_[at(r.read)];
    const std::int64_t low = reader.first(), high = reader.last(n);
    const std::int64_t from = std::max({r.from, low, read.first() + r.offset});
    const std::int64_t to = std::min({r.to, high, read.last(m) + r.offset});
    if (from > to) return kUnexplained * reader.steps;
    const std::int64_t delay = r.offset + reader.shift - read.shift;
    return kUnexplained * std::abs(delay - ((from - low) - (high - to))) + std::abs(delay);
  }

  const std::vector<std::int64_t>& counts_;
  std::vector<Timing> timing_;
  std::vector<std::vector<const OrbitRead*>> touching_;
};

}  // namespace

std::vector<Timing> place_orbits(const std::vector<std::int64_t>& counts,
                                 const std::vector<OrbitRead>& reads) {
  return OrbitPlacer(counts, reads).run();
}

}  // namespace taugrad::folding
