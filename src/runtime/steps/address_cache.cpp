#include "runtime/steps/address_cache.h"

#include <algorithm>
#include <functional>

namespace taugrad::runtime {
namespace {

/// Whether `next` goes on where `rows` rows from `at` on end; a single row takes on any stride.
template <class S>
bool goes_on(const S* at, std::int64_t& stride, std::int64_t rows, const S* next,
             std::int64_t next_stride, std::int64_t next_rows) {
  const std::int64_t step = rows == 1 ? elements_between(at, next) : stride;
  if (next_rows > 1 && next_stride != step) return false;
  if (elements_between(at, next) != rows * step) return false;
  stride = step;
  return true;
}

}  // namespace

template <class S>
void AddressCache<S>::list() {
  script.reserve(of_step_.size());  // all or nothing
  for (std::size_t i = 0; i < of_step_.size(); ++i) {
    if (of_step_[i].kind == Kind::done) continue;
    script.push_back(of_step_[i]);
    script.back().number = static_cast<std::uint32_t>(i);
  }
}

template <class S>
bool AddressCache<S>::add(const kernels::RowBlock<S>& block, std::size_t first) {
  if (blocks.size() > first) {
    kernels::RowBlock<S> last = blocks.back();
    if (goes_on(last.a, last.lda, last.m, block.a, block.lda, block.m) &&
        goes_on<S>(last.c, last.ldc, last.m, block.c, block.ldc, block.m)) {
      last.m += block.m;
      blocks.back() = last;
      return true;
    }
  }
  blocks.push_back(block);
  return false;
}

template <class S>
bool AddressCache<S>::add(const kernels::Segment<S>& segment, std::size_t first, bool apart) {
  if (segments.size() > first && !apart) {
    kernels::Segment<S> last = segments.back();
    if (goes_on(last.d, last.ldd, last.rows, segment.d, segment.ldd, segment.rows) &&
        goes_on(last.x, last.ldx, last.rows, segment.x, segment.ldx, segment.rows)) {
      last.rows += segment.rows;
      segments.back() = last;
      return true;
    }
  }
  segments.push_back(segment);
  return false;
}

template <class S>
bool AddressCache<S>::add(std::span<S* const> place, std::int64_t elements, std::size_t first) {
  Instances* const last = instances.size() > first ? &instances.back() : nullptr;
  bool joins = last != nullptr && last->elements == elements;
  for (std::size_t k = 0; joins && last->count > 1 && k < place.size(); ++k) {
    S* const begin = streams[last->first + k];
    const std::int64_t step = elements_between(begin, streams[last->first + place.size() + k]);
    joins = elements_between(begin, place[k]) == step * last->count;
  }
  if (!joins)
    instances.push_back({static_cast<std::uint32_t>(streams.size()), 1, elements});
  else if (++last->count > 2)
    return true;
  streams.insert(streams.end(), place.begin(), place.end());
  return joins;
}

template <class S>
bool AddressCache<S>::add(std::span<const RowSource<S>> own, const Region& region,
                          std::size_t first) {
  Region* const last = regions.size() > first ? &regions.back() : nullptr;
  bool joins = last != nullptr && last->first == region.first && last->last == region.last &&
               last->elements == region.elements;
  for (std::size_t k = 0; joins && k < own.size(); ++k) {
    const RowSource<S>& begin = sources[last->source + k];
    joins = begin.stride == own[k].stride && begin.rows == own[k].rows;
    if (joins && last->count > 1)
      joins =
          elements_between(begin.data, own[k].data) ==
          last->count * elements_between(begin.data, sources[last->source + own.size() + k].data);
  }
  if (!joins) {
    regions.push_back(region);
    regions.back().source = static_cast<std::uint32_t>(sources.size());
  } else if (++last->count > 2) {
    return true;
  }
  sources.insert(sources.end(), own.begin(), own.end());
  return joins;
}

template <class S>
std::int32_t AddressCache<S>::add(const Rule& rule) {
  constexpr std::size_t kNear = 8;
  const auto same = [&](const Rule& known) {
    const Call<S>&a = known.call, &b = rule.call;
    return known.forward == rule.forward && a.shape == b.shape && a.extent == b.extent &&
           a.attrs == b.attrs && a.name.data() == b.name.data() &&
           a.index.data() == b.index.data() && known.operands == rule.operands;
  };
  for (std::size_t i = rules.size(); i-- > 0 && rules.size() - i <= kNear;)
    if (same(rules[i])) return static_cast<std::int32_t>(i);
  rules.push_back(rule);
  return static_cast<std::int32_t>(rules.size()) - 1;
}

template <class S>
bool AddressCache<S>::add(std::span<const Operand<S>> in, const Rows& rows, std::int64_t size,
                          std::size_t first) {
  if (calls.size() > first) {
    Rows& last = calls.back();
    const std::span<Operand<S>> known = std::span(operands).subspan(last.first, in.size());
    bool joins = elements_between(last.out, rows.out) == last.count * size;
    for (std::size_t i = 0; joins && i < in.size(); ++i) {
      std::int64_t stride = known[i].stride;
      joins = known[i].shape == in[i].shape &&
              goes_on(known[i].data, stride, last.count, in[i].data, in[i].stride, rows.count);
    }
    if (joins) {
      for (std::size_t i = 0; i < in.size(); ++i) {
        if (last.count == 1) known[i].stride = elements_between(known[i].data, in[i].data);
        known[i].items += in[i].items;
      }
      last.count += rows.count;
      return true;
    }
  }
  calls.push_back({static_cast<std::uint32_t>(operands.size()), rows.count, rows.out});
  operands.insert(operands.end(), in.begin(), in.end());
  return false;
}

template <class S>
void AddressCache<S>::repeat(std::span<const Operand<S>> in, const Rows& rows, std::int64_t times) {
  calls.back().count += times * rows.count;
  for (std::size_t i = 0; i < in.size(); ++i)
    operands[calls.back().first + i].items += times * in[i].items;
}

template <class S>
void AddressCache<S>::join(std::size_t streams_each, std::size_t first) {
  for (Instances& i : std::span(instances).subspan(first)) {
    bool rows = i.count > 1;
    for (std::size_t k = i.first; rows && k < i.first + streams_each; ++k)
      rows = elements_between(streams[k], streams[k + streams_each]) == i.elements;
    if (!rows) continue;
    i.elements *= i.count;
    i.count = 1;
  }
}

template <class S>
bool AddressCache<S>::differs_in_places_only(const AddressCache& other) const {
  const auto same_block = [](const kernels::RowBlock<S>& a, const kernels::RowBlock<S>& b) {
    return a.lda == b.lda && a.ldc == b.ldc && a.m == b.m;
  };
  const auto same_line = [](const kernels::TileCall<S>& a, const kernels::TileCall<S>& b) {
    return a.run == b.run && a.n == b.n && a.lo == b.lo && a.hi == b.hi;
  };
  const auto same_source = [](const RowSource<S>& a, const RowSource<S>& b) {
    return a.stride == b.stride && a.rows == b.rows;
  };
  return std::ranges::equal(blocks, other.blocks, same_block) && groups == other.groups &&
         wide.size() == other.wide.size() && tables.size() == other.tables.size() &&
         std::ranges::equal(lines, other.lines, same_line) &&
         streams.size() == other.streams.size() && instances == other.instances &&
         std::ranges::equal(sources, other.sources, same_source) && regions == other.regions;
}

template <class S>
template <class Cache, class Body>
void AddressCache<S>::each_place(Cache& cache, const Body& body) {
  for (auto& block : cache.blocks) {
    body(block.a);
    body(block.c);
  }
  for (auto& place : cache.tables) body(place);
  for (auto& line : cache.lines) {
    body(line.a);
    body(line.b);
    body(line.c);
    body(line.out);
  }
  for (auto& place : cache.streams) body(place);
  for (auto& source : cache.sources) body(source.data);
}

template <class S>
std::vector<std::int64_t> AddressCache<S>::distances(const AddressCache& to) const {
  std::vector<const S*> begin;
  each_place(*this, [&](const S* place) { begin.push_back(place); });
  std::vector<std::int64_t> distances;
  each_place(to, [&](const S* place) {
    distances.push_back(elements_between(begin[distances.size()], place));
  });
  return distances;
}

template <class S>
void AddressCache<S>::move_on(const std::vector<std::int64_t>& distances, std::int64_t times) {
  const std::int64_t* next = distances.data();
  if (times == 1) return each_place(*this, [&](auto& place) { place += *next++; });
  each_place(*this, [&](auto& place) { place += *next++ * times; });
}

template <class S>
std::size_t AddressCache<S>::size() const {
  return blocks.size() + groups.size() + tables.size() + lines.size() + streams.size() +
         sources.size() + segments.size() + operands.size() + terms.size();
}

template <class S>
void AddressCache<S>::move(std::span<const S> from, S* to) {
  const std::less<const S*> before;
  each_place(*this, [&](auto& place) {
    if (!before(place, from.data()) && before(place, from.data() + from.size()))
      place = to + (place - from.data());
  });
}

template class AddressCache<float>;
template class AddressCache<double>;

}  // namespace taugrad::runtime
