"""Faults at random moments: whether a result is lost, anything is left behind, or anything hangs.

    python benchmarks/endure.py [FAULTS] [--seed N] [--only FAULT]

Starts a run of gilkit, waits for a random time, and lets one thing go wrong: a signal to it, to its group
or to one of its workers; no room for its results, from the start or all at once; too little memory; a
statement that hangs. Each run has a temporary folder and a mark of its own, by which whatever it leaves is
found. A fault that comes when the run has ended does not count: another run is made for it.

Columns: the fault; how often it was tried; runs whose results were lost (a file that was there, or of a run
that says it measured something, cannot be read afterwards), that left processes or files behind, that did
not end, that printed a traceback, and that ended with another status than this fault has. What a killed run
leaves in its temporary folder has to be gone after the next start. Exits with 1 if there is any.

300 faults (the default) take about 45 minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

import gilkit
from gilkit.errors import ResultsError

MARK = "GILKIT_ENDURE"
LONGEST = 300.0  # seconds in which a run ends: ten times what it takes at the most
LATEST = 4.0  # seconds after it began at which a fault comes
COMPARE = ["compare", "lcg", "sleep", "--workers", "2", "--size", "2000", "--rounds", "12"]
THRESHOLD = ["threshold", "lcg", "--workers", "2"]
SCALING = ["scaling", "--workers", "1,2"]
COSTS = ["costs", "start", "submit"]
TIMEIT = ["timeit", "--workers", "1,2", "--rounds", "4", "--timeout", "5", "-s"]
LARGE = [*TIMEIT, "b = bytes(50_000_000)", "b"]  # sent and sent back: pipes are full most of the time
NEXT = "from gilkit.engine.scratch import folder; folder()"
LOST, LEFT, HUNG, TRACEBACK, STATUS = "lost", "left", "hung", "traceback", "status"

Fault = Callable[[psutil.Process, random.Random], None]


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what is run, what goes wrong, how it may end, and the memory that it may have."""

    command: list[str]
    fault: Fault
    statuses: tuple[int, ...]
    memory: int = 0
    output: str = ""
    killed: bool = False


def to_it(number: signal.Signals) -> Fault:
    """Send a signal to the run alone."""
    return lambda process, _: process.send_signal(number)


def to_group(number: signal.Signals) -> Fault:
    """Send a signal to all processes of the run, as a terminal does."""
    return lambda process, _: os.killpg(process.pid, number)


def to_worker(number: signal.Signals) -> Fault:
    """Send a signal to one of its processes."""

    def fault(process: psutil.Process, chance: random.Random) -> None:
        # Not to the server that they come from, nor to the tracker of resources: those are Python's own.
        if workers := [worker for server in process.children() for worker in server.children()]:
            chance.choice(workers).send_signal(number)

    return fault


def twice(process: psutil.Process, chance: random.Random) -> None:
    """Press Ctrl-C twice."""
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(chance.uniform(0, 2))
    os.killpg(process.pid, signal.SIGINT)


def full(process: psutil.Process, _: random.Random) -> None:
    """Let nothing more be written to any file, as on a disk that is full."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))


def nothing(_: psutil.Process, __: random.Random) -> None:
    """It goes wrong by itself."""


KINDS = {
    "Ctrl-C": Kind(COMPARE, to_group(signal.SIGINT), (130,)),
    "Ctrl-C twice": Kind(COMPARE, twice, (130, -signal.SIGINT)),  # the second may find it at its end
    "Ctrl-C, much data": Kind(LARGE, to_group(signal.SIGINT), (130,)),
    "Ctrl-C, costs": Kind(COSTS, to_group(signal.SIGINT), (130,)),
    "SIGTERM": Kind(COMPARE, to_it(signal.SIGTERM), (143,)),
    "SIGTERM to all": Kind(LARGE, to_group(signal.SIGTERM), (143,)),
    "SIGTERM, threshold": Kind(THRESHOLD, to_it(signal.SIGTERM), (143,)),
    "SIGHUP to all": Kind(COMPARE, to_group(signal.SIGHUP), (129,)),
    "SIGHUP, scaling": Kind(SCALING, to_group(signal.SIGHUP), (129,)),
    "SIGKILL": Kind(COMPARE, to_it(signal.SIGKILL), (-signal.SIGKILL,), killed=True),
    "SIGKILL, scaling": Kind(SCALING, to_it(signal.SIGKILL), (-signal.SIGKILL,), killed=True),
    "a worker is killed": Kind(COMPARE, to_worker(signal.SIGKILL), (0, 1)),  # 0: of a pool of no more use
    "a worker crashes": Kind(LARGE, to_worker(signal.SIGSEGV), (0, 1)),
    "a worker stops": Kind([*COMPARE, "--timeout", "3"], to_worker(signal.SIGSTOP), (0, 1)),
    "a statement hangs": Kind([*TIMEIT, "import time", "time.sleep(600)"], nothing, (1,)),
    "too little memory": Kind([*TIMEIT, "b = bytes(10**9)", "b[:1]"], nothing, (0, 1), memory=3 * 10**9),
    "no room for results": Kind(COMPARE, nothing, (2,), output="/dev/full"),
    "a disk fills up": Kind(COMPARE, full, (0, 1, 2)),
}


def marked(mark: str) -> list[psutil.Process]:
    """The processes with such a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def gone(mark: str) -> bool:
    """Whether all processes with such a mark end; those that do not are killed."""
    until = time.monotonic() + 20
    while (left := marked(mark)) and time.monotonic() < until:
        time.sleep(0.05)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    return not left


def heeds(pid: int) -> bool:
    """Whether a process handles SIGTERM itself, as Linux tells; without that, it ends it at once."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        caught = next(line for line in lines if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return True


def traced(printed: str, killed: bool) -> bool:
    """Whether a traceback was printed.

    A process that has just begun when its parent is killed says so in Python's own words: they do not count.
    """
    for block in printed.split("Traceback (most recent call last)")[1:]:
        files = [line.split('"')[1] for line in block.splitlines() if line.startswith('  File "')]
        if not killed or any(Path(file).parent.name != "multiprocessing" for file in files):
            return True
    return False


def tried(name: str, chance: random.Random) -> set[str] | None:
    """Make one run, let it go wrong, and return what was bad about it; None if it had ended before."""
    kind, bad = KINDS[name], set()
    with tempfile.TemporaryDirectory() as folder:
        rubbish, path = Path(folder, "tmp"), Path(folder, "r.json")
        rubbish.mkdir()
        mark = uuid.uuid4().hex
        environment = {**os.environ, MARK: mark, "TMPDIR": str(rubbish), "PYTHONFAULTHANDLER": "1"}
        command = [sys.executable, "-m", "gilkit", *kind.command, "-o", kind.output or str(path)]

        def limit() -> None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # whatever is ignored here
                signal.signal(number, signal.SIG_DFL)
            if kind.memory:
                resource.setrlimit(resource.RLIMIT_AS, (kind.memory, kind.memory))

        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=limit,
        ) as process:
            while process.poll() is None and not heeds(process.pid):  # Python itself is starting
                time.sleep(0.005)
            time.sleep(chance.uniform(0, LATEST))
            there, late = path.exists(), process.poll() is not None
            with suppress(psutil.Error, ProcessLookupError):
                kind.fault(psutil.Process(process.pid), chance)
            try:
                out, err = process.communicate(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                bad.add(HUNG)
                process.send_signal(signal.SIGABRT)  # it says where it is
                gone(mark)
                out, err = process.communicate()
        if not gone(mark):
            bad.add(LEFT)
        if kind.killed:
            subprocess.run([sys.executable, "-c", NEXT], check=True, env=environment)
        if any(rubbish.iterdir()) or ("leaked" in err and not kind.killed):
            bad.add(LEFT)
        if traced(out + err, kind.killed):
            bad.add(TRACEBACK)
        if process.returncode not in kind.statuses:
            bad.add(STATUS)
        measured = not kind.killed and kind.fault is not full and "─" in out
        if path.exists() or there or (measured and not kind.output):
            try:
                repr(gilkit.load(path))
            except ResultsError:
                bad.add(LOST)
        if bad:
            print(
                f"  {name}: {sorted(bad)}, status {process.returncode}, "
                f"{list(rubbish.iterdir())}\n{out[-300:]}{err[-2000:]}",
                flush=True,
            )
    came = kind.fault is nothing or not late or process.returncode != 0
    return bad if came else None


def main() -> None:
    """Print a line for every kind of fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("faults", nargs="?", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--only", choices=KINDS)
    asked = parser.parse_args()
    chance, names = random.Random(asked.seed), [asked.only] if asked.only else list(KINDS)
    print(f"seed {asked.seed}", flush=True)
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    with suppress(KeyboardInterrupt):  # the table of those that were tried
        for number in range(asked.faults):
            name = names[number % len(names)]
            while (bad := tried(name, chance)) is None:
                pass
            counts[name].update(["tried", *bad])
            if sys.stderr.isatty():
                print(f"\r{number + 1} of {asked.faults}", end="\r", file=sys.stderr)
    columns = ("tried", LOST, LEFT, HUNG, TRACEBACK, STATUS)
    print(f"{'fault':<20}" + "".join(f"{column:>11}" for column in columns))
    counts["all"] = sum(counts.values(), Counter())
    for name, found in counts.items():
        print(f"{name:<20}" + "".join(f"{found[column]:>11}" for column in columns))
    sys.exit(any(counts["all"][column] for column in columns[1:]))


if __name__ == "__main__":
    main()
