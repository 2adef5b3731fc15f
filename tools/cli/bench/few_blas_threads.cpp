// OpenBLAS starts threads as it is loaded, and waits for ever where the address space has no room
// for their stacks (`ulimit -v`). What stands in .preinit_array runs before any library's own
// beginning: the program begins again there, with one of these threads. The engine has its own.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

// a sanitizer's memory is not there yet, and it takes more address space than anyone limits
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

constexpr char kThreads[] = "OPENBLAS_NUM_THREADS=";

void begin_with_one_thread(int, char** argv, char** environment) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count)
    if (std::strncmp(environment[count], kThreads, sizeof kThreads - 1) == 0) return;  // said
  const auto extended = static_cast<char**>(std::malloc((count + 2) * sizeof(char*)));
  if (extended == nullptr) return;
  std::memcpy(extended, environment, count * sizeof(char*));
  char one[] = "OPENBLAS_NUM_THREADS=1";
  extended[count] = one;
  extended[count + 1] = nullptr;
  char self[4096] = {};
  if (readlink("/proc/self/exe", self, sizeof self - 1) > 0) execve(self, argv, extended);
  std::free(extended);  // no such file any more: on with all threads
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const first)(int, char**,
                                                                  char**) = begin_with_one_thread;

}  // namespace
#endif
