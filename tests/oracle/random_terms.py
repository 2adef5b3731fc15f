"""The pieces of random definitions: references at offsets -3..3, fixed positions, reductions, convolutions."""
import random

INDICES = [{"t": "tau"}] * 6 + [{"i": "rows", "j": "cols"}] * 3 + [
    {"s": "tau", "t": "tau"}, {"s": "n_src", "t": "tau"}, {"i": "rows", "j": 2}, {"i": "n", "t": "tau"}]
WRAPS = ["tanh({a})", "sigmoid({a})", "tanh({a})", "relu({a})", "softmax({a})", "log_softmax({a}) * 0.3",
         "layer_norm({a}, {w}, {w})", "clamp({a}, -0.6, 0.7)", "exp(-({a}) * {w} * {w})", "log(1.5 + sigmoid({a}))",
         "sqrt(0.5 + sigmoid({a}))", "abs({a})", "where({a} < {w}, tanh({a}), {w})", "min(tanh({a}), {w})",
         "pow(1.5 + tanh({a}), {w})", "concat(slice(tanh({a}), 1, {k}), slice({w}, 0, 1))",
         "slice(concat(tanh({a}), {w}), 1, 1 + {k})", "tanh(transpose(stack({a}, {w})) @ {pair})",
         "tanh(slice(reshape(stack({a}, {w}), 2 * {k}), 1, 1 + {k}))", "tanh({a}) * max({w} + {a})",
         "tanh(({a}) - mean({a})) * ones({k}) + zeros({k})", "tanh({a}) * sum(softmax({a}) * {w})",
         "stop_gradient(tanh({a})) * {w} + tanh({a})", "dropout(tanh({a}), 0.5)", "tanh({a} >= {w}) * tanh({a})"]


class Terms:
    """Names, weights, references and terms of one definition being written as text."""

    def __init__(self, seed, cell=False):
        self.r = random.Random(seed)
        self.is_cell = cell
        self.index = {"t": "tau"} if cell else dict(self.r.choice(INDICES))
        self.d = {"index": self.index, "sizes": {"n": self.r.randint(1, 2), "m": self.r.randint(2, 3),
                                                 "k": self.r.randint(2, 3)},
                  "inputs": {}, "weights": {}, "functions": [], "imports": {}, "equations": [], "loss": []}
        self.shapes = {}       # weight -> tuple of size names
        self.known = []        # (name, axes, size or "" or ("category", k)) that may be read anywhere
        self.count = 0
        self.cells = []

    def fresh(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def chance(self, p):
        return self.r.random() < p

    def weight(self, *shape, new=False):
        same = [w for w, s in self.shapes.items() if s == shape]
        if same and not new and self.chance(0.4):
            return self.r.choice(same)
        name = self.fresh("w")
        self.shapes[name] = shape
        self.d["weights"][name] = list(shape)
        return name

    def untied(self, axes, *shape):
        name = self.fresh("W") + f"[{','.join(axes)}]"
        self.d["weights"][name] = list(shape)
        return name

    # ---- positions and references ---------------------------------------------------------------

    def length(self, letter):
        return self.index[letter]

    def fixed(self, letter):
        return self.r.choice(["0", "1", "2", "last", "last-1", "last+1", "3"])

    def offset(self):
        return self.r.choice([0, 0, 0, -1, -1, 1, 1, -2, 2, -3, 3])

    def step(self, letter, offset):
        return letter + (f"{offset:+d}" if offset else "")

    def place(self, axes, left):
        """Positions to read a settled variable at, from an equation over `left`."""
        spots = []
        for a in axes:
            same = [b for b in left if self.length(b) == self.length(a)]
            spots.append(self.step(self.r.choice(same), self.offset()) if same and not self.chance(0.15)
                         else self.fixed(a))
        return spots

    def written(self, name, spots):
        return f"{name}[{','.join(spots)}]" if spots else name

    def vector(self, text, kind, size):
        """A term of shape [size] from something read; size "" makes a number."""
        if isinstance(kind, tuple):
            if size == "":
                return f"({text} == {self.r.randint(0, 1)})"
            if self.chance(0.5):
                return f"embed({self.weight(kind[1], size)}, {text})"
            return f"{self.weight(size, kind[1])} @ one_hot({text}, {kind[1]})"
        if kind == "":
            return f"{text} * {self.weight(size) if size else self.weight()}"
        if size == "":
            return self.r.choice([f"{self.weight(kind)} @ {text}", f"sum({text} * {self.weight(kind)})",
                                  f"mean({text})", f"max({text} + {self.weight(kind)})"])
        if kind == size and self.chance(0.4):
            return self.r.choice([text, f"{text} * {self.weight(size)}", f"{self.weight()} * {text}"])
        return f"{self.weight(size, kind)} @ {text}" if self.chance(0.8) else f"{text} @ {self.weight(kind, size)}"

    def term(self, left, size):
        """Something settled, read from an equation over `left`."""
        name, axes, kind = self.r.choice(self.known)
        numeric = not isinstance(kind, tuple)
        free = [a for a in axes if a not in left]
        if axes and numeric and free and self.chance(0.6):
            spots = [a if a in free else s for a, s in zip(axes, self.place(axes, left))]
            inner = self.written(name, spots)
            if kind and self.chance(0.3):
                inner = f"tanh({inner} * {self.weight(kind)})"
            text = f"{self.r.choice(['sum', 'mean', 'max'])}[{','.join(free)}]({inner})"
            return self.vector(text, kind, size)
        inside = [a for a in axes if a in left]
        if numeric and kind and size and inside and self.chance(0.25):
            over = inside if self.chance(0.5) else [self.r.choice(inside)]
            spots = self.place(axes, left)
            spots = [self.step(a, self.r.randint(-3, 1)) if a in over else s for a, s in zip(axes, spots)]
            kernel = self.weight(*[self.r.randint(1, 3) for _ in over], size, kind, new=True)
            return f"conv[{','.join(over)}]({kernel}, {self.written(name, spots)})"
        return self.vector(self.written(name, self.place(axes, left)), kind, size)

    def numbers(self, left):
        if not left or not self.chance(0.15):
            return ""
        a = self.r.choice(left)
        return f" + 0.1 * {self.r.choice([a, f'({self.length(a)} - {a})', str(self.length(a))])}"

    def wrap(self, text, size):
        if size == "":
            return self.r.choice(["tanh({a})", "sigmoid({a})", "{a}", "sqrt(1 + ({a}) * ({a}))"]).format(a=text)
        if self.d["functions"] and self.chance(0.15):
            return f"f({text}, {self.weight(size)})"
        form = self.r.choice(WRAPS)
        pair = self.weight(2) if "{pair}" in form else ""
        parts = form.split("{w}")
        out = parts[0]
        for part in parts[1:]:
            out += self.weight(size) + part
        return out.format(a=text, k=size, pair=pair)

    def bias(self, size):
        return self.weight(size) if size else self.weight()
