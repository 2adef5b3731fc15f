#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "taugrad/draw/picture.h"
#include "taugrad/graph/graph.h"

namespace taugrad::draw {

/// Node ids that Graphviz takes without quotes, made of names, each once.
class IdMaker {
 public:
  /// "h_3", "h_3_matmul_0"; what an id cannot hold becomes '_', a further use gets a number.
  std::string make(std::string_view name, std::span<const std::int32_t> index,
                   std::string_view step);

 private:
  std::unordered_set<std::string> used_;
};

/// "h[3]" of a named node; "∇h[3]" of one named, or known as, grad:h; "∇∇h[3]" of a gradient of a
/// gradient.
std::string variable_text(const Tape& tape, NodeId id);

/// A long text by its beginning and its end: "hidden_state_of_the_first…r[3]".
std::string shortened(std::string_view text);

/// "z⁻¹" for an offset of -1, "z⁺²" for 2.
std::string delay_power(int offset);

/// "i−1…i+1": a stretch of positions that a convolution reads.
std::string offset_range(std::string_view letter, int low, int high);

/// What an edge from one step to another says: "z⁻¹" along one index, "i−1" along one of several,
/// "" between domains.
std::string delay_text(const PictureCluster& from, const PictureCluster& to);

}  // namespace taugrad::draw
