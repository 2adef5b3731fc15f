#include "runtime/batch.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/fail.h"
#include "ops/positions/lengths.h"

namespace taugrad::runtime {
namespace {

void check(const Layout& layout, const BatchContext& given, std::int64_t items) {
  bool ok = items >= 0 && items <= kMaxDim &&
            static_cast<std::int32_t>(given.lengths.size()) >= layout.lengths;
  for (std::size_t which = 0; which < given.lengths.size(); ++which) {
    const std::vector<std::int64_t>& v = given.lengths[which];
    ok = ok && (static_cast<std::int32_t>(which) == layout.levels
                    ? std::ranges::is_sorted(v, std::greater<>())
                    : static_cast<std::int64_t>(v.size()) == items);
  }
  if (!ok)
    fail(Status::usage, "U022",
         "a batch of {} items with {} lengths does not fit a plan for {} lengths", items,
         given.lengths.size(), layout.lengths);
  require_lengths(given.lengths, layout.longest);
}

void sort_items(const Layout& layout, const BatchContext& given, std::int64_t items,
                std::vector<std::int32_t>& order) {
  order.resize(static_cast<std::size_t>(items));
  std::iota(order.begin(), order.end(), 0);
  if (layout.lengths == 0) return;
  const auto& length = given.lengths[static_cast<std::size_t>(layout.primary)];
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return length[static_cast<std::size_t>(a)] > length[static_cast<std::size_t>(b)];
  });
}

void permute(const std::vector<std::int64_t>& given, const std::vector<std::int32_t>& order,
             std::vector<std::int64_t>& out) {
  out.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    out[i] = given.empty() ? order[i] : given[static_cast<std::size_t>(order[i])];
}

void list_rows(const Extent& extent, const BatchContext& context, std::size_t items,
               std::vector<std::int32_t>& out) {
  out.clear();
  for (std::size_t i = 0; i < items; ++i) {
    const bool holds =
        std::all_of(extent.bounds.begin(), extent.bounds.end(), [&](const Extent::Bound& b) {
          return context.lengths[static_cast<std::size_t>(b.which)][i] >= b.at_least;
        });
    if (holds) out.push_back(static_cast<std::int32_t>(i));
  }
}

}  // namespace

void place_batch(const Layout& layout, const std::vector<std::uint8_t>& used,
                 const BatchContext& given, std::int64_t items, Placement& out) {
  check(layout, given, items);
  sort_items(layout, given, items, out.order);
  BatchContext& context = out.context;
  context.lengths.resize(given.lengths.size());
  for (std::size_t i = 0; i < given.lengths.size(); ++i)
    if (static_cast<std::int32_t>(i) == layout.levels)
      context.lengths[i] = given.lengths[i];
    else
      permute(given.lengths[i], out.order, context.lengths[i]);
  context.items_of.resize(layout.extents.size());
  out.callers.resize(layout.extents.size());
  out.rows.assign(layout.extents.size(), 1);
  for (std::size_t e = 0; e < layout.extents.size(); ++e) {
    if (e == kShared || used[e] == 0) continue;
    const bool of_level = layout.of_level(static_cast<ExtentId>(e));
    const std::size_t rows = of_level
                                 ? context.lengths[static_cast<std::size_t>(layout.levels)].size()
                                 : out.order.size();
    list_rows(layout.extents[e], context, rows, context.items_of[e]);
    const auto& held = context.items_of[e];
    out.rows[e] = static_cast<std::int64_t>(held.size());
    if (layout.prefix(static_cast<ExtentId>(e))) continue;
    out.callers[e].clear();
    if (of_level) {  // its rows stand as they were given
      out.callers[e] = held;
      continue;
    }
    for (const std::int32_t i : held)
      out.callers[e].push_back(out.order[static_cast<std::size_t>(i)]);
  }
}

void place_draws(const BatchContext& given, Placement& out) {
  if (!given.item.empty() && given.item.size() != out.order.size())
    fail(Status::usage, "U022", "{} keys do not fit a batch of {} items", given.item.size(),
         out.order.size());
  out.context.seed = given.seed;
  out.context.train = given.train;
  permute(given.item, out.order, out.context.item);
  if (!given.moved.empty() && given.moved.size() != out.order.size())
    fail(Status::usage, "U022", "{} moves do not fit a batch of {} items", given.moved.size(),
         out.order.size());
  out.context.moved.clear();
  if (!given.moved.empty()) permute(given.moved, out.order, out.context.moved);
}

}  // namespace taugrad::runtime
