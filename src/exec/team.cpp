#include "exec/team.h"

#include <pthread.h>
#include <sched.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace taugrad::exec {
namespace {

constexpr int kSpins = 2000;       ///< before a waiting thread lets others run
constexpr int kMoreSpins = 20000;  ///< before a thread without work sleeps

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

std::vector<int> cores() {
  cpu_set_t set;
  std::vector<int> list;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) list.push_back(i);
  if (list.empty()) list.push_back(0);
  return list;
}

void bind_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// Binds the calling thread to a core for as long as it lives; a thread that runs there already is
/// left as it is, since the calls take longer than a small run.
class Bound {
 public:
  explicit Bound(int core) {
    if (sched_getcpu() == core) return;
    known_ = pthread_getaffinity_np(pthread_self(), sizeof before_, &before_) == 0;
    if (known_) bind_to(core);
  }
  ~Bound() {
    if (known_) pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

 private:
  cpu_set_t before_;
  bool known_ = false;
};

}  // namespace

int available_cores() { return static_cast<int>(cores().size()); }

void Barrier::wait() {
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == workers_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  for (int i = 0; round_.load(std::memory_order_acquire) == round; ++i)
    if (i < kSpins)
      pause();
    else
      std::this_thread::yield();
}

struct Team::State {
  std::mutex busy;  // held by a run
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<std::uint64_t> job = 0;  // counts runs
  std::atomic<int> workers = 0, left = 0;
  const std::function<void(int)>* work = nullptr;
  bool stop = false;
  std::vector<int> cores;
  std::vector<std::thread> threads;

  void serve(int number) {
    bind_to(cores[static_cast<std::size_t>(number) % cores.size()]);
    for (std::uint64_t done = 0;;) {
      for (int i = 0; job.load(std::memory_order_acquire) == done && i < kMoreSpins; ++i) pause();
      if (job.load(std::memory_order_acquire) == done) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stop || job.load() != done; });
        if (stop) return;
      }
      done = job.load(std::memory_order_acquire);
      if (number < workers.load(std::memory_order_acquire)) {
        (*work)(number);
        left.fetch_sub(1, std::memory_order_acq_rel);
      }
    }
  }
};

Team& Team::of_process() {
  static Team team;
  return team;
}

Team::Team() : state_(std::make_unique<State>()) { state_->cores = cores(); }

Team::~Team() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (std::thread& t : state_->threads) t.join();
}

bool Team::run(int workers, const std::function<void(int)>& work) {
  State& s = *state_;
  const std::unique_lock busy(s.busy, std::try_to_lock);
  if (!busy) return false;
  const Bound bound(s.cores[0]);
  while (static_cast<int>(s.threads.size()) < workers - 1) {
    const int number = static_cast<int>(s.threads.size()) + 1;
    s.threads.emplace_back([&s, number] { s.serve(number); });
  }
  {
    const std::lock_guard lock(s.mutex);
    s.work = &work;
    s.left.store(workers - 1);
    s.workers.store(workers);
    s.job.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  work(0);
  for (int i = 0; s.left.load(std::memory_order_acquire) > 0; ++i)
    if (i < kSpins)
      pause();
    else
      std::this_thread::yield();
  return true;
}

}  // namespace taugrad::exec
