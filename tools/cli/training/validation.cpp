#include "training/validation.h"

#include <algorithm>
#include <charconv>

#include "base/fail.h"

namespace taugrad::cli {
namespace {

// a number is a share of the items, anything else a file
std::optional<double> share_from(const std::string& text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (!(share > 0 && share < 1))
    fail(Status::usage, "U002", "--valid: a share of the items is in (0, 1), got {}", text);
  return share;
}

}  // namespace

void add_validation(Command& c, ValidationOptions& o) {
  c.option({.name = "--valid",
            .letter = "",
            .value = "FILE",
            .help = "measure on these data, or a share of the items: 0.1",
            .take =
                [&o](const std::string& v) {
                  if (const auto share = share_from(v))
                    o.share = *share;
                  else
                    o.files.push_back(v);
                },
            .many = true});
  c.integer("--valid-every", "N", "updates between that [an epoch]", o.every, 1, 1'000'000'000)
      .rare();
  c.integer("--patience", "N", "end where so many in a row are no better than the best", o.patience,
            1, 1'000'000'000);
}

std::vector<char> held_out(std::uint64_t seed, std::size_t items, double share) {
  std::vector<char> held(items);
  std::size_t first = 0, last = 0, count = 0;  // of the least number, of the largest
  const auto number = [&](std::size_t item) {
    std::uint64_t z = seed + (static_cast<std::uint64_t>(item) + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;  // SplitMix64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1p-53;
  };
  for (std::size_t i = 0; i < items; ++i) {
    held[i] = number(i) < share ? 1 : 0;
    count += held[i] != 0 ? 1 : 0;
    if (number(i) < number(first)) first = i;
    if (number(i) > number(last)) last = i;
  }
  if (count == 0) held[first] = 1;
  if (count == items) held[last] = 0;
  return held;
}

Validation::Validation(Dataset data, ValidationState& state, const TrainOptions& options,
                       int threads, std::int64_t batches)
    : data_(std::move(data)), state_(state), every_(state.every > 0 ? state.every : batches) {
  options_.batch = options.batch;
  options_.seed = options.seed;
  options_.engine.max_memory = options.engine.max_memory;
  options_.engine.threads = threads;
  options_.memory = options.memory;
}

double Validation::measure(const Definition& d, const Tensors& weights, std::int64_t update) {
  const Evaluation e = evaluate(d, weights, data_, options_);
  const double loss = e.loss / static_cast<double>(std::max<std::int64_t>(e.targets, 1));
  if (!state_.best || loss < *state_.best) {
    state_.best = loss;
    state_.best_update = update;
  }
  return loss;
}

bool Validation::exhausted(std::int64_t update) const {
  return state_.patience > 0 && state_.best &&
         (update - state_.best_update) / every_ >= state_.patience;
}

}  // namespace taugrad::cli
