"""Claims on what goes wrong: crashes, kills, races, leaks."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from functools import partial

from gilkit.display.units import nbytes, seconds
from gilkit.machine import memory
from gilkit.results.stats import FEWEST_ROUNDS, estimate
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.claim import Figures, Finding, Ruling, above, all_of, claim, negated, ruled

CALL, QUICK_CALL = 10.0, 0.5  # seconds of a call into C
SOON = 0.1  # of such a call, within which something is called prompt
UNTIL_INTERRUPT = 0.3  # seconds until an interrupt
RACERS, ADDED = 4, 200_000
LEAK = 32_000_000  # bytes
KEPT, GONE = 0.8, 0.2  # of a leak: it is still there from here on, and is gone up to there


def _no_signals() -> str | None:
    return "this system has no POSIX signals" if os.name == "nt" else None


def _status(code: int) -> str:
    """What an exit status says."""
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _killable(f: Figures) -> Finding:
    length = f.facts["length"]
    kills = {way: estimate(f.facts[way]) for way in ("terminate", "kill")}
    ends = estimate([late for variant in ("gil", "nogil") for late in f.facts[f"ended {variant}"]])
    noticed = {variant: estimate(f.facts[f"noticed {variant}"]) for variant in ("gil", "nogil")}
    prompt = all_of(negated(above(kill, SOON * length)) for kill in kills.values())
    whole = above(ends, (1 - SOON) * length)
    keep, let_go = f.keeping
    return ruled(
        all_of([prompt, whole]),
        f"inside a call of {length:g} s, a process ends {seconds(kills['terminate'])} after terminate() and "
        f"{seconds(kills['kill'])} after kill(); a thread ends when the call does, after {seconds(ends)}. An "
        f"interrupt reaches the main thread after {seconds(noticed['gil'])} beside calls that {keep}, after "
        f"{seconds(noticed['nogil'])} beside calls that {let_go}",
        "nothing reaches a thread inside a call into C; what must be stoppable belongs in a process",
        "a kill was not prompt, or a thread was stopped",
    )


@claim(
    "killable", "A child process can be killed, a thread cannot.", _killable, missing=_no_signals
)  # fmt: skip
def killable(bench: Bench) -> None:
    """A process can be killed at any time, a thread cannot.

    Method: processes call `sleep` for 10 s (quick: 0.5 s), with the GIL held and released; the time from
    `terminate()` or `kill()` to the end of each. In others, a thread makes the same call, and the process
    gets a real interrupt: when did the main thread notice, and when did the thread end?
    Limits: a call into C. Python code on a thread can be asked to end, by an event or an exception.
    """
    length = bench.facts["length"] = QUICK_CALL if bench.quick else CALL

    def killed(way: str, variant: str) -> float:
        with launch.program("failing.inside", variant, length) as child:
            child.told()
            time.sleep(0.05)
            begin = time.perf_counter()
            getattr(child.process, way)()
            child.process.wait()
            taken = time.perf_counter() - begin
        bench.found(way, taken)
        return taken

    bench.rounds(
        {
            (f"{way} {variant}", "processes", 1): partial(killed, way, variant)
            for variant in ("gil", "nogil")
            for way in ("terminate", "kill")
        },
        FEWEST_ROUNDS // 2,  # either way has both variants
    )
    _interrupt(bench, length)


def _interrupt(bench: Bench, length: float) -> None:
    """Interrupt programs whose threads are inside a call: all at one time, as they only sleep."""
    variants = ("gil", "nogil") * FEWEST_ROUNDS
    with ExitStack() as stack:
        children = [
            (variant, stack.enter_context(launch.program("failing.interrupted", variant, length)))
            for variant in variants
        ]
        for _, child in children:
            child.told()
        bench.say(f"waiting for calls of {length:g} s")
        time.sleep(UNTIL_INTERRUPT)
        sent = []
        for _, child in children:
            sent.append(time.perf_counter())
            child.process.send_signal(signal.SIGINT)
        for (variant, child), begin in zip(children, sent, strict=True):
            seen = child.told()
            bench.found(f"noticed {variant}", max(0.0, seen["noticed"] - begin))
            bench.found(f"ended {variant}", seen["ended"] - seen["begin"])


def _crash(f: Figures) -> Finding:
    thread, process, pool = (f.facts[kind] for kind in ("thread", "process", "pool"))
    died = thread["status"] < 0
    survived = process["status"] == pool["status"] == 0 and process["other"] == "well"
    measured = (
        f"a segmentation fault on a thread ended its whole program {_status(thread['status'])}; in a "
        f"process, that process ended {_status(process['crashed'])}, its neighbour "
        + ("did its work" if process["other"] == "well" else process["other"])
        + f", and the program went on to end {_status(process['status'])}"
    )
    if died and survived and pool["other"] != "well":
        why = (
            "on how it was started: a Process of its own spares the others, a ProcessPoolExecutor ends all "
            f"of its workers ({pool['other']}), though not the program"
        )
        return Finding(Ruling.DEPENDS, why, measured)
    return ruled(
        died and survived,
        measured,
        "threads share the memory that one of them may break, processes do not",
        "a thread's crash was survived, or a process's was not",
    )


@claim(
    "crash", "A crashing process spares the others, a crashing thread does not.", _crash, missing=_no_signals
)  # fmt: skip
def crash(bench: Bench) -> None:
    """A crash in a process spares the others, a crash in a thread does not.

    Method: three programs in which a worker reads address 0, a real segmentation fault: a thread, a
    `Process` beside another, and a worker of a `ProcessPoolExecutor` beside another; the exit statuses are
    read.
    Limits: one kind of crash. What a crashed process had locked or half written in shared memory stays so.
    """
    for kind in ("thread", "process", "pool"):
        bench.say(f"a segmentation fault in a {kind}")
        status, lines = launch.ended("failing.crash", kind)
        bench.facts[kind] = {"status": status, **(lines[0] if lines else {})}


def _race(f: Figures) -> Finding:
    lost = {kind: [due - got for due, got in f.facts[kind]] for kind in f.facts}
    due = f.facts["threads"][0][0]
    measured = (
        f"of {due:,} additions to one number, {RACERS} threads lost {max(lost['threads']):,} without a "
        f"lock, and {max(lost['threads, locked'])} of {f.facts['threads, locked'][0][0]:,} with one; of as "
        f"many as without, processes that share it lost {max(lost['processes']):,}, and a pool, where each "
        f"has its own, {max(lost['pool'])}"
    )
    if any(lost["threads, locked"]):
        return Finding(Ruling.REFUTED, "additions were lost even with a lock", measured)
    if any(lost["threads"]):
        why = "reading and writing back are two steps, GIL or not"
        why += "; so they are for processes that share memory" if any(lost["processes"]) else ""
        return Finding(Ruling.HOLDS, why, measured)
    return Finding(
        Ruling.UNDECIDED, "nothing was lost this time, which does not prove that nothing can be", measured
    )


@claim("race", "Threads need locks.", _race)
def race(bench: Bench) -> None:
    """Threads that write to the same data need locks.

    Method: workers add 1 to a number by reading it, calling a function and writing its result back: threads
    without and with a lock, processes that share the number, and a pool, where each has its own and the
    sums are added up. What is missing from the sum was lost, in the worst of a few rounds; with a lock, there
    are a tenth as many additions.
    Limits: a race need not happen. CPython hands the GIL over in certain places only, such as calls, so
    that other code may never lose anything on one version, and does on another.
    """
    runs = {
        "threads": ("threads", False),
        "threads, locked": ("threads", True),
        "processes": ("processes", False),
        "pool": ("pool", False),
    }

    def raced(name: str, kind: str, locked: bool) -> None:
        added = ADDED // (10 if locked else 1)
        bench.found(name, launch.said("failing.race", kind, RACERS, added, locked)[0])

    bench.repeat({name: partial(raced, name, *run) for name, run in runs.items()}, FEWEST_ROUNDS)


def _leak(f: Figures) -> Finding:
    kept = {kind: estimate([n / LEAK for n in f.facts[kind]]) for kind in ("thread", "process")}
    shown = {kind: nbytes(max(0.0, float(kept[kind]) * LEAK)) for kind in kept}
    return ruled(
        all_of([above(kept["thread"], KEPT), negated(above(kept["process"], GONE))]),
        f"of {nbytes(LEAK)} that a worker leaked, {shown['thread']} were still held after a thread had "
        f"ended, {shown['process']} after a process had",
        "memory belongs to the process: it comes back when that ends",
        "a thread's leak went with it, or a process's stayed",
    )


@claim("leak", "A leak in a thread harms the whole process.", _leak)
def leak(bench: Bench) -> None:
    """What a thread leaks stays with the process.

    Method: a worker puts 32 MB into a list of its module and ends, a thread or a process; the memory of the
    program and all its processes, before and after.
    Limits: memory that is still referenced. What a thread frees may stay with the allocator, too.
    """

    def leaked(kind: str) -> None:
        with launch.program("memory.leak", kind, LEAK) as child:
            child.told()
            before = memory(child.pid)
            child.tell()
            child.told()
            bench.found(kind, memory(child.pid) - before)

    bench.repeat({kind: partial(leaked, kind) for kind in ("thread", "process")}, FEWEST_ROUNDS)
