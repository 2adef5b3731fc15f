#!/usr/bin/python3
"""make.py [NAME ...]: tests/recurrences/NAME.safetensors, what each shipped recurrence must give.

Every recurrence of graphs/ that a function of this folder computes, in NumPy alone: weights ("weight:W"), two items of
different length ("input:x"), values and gradients ("expect:y", "expect:grad:W"), the gradients by complex step. The
gradient is that of the definition's loss, else of the sum of the last variable times a random "input:cotangent:y".
"""
import json
import os
import re
import sys
import zlib

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
sys.path += [HERE, os.path.join(HERE, "..")]

import matrices  # noqa: E402
import structures  # noqa: E402
import tensors  # noqa: E402
import vectors  # noqa: E402

LENGTHS = {"tau": (4, 3), "n_src": (3, 2), "rows": (2, 3), "cols": (3, 2), "sigma": (5, 3)}
BATCH = 2
STEP = 1e-30  # so small that its square is lost: a derivative is exact to rounding


def functions():
    found = {}
    for module in (vectors, matrices, structures):
        for name in dir(module):
            if os.path.exists(graph_file(name)) and callable(getattr(module, name)):
                found[name] = getattr(module, name)
    return found


def graph_file(name):
    return os.path.join(ROOT, "graphs", name + ".json")


def declared_weights(definition, sizes, prefix=""):
    """(name, letters, shape) of every weight, imported ones with their prefix."""
    sizes = {**definition.get("sizes", {}), **sizes}
    for key, weight in definition.get("weights", {}).items():
        name, letters = split(key)
        shape = weight if isinstance(weight, list) else weight["shape"]
        yield prefix + name, letters, [int(eval(str(a), {}, sizes)) for a in shape]
    for part, spec in definition.get("imports", {}).items():
        inner = json.load(open(graph_file(spec["from"])))
        outer = {k: v for k, v in sizes.items() if k in inner.get("sizes", {})}
        outer.update({k: int(eval(str(v), {}, sizes)) for k, v in spec.get("sizes", {}).items()})
        yield from declared_weights(inner, outer, prefix + part + ".")


def split(key):
    """"x[t,i]" -> ("x", ["t", "i"])."""
    name, _, rest = key.partition("[")
    return name, [a for a in rest.rstrip("]").split(",") if a]


class Case:
    def __init__(self, name, function):
        self.name, self.function = name, function
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.definition = json.load(open(graph_file(name)))
        self.index = self.definition["index"]
        self.weights = {}
        for weight, letters, shape in declared_weights(self.definition, {}):
            lead = [self.longest(a) for a in letters]
            self.weights[weight] = np.array(self.rng.normal(size=lead + shape) * 0.6)
        if name == "phased_lstm":  # a period is positive, and its gate opens for a part of it
            self.weights["period"] = self.rng.uniform(3, 5, size=3)
            self.weights["open"] = self.rng.uniform(0.4, 0.8, size=3)
        self.inputs = [self.draw_item(b) for b in range(BATCH)]

    def length(self, letter, item):
        text = str(self.index[letter])
        if text.isdigit():
            return int(text)
        own = {name: lengths[item] for name, lengths in LENGTHS.items()}
        return eval(text.replace("/", "//"), {}, own)

    def longest(self, letter):
        return max(self.length(letter, b) for b in range(BATCH))

    def draw_item(self, item):
        drawn, sizes = {}, self.definition.get("sizes", {})
        for key, shape in self.definition["inputs"].items():
            name, letters = split(key)
            lead = [self.length(a, item) for a in letters]
            if isinstance(shape, list):
                drawn[name] = self.rng.normal(size=lead + [sizes.get(a, a) for a in shape])
            elif shape.startswith("category"):
                drawn[name] = self.rng.integers(0, sizes[shape[9:-1]], size=lead)
            elif shape == f"position({letters[0]})":  # an earlier node, or none
                drawn[name] = np.array([int(self.rng.integers(0, t + 1)) for t in range(lead[0])])
            else:
                drawn[name] = self.rng.integers(1, self.length(shape[9:-1], item) + 1, size=lead)
        if self.name == "ctc":  # labels with blanks between them
            drawn["e"] = np.array([0, 2, 0, 1, 0][:len(drawn["e"])])
        if "time" in drawn:
            drawn["time"] = np.cumsum(np.abs(drawn["time"]))
        if "dt" in drawn:
            drawn["dt"] = np.abs(drawn["dt"])
        return drawn

    def letters_of(self, variable):
        """The axes of a variable, as a left side writes them."""
        for equation in self.definition["equations"]:
            name, letters = split(re.match(r"\w+(\[[^=]*?\])?(?= *=)", equation).group(0))
            if name == variable and all(a in self.index for a in letters):
                return letters
        raise KeyError(variable)

    def loss(self, outputs, item):
        if "loss" in outputs:
            return outputs["loss"]
        return (self.cotangents[item] * outputs[self.asked]).sum()

    def gradient(self, values, evaluate):
        """d evaluate() / d each element of `values`, which is changed in place."""
        flat = values.reshape(-1)
        slopes = np.zeros(flat.size)
        for i in range(flat.size):
            flat[i] += 1j * STEP
            slopes[i] = np.imag(evaluate()) / STEP
            flat[i] = np.real(flat[i])
        return slopes.reshape(values.shape)

    def padded(self, letters, rows):
        """One array [index..., batch, shape...] of the items' own."""
        rows = [np.asarray(r) for r in rows]
        lead = [self.longest(a) for a in letters]
        shape = rows[0].shape[len(letters):]
        out = np.zeros(lead + [BATCH] + list(shape), rows[0].dtype)
        for b, row in enumerate(rows):
            out[tuple(slice(0, k) for k in row.shape[:len(letters)]) + (b,)] = row
        return out

    def make(self):
        out = {"weight:" + k: v for k, v in self.weights.items()}
        for key in self.definition["inputs"]:
            name, letters = split(key)
            out["input:" + name] = self.padded(letters, [x[name] for x in self.inputs])
        free = [a for i, a in enumerate(self.index) if str(self.index[a]) in LENGTHS
                and self.index[a] not in list(self.index.values())[:i]]
        for a in free:
            out["input:lengths" + (":" + a if len(free) > 1 else "")] = np.array([self.length(a, b) for b in range(BATCH)])
        outputs = [self.function(self.weights, x) for x in self.inputs]
        self.expect_values(out, outputs)
        self.expect_gradients(out)
        for key, value in out.items():
            assert np.isfinite(value).all(), (self.name, key)
        tensors.save(os.path.join(ROOT, "tests", "recurrences", self.name + ".safetensors"), out)

    def expect_values(self, out, outputs):
        for variable in outputs[0]:
            rows = [np.real(o[variable]) for o in outputs]
            out["expect:" + variable] = np.array(rows) if variable == "loss" else self.padded(self.letters_of(variable), rows)
        if "loss" not in outputs[0]:
            self.asked = list(outputs[0])[-1]
            self.cotangents = [self.rng.normal(size=o[self.asked].shape) for o in outputs]
            out["input:cotangent:" + self.asked] = self.padded(self.letters_of(self.asked), self.cotangents)

    def expect_gradients(self, out):
        weights = {k: np.array(v, complex) for k, v in self.weights.items()}
        for name, value in weights.items():
            out["expect:grad:" + name] = self.gradient(
                value, lambda: sum(self.loss(self.function(weights, x), b) for b, x in enumerate(self.inputs)))
        for key in self.definition["inputs"]:
            name, letters = split(key)
            if np.issubdtype(self.inputs[0][name].dtype, np.integer):
                continue
            slopes = []
            for b, item in enumerate(self.inputs):
                x = {**item, name: np.array(item[name], complex)}
                slopes.append(self.gradient(x[name], lambda: self.loss(self.function(self.weights, x), b)))
            out["expect:grad:" + name] = self.padded(letters, slopes)


def main():
    known = functions()
    os.makedirs(os.path.join(ROOT, "tests", "recurrences"), exist_ok=True)
    for name in sys.argv[1:] or sorted(known):
        Case(name, known[name]).make()
    print(len(sys.argv[1:] or known), "made")


if __name__ == "__main__":
    main()
