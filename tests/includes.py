"""Every C++ file reaches the headers of what it names, by its own includes: precompiled headers hide that.

python3 includes.py <project>: prints what is missing, and ends with 1 where anything is."""
import pathlib
import re
import sys

HEADERS = {
    "algorithm": r"std::(ranges::)?(sort|find|find_if|any_of|all_of|none_of|max_element|min_element|copy_n|fill_n|"
                 r"transform|lower_bound|upper_bound|clamp|reverse|count_if|equal)\b",
    "array": r"std::array\b",
    "cmath": r"std::(sqrt|exp|log|pow|floor|ceil|isnan|isfinite|isinf|tanh|fabs|signbit|ldexp|cos|sin)\b",
    "cstdint": r"std::u?int(8|16|32|64)_t\b",
    "functional": r"std::function\b",
    "limits": r"std::numeric_limits\b",
    "map": r"std::(multi)?map\b",
    "memory": r"std::(unique_ptr|shared_ptr|make_unique|make_shared)\b",
    "optional": r"std::(optional|nullopt)\b",
    "set": r"std::(multi)?set\b",
    "span": r"std::span\b",
    "string": r"std::(string|to_string)\b",
    "string_view": r"std::string_view\b",
    "unordered_map": r"std::unordered_map\b",
    "vector": r"std::vector\b",
    "fmt": r"\bfmt::",
}
# what the standard promises of a header beside its own
IMPLIED = {"string": {"string_view"}, "filesystem": {"string"}, "sstream": {"string"}, "fstream": {"string"}}

root = pathlib.Path(sys.argv[1])
PATHS = [root / "include", root / "src", root / "tests", root / "tools", root / "tools" / "cli",
         root / "tools" / "benches"]
FOLDERS = ["include", "src", "tests", "tools"]


def uncommented(text):
    return re.sub(r'//[^\n]*|R"\(.*?\)"|"(\\.|[^"\\\n])*"', '""', re.sub(r"/\*.*?\*/", "", text, flags=re.S), flags=re.S)


def find(name, beside):
    return next((p for p in [beside / name] + [path / name for path in PATHS] if p.is_file()), None)


reached = {}


def headers_of(file):
    """The standard headers that a file reaches."""
    if file in reached:
        return reached[file]
    reached[file] = found = set()
    for kind, name in re.findall(r'^#include ([<"])([^>"]+)[>"]', file.read_text(), flags=re.M):
        ours = find(name, file.parent)
        if kind == '"' and ours:
            found |= headers_of(ours)
        else:
            found |= {"fmt" if name.startswith("fmt/") else name} | IMPLIED.get(name, set())
    return found


def main():
    missing = 0
    files = [f for folder in FOLDERS for f in sorted((root / folder).rglob("*")) if f.suffix in (".h", ".cpp")]
    for file in files:
        code = uncommented(file.read_text())
        for header, names in HEADERS.items():
            if re.search(names, code) and header not in headers_of(file):
                print(f"{file.relative_to(root)}: names of <{header}> and does not reach it")
                missing += 1
    print(f"{len(files)} files, {missing} missing")
    return 1 if missing else 0


sys.exit(main())
