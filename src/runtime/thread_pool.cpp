#include "runtime/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace taugrad::runtime {
namespace {

constexpr int kSpins = 2000;             ///< before a waiting thread lets others run
constexpr int kMoreSpins = 20000;        ///< before a thread without work sleeps
constexpr std::size_t kStack = 1 << 20;  ///< of a thread; the deepest call takes a tenth of it

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

struct ThreadPool::State {
  std::mutex busy;  // held by a run
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<std::uint64_t> job = 0;  // counts runs
  std::atomic<int> workers = 0, left = 0;
  const std::function<void(int)>* work = nullptr;
  bool stop = false;
  std::vector<int> cores;
  std::vector<pthread_t> threads;
  State* of_parent = nullptr;  // in a child process

  /// One thread more. False: the system gives none.
  bool hire();

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

ThreadPool& ThreadPool::of_process() {
  static ThreadPool team;
  // fork() copies the calling thread alone: the child begins with a team without threads
  static const int once = pthread_atfork(nullptr, nullptr, [] { team.begin_again(); });
  static_cast<void>(once);
  return team;
}

ThreadPool::ThreadPool() : state_(std::make_unique<State>()) { state_->cores = cores(); }

void ThreadPool::begin_again() {
  auto fresh = std::make_unique<State>();
  fresh->cores = state_->cores;
  // threads that are not here can be neither joined nor let go: what they had stays as it is
  fresh->of_parent = state_.release();
  state_ = std::move(fresh);
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (const pthread_t t : state_->threads) pthread_join(t, nullptr);
}

bool ThreadPool::State::hire() {
  struct Duty {
    State& state;
    int number;
  };
  auto duty = std::make_unique<Duty>(Duty{*this, static_cast<int>(threads.size()) + 1});
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStack);  // `ulimit -s` speaks of the first thread's
  pthread_t thread;
  threads.reserve(threads.size() + 1);
  const int failed = pthread_create(
      &thread, &attributes,
      [](void* given) -> void* {
        const std::unique_ptr<Duty> own(static_cast<Duty*>(given));
        own->state.serve(own->number);
        return nullptr;
      },
      duty.get());
  pthread_attr_destroy(&attributes);
  if (failed != 0) return false;
  static_cast<void>(duty.release());
  threads.push_back(thread);
  return true;
}

int ThreadPool::run(int workers, const std::function<void(int)>& work) {
  State& s = *state_;
  const std::unique_lock busy(s.busy, std::try_to_lock);
  if (!busy) return 1;
  while (static_cast<int>(s.threads.size()) < workers - 1)
    if (!s.hire()) return static_cast<int>(s.threads.size()) + 1;
  const Bound bound(s.cores[0]);
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
  return workers;
}

}  // namespace taugrad::runtime
