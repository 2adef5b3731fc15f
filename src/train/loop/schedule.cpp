#include "train/loop/schedule.h"

#include <algorithm>
#include <numeric>

namespace taugrad {
namespace {

constexpr std::size_t kPool = 32;  // batches sorted together

// SplitMix64: the k-th number of a stream, without a state
std::uint64_t number(std::uint64_t stream, std::uint64_t k) {
  std::uint64_t z = stream + (k + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// Fisher-Yates; the bias of the remainder is below 2^-30 for any order that fits memory
void shuffle(std::vector<std::size_t>& order, std::uint64_t stream) {
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[number(stream, i) % i]);
}

std::vector<std::size_t> counted(std::size_t n) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

}  // namespace

Schedule::Schedule(std::vector<std::int64_t> sizes, std::size_t batch, std::uint64_t seed)
    : sizes_(std::move(sizes)), batch_(batch), seed_(seed) {}

std::int64_t Schedule::batches() const {
  return static_cast<std::int64_t>((sizes_.size() + batch_ - 1) / batch_);
}

void Schedule::arrange(std::int64_t epoch) {
  if (arranged_ == epoch) return;
  arranged_ = epoch;
  const std::uint64_t stream = number(seed_, static_cast<std::uint64_t>(epoch));
  order_ = counted(sizes_.size());
  shuffle(order_, stream);
  for (std::size_t from = 0; from < order_.size(); from += kPool * batch_) {
    const std::size_t to = std::min(from + kPool * batch_, order_.size());
    std::stable_sort(order_.begin() + static_cast<std::ptrdiff_t>(from),
                     order_.begin() + static_cast<std::ptrdiff_t>(to),
                     [&](std::size_t a, std::size_t b) { return sizes_[a] > sizes_[b]; });
  }
  order_of_batches_ = counted(static_cast<std::size_t>(batches()));
  shuffle(order_of_batches_, ~stream);
}

std::vector<std::size_t> Schedule::batch(std::int64_t epoch, std::int64_t number_in_epoch) {
  arrange(epoch);
  const std::size_t from = order_of_batches_[static_cast<std::size_t>(number_in_epoch)] * batch_;
  const std::size_t to = std::min(from + batch_, order_.size());
  return {order_.begin() + static_cast<std::ptrdiff_t>(from),
          order_.begin() + static_cast<std::ptrdiff_t>(to)};
}

}  // namespace taugrad
