#pragma once

#include "language_support.h"

/// The net that the equations of the notes are checked on: inputs 2, hidden 3, classes 3, four
/// steps, all numbers sines; and its gradients in closed form (eq 16-25), written without any of
/// ours.
namespace taugrad::test {

inline Tensor sines(Dims dims, double scale, double start, double row, double column) {
  Tensor t(dims, Dtype::f64);
  const std::int64_t columns = dims.size() > 1 ? dims[1] : 1;
  for (std::int64_t i = 0; i < dims[0]; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      t.set(i * columns + j, scale * std::sin(start + row * static_cast<double>(i) +
                                              column * static_cast<double>(j)));
  return t;
}

inline Tensors reference_weights() {
  return {{"U", sines({3, 2}, 0.5, 1, 2, 1)},
          {"W", sines({3, 3}, 0.5, 2, 3, 1)},
          {"V", sines({3, 3}, 0.5, 3, 3, 1)},
          {"b", sines({3}, 0.1, 4, 1, 0)},
          {"c", sines({3}, 0.1, 5, 1, 0)}};
}
/// x(t)[j] = sin(6 + 2t + j) and y(t) = t mod 3 for t = 0..3, one item.
inline Tensors reference_inputs() {
  Tensor x({4, 1, 2}, Dtype::f64), y({4, 1}, Dtype::i64);
  for (std::int64_t t = 0; t < 4; ++t) {
    for (std::int64_t j = 0; j < 2; ++j)
      x.set(t * 2 + j, std::sin(6 + 2 * static_cast<double>(t) + static_cast<double>(j)));
    y.set(t, static_cast<double>(t % 3));
  }
  return {{"x", x}, {"y", y}};
}

/// One way to be wrong, or none.
enum class Mutant {
  none,
  literal_eq20,     ///< W^T (dL/dh) diag(1 - h^2), read from left to right: the diagonal after the
                    ///< product
  no_recurrence,    ///< eq 19 without its first term
  previous_state,   ///< eq 20 with h(t) for h(t+1)
  current_in_eq24,  ///< eq 24 with h(t) for h(t-1)
  sign_of_target,   ///< eq 17 with + for -
  no_last_step,     ///< eq 18 left out
};

using Column = std::vector<double>;

/// Forward pass and gradients of one item by the equations themselves. (eq 7-25)
struct ClosedForm {
  std::vector<Column> h, p, dh, dout;  ///< [t]; h has h(0) in front
  Column nll;
  Tensors gradients;  ///< U W V b c h0
  double loss = 0;

  ClosedForm(const Tensors& w, const Tensors& data, Mutant mutant = Mutant::none) {
    forward(w, data);
    backward(w, data, mutant);
  }

 private:
  static Column times(const Tensor& a, const Column& v) {
    Column r(static_cast<std::size_t>(a.dims()[0]), 0.0);
    for (std::size_t i = 0; i < r.size(); ++i)
      for (std::size_t j = 0; j < v.size(); ++j)
        r[i] += a.at(static_cast<std::int64_t>(i * v.size() + j)) * v[j];
    return r;
  }
  static Column times_transposed(const Tensor& a, const Column& v) {
    Column r(static_cast<std::size_t>(a.dims()[1]), 0.0);
    for (std::size_t i = 0; i < v.size(); ++i)
      for (std::size_t j = 0; j < r.size(); ++j)
        r[j] += a.at(static_cast<std::int64_t>(i * r.size() + j)) * v[i];
    return r;
  }
  static void add_outer(Tensor& a, const Column& u, const Column& v) {
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < v.size(); ++j) {
        const auto at = static_cast<std::int64_t>(i * v.size() + j);
        a.set(at, a.at(at) + u[i] * v[j]);
      }
  }
  static void add(Tensor& a, const Column& u) {
    for (std::size_t i = 0; i < u.size(); ++i)
      a.set(static_cast<std::int64_t>(i), a.at(static_cast<std::int64_t>(i)) + u[i]);
  }
  static Column input(const Tensor& x, std::size_t t) {
    const auto n = static_cast<std::size_t>(x.dims()[2]);
    Column v(n);
    for (std::size_t j = 0; j < n; ++j) v[j] = x.at(static_cast<std::int64_t>(t * n + j));
    return v;
  }

  void forward(const Tensors& w, const Tensors& data) {
    const Tensor &x = data.at("x"), &y = data.at("y"), &b = w.at("b"), &c = w.at("c");
    h.push_back(Column(static_cast<std::size_t>(b.size()), 0.0));
    for (std::size_t t = 0; t < static_cast<std::size_t>(x.dims()[0]); ++t) {
      const Column recurrent = times(w.at("W"), h.back()), bottom = times(w.at("U"), input(x, t));
      Column a(h.back().size());
      for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = std::tanh(b.at(static_cast<std::int64_t>(i)) + recurrent[i] + bottom[i]);  // eq 7, 8
      h.push_back(a);
      Column o = times(w.at("V"), a);
      double sum = 0;
      for (std::size_t i = 0; i < o.size(); ++i)
        sum += std::exp(o[i] += c.at(static_cast<std::int64_t>(i)));  // eq 9
      for (double& v : o) v = std::exp(v) / sum;                      // eq 10
      p.push_back(o);
      nll.push_back(-std::log(o[static_cast<std::size_t>(y.at(static_cast<std::int64_t>(t)))]));
      loss += nll.back();  // eq 12, 13
    }
  }

  void backward(const Tensors& w, const Tensors& data, Mutant mutant) {
    for (const auto& [name, tensor] : w) gradients[name] = Tensor(tensor.dims(), Dtype::f64);
    const std::size_t tau = p.size();
    dh.assign(tau, {});
    dout = p;
    for (std::size_t t = tau; t-- > 0;) {
      dout[t][static_cast<std::size_t>(data.at("y").at(static_cast<std::int64_t>(t)))] +=
          mutant == Mutant::sign_of_target ? 1 : -1;  // eq 17
      dh[t] = times_transposed(w.at("V"), dout[t]);   // eq 18
      if (t + 1 == tau && mutant == Mutant::no_last_step) dh[t].assign(dh[t].size(), 0.0);
      if (t + 1 < tau && mutant != Mutant::no_recurrence) {  // eq 19, 20
        const Column& diagonal = h[mutant == Mutant::previous_state ? t + 1 : t + 2];
        Column next = dh[t + 1];
        if (mutant != Mutant::literal_eq20)
          for (std::size_t i = 0; i < next.size(); ++i) next[i] *= 1 - diagonal[i] * diagonal[i];
        next = times_transposed(w.at("W"), next);
        if (mutant == Mutant::literal_eq20)
          for (std::size_t i = 0; i < next.size(); ++i) next[i] *= 1 - diagonal[i] * diagonal[i];
        for (std::size_t i = 0; i < next.size(); ++i) dh[t][i] += next[i];
      }
      Column da = dh[t];
      for (std::size_t i = 0; i < da.size(); ++i) da[i] *= 1 - h[t + 1][i] * h[t + 1][i];
      add(gradients["c"], dout[t]);                                                     // eq 21
      add(gradients["b"], da);                                                          // eq 22
      add_outer(gradients["V"], dout[t], h[t + 1]);                                     // eq 23
      add_outer(gradients["W"], da, h[mutant == Mutant::current_in_eq24 ? t + 1 : t]);  // eq 24
      add_outer(gradients["U"], da, input(data.at("x"), t));                            // eq 25
      if (t == 0)
        gradients["h0"] =
            Tensor::of({1, static_cast<std::int64_t>(da.size())}, times_transposed(w.at("W"), da));
    }
  }
};

}  // namespace taugrad::test
