#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "runtime/in_use.h"

namespace taugrad::runtime {

/// Memory of values and of packed matrices, for one runtime or for several that run in turns: it is
/// as large as the largest of them asks for. Who was given a batch last holds it.
class Arena {
 public:
  /// Bytes from a page on, which only ever grow; what they held is then lost.
  class Block {
   public:
    /// @throws std::bad_alloc, and then there are none
    void* grow(std::size_t bytes, bool large_pages);
    void* data() const { return memory_.get(); }
    std::size_t bytes() const { return bytes_; }

   private:
    static constexpr std::size_t kPage = 4096;
    struct Free {
      void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{kPage}); }
    };
    std::unique_ptr<std::byte[], Free> memory_;
    std::size_t bytes_ = 0;
  };

  OneCaller one_caller;  ///< of the functions of all executors that share it
  Block values, packed;
  const void* holder = nullptr;  ///< the runtime whose values stand in it
};

}  // namespace taugrad::runtime
