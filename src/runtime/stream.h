#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

#include "base/philox.h"

namespace taugrad {

/// Numbers one after another, keyed by a seed and a name.
class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view name) {
    key_ = 0xCBF29CE484222325u ^ (seed * 0x9E3779B97F4A7C15u);  // FNV-1a over the name
    for (const char c : name) key_ = (key_ ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  }
  double uniform() {
    const auto words = philox(
        {static_cast<std::uint32_t>(count_), static_cast<std::uint32_t>(count_ >> 32), 0, 0}, key_);
    ++count_;
    second_ = unit_interval(words[2], words[3]);
    return unit_interval(words[0], words[1]);
  }
  double normal() {  // Box and Muller
    const double u = uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * second_);
  }

 private:
  std::uint64_t key_ = 0, count_ = 0;
  double second_ = 0;
};

}  // namespace taugrad
