"""Definitions as text -> flat equations, straight from docs of the language (rules R1-R5, R11).

Independent of the C++ sources on purpose: the expressions are read with Python's own parser, and
functions and imports are expanded by substitution. An expression is a tuple:

  ("num", 2.0)                      number, size or constant
  ("index", Pos)                    an index as a number; ("length", "tau") a length as a number
  ("ref", name, [Pos, ...])         variable or input; ("weight", name, [Pos, ...]) weight
  ("bin", "+", a, b)  ("neg", a)
  ("call", "sum", [args], [(letter, sign), ...], {keyword: arg})   with the bound indices, if any
"""
import ast
from dataclasses import dataclass, field, replace

BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}
COMPARE = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


@dataclass(frozen=True)
class Pos:
    """The position sign*letter + times*length + offset; `length` names the length."""
    letter: str = None
    sign: int = 0
    length: str = None
    times: int = 0
    offset: int = 0
    word: str = field(default=None, compare=False)  # "last" where that is written for the length

    def letters(self):
        return {self.letter} if self.sign else set()

    def value(self, env, lengths, item=None):
        p = self.offset
        p += self.sign * env[self.letter] if self.sign else 0
        return p + (self.times * lengths[self.length] if self.times else 0)

    def at(self, letter, pos):
        """This position with `letter` replaced by `pos`."""
        if not self.sign or self.letter != letter:
            return self
        s = self.sign
        return Pos(pos.letter, s * pos.sign, pos.length or self.length, self.times + s * pos.times,
                   self.offset + s * pos.offset)

    def mirrored(self, length):
        """length + 1 - this."""
        return Pos(self.letter, -self.sign, length, 1 - self.times, 1 - self.offset)


@dataclass(frozen=True)
class Computed:
    """A position that is arithmetic (R17): ("num", 2), ("letter", "t"), ("length", "tau"), ("data", "left", [Pos]),
    or ("+", a, b) and so on; / rounds down. Never on a left side."""
    tree: tuple
    letter, sign, length, times, offset, word = None, 0, None, 0, 0, None  # of Pos: it is no plain position

    def letters(self, tree=None):
        kind, *rest = tree or self.tree
        if kind == "letter":
            return {rest[0]}
        if kind == "data":
            return set().union(*(p.letters() for p in rest[1]))
        return set().union(*(self.letters(t) for t in rest)) if kind in "+-*/" else set()

    def value(self, env, lengths, item=None, tree=None):
        kind, *rest = tree or self.tree
        if kind == "num":
            return rest[0]
        if kind == "letter":
            return env[rest[0]]
        if kind == "length":
            return lengths[rest[0]]
        if kind == "data":
            return int(item.value(rest[0], tuple(p.value(env, lengths, item) for p in rest[1])))
        a, b = (self.value(env, lengths, item, t) for t in rest)
        return {"+": a + b, "-": a - b, "*": a * b, "/": b and a // b}[kind]

    def at(self, letter, pos):
        assert letter not in self.letters(), "a computed position in a bound input"
        return self


@dataclass
class Equation:
    name: str
    positions: list  # left side, Pos each
    random: bool
    expr: tuple


@dataclass
class Flat:
    """A definition with functions and imports expanded and all sizes numbers."""
    index: dict = field(default_factory=dict)     # letter -> length name or int
    inputs: dict = field(default_factory=dict)    # name -> (letters, shape or ("category", v))
    weights: dict = field(default_factory=dict)   # name -> (letters, shape)
    axes: dict = field(default_factory=dict)      # variable -> letters
    equations: list = field(default_factory=list)
    loss: list = None
    ends: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)


def split_name(key):
    """'x[i,j]' -> ('x', ['i', 'j'])."""
    name, _, rest = key.partition("[")
    return name.strip(), [s.strip() for s in rest.rstrip("] ").split(",")] if rest else []


def rewrite(expr, fn):
    """Rebuilds an expression bottom up; fn gets each rebuilt node."""
    kind = expr[0]
    if kind == "bin":
        expr = ("bin", expr[1], rewrite(expr[2], fn), rewrite(expr[3], fn))
    elif kind == "neg":
        expr = ("neg", rewrite(expr[1], fn))
    elif kind == "call":
        expr = ("call", expr[1], [rewrite(a, fn) for a in expr[2]], expr[3],
                {k: rewrite(a, fn) for k, a in expr[4].items()})
    return fn(expr)


def walk(expr):
    yield expr
    if expr[0] == "bin":
        children = expr[2:4]
    elif expr[0] == "neg":
        children = expr[1:2]
    else:
        children = expr[2] + list(expr[4].values()) if expr[0] == "call" else []
    for child in children:
        yield from walk(child)


class Reader:
    """Reads the texts of one definition (not yet its imports) in its own namespace."""

    def __init__(self, raw, sizes):
        self.raw = raw
        self.numbers = dict(sizes)
        self.numbers.update(raw.get("constants", {}))
        self.index = dict(raw.get("index", {}))
        self.lengths = {v for v in self.index.values() if isinstance(v, str)}
        self.weights = {split_name(k)[0]: split_name(k)[1] for k in raw.get("weights", {})}
        self.functions = {}
        for text in raw.get("functions", []):
            head, body = text.split("=", 1)
            name, params = head.strip().rstrip(")").split("(")
            params = [p.strip() for p in params.split(",") if p.strip()]
            self.functions[name.strip()] = (params, body)

    def number(self, text):
        """The value of a shape or size expression."""
        return text if isinstance(text, (int, float)) else fold(self.expr(text))

    def shape(self, spec):
        spec = spec["shape"] if isinstance(spec, dict) else spec
        return tuple(int(round(self.number(s))) for s in spec)

    def expr(self, text, params=None):
        return self.convert(ast.parse(text.strip(), mode="eval").body, params or {})

    def convert(self, node, params):
        if isinstance(node, ast.Constant):
            return ("num", float(node.value))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return ("neg", self.convert(node.operand, params))
        if isinstance(node, ast.BinOp):
            return ("bin", BINARY[type(node.op)], self.convert(node.left, params),
                    self.convert(node.right, params))
        if isinstance(node, ast.Compare):
            assert len(node.ops) == 1, "chained comparison"
            return ("bin", COMPARE[type(node.ops[0])], self.convert(node.left, params),
                    self.convert(node.comparators[0], params))
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.name(ast.unparse(node), params)
        if isinstance(node, ast.Subscript):
            return self.reference(node)
        if isinstance(node, ast.Call):
            return self.call(node, params)
        raise ValueError("cannot read " + ast.unparse(node))

    def name(self, name, params):
        if name in params:
            return params[name]
        if name in self.numbers:
            return ("num", float(self.numbers[name]))
        if name in self.index:
            return ("index", Pos(name, 1))
        if name in self.lengths:
            return ("length", name)
        return ("weight" if name in self.weights else "ref", name, [])

    def reference(self, node):
        name = ast.unparse(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return ("weight" if name in self.weights else "ref", name, [self.position(p) for p in parts])

    def tree(self, node):
        """The arithmetic of a position."""
        if isinstance(node, ast.BinOp):
            return (BINARY[type(node.op)], self.tree(node.left), self.tree(node.right))
        if isinstance(node, ast.UnaryOp):
            return ("-", ("num", 0), self.tree(node.operand))
        if isinstance(node, ast.Constant):
            return ("num", node.value)
        if isinstance(node, ast.Subscript):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return ("data", ast.unparse(node.value), [self.position(p) for p in parts])
        if node.id in self.numbers:
            return ("num", int(self.numbers[node.id]))
        return ("letter" if node.id in self.index else "length", node.id)

    def is_plain(self, node):
        if isinstance(node, ast.BinOp):
            return (isinstance(node.left, ast.Name) and isinstance(node.right, ast.Constant)
                    and isinstance(node.op, (ast.Add, ast.Sub)) and self.is_plain(node.left))
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.operand, ast.Constant)
        return isinstance(node, (ast.Constant, ast.Name))

    def position(self, node):
        """letter, integer, last or a length, each with an optional offset; or arithmetic."""
        if not self.is_plain(node):
            return Computed(self.tree(node))
        if isinstance(node, ast.BinOp):
            base, step = self.position(node.left), self.position(node.right).offset
            return replace(base, offset=base.offset + (step if isinstance(node.op, ast.Add) else -step))
        if isinstance(node, ast.UnaryOp):
            return Pos(offset=-node.operand.value)
        if isinstance(node, ast.Constant):
            return Pos(offset=node.value)
        if node.id in self.index:
            return Pos(node.id, 1)
        if node.id in self.numbers:
            return Pos(offset=int(self.numbers[node.id]))
        if node.id in self.lengths:
            return Pos(length=node.id, times=1)
        if node.id == "last":
            return Pos(length="last", times=1, word="last")  # resolved by the axis, see resolve_last
        raise ValueError("no position " + node.id)

    def call(self, node, params):
        binders = []
        head = node.func
        if isinstance(head, ast.Subscript):
            parts = head.slice.elts if isinstance(head.slice, ast.Tuple) else [head.slice]
            binders = [(p.id, 1) for p in parts]
            head = head.value
        name = ast.unparse(head)
        args = [self.convert(a, params) for a in node.args]
        if name in self.functions:
            formal, body = self.functions[name]
            assert len(formal) == len(args), name
            return self.expr(body, dict(zip(formal, args)))
        return ("call", name, args, binders,
                {k.arg: self.convert(k.value, params) for k in node.keywords})

    def equation(self, text):
        depth = 0
        for at, ch in enumerate(text):  # the first = or ~ outside brackets
            depth += ch in "[(" and 1 or (ch in "])" and -1 or 0)
            if depth == 0 and ch in "=~":
                break
        left = ast.parse(text[:at].strip(), mode="eval").body
        if isinstance(left, ast.Subscript):
            _, name, positions = self.reference(left)
        else:
            name, positions = ast.unparse(left), []
        return Equation(name, positions, text[at] == "~", self.expr(text[at + 1:]))


def fold(expr):
    """The number a constant expression stands for."""
    if expr[0] == "num":
        return expr[1]
    if expr[0] == "neg":
        return -fold(expr[1])
    a, b = fold(expr[2]), fold(expr[3])
    return {"+": a + b, "-": a - b, "*": a * b, "/": b and a / b}[expr[1]]
