#include "ops/kernel.h"
#include "ops/rules.h"

// Functions along the last axis.
namespace taugrad {
namespace {

Shape last_axis_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() >= 1, "a number has no last axis");
  return in[0];
}

struct Softmax {
  template <class S>
  static void run(const Call<S>& c) {
    each_last_axis(c, [](const S* x, S* y, std::int64_t n) {
      // shifted by the real part of the largest: e^0 is the largest term, nothing overflows
      const S shift = S(scalar::real_part(x[first_largest(x, n)]));
      S total(0);
      for (std::int64_t i = 0; i < n; ++i) total += y[i] = scalar::exp(x[i] - shift);
      for (std::int64_t i = 0; i < n; ++i) y[i] /= total;
    });
  }
};

struct LogSoftmax {
  template <class S>
  static void run(const Call<S>& c) {
    each_last_axis(c, [](const S* x, S* y, std::int64_t n) {
      const S shift = S(scalar::real_part(x[first_largest(x, n)]));
      S total(0);
      for (std::int64_t i = 0; i < n; ++i) total += scalar::exp(x[i] - shift);
      const S log_total = scalar::log(total);
      for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - shift) - log_total;
    });
  }
};

constexpr double kEpsilon = 1e-5;

struct Centre {
  template <class S>
  static void run(const Call<S>& c) {
    each_last_axis(c, [](const S* x, S* y, std::int64_t n) { centre(x, y, n); });
  }
};

template <class S>
S mean_square(const S* y, std::int64_t n) {
  S square(0);
  for (std::int64_t i = 0; i < n; ++i) square += y[i] * y[i];
  return square / S(static_cast<double>(n));
}

struct Normalize {
  template <class S>
  static void run(const Call<S>& c) {
    each_last_axis(c, [](const S* x, S* y, std::int64_t n) {
      centre(x, y, n);
      S variance = mean_square(y, n), epsilon = S(kEpsilon);
      if (!scalar::is_finite(variance)) {  // it has overflowed: beside it epsilon is nothing
        double largest = 0;
        for (std::int64_t i = 0; i < n; ++i)
          largest = std::max(largest, std::abs(static_cast<double>(scalar::real_part(y[i]))));
        for (std::int64_t i = 0; i < n; ++i) y[i] /= S(largest);
        variance = mean_square(y, n);
        epsilon = S(0);
      }
      const S deviation = scalar::sqrt(variance + epsilon);
      for (std::int64_t i = 0; i < n; ++i) y[i] /= deviation;
    });
  }
};

// the sum along the last axis, which stays with size 1
Var sum_last(Var a) {
  std::vector<std::int64_t> dims(a.shape().dims().begin(), a.shape().dims().end());
  dims.back() = 1;
  return sum_to(a, Shape(dims));
}

Var mean_last(Var a) { return sum_last(a) / static_cast<double>(a.shape()[a.shape().rank() - 1]); }

// J d = y (d - y.d)
Var softmax_product(const Primal& p, Var d) {
  return (d - broadcast_to(sum_last(d * p.out), d.shape())) * p.out;
}

// vjp: ybar - softmax(x) sum(ybar)
void log_softmax_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var shares = exp(p.out);
  xbar[0] = ybar - broadcast_to(sum_last(ybar), ybar.shape()) * shares;
}
// jvp: xdot - softmax(x).xdot
Var log_softmax_jvp(const Primal& p, std::span<const Var> xdot) {
  return xdot[0] - broadcast_to(sum_last(xdot[0] * exp(p.out)), xdot[0].shape());
}

// J d = d - mean(d)
Var centre_product(const Primal&, Var d) { return centre(d); }

// J d = (d - mean(d) - y mean(y d)) / sqrt(var(x) + eps)
Var normalize_product(const Primal& p, Var d) {
  if (d.shape().size() == 0) return zeros_like(d);
  const Var centred = centre(p.in[0]);
  const Var deviation = sqrt(mean_last(centred * centred) + kEpsilon);
  const Var along = broadcast_to(mean_last(d * p.out), d.shape());
  const Var across = centre(d), scale = 1.0 / broadcast_to(deviation, d.shape());
  return (across - along * p.out) * scale;
}

}  // namespace

constinit const Op kSoftmax{.name = "softmax",
                            .about = "y = exp(x) / sum exp(x) along the last axis",
                            .shape = last_axis_shape,
                            .forward = forwards<Softmax>(),
                            .vjp = symmetric_vjp<softmax_product>,
                            .jvp = symmetric_jvp<softmax_product>};
constinit const Op kLogSoftmax{.name = "log_softmax",
                               .about = "y = x - ln sum exp(x) along the last axis",
                               .shape = last_axis_shape,
                               .forward = forwards<LogSoftmax>(),
                               .vjp = log_softmax_vjp,
                               .jvp = log_softmax_jvp};
constinit const Op kCentre{.name = "centre",
                           .about = "y = x - mean x along the last axis",
                           .shape = last_axis_shape,
                           .forward = exact_forwards<Centre>(),
                           .vjp = symmetric_vjp<centre_product>,
                           .traits = {.linear = true}};
constinit const Op kNormalize{.name = "normalize",
                              .about = "y = (x - mean x) / sqrt(var x + 1e-5) along the last axis",
                              .shape = last_axis_shape,
                              .forward = forwards<Normalize>(),
                              .vjp = symmetric_vjp<normalize_product>,
                              .jvp = symmetric_jvp<normalize_product>};

namespace {

/// f along another axis than the last: the two change places, and back.
Var along(const Op& op, Var a, int axis) {
  const int at = checked_axis(op, a, axis), last = a.shape().rank() - 1;
  std::vector<int> order;
  for (int i = 0; i <= last; ++i) order.push_back(i == at ? last : i == last ? at : i);
  return transpose(append1(op, transpose(a, order)), order);
}

/// a / sqrt(mean of a^2 + eps)
Var over_root_mean_square(Var a, double eps) {
  if (a.shape().size() == 0) return a;
  return a / broadcast_to(sqrt(mean_last(a * a) + eps), a.shape());
}

}  // namespace

Var softmax(Var a, int axis) { return along(kSoftmax, a, axis); }
Var log_softmax(Var a, int axis) { return along(kLogSoftmax, a, axis); }
Var softmax(Var a) { return append1(kSoftmax, a); }
Var log_softmax(Var a) { return append1(kLogSoftmax, a); }
Var centre(Var a) { return append1(kCentre, a); }
Var normalize(Var a) { return append1(kNormalize, a); }
Var normalize(Var a, double eps) {
  return eps == kEpsilon ? normalize(a) : over_root_mean_square(centre(a), eps);
}

static void require_last_axis(std::string_view function, const Var& a) {
  if (a.shape().is_scalar())
    fail(Status::bad_input, "G020", "{}: a number has no last axis", function);
}
Var layer_norm(Var a, Var gain, Var bias) { return layer_norm(a, gain, bias, kEpsilon); }
Var layer_norm(Var a, Var gain, Var bias, double eps) {
  require_last_axis("layer_norm", a);
  return normalize(a, eps) * gain + bias;
}
Var rms_norm(Var a, Var gain, double eps) {
  require_last_axis("rms_norm", a);
  return over_root_mean_square(a, eps) * gain;
}

}  // namespace taugrad
