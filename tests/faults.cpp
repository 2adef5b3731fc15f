// Preloaded by tests (LD_PRELOAD): makes one system call on files of a folder fail, or the last
// one.
//   FAULT_UNDER=m          counts calls on m and what is in it, by the name that the program uses
//   FAULT=kill:7           dies by SIGKILL before the 7th of them
//   FAULT=ENOSPC:7, EIO:7, EINTR:7, short:7   it fails; "7+": every call from there on that writes
//   FAULT_COUNT=FILE       writes there how many there were
//   FAULT_LOG=FILE         writes there what they were: "rename m/a m/b"
// Waiting takes no time, so that tries made later are made at once.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

constexpr int kMost = 4096;
std::atomic<bool> watched[kMost];  // descriptors
char names[kMost][512];            // what they were opened as
std::atomic<int> calls{0};

struct Fault {
  char kind = 0;  // k: kill, s: short, e: an error
  int error = 0, at = 0;
  bool on = false;  // and from then on
  const char* under = std::getenv("FAULT_UNDER");

  Fault() {
    const char* text = std::getenv("FAULT");
    if (text == nullptr) return;
    const char* colon = std::strchr(text, ':');
    at = std::atoi(colon + 1);
    on = text[std::strlen(text) - 1] == '+';
    kind = std::strncmp(text, "kill", 4) == 0    ? 'k'
           : std::strncmp(text, "short", 5) == 0 ? 's'
                                                 : 'e';
    error = std::strncmp(text, "ENOSPC", 6) == 0  ? ENOSPC
            : std::strncmp(text, "EINTR", 5) == 0 ? EINTR
                                                  : EIO;
  }
  ~Fault() {
    const char* file = std::getenv("FAULT_COUNT");
    if (file == nullptr) return;
    if (FILE* out = std::fopen(file, "w")) {
      std::fprintf(out, "%d\n", calls.load());
      std::fclose(out);
    }
  }
};

Fault& fault() {
  static Fault only;
  return only;
}
const bool made_early = (fault(), true);

// a path as the test's folder sees it
const char* relative(const char* path) {
  static char here[512];
  if (here[0] == 0 && ::getcwd(here, sizeof here) == nullptr) return path;
  const std::size_t n = std::strlen(here);
  return std::strncmp(path, here, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

bool below(const char* path) {
  const char* under = fault().under;
  if (under == nullptr || path == nullptr) return false;
  path = relative(path);
  const std::size_t n = std::strlen(under);
  return std::strncmp(path, under, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

// 'e' or 's' where this call fails
char next(bool writes) {
  const Fault& f = fault();
  const int number = ++calls;
  const bool now = f.on ? number >= f.at && writes : number == f.at;
  if (!now) return 0;
  if (f.kind == 'k') ::kill(::getpid(), SIGKILL);
  if (f.kind == 'e') errno = f.error;
  return f.kind;
}

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

void log(const char* call, const char* path, const char* to = "") {
  static FILE* const out =
      std::getenv("FAULT_LOG") != nullptr ? std::fopen(std::getenv("FAULT_LOG"), "a") : nullptr;
  if (out == nullptr) return;
  std::fprintf(out, "%s %s %s\n", call, path, to);
  std::fflush(out);
}
void log(const char* call, int descriptor) { log(call, names[descriptor]); }

int watch(int descriptor, bool of) {
  if (descriptor >= 0 && descriptor < kMost) watched[descriptor] = of;
  return descriptor;
}
bool is_watched(int descriptor) {
  return descriptor >= 0 && descriptor < kMost && watched[descriptor];
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  const bool of = below(path);
  if (of && next((flags & O_CREAT) != 0) == 'e') return -1;
  const int descriptor = watch(real<int (*)(const char*, int, ...)>(name)(path, flags, mode), of);
  if (of && is_watched(descriptor))
    std::snprintf(names[descriptor], sizeof names[descriptor], "%s", relative(path));
  return descriptor;
}

}  // namespace

#define MODE_OF(flags)                        \
  mode_t mode = 0;                            \
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list rest;                             \
    va_start(rest, flags);                    \
    mode = va_arg(rest, mode_t);              \
    va_end(rest);                             \
  }

extern "C" {

int open(const char* path, int flags, ...) {
  MODE_OF(flags)
  return open_as("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  MODE_OF(flags)
  return open_as("open64", path, flags, mode);
}
int close(int descriptor) {
  const bool of = is_watched(descriptor);
  const char how = of ? next(false) : 0;
  const int error = errno;
  watch(descriptor, false);
  const int result = real<int (*)(int)>("close")(descriptor);
  if (how != 'e') return result;
  errno = error;
  return -1;
}
ssize_t write(int descriptor, const void* data, size_t size) {
  const char how = is_watched(descriptor) ? next(true) : 0;
  if (how == 'e') return -1;
  if (is_watched(descriptor)) log("write", descriptor);
  return real<ssize_t (*)(int, const void*, size_t)>("write")(descriptor, data,
                                                              how == 's' && size > 1 ? 1 : size);
}
ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
  const char how = is_watched(descriptor) ? next(true) : 0;
  if (how == 'e') return -1;
  if (is_watched(descriptor)) log("pwrite", descriptor);
  return real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(
      descriptor, data, how == 's' && size > 1 ? 1 : size, at);
}
ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t at) {
  return pwrite(descriptor, data, size, at);
}
ssize_t pread(int descriptor, void* to, size_t size, off_t at) {
  const char how = is_watched(descriptor) ? next(false) : 0;
  if (how == 'e') return -1;
  return real<ssize_t (*)(int, void*, size_t, off_t)>("pread")(
      descriptor, to, how == 's' && size > 1 ? 1 : size, at);
}
ssize_t pread64(int descriptor, void* to, size_t size, off64_t at) {
  return pread(descriptor, to, size, at);
}
int fsync(int descriptor) {
  if (is_watched(descriptor) && next(true) == 'e') return -1;
  if (is_watched(descriptor)) log("fsync", descriptor);
  return real<int (*)(int)>("fsync")(descriptor);
}
int ftruncate(int descriptor, off_t size) {
  if (is_watched(descriptor) && next(false) == 'e') return -1;
  return real<int (*)(int, off_t)>("ftruncate")(descriptor, size);
}
int truncate(const char* path, off_t size) {
  if (below(path) && next(false) == 'e') return -1;
  return real<int (*)(const char*, off_t)>("truncate")(path, size);
}
int rename(const char* from, const char* to) {
  if (below(to) && next(true) == 'e') return -1;
  if (below(to)) log("rename", relative(from), relative(to));
  return real<int (*)(const char*, const char*)>("rename")(from, to);
}
int mkdir(const char* path, mode_t mode) {
  if (below(path) && next(true) == 'e') return -1;
  return real<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}
int rmdir(const char* path) {
  if (below(path) && next(false) == 'e') return -1;
  return real<int (*)(const char*)>("rmdir")(path);
}
int unlink(const char* path) {
  if (below(path) && next(false) == 'e') return -1;
  return real<int (*)(const char*)>("unlink")(path);
}
int nanosleep(const timespec*, timespec*) { return 0; }
int clock_nanosleep(clockid_t, int, const timespec*, timespec*) { return 0; }

}  // extern "C"
