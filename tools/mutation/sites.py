"""Where a file of C++ may be changed: operators, numbers, signs and conditions that are computed at run time, by clang."""
import re

from clang.cindex import CursorKind, Index, TranslationUnit, TypeKind

from mutation import changes

FUNCTIONS = {CursorKind.FUNCTION_DECL, CursorKind.CXX_METHOD, CursorKind.CONSTRUCTOR, CursorKind.DESTRUCTOR,
             CursorKind.FUNCTION_TEMPLATE, CursorKind.CONVERSION_FUNCTION}
SCOPES = {CursorKind.NAMESPACE, CursorKind.CLASS_DECL, CursorKind.STRUCT_DECL, CursorKind.CLASS_TEMPLATE,
          CursorKind.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION, CursorKind.UNEXPOSED_DECL, CursorKind.LINKAGE_SPEC}
# nothing in these is computed at run time, or it is a declaration of its own
CONSTANT = {CursorKind.PARM_DECL, CursorKind.ENUM_DECL, CursorKind.STATIC_ASSERT, CursorKind.TYPE_ALIAS_DECL,
            CursorKind.TYPEDEF_DECL, CursorKind.TYPE_REF, CursorKind.TEMPLATE_REF, CursorKind.NAMESPACE_REF,
            CursorKind.TEMPLATE_TYPE_PARAMETER, CursorKind.TEMPLATE_NON_TYPE_PARAMETER, CursorKind.DECL_REF_EXPR,
            CursorKind.CXX_UNARY_EXPR}
PLAIN = {CursorKind.CALL_EXPR, CursorKind.DECL_REF_EXPR, CursorKind.MEMBER_REF_EXPR}
ARITHMETIC = set(range(TypeKind.BOOL.value, TypeKind.LONGDOUBLE.value + 1))
OPEN = {TypeKind.DEPENDENT, TypeKind.UNEXPOSED, TypeKind.INVALID, TypeKind.AUTO}  # told when a template is filled in


def kind_of(cursor):
    """'number', 'open', 'pointer', 'var' (a node of a graph) or None."""
    t = cursor.type.get_canonical()
    while t.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        t = t.get_pointee()
    if t.kind.value in ARITHMETIC:
        return "number"
    if t.kind in OPEN:
        return "open"
    if t.kind == TypeKind.POINTER or "__normal_iterator" in t.spelling:
        return "pointer"
    return "var" if re.fullmatch(r"(const )?taugrad::Var", t.spelling) else None


def bare(cursor):
    """Without the conversions that the compiler wraps around it."""
    while cursor.kind == CursorKind.UNEXPOSED_EXPR:
        inner = list(cursor.get_children())
        if len(inner) != 1 or inner[0].extent != cursor.extent:
            break
        cursor = inner[0]
    return cursor


class Finder:
    def __init__(self, text, path):
        self.text, self.path = text, path
        self.found = {}

    def span(self, cursor):
        return cursor.extent.start.offset, cursor.extent.end.offset

    def here(self, cursor):
        start = cursor.extent.start
        return start.file is not None and start.file.name == self.path

    def add(self, kind, start, end, at, old, new):
        if 0 <= start < end <= len(self.text) and not self.in_directive(start):
            site = {"kind": kind, "start": start, "end": end, "at": at, "old": old, "new": new}
            site["line"] = self.text.count(b"\n", 0, at) + 1
            self.found.setdefault((kind, start, end), site)

    def in_directive(self, offset):
        return self.text[self.text.rfind(b"\n", 0, offset) + 1:offset].lstrip().startswith(b"#")

    def operator(self, left, right):
        """(offset, text) of the operator between two operands; (0, '') where a comment or macro stands there."""
        start, end = left.extent.end.offset, right.extent.start.offset
        between = self.text[start:end].decode(errors="replace")
        found = re.fullmatch(r"\s*([-+*/%<>=!&|]{1,2})\s*", between) if start < end else None
        return (start + found.start(1), found.group(1)) if found else (0, "")

    # ---- what one expression offers

    def binary(self, cursor):
        children = list(cursor.get_children())
        if cursor.kind == CursorKind.CALL_EXPR:
            children = list(cursor.get_arguments()) if cursor.spelling.startswith("operator") else []
        if len(children) != 2:
            return
        left, right = children
        at, old = self.operator(left, right)
        kinds = (kind_of(left), kind_of(right))
        (start, _), (_, end) = self.span(left), self.span(right)
        if any(bare(c).type.kind == TypeKind.FUNCTIONPROTO for c in children):
            return  # weak functions: a reference to one is never null
        if old in changes.COMPARISONS:
            self.add("binary", start, end, at, old, changes.BINARY[old][1])
        elif old in changes.LOGICAL and set(kinds) <= {"number", "open", "pointer"}:
            self.add("logical", start, end, at, old, changes.LOGICAL[old])
        elif old in changes.BINARY and None not in kinds and kinds[1] != "pointer":
            self.add("binary", start, end, at, old, changes.BINARY[old][1])
        elif old in changes.ASSIGNING and None not in kinds and kinds[1] != "pointer":
            self.add("assign", start, end, at, old, changes.ASSIGNING[old][1])

    def unary(self, cursor, parent):
        start, end = self.span(cursor)
        inner = list(cursor.get_children())
        if len(inner) != 1:
            return
        first, last = self.span(inner[0])
        before, after = self.text[start:first].strip().decode(), self.text[last:end].strip().decode()
        kind = kind_of(inner[0])
        sign = before or after
        if sign in ("++", "--"):
            if parent.kind == CursorKind.FOR_STMT or kind in (None, "var"):
                return  # for ever
            new = "--" if sign == "++" else "++"
            written = (sign + "x", new + "x") if before else ("x" + sign, "x" + new)
            self.add("unary", start, end, start, *written)
        elif before == "!" and kind != "var" or before == "-" and kind in ("number", "open", "var"):
            self.add("unary", start, end, start, before, "")

    def number(self, cursor):
        start, end = self.span(cursor)
        old = self.text[start:end].decode(errors="replace")
        if not re.fullmatch(r"[0-9][0-9a-fA-FxX'.eE+-]*[uUlLfF]*", old):
            return
        before, after = self.text[:start].rstrip()[-1:], self.text[end:].lstrip()[:1]
        if after != b">" or before not in b"<,":  # an argument of a template
            self.add("number", start, end, start, old, old + " + 1")

    def condition(self, cursor):
        cursor = bare(cursor)
        if cursor.kind in PLAIN and not cursor.spelling.startswith("operator") and self.here(cursor):
            start, end = self.span(cursor)
            text = self.text[start:end].decode(errors="replace")
            self.add("condition", start, end, start, text, "!" + text)

    def conditions(self, cursor):
        children = list(cursor.get_children())
        if cursor.kind == CursorKind.CONDITIONAL_OPERATOR:
            self.condition(children[0])
        elif cursor.kind in (CursorKind.IF_STMT, CursorKind.WHILE_STMT):
            if all(c.kind != CursorKind.VAR_DECL for c in children):
                first = [c for c in children if c.kind != CursorKind.DECL_STMT][:1]
                for c in first:
                    self.condition(c)
        elif cursor.kind == CursorKind.RETURN_STMT and children:
            if children[0].type.get_canonical().kind == TypeKind.BOOL:
                self.condition(children[0])

    def smaller_larger(self, cursor):
        start, end = self.span(cursor)
        found = re.match(rb"std::(min|max)(<[^()]*>)?\(", self.text[start:end])
        arguments = list(cursor.get_arguments())
        if found and len(arguments) in (1, 2):
            name = found.group(1).decode()
            self.add("callee", start, end, start + found.end() - 1, name, "max" if name == "min" else "min")

    # ---- the walk

    def visit(self, cursor, parent):
        kind = cursor.kind
        if kind in CONSTANT or not self.here(cursor):
            return
        if kind in SCOPES or kind in FUNCTIONS:
            self.declaration(cursor)
            return
        start, _ = self.span(cursor)
        if kind == CursorKind.VAR_DECL and b"constexpr" in self.text[start:cursor.location.offset]:
            return
        if kind in (CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, CursorKind.CALL_EXPR):
            self.binary(cursor)
            if kind == CursorKind.CALL_EXPR:
                self.smaller_larger(cursor)
        elif kind == CursorKind.UNARY_OPERATOR:
            self.unary(cursor, parent)
        elif kind in (CursorKind.INTEGER_LITERAL, CursorKind.FLOATING_LITERAL):
            self.number(cursor)
        elif kind == CursorKind.CXX_BOOL_LITERAL_EXPR:
            start, end = self.span(cursor)
            old = self.text[start:end].decode(errors="replace")
            if old in ("true", "false"):
                self.add("number", start, end, start, old, "false" if old == "true" else "true")
        constant_if = kind == CursorKind.IF_STMT and self.text[start:].startswith(b"if constexpr")
        if not constant_if:
            self.conditions(cursor)
        self.children(cursor, constant_if or kind == CursorKind.CASE_STMT)

    def children(self, cursor, skip_first):
        for i, child in enumerate(cursor.get_children()):
            if skip_first and i == 0:
                continue
            if cursor.kind == CursorKind.VAR_DECL and self.in_type(cursor, child):
                continue
            if cursor.kind == CursorKind.MEMBER_REF_EXPR and self.span(child)[0] >= cursor.location.offset:
                continue  # an argument of a template
            self.visit(child, cursor)

    def in_type(self, variable, child):
        start = self.span(child)[0]
        return start < variable.location.offset or self.text[:start].rstrip().endswith(b"[")

    def declaration(self, cursor):
        start, _ = self.span(cursor)
        if cursor.kind in FUNCTIONS and re.search(rb"\b(constexpr|consteval)\b", self.text[start:cursor.location.offset]):
            return
        for child in cursor.get_children():
            if cursor.kind in FUNCTIONS or child.kind in SCOPES or child.kind in FUNCTIONS:
                self.visit(child, cursor)


def find(path, text, arguments):
    """The sites of a file, `text` its bytes, by where they begin. `arguments` are the compiler's."""
    unit = Index.create().parse(path, args=arguments, options=TranslationUnit.PARSE_INCOMPLETE)
    faults = [str(d) for d in unit.diagnostics if d.severity >= 3]
    if faults:
        raise SystemExit(f"{path}: clang cannot read it: {faults[0]}")
    finder = Finder(text, path)
    for cursor in unit.cursor.get_children():
        finder.visit(cursor, None)
    return sorted(finder.found.values(), key=lambda s: (s["start"], -s["end"]))
