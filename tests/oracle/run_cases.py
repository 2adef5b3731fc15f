#!/usr/bin/python3
"""run_cases.py EXE FOLDER [case ...]: runs every case of a folder through `EXE define` and `EXE run`.

A case is a folder with case.json ("define": arguments or null, "fetch", "tol", "dtype"), def.json where
nothing is defined, weights, inputs and expect (safetensors). With --oracle instead of EXE the evaluator
beside this file is asked, which needs torch. Prints the worst error of each case; exit 1 on disagreement.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

import tensors


def program(exe, case, folder, tmp):
    """What the program answers, by name."""
    definition = os.path.join(folder, "def.json")
    if case.get("define"):
        made = subprocess.run([exe, "define"] + case["define"], capture_output=True, text=True, timeout=60)
        if made.returncode:
            raise RuntimeError("define: " + made.stderr.strip()[-300:])
        definition = os.path.join(tmp, "def.json")
        open(definition, "w").write(made.stdout)
    if exe == "--oracle":
        from evaluate import evaluate
        return evaluate(definition, tensors.load(folder + "/weights.safetensors"),
                        tensors.load(folder + "/inputs.safetensors"), case["fetch"])
    out = os.path.join(tmp, "out.safetensors")
    run = subprocess.run([exe, "run", definition, "--weights", folder + "/weights.safetensors", "--inputs",
                          folder + "/inputs.safetensors", "--fetch", ",".join(case["fetch"]), "--dtype",
                          case.get("dtype", "f64"), "-o", out], capture_output=True, text=True, timeout=300)
    if run.returncode:
        raise RuntimeError(f"run: exit {run.returncode}: " + run.stderr.strip()[-400:])
    return tensors.load(out)


def worst_error(got, want):
    """The largest |got - want| / max(1, largest |want|) of any tensor, and where."""
    worst = (0.0, "-")
    for name, expected in want.items():
        if name not in got:
            raise RuntimeError("no tensor " + name)
        value = np.atleast_1d(got[name])
        if value.shape != expected.shape:
            raise RuntimeError(f"{name}: shape {list(value.shape)}, want {list(expected.shape)}")
        if expected.size:
            error = float(np.max(np.abs(value - expected)) / max(1.0, float(np.max(np.abs(expected)))))
            if not error <= worst[0]:
                worst = (error, name)
    return worst


def main():
    exe, root = sys.argv[1:3]
    exe = exe if exe.startswith("-") else os.path.abspath(exe)
    names = sys.argv[3:] or sorted(n for n in os.listdir(root) if os.path.exists(f"{root}/{n}/case.json"))
    agreed = 0
    for name in names:
        folder = os.path.join(root, name)
        case = json.load(open(folder + "/case.json"))
        if exe == "--oracle" and case.get("define"):
            agreed += 1  # PyTorch made these; there is no definition to evaluate
            continue
        try:
            with tempfile.TemporaryDirectory() as tmp:
                want = tensors.load(folder + "/expect.safetensors")
                error, where = worst_error(program(exe, case, folder, tmp), want)
            good = error <= case.get("tol", 1e-9)
            agreed += good
            print(f"{'ok  ' if good else 'BAD '} {name}: worst {error:.2e} at {where} ({len(want)} tensors)")
        except Exception as problem:  # one bad case must not hide the others
            print(f"BAD  {name}: {type(problem).__name__}: {problem}")
    print(f"{agreed} of {len(names)} cases agree")
    sys.exit(0 if agreed == len(names) else 1)


main()
