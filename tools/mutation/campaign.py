"""Runs of the tests: which mutants each reaches, and whether it fails where one of them is awake."""
import concurrent.futures
import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from mutation.copy import say

SHORT = (0.02, 0.2)  # seconds: cases up to the first run together, then those up to the second, then each alone
MEMORY = 6 << 30
FILE_SIZE = 1 << 30
LATE = (None, -signal.SIGXCPU, -signal.SIGKILL)  # status of what took too long


def spec(name):
    """A test's name as Catch2 reads it on a command line."""
    name = re.sub(r'([\\,\[\]"*~])', r"\\\1", name)
    return "*" + name.lstrip("-") if name.startswith("-") else name  # no option


class Runner:
    def __init__(self, copy, jobs, budget, most):
        self.copy, self.jobs, self.budget, self.most = copy, jobs, budget, most
        self.reach_path = os.path.join(copy.folder, "reach.json")
        self.lock = threading.Lock()
        self.kills = {}  # by source file and test: how often it killed

    def executable(self, test):
        return os.path.join(self.copy.build, "tests", test)

    def run(self, test, names, seconds, environment):
        """(status, output, seconds of processor); status None: out of time. `seconds`: of processor and twelve times of clock."""
        limits = "".join(f"ulimit -{what} {most}; " for what, most in (
            ("t", int(seconds) + 1), ("v", MEMORY >> 10), ("f", FILE_SIZE >> 9), ("c", 0)))
        with tempfile.TemporaryDirectory(prefix="mutants_", ignore_cleanup_errors=True) as folder, \
                tempfile.TemporaryFile() as output:
            command = ["sh", "-c", limits + 'exec "$@"', "sh", self.executable(test), "-a", ",".join(map(spec, names))]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.copy.tree,
                                       env={**os.environ, "TMPDIR": folder, **environment}, start_new_session=True)
            timer = threading.Timer(12 * seconds, lambda: os.killpg(process.pid, signal.SIGKILL))
            timer.start()
            _, status, used = os.wait4(process.pid, 0)
            late = not timer.is_alive()
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            try:
                os.killpg(process.pid, signal.SIGKILL)  # what it started
            except ProcessLookupError:
                pass
            output.seek(0)
            return None if late else process.returncode, output.read(), used.ru_utime + used.ru_stime

    # ---- what each case reaches

    def cases(self, test):
        listed = subprocess.run([self.executable(test), "--list-test-names-only"], capture_output=True, text=True,
                                cwd=self.copy.tree)
        return [line for line in listed.stdout.splitlines() if line.strip()]

    def dormant(self, work):
        """A case without a mutant: its time and what it reaches."""
        test, name = work
        with tempfile.NamedTemporaryFile() as seen:
            seen.truncate(self.copy.count)
            status, output, used = self.run(test, [name], 2 * self.budget, {"TAUGRAD_MUTANTS_REACHED": seen.name, "TAUGRAD_MUTANT": "-1"})
            reached = seen.read()
        if status in LATE:
            return {"late": self.budget}
        if status != 0 or b"No tests ran" in output:
            return {"status": status, "output": output.decode(errors="replace")[-2000:]}
        return {"seconds": used, "reached": ranges(reached)}

    def table(self):
        """[(test, case, seconds, set of numbers)]; a case of an unchanged executable is not run again."""
        known, fresh, todo = {}, {}, []
        if os.path.exists(self.reach_path):
            with open(self.reach_path) as file:
                known = json.load(file)
        program = digest(os.path.join(self.copy.build, "taugrad"))
        for test in self.copy.tests():
            key = f"{digest(self.executable(test))} {program}"
            fresh[test] = known[test] if known.get(test, {}).get("key") == key else {"key": key, "cases": {}}
            cases = fresh[test]["cases"]
            todo += [(test, name) for name in cases or self.cases(test)
                     if name not in cases or cases[name].get("late", self.budget) < self.budget]
        if todo:
            say(f"running {len(todo)} test cases with every mutant asleep")
        failed = []
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for i, ((test, name), found) in enumerate(zip(todo, pool.map(self.dormant, todo))):
                fresh[test]["cases"][name] = found
                if "status" in found:
                    failed.append((test, name))
                    say(f"left out, as it fails without a mutant: {test}: {name}: {found['output'][-300:]}")
                if i % 100 == 99:
                    say(f"{i + 1} of {len(todo)}")
        with open(self.reach_path, "w") as file:
            json.dump(fresh, file)
        return self.within_budget(fresh)

    def within_budget(self, fresh):
        table, self.left_out = [], {"fails": [], "slow": []}
        for test, entry in fresh.items():
            for name, found in entry["cases"].items():
                if "status" in found:
                    self.left_out["fails"].append(f"{test}: {name}")
                elif "late" in found or found["seconds"] > self.budget:
                    self.left_out["slow"].append(f"{test}: {name}")
                else:
                    numbers = set()
                    for first, last in found["reached"]:
                        numbers.update(range(first, last))
                    table.append((test, name, found["seconds"], numbers))
        return table

    # ---- a mutant

    def groups(self, number, table, file, before):
        """Runs that may kill a mutant, the likeliest and quickest first: (test, cases, seconds)."""
        together = {}
        for test, name, seconds, numbers in table:
            if number in numbers:
                rank = sum(seconds > s for s in SHORT)
                together.setdefault((rank, test, name if rank == len(SHORT) else ""), []).append((seconds, name))
        runs = [(test, [n for _, n in cases], sum(s for s, _ in cases)) for (_, test, _), cases in together.items()]

        def order(run):
            test, names, seconds = run
            with self.lock:
                killed = self.kills.get((file, test), 0)
            return (not (before and before[0] == test and before[1] in names), (seconds + 0.05) / (1 + 4 * killed), test, names)
        chosen, total = [], 0.0
        for run in sorted(runs, key=order):
            if not chosen or total + run[2] <= self.most:
                chosen.append(run)
                total += run[2]
        return chosen

    def judge(self, number, table, file, before):
        """{'killed': bool, 'by': [test, case], 'how': 'fails', 'crashes' or 'time', 'cases': that may run}."""
        runs = self.groups(number, table, file, before)
        result = {"killed": False, "cases": sum(len(names) for _, names, _ in runs),
                  "reached_by": sum(number in numbers for *_, numbers in table)}
        for test, names, seconds in runs:
            status, output, _ = self.run(test, names, 4 * seconds + 2, {"TAUGRAD_MUTANT": str(number)})
            if status == 0:
                if b"No tests ran" in output:
                    raise SystemExit(f"{test} does not know {names}")
                continue
            with self.lock:
                self.kills[file, test] = self.kills.get((file, test), 0) + 1
            how = "time" if status in LATE else "fails" if status > 0 else "crashes"
            return {**result, "killed": True, "how": how, "by": [test, names[0] if len(names) == 1 else failing(output, names)]}
        return result

    def judge_all(self, chosen, before, report):
        """`chosen`: [(number, file)]. Results by number; `report` is called after each."""
        table = self.table()
        results, start = {}, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            waiting = {pool.submit(self.judge, number, table, file, before.get(number)): number for number, file in chosen}
            for i, done in enumerate(concurrent.futures.as_completed(waiting)):
                number = waiting[done]
                results[number] = done.result()
                report(i + 1, number, results[number], time.monotonic() - start)
        return results


def failing(output, names):
    """The case that failed: its name stands over the failure; else the first of them."""
    text = output.decode(errors="replace")
    return next((n for n in names if n in text), names[0])


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ranges(reached):
    """[first, last + 1] of the runs of bytes that are not zero."""
    return [[m.start(), m.end()] for m in re.finditer(rb"[^\0]+", reached)]
