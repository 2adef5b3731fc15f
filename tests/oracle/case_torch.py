"""Cases for `define`: PyTorch's RNN, LSTM and GRU, every item run alone, gradients of random cotangents."""
import os

import numpy as np
import torch

from case_files import BATCH, ragged, save_case

F64 = torch.float64
KINDS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def settings():
    """(kind, layers, bidirectional, further arguments of the module)."""
    for kind in KINDS:
        for layers in (1, 2, 3):
            for both in (False, True):
                yield kind, layers, both, {}
    for layers, both in ((1, False), (2, True)):
        yield "rnn", layers, both, {"nonlinearity": "relu"}
        yield "lstm", layers, both, {"proj_size": 2}
        for kind in KINDS:
            yield kind, layers, both, {"state": "learned"}


def torch_cases(out, seed):
    for i, (kind, layers, both, more) in enumerate(settings()):
        rng = np.random.default_rng([seed, i])
        parts = [kind, str(layers)] + ["bi"] * both + [{"proj_size": "projection"}.get(k, v) for k, v in more.items()]
        name = "_".join(["torch"] + [str(p) for p in parts])
        make(os.path.join(out, name), kind, layers, both, more, rng)
        print("made " + name)


def initial_states(kind, layers, both, m, rng):
    """Weights h0_l0, h0_l0_reverse, ... and c0_* of the LSTM."""
    return {f"{s}0_l{layer}{'_reverse' * d}": torch.tensor(rng.normal(size=m) * 0.5, requires_grad=True)
            for s in ("hc" if kind == "lstm" else "h") for layer in range(layers) for d in range(1 + both)}


def stacked(first, kind):
    """Initial states as PyTorch takes them, or None for zeros."""
    if not first:
        return None
    states = [torch.stack([w for k, w in first.items() if k[0] == s])[:, None] for s in "hc"[:1 + (kind == "lstm")]]
    return tuple(states) if kind == "lstm" else states[0]


def make(folder, kind, layers, both, more, rng):
    n, m, steps = int(rng.integers(1, 4)), int(rng.integers(3, 5)), int(rng.integers(3, 6))
    learned = "state" in more
    net = KINDS[kind](n, m, layers, bidirectional=both, dtype=F64,
                      **{k: v for k, v in more.items() if k != "state"})
    for parameter in net.parameters():
        parameter.data = torch.tensor(rng.normal(size=tuple(parameter.shape)) * 0.5)
    named = dict(net.named_parameters())
    first = initial_states(kind, layers, both, m, rng) if learned else {}
    named.update(first)
    weights = {k: p.detach().numpy() for k, p in named.items()}
    lengths = ragged(rng, steps, True)
    x = torch.tensor(rng.normal(size=(steps, BATCH, n)), requires_grad=True)
    directions, width = 1 + both, more.get("proj_size", m)
    shapes = {"out": (steps, BATCH, directions * width), "h_n": (BATCH, layers * directions, width)}
    if kind == "lstm":
        shapes["c_n"] = (BATCH, layers * directions, m)
    expect = {k: torch.zeros(s, dtype=F64) for k, s in shapes.items()}
    cotangents = {k: rng.normal(size=s) for k, s in shapes.items()}
    total = torch.zeros((), dtype=F64)
    for b, length in enumerate(lengths):
        before = stacked(first, kind)
        if length == 0:  # the final state is the one before the first step
            seq, final = torch.zeros((0, 1, directions * width), dtype=F64), before
            if not learned:
                continue
        else:
            seq, final = net(x[:length, b:b + 1], before)
        values = {"out": seq[:, 0]}
        for key, state in zip(("h_n", "c_n"), final if kind == "lstm" else (final,)):
            values[key] = state[:, 0]
        for key, value in values.items():
            spot = (slice(0, int(length)), b) if key == "out" else (b,)
            expect[key][spot] = value.detach()
            total = total + (torch.tensor(cotangents[key][spot]) * value).sum()
    total.backward()
    found = {k: v.numpy() for k, v in expect.items()}
    found.update({"grad:" + k: p.grad.numpy() for k, p in named.items()})
    found["grad:x"] = x.grad.numpy()
    define = [kind, "--layers", str(layers)] + ["--bidirectional"] * both
    if "nonlinearity" in more:
        define += ["--nonlinearity", more["nonlinearity"]]
    if "proj_size" in more:
        define += ["--projection", str(more["proj_size"])]
    define += ["--learned-state"] * learned
    define += ["--size", f"n={n}", "--size", f"m={m}"]
    inputs = {"x": x.detach().numpy(), "lengths": lengths}
    inputs.update({"cotangent:" + k: v for k, v in cotangents.items()})
    os.makedirs(folder, exist_ok=True)
    save_case(folder, {"define": define, "fetch": list(found), "tol": 1e-9, "dtype": "f64"}, weights, inputs, found)
