"""Shapes of one example, found as the least fixed point over all equations of a flat definition."""
import numpy as np


class Shapes(dict):
    """name -> shape; None while unknown, which broadcasts with anything."""

    def __init__(self, flat, categories):
        super().__init__()
        self.flat, self.categories = flat, categories

    def of(self, e):
        kind = e[0]
        if kind in ("num", "index", "length"):
            return ()
        if kind == "ref":
            return self.get(e[1])
        if kind == "weight":
            return self.flat.weights[e[1]][1]
        if kind == "neg":
            return self.of(e[1])
        if kind == "bin":
            a, b = self.of(e[2]), self.of(e[3])
            return product(a, b) if e[1] == "@" else join(a, b)
        return self.call(e[1], e[2], e[3])

    def call(self, name, args, binders):
        if name == "nll":
            return ()
        if name == "grad":
            return self.of(args[1])
        shapes = [self.of(a) for a in args]
        if name in ("sum", "mean", "max") and not binders:
            return ()
        if name == "embed":
            return shapes[0][1:]
        if name == "one_hot":
            return (number(args[1]),)
        if name in ("zeros", "ones"):
            return tuple(number(a) for a in args)
        if name == "reshape":
            return tuple(number(a) for a in args[1:])
        if name == "conv":
            return (shapes[0][len(binders)],)
        if name in ("min", "pow", "where", "clamp", "layer_norm"):
            out = None
            for s in shapes:
                out = join(out, s)
            return out
        first = shapes[0]
        if first is None or any(s is None for s in shapes):
            return None
        if name == "slice" and first == () or name == "concat" and () in shapes:
            return None
        if name == "slice":
            return (number(args[2]) - number(args[1]),) + first[1:]
        if name == "concat":
            return (sum(s[0] for s in shapes),) + first[1:]
        if name == "stack":
            return (len(shapes),) + first
        return first[::-1] if name == "transpose" else first

    def random(self, e):
        """The shape of a draw: categories are numbers."""
        if e[1] == "categorical":
            return ()
        out = None
        for arg in e[4].values():
            out = join(out, self.of(arg))
        return out


def number(e):
    """A size, which is arithmetic over numbers."""
    if e[0] == "num":
        return int(round(e[1]))
    a, b = number(e[2]), number(e[3])
    return {"+": a + b, "-": a - b, "*": a * b, "/": b and a // b}[e[1]]


def join(a, b):
    if a is None or b is None:
        return b if a is None else a
    return np.broadcast_shapes(a, b)


def product(a, b):
    if not a or not b:  # unknown, or only a number at a boundary so far
        return None
    assert a[-1] == b[-2 if len(b) == 2 else -1], ("@", a, b)
    return a[:-1] + b[1:] if len(b) == 2 else a[:-1]


def infer_shapes(flat):
    """(names of categories, shapes by name)."""
    categories = {n for n, (_, s) in flat.inputs.items() if s and s[0] == "category"}
    categories |= {eq.name for eq in flat.equations if eq.random and eq.expr[1] == "categorical"}
    shapes = Shapes(flat, categories)
    for name, (_, shape) in flat.inputs.items():
        shapes[name] = () if name in categories or shape[:1] == ("position",) else shape
    for _ in range(2 * len(flat.equations) + 2):
        for eq in flat.equations:
            new = shapes.random(eq.expr) if eq.random else shapes.of(eq.expr)
            shapes[eq.name] = join(shapes.get(eq.name), new)
    for eq in flat.equations:
        if shapes[eq.name] is None:
            shapes[eq.name] = ()
    return categories, shapes
