#include "entries.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  taugrad::fuzz::definition({reinterpret_cast<const char*>(data), size});
  return 0;
}
