#include "hand/loops.h"

#include <algorithm>
#include <cmath>

// States of all steps are kept, a head of an item after the other, in one buffer that is used
// again: S[t] has a row for each key, so that sums over keys run along rows. Sums along a row are
// left to the compiler (-ffast-math, this file alone).
namespace hand {
namespace {

constexpr int kHeads = 4, kD = 64, kChannels = 256, kOrder = 16;

struct Matrix {
  float e[kD][kD];
};

/// A head's vector of an input at a step.
struct Head {
  float* at;
  std::size_t step;
  float* operator[](int t) const { return at + static_cast<std::size_t>(t) * step; }
};
Head head(std::vector<float>& of, const Data& data, int item, int h, int width) {
  return {of.data() + static_cast<std::size_t>((item * kHeads + h) * width),
          static_cast<std::size_t>(data.batch * kHeads * width)};
}

float dot(const float* a, const float* b) {
  float sum = 0;
  for (int j = 0; j < kD; ++j) sum += a[j] * b[j];
  return sum;
}

/// o = S^T q
void read_out(const Matrix& S, const float* q, float* o) {
  std::fill_n(o, kD, 0.0F);
  for (int k = 0; k < kD; ++k)
    for (int v = 0; v < kD; ++v) o[v] += S.e[k][v] * q[k];
}

template <class F>
void each_head(const Data& data, const F& f) {
  for (int item = 0; item < data.batch; ++item)
    for (int h = 0; h < kHeads; ++h) f(item, h);
}

/// One pass over the state and its cotangent: dS += q o^T; dq = S o; dv = dS^T k; dk = dS v.
struct Backward {
  Matrix dS = {};
  void step(const Matrix& S, const float* q, const float* o, const float* k, const float* v,
            float* dq, float* dk, float* dv, float scale) {
    std::fill_n(dv, kD, 0.0F);
    for (int i = 0; i < kD; ++i) {
      float by_q = 0, by_k = 0;
      for (int j = 0; j < kD; ++j) {
        dS.e[i][j] += q[i] * o[j];
        by_q += S.e[i][j] * o[j];
        by_k += dS.e[i][j] * v[j];
        dv[j] += dS.e[i][j] * k[i] * scale;
      }
      dq[i] = by_q;
      dk[i] = by_k * scale;
    }
  }
};

}  // namespace

void gla(Data& data) {
  std::vector<Matrix> S(static_cast<std::size_t>(data.steps) + 1);
  std::vector<float> o(static_cast<std::size_t>(data.steps * kD));
  each_head(data, [&](int item, int h) {
    Head x[4], dx[4];
    for (std::size_t i = 0; i < 4; ++i) {
      x[i] = head(data.inputs[i], data, item, h, kD);
      dx[i] = head(data.gradients[i], data, item, h, kD);
    }
    S[0] = {};
    for (int t = 0; t < data.steps; ++t) {
      const float *q = x[0][t], *k = x[1][t], *v = x[2][t], *g = x[3][t];
      const Matrix& before = S[static_cast<std::size_t>(t)];
      Matrix& now = S[static_cast<std::size_t>(t) + 1];
      float* out = o.data() + t * kD;
      std::fill_n(out, kD, 0.0F);
      for (int i = 0; i < kD; ++i)
        for (int j = 0; j < kD; ++j) {
          now.e[i][j] = g[i] * before.e[i][j] + k[i] * v[j];
          out[j] += now.e[i][j] * q[i];
        }
    }
    Backward b;
    for (int t = data.steps; t-- > 0;) {
      b.step(S[static_cast<std::size_t>(t) + 1], x[0][t], o.data() + t * kD, x[1][t], x[2][t],
             dx[0][t], dx[1][t], dx[2][t], 1);
      const Matrix& before = S[static_cast<std::size_t>(t)];
      const float* g = x[3][t];
      for (int i = 0; i < kD; ++i) {
        dx[3][t][i] = dot(b.dS.e[i], before.e[i]);
        for (int j = 0; j < kD; ++j) b.dS.e[i][j] *= g[i];
      }
    }
  });
}

void mlstm(Data& data) {
  std::vector<Matrix> S(static_cast<std::size_t>(data.steps) + 1);
  const auto floats = static_cast<std::size_t>((data.steps + 1) * kD);
  std::vector<float> u(floats), o(floats), n(static_cast<std::size_t>(data.steps));
  each_head(data, [&](int item, int h) {
    Head x[5], dx[5];
    for (std::size_t i = 0; i < 5; ++i) {
      x[i] = head(data.inputs[i], data, item, h, i < 3 ? kD : 1);
      dx[i] = head(data.gradients[i], data, item, h, i < 3 ? kD : 1);
    }
    S[0] = {};
    for (int t = 0; t < data.steps; ++t) {
      const float *q = x[0][t], *k = x[1][t], *v = x[2][t];
      const float in = *x[3][t], forget = *x[4][t];
      const Matrix& before = S[static_cast<std::size_t>(t)];
      Matrix& now = S[static_cast<std::size_t>(t) + 1];
      float *out = o.data() + t * kD, *sum = u.data() + (t + 1) * kD;
      std::fill_n(out, kD, 0.0F);
      for (int i = 0; i < kD; ++i) {
        const float key = in * k[i];
        sum[i] = forget * sum[i - kD] + key;
        for (int j = 0; j < kD; ++j) {
          now.e[i][j] = forget * before.e[i][j] + key * v[j];
          out[j] += now.e[i][j] * q[i];
        }
      }
      n[static_cast<std::size_t>(t)] = dot(sum, q);
      const float scale = 1 / std::max(std::abs(n[static_cast<std::size_t>(t)]), 1.0F);
      for (int j = 0; j < kD; ++j) out[j] *= scale;
    }
    Backward b;
    float du[kD] = {}, bar[kD];
    for (int t = data.steps; t-- > 0;) {
      const float *q = x[0][t], *k = x[1][t], *v = x[2][t], *out = o.data() + t * kD;
      const float in = *x[3][t], forget = *x[4][t], norm = n[static_cast<std::size_t>(t)];
      const float scale = 1 / std::max(std::abs(norm), 1.0F);
      const float *sum = u.data() + (t + 1) * kD, *last = u.data() + t * kD;
      for (int j = 0; j < kD; ++j) bar[j] = out[j] * scale;
      // o = C q / max(|u q|, 1), and its cotangent is o
      const float dn = std::abs(norm) >= 1 ? -dot(out, out) / norm : 0;
      b.step(S[static_cast<std::size_t>(t) + 1], q, bar, k, v, dx[0][t], dx[1][t], dx[2][t], in);
      const Matrix& before = S[static_cast<std::size_t>(t)];
      float by_in = 0, by_forget = 0;
      for (int i = 0; i < kD; ++i) {
        du[i] += dn * q[i];
        dx[0][t][i] += dn * sum[i];
        by_in += dx[1][t][i] * k[i] / in + du[i] * k[i];
        dx[1][t][i] += du[i] * in;
        by_forget += dot(b.dS.e[i], before.e[i]) + du[i] * last[i];
        du[i] *= forget;
        for (int j = 0; j < kD; ++j) b.dS.e[i][j] *= forget;
      }
      *dx[3][t] = by_in;
      *dx[4][t] = by_forget;
    }
  });
}

void deltanet(Data& data) {
  std::vector<Matrix> S(static_cast<std::size_t>(data.steps) + 1);
  const auto floats = static_cast<std::size_t>(data.steps * kD);
  std::vector<float> o(floats), e(floats);
  each_head(data, [&](int item, int h) {
    Head x[4], dx[4];
    for (std::size_t i = 0; i < 4; ++i) {
      x[i] = head(data.inputs[i], data, item, h, i < 3 ? kD : 1);
      dx[i] = head(data.gradients[i], data, item, h, i < 3 ? kD : 1);
    }
    S[0] = {};
    for (int t = 0; t < data.steps; ++t) {
      const float *q = x[0][t], *k = x[1][t], *v = x[2][t], beta = *x[3][t];
      const Matrix& before = S[static_cast<std::size_t>(t)];
      Matrix& now = S[static_cast<std::size_t>(t) + 1];
      float *out = o.data() + t * kD, *error = e.data() + t * kD;
      read_out(before, k, error);
      for (int j = 0; j < kD; ++j) error[j] = v[j] - error[j];
      std::fill_n(out, kD, 0.0F);
      for (int i = 0; i < kD; ++i)
        for (int j = 0; j < kD; ++j) {
          now.e[i][j] = before.e[i][j] + beta * k[i] * error[j];
          out[j] += now.e[i][j] * q[i];
        }
    }
    Backward b;
    for (int t = data.steps; t-- > 0;) {
      const float *k = x[1][t], *error = e.data() + t * kD, beta = *x[3][t];
      // S' = S + beta k e^T, e = v - S^T k; dv is de
      b.step(S[static_cast<std::size_t>(t) + 1], x[0][t], o.data() + t * kD, k, error, dx[0][t],
             dx[1][t], dx[2][t], beta);
      const Matrix& before = S[static_cast<std::size_t>(t)];
      const float* de = dx[2][t];
      float by_beta = 0;
      for (int i = 0; i < kD; ++i) {
        by_beta += dx[1][t][i] * k[i];
        dx[1][t][i] -= dot(before.e[i], de);
        for (int j = 0; j < kD; ++j) b.dS.e[i][j] -= k[i] * de[j];
      }
      *dx[3][t] = by_beta / beta;
    }
  });
}

void mamba(Data& data) {
  struct Rows {
    float e[kChannels][kOrder];
  };
  const auto steps = static_cast<std::size_t>(data.steps);
  std::vector<Rows> S(steps + 1), gates(steps);
  std::vector<float> o(steps * kChannels);
  Rows dS;
  const auto at = [&](std::vector<float>& of, int t, int item, int width) {
    return of.data() + static_cast<std::size_t>((t * data.batch + item) * width);
  };
  for (int item = 0; item < data.batch; ++item) {
    const float* A = at(data.inputs[4], 0, item, kChannels * kOrder);
    float* dA = at(data.gradients[4], 0, item, kChannels * kOrder);
    S[0] = {};
    dS = {};
    std::fill_n(dA, kChannels * kOrder, 0.0F);
    for (int t = 0; t < data.steps; ++t) {
      const float *d = at(data.inputs[0], t, item, kChannels),
                  *c = at(data.inputs[1], t, item, kChannels),
                  *B = at(data.inputs[2], t, item, kOrder),
                  *R = at(data.inputs[3], t, item, kOrder);
      Rows &now = S[static_cast<std::size_t>(t) + 1], &gate = gates[static_cast<std::size_t>(t)];
      const Rows& before = S[static_cast<std::size_t>(t)];
      for (int i = 0; i < kChannels; ++i) {
        float sum = 0;
        for (int j = 0; j < kOrder; ++j) {
          gate.e[i][j] = std::exp(-d[i] * A[i * kOrder + j]);
          now.e[i][j] = gate.e[i][j] * before.e[i][j] + d[i] * c[i] * B[j];
          sum += now.e[i][j] * R[j];
        }
        o[static_cast<std::size_t>(t * kChannels + i)] = sum;
      }
    }
    for (int t = data.steps; t-- > 0;) {
      const float *d = at(data.inputs[0], t, item, kChannels),
                  *c = at(data.inputs[1], t, item, kChannels),
                  *B = at(data.inputs[2], t, item, kOrder),
                  *R = at(data.inputs[3], t, item, kOrder);
      float *dd = at(data.gradients[0], t, item, kChannels),
            *dc = at(data.gradients[1], t, item, kChannels),
            *dB = at(data.gradients[2], t, item, kOrder),
            *dR = at(data.gradients[3], t, item, kOrder);
      const Rows &now = S[static_cast<std::size_t>(t) + 1],
                 &before = S[static_cast<std::size_t>(t)],
                 &gate = gates[static_cast<std::size_t>(t)];
      std::fill_n(dB, kOrder, 0.0F);
      std::fill_n(dR, kOrder, 0.0F);
      for (int i = 0; i < kChannels; ++i) {
        const float out = o[static_cast<std::size_t>(t * kChannels + i)];
        float by_input = 0, by_gate = 0;
        for (int j = 0; j < kOrder; ++j) {
          const float bar = dS.e[i][j] + out * R[j];
          dR[j] += out * now.e[i][j];
          dB[j] += bar * d[i] * c[i];
          by_input += bar * B[j];
          const float to_gate = -bar * before.e[i][j] * gate.e[i][j];
          by_gate += to_gate * A[i * kOrder + j];
          dA[i * kOrder + j] += to_gate * d[i];
          dS.e[i][j] = bar * gate.e[i][j];
        }
        dd[i] = by_gate + by_input * c[i];
        dc[i] = by_input * d[i];
      }
    }
  }
}

}  // namespace hand
