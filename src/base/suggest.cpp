#include "base/suggest.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace taugrad {
namespace {

constexpr std::size_t kShort = 64;         // names that need no memory of their own
constexpr std::size_t kMostNames = 1'000;  // among more, nothing is suggested

bool equal_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b, int limit) {
  const std::size_t longer = std::max(a.size(), b.size());
  if (longer - std::min(a.size(), b.size()) > static_cast<std::size_t>(limit)) return limit + 1;
  // rows i-2, i-1 and i of the optimal string alignment table
  std::array<std::array<int, kShort>, 3> short_rows;
  std::vector<int> long_rows(b.size() < kShort ? 0 : 3 * (b.size() + 1));
  const auto table = [&](std::size_t i) {
    return long_rows.empty() ? short_rows[i].data() : long_rows.data() + i * (b.size() + 1);
  };
  int *before = table(0), *above = table(1), *row = table(2);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    if (*std::min_element(row, row + b.size() + 1) > limit) return limit + 1;
  }
  return std::min(row[b.size()], limit + 1);
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> known) {
  std::string_view best;
  int best_distance = 3;
  if (name.size() > limits::kNameBytes || known.size() > kMostNames) return best;
  for (const std::string_view k : known) {
    if (k == name || k.empty()) continue;
    const int distance = equal_but_case(name, k) ? 0 : edit_distance(name, k);
    const auto length = static_cast<int>(std::max(name.size(), k.size()));
    if (distance < best_distance && 2 * distance <= length) {
      best = k;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  const std::string_view k = nearest(name, known);
  return k.empty() ? std::string() : fmt::format("did you mean \"{}\"?", k);
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  return did_you_mean(name, std::span<const std::string_view>(views));
}

}  // namespace taugrad
