"""Recurrences whose state is a vector. Each function: weights by name, one item's inputs [steps, ..] -> outputs."""
import numpy as np

from plain import before, relu, scan, sigmoid


def zeros(w, name):
    return np.zeros(len(w[name]))


def jordan(w, x):
    s, y, rows = np.zeros(2), np.zeros(2), []
    for u in x["x"]:
        s = 0.5 * s + y
        y = sigmoid(w["V"] @ sigmoid(w["U"] @ u + w["R"] @ s + w["b"]) + w["c"])
        rows.append(y)
    return {"y": np.array(rows)}


def lstm_1997(w, x):
    def step(u, h, c):
        net = {k: w["W" + k] @ u + w["R" + k] @ h + w["b" + k] for k in "ico"}
        c = c + sigmoid(net["i"]) * (4 / (1 + np.exp(-net["c"])) - 2)
        return sigmoid(net["o"]) * (2 / (1 + np.exp(-c)) - 1), c
    return {"h": scan(step, x["x"], zeros(w, "bi"), zeros(w, "bi"))}


def peephole_cell(w, u, h, c):
    """New cell, and the output gate as a function of the cell."""
    i, f, z, o = (w["W" + k] @ u + w["R" + k] @ h + w["b" + k] for k in "ifco")
    new = sigmoid(f + w["pf"] * c) * c + sigmoid(i + w["pi"] * c) * np.tanh(z)
    return new, sigmoid(o + w["po"] * new) * np.tanh(new)


def lstm_peephole(w, x):
    def step(u, h, c):
        c, h = peephole_cell(w, u, h, c)
        return h, c
    return {"h": scan(step, x["x"], zeros(w, "bi"), zeros(w, "bi"))}


def phased_lstm(w, x):
    def step(now, h, c):
        u, time = now
        since = time - w["shift"]
        phase = (since - w["period"] * np.floor(np.real(since) / np.real(w["period"]))) / w["period"]
        k = np.array([2 * p / r if np.real(p) < np.real(r) / 2 else 2 - 2 * p / r if np.real(p) < np.real(r) else 0.001 * p
                      for p, r in zip(phase, w["open"])])
        new_c, new_h = peephole_cell(w, u, h, c)
        return k * new_h + (1 - k) * h, k * new_c + (1 - k) * c
    return {"h": scan(step, list(zip(x["x"], x["time"])), zeros(w, "bi"), zeros(w, "bi"))}


def gru_reset_before(w, x):
    def step(u, h):
        r = sigmoid(w["Wr"] @ u + w["Ur"] @ h + w["br"])
        z = sigmoid(w["Wz"] @ u + w["Uz"] @ h + w["bz"])
        return z * h + (1 - z) * np.tanh(w["W"] @ u + w["U"] @ (r * h) + w["b"])
    return {"h": scan(step, x["x"], zeros(w, "b"))}


def mgu(w, x):
    def step(u, h):
        f = sigmoid(w["Wf"] @ u + w["Uf"] @ h + w["bf"])
        return (1 - f) * h + f * np.tanh(w["W"] @ u + w["U"] @ (f * h) + w["b"])
    return {"h": scan(step, x["x"], zeros(w, "b"))}


def clockwork(w, x):
    h, rows = np.zeros(6), []
    for t, u in enumerate(x["x"], 1):
        new = h.astype(complex)
        for module in range(3):
            if t % 2 ** module:
                continue
            for unit in (2 * module, 2 * module + 1):  # reads its own module and the slower ones
                new[unit] = np.tanh(w["W"][unit] @ u + w["R"][unit, 2 * module:] @ h[2 * module:] + w["b"][unit])
        h = new
        rows.append(h)
    return {"h": np.array(rows)}


def esn(w, x):
    def step(u, h):
        return 0.7 * h + 0.3 * np.tanh(0.9 * w["W"] @ h + w["U"] @ u)
    h = scan(step, x["x"], np.zeros(5))
    return {"h": h, "y": np.array([w["V"] @ np.concatenate([u, r]) for u, r in zip(x["x"], h)])}


def lmu(w, x):
    order, theta = 3, 8
    A, B = np.zeros((order, order)), np.zeros(order)
    for i in range(order):
        B[i] = (2 * i + 1) * (-1) ** i
        for j in range(order):
            A[i, j] = (2 * i + 1) * (-1 if i < j else (-1) ** (i - j + 1))

    def step(u, h, m):
        into = w["ex"] @ u + w["eh"] @ h + w["em"] @ m
        m = m + (A @ m + B * into) / theta
        return np.tanh(w["Wx"] @ u + w["Wh"] @ h + w["Wm"] @ m), m
    return {"h": scan(step, x["x"], np.zeros(3), np.zeros(order))}


def indrnn(w, x):
    return {"h": scan(lambda u, h: relu(w["W"] @ u + w["u"] * h + w["b"]), x["x"], zeros(w, "b"))}


def antisymmetric_rnn(w, x):
    A = w["W"] - w["W"].T - 0.05 * np.eye(3)
    return {"h": scan(lambda u, h: h + 0.1 * np.tanh(A @ h + w["U"] @ u + w["b"]), x["x"], zeros(w, "b"))}


def cornn(w, x):
    def step(u, h, v):
        v = v + 0.1 * (np.tanh(w["W"] @ h + w["Z"] @ v + w["U"] @ u + w["b"]) - 1.5 * h - 0.8 * v)
        return h + 0.1 * v, v
    return {"h": scan(step, x["x"], zeros(w, "b"), zeros(w, "b"))}


def ode_rnn(w, x):
    def slope(h):
        return w["B"] @ np.tanh(w["A"] @ h + w["a"]) + w["b"]

    def step(now, h):
        u, dt = now
        k1 = slope(h)
        k2 = slope(h + dt * k1 / 2)
        k3 = slope(h + dt * k2 / 2)
        k4 = slope(h + dt * k3)
        return np.tanh(w["W"] @ (h + dt * (k1 + 2 * k2 + 2 * k3 + k4) / 6) + w["U"] @ u + w["e"])
    return {"h": scan(step, list(zip(x["x"], x["dt"])), zeros(w, "b"))}


def qrnn(w, x):
    c, rows, u = np.zeros(3), [], x["x"]
    for t in range(len(u)):
        z, f, o = (w[k][0] @ before(u, t) + w[k][1] @ u[t] for k in "ZFO")
        c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(z)
        rows.append(sigmoid(o) * c)
    return {"h": np.array(rows)}


def sru(w, x):
    def step(u, h, c):
        f = sigmoid(w["Wf"] @ u + w["vf"] * c + w["bf"])
        r = sigmoid(w["Wr"] @ u + w["vr"] * c + w["br"])
        c = f * c + (1 - f) * (w["W"] @ u)
        return r * c + (1 - r) * u, c
    return {"h": scan(step, x["x"], zeros(w, "bf"), zeros(w, "bf"))}


def min_gru(w, x):
    """Unrolled: every candidate, times what was kept of it since."""
    z = [sigmoid(w["Wz"] @ u + w["bz"]) for u in x["x"]]
    new = [w["Wh"] @ u + w["bh"] for u in x["x"]]

    def kept(s, t):
        return np.prod([1 - z[r] for r in range(s + 1, t + 1)], axis=0)
    return {"h": np.array([sum(z[s] * new[s] * kept(s, t) for s in range(t + 1)) for t in range(len(z))])}


def min_lstm(w, x):
    def step(u, h):
        f, i = sigmoid(w["Wf"] @ u + w["bf"]), sigmoid(w["Wi"] @ u + w["bi"])
        return f / (f + i) * h + i / (f + i) * (w["Wh"] @ u + w["bh"])
    return {"h": scan(step, x["x"], zeros(w, "bf"))}


def slstm(w, x):
    """Without the stabiliser, which cancels."""
    def step(u, h, c, n):
        net = {k: np.array([w["W" + k][a] @ u + w["R" + k][a] @ h[a] + w["b" + k][a] for a in range(2)]) for k in "ifzo"}
        i, f = np.exp(net["i"]), sigmoid(net["f"])
        c, n = f * c + i * np.tanh(net["z"]), f * n + i
        return sigmoid(net["o"]) * c / n, c, n
    h = scan(step, x["x"], *(np.zeros((2, 3)) for _ in range(3)))
    return {"h": h, "y": h.reshape(len(h), -1)}


def as_matrix(re, im):
    """A complex number as a real matrix, so that its parts may be varied by complex step."""
    return np.array([[re, -im], [im, re]])


def powers_sum(A, terms):
    """Rows sum over s of A^(t-s) terms[s]."""
    return [sum(np.linalg.matrix_power(A, t - s) @ terms[s] for s in range(t + 1)) for t in range(len(terms))]


def held(a, b, dt):
    """exp(dt L) and L^-1 (exp(dt L) - 1) of L = a + ib as matrices (zero-order hold)."""
    A = np.exp(dt * a) * as_matrix(np.cos(dt * b), np.sin(dt * b))
    return A, np.linalg.solve(as_matrix(a, b), A - np.eye(2))


def s4d(w, x):
    u, N = x["x"], w["r"].shape[1]
    y = np.array([w["D"] * row for row in u], dtype=complex)
    for channel in range(u.shape[1]):
        for k in range(N):
            A, B = held(-np.exp(w["r"][channel, k]), w["w"][channel, k] + np.pi * k, np.exp(w["dt"][channel]))
            for t, state in enumerate(powers_sum(A, [B @ np.array([v, 0]) for v in u[:, channel]])):
                y[t, channel] += 2 * (w["Cr"][channel, k] * state[0] - w["Ci"][channel, k] * state[1])
    return {"y": y}


def s5(w, x):
    u = x["x"]
    y = np.array([w["D"] * row for row in u], dtype=complex)
    for k in range(len(w["r"])):
        A, G = held(-np.exp(w["r"][k]), w["w"][k], np.exp(w["dt"][k]))
        for t, state in enumerate(powers_sum(A, [G @ np.array([w["Br"][k] @ v, w["Bi"][k] @ v]) for v in u])):
            y[t] += 2 * (w["Cr"][:, k] * state[0] - w["Ci"][:, k] * state[1])
    return {"y": y}


def lru(w, x):
    u = x["x"]
    y = np.array([w["D"] * row for row in u], dtype=complex)
    for k in range(len(w["nu"])):
        size, angle = np.exp(-np.exp(w["nu"][k])), np.exp(w["theta"][k])
        terms = [np.exp(w["gamma"][k]) * np.array([w["Br"][k] @ v, w["Bi"][k] @ v]) for v in u]
        for t, state in enumerate(powers_sum(size * as_matrix(np.cos(angle), np.sin(angle)), terms)):
            y[t] += w["Cr"][:, k] * state[0] - w["Ci"][:, k] * state[1]
    return {"y": y}


def rg_lru(w, x):
    def step(u, h):
        a = sigmoid(w["L"]) ** (8 * sigmoid(w["Wa"] @ u + w["ba"]))
        return a * h + np.sqrt(1 - a ** 2) * sigmoid(w["Wx"] @ u + w["bx"]) * u
    return {"h": scan(step, x["x"], zeros(w, "L"))}


def rwkv4(w, x):
    """Sums of exponentials over all earlier steps, without a running maximum."""
    u = x["x"]

    def mixed(m, t):
        return m * u[t] + (1 - m) * before(u, t)
    k = [w["Wk"] @ mixed(w["mk"], t) for t in range(len(u))]
    v = [w["Wv"] @ mixed(w["mv"], t) for t in range(len(u))]
    rows = []
    for t in range(len(u)):
        share = [np.exp(-(t - 1 - s) * np.exp(w["w"]) + k[s]) for s in range(t)] + [np.exp(w["u"] + k[t])]
        wkv = sum(a * b for a, b in zip(share, v)) / sum(share)
        rows.append(w["Wo"] @ (sigmoid(w["Wr"] @ mixed(w["mr"], t)) * wkv))
    return {"y": np.array(rows)}
