"""Random definitions from a seed: one or two indices, offsets -3..3, both directions, fixed positions,
reductions, convolutions, random variables, untied weights, functions, imports of shipped and random cells."""
import json
import os
import re
import shutil

from case_files import write_case
from random_terms import Terms

CELLS = {"rnn": ["h"], "lstm": ["h", "c"], "gru": ["h"], "driven": ["h"], "tied_bidirectional": ["u"]}


class Writer(Terms):
    """Builds one definition as text; every name it declares is used."""

    # ---- groups ---------------------------------------------------------------------------------

    def settled(self):
        """A variable that depends on earlier ones only."""
        letters = list(self.index)
        axes = [a for a in letters if self.chance(0.6)]
        size = self.r.choice(["m", "m", "k", ""])
        name = self.fresh("v")
        terms = [self.bias(size)] + [self.term(axes, size) for _ in range(self.r.randint(1, 2))]
        self.d["equations"].append(f"{self.written(name, axes)} = "
                                   + self.wrap(" + ".join(terms) + self.numbers(axes), size))
        self.known.append((name, axes, size))

    def recurrent(self):
        """Variables that wait for each other in one order: the letters in turn, each with its own direction."""
        letters = list(self.index)
        axes = [a for a in letters if self.chance(0.75)] or [letters[0]]
        order = self.r.sample(axes, len(axes))
        sign = {a: self.r.choice([-1, -1, 1]) for a in axes}
        members = [(self.fresh("h"), self.r.choice(["m", "m", "k", ""])) for _ in range(self.r.randint(1, 2))]
        draw = self.draw_of(members) if self.chance(0.4) and not self.is_cell else None
        for i, (name, size) in enumerate(members):
            terms = [self.bias(size)]
            for _ in range(self.r.randint(1, 2)):
                other, kind = self.r.choice(members + ([draw[:2]] if draw else []))
                earlier = [n for n, _ in members[:i]]
                terms.append(self.vector(self.before(other, axes, order, sign, other in earlier), kind, size))
            terms += [self.term(axes, size) for _ in range(self.r.randint(0, 2)) if self.known]
            if self.chance(0.15) and size:
                terms.append(f"{self.untied(axes, size)}")
            self.d["equations"].append(f"{self.written(name, axes)} = "
                                       + self.wrap(" + ".join(terms) + self.numbers(axes), size))
            self.boundary(name, axes, size)
        if draw:
            self.d["equations"].append(f"{self.written(draw[0], axes)} ~ "
                                       + draw[2].replace("@@", f"[{','.join(axes)}]"))
            self.known.append((draw[0], axes, draw[1]))
        self.known += [(name, axes, size) for name, size in members]

    def before(self, name, axes, order, sign, settled_here):
        """A reference inside the group: the first letter in order that moves goes against its direction."""
        moves = {a: 0 for a in axes}
        lead = self.r.randrange(len(order) + (1 if settled_here else 0))
        for at, a in enumerate(order):
            if at == lead:
                moves[a] = sign[a] * self.r.choice([1, 1, 1, 2, 3])
            elif at > lead:
                moves[a] = self.offset()
        return self.written(name, [self.step(a, moves[a]) for a in axes])

    def draw_of(self, members):
        """(name, kind, distribution) of a random variable fed by a member; @@ stands for the position."""
        name, (source, size) = self.fresh("y"), self.r.choice(members)
        read = source + "@@"
        forms = [(size, f"normal(mean = {read}, std = 0.5 + sigmoid({read}))"),
                 (size, f"bernoulli(logits = {read})"), (size, f"bernoulli(p = sigmoid({read}))"),
                 ("", f"normal(mean = {self.vector(read, size, '')}, std = 0.7)")]
        if size:
            forms += [(("category", size), f"categorical(logits = {read})"),
                      (("category", size), f"categorical(p = softmax({read}))")]
        kind, form = self.r.choice(forms)
        return name, kind, form

    def ends_of(self, letter):
        """The end as a left side may write it. Of a fixed length a number says the same, with one name."""
        length = self.length(letter)
        return ["3"] if isinstance(length, int) or length in self.d["sizes"] else ["last", "last+1", f"{length}+1"]

    def boundary(self, name, axes, size):
        """An equation at a fixed position, inside or outside."""
        if not self.chance(0.45):
            return
        at = self.r.randrange(len(axes))
        spot = self.r.choice(["0", "0", "-1", "1", "2"] + self.ends_of(axes[at]))
        spots = [spot if i == at else a for i, a in enumerate(axes)]
        left = [a for i, a in enumerate(axes) if i != at]
        right = self.bias(size)
        if self.chance(0.5) and self.known:
            right += " + " + self.term(left, size)
        self.d["equations"].append(f"{self.written(name, spots)} = {right}")

    def cell(self, folder):
        """An imported cell, shipped or random, perhaps reversed, perhaps with shared weights."""
        letter = self.r.choice(list(self.index))
        readable = [(n, a, k) for n, a, k in self.known if a == [letter] and k and not isinstance(k, tuple)]
        if not readable or self.length(letter) == "n":
            return
        name, _, kind = self.r.choice(readable)
        prefix, source = self.fresh("c"), self.r.choice(list(CELLS) + ["random", "random"])
        spec, outputs = {"from": source}, CELLS.get(source)
        if source == "random":
            inner = Writer(self.r.random(), cell=True)
            outputs = inner.finish_cell()
            spec["from"] = inner.d["name"] = self.fresh("cell")
            self.cells.append(inner.d)
        spec["sizes"] = {"n": kind, "m": "m"}
        if letter != "t":
            spec["index"] = {"t": letter}
        expr = self.written(name, [self.step(letter, self.offset())])
        spec["inputs"] = {"x[t]": expr if self.chance(0.6) else f"tanh({self.weight(kind)} * {expr})"}
        if source in ("rnn", "driven", "tied_bidirectional") and self.chance(0.6):
            spec["weights"] = {"W": self.weight("m", "m"), "b": self.weight("m")}
        if self.chance(0.5):
            spec["reverse"] = ["t"]
        self.d["imports"][prefix] = spec
        for out in outputs:
            size = {"u": None}.get(out, "m")
            if size:
                self.known.append((f"{prefix}.{out}", [letter], size))
            else:
                self.d["sizes"].setdefault("mm", 2 * self.d["sizes"]["m"])
                self.known.append((f"{prefix}.{out}", [letter], "mm"))
        # what is read decides what is taken, and weights bound to an untaken cell would be unused
        prior, self.known = self.known, [k for k in self.known if k[0].startswith(prefix + ".")]
        name = self.fresh("v")
        self.d["equations"].append(f"{name}[{letter}] = tanh({self.bias('m')} + {self.term([letter], 'm')})")
        self.known = prior + [(name, [letter], "m")]

    def matrix(self):
        """A state of rank 2, written by outer products and read by products (a fast weight)."""
        letter = self.r.choice(list(self.index))
        name, out, step = self.fresh("h"), self.fresh("v"), self.r.choice([-1, -1, 1, 2])
        column = f"reshape({self.wrap(self.bias('m') + ' + ' + self.term([letter], 'm'), 'm')}, m, 1)"
        row = f"reshape({self.bias('k')} + {self.term([letter], 'k')}, 1, k)"
        state = f"{name}[{self.step(letter, step)}]"
        keep = self.r.choice([state, f"softmax({state})", f"transpose(transpose({state}) @ {self.weight('m', 'm')})",
                              f"concat(slice({state}, 1, m), slice({state}, 0, 1))", f"{state} * {self.weight('k')}",
                              f"{self.weight('m', 'm')} @ {state}", f"({state} - mean({state})) * sum({self.weight('m')})",
                              f"log_softmax({state} + {self.weight('m', 'k')})", f"{state} @ {self.weight('k', 'k')}",
                              f"layer_norm({state} + {self.weight('m', 'k')}, {self.weight('k')}, {self.weight('k')})"])
        self.d["equations"].append(f"{name}[{letter}] = 0.5 * {keep} + {column} "
                                   + self.r.choice([f"@ {row}", f"* {row}", f"* ({row} * 0.7)"]))
        if self.chance(0.4):
            at = self.r.choice(["0", "1"] + self.ends_of(letter)[-1:])
            self.d["equations"].append(f"{name}[{at}] = {self.r.choice([self.weight('m', 'k'), 'ones(m, k)', '0.5'])}")
        read = f"{name}[{self.step(letter, self.offset())}]"
        self.d["equations"].append(f"{out}[{letter}] = " + self.r.choice(
            [f"tanh({read} @ {self.weight('k')})", f"tanh({self.weight('m')} @ {read}) @ {self.weight('k', 'm')}",
             f"tanh(reshape({read}, m * k) @ {self.weight('m*k', 'm')})"]))
        self.known.append((out, [letter], "m"))

    def ending(self):
        """How the sequence ends: a stop variable, or a length drawn first and counted down."""
        if self.index.get("t") != "tau" or list(self.index.values()).count("tau") > 1:
            return
        if self.chance(0.5):
            name = self.fresh("y")
            self.d["equations"].append(f"{name}[t] ~ bernoulli(logits = {self.bias('')} + {self.term(['t'], '')})")
            self.d["ends"] = {"t": f"{name}[t] == 1"}
        else:
            self.d["equations"].append(f"tau ~ categorical(logits = {self.weight(9, new=True)})")

    # ---- whole definitions ------------------------------------------------------------------------

    def finish_cell(self):
        """A cell with input x[t] [n] and outputs of size m; returns its outputs."""
        self.d["sizes"].pop("k")
        self.d["inputs"]["x[t]"] = ["n"]
        self.known.append(("x", ["t"], "n"))
        base = self.r.choice(["tanh({b} + {W} @ h[t-{d}] + {U} @ x[t])", "tanh({b} + {W} @ h[t-{d}] + {U} @ x[t-1])",
                              "h[t-{d}] * sigmoid({b} + {U} @ x[t+1]) + {W} @ h[t-2] * 0.3 + 0.1 * t",
                              "tanh({b} + {W} @ h[t-{d}] + conv[t]({K}, x[t-2]))",
                              "tanh({b} + {W} @ h[t-{d}] + {U} @ x[t] + {U} @ mean[t](x[t]))"])
        text = base.format(b=self.weight("m"), W=self.weight("m", "m"), d=self.r.randint(1, 3),
                           U=self.weight("m", "n") if "{U}" in base else "",
                           K=self.weight(2, "m", "n") if "{K}" in base else "")
        self.d["equations"].append("h[t] = " + text)
        if self.chance(0.7):
            left = self.r.choice(["h[0]", "h[1]", "h[2]", "h[-1]", "h[last]", "h[tau+1]"])
            right = self.r.choice([self.weight("m"), f"{self.weight('m', 'n')} @ x[{self.fixed('t')}]"])
            self.d["equations"].append(f"{left} = {right}")
        self.d["equations"].append(f"g[t] = tanh({self.weight('m', 'm')} @ h[{self.r.choice(['t', 't+1', 'last', '1', 'tau-1'])}]"
                                   f" + {self.weight('m')})")
        self.clean()
        return ["h", "g"]

    def finish(self, folder):
        for _ in range(self.r.randint(1, 2)):
            axes = [a for a in self.index if self.chance(0.8)]
            kind = self.r.choice(["n", "n", "m", "", ("category", "k")])
            name = self.fresh("x")
            self.d["inputs"][self.written(name, axes)] = (
                f"category({kind[1]})" if isinstance(kind, tuple) else [kind] if kind else [])
            self.known.append((name, axes, kind))
        if self.chance(0.3):
            self.d["functions"].append(f"f(a, b) = tanh(a) * b + sigmoid(a - {self.r.choice(['0.3', 'b'])})")
        groups = [self.recurrent, self.recurrent, self.settled, self.matrix, lambda: self.cell(folder)]
        self.recurrent()
        for _ in range(self.r.randint(1, 3)):
            self.r.choice(groups)()
        if self.chance(0.12):
            self.ending()
        self.use_everything()
        self.losses()
        self.clean()

    def use_everything(self):
        """One last variable reads what nothing has read."""
        text = " ".join(self.d["equations"]) + json.dumps(self.d["imports"])
        for name, axes, kind in list(self.known):
            if name.startswith("x") and name not in text:
                self.known = [(name, axes, kind)]
                v = self.fresh("v")
                self.d["equations"].append(f"{self.written(v, axes)} = tanh({self.bias('m')} + "
                                           f"{self.vector(self.written(name, axes), kind, 'm')})")

    def losses(self):
        heads = [(n, a, k) for n, a, k in self.known if not isinstance(k, tuple) and n[0] in "hv"]
        draws = [(n, a) for n, a, _ in self.known if n.startswith("y")]
        if not heads or self.chance(0.6):
            return
        for name, axes, kind in self.r.sample(heads, min(len(heads), self.r.randint(1, 2))):
            at = self.written(name, axes if self.chance(0.7) else self.place(axes, []))
            self.d["loss"].append(self.r.choice([f"sum({at} * {at})", f"0.5 * sum(tanh({at}))"]))
        if draws:
            name, axes = self.r.choice(draws)
            self.d["loss"].append(f"0.7 * nll({self.written(name, axes)})")
        if self.shapes and self.chance(0.3):
            w = self.r.choice(sorted(self.shapes))
            self.d["loss"].append(f"0.01 * sum({w} * {w})")

    def clean(self):
        for key in ("functions", "imports", "loss", "inputs"):
            if not self.d[key]:
                del self.d[key]
        text = " ".join(self.d["equations"] + self.d.get("loss", []) + self.d.get("functions", []))
        text += json.dumps(self.d.get("imports", {}))
        for key in list(self.d["weights"]):
            if not re.search(rf"\b{key.split('[')[0]}\b", text):
                del self.d["weights"][key]


def random_cases(out, seed, count, graphs):
    """Makes `count` cases; a draw whose values are not finite is drawn again with the next number."""
    number = made = 0
    while made < count:
        name = f"random_{seed}_{number}"
        number += 1
        folder = os.path.join(out, name)
        os.makedirs(folder, exist_ok=True)
        writer = Writer(f"{seed}/{number}")
        writer.finish(folder)
        for d in [{"name": name, **writer.d}] + writer.cells:
            path = os.path.join(folder, "def.json" if d["name"] == name else d["name"] + ".json")
            json.dump(d, open(path, "w"), indent=1)
        if write_case(folder, os.path.join(folder, "def.json"), graphs, number):
            made += 1
        else:
            shutil.rmtree(folder)
    print(f"made {made} random definitions")
