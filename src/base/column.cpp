#include "taugrad/base/column.h"

#include <cstdint>
#include <new>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace taugrad {

#ifdef MADV_HUGEPAGE
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kLarge =
    kHugePage / 2;  // from here on it pays, and wastes less than it holds

std::size_t rounded(std::size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

}  // namespace

void* take_block(std::size_t bytes) {
  if (bytes < kLarge) return ::operator new(bytes);
  // a huge page begins at a multiple of its size: one more is asked for, and the rest given back
  const std::size_t size = rounded(bytes), asked = size + kHugePage;
  if (asked < bytes) throw std::bad_alloc();
  void* got = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) throw std::bad_alloc();
  char* const from = static_cast<char*>(got);
  const std::size_t before =
      rounded(reinterpret_cast<std::uintptr_t>(from)) - reinterpret_cast<std::uintptr_t>(from);
  if (before > 0) munmap(from, before);
  if (before < kHugePage) munmap(from + before + size, kHugePage - before);
  madvise(from + before, size, MADV_HUGEPAGE);
  return from + before;
}

void give_block(void* block, std::size_t bytes) noexcept {
  if (bytes < kLarge)
    ::operator delete(block);
  else
    munmap(block, rounded(bytes));
}
#else
void* take_block(std::size_t bytes) { return ::operator new(bytes); }
void give_block(void* block, std::size_t) noexcept { ::operator delete(block); }
#endif

}  // namespace taugrad
