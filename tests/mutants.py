"""mutants.py SOURCE COMPILER: tools/mutants on a file with one of each change, and on tests that fail or do not.

Status 77, counted as skipped, without clang's module for Python."""
import os
import subprocess
import sys
import tempfile
import types

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(sys.argv[1], "tools"))
try:
    from mutation import campaign, changes, sites
except ModuleNotFoundError as missing:
    print("SKIPPED:", missing)
    sys.exit(77)

# a body of `int f(int a, int b)`, called with 7 and 3; what is changed, in order, and what the body gives then
BODIES = [
    ("return a < 7;", 0, [("<", 1), ("7", 1)]),
    ("return a <= 7;", 1, [("<=", 0), ("7", 1)]),
    ("return b > 2 && a == 1;", 0, [("&&", 1), (">", 0), ("2", 0), ("==", 1), ("1", 0)]),
    ("return a == b || a != b;", 1, [("||", 0), ("==", 1), ("!=", 0)]),
    ("return a + b * 2 - 1;", 12, [("-", 14), ("+", 0), ("*", 7), ("2", 15), ("1", 11)]),
    ("return a % b + (a << 1) + a / b;", 17, [("+", 13), ("+", -11), ("%", 18), ("<<", 6), ("1", 31), ("/", 36)]),
    ("return -a;", -7, [("-", 7)]),
    ("return !a ? 4 : 5;", 5, [("!", 4), ("4", 5), ("5", 6)]),
    ("bool c = true; if (c) return a; return b;", 7, [("true", 3), ("c", 3)]),
    ("return std::min(a, b) + std::max<long>(a, b);", 10, [("+", -4), ("min", 14), ("max", 6)]),
    ("return std::max({a, b, 9});", 9, [("max", 3), ("9", 10)]),
    ("int n = a; n += b; n++; --n; return n;", 10, [("+=", 4), ("x++", 8), ("--x", 12)]),
    ("const int x[2] = {a, b}; const int* p = x; const int y = *p++; return y - *p;", 4,
     [("x++", None), ("-", 10)]),
    ("int n = 0; for (int i = 0; i < a; ++i) n -= i; return n;", -21,
     [("0", -20), ("0", -21), ("<", -28), ("-=", 21)]),
    # none of what the compiler computes
    ("static_assert(1 + 1 == 2); constexpr int c = 3 + 4; std::array<int, 2> x{a, b}; return std::get<0>(x) * c;", 49,
     [("*", 1)]),
    ("switch (a) { case 7: return b; default: return 1; }", 3, [("1", 3)]),
    ("auto g = [](int i = 5) { return i; }; if constexpr (sizeof(int) == 4) return g(); return a;", 5, []),
]


def source():
    text = "#include <algorithm>\n#include <array>\n#include <cstdio>\n"
    for i, (body, _, _) in enumerate(BODIES):
        text += f"int f{i}([[maybe_unused]] int a, [[maybe_unused]] int b) {{ {body} }}\n"
    return text


def check_changes(folder, compiler):
    path = os.path.join(folder, "bodies.cpp")
    with open(path, "w") as file:
        file.write(source())
    text = source().encode()
    found = [s for s in sites.find(path, text, ["-std=c++20"])]
    main = "#include <cstdio>\nint main() {\n" + "".join(
        f'std::printf("%d\\n", f{i}(7, 3));\n' for i in range(len(BODIES))) + "}\n"
    for name, content in (("mutant.h", changes.header()), ("mutant.cpp", changes.source(len(found))),
                          ("bodies.cpp", changes.rewritten(text, list(enumerate(found))).decode() + main)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)
    program = os.path.join(folder, "program")
    subprocess.run([compiler, "-std=c++20", "-w", "-I", folder, path, os.path.join(folder, "mutant.cpp"), "-o", program],
                   check=True)

    def values(number):
        run = subprocess.run([program], capture_output=True, text=True, env={**os.environ, "TAUGRAD_MUTANT": str(number)})
        return [int(line) for line in run.stdout.split()]

    right = [value for _, value, _ in BODIES]
    assert values(-1) == right, values(-1)
    for i, (body, _, wanted) in enumerate(BODIES):
        mine = [(number, s) for number, s in enumerate(found) if s["line"] == 4 + i]
        assert sorted(s["old"] for _, s in mine) == sorted(old for old, _ in wanted), (body, mine)
        told = [(s["old"], values(n)[i]) for n, s in mine]
        assert all(pair in told for pair in wanted if pair[1] is not None), (body, told)
        for n, _ in mine:
            assert values(n)[:i] + values(n)[i + 1:] == right[:i] + right[i + 1:], body


# A test as Catch2 makes one, of two cases that reach mutants 0, 1, 2 and 2, 3.
FAKE = r"""#!/bin/sh
case "$*" in
  *--list-test-names-only*) echo one; echo "two, of [two]"; exit 0 ;;
  *two*) reached='\000\000\001\001\000'; may_fail= ;;
  *) reached='\001\001\001\000\000'; may_fail=yes ;;
esac
case "$*" in *one*) may_fail=yes ;; esac
[ -z "$TAUGRAD_MUTANTS_REACHED" ] || printf "$reached" | dd of="$TAUGRAD_MUTANTS_REACHED" conv=notrunc 2>/dev/null
case "$may_fail$TAUGRAD_MUTANT" in
  yes0) echo "one failed"; exit 1 ;;
  yes1) kill -SEGV $$ ;;
  *2) while :; do :; done ;;
esac
exit 0
"""


def check_campaign(folder):
    os.makedirs(os.path.join(folder, "build", "tests"))
    for name in ("tests/a_test", "taugrad"):
        path = os.path.join(folder, "build", name)
        with open(path, "w") as file:
            file.write(FAKE)
        os.chmod(path, 0o755)
    copy = types.SimpleNamespace(folder=folder, build=os.path.join(folder, "build"), tree=folder, count=5,
                                 tests=lambda: ["a_test"])
    runner = campaign.Runner(copy, 2, 1, 60)
    results = runner.judge_all([(n, "file") for n in range(5)], {}, lambda *_: None)
    told = [(results[n]["killed"], results[n].get("how"), results[n]["cases"]) for n in range(5)]
    assert told == [(True, "fails", 1), (True, "crashes", 1), (True, "time", 2), (False, None, 1), (False, None, 0)], told
    assert results[0]["by"] == ["a_test", "one"], results[0]


with tempfile.TemporaryDirectory() as work:
    check_changes(work, sys.argv[2])
with tempfile.TemporaryDirectory() as work:
    check_campaign(work)
