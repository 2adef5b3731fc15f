#include "reference/directions.h"

#include "base/philox.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {

double uniform(std::uint64_t seed, std::size_t variable, std::int64_t i) {
  const auto word = philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                            static_cast<std::uint32_t>(variable), 0x636865u},
                           seed);
  return unit_interval(word[0], word[1]);
}

Var along_random_directions(const Vars& values, const std::string& stream) {
  Vars terms;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Var g = values[i];
    const Attrs draw{{"stream", stream + " " + std::to_string(i)}};
    const Var v = g.tape->leaf(kDrawNormal, g.shape(), g.extent(), draw);
    const Var term = sum(g * v);
    terms.push_back(term.per_example() ? sum_items(term) : term);
  }
  return terms.size() == 1 ? terms[0] : add_n(terms);
}

}  // namespace taugrad
