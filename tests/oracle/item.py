"""One example of a batch, evaluated alone: values, copies of weights, likelihoods, loss (R3-R4, R8, R12-R14)."""
import numpy as np
import torch

from functions import ABSENT, Expression, broadcast

F64 = torch.float64


class Item:
    """One example: its lengths, its data, and the values computed so far."""

    def __init__(self, model, number):
        self.model, self.flat, self.number = model, model.flat, number
        self.lengths = model.lengths_of(number)
        self.nodes, self.copies, self.shares, self.total = {}, {}, {}, None

    def inside(self, letters, place):
        return all(1 <= p <= self.lengths[str(self.flat.index[a])] for a, p in zip(letters, place))

    def is_position(self, name):
        return self.flat.inputs.get(name, (0, ()))[1][:1] == ("position",)

    def is_category(self, name):
        return name in self.model.categories

    def datum(self, name, place):
        """What the tensor holds for this item at a position inside, or None."""
        tensor = self.model.inputs.get(name)
        return None if tensor is None else tensor[tuple(p - 1 for p in place) + (self.number,)]

    def value(self, name, place):
        """The node of a variable, input or random variable at a position (R3, R4)."""
        key = (name, place)
        if key not in self.nodes:
            value = self.compute(name, place)
            if value is not ABSENT and not isinstance(value, int):
                value = value.clone() if value.requires_grad else value.clone().requires_grad_()
            self.nodes[key] = value
        return self.nodes[key]

    def compute(self, name, place):
        shape = self.model.shapes[name]
        if name in self.flat.inputs:
            if not self.inside(self.flat.inputs[name][0], place):
                return ABSENT if self.is_category(name) else torch.zeros(shape, dtype=F64)
            return self.data_value(name, place, shape)
        eq, env = self.match(name, place)
        if eq is None:
            return ABSENT if self.is_category(name) else torch.zeros(shape, dtype=F64)
        if eq.random:
            return self.data_value(name, place, shape)
        return broadcast(Expression(self, env, eq, place)(eq.expr), shape)

    def data_value(self, name, place, shape):
        datum = self.datum(name, place)
        if datum is None:
            datum = self.implied(name, place)
        if self.is_category(name):
            return int(datum)
        return torch.tensor(np.array(datum, dtype=float)).reshape(shape)

    def implied(self, name, place):
        """A length drawn first, and the stop variable of `ends`, follow from the lengths (R14)."""
        if name in self.lengths:
            return self.lengths[name]
        for letter, test in self.flat.ends.items():
            if test[0] == "bin" and test[1] == "==" and test[2][:2] == ("ref", name):
                at = self.flat.axes[name].index(letter)
                return float(place[at] == self.lengths[str(self.flat.index[letter])])
        raise KeyError("no tensor " + name)

    def match(self, name, place):
        """The equation that defines a position: of those that match the one with most fixed positions."""
        best = None
        for eq in self.flat.equations:
            if eq.name != name:
                continue
            env, fixed, fits = {}, 0, True
            for p, left, axis in zip(place, eq.positions, self.flat.axes[name]):
                if left.letter:
                    env[left.letter] = p
                    fits = fits and self.inside([axis], [p])
                else:
                    fixed += 1
                    fits = fits and p == left.value({}, self.lengths)
            if fits and (best is None or fixed > best[2]):
                best = (eq, env, fixed)
        return best[:2] if best else (None, {})

    def copy(self, name, eq, place, position):
        """The copy of a weight at a left side's position, and the share of one equation in it (R8)."""
        axes, shape = self.flat.weights[name]
        if not self.inside(axes, position):  # of an untied weight: zero there (R4)
            return torch.zeros(shape, dtype=F64)
        key = (name, tuple(position), self.written(eq, place) if eq else ())
        if key not in self.copies:
            self.copies[key] = self.model.weights[name][tuple(p - 1 for p in position)] + 0
        share = key + (eq.name if eq else "loss",)
        if share not in self.shares:
            self.shares[share] = self.copies[key] + 0
        return self.shares[share]

    def written(self, eq, place):
        """The left side's position as it names a copy: numbers, and 'tau+1' where that is written and
        tau is the item's own; where the length is the same for every item it is a number like any other."""
        def name(axis, p, at):
            own = p.times and not str(self.flat.index[axis]).isdigit()
            return (axis, f"tau{p.offset:+d}" if own else str(at))
        return tuple(map(name, self.flat.axes[eq.name], eq.positions, place))

    def nll(self, name, place):
        key = ("nll:" + name, place)
        if key not in self.nodes:
            eq, env = self.match(name, place)
            target = self.value(name, place)
            node = Expression(self, env, eq, place).likelihood(eq.expr, target, self.model.shapes[name])
            self.nodes[key] = node + 0
        return self.nodes[key]

    def places(self, letters):
        """Every position inside, for these axes."""
        found = [()]
        for a in letters:
            found = [p + (q,) for p in found
                     for q in range(1, self.lengths[str(self.flat.index[a])] + 1)]
        return found

    def defined_places(self, name):
        """Positions inside, and those outside that have an equation of their own."""
        found = self.places(self.flat.axes[name])
        for eq in self.flat.equations:
            if eq.name == name and eq.positions and not any(p.letter for p in eq.positions):
                place = tuple(p.value({}, self.lengths) for p in eq.positions)
                found += [place] if place not in found else []
        return [p for p in found if self.match(name, p)[0] is not None]

    def loss(self):
        total = torch.zeros((), dtype=F64, requires_grad=True) + 0
        if self.flat.loss is not None:
            for term in self.flat.loss:
                total = total + Expression(self, {}, None, ()).free_sum(term)
            return total
        for name in sorted({eq.name for eq in self.flat.equations if eq.random}):
            for place in self.defined_places(name):
                total = total + self.nll(name, place)
        return total

    def objective(self):
        """The loss, or sum(cotangent * value) where cotangents are given (R13)."""
        given = [k for k in self.model.inputs if k.startswith("cotangent:")]
        if not given:
            return self.loss()
        total = torch.zeros((), dtype=F64, requires_grad=True) + 0
        for key in given:
            name = key.split(":", 1)[1]
            for place in self.places(self.flat.axes[name]):
                if self.model.per_example(name):
                    c = self.datum(key, place)
                elif self.number == 0:
                    c = self.model.inputs[key]
                else:
                    continue
                value = self.value(name, place)
                total = total + (torch.tensor(np.array(c)).reshape(value.shape) * value).sum()
        return total
