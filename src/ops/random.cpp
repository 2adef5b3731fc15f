#include <algorithm>
#include <functional>
#include <numbers>
#include <numeric>
#include <vector>

#include "base/philox.h"
#include "graph/tables.h"
#include "ops/kernel.h"
#include "ops/rules.h"

// Draws. A number depends on (seed, stream, item, position, element) and on nothing else: not on
// the batch an item is in, nor on the order of evaluation.
namespace taugrad {
namespace {

/// The numbers of one node for one item.
class Draws {
 public:
  template <class S>
  Draws(const Call<S>& c, std::int64_t row) {
    key_ = mixed(c.batch->seed, hash_of(std::string_view(c.attrs->text("stream"))));
    for (std::size_t i = 1; i < c.index.size(); ++i)
      key_ = mixed(key_, static_cast<std::uint32_t>(c.index[i]));
    position_ = c.index.empty() ? 0 : static_cast<std::uint32_t>(c.index[0]);
    std::int64_t item = 0;
    if (c.extent != kShared) item = c.batch->items_of[c.extent][static_cast<std::size_t>(row)];
    const auto& moved = c.batch->moved;
    if (!moved.empty() && !c.index.empty())
      position_ += static_cast<std::uint32_t>(moved[static_cast<std::size_t>(item)]);
    const auto& keys = c.batch->item;
    item_ = static_cast<std::uint64_t>(keys.empty() ? item : keys[static_cast<std::size_t>(item)]);
  }
  /// Two numbers in (0, 1) for elements 2 block and 2 block + 1.
  std::array<double, 2> pair(std::int64_t block) const {
    const auto words =
        philox({static_cast<std::uint32_t>(block), position_, static_cast<std::uint32_t>(item_),
                static_cast<std::uint32_t>(item_ >> 32) ^ static_cast<std::uint32_t>(block >> 32)},
               key_);
    return {unit_interval(words[0], words[1]), unit_interval(words[2], words[3])};
  }
  double uniform(std::int64_t i) const { return pair(i / 2)[static_cast<std::size_t>(i % 2)]; }

 private:
  std::uint64_t key_ = 0, item_ = 0;
  std::uint32_t position_ = 0;
};

template <class S>
double as_double(const S& x) {
  return static_cast<double>(scalar::real_part(x));
}

struct DrawNormal {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) {
      const Draws draws(c, item);
      S* y = c.out + item * n;
      for (std::int64_t i = 0; i < n; i += 2) {
        const auto [u, v] = draws.pair(i / 2);  // Box and Muller: two numbers from two
        const double radius = std::sqrt(-2 * std::log(u)), angle = 2 * std::numbers::pi * v;
        y[i] = S(static_cast<double>(radius * std::cos(angle)));
        if (i + 1 < n) y[i + 1] = S(radius * std::sin(angle));
      }
    });
  }
};

struct DropoutMask {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    if (!c.batch->train) {
      std::fill_n(c.out, c.items * n, S(1));
      return;
    }
    const double p = c.attrs->real("p");
    each_item(c, [&](std::int64_t item) {
      const Draws draws(c, item);
      for (std::int64_t i = 0; i < n; ++i)
        c.out[item * n + i] = draws.uniform(i) < p ? S(0) : S(1 / (1 - p));
    });
  }
};

struct DrawBernoulli {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) {
      const Draws draws(c, item);
      const S* p = row(c.in[0], item);
      for (std::int64_t i = 0; i < n; ++i)
        c.out[item * n + i] = is_probability(p[i]) ? S(draws.uniform(i) < as_double(p[i]) ? 1 : 0)
                                                   : not_a_number<S>();
    });
  }
};

// Of the k largest numbers, which; of equal ones the first. Empty: all n.
template <class S>
std::vector<char> largest(const S* z, std::int64_t n, std::int64_t k) {
  if (k <= 0 || k >= n) return {};
  std::vector<double> sorted(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) sorted[static_cast<std::size_t>(i)] = as_double(z[i]);
  const auto kth = sorted.begin() + (k - 1);
  std::nth_element(sorted.begin(), kth, sorted.end(), std::greater<>());
  std::int64_t ties = k - std::count_if(sorted.begin(), kth, [&](double x) { return x > *kth; });
  std::vector<char> in(static_cast<std::size_t>(n), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = as_double(z[i]);
    if (x > *kth || (x == *kth && ties-- > 0)) in[static_cast<std::size_t>(i)] = 1;
  }
  return in;
}

// Of numbers >= 0 the fewest of the largest that have the share `p` of their sum together stay, of
// equal ones the first; the others become 0.
void keep_share(std::vector<double>& weights, double p) {
  if (p >= 1) return;
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
  double total = 0, kept = 0;
  for (const double w : weights) total += w;
  for (const std::size_t i : order) {
    if (kept >= p * total) weights[i] = 0;
    kept += weights[i];
  }
}

struct DrawCategorical {
  /// NaN where there is no distribution: of a NaN, of +inf, of nothing but -inf.
  /// @param weights  scratch of n numbers
  template <class S>
  static double draw(const S* z, std::int64_t k, double p, double u, std::vector<double>& weights) {
    const auto n = static_cast<std::int64_t>(weights.size());
    const double shift = as_double(z[first_largest(z, n)]);
    if (!std::isfinite(shift)) return not_a_number<double>();
    const std::vector<char> in = largest(z, n, k);
    double total = 0, below = 0;
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = in.empty() || in[i] ? std::exp(as_double(z[i]) - shift) : 0;
    keep_share(weights, p);
    for (const double weight : weights) total += weight;
    std::int64_t last = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double weight = weights[static_cast<std::size_t>(i)];
      below += weight;
      if (u * total < below) return static_cast<double>(i);
      if (weight > 0) last = i;
    }
    return static_cast<double>(last);  // rounding left u above the sum
  }
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size(), k = c.attrs->integer_or("top", 0);
    const double p = c.attrs->has("share") ? c.attrs->real("share") : 1;
    std::vector<double> weights(static_cast<std::size_t>(n));
    each_item(c, [&](std::int64_t item) {
      const double u = Draws(c, item).uniform(0);
      c.out[item] = S(draw(row(c.in[0], item), k, p, u, weights));
    });
  }
};

Shape logits_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() == 1 && in[0][0] >= 1, "wants a vector of logits, not {}", in[0]);
  return {};
}

// draws are keyed by a text
void check_stream(const Proposal& p) {
  for (std::size_t i = 0; i < p.in.size(); ++i) require_number(p, i);
  require(p.category == 0, "gives numbers, not a category");
  p.attrs.text("stream");
}

void check_mask(const Proposal& p) {
  check_stream(p);
  const double dropped = p.attrs.real("p");
  require(dropped >= 0 && dropped <= 1, "a probability is in 0..1, not {}", dropped);
}

void check_draw(const Proposal& p) {
  require_number(p, 0);
  p.attrs.text("stream");
  const std::int64_t size = p.tape.shape(p.in[0])[0], top = p.attrs.integer_or("top", 0);
  require(p.category == size, "gives a category of {}, its attribute says {}", size, p.category);
  require(top >= 0, "of the {} likeliest", top);
  const double share = p.attrs.has("share") ? p.attrs.real("share") : 1;
  require(share > 0 && share <= 1, "a share is in (0, 1], not {}", share);
}

Attrs with_stream(std::string_view stream) { return {{"stream", std::string(stream)}}; }

// random variables belong to an example even where their parameters do not
Var per_item(Var a) { return a.per_example() ? a : to_items(a, kEveryItem); }
ExtentId item_extent(Var like) { return like.per_example() ? like.extent() : kEveryItem; }

}  // namespace

constinit const Op kDrawNormal{.name = "draw_normal",
                               .about = "standard normal numbers",
                               .attributes = "stream:text",
                               .arity = 0,
                               .forward = forwards<DrawNormal>(),
                               .traits = {.leaf = true, .discrete = true, .random = true},
                               .check = check_stream};
constinit const Op kDropoutMask{.name = "dropout_mask",
                                .about = "0 with probability p, else 1/(1-p); 1 outside training",
                                .attributes = "p:real stream:text",
                                .arity = 0,
                                .forward = forwards<DropoutMask>(),
                                .traits = {.leaf = true, .discrete = true, .random = true},
                                .check = check_mask};
constinit const Op kDrawBernoulli{.name = "draw_bernoulli",
                                  .about = "1 with probability p, else 0",
                                  .attributes = "stream:text",
                                  .shape = one_shape,
                                  .forward = forwards<DrawBernoulli>(),
                                  .traits = {.elementwise = true, .discrete = true, .random = true},
                                  .check = check_stream};
constinit const Op kDrawCategorical{
    .name = "draw_categorical",
    .about = "a category from softmax(z), of the `top` likeliest or a `share`",
    .attributes = "category share:real stream:text top:integer",
    .shape = logits_shape,
    .forward = forwards<DrawCategorical>(),
    .traits = {.discrete = true, .random = true},
    .check = check_draw};

Var draw_categorical(Var logits, std::string_view stream, std::int64_t top_k, double top_p) {
  Attrs attrs = with_stream(stream);
  if (top_k != 0) attrs.set("top", top_k);
  if (top_p != 1) attrs.set("share", top_p);
  if (logits.shape().rank() == 1) attrs.set("category", logits.shape()[0]);
  return append1(kDrawCategorical, per_item(logits), attrs);
}
Var draw_bernoulli(Var p, std::string_view stream) {
  return append1(kDrawBernoulli, per_item(p), with_stream(stream));
}
Var draw_normal(const Var& like, std::string_view stream) {
  return like.tape->leaf(kDrawNormal, like.shape(), item_extent(like), with_stream(stream));
}
Var dropout_mask(Var like, double p, std::string_view stream) {
  Attrs attrs = with_stream(stream);
  attrs.set("p", p);
  return like.tape->leaf(kDropoutMask, like.shape(), item_extent(like), attrs);
}

}  // namespace taugrad
