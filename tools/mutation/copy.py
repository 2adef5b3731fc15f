"""The copy of the project in which mutants sleep: written, built, and freed of mutants that do not compile."""
import hashlib
import json
import multiprocessing
import os
import re
import subprocess
import sys

from mutation import changes

ROOMS = ("language", "unfold", "autodiff", "rewrite", "plan")
BLOCK = 64  # numbers of a file's mutants begin at a multiple: a changed file seldom moves those of others


def say(text):
    print(text, file=sys.stderr, flush=True)


def write(path, content):
    """Only where it is another: what was built stays."""
    try:
        with open(path, "rb") as file:
            if file.read() == content:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def find_in(work):
    from mutation import sites  # where clang's module is not needed, nobody has to have it
    path, text, arguments = work
    return sites.find(path, text, arguments)


class Copy:
    def __init__(self, root, folder, jobs):
        self.root, self.folder, self.jobs = root, folder, jobs
        self.tree, self.build = os.path.join(folder, "tree"), os.path.join(folder, "build")
        os.makedirs(folder, exist_ok=True)
        self.cache_path = os.path.join(folder, "sites.json")
        self.dropped_path = os.path.join(folder, "dropped.json")
        self.cache, self.dropped = self.read(self.cache_path), self.read(self.dropped_path)

    @staticmethod
    def read(path):
        if not os.path.exists(path):
            return {}
        with open(path) as file:
            return json.load(file)

    # ---- the sites

    def files(self):
        """Path and bytes of every file of the project; links are what they lead to."""
        listed = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard", "-z"],
                                check=True, capture_output=True).stdout.decode().split("\0")
        found = {}
        for name in sorted(n for n in listed if n):
            path = os.path.join(self.root, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found[name] = file.read()
        return found

    @staticmethod
    def is_mutated(name):
        return name.startswith(tuple(f"src/{room}/" for room in ROOMS)) and name.endswith((".cpp", ".h"))

    def find_sites(self, files):
        """By name: what of a file may change, its number first. Files read before are not read again."""
        finder = files["tools/mutation/sites.py"]  # another one finds others
        digests = {n: hashlib.sha256(t + finder).hexdigest() for n, t in files.items() if self.is_mutated(n)}
        new = [n for n, d in digests.items() if d not in self.cache]
        if new:
            say(f"reading {len(new)} files")
            arguments = ["-std=c++20", "-x", "c++", "-DNDEBUG", '-DTAUGRAD_VERSION=""', '-DTAUGRAD_DATA=""',
                         f"-I{self.root}/include", f"-I{self.root}/src"]
            with multiprocessing.Pool(self.jobs) as pool:
                work = [(os.path.join(self.root, n), files[n], arguments) for n in new]
                for name, found in zip(new, pool.map(find_in, work, chunksize=1)):
                    self.cache[digests[name]] = found
            with open(self.cache_path, "w") as file:
                json.dump(self.cache, file)
        numbered, number = {}, 0
        for name, digest in digests.items():
            gone = {tuple(d) for d in self.dropped.get(digest, [])}
            numbered[name] = [(number + i, s) for i, s in enumerate(self.cache[digest])
                              if (s["kind"], s["start"], s["end"]) not in gone]
            number += -(-len(self.cache[digest]) // BLOCK) * BLOCK
        self.digests, self.count = digests, number
        return numbered

    # ---- the copy

    def refresh(self):
        files = self.files()
        self.sites = self.find_sites(files)
        for name, text in files.items():
            if self.sites.get(name):
                text = changes.rewritten(text, self.sites[name])
            write(os.path.join(self.tree, name), text)
            if os.access(os.path.join(self.root, name), os.X_OK):
                os.chmod(os.path.join(self.tree, name), 0o755)
        write(os.path.join(self.tree, "src/mutant.h"), changes.header().encode())
        write(os.path.join(self.tree, "src/base/mutant.cpp"), changes.source(self.count).encode())
        self.remove_others(set(files) | {"src/mutant.h", "src/base/mutant.cpp"})

    def remove_others(self, names):
        for folder, _, found in os.walk(self.tree):
            for name in found:
                path = os.path.join(folder, name)
                if os.path.relpath(path, self.tree) not in names:
                    os.remove(path)

    def make(self):
        """The tests and the program. A mutant in whose lines the compiler finds an error is left out."""
        self.refresh()
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG", "-DTAUGRAD_TESTS=ON",
                   "-DCMAKE_CXX_FLAGS=-w -Wno-narrowing"]
        done = subprocess.run(["cmake", "-G", "Ninja", "-S", self.tree, "-B", self.build, *options],
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        for targets in (["taugrad"], ["taugrad_cli", *self.tests()]):
            while not self.compile(targets):
                self.refresh()

    def tests(self):
        names = sorted(os.listdir(os.path.join(self.tree, "tests")))
        return [n.removesuffix(".cpp") for n in names if n.endswith("_test.cpp")]

    def compile(self, targets):
        """Whether it compiled; where it did not, what was in the way is dropped."""
        log = []
        with subprocess.Popen(["ninja", "-C", self.build, "-k", "0", "-j", str(self.jobs), *targets], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace") as ninja:
            for line in ninja.stdout:
                log.append(line)
                if (done := re.match(r"\[(\d+)/(\d+)\]", line)) and int(done.group(1)) % 50 == 0:
                    say(f"built {done.group(1)} of {done.group(2)}")
        if ninja.returncode == 0:
            return True
        if not self.drop(log):
            raise SystemExit("".join(log[-60:]))
        return False

    def drop(self, log):
        """Leaves out the mutants that stand in lines which errors name; how many."""
        count, failed = 0, False
        for line in log:
            failed = failed or ": error: " in line
            found = re.match(r"(?:In file included from )?(\S+?):(\d+):", line)
            if line.startswith(("[", "FAILED")):
                failed = False
            if not found or not (": error: " in line or "required from" in line):
                continue
            name = os.path.relpath(os.path.join(self.build, found.group(1)), self.tree)
            count += self.drop_line(name, int(found.group(2)))
        with open(self.dropped_path, "w") as file:
            json.dump(self.dropped, file)
        return count

    def drop_line(self, name, line):
        text = None
        count = 0
        for _, site in self.sites.get(name, []):
            if text is None:
                with open(os.path.join(self.root, name), "rb") as file:
                    text = file.read()
            first = text.count(b"\n", 0, site["start"]) + 1
            if first <= line <= text.count(b"\n", 0, site["end"]) + 1 and (first == line or site["line"] == line):
                known = self.dropped.setdefault(self.digests[name], [])
                mark = [site["kind"], site["start"], site["end"]]
                if mark not in known:
                    known.append(mark)
                    count += 1
                    say(f"left out, as it does not compile: {name}:{site['line']} {site['old']}")
        return count
