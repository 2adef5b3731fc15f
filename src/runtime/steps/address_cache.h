#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/gemm/outer.h"
#include "kernels/gemm/panels.h"
#include "kernels/rows/row_math.h"
#include "kernels/tiles/tile_math.h"
#include "taugrad/graph/op.h"

namespace taugrad::runtime {

/// Elements from one address to another, perhaps of another array.
template <class S>
std::int64_t elements_between(const S* from, const S* to) {
  return (reinterpret_cast<std::intptr_t>(to) - reinterpret_cast<std::intptr_t>(from)) /
         static_cast<std::int64_t>(sizeof(S));
}

/// A stream of a region: its rows.
template <class S>
struct RowSource {
  S* data;
  std::int64_t stride;
  std::int64_t rows;  ///< beyond them it is zero
};

/// What a worker's share of each step works on, as addresses: found when a step of a batch runs for
/// the first time, good until storage or rows change. Finding it takes as long as a small product,
/// and values that many steps of a sequence lay out at one distance are kept as one. Of a long plan
/// nothing is kept in its first run, which may be its only one, nor later where it goes on evenly.
template <class S>
class AddressCache {
 public:
  enum class Kind : std::uint8_t {
    unknown,    ///< not found yet
    products,   ///< `groups`
    tile,       ///< one instance of a region, no longer than a tile: its table in `tables`
    lines,      ///< the same of a short plan: its `lines`
    tiles,      ///< `instances` of a region
    rows,       ///< `regions` whose streams are not all rows without gaps
    calls,      ///< `calls` of an op's own rule
    additions,  ///< one of `additions`
    sums,       ///< `segments` of a sum over items
    pack,       ///< a matrix to be packed
    done,       ///< a matrix that stays packed, or that another worker packs
    other       ///< nothing is kept
  };
  struct Step {
    Kind kind = Kind::unknown;
    std::int32_t program = -1;           ///< of a region; of calls their rule in `rules`
    std::uint32_t first = 0, count = 0;  ///< in what the kind says; of a tile its elements
    std::uint32_t number = 0;            ///< in the plan
    bool operator==(const Step&) const = default;
  };

  /// Rows that meet one packed matrix.
  struct Group {
    std::uint32_t first, count;  ///< in `blocks`
    std::int32_t panels;
    std::int32_t from, to;  ///< of its panels
    bool accumulate;
    std::uint32_t beside = 1;  ///< groups from this one on that are one product; then
    std::uint32_t wide = 0;    ///< all of their panels, in `wide`
    bool operator==(const Group&) const = default;
  };
  /// Instances of a region whose streams are rows without gaps.
  struct Instances {
    std::uint32_t first;    ///< in `streams`: those of the first instance and, if there are
                            ///< more, of the second; the others follow at the same distances
    std::uint32_t count;    ///< of the instances
    std::int64_t elements;  ///< of each
    bool operator==(const Instances&) const = default;
  };

  /// Rows of instances of a region, each with its own places.
  struct Region {
    std::int64_t first, last, elements;
    std::uint32_t source = 0;  ///< the streams of the first and, if there are more, of the second
                               ///< in `sources`; the others follow at the same distances
    std::uint32_t count = 1;   ///< of the instances
    bool operator==(const Region&) const = default;
  };

  /// An op's own rule with all that does not change from row to row.
  struct Rule {
    Forward<S> forward;
    Call<S> call;
    std::uint32_t operands;  ///< of a row
  };
  /// Rows of a sum of few terms.
  struct Addition {
    std::uint32_t first, count;  ///< in `terms`
    std::int64_t rows, elements;
    S* out;
    std::int64_t stride;
  };
  /// Rows that an op's own rule makes.
  struct Rows {
    std::uint32_t first;  ///< of its operands in `operands`
    std::int64_t count;
    S* out;
  };

  /// Steps of a plan whose work is kept as calls: of longer ones they would crowd the cache.
  static constexpr std::size_t kShortScript = 64;

  void forget() {
    runs_ = 0;
    even_ = false;
  }
  /// Before a run of so many steps. @param told  they come again and again, and a law tells them
  void prepare(std::size_t steps, bool told = false) {
    if (runs_ > 0 && keeps_) return;
    keeps_ = told ? runs_ > 0 && !even_ : steps <= kFewSteps || runs_ > 0;
    ++runs_;
    of_step_.assign(keeps_ ? steps : 0, {});
    script.clear();
    clear();
  }
  /// Whether what is found is kept: else it is good for one step.
  bool keeps() const { return keeps_; }
  /// Whether a list of the steps would make later runs no faster: what they work on moves on
  /// evenly.
  void set_even(bool even) { even_ = even; }
  void clear() {
    blocks.clear();
    groups.clear();
    wide.clear();
    tables.clear();
    lines.clear();
    ops.clear();
    streams.clear();
    instances.clear();
    sources.clear();
    regions.clear();
    segments.clear();
    calls.clear();
    rules.clear();
    operands.clear();
    additions.clear();
    terms.clear();
  }
  Step& of(std::size_t step) { return of_step_[step]; }
  const Step& of(std::size_t step) const { return of_step_[step]; }

  /// Lists the steps that have anything to do in later runs, when all of them are known.
  void list();

  // What goes on where the last of those from number `first` on ends joins it. @return whether it
  // does; then others like it at the same distance would too, and `repeat` adds so many of them
  bool add(const kernels::RowBlock<S>& block, std::size_t first);
  /// With `apart`, it never does.
  bool add(const kernels::Segment<S>& segment, std::size_t first, bool apart);
  /// An instance with the streams at `place`.
  bool add(std::span<S* const> place, std::int64_t elements, std::size_t first);
  bool add(std::span<const RowSource<S>> streams, const Region& region, std::size_t first);
  void repeat(const kernels::RowBlock<S>& block, std::int64_t times) {
    blocks.back().m += times * block.m;
  }
  void repeat(const kernels::Segment<S>& segment, std::int64_t times) {
    segments.back().rows += times * segment.rows;
  }
  void repeat_instance(std::int64_t times) {
    instances.back().count += static_cast<std::uint32_t>(times);
  }
  void repeat_region(std::int64_t times) {
    regions.back().count += static_cast<std::uint32_t>(times);
  }
  /// Rows of `size` elements: their operands, the result.
  bool add(std::span<const Operand<S>> in, const Rows& rows, std::int64_t size, std::size_t first);
  void repeat(std::span<const Operand<S>> in, const Rows& rows, std::int64_t times);
  /// The number of a rule, of which steps one after another often have the same.
  std::int32_t add(const Rule& rule);
  /// Instances that follow one another without gaps become one.
  void join(std::size_t streams_each, std::size_t first);

  /// Whether the addresses of products and regions are those of `other` but for where they point.
  bool differs_in_places_only(const AddressCache& other) const;
  /// What those addresses move by, to those of another that differs in places only.
  std::vector<std::int64_t> distances(const AddressCache& to) const;
  void move_on(const std::vector<std::int64_t>& distances, std::int64_t times = 1);
  /// Of those distances, how many stand before those of `streams`.
  std::size_t places_before_streams() const {
    return 2 * blocks.size() + tables.size() + 4 * lines.size();
  }
  /// Addresses of all kinds.
  std::size_t size() const;
  /// What lies in `from` lies in `to` from now on.
  void move(std::span<const S> from, S* to);

  std::vector<kernels::RowBlock<S>> blocks;
  std::vector<Group> groups;
  std::vector<kernels::Panels<S>> wide;
  std::vector<Step> script;  ///< what `list` found; empty: nothing yet
  std::vector<S*> tables;    ///< all that the instructions of a program name
  std::vector<kernels::TileCall<S>> lines;
  std::vector<kernels::TileOp> ops;  ///< of `lines`
  std::vector<S*> streams;
  std::vector<Instances> instances;
  std::vector<RowSource<S>> sources;
  std::vector<Region> regions;
  std::vector<kernels::Segment<S>> segments;
  std::vector<Rows> calls;
  std::vector<Rule> rules;
  std::vector<Operand<S>> operands;
  std::vector<Addition> additions;
  std::vector<kernels::RowOperand<S>> terms;

 private:
  /// Calls body(place) for every address of a product or a region.
  template <class Cache, class Body>
  static void each_place(Cache& cache, const Body& body);

  static constexpr std::size_t kFewSteps = 1 << 16;

  int runs_ = 0;  // since what is found was forgotten
  bool keeps_ = false, even_ = false;
  std::vector<Step> of_step_;
};

}  // namespace taugrad::runtime
