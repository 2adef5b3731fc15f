// Addresses that the executor keeps from run to run: what lies at one distance is kept as one.
#include <catch2/catch.hpp>
#include <vector>

#include "runtime/steps/address_cache.h"

using taugrad::kernels::RowBlock;
using taugrad::kernels::Segment;
using taugrad::runtime::AddressCache;

namespace {

/// The rows that blocks stand for, one by one.
std::vector<std::pair<const float*, float*>> rows_of(const std::vector<RowBlock<float>>& blocks) {
  std::vector<std::pair<const float*, float*>> rows;
  for (const RowBlock<float>& b : blocks)
    for (std::int64_t i = 0; i < b.m; ++i) rows.emplace_back(b.a + i * b.lda, b.c + i * b.ldc);
  return rows;
}

std::vector<float*> streams_of(const AddressCache<float>& ready, std::size_t each) {
  std::vector<float*> list;
  for (const auto& i : ready.instances)
    for (std::uint32_t n = 0; n < i.count; ++n)
      for (std::size_t k = i.first; k < i.first + each; ++k)
        list.push_back(n == 0
                           ? ready.streams[k]
                           : ready.streams[k] + n * (ready.streams[k + each] - ready.streams[k]));
  return list;
}

}  // namespace

TEST_CASE("blocks of rows at one distance are one block", "[exec]") {
  std::vector<float> a(1000), c(1000);
  // ascending, descending, several rows at once, an irregular one, and one that begins a new group
  const std::vector<RowBlock<float>> given = {
      {&a[0], 9, &c[100], 9, 1},  {&a[10], 9, &c[90], 9, 1},  {&a[20], 9, &c[80], 9, 1},
      {&a[33], 5, &c[70], 5, 1},  {&a[38], 5, &c[75], 5, 3},  {&a[53], 5, &c[90], 5, 2},
      {&a[63], 5, &c[110], 5, 1}, {&a[70], 4, &c[200], 6, 2}, {&a[78], 4, &c[212], 6, 2},
      {&a[86], 5, &c[224], 6, 2},
  };
  AddressCache<float> ready;
  ready.prepare(1);
  for (const auto& block : given) ready.add(block, 0);
  CHECK(rows_of(ready.blocks) == rows_of(given));
  CHECK(ready.blocks.size() == 5);
  CHECK(ready.blocks[0].m == 3);
  CHECK(ready.blocks[0].ldc == -10);
  ready.add({&a[98], 6, &c[236], 6, 1}, ready.blocks.size());
  CHECK(ready.blocks.size() == 6);
}

TEST_CASE("segments join unless they are to stand apart", "[exec]") {
  std::vector<float> d(100), x(100);
  AddressCache<float> ready;
  ready.prepare(1);
  for (int t = 0; t < 4; ++t)
    ready.add({&d[static_cast<std::size_t>(t * 8)], 2, &x[40], 0, 4}, 0, false);
  REQUIRE(ready.segments.size() == 1);
  CHECK(ready.segments[0].rows == 16);
  CHECK(ready.segments[0].ldd == 2);
  ready.add({&d[32], 2, &x[40], 0, 4}, 0, true);
  CHECK(ready.segments.size() == 2);
  ready.add({&d[40], 2, &x[41], 0, 4}, 0, false);
  CHECK(ready.segments.size() == 3);
}

TEST_CASE("instances of a region at one distance are kept as two", "[exec]") {
  std::vector<float> data(2000);
  const auto at = [&](std::size_t i) { return &data[i]; };
  AddressCache<float> ready;
  ready.prepare(1);
  std::vector<float*> given;
  const auto add = [&](std::size_t i, std::size_t j, std::int64_t elements) {
    const std::vector<float*> place{at(i), at(j)};
    given.insert(given.end(), place.begin(), place.end());
    ready.add(place, elements, 0);
  };
  for (std::size_t t = 0; t < 5; ++t) add(t * 8, 1000, 8);  // the second stream is shared
  add(900, 1500, 8);
  for (std::size_t t = 0; t < 4; ++t) add(500 - t * 16, 1600 + t * 8, 8);
  add(100, 200, 4);
  CHECK(streams_of(ready, 2) == given);
  CHECK(ready.instances.size() < 5);
  CHECK(ready.streams.size() < given.size());
}

TEST_CASE("rows of a region at one distance are kept as two", "[exec]") {
  using Ready = AddressCache<float>;
  using Source = taugrad::runtime::RowSource<float>;
  std::vector<float> data(2000);
  Ready ready;
  ready.prepare(1);
  std::vector<std::pair<float*, std::int64_t>> given, kept;
  std::vector<bool> joined;
  const auto add = [&](std::size_t i, std::size_t j, std::int64_t rows, std::int64_t elements) {
    const std::vector<Source> place{{&data[i], 8, rows}, {&data[j], 0, rows}};
    for (const Source& s : place) given.emplace_back(s.data, s.rows);
    joined.push_back(ready.add(place, {0, 2, elements}, 0));
  };
  for (std::size_t t = 0; t < 4; ++t) add(t * 24, 1000, 2, 8);  // the second stream is shared
  add(97, 1000, 2, 8);                                          // not at that distance
  add(121, 1000, 2, 8);
  add(145, 1000, 1, 8);  // fewer rows
  add(169, 1000, 1, 4);
  CHECK(joined == std::vector<bool>{false, true, true, true, false, true, false, false});
  ready.repeat_region(2);  // as many like the last, where it joined
  CHECK(ready.regions.back().count == 3);
  ready.regions.back().count = 1;
  for (const Ready::Region& r : ready.regions)
    for (std::uint32_t n = 0; n < r.count; ++n)
      for (std::size_t k = r.source; k < r.source + 2; ++k)
        kept.emplace_back(n == 0 ? ready.sources[k].data
                                 : ready.sources[k].data +
                                       n * (ready.sources[k + 2].data - ready.sources[k].data),
                          ready.sources[k].rows);
  CHECK(kept == given);
  CHECK(ready.sources.size() < given.size());
}

TEST_CASE("instances without gaps become one", "[exec]") {
  std::vector<float> data(2000);
  AddressCache<float> ready;
  ready.prepare(1);
  for (std::size_t t = 0; t < 6; ++t) {
    const std::vector<float*> place{&data[t * 8], &data[1000 + t * 8]};
    ready.add(place, 8, 0);
  }
  ready.join(2, 0);
  REQUIRE(ready.instances.size() == 1);
  CHECK(ready.instances[0].count == 1);
  CHECK(ready.instances[0].elements == 48);
  const std::size_t first = ready.instances.size();
  for (std::size_t t = 0; t < 6; ++t) {
    const std::vector<float*> place{&data[t * 8], &data[1000 + t * 9]};
    ready.add(place, 8, first);
  }
  ready.join(2, first);
  CHECK(ready.instances[first].count == 6);
}
