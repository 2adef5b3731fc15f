#pragma once

#include "taugrad/draw/explorer.h"

/// What pages of definitions and of graphs have in common.
namespace taugrad::draw {

inline constexpr std::size_t kMostNodes = 40'000;    ///< of a scene with all its steps
inline constexpr double kMostTapeNodes = 1'000'000;  ///< that such a scene is drawn from

bool has_gap(const Picture& p);
/// What Detail::automatic came to.
Detail drawn_detail(const Picture& p);
/// A step, with the nodes outside that it reads or is read by.
struct Step {
  ExplorerScene scene;
  std::vector<int> edges;  ///< of the whole picture, in the order of the scene's
};
std::vector<Step> steps_of(const Picture& operations);

}  // namespace taugrad::draw
