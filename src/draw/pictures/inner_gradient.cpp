#include "draw/pictures/inner_gradient.h"

#include <algorithm>

namespace taugrad::draw {

std::vector<char> gradient_parts(std::span<const std::pair<int, int>> edges, std::vector<char> ends,
                                 std::span<const char> kept) {
  const auto at = [](int i) { return static_cast<std::size_t>(i); };
  if (std::find(ends.begin(), ends.end(), 1) == ends.end()) return ends;
  std::vector<int> others(ends.size(), 0);  // readers that are not known to belong to a gradient
  std::vector<std::vector<int>> read(ends.size());
  for (const auto& [from, to] : edges) {
    ++others[at(from)];
    read[at(to)].push_back(from);
  }
  std::vector<int> open;
  for (std::size_t n = 0; n < ends.size(); ++n)
    if (ends[n]) open.push_back(static_cast<int>(n));
  while (!open.empty()) {
    const int reader = open.back();
    open.pop_back();
    for (const int from : read[at(reader)])
      if (--others[at(from)] == 0 && !kept[at(from)] && !ends[at(from)]) {
        ends[at(from)] = 1;
        open.push_back(from);
      }
  }
  return ends;
}

}  // namespace taugrad::draw
