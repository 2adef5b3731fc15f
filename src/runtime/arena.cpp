#include "runtime/arena.h"

#include <sys/mman.h>

#include <algorithm>

#include "taugrad/runtime/executor.h"

namespace taugrad {
namespace runtime {

void* Arena::Block::grow(std::size_t bytes, [[maybe_unused]] bool large_pages) {
  if (bytes > bytes_ || !memory_) {
    memory_.reset();
    bytes_ = 0;
    memory_.reset(
        static_cast<std::byte*>(::operator new[](std::max(bytes, kPage), std::align_val_t{kPage})));
#ifdef MADV_HUGEPAGE
    if (large_pages) madvise(memory_.get(), bytes, MADV_HUGEPAGE);
#endif
    bytes_ = bytes;
  }
  return memory_.get();
}

}  // namespace runtime

std::shared_ptr<runtime::Arena> shared_memory() { return std::make_shared<runtime::Arena>(); }

}  // namespace taugrad
