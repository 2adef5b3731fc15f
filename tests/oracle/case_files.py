"""Writing one case: random weights, inputs and ragged lengths for a definition, and what the oracle says."""
import json
import os
import shutil

import numpy as np

import tensors
from evaluate import Model, evaluate
from expand import find, load
from shapes import infer_shapes
from language import walk

BATCH = 3
STEPS = {"tau": 4, "n_src": 3, "rows": 3, "cols": 4, "words": 3, "letters": 4}


def mentions(flat):
    """weight -> list of (equation or None for the loss)."""
    found = {name: [] for name in flat.weights}
    for eq in flat.equations:
        for e in walk(eq.expr):
            if e[0] == "weight" and eq not in found[e[1]]:
                found[e[1]].append(eq)
    for term in flat.loss or []:
        for e in walk(term):
            if e[0] == "weight":
                found[e[1]].append(None)
    return found


def copy_names(flat, steps):
    """Names of some copies of every weight: the first positions, the last, and fixed ones."""
    names = []
    for weight, equations in mentions(flat).items():
        if None in equations:
            continue
        axes = {tuple(flat.axes[eq.name]) for eq in equations}
        for eq in equations:
            letters = flat.axes[eq.name]
            written = []
            for letter, p in zip(letters, eq.positions):
                length = str(flat.index[letter])
                if p.letter:
                    written.append(sorted({1, 2, steps[length]}))
                elif p.times:  # as written: "tau+1", "last"
                    written.append([(p.word or length) + (f"{p.offset:+d}" if p.offset else "")])
                else:
                    written.append([p.offset])
            spots = [[]]
            for options in written:
                spots = [s + [o] for s in spots for o in options]
            for spot in spots[:4]:
                parts = [str(o) if len(axes) == 1 else f"{a}={o}" for a, o in zip(letters, spot)]
                names.append(f"{weight}[{','.join(parts)}]")
    return list(dict.fromkeys(names))


def ragged(rng, steps, allow_empty):
    """One item of the full length, one empty where that is allowed, the rest between; any order."""
    lengths = [steps, 0 if allow_empty else 1] + [int(rng.integers(1, steps + 1)) for _ in range(BATCH - 2)]
    return np.array(rng.permutation(lengths), dtype=np.int64)


def random_inputs(rng, flat, allow_empty=True, given=()):
    """Inputs, observed variables and lengths by name."""
    inputs, steps = {}, {}
    names = sorted({str(n) for n in flat.index.values()})
    for name in names:
        steps[name] = int(name) if name.isdigit() else STEPS.get(name, 4)
    for name in [n for n in names if not n.isdigit() and not n.isidentifier()]:  # derived (R17)
        steps[name] = max(0, eval(name.replace("/", "//"), {}, {**flat.sizes, **{k: v for k, v in steps.items() if k.isidentifier()}}))
    free = [n for n in names if n.isidentifier()]
    for name in free:
        letter = next(a for a, n in flat.index.items() if str(n) == name)
        key = "lengths" if len(free) == 1 else "lengths:" + letter
        inputs[key] = ragged(rng, steps[name], allow_empty if isinstance(allow_empty, bool) else name in allow_empty)
    categories, shapes = infer_shapes(flat)
    random = {eq.name: eq for eq in flat.equations if eq.random}
    for name in list(flat.inputs) + sorted(random):
        letters = flat.inputs[name][0] if name in flat.inputs else flat.axes[name]
        if name in steps or (name in random and is_stop(flat, name) and name not in given):
            continue  # follows from the lengths
        full = tuple(steps[str(flat.index[a])] for a in letters) + (BATCH,) + tuple(shapes[name])
        if name in flat.inputs and flat.inputs[name][1][:1] == ("position",):
            inputs[name] = positions(rng, flat, name, full, steps, inputs)
        elif name in categories:
            inputs[name] = rng.integers(0, symbols(flat, shapes, name), size=full)
        elif name in random and random[name].expr[1] == "bernoulli":
            inputs[name] = rng.integers(0, 2, size=full).astype(float)
        else:
            inputs[name] = rng.normal(size=full)
    return inputs, steps


def positions(rng, flat, name, full, steps, inputs):
    """Positions before an item's own, or behind it; of another index anywhere. Nonsense past the item's end."""
    letters, (_, of, after) = flat.inputs[name]
    longest = steps[str(flat.index[of])]
    table = rng.integers(0, longest + 1, size=full)
    if of in letters:
        axis = letters.index(of)
        for t in range(full[axis]):
            at = tuple(t if a == axis else slice(None) for a in range(len(full)))
            table[at] = rng.integers(t + 2, longest + 3, size=table[at].shape) if after else rng.integers(0, t + 1, size=table[at].shape)
        key = "lengths" if "lengths" in inputs else next((k for k in inputs if k.startswith("lengths:") and flat.index[k[8:]] == flat.index[of]), None)
        for b in range(full[-1]) if key else []:
            at = [slice(None)] * len(full)
            at[axis], at[-1] = slice(int(inputs[key][b]), None), b
            table[tuple(at)] = 77
    return table


def is_stop(flat, name):
    return any(e[0] == "ref" and e[1] == name for test in flat.ends.values() for e in walk(test)
               ) and any(eq.name == name and eq.expr[1] == "bernoulli" for eq in flat.equations)


def symbols(flat, shapes, name):
    if name in flat.inputs:
        return flat.inputs[name][1][1]
    eq = next(eq for eq in flat.equations if eq.name == name)
    return shapes.of(next(iter(eq.expr[4].values())))[0]


def fetch_list(flat, model, steps, inputs):
    """Everything that can be asked: values, loss, gradients of weights, copies, inputs and variables."""
    random = {eq.name for eq in flat.equations if eq.random}
    real = [n for n in flat.axes if n not in random]
    cotangents = any(k.startswith("cotangent:") for k in inputs)
    fetch = list(real)
    if not cotangents:
        fetch += ["loss"] + ["nll:" + n for n in sorted(random) if n not in steps]
    fetch += ["grad:" + n for n in flat.weights]
    fetch += ["grad:" + n for n in copy_names(flat, steps)]
    numbers = [n for n in flat.inputs if n not in model.categories and flat.inputs[n][1][:1] != ("position",)]
    fetch += ["grad:" + n for n in numbers]
    fetch += ["grad:" + n for n in real]
    for name in real:
        if len(flat.axes[name]) == 1:
            fetch += [name + "[0]", f"grad:{name}[0]"]
    for weight, equations in mentions(flat).items():
        for eq in equations if len(equations) > 1 and None not in equations else []:
            if len(eq.positions) == 1 and eq.positions[0].letter and "." not in eq.name:
                named = len({tuple(flat.axes[q.name]) for q in equations}) > 1
                at = f"{eq.positions[0].letter}=2" if named else "2"
                fetch.append(f"grad:{weight}[{at}]@{eq.name}")
    return list(dict.fromkeys(fetch))


def copy_imports(raw, source, target, graphs):
    """The definitions that `raw` imports, and theirs, beside the case."""
    for spec in raw.get("imports", {}).values():
        path = find(spec["from"], source, graphs)
        if os.path.dirname(os.path.abspath(path)) != os.path.abspath(target):
            shutil.copy(path, target)
        copy_imports(json.load(open(path)), source, target, graphs)


def write_case(folder, path, graphs, seed, allow_empty=True, given=(), sizes=None):
    """A case for the definition at `path`; returns False where a value is not finite."""
    rng = np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, "def.json")
    raw = json.load(open(path))
    if sizes:
        raw["sizes"].update(sizes)
        json.dump(raw, open(target, "w"), indent=1)
    elif os.path.abspath(path) != os.path.abspath(target):
        shutil.copy(path, target)
    copy_imports(raw, os.path.dirname(path), folder, graphs)
    flat = load(target, graphs=graphs)
    inputs, steps = random_inputs(rng, flat, allow_empty, given)
    weights = {}
    for name, (letters, shape) in flat.weights.items():
        lead = tuple(steps[str(flat.index[a])] for a in letters)
        weights[name] = rng.normal(size=lead + tuple(shape)) * 0.6
    model = Model(flat, weights, inputs)
    if flat.loss is None and not any(eq.random for eq in flat.equations):
        add_cotangents(rng, flat, model, steps, inputs)
    fetch = fetch_list(flat, model, steps, inputs)
    expect = evaluate(target, weights, inputs, fetch, graphs=graphs)
    if not all(np.isfinite(v).all() for v in expect.values()):
        return False
    save_case(folder, {"define": None, "fetch": fetch, "tol": 1e-9, "dtype": "f64"}, weights, inputs, expect)
    return True


def add_cotangents(rng, flat, model, steps, inputs):
    """Random cotangents of the variables nothing else reads (or of all, in a closed loop)."""
    read = {e[1] for eq in flat.equations for e in walk(eq.expr) if e[0] == "ref" and e[1] != eq.name}
    ends = [n for n in flat.axes if n not in read] or list(flat.axes)
    for name in ends[:3]:
        lead = tuple(steps[str(flat.index[a])] for a in flat.axes[name])
        batch = (BATCH,) if model.per_example(name) else ()
        inputs["cotangent:" + name] = rng.normal(size=lead + batch + tuple(model.shapes[name]))


def save_case(folder, case, weights, inputs, expect):
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out)
        out.write("\n")
    for name, table in (("weights", weights), ("inputs", inputs), ("expect", expect)):
        tensors.save(os.path.join(folder, name + ".safetensors"), table)
