// Rows S49-S52: sampling, and every way to end a sequence, against exact enumeration.
//                                                                          (section 3.3, eq 28-30)
#include <functional>

#include "language_support.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/sample.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

constexpr std::int64_t kDraws = 100'000;

/// Weights away from zero, so that no distribution is uniform by chance.
Tensors lively(const Definition& d, std::uint64_t seed) {
  Tensors weights = initial_weights(d, {.seed = seed});
  for (auto& [name, w] : weights)
    for (std::int64_t i = 0; i < w.size(); ++i)
      w.set(i, 1.5 * w.at(i) +
                   0.7 * std::sin(static_cast<double>(i) + 1.3 * static_cast<double>(name[0])));
  return weights;
}

/// All sequences of that length over symbols 0..k-1: [steps, k^steps].
Tensor every_sequence(std::int64_t steps, std::int64_t k) {
  std::int64_t count = 1;
  for (std::int64_t t = 0; t < steps; ++t) count *= k;
  Tensor y({steps, count}, Dtype::i64);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i;
    for (std::int64_t t = steps; t-- > 0; rest /= k)
      y.set(t * count + i, static_cast<double>(rest % k));
  }
  return y;
}

std::vector<std::int64_t> column(const Tensor& y, std::int64_t item) {
  std::vector<std::int64_t> all;
  for (std::int64_t t = 0; t < y.dims()[0]; ++t)
    all.push_back(static_cast<std::int64_t>(y.at(t * y.dims()[1] + item)));
  return all;
}

/// Probability of each sequence, by the definition's own loss, in f64.
using Joint = std::map<std::vector<std::int64_t>, double>;

void add_joint(Joint& joint, const Definition& d, const Tensors& weights, const Tensor& y,
               const Tensors& more = {},
               const std::function<bool(const std::vector<std::int64_t>&)>& keep = {}) {
  Tensors inputs = more;
  inputs["y"] = y;
  const Tensor loss = evaluate_one(d, inputs, weights, "loss");
  for (std::int64_t i = 0; i < loss.size(); ++i) {
    const std::vector<std::int64_t> sequence = column(y, i);
    if (!keep || keep(sequence)) joint[sequence] += std::exp(-loss.at(i));
  }
}

double total(const Joint& joint) {
  double sum = 0;
  for (const auto& [sequence, p] : joint) sum += p;
  return sum;
}

/// Probability of a chi-square as large or larger, by Wilson and Hilferty's cube root.
double upper_tail(double chi, double degrees) {
  const double v = 2 / (9 * degrees);
  return 0.5 * std::erfc((std::cbrt(chi / degrees) - (1 - v)) / std::sqrt(2 * v));
}

/// p of the counts under the joint; cells that expect fewer than 5 are taken together.
double chi_square_p(const Joint& joint,
                    const std::map<std::vector<std::int64_t>, std::int64_t>& counts) {
  double chi = 0, rest_expected = 0, rest_seen = 0;
  int cells = 0;
  std::int64_t seen_all = 0;
  for (const auto& [sequence, p] : joint) {
    const auto found = counts.find(sequence);
    const double expected = p * kDraws,
                 seen = found == counts.end() ? 0 : static_cast<double>(found->second);
    seen_all += static_cast<std::int64_t>(seen);
    if (expected < 5) {
      rest_expected += expected;
      rest_seen += seen;
      continue;
    }
    chi += (seen - expected) * (seen - expected) / expected;
    ++cells;
  }
  CHECK(seen_all == kDraws);  // nothing was drawn that the joint does not know
  if (rest_expected > 0) {
    chi += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected;
    ++cells;
  }
  REQUIRE(cells > 5);
  return upper_tail(chi, cells - 1);
}

std::map<std::vector<std::int64_t>, std::int64_t> counted(const std::vector<Tensors>& samples) {
  std::map<std::vector<std::int64_t>, std::int64_t> counts;
  for (const Tensors& s : samples) {
    const auto y = s.at("y").values<std::int64_t>();
    ++counts[{y.begin(), y.end()}];
  }
  return counts;
}

bool ends(const std::vector<std::int64_t>& y) { return y.back() == 0; }
bool ends_early(const std::vector<std::int64_t>& y) {
  return std::find(y.begin(), y.end() - 1, 0) != y.end() - 1;
}

}  // namespace

TEST_CASE("S49: the tail of a chi-square, by known values", "[rows]") {
  CHECK(upper_tail(124.839, 80) == Approx(0.001).epsilon(0.03));
  CHECK(upper_tail(80, 80) == Approx(0.4790).epsilon(0.01));
  CHECK(upper_tail(26.124, 8) == Approx(0.001).epsilon(0.1));
}

TEST_CASE("S49: 1e5 samples follow the enumerated joint", "[rows][sampling]") {
  const Definition d = load_definition("sequence_model");
  const Tensors weights = lively(d, 3);
  Joint joint;
  add_joint(joint, d, weights, every_sequence(4, 3));
  CHECK(joint.size() == 81);
  CHECK(total(joint) == Approx(1).epsilon(0).margin(1e-12));
  const auto counts = counted(sample(d, weights, {.count = kDraws, .steps = 4, .seed = 11}));
  CHECK(chi_square_p(joint, counts) > 0.001);
  CHECK(chi_square_p(
            joint, counted(sample(d, weights, {.count = kDraws, .steps = 4, .seed = 12}))) > 0.001);
  // and another joint is told from it
  Joint other;
  add_joint(other, d, lively(d, 4), every_sequence(4, 3));
  CHECK(chi_square_p(other, counts) < 1e-6);
}

TEST_CASE("S49: temperature and the k likeliest, against the joint of altered conditionals",
          "[rows][sampling]") {
  const Definition d = load_definition("sequence_model");
  const Tensors weights = lively(d, 5);
  const Tensor y = every_sequence(4, 3);
  const Tensor o = evaluate_one(d, {{"y", y}}, weights, "o");
  for (const auto& [temperature, top] : {std::pair{0.5, 0}, {2.0, 0}, {1.0, 2}, {0.7, 2}}) {
    CAPTURE(temperature, top);
    Joint joint;
    for (std::int64_t i = 0; i < 81; ++i) {
      double p = 1;
      for (std::int64_t t = 0; t < 4; ++t) {
        std::vector<double> z;
        for (std::int64_t c = 0; c < 3; ++c) z.push_back(o.at((t * 81 + i) * 3 + c));
        std::vector<double> sorted = z;
        std::sort(sorted.rbegin(), sorted.rend());
        double sum = 0, own = 0;
        for (std::size_t c = 0; c < 3; ++c) {
          if (top > 0 && z[c] < sorted[static_cast<std::size_t>(top) - 1]) continue;
          const double w = std::exp(z[c] / temperature);
          sum += w;
          own += c == static_cast<std::size_t>(y.at(t * 81 + i)) ? w : 0;
        }
        p *= own / sum;
      }
      if (p > 0) joint[column(y, i)] = p;
    }
    CHECK(total(joint) == Approx(1).epsilon(0).margin(1e-12));
    CHECK(joint.size() == (top == 2 ? 16 : 81));
    CHECK(chi_square_p(joint, counted(sample(d, weights,
                                             {.count = kDraws,
                                              .steps = 4,
                                              .seed = 6,
                                              .temperature = temperature,
                                              .top_k = top}))) > 0.001);
  }
}

TEST_CASE("S49: greedy takes the likeliest symbol at each step; a prompt is what it goes on from",
          "[rows][sampling]") {
  const Definition d = load_definition("sequence_model");
  const Tensors weights = lively(d, 7);
  const SampleOptions greedy{.count = 3, .steps = 6, .temperature = 0, .prompt = {2, 0}};
  const std::vector<Tensors> all = sample(d, weights, greedy);
  CHECK((all[0] == all[1] && all[1] == all[2]));
  CHECK(all == sample(d, weights,
                      {.count = 3, .steps = 6, .seed = 99, .temperature = 0, .prompt = {2, 0}}));
  CHECK(all ==
        sample(d, weights, {.count = 3, .steps = 6, .seed = 5, .top_k = 1, .prompt = {2, 0}}));
  const Tensor& y = all[0].at("y");
  CHECK((y.at(0) == 2 && y.at(1) == 0));
  Tensor batch({6, 1}, Dtype::i64);
  for (std::int64_t t = 0; t < 6; ++t) batch.set(t, y.at(t));
  const Tensor o = evaluate_one(d, {{"y", batch}}, weights, "o");
  for (std::int64_t t = 2; t < 6; ++t)
    for (std::int64_t c = 0; c < 3; ++c)
      CHECK(o.at(3 * t + c) <= o.at(3 * t + static_cast<std::int64_t>(y.at(t))));
}

TEST_CASE("S50: with an end symbol, all sequences up to T and survival are 1", "[rows][sampling]") {
  Definition d = load_definition("end_symbol");
  const Tensors weights = lively(d, 2);
  constexpr std::int64_t kLongest = 6;
  Joint joint;
  for (std::int64_t steps = 1; steps <= kLongest; ++steps)
    add_joint(joint, d, weights, every_sequence(steps, 4), {}, [&](const auto& y) {
      return !ends_early(y) && (ends(y) || steps == kLongest);  // the last: survival
    });
  CHECK(total(joint) == Approx(1).epsilon(0).margin(1e-12));
  const auto samples = sample(d, weights, {.count = kDraws, .steps = kLongest, .seed = 8});
  CHECK(chi_square_p(joint, counted(samples)) > 0.001);

  Corpus corpus;  // the library appends the symbol to the data that it trains on
  add_text(corpus, "ab\nc\n", "text", Split::line);
  const Dataset data = text_dataset(d, corpus, Vocabulary(corpus.items, true));
  for (const Example& e : data.examples) {
    const auto y = e.values.at("y").values<std::int64_t>();
    CHECK(y.back() == 0);
    CHECK(std::count(y.begin(), y.end(), 0) == 1);
  }
}

TEST_CASE("S51: with a stop variable too; the mean length is the exact one", "[rows][sampling]") {
  Definition d = load_definition("bernoulli_stop");
  d.sizes[1].value = 3;
  const Tensors weights = lively(d, 4);
  constexpr std::int64_t kLongest = 6;
  Joint joint;
  double mean = 0, square = 0;
  for (std::int64_t steps = 1; steps <= kLongest; ++steps) {
    const Tensor y = every_sequence(steps, 3);
    Joint here;
    add_joint(here, d, weights, y);  // s follows: 1 at the end, 0 before
    if (steps == kLongest)           // survival: 0 at the end too
      add_joint(here, d, weights, y, {{"s", Tensor({steps, y.dims()[1]}, Dtype::f64)}});
    mean += static_cast<double>(steps) * total(here);
    square += static_cast<double>(steps * steps) * total(here);
    joint.merge(here);
  }
  CHECK(total(joint) == Approx(1).epsilon(0).margin(1e-12));
  const auto samples = sample(d, weights, {.count = kDraws, .steps = kLongest, .seed = 3});
  CHECK(chi_square_p(joint, counted(samples)) > 0.001);
  double sum = 0;
  for (const Tensors& s : samples) {
    const auto stop = s.at("s").values<float>();
    CHECK(std::all_of(stop.begin(), stop.end() - 1, [](float x) { return x == 0; }));
    CHECK((stop.back() == 1 || static_cast<std::int64_t>(stop.size()) == kLongest));
    sum += static_cast<double>(stop.size());
  }
  CHECK(std::abs(sum / kDraws - mean) <= 3 * std::sqrt((square - mean * mean) / kDraws));
}

TEST_CASE("S52: with a drawn length too; sequences are as long as drawn", "[rows][sampling]") {
  Definition d = load_definition("predicted_length");
  d.sizes[1].value = 3;
  d.sizes[2].value = 4;
  const Tensors weights = lively(d, 6);
  Joint joint;
  std::vector<double> by_length;
  for (std::int64_t steps = 0; steps <= 4; ++steps) {
    Joint here;
    if (steps == 0)
      here[{}] =
          std::exp(-evaluate_one(d, {{"lengths", symbols({1}, {0})}}, weights, "loss").at(0));
    else
      add_joint(here, d, weights, every_sequence(steps, 3));
    by_length.push_back(total(here));
    joint.merge(here);
  }
  CHECK(total(joint) == Approx(1).epsilon(0).margin(1e-12));
  const auto samples = sample(d, weights, {.count = kDraws, .seed = 9});
  CHECK(chi_square_p(joint, counted(samples)) > 0.001);

  // the length drawn, tau - t counted down from it, and the sequence agree in every sample
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < 2000; ++i) items.push_back(i);
  RunOptions o;
  o.seed = 9;
  o.modes = {{"tau", Mode::sampled}, {"y", Mode::sampled}};
  const Tensors v = evaluate(d, {{"item", symbols({2000}, items)}}, weights, {"tau", "y", "h"}, o);
  for (std::int64_t i = 0; i < 2000; ++i) {
    const auto tau = static_cast<std::int64_t>(v.at("tau").at(i));
    CHECK(samples[static_cast<std::size_t>(i)].at("y").dims() == Dims{tau});
    for (std::int64_t t = 0; t < v.at("h").dims()[0]; ++t)
      CHECK((v.at("h").at((t * 2000 + i) * 3) != 0) == (t < tau));
  }
  o.modes = {{"tau", Mode::greedy}, {"y", Mode::greedy}};
  const auto longest = std::max_element(by_length.begin(), by_length.end()) - by_length.begin();
  CHECK(evaluate_one(d, {{"item", symbols({1}, {0})}}, weights, "tau", o).at(0) ==
        static_cast<double>(longest));
}

TEST_CASE("S49: a sample is its own, whatever else is drawn and on how many threads",
          "[rows][sampling]") {
  for (const char* name : {"end_symbol", "bernoulli_stop", "predicted_length"}) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    const Tensors weights = lively(d, 6);
    const auto many = sample(d, weights, {.count = 50, .steps = 9, .seed = 4});
    const auto few = sample(d, weights, {.count = 7, .steps = 9, .seed = 4});
    for (std::size_t i = 0; i < few.size(); ++i) CHECK(few[i] == many[i]);
  }
}

// R14: also where nothing but the stop variable is drawn, and nothing but --steps tells a length
TEST_CASE("a stop variable that is drawn alone ends its sequence", "[sampling]") {
  for (const char* end : {"y[t] == 1", "y[t] > 0.5"}) {
    const Definition d =
        definition_from_equations({"y[t] ~ bernoulli(p = 0.5)", std::string("ends = ") + end});
    const Modes modes{{"y", {.kind = Mode::Kind::sampled}}};
    const RunResult r = run(d, {}, {}, {.fetch = {"y"}, .steps = 9, .batch = 40, .modes = modes});
    const Tensor& y = r.values.at("y");
    REQUIRE(y.dims()[1] == 40);
    std::int64_t longer = 0;
    for (std::int64_t item = 0; item < 40; ++item) {
      bool ended = false;
      for (std::int64_t t = 0; t < y.dims()[0]; ++t) {
        const double now = y.at(t * 40 + item);
        if (ended) CHECK(now == 0);
        ended = ended || now == 1;
        longer += now == 0 && !ended;
      }
    }
    CHECK(longer > 0);
  }
}
