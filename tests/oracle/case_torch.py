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


def torch_cases(out, seed):
    for i, (kind, layers, both, more) in enumerate(settings()):
        rng = np.random.default_rng([seed, i])
        parts = [kind, str(layers)] + ["bi"] * both + [{"proj_size": "projection"}.get(k, v) for k, v in more.items()]
        name = "_".join(["torch"] + [str(p) for p in parts])
        make(os.path.join(out, name), kind, layers, both, more, rng)
        print("made " + name)


def make(folder, kind, layers, both, more, rng):
    n, m, steps = int(rng.integers(1, 4)), int(rng.integers(3, 5)), int(rng.integers(3, 6))
    net = KINDS[kind](n, m, layers, bidirectional=both, dtype=F64, **more)
    weights = {k: rng.normal(size=tuple(v.shape)) * 0.5 for k, v in net.named_parameters()}
    net.load_state_dict({k: torch.tensor(v) for k, v in weights.items()})
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
        if length == 0:
            continue
        seq, final = net(x[:length, b:b + 1])
        values = {"out": seq[:, 0]}
        for key, state in zip(("h_n", "c_n"), final if kind == "lstm" else (final,)):
            values[key] = state[:, 0]
        for key, value in values.items():
            spot = (slice(0, int(length)), b) if key == "out" else (b,)
            expect[key][spot] = value.detach()
            total = total + (torch.tensor(cotangents[key][spot]) * value).sum()
    total.backward()
    found = {k: v.numpy() for k, v in expect.items()}
    found.update({"grad:" + k: p.grad.numpy() for k, p in net.named_parameters()})
    found["grad:x"] = x.grad.numpy()
    define = [kind, "--layers", str(layers)] + ["--bidirectional"] * both
    if "nonlinearity" in more:
        define += ["--nonlinearity", more["nonlinearity"]]
    if "proj_size" in more:
        define += ["--projection", str(more["proj_size"])]
    define += ["--size", f"n={n}", "--size", f"m={m}"]
    inputs = {"x": x.detach().numpy(), "lengths": lengths}
    inputs.update({"cotangent:" + k: v for k, v in cotangents.items()})
    os.makedirs(folder, exist_ok=True)
    save_case(folder, {"define": define, "fetch": list(found), "tol": 1e-9, "dtype": "f64"}, weights, inputs, found)
