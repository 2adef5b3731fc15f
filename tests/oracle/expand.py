"""Definition files -> one flat definition: sizes, imports (R11), axes, `last`.

An imported cell's flat equations are mirrored (`reverse`), renamed and bound, and so become the outer's own.
"""
import json
import os
from dataclasses import replace

from language import Flat, Pos, Reader, rewrite, split_name, walk


def resolve_sizes(raw, given):
    """Own sizes under those given from outside; a size may be arithmetic over earlier ones."""
    sizes = {}
    for name, value in raw.get("sizes", {}).items():
        sizes[name] = given[name] if name in given else value
        if isinstance(sizes[name], str):
            sizes[name] = Reader({"sizes": {}}, sizes).number(sizes[name])
    return sizes


def find(name, folder, graphs):
    for place in (folder, graphs):
        path = os.path.join(place, name + ".json")
        if os.path.exists(path):
            return path
    raise FileNotFoundError(name)


def load(path, sizes=None, graphs=None):
    """Reads and expands a definition file, and keeps only what its own equations need (R11)."""
    here = os.path.dirname(os.path.abspath(__file__))
    flat, own = expand(path, sizes or {}, graphs or os.path.join(here, "..", "..", "graphs"))
    needed, stack = set(), list(own)
    for term in (flat.loss or []) + list(flat.ends.values()):
        stack += [e[1] for e in walk(term) if e[0] == "ref"]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            for eq in flat.equations:
                if eq.name == name:
                    stack += [e[1] for e in walk(eq.expr) if e[0] == "ref"]
    flat.equations = [eq for eq in flat.equations if eq.name in needed]
    flat.axes = {k: v for k, v in flat.axes.items() if k in needed}
    return flat


def expand(path, given, graphs):
    raw = json.load(open(path))
    sizes = resolve_sizes(raw, given)
    reader = Reader(raw, sizes)
    flat = Flat(index=dict(reader.index), sizes=sizes)
    for letter, length in flat.index.items():
        if length in sizes:
            flat.index[letter] = int(sizes[length])
    for key, spec in raw.get("inputs", {}).items():
        name, letters = split_name(key)
        if isinstance(spec, str) and spec.startswith("position("):
            flat.inputs[name] = (letters, ("position", spec[9:spec.index(")")], ">" in spec))
        elif isinstance(spec, str):
            flat.inputs[name] = (letters, ("category", int(reader.number(spec[len("category("):-1]))))
        else:
            flat.inputs[name] = (letters, reader.shape(spec))
    for key, spec in raw.get("weights", {}).items():
        name, letters = split_name(key)
        flat.weights[name] = (letters, reader.shape(spec))
    own = [reader.equation(text) for text in raw.get("equations", [])]
    flat.equations = list(own)
    if "loss" in raw:
        terms = raw["loss"] if isinstance(raw["loss"], list) else [raw["loss"]]
        flat.loss = [reader.expr(t) for t in terms]
    flat.ends = {k: reader.expr(v) for k, v in raw.get("ends", {}).items()}
    for prefix, spec in raw.get("imports", {}).items():
        take(flat, reader, prefix, spec, os.path.dirname(os.path.abspath(path)), graphs)
    set_axes(flat)
    resolve_last(flat)
    return flat, [eq.name for eq in own]


def set_axes(flat):
    """The axes of a variable are the letters of its left sides, the general one first."""
    for eq in flat.equations:
        letters = [p.letter for p in eq.positions]
        known = flat.axes.setdefault(eq.name, letters)
        flat.axes[eq.name] = [a or b for a, b in zip(known, letters)]


def resolve_last(flat):
    """Gives `last` the length of the axis it stands on."""
    def fixed(name, positions):
        table = flat.inputs.get(name) or flat.weights.get(name)
        letters = table[0] if table else flat.axes[name]
        return [replace(p, length=str(flat.index[a])) if p.length == "last" else p
                for p, a in zip(positions, letters)]

    def fix(e):
        if e[0] not in ("ref", "weight"):
            return e
        kind = "weight" if e[1] in flat.weights else "ref"
        return (kind, e[1], fixed(e[1], e[2]) if e[2] else [])

    for eq in flat.equations:
        eq.positions = fixed(eq.name, eq.positions)
        eq.expr = rewrite(eq.expr, fix)
    flat.loss = flat.loss and [rewrite(t, fix) for t in flat.loss]
    flat.ends = {k: rewrite(t, fix) for k, t in flat.ends.items()}


def take(outer, reader, prefix, spec, folder, graphs):
    sizes = dict(outer.sizes)
    sizes.update({k: reader.number(v) for k, v in spec.get("sizes", {}).items()})
    cell, _ = expand(find(spec["from"], folder, graphs), sizes, graphs)
    for letter in spec.get("reverse", []):
        mirror(cell, letter)
    letters = {a: spec.get("index", {}).get(a, a) for a in cell.index}
    lengths = {str(n): str(outer.index[letters[a]]) for a, n in cell.index.items()}
    inputs = {}
    for key, text in spec.get("inputs", {}).items():
        name, axes = split_name(key)
        inputs[name] = ([letters.get(a, a) for a in axes], reader.expr(text))
    shared = {k: reader.expr(v) for k, v in spec.get("weights", {}).items()}

    def position(p):
        return replace(p, letter=letters.get(p.letter), length=lengths.get(p.length, p.length))

    def rename(e):
        if e[0] == "index":
            return ("index", position(e[1]))
        if e[0] == "length":
            return number_of(lengths[e[1]])
        if e[0] == "call":
            return e[:3] + ([(letters[a], s) for a, s in e[3]], e[4])
        if e[0] in ("ref", "weight"):
            positions = [position(p) for p in e[2]]
            if e[1] in inputs:
                return substitute(inputs[e[1]][1], dict(zip(inputs[e[1]][0], positions)))
            if e[1] in shared:
                target = shared[e[1]]
                return (target[0], target[1], positions)
            return (e[0], prefix + "." + e[1], positions)
        return e

    for eq in cell.equations:
        eq.name = prefix + "." + eq.name
        eq.positions = [position(p) for p in eq.positions]
        eq.expr = rewrite(eq.expr, rename)
        outer.equations.append(eq)
    for name, axes in cell.axes.items():
        outer.axes[prefix + "." + name] = [letters.get(a) for a in axes]
    for table, target, skip in ((cell.inputs, outer.inputs, inputs),
                                (cell.weights, outer.weights, shared)):
        for name, (axes, shape) in table.items():
            if name not in skip:
                target[prefix + "." + name] = ([letters[a] for a in axes], shape)


def number_of(length):
    return ("num", float(length)) if length.isdigit() else ("length", length)


def substitute(expr, places):
    """The expression bound to an input, read at the given positions."""
    def fix(e):
        if e[0] == "index" and e[1].letter in places:
            return ("index", places[e[1].letter])
        if e[0] in ("ref", "weight"):
            return (e[0], e[1], [p.at(p.letter, places[p.letter]) if p.letter in places else p
                                 for p in e[2]])
        assert e[0] != "call" or not any(a in places for a, _ in e[3]), "binder in a bound input"
        return e
    return rewrite(expr, fix)


def mirror(cell, letter):
    """Runs the cell from the other end along `letter`: p becomes length + 1 - p everywhere."""
    length = str(cell.index[letter])
    flipped = Pos(letter, -1, length, 1, 1)

    def axes_of(name):
        table = cell.inputs.get(name) or cell.weights.get(name)
        return table[0] if table else cell.axes[name]

    def fix(e):
        if e[0] == "index":
            return ("index", e[1].at(letter, flipped))
        if e[0] in ("ref", "weight"):
            places = [p.at(letter, flipped) for p in e[2]]
            return (e[0], e[1], [p.mirrored(length) if a == letter else p
                                 for p, a in zip(places, axes_of(e[1]))])
        if e[0] == "call" and e[1] == "conv":
            return e[:3] + ([(a, -s if a == letter else s) for a, s in e[3]], e[4])
        return e

    for eq in cell.equations:
        eq.expr = rewrite(eq.expr, fix)
        eq.positions = [p.mirrored(length) if a == letter and p.letter is None else p
                        for p, a in zip(eq.positions, cell.axes[eq.name])]
