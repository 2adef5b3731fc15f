#!/usr/bin/python3
"""evaluate.py DEF WEIGHTS INPUTS FETCH OUT: an independent evaluator of definitions (torch, float64).

Every item of the batch is evaluated alone, every variable at every position at most once, straight
from the rules of the language; gradients are torch's. Slow and simple on purpose: it is the oracle of
`taugrad run`, and shares no code and no idea with it. FETCH is a comma list as for `taugrad run`.
"""
import re
import sys

import numpy as np
import torch

import tensors
from expand import load
from functions import ABSENT
from item import Item
from language import walk
from shapes import infer_shapes

F64 = torch.float64


class Model:
    """A flat definition with its weights and a batch of inputs."""

    def __init__(self, flat, weights, inputs):
        self.flat, self.inputs = flat, inputs
        self.categories, self.shapes = infer_shapes(flat)
        self.weights = {}
        for name, (axes, shape) in flat.weights.items():
            if name in weights:
                w = torch.tensor(np.array(weights[name], dtype=float), requires_grad=True)
                self.weights[name] = w if axes else w.reshape(shape).detach().requires_grad_()
        self.steps, self.batch = {}, None
        self.measure()
        self.items = [Item(self, b) for b in range(self.batch)]
        self.independent = self.batch_free()

    def axes(self, name):
        table = self.flat.inputs.get(name) or self.flat.weights.get(name)
        return table[0] if table else self.flat.axes[name]

    def measure(self):
        """Steps of each length and the size of the batch, from the tensors."""
        for key, tensor in self.inputs.items():
            if key.split(":")[0] == "lengths":
                self.batch = len(tensor)
                continue
            name = key.removeprefix("cotangent:")
            if name not in self.flat.inputs and name not in self.flat.axes:
                continue
            axes = self.axes(name)
            for a, steps in zip(axes, tensor.shape):
                self.steps[str(self.flat.index[a])] = steps
            if tensor.ndim > len(axes) and name in self.shapes and self.batch is None:
                if tensor.ndim == len(axes) + 1 + len(self.shapes[name]):
                    self.batch = tensor.shape[len(axes)]
        for key, tensor in self.inputs.items():
            if key.split(":")[0] == "lengths":
                name = str(self.flat.index[key[8:]] if key[8:] else next(iter(self.flat.index.values())))
                self.steps.setdefault(name, int(max(tensor)))
        for length in self.flat.index.values():
            if str(length).isdigit():
                self.steps[str(length)] = int(length)
        self.batch = self.batch or 1
        self.derive(self.steps)

    def derive(self, lengths):
        """Lengths that are arithmetic of others, never below 0 (R17)."""
        numbers = {**self.flat.sizes, **{k: v for k, v in lengths.items() if k.isidentifier()}}
        for length in self.flat.index.values():
            if not str(length).isdigit() and not str(length).isidentifier():
                lengths[length] = max(0, eval(length.replace("/", "//"), {}, numbers))

    def lengths_of(self, number):
        lengths = dict(self.steps)
        for key, tensor in self.inputs.items():
            if key.split(":")[0] == "lengths":
                name = str(self.flat.index[key[8:]] if key[8:] else next(iter(self.flat.index.values())))
                lengths[name] = int(tensor[number])
        self.derive(lengths)
        return lengths

    def batch_free(self):
        """Names that are not per example: un-indexed, of weights and numbers only (R6)."""
        names, random = set(self.flat.axes), {eq.name for eq in self.flat.equations if eq.random}
        free = {n for n in names if not self.flat.axes[n] and n not in random}
        while True:
            def dependent(e):
                return e[0] in ("index", "length") or (e[0] == "ref" and e[1] not in free) or (
                    e[0] == "call" and (e[3] or e[1] == "dropout"))
            bad = {eq.name for eq in self.flat.equations if any(map(dependent, walk(eq.expr)))} & free
            if not bad:
                return free
            free -= bad

    def per_example(self, name):
        return name not in self.independent

    def fetch(self, what):
        if what == "loss":
            return np.array([float(i.loss().detach()) for i in self.items])
        if what.startswith("nll:"):
            return self.table(what[4:], lambda i, n, p: i.nll(n, p), scalar=True)
        if what.startswith("grad:"):
            return self.gradient(what[5:])
        return self.table(what, lambda i, n, p: i.value(n, p))

    def table(self, what, node, scalar=False):
        """A variable over [index..., batch, shape...], or one position of it over [batch, shape...]."""
        name, _, rest = what.partition("[")
        axes, shape = self.axes(name), () if scalar else self.shapes[name]
        plain = lambda n: n.detach().numpy() if torch.is_tensor(n) else (0 if n is ABSENT else n)
        kind = np.int64 if self.is_integral(name) and not scalar else float
        if rest:
            spots = [self.spot(name, rest, i) for i in self.items]
            return np.array([plain(node(i, name, p)) for i, p in zip(self.items, spots)], dtype=kind)
        if not axes and not self.per_example(name):
            return plain(node(self.items[0], name, ()))
        out = np.zeros(tuple(self.steps[str(self.flat.index[a])] for a in axes)
                       + (self.batch,) + tuple(shape), dtype=kind)
        for i in self.items:
            for p in i.places(axes):
                if not scalar or i.match(name, p)[0] is not None:
                    out[tuple(q - 1 for q in p) + (i.number,)] = plain(node(i, name, p))
        return out

    def is_integral(self, name):
        return name in self.categories

    def spot(self, name, rest, item):
        """'3]' or 'last,1]' as numbers, for this item."""
        place = []
        for axis, text in zip(self.axes(name), rest.rstrip("]").split(",")):
            word, plus, tail = re.fullmatch(r"\s*([a-z_]*)\s*([+-]?)\s*(\d*)\s*", text).groups()
            length = item.lengths[str(self.flat.index[axis])]
            place.append((length if word else 0) + int(plus + tail if tail else 0))
        return tuple(place)

    def derivative(self, item, nodes):
        """The objective's gradient for nodes of one item; zeros where nothing flows."""
        nodes = list(nodes)
        if not nodes:
            return []
        if item.total is None:
            item.total = item.objective()
        flow = torch.autograd.grad(item.total, nodes, allow_unused=True, retain_graph=True)
        return [torch.zeros_like(n) if g is None else g for n, g in zip(nodes, flow)]

    def gradient(self, what):
        if what.startswith("nll:"):
            return self.table(what[4:], self.adjoint(lambda i, n, p: i.nll(n, p)), scalar=True)
        share = re.fullmatch(r"(.*)@([\w.]+)", what)
        target = share.group(1) if share else what
        name, bracket, rest = target.partition("[")
        if name not in self.flat.weights:
            if not self.axes(name) and not self.per_example(name):
                return sum(self.derivative(i, [i.value(name, ())])[0] for i in self.items).numpy()
            return self.table(target, self.adjoint(lambda i, n, p: i.value(n, p)))
        weight = self.weights[name]
        if not bracket and not share:
            return sum(self.derivative(i, [weight])[0] for i in self.items).numpy()
        total = torch.zeros(self.flat.weights[name][1], dtype=F64)
        for item in self.items:
            item.objective()  # makes the copies
            nodes = item.shares if share else item.copies
            keys = [k for k in nodes if k[0] == name and self.is_copy(k[2], rest)
                    and (not share or k[3] == share.group(2))]
            total = total + sum(self.derivative(item, [nodes[k] for k in keys]), torch.zeros_like(total))
        return total.numpy()

    def is_copy(self, place, rest):
        """Whether the copy at `place` ((letter, position), ...) is the one written '[...]'."""
        texts = [t for t in rest.rstrip("]").replace(" ", "").split(",") if t]
        if len(texts) != len(place):
            return False
        for text, (letter, at) in zip(texts, place):
            named, _, spot = text.rpartition("=")
            length = str(self.flat.index[letter])
            names = "|".join({"last", length, *(k for k, v in self.flat.sizes.items() if str(v) == length)})
            written = re.fullmatch(rf"({names})([+-]\d+)?", spot) if not spot.isdigit() else None
            if written:
                offset = int(written.group(2) or 0)
                spot = str(int(length) + offset) if length.isdigit() else f"tau{offset:+d}"
            if (named and named != letter) or spot != at:
                return False
        return True

    def adjoint(self, node):
        def fn(item, name, place):
            target = node(item, name, place)
            return self.derivative(item, [target])[0]
        return fn


def evaluate(path, weights, inputs, fetch, sizes=None, graphs=None):
    """The fetched values by name; weights and inputs are numpy arrays by name."""
    sys.setrecursionlimit(100000)
    model = Model(load(path, sizes, graphs), weights, inputs)
    return {what: np.array(model.fetch(what)) for what in fetch}


def split_fetch(text):
    """Commas outside brackets separate."""
    return [s.strip() for s in re.split(r",(?![^\[]*\])", text) if s.strip()]


if __name__ == "__main__":
    definition, weights, inputs, fetch, out = sys.argv[1:6]
    tensors.save(out, evaluate(definition, tensors.load(weights), tensors.load(inputs), split_fetch(fetch)))
