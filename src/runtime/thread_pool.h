#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace taugrad::runtime {

/// Where workers wait for each other; spins, as the waits are shorter than a sleep.
class Barrier {
 public:
  explicit Barrier(int workers) : workers_(workers) {}
  void wait();

 private:
  const int workers_;
  std::atomic<int> arrived_ = 0;
  std::atomic<std::uint32_t> round_ = 0;
};

/// The threads of this process that runs are shared out to, each bound to a core of its own.
class ThreadPool {
 public:
  static ThreadPool& of_process();
  ~ThreadPool();

  /// Calls work(number) for the numbers 0 to workers - 1 at the same time, 0 on the calling thread,
  /// and returns when all have ended. `work` must not throw. Returns how many worked; fewer, and
  /// nothing was called, are how many could: 1 where the team is at work for somebody else.
  int run(int workers, const std::function<void(int)>& work);

 private:
  ThreadPool();
  void begin_again();
  struct State;
  std::unique_ptr<State> state_;
};

/// Cores that this process may run on.
int available_cores();

}  // namespace taugrad::runtime
