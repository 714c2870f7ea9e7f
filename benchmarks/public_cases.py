"""Whether gilkit's verdicts are right on cases that people asked about in public, whose answers are known.

    pip install -e ".[public]" && python benchmarks/public_cases.py [ID…] [--tries N] [--show]

`public_cases.json` has the cases: setup and statement, where they come from, the causes that are right (names
of gilkit.studies.compare.causes.Cause), words that the verdict must say or must not, and bounds: on the
speedups of two workers, and on the share of a call that holds the GIL. gilkit is asked by its command line,
and read from the file that it writes. A case may have a Cython module, which is compiled in a temporary
folder; be confined to so many CPUs; or have a busy process beside it.

Columns: the speedup of threads with the larger half of its interval, that of processes, the held share; what
the verdict is: right; not decided, which is no mistake unless all that it lies between is wrong; or WRONG;
and the verdict, with the reason where it is not right. What cannot be measured here is left out, with a word.
What is not decided is measured up to N times (1); --show prints all that gilkit said where it is not right.
Ends with 1 if anything is wrong. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import gilkit
from gilkit.display.tables import cell, share
from gilkit.results.stats import Estimate
from gilkit.studies.compare.causes import Cause
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.verdict import Verdict

CASES = Path(__file__).with_suffix(".json")
WORKERS = ("--workers", "1,2")  # what the bounds are for
RIGHT, OPEN, WRONG, MISSING = "right", "not decided", "WRONG", "left out"
DECIDES_NOTHING = {Cause.BUSY, Cause.NOT_DECIDED}


class MissingError(Exception):
    """A case cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Public:
    """A case, with what is right about it.

    Parameters
    ----------
    id, source : str
    setup : list of str
        Lines.
    statement : str
    causes : list of str
        Those that are right.
    options : list of str
        Of ``gilkit timeit``.
    needs : list of str
        Modules that it imports.
    says, never : list of str
        What the verdict must say, and what it must not, whatever it is.
    first : str
        What the first two lines must say.
    threads, processes, held : list of float or None
        The least and the most that it may be.
    pyx : dict of str to list of str
        Lines of Cython modules, by name.
    cpus : int
        How many it may use; 0 for all.
    neighbour : bool
        Whether a busy process is beside it.
    python : str
        "free-threaded" where it takes such an interpreter.
    """

    id: str
    source: str
    setup: list[str]
    statement: str
    causes: list[str]
    options: list[str] = field(default_factory=lambda: list(WORKERS))
    needs: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    first: str = ""
    threads: list[float] | None = None
    processes: list[float] | None = None
    held: list[float] | None = None
    pyx: dict[str, list[str]] = field(default_factory=dict)
    cpus: int = 0
    neighbour: bool = False
    python: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What gilkit said: its figures, its verdict, and all of its words."""

    figures: Evidence
    verdict: Verdict
    text: str


def ready(case: Public) -> None:
    """Raise MissingError where a case cannot be measured here."""
    if absent := [name for name in case.needs if find_spec(name) is None]:
        raise MissingError(f"not installed: {', '.join(absent)}")
    if case.python == "free-threaded" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise MissingError("it takes a free-threaded Python")


def build(case: Public, folder: Path) -> None:
    """Compile its Cython modules in a folder."""
    for name, lines in case.pyx.items():
        source = folder / f"{name}.pyx"
        source.write_text("\n".join(lines) + "\n")
        done = subprocess.run(
            [sys.executable, "-m", "Cython.Build.Cythonize", "-i", "-3", str(source)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise MissingError(f"{name}.pyx cannot be compiled: {last_line(done.stderr)}")


@contextmanager
def neighbour(wanted: bool) -> Iterator[None]:
    """Keep a CPU busy, if it is wanted."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


def ask(case: Public) -> Answer:
    """Have a case measured by gilkit's command line."""
    ready(case)
    with tempfile.TemporaryDirectory() as name, neighbour(case.neighbour):
        folder, file = Path(name), Path(name, "said.json")
        build(case, folder)
        command = [sys.executable, "-m", "gilkit", "timeit", *case.options, "-o", str(file)]
        command += ["-s", "\n".join(case.setup), "--", case.statement]
        if case.cpus:
            allowed = sorted(os.sched_getaffinity(0))[: case.cpus]
            command = ["taskset", "-c", ",".join(map(str, allowed)), *command]
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
        )
        if not file.exists():
            raise MissingError(f"gilkit ends with {done.returncode}: {last_line(done.stderr)}")
        found = gilkit.load(file)
    return Answer(evidence(found.results, found.results.kernels[0]), found.verdict, done.stdout)


def last_line(text: str) -> str:
    """Return the last line of what a program complained about."""
    return (text.strip().splitlines() or ["it does not say why"])[-1]


def judged(case: Public, answer: Answer) -> tuple[str, str]:
    """Return what an answer is, and why if it is not right."""
    verdict, f = answer.verdict, answer.figures
    words = "\n".join([str(verdict), *verdict.notes])
    right = {Cause[name] for name in case.causes}
    mistakes = [f"it says “{word}”" for word in case.never if word in words]
    if verdict.between and not right & set(verdict.between):
        mistakes.append("all that it lies between is wrong")
    if case.first not in "\n".join(answer.text.splitlines()[:2]):
        mistakes.append(f"its first lines do not say “{case.first}”")
    if verdict.cause is not Cause.BUSY:
        mistakes += beyond("threads", f.subject, case.threads)
        mistakes += beyond("processes", f.processes, case.processes)
    if f.held is not None and not f.held_note:
        seen = Estimate(f.held, f.held - f.held_error, f.held + f.held_error)
        mistakes += beyond("the held share", seen, case.held)
    if verdict.cause not in right | DECIDES_NOTHING:
        mistakes.insert(0, f"the cause is {' or '.join(cause.value for cause in right)}")
    elif verdict.cause in right:
        mistakes += [f"it does not say “{word}”" for word in case.says if word not in words]
    if mistakes:
        return WRONG, "; ".join(mistakes)
    return (RIGHT, "") if verdict.cause in right else (OPEN, verdict.why)


def beyond(what: str, figure: Estimate | None, bounds: list[float] | None) -> list[str]:
    """Say so where the whole interval of a figure is out of its bounds; one without ends decides nothing."""
    if figure is None or bounds is None or not figure.decided:
        return []
    least, most = bounds
    if figure.low <= most and figure.high >= least:
        return []
    return [f"{what} should be {least:g} to {most:g}, not {figure:.2f}"]


def outcome(case: Public, tries: int, whole: bool) -> str:
    """Measure a case, print its row, and return what its answer is."""
    for _ in range(tries):
        try:
            answer = ask(case)
        except MissingError as reason:
            print(f"{case.id:22} {MISSING}: {reason}", flush=True)
            return MISSING
        found, why = judged(case, answer)
        if found is not OPEN:
            break
    f = answer.figures
    figures = f"{cell(f.subject):>8}  {cell(f.processes):>9}  {share(f.held):>5}"
    print(f"{case.id:22} {figures}  {found:11}  {answer.verdict.head}{why and f': {why}'}", flush=True)
    if whole and found is not RIGHT:
        print(f"\n{answer.text}", flush=True)
    return found


def main() -> None:
    """Print a row for every case, and how many came out how."""
    cases = {made["id"]: Public(**made) for made in json.loads(CASES.read_text("utf-8"))}
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("id", nargs="*", help=", ".join(cases))
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    if unknown := [name for name in asked.id if name not in cases]:
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(cases)}")
    print(f"{'case':22} {'threads':>8}  {'processes':>9}  {'held':>5}  {'it is':11}  verdict")
    counts = Counter(outcome(cases[name], max(1, asked.tries), asked.show) for name in asked.id or cases)
    print(", ".join(f"{counts[word]} {word}" for word in (RIGHT, OPEN, WRONG, MISSING)))
    sys.exit(counts[WRONG] > 0)


if __name__ == "__main__":
    main()
