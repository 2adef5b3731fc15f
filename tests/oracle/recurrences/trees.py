#!/usr/bin/python3
"""trees.py: tests/trees/tree_lstm.safetensors, a batch of trees of many forms for graphs/tree_lstm.json.

In NumPy alone, node after node, gradients by complex step: a random binary tree of 15 nodes, a chain, one leaf, an empty
item, a comb, a forest, a tree whose nodes have one child. Weights "weight:W", items padded "input:x", their lengths,
random cotangents of h; values "expect:h", gradients "expect:grad:W".
"""
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..")]

import structures  # noqa: E402
import tensors  # noqa: E402

STEP = 1e-30  # so small that its square is lost: a derivative is exact to rounding


def random_tree(rng, leaves):
    open_, left, right = list(range(1, leaves + 1)), [0] * leaves, [0] * leaves
    while len(open_) > 1:
        at = int(rng.integers(0, len(open_) - 1))
        left.append(open_[at])
        right.append(open_.pop(at + 1))
        open_[at] = len(left)
    return left, right


def comb(leaves):
    left, right = [0, 0, 1], [0, 0, 2]
    for _ in range(leaves - 2):
        left += [0, len(left)]
        right += [0, len(right) + 1]
    return left, right


def chain(n):
    return list(range(n)), [0] * n


def forms(rng):
    yield random_tree(rng, 8)
    yield chain(5)
    yield [0], [0]
    yield [], []
    yield comb(4)
    yield [0, 0, 1, 0, 0, 4, 0], [0, 0, 2, 0, 0, 5, 0]  # three roots
    yield [0, 0, 1, 0], [0, 0, 0, 2]  # children left alone, right alone


def padded(rows, steps):
    shape = max((r.shape for r in rows), key=len)[1:]
    out = np.zeros((steps, len(rows)) + shape, rows[0].dtype)
    for b, row in enumerate(rows):
        out[:len(row), b] = row.reshape((len(row),) + shape)
    return out


def slope(values, evaluate):
    flat, slopes = values.reshape(-1), np.zeros(values.size)
    for i in range(flat.size):
        flat[i] += 1j * STEP
        slopes[i] = np.imag(evaluate()) / STEP
        flat[i] = np.real(flat[i])
    return slopes.reshape(values.shape)


def main():
    rng = np.random.default_rng(15)
    weights = {"W": (15, 2), "L": (15, 3), "R": (15, 3), "b": (15,)}
    weights = {k: rng.normal(size=s).astype(complex) * 0.6 for k, s in weights.items()}
    items = []
    for left, right in forms(rng):
        n = len(left)
        items.append({"x": rng.normal(size=(n, 2)).astype(complex), "left": np.array(left, int),
                      "right": np.array(right, int), "bar": rng.normal(size=(n, 3))})
    values = lambda x: structures.tree_lstm(weights, x)["h"].reshape(-1, 3)  # noqa: E731
    loss = lambda x: (x["bar"] * values(x)).sum()  # noqa: E731
    steps = max(len(x["left"]) for x in items)
    out = {"weight:" + k: np.real(v) for k, v in weights.items()}
    out["input:x"] = padded([np.real(x["x"]) for x in items], steps)
    for name in ("left", "right"):
        out["input:" + name] = padded([x[name] for x in items], steps)
    out["input:cotangent:h"] = padded([x["bar"] for x in items], steps)
    out["input:lengths"] = np.array([len(x["left"]) for x in items])
    out["expect:h"] = padded([np.real(values(x)) for x in items], steps)
    out["expect:grad:x"] = padded([slope(x["x"], lambda: loss(x)) for x in items], steps)
    for name, value in weights.items():
        out["expect:grad:" + name] = slope(value, lambda: sum(loss(x) for x in items))
    tensors.save(os.path.join(HERE, "..", "..", "trees", "tree_lstm.safetensors"), out)


if __name__ == "__main__":
    main()
