#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace taugrad::runtime {

/// Memory of a whole number of cache lines: no vector of a tile lies in two of them.
template <class S>
class LineAligned {
 public:
  void resize(std::size_t elements) {
    size_ = elements;
    if (elements > 0) lines_.reset(static_cast<S*>(::operator new[](elements * sizeof(S), kLine)));
  }
  S* data() const { return lines_.get(); }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(S* p) const { ::operator delete[](p, kLine); }
  };
  std::unique_ptr<S[], Free> lines_;
  std::size_t size_ = 0;
};

}  // namespace taugrad::runtime
