#pragma once

#include <vector>

#include "draw/layout/layout.h"

namespace taugrad::draw {

bool is_bent(const Path& path);

/// How poor the lines of a printed picture are, in crossings: those, and what is worth some, lines
/// that fall or bend where they need not, and far ones.
class Poverty {
 public:
  explicit Poverty(const Picture& picture) : picture_(picture) {}

  /// What falls and bends there may: where rows tell what reads what, what is observed falls, what
  /// is far goes around.
  void take_as_usual(const Layout& layout);
  double of(const Layout& layout) const;
  /// What it would surely be at a larger scale, where lines may be straighter but are farther.
  double at_least(const Layout& layout, int crossings) const;

 private:
  const Picture& picture_;
  std::vector<char> usual_falls_;  // by edge
  std::vector<double> usual_bends_;
};

}  // namespace taugrad::draw
