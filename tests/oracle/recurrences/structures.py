"""Trees, pyramids, memories, lattices, filters. Each function: weights by name, one item's inputs -> outputs, `loss`."""
import itertools

import numpy as np

from plain import sigmoid, softmax, softplus, unit


def tree_lstm(w, x):
    m = 3
    cells, states = [np.zeros(m)], [np.zeros(m)]  # node 0: no child
    for u, left, right in zip(x["x"], x["left"], x["right"]):
        z = (w["W"] @ u + w["L"] @ states[left] + w["R"] @ states[right] + w["b"]).reshape(5, m)
        cells.append(sigmoid(z[0]) * np.tanh(z[4]) + sigmoid(z[1]) * cells[left] + sigmoid(z[2]) * cells[right])
        states.append(sigmoid(z[3]) * np.tanh(cells[-1]))
    return {"h": np.array(states[1:]), "c": np.array(cells[1:])}


def torch_lstm(w, prefix, x):
    """PyTorch's gates i, f, g, o."""
    W, R, b = w[prefix + "W_ih"], w[prefix + "W_hh"], w[prefix + "b_ih"] + w[prefix + "b_hh"]
    return gates_in_order(W, R, b, x)[0]


def gates_in_order(W, R, b, x, h=None, c=None):
    m = R.shape[1]
    h, c, rows = np.zeros(m) if h is None else h, np.zeros(m) if c is None else c, []
    for u in x:
        i, f, g, o = (W @ u + R @ h + b).reshape(4, m)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        rows.append(h)
    return np.array(rows), h, c


def both_ways(w, number, x):
    return np.concatenate([torch_lstm(w, f"f{number}.", x), torch_lstm(w, f"b{number}.", x[::-1])[::-1]], axis=1)


def pyramid(w, x):
    low = both_ways(w, 1, x["x"])
    if len(low) % 2:
        low = np.concatenate([low, np.zeros((1, low.shape[1]))])
    return {"h": both_ways(w, 2, low.reshape(len(low) // 2, -1))}


def pointer(w, x):
    source, h, c = gates_in_order(w["W"], w["R"], w["b"], x["x"])
    loss, rows = 0, []
    for t, target in enumerate(x["y"]):
        chosen = x["x"][x["y"][t - 1] - 1] if t else np.zeros(2)
        _, h, c = gates_in_order(w["Z"], w["Q"], w["c"], [chosen], h, c)
        p = softmax(np.array([w["v"] @ np.tanh(w["W1"] @ e + w["W2"] @ h) for e in source]))
        rows.append(p)
        loss = loss - np.log(p[target - 1])
    return {"p": np.array(rows).T, "loss": loss}


def neural_turing_machine(w, x):
    N, M = 4, w["M0"]
    address, r, rows = [np.ones(N) / N] * 2, np.zeros(2), []
    for u in x["x"]:
        h = np.tanh(w["U"] @ u + w["R"] @ r + w["b"])
        for head in (0, 1):
            k = w["Wk"][head] @ h
            likeness = np.array([row @ k / np.sqrt((row @ row) * (k @ k)) for row in M])
            content = softmax(softplus(w["wb"][head] @ h) * likeness)
            g = sigmoid(w["wg"][head] @ h)
            mixed = g * content + (1 - g) * address[head]
            s = softmax(w["Ws"][head] @ h)  # weights of shifts by -1, 0, 1
            moved = np.array([sum(mixed[(i - (d - 1)) % N] * s[d] for d in range(3)) for i in range(N)])
            sharp = moved ** (1 + softplus(w["wy"][head] @ h))
            address[head] = sharp / sharp.sum()
        r = address[0] @ M
        M = M * (1 - np.outer(address[1], sigmoid(w["We"] @ h))) + np.outer(address[1], w["Wa"] @ h)
        rows.append(w["V"] @ h + w["Z"] @ r + w["c"])
    return {"y": np.array(rows)}


def stack_rnn(w, x):
    h, s, rows = np.zeros(3), np.zeros(4), []
    for u in x["x"]:
        h = sigmoid(w["U"] @ u + w["R"] @ h + w["P"] @ s[:2])
        push, pop = softmax(w["A"] @ h)
        new = [push * sigmoid(w["D"] @ h) + pop * s[1]]
        for i in range(1, 4):
            new.append(push * s[i - 1] + pop * (s[i + 1] if i < 3 else 0))
        s = np.array(new)
        rows.append(np.concatenate([h, s[:2]]))
    return {"y": np.array(rows)}


def hopfield(w, x):
    v = x["z"]
    for _ in range(3):
        v = softmax(np.exp(w["b"]) * (x["x"] @ v)) @ x["x"]
    return {"y": v}


def conv_lstm(w, x):
    u = x["x"]
    steps, rows, cols, _ = u.shape
    m = 2
    h, c, out = np.zeros((rows, cols, m)), np.zeros((rows, cols, m)), []
    for t in range(steps):
        new_h, new_c = np.zeros((rows, cols, m), complex), np.zeros((rows, cols, m), complex)
        for i in range(rows):
            for j in range(cols):
                z = w["b"]
                for a, b in itertools.product(range(3), range(3)):
                    p, q = i + a - 1, j + b - 1
                    if 0 <= p < rows and 0 <= q < cols:
                        z = z + w["X"][a, b] @ u[t, p, q] + w["R"][a, b] @ h[p, q]
                z = z.reshape(4, m)
                new_c[i, j] = (sigmoid(z[1] + w["pf"][i, j] * c[i, j]) * c[i, j]
                               + sigmoid(z[0] + w["pi"][i, j] * c[i, j]) * np.tanh(z[2]))
                new_h[i, j] = sigmoid(z[3] + w["po"][i, j] * new_c[i, j]) * np.tanh(new_c[i, j])
        h, c = new_h, new_c
        out.append(h)
    return {"h": np.array(out)}


def ctc(w, x):
    """The probability of every path that reads as the labels, path by path."""
    h, p = np.zeros(3), []
    for u in x["x"]:
        h = np.tanh(w["U"] @ u + w["W"] @ h + w["b"])
        p.append(softmax(w["V"] @ h + w["c"]))
    labels = [e for e in x["e"] if e]
    total = 0
    for path in itertools.product(range(4), repeat=len(p)):
        read = [e for i, e in enumerate(path) if e and (i == 0 or e != path[i - 1])]
        if read == labels:
            total = total + np.prod([p[t][e] for t, e in enumerate(path)])
    return {"p": np.array(p), "loss": -np.log(total)}


def all_paths(k, steps):
    return itertools.product(range(k), repeat=steps)


def crf(w, x):
    """The score of every path, path by path."""
    def score(path):
        s = w["start"][path[0]] + sum((w["U"] @ u + w["b"])[y] for u, y in zip(x["x"], path))
        return s + sum(w["T"][a, b] for a, b in zip(path, path[1:]))
    total = sum(np.exp(score(path)) for path in all_paths(3, len(x["x"])))
    return {"loss": np.log(total) - score(list(x["y"]))}


def hmm(w, x):
    """The joint probability of every path of states, path by path."""
    start, T, E = softmax(w["start"]), softmax(w["T"]), softmax(w["E"])
    total = 0
    for path in all_paths(3, len(x["y"])):
        p = start[path[0]] * np.prod([T[a, b] for a, b in zip(path, path[1:])])
        total = total + p * np.prod([E[s, y] for s, y in zip(path, x["y"])])
    return {"loss": -np.log(total)}


def kalman_filter(w, x):
    """The density of all readings together, a normal one, and the mean of a state given those so far."""
    A, C, steps = w["A"], w["C"], len(x["x"])
    Q, R, m, n = w["Lq"] @ w["Lq"].T, w["Lr"] @ w["Lr"].T, 3, 2
    covariance = [[None] * steps for _ in range(steps)]
    mean, P = [], np.eye(m)
    state = w["m0"]
    for t in range(steps):
        state, P = A @ state, A @ P @ A.T + Q
        mean.append(state)
        covariance[t][t] = P
    for t in range(steps):
        for s in range(t):
            covariance[t][s] = np.linalg.matrix_power(A, t - s) @ covariance[s][s]
            covariance[s][t] = covariance[t][s].T
    rows, loss = [], 0
    for t in range(steps):
        far = np.concatenate([x["x"][s] - C @ mean[s] for s in range(t + 1)])
        seen = np.block([[C @ covariance[a][b] @ C.T + (R if a == b else 0 * R) for b in range(t + 1)] for a in range(t + 1)])
        cross = np.concatenate([covariance[t][s] @ C.T for s in range(t + 1)], axis=1)
        rows.append(mean[t] + cross @ np.linalg.solve(seen, far))
        loss = (far @ np.linalg.solve(seen, far) + np.log(np.linalg.det(seen)) + (t + 1) * n * np.log(2 * np.pi)) / 2
    return {"h": np.array(rows), "loss": loss}
