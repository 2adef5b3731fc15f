"""The meaning of an expression for one example (rules R4, R9, R10, R12) in torch float64."""
import math

import numpy as np
import torch

F64 = torch.float64
ABSENT = object()  # a category outside 1..tau


def broadcast(value, shape):
    return value.broadcast_to(tuple(shape))


def number(x):
    return torch.tensor(float(x), dtype=F64)


def first_max(a):
    """Along axis 0, the first of equals."""
    at = torch.tensor(np.argmax(a.detach().numpy(), axis=0))
    return torch.gather(a, 0, at.unsqueeze(0)).squeeze(0)


def matmul(a, b):
    return torch.matmul(a, b)


def layer_norm(a, g, b):
    mean = a.mean(-1, keepdim=True)
    var = ((a - mean) ** 2).mean(-1, keepdim=True)
    return (a - mean) / torch.sqrt(var + 1e-5) * g + b


ELEMENTWISE = {
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "exp": torch.exp,
    "log": torch.log, "sqrt": torch.sqrt, "abs": torch.abs,
    "softmax": lambda a: torch.softmax(a, -1), "log_softmax": lambda a: torch.log_softmax(a, -1),
    "layer_norm": layer_norm, "clamp": lambda a, lo, hi: torch.minimum(torch.maximum(a, lo), hi),
    "min": lambda a, b: torch.where(a <= b, a, b), "pow": torch.pow,
    "where": lambda c, a, b: torch.where(c != 0, a, b),
    "transpose": lambda a: a.T, "stop_gradient": lambda a: a.detach(),
    "concat": lambda *a: torch.cat(a, 0), "stack": lambda *a: torch.stack(a, 0),
    "dropout": lambda a, p: a,  # active in training only
}
ARITHMETIC = {"+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "@": matmul}
COMPARE = {"==": torch.eq, "!=": torch.ne, "<": torch.lt, "<=": torch.le, ">": torch.gt, ">=": torch.ge}


class Expression:
    """Evaluates expressions of equation `eq` at the left-side position `place`, with `env` its letters."""

    def __init__(self, item, env, eq, place):
        self.item, self.env, self.eq, self.place = item, dict(env), eq, place
        self.moving = []  # of grad(e, v): what a mention of v reads instead

    def __call__(self, e):
        for mention, value in self.moving:
            if e == mention:
                return value
        return getattr(self, "do_" + e[0])(e)

    def do_num(self, e):
        return number(e[1])

    def do_index(self, e):
        return number(e[1].value(self.env, self.item.lengths))

    def do_length(self, e):
        return number(self.item.lengths[e[1]])

    def positions(self, e):
        return tuple(p.value(self.env, self.item.lengths, self.item) for p in e[2])

    def do_ref(self, e):
        value = self.item.value(e[1], self.positions(e))
        return value.detach() if self.item.is_position(e[1]) else value

    def do_weight(self, e):
        return self.item.copy(e[1], self.eq, self.place, self.positions(e))

    def do_neg(self, e):
        return -self(e[1])

    def do_bin(self, e):
        a, b = self(e[2]), self(e[3])
        if e[1] in ARITHMETIC:
            return ARITHMETIC[e[1]](a, b)
        if a is ABSENT or b is ABSENT:
            assert e[1] == "=="
            return number(0)
        a, b = (x if torch.is_tensor(x) else number(x) for x in (a, b))
        return COMPARE[e[1]](a, b).to(F64)

    def constant(self, e):
        return int(round(float(self(e))))

    def do_call(self, e):
        _, name, args, binders, _ = e
        if name == "conv":
            return self.conv(args[0], args[1], binders)
        if name in ("sum", "mean", "max"):
            return self.over(name, args[0], binders) if binders else self.elements(name, self(args[0]))
        if name == "grad":
            return self.grad(args[0], args[1])
        if name == "nll":
            kind = args[0]
            return self.item.nll(kind[1], self.positions(kind) if kind[0] == "ref" else ())
        if name == "embed":
            table, category = self(args[0]), self(args[1])
            return torch.zeros_like(table[0]) if category is ABSENT else table[int(category)]
        if name == "one_hot":
            category, out = self(args[0]), torch.zeros(self.constant(args[1]), dtype=F64)
            if category is not ABSENT:
                out[int(category)] = 1
            return out
        if name in ("zeros", "ones"):
            return getattr(torch, name)([self.constant(a) for a in args], dtype=F64)
        if name == "slice":
            return self(args[0])[self.constant(args[1]):self.constant(args[2])]
        if name == "reshape":
            return self(args[0]).reshape([self.constant(a) for a in args[1:]])
        return ELEMENTWISE[name](*[self(a) for a in args])

    def within(self, setting, moving):
        inner = Expression(self.item, {**self.env, **setting}, self.eq, self.place)
        inner.moving = moving
        return inner

    def grad(self, e, v):
        """The partial derivative of a number by the mentions of v in it, all else constant (R18)."""
        x = self(v) * 1
        y = self.within({}, self.moving + [(v, x)])(e)
        flow = torch.autograd.grad(y, x, create_graph=True, allow_unused=True)[0] if y.requires_grad else None
        return torch.zeros_like(x) if flow is None else flow

    def elements(self, name, a):
        a = a.reshape(-1)
        if not a.numel():
            return number(0)
        return first_max(a) if name == "max" else getattr(a, name)()

    def spans(self, letters):
        """All settings of the bound letters, each over 1..its own length."""
        settings = [{}]
        for a in letters:
            length = self.item.lengths[str(self.item.flat.index[a])]
            settings = [{**s, a: p} for s in settings for p in range(1, length + 1)]
        return settings

    def over(self, name, body, binders):
        """sum[t](e), mean[t](e), max[t](e), element by element."""
        values = []
        for setting in self.spans([a for a, _ in binders]):
            # under a reduction over one of its letters a mention is another position
            moving = [m for m in self.moving if not any(p.letters() & set(setting) for p in m[0][2])]
            values.append(self.within(setting, moving)(body))
        if not values:
            return torch.zeros(self.item.model.shapes.of(body), dtype=F64)
        a = torch.stack(values, 0)
        return first_max(a) if name == "max" else getattr(a, name)(0)

    def conv(self, kernel, body, binders):
        """sum over taps d of K[d] @ e, e read d further along the bound indices."""
        k = self(kernel)
        total = 0
        for tap in np.ndindex(*k.shape[:len(binders)]):
            env = dict(self.env)
            for (letter, sign), d in zip(binders, tap):
                env[letter] += sign * d
            total = total + matmul(k[tap], self.within(env, self.moving)(body))
        return total

    def free_sum(self, term):
        """A loss term, summed over its free indices and its elements (R13)."""
        total = number(0)
        for setting in self.spans(sorted(free_letters(term))):
            total = total + Expression(self.item, setting, None, ())(term).sum()
        return total

    def likelihood(self, expr, target, shape):
        """-log p(target), summed over elements (R12)."""
        _, kind, _, _, named = expr
        given = {k: self(a) for k, a in named.items()}
        if kind == "categorical":
            logp = torch.log_softmax(given["logits"], -1) if "logits" in given else given["p"].log()
            return -logp[int(target)]
        if kind == "bernoulli" and "logits" in given:
            z = given["logits"]
            return (torch.nn.functional.softplus(z, threshold=1e9) - target * z).sum()
        if kind == "bernoulli":
            p = given["p"]
            return -torch.where(target == 1, p.log(), (1 - p).log()).sum()
        z = (target - given["mean"]) / given["std"]
        return broadcast(0.5 * z * z + given["std"].log() + 0.5 * math.log(2 * math.pi), shape).sum()


def free_letters(e, bound=()):
    """Index letters of an expression that no reduction binds."""
    kind = e[0]
    if kind == "index":
        return {e[1].letter} - {None} - set(bound)
    if kind in ("ref", "weight"):
        return set().union(*(p.letters() for p in e[2])) - set(bound)
    if kind == "bin":
        return free_letters(e[2], bound) | free_letters(e[3], bound)
    if kind == "neg":
        return free_letters(e[1], bound)
    if kind == "call":
        inner = tuple(bound) + (tuple(a for a, _ in e[3]) if e[1] != "conv" else ())
        parts = [free_letters(a, inner) for a in e[2] + list(e[4].values())]
        return set().union(*parts) if parts else set()
    return set()
