#pragma once

#include <unistd.h>

#include <atomic>
#include <mutex>

#include "base/fail.h"

namespace taugrad::runtime {

/// Of what one thread at a time may call: a second one is refused, not raced with.
class OneCaller {
 public:
  class Call {
   public:
    explicit Call(OneCaller& of) : busy_(of.busy_) {
      if (busy_.exchange(true, std::memory_order_acquire))
        fail(Status::usage, "U023", "an executor is at work for another thread");
    }
    ~Call() { busy_.store(false, std::memory_order_release); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    std::atomic<bool>& busy_;
  };

 private:
  std::atomic<bool> busy_ = false;
};

/// Threads that call take turns. A child process in which the one whose turn it was does not exist
/// is told so, instead of waiting for ever.
class Turns {
 public:
  class Turn {
   public:
    explicit Turn(Turns& of) : turns_(of) {
      if (!of.mutex_.try_lock()) {
        if (of.process_.load(std::memory_order_relaxed) != ::getpid())
          fail(Status::usage, "U023",
               "a program was at work for another thread when the process forked");
        of.mutex_.lock();
      }
      of.process_.store(::getpid(), std::memory_order_relaxed);
    }
    ~Turn() { turns_.mutex_.unlock(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Turns& turns_;
  };

 private:
  std::mutex mutex_;
  std::atomic<pid_t> process_ = ::getpid();
};

}  // namespace taugrad::runtime
