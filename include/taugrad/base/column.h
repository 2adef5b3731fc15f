#pragma once

#include <cstddef>
#include <vector>

namespace taugrad {

/// Memory for `bytes` bytes. Large blocks are asked for in huge pages where the system has them: a
/// table of millions of rows is written once from end to end, and then each page of 4 KiB would
/// cost a fault. @throws std::bad_alloc
void* take_block(std::size_t bytes);
void give_block(void* block, std::size_t bytes) noexcept;  ///< of take_block, with the same bytes

template <class T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <class U>
  BlockAllocator(const BlockAllocator<U>&) noexcept {}  // NOLINT: what the standard asks
  T* allocate(std::size_t n) { return static_cast<T*>(take_block(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { give_block(p, n * sizeof(T)); }
  bool operator==(const BlockAllocator&) const = default;
};

/// A vector that may become long, such as one entry a node. T of no more than usual alignment.
template <class T>
using Column = std::vector<T, BlockAllocator<T>>;

}  // namespace taugrad
