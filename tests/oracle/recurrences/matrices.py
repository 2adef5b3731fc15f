"""Recurrences whose state is a matrix. Each function: weights by name, one item's inputs [steps, ..] -> outputs.

Where a layer has heads, one is computed at a time; where it has a closed form over all earlier steps, that is used.
"""
import numpy as np

from plain import before, eye, larger, layer_norm, magnitude, rms_norm, sigmoid, silu, softmax, softplus, taps, unit

HEADS = 2


def joined(w, heads, gate=None):
    """Wo @ (the heads' outputs one behind the other, gated)."""
    rows = np.concatenate([np.array(h) for h in heads], axis=1)
    if gate is not None:
        rows = rows * np.array(gate)
    return {"y": rows @ w["Wo"].T}


def prod(values):
    out = 1
    for v in values:
        out = out * v
    return out


def linear_attention(w, x):
    def features(a):
        return np.where(np.real(a) > 0, a + 1, np.exp(a))
    heads = []
    for a in range(HEADS):
        q, k = features(x["x"] @ w["Wq"][a].T), features(x["x"] @ w["Wk"][a].T)
        v = x["x"] @ w["Wv"][a].T
        score = q @ k.T
        heads.append([score[t, :t + 1] @ v[:t + 1] / score[t, :t + 1].sum() for t in range(len(q))])
    return joined(w, heads)


def retnet(w, x):
    """The parallel form: q turned by n, k turned by m, decay^(n-m)."""
    u, r = x["x"], 2
    angle = 10000.0 ** (-np.arange(r) / r)
    heads = []
    for a in range(HEADS):
        decay = 1 - 2.0 ** (-5 - a)
        v = u @ w["Wv"][a].T
        qr, qi, kr, ki = (u @ w[name][part, a].T for name in ("Wq", "Wk") for part in (0, 1))
        rows = []
        for n in range(len(u)):
            total = 0
            for m in range(n + 1):
                d = (n - m) * angle  # Re(q conj(k) e^(i d))
                score = ((qr[n] * kr[m] + qi[n] * ki[m]) * np.cos(d) - (qi[n] * kr[m] - qr[n] * ki[m]) * np.sin(d)).sum()
                total = total + decay ** (n - m) * score / np.sqrt(2 * r) * v[m]
            rows.append(layer_norm(total))
        heads.append(rows)
    return joined(w, heads, [silu(w["Wg"] @ t) for t in u])


def gla(w, x):
    u, heads = x["x"], []
    for a in range(HEADS):
        q, k, v = (u @ w[name][a].T for name in ("Wq", "Wk", "Wv"))
        g = [sigmoid(w["G2"][a] @ (w["G1"] @ t) + w["bg"][a]) ** (1 / 16) for t in u]
        heads.append([layer_norm(sum((q[t] * prod(g[s + 1:t + 1])) @ k[s] * v[s] for s in range(t + 1))) for t in range(len(u))])
    return joined(w, heads, [silu(w["Wr"] @ t + w["br"]) for t in u])


def hgrn2(w, x):
    u, heads = x["x"], []
    for a in range(HEADS):
        f = 0.1 + 0.9 * sigmoid(u @ w["Wf"][a].T)
        i, q = u @ w["Wi"][a].T, silu(u @ w["Wq"][a].T)
        heads.append([sum((q[t] * prod(f[s + 1:t + 1]) * (1 - f[s])).sum() * i[s] for s in range(t + 1)) for t in range(len(u))])
    return joined(w, heads)


def silu_keys(w, u, a):
    return unit(silu(u @ w["Wq"][a].T)), unit(silu(u @ w["Wk"][a].T)), silu(u @ w["Wv"][a].T)


def delta_like(w, x, transition):
    """S = S transition(a, t, k) + beta v k^T by matrices, state [d_v, d_k]."""
    u, heads = x["x"], []
    for a in range(HEADS):
        q, k, v = silu_keys(w, u, a)
        S, rows = np.zeros((v.shape[1], k.shape[1])), []
        for t in range(len(u)):
            b = sigmoid(w["Wb"][a] @ u[t])
            S = S @ transition(a, u[t], b, k[t]) + b * np.outer(v[t], k[t])
            rows.append(S @ q[t])
        heads.append(rows)
    return joined(w, heads)


def reflection(b, k):
    return eye(len(k)) - b * np.outer(k, k)


def deltanet(w, x):
    return delta_like(w, x, lambda a, u, b, k: reflection(b, k))


def forget(w, a, u):
    return np.exp(-np.exp(w["A"][a]) * softplus(w["Wa"][a] @ u + w["ba"][a]))


def gated_deltanet(w, x):
    return delta_like(w, x, lambda a, u, b, k: forget(w, a, u) * reflection(b, k))


def kda(w, x):
    def transition(a, u, b, k):
        alpha = np.exp(-np.exp(w["A"][a]) * softplus(w["G2"][a] @ (w["G1"] @ u) + w["ba"][a]))
        return np.diag(alpha) @ reflection(b, k)
    return delta_like(w, x, transition)


def deltaproduct(w, x):
    u, heads = x["x"], []
    for a in range(HEADS):
        S, rows = np.zeros((2, 3)), []
        for now in u:
            S = forget(w, a, now) * S
            for j in "12":
                b = 2 * sigmoid(w["Wb" + j][a] @ now)
                k, v = unit(silu(w["Wk" + j][a] @ now)), silu(w["Wv" + j][a] @ now)
                S = S @ reflection(b, k) + b * np.outer(v, k)
            rows.append(S @ unit(silu(w["Wq"][a] @ now)))
        heads.append(rows)
    return joined(w, heads)


def comba(w, x):
    u, heads = x["x"], []
    for a in range(HEADS):
        q, k, v = silu_keys(w, u, a)
        S, rows = np.zeros((2, 3)), []
        for t in range(len(u)):
            b = sigmoid(w["Wb"][a] @ u[t])
            S = S @ (forget(w, a, u[t]) * eye(3) - sigmoid(w["B"][a]) * b * np.outer(k[t], k[t])) + b * np.outer(v[t], k[t])
            rows.append(S @ (q[t] - w["D"][a] * k[t]))
        heads.append(rows)
    return joined(w, heads)


def mlstm(w, x):
    """Without the stabiliser: the denominator is max(|n q|, 1)."""
    u, heads = x["x"], []
    for a in range(HEADS):
        C, n, rows = np.zeros((2, 3)), np.zeros(3), []
        for now in u:
            q, v = w["Wq"][a] @ now + w["bq"][a], w["Wv"][a] @ now + w["bv"][a]
            k = w["Wk"][a] @ now / np.sqrt(3) + w["bk"][a]
            i, f = np.exp(w["Wi"][a] @ now + w["bi"][a]), sigmoid(w["Wf"][a] @ now + w["bf"][a])
            C, n = f * C + i * np.outer(v, k), f * n + i * k
            rows.append(C @ q / larger(magnitude(n @ q), 1))
        heads.append(rows)
    rows = np.concatenate([np.array(h) for h in heads], axis=1)
    return {"h": rows * np.array([sigmoid(w["Wo"] @ now + w["bo"]) for now in u])}


def rwkv7(w, x):
    u, rows = x["x"], []
    states = [np.zeros((2, 2)) for _ in range(HEADS)]
    for t in range(len(u)):
        def mixed(m):
            return u[t] + w[m] * (before(u, t) - u[t])
        parts = []
        for a in range(HEADS):
            r, c, v = w["Wr"][a] @ mixed("mr"), w["Wk"][a] @ mixed("mk"), w["Wv"][a] @ mixed("mv")
            decay = np.exp(-np.exp(-0.5) * sigmoid(w["w0"][a] + w["w2"][a] @ np.tanh(w["w1"] @ mixed("mw"))))
            rate = sigmoid(w["a0"][a] + w["a2"][a] @ (w["a1"] @ mixed("ma")))
            gate = w["g2"][a] @ sigmoid(w["g1"] @ mixed("mg"))
            kappa = unit(c * w["kk"][a])
            k = c * (1 + (rate - 1) * w["ka"][a])
            states[a] = states[a] @ (np.diag(decay) - np.outer(kappa, rate * kappa)) + np.outer(v, k)
            parts.append((layer_norm(states[a] @ r, w["ln"][a], w["lb"][a]) + (r @ (w["rk"][a] * k)) * v) * gate)
        rows.append(w["Wo"] @ np.concatenate(parts))
    return {"y": np.array(rows)}


def mamba(w, x):
    """Unrolled: every input, times the decay of the steps since."""
    u = x["x"] @ w["Wu"].T
    c = [silu(w["bk"] + taps(w["K"], u, t)) for t in range(len(u))]
    d = [softplus(w["bd"] + w["D2"] @ (w["D1"] @ row)) for row in c]
    rows = []
    for t in range(len(u)):
        y = w["D"] * c[t]
        for s in range(t + 1):
            passed = sum(d[s + 1:t + 1]) if s < t else np.zeros(3)
            kernel = (np.exp(-passed[:, None] * np.exp(w["A"])) * (w["WB"] @ c[s]) * (w["WC"] @ c[t])).sum(1)
            y = y + kernel * d[s] * c[s]
        rows.append(w["Wo"] @ (y * silu(w["Wz"] @ x["x"][t])))
    return {"y": np.array(rows)}


def mamba2(w, x):
    """As masked attention: C_t . B_s times the decay from s to t."""
    u, p, N = x["x"] @ w["Wu"].T, 2, 3
    c = [silu(w["bk"] + taps(w["K"], u, t)) for t in range(len(u))]
    d = [softplus(w["bd"] + w["Wd"] @ row) for row in x["x"]]
    rows = []
    for t in range(len(u)):
        parts = []
        for a in range(HEADS):
            part = slice(a * p, (a + 1) * p)
            y = w["D"][a] * c[t][part]
            for s in range(t + 1):
                decay = np.exp(-np.exp(w["A"][a]) * sum(d[r][a] for r in range(s + 1, t + 1)))
                y = y + decay * (c[t][4 + N:] @ c[s][4:4 + N]) * d[s][a] * c[s][part]
            parts.append(y)
        rows.append(w["Wo"] @ rms_norm(np.concatenate(parts) * silu(w["Wz"] @ x["x"][t]), w["w"]))
    return {"y": np.array(rows)}


def mamba3(w, x):
    """The state itself turns, a plane for each pair; B and C stay."""
    u, p, r = x["x"], 2, 2
    rows = []
    states, last = [np.zeros((p, 2 * r)) for _ in range(HEADS)], [np.zeros((p, 2 * r)) for _ in range(HEADS)]
    for now in u:
        B, C, parts = (w["WB"] @ now).reshape(-1), (w["WC"] @ now).reshape(-1), []
        for a in range(HEADS):
            d, share = softplus(w["Wd"][a] @ now + w["bd"][a]), sigmoid(w["Wl"][a] @ now)
            alpha = np.exp(-d * np.exp(w["A"][a]))
            angle = d * (w["Wt"] @ now)
            turn = np.block([[np.diag(np.cos(angle)), -np.diag(np.sin(angle))], [np.diag(np.sin(angle)), np.diag(np.cos(angle))]])
            v = w["Wu"][a] @ now
            new = np.outer(v, B)
            # h = alpha R h + (1 - share) d alpha R (B x before) + share d B x
            states[a] = alpha * states[a] @ turn.T + (1 - share) * d * alpha * last[a] @ turn.T + share * d * new
            last[a] = new
            parts.append(states[a] @ C + w["D"][a] * v)
        rows.append(w["Wo"] @ (np.concatenate(parts) * silu(w["Wz"] @ now)))
    return {"y": np.array(rows)}


def ttt_linear(w, x):
    """The inner gradient by hand, through the layer norm."""
    S, s, rows = w["W0"], w["b0"], []
    for u in x["x"]:
        k, v, q = w["Wk"] @ u, w["Wv"] @ u, w["Wq"] @ u
        z = S @ k + s
        spread = np.sqrt(((z - z.mean()) ** 2).mean() + 1e-5)
        normed = (z - z.mean()) / spread
        d = 2 * (k + w["g"] * normed + w["b"] - v) * w["g"]
        dz = (d - d.mean() - normed * (d * normed).mean()) / spread
        rate = sigmoid(w["wl"] @ u)
        S, s = S - rate * np.outer(dz, k), s - rate * dz
        rows.append(w["Wo"] @ (q + layer_norm(S @ q + s, w["g"], w["b"])))
    return {"y": np.array(rows)}


def titans(w, x):
    """The gradient of the memory's two layers by hand."""
    A, B, P, Q, rows = w["A0"], w["B0"], 0, 0, []
    for u in x["x"]:
        q, k, v = unit(silu(w["Wq"] @ u)), unit(silu(w["Wk"] @ u)), silu(w["Wv"] @ u)
        z = A @ k
        d = 2 * (B @ silu(z) - v)
        dz = (B.T @ d) * (sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z)))
        keep, rate = sigmoid(w["we"] @ u), sigmoid(w["wt"] @ u)
        P, Q = keep * P - rate * np.outer(dz, k), keep * Q - rate * np.outer(d, silu(z))
        A, B = (1 - sigmoid(w["wa"] @ u)) * A + P, (1 - sigmoid(w["wa"] @ u)) * B + Q
        rows.append(w["Wo"] @ (B @ silu(A @ q)))
    return {"y": np.array(rows)}


def mesanet(w, x):
    """Weighted sums over all earlier steps, the system solved by an inverse."""
    u, heads = x["x"], []
    for a in range(HEADS):
        q, k, v = unit(u @ w["Wq"][a].T), unit(u @ w["Wk"][a].T), u @ w["Wv"][a].T
        g = sigmoid(u @ w["Wg"][a] + w["bg"][a])
        b = sigmoid(u @ w["Wb"][a])
        rows = []
        for t in range(len(u)):
            share = [b[s] * prod(g[s + 1:t + 1]) for s in range(t + 1)]
            G = sum(c * np.outer(v[s], k[s]) for s, c in enumerate(share))
            R = sum(c * np.outer(k[s], k[s]) for s, c in enumerate(share))
            rows.append(G @ np.linalg.inv(R + np.diag(softplus(w["L"][a]))) @ q[t])
        heads.append(rows)
    return joined(w, heads)


def self_attention(w, x):
    u, heads = x["x"], []
    for a in range(HEADS):
        q, k, v = (u @ w[name][a].T for name in ("Wq", "Wk", "Wv"))
        heads.append([softmax(q[t] @ k[:t + 1].T / np.sqrt(3)) @ v[:t + 1] for t in range(len(u))])
    return joined(w, heads)
