#include "entries.h"
#include "libfuzzer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  taugrad::fuzz::graph_json({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  return taugrad::fuzz::mutate(data, size, most, seed, &taugrad::fuzz::Mutator::json);
}
