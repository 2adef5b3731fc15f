#!/usr/bin/python3
"""make_cases.py graphs|written|torch|random OUT [--seed S] [--count N]: cases with what the oracle expects.

graphs: every definition of graphs/; written: the hard ones of written/ beside this file; torch: PyTorch's
RNN, LSTM and GRU for `define`; random: definitions drawn from the seed. run_cases.py runs the folders. Needs torch.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
GRAPHS = os.path.join(HERE, "..", "..", "graphs")
SMALL = {"char_lm": {"v": 5, "m": 3}}
NO_EMPTY = {"attention": ["tau"]}  # an empty source leaves a mean over nothing: 0 / 0


def folder_cases(out, seed, prefix, folder):
    from case_files import write_case
    for name in sorted(os.listdir(folder)):
        name = name.removesuffix(".json")
        made = write_case(os.path.join(out, prefix + name), os.path.join(folder, name + ".json"), GRAPHS, seed,
                          allow_empty=NO_EMPTY.get(name, True), sizes=SMALL.get(name))
        print(("made " if made else "NOT FINITE ") + name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["graphs", "written", "torch", "random"])
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    args = parser.parse_args()
    sys.setrecursionlimit(100000)
    if args.kind == "graphs":
        folder_cases(args.out, args.seed, "graph_", GRAPHS)
    elif args.kind == "written":
        folder_cases(args.out, args.seed, "written_", os.path.join(HERE, "written"))
    elif args.kind == "torch":
        from case_torch import torch_cases
        torch_cases(args.out, args.seed)
    else:
        from case_random import random_cases
        random_cases(args.out, args.seed, args.count, GRAPHS)


main()
