#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>

#include "samples.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/reference/interpreter.h"

// Wrong derivative rules, on purpose: the checks must catch every one and name the op and the step.
namespace {

using namespace taugrad;
using samples::Placed;
using samples::Sample;

// What is done to a right rule. `slot`: the input whose cotangent is spoilt.
enum class Mutation {
  sign,             // -xbar
  twice,            // 2 xbar
  slightly_off,     // (1 + 1e-9) xbar
  zero,             // a dropped term
  extra_term,       // xbar + 1/8
  stale_cotangent,  // the vjp of ones instead of ybar
  stale_values,     // the vjp at other inputs and another output
  swapped,          // the cotangents of two inputs of one shape change places
  missing_rows,     // the last row of the cotangent is lost
  missing_items,    // the sum over the items leaves some out
  transposed,       // of a square matrix
};
constexpr Mutation kMutations[]{
    Mutation::sign,         Mutation::twice,           Mutation::slightly_off, Mutation::zero,
    Mutation::extra_term,   Mutation::stale_cotangent, Mutation::stale_values, Mutation::swapped,
    Mutation::missing_rows, Mutation::missing_items,   Mutation::transposed};

const char* text(Mutation m) {
  static const std::map<Mutation, const char*> names{{Mutation::sign, "sign"},
                                                     {Mutation::twice, "twice"},
                                                     {Mutation::slightly_off, "slightly off"},
                                                     {Mutation::zero, "zero"},
                                                     {Mutation::extra_term, "extra term"},
                                                     {Mutation::stale_cotangent, "stale cotangent"},
                                                     {Mutation::stale_values, "stale values"},
                                                     {Mutation::swapped, "swapped"},
                                                     {Mutation::missing_rows, "missing rows"},
                                                     {Mutation::missing_items, "missing items"},
                                                     {Mutation::transposed, "transposed"}};
  return names.at(m);
}

// The rule of a mutant is a plain function, so what it does stands here while it runs.
const Op* original = nullptr;
Mutation mutation = Mutation::sign;
std::size_t slot = 0;

Var drop_last_row(Var x) {
  const std::int64_t rows = x.shape()[0];
  return pad(slice(x, 0, rows - 1), 0, rows);
}

// the sum over the items whose length is at least 1, where all were to be summed
Var drop_items(Var x) {
  const ExtentId some = x.tape->intern_extent({{{0, 1}}});
  return sum_items(restrict_to(x, some));
}

Primal elsewhere(const Primal& p) {
  Primal other = p;
  for (Var& x : other.in) x = category_size(x) > 0 ? x : x * 1.25 + 0.125;
  other.out = other.out.tape->append(*original, other.in, Attrs(p.attrs()));
  return other;
}

bool swappable(std::span<const Var> xbar, const Primal& p) {
  return slot + 1 < xbar.size() && xbar[slot] && xbar[slot + 1] &&
         xbar[slot].shape() == xbar[slot + 1].shape() &&
         p.in[slot].extent() == p.in[slot + 1].extent() &&
         xbar[slot].extent() == xbar[slot + 1].extent();
}

void mutant_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  if (mutation == Mutation::stale_cotangent)
    ybar = constant(*ybar.tape, 1, ybar.shape(), ybar.extent());
  if (mutation == Mutation::stale_values) return original->vjp(elsewhere(p), ybar, xbar);
  original->vjp(p, ybar, xbar);
  Var& x = xbar[slot];
  if (mutation == Mutation::swapped && swappable(xbar, p)) std::swap(x, xbar[slot + 1]);
  if (!x) return;
  const Shape& shape = x.shape();
  switch (mutation) {
    case Mutation::sign:
      x = -x;
      break;
    case Mutation::twice:
      x = x * 2.0;
      break;
    case Mutation::slightly_off:
      x = x * (1 + 1e-9);
      break;
    case Mutation::zero:
      x = {};
      break;
    case Mutation::extra_term:
      x = x + 0.125;
      break;
    case Mutation::missing_rows:
      if (shape.rank() > 0 && shape[0] > 0) x = drop_last_row(x);
      break;
    case Mutation::missing_items:
      if (!p.in[slot].per_example() && x.extent() == kEveryItem) x = drop_items(x);
      break;
    case Mutation::transposed:
      if (shape.rank() == 2 && shape[0] == shape[1]) x = transpose(x);
      break;
    default:
      break;
  }
}

// Three steps of the op on leaves of their own, step 2 with the wrong rule.
struct Steps {
  Graph graph;
  CheckPoint point;
  Vars moving;
  Var loss;
};

Steps three_steps(const Sample& sample, const Op& wrong) {
  Steps s;
  Tape& tape = s.graph.tape();
  samples::begin(tape, s.point);
  Vars terms;
  for (std::int32_t t = 1; t <= 3; ++t) {
    const IndexId index = tape.intern_index({&t, 1});
    tape.set_owner(tape.intern_name("v"), index);
    const Placed placed = samples::place(tape, sample, s.point, 40 + static_cast<unsigned>(t));
    const Var y = samples::apply(tape, t == 2 ? wrong : *sample.op, sample, placed);
    tape.set_value(y.id, tape.intern_name("v"), index);
    const Var term = samples::weighted(y, s.point, 50 + static_cast<unsigned>(t));
    terms.push_back(term.per_example() ? sum_items(term) : term);
    s.moving.insert(s.moving.end(), placed.moving.begin(), placed.moving.end());
  }
  s.loss = add_n(terms);
  return s;
}

// the gradient's numbers at the point: a mutation that changes none of them is no mutant
std::vector<double> numbers(Steps& s) {
  const Vars g = gradient(s.loss, s.moving).values();
  std::vector<NodeId> ids;
  for (const Var& v : g) ids.push_back(v.id);
  Interpreter<double> run(s.graph.tape(), ids);
  run.set_batch(s.point.batch, s.point.items);
  for (const auto& [leaf, values] : s.point.leaves)
    if (run.needs(leaf.id)) std::copy(values.begin(), values.end(), run.leaf(leaf.id).begin());
  run.run();
  std::vector<double> all;
  for (const NodeId id : ids) all.insert(all.end(), run.value(id).begin(), run.value(id).end());
  return all;
}

bool differ(const std::vector<double>& a, const std::vector<double>& b) {
  double scale = 1, most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    scale = std::max(scale, std::abs(a[i]));
    most = std::max(most, std::abs(a[i] - b[i]));
  }
  return most > 1e-11 * scale;
}

// 1: caught and named, 0: the mutation changes nothing here
int kill(const Sample& sample, const Op& wrong) {
  Steps right = three_steps(sample, *sample.op), mutant = three_steps(sample, wrong);
  if (!differ(numbers(right), numbers(mutant))) return 0;
  INFO(sample.text() << ", " << text(mutation) << " of input " << slot);
  CHECK_FALSE(check_gradients(mutant.loss, mutant.moving, mutant.point).ok());
  const std::vector<OpFault> faults = find_faults(mutant.loss, mutant.moving, mutant.point);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].op == sample.op->name);
  CHECK(faults[0].label == "v[2]");
  return 1;
}

}  // namespace

TEST_CASE("every mutant of every op's vjp is caught, and named by op and step", "[mutants]") {
  int total = 0;
  for (const Op* op : registry()) {
    if (op->traits.leaf || op->traits.discrete) continue;
    INFO(op->name);
    original = op;
    Op wrong = *op;
    wrong.vjp = mutant_vjp;
    std::set<std::pair<Mutation, std::size_t>> killed;
    for (const Sample& sample : samples::of(*op)) {
      std::int64_t entries = 0;
      for (const auto& l : sample.leaves) entries += l.shape.size();
      if (entries > 24) continue;  // small ones show the same
      for (const Mutation m : kMutations)
        for (slot = 0; slot < sample.leaves.size(); ++slot) {
          mutation = m;
          if (!killed.count({m, slot}) && kill(sample, wrong)) killed.insert({m, slot});
        }
    }
    CHECK(killed.size() >= 6);
    total += static_cast<int>(killed.size());
  }
  CHECK(total >= 270);
}
