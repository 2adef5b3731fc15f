#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace taugrad {

/// Which items form which minibatch: a function of (seed, epoch) alone. Items are shuffled, then
/// sorted by size within pools of some batches, so that a batch holds items of like length and an
/// epoch still has a random order.
class Schedule {
 public:
  /// @param sizes  steps of each item  @param batch  items of a minibatch, >= 1
  Schedule(std::vector<std::int64_t> sizes, std::size_t batch, std::uint64_t seed);

  std::int64_t batches() const;  ///< of an epoch
  /// Items of a minibatch; `number` in 0..batches()-1.
  std::vector<std::size_t> batch(std::int64_t epoch, std::int64_t number);

 private:
  void arrange(std::int64_t epoch);

  std::vector<std::int64_t> sizes_;
  std::size_t batch_;
  std::uint64_t seed_;
  std::int64_t arranged_ = -1;
  std::vector<std::size_t> order_;  // of items
  std::vector<std::size_t> order_of_batches_;
};

}  // namespace taugrad
