#include "language/resolve/components.h"

#include <algorithm>
#include <cstddef>

namespace taugrad {

std::vector<std::vector<int>> strong_components(const std::vector<std::vector<int>>& edges) {
  const std::size_t n = edges.size();
  std::vector<int> number(n, -1), low(n, 0);
  std::vector<std::size_t> next(n, 0);
  std::vector<char> open(n, 0);
  std::vector<int> path, stack;
  std::vector<std::vector<int>> components;
  int count = 0;
  for (std::size_t start = 0; start < n; ++start) {
    if (number[start] >= 0) continue;
    path.push_back(static_cast<int>(start));
    while (!path.empty()) {
      const auto v = static_cast<std::size_t>(path.back());
      if (number[v] < 0) {
        number[v] = low[v] = count++;
        stack.push_back(path.back());
        open[v] = 1;
      }
      bool deeper = false;
      while (next[v] < edges[v].size()) {
        const auto w = static_cast<std::size_t>(edges[v][next[v]++]);
        if (number[w] < 0) {
          path.push_back(static_cast<int>(w));
          deeper = true;
          break;
        }
        if (open[w]) low[v] = std::min(low[v], number[w]);
      }
      if (deeper) continue;
      path.pop_back();
      if (!path.empty())
        low[static_cast<std::size_t>(path.back())] =
            std::min(low[static_cast<std::size_t>(path.back())], low[v]);
      if (low[v] != number[v]) continue;
      std::vector<int> component;
      int w = -1;
      do {
        w = stack.back();
        stack.pop_back();
        open[static_cast<std::size_t>(w)] = 0;
        component.push_back(w);
      } while (w != static_cast<int>(v));
      std::sort(component.begin(), component.end());
      components.push_back(std::move(component));
    }
  }
  return components;
}

}  // namespace taugrad
