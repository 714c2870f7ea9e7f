"""Claims on those that hold the GIL, and on those that wait for them; or for the world to stop."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median

from gilkit import machine
from gilkit.display.units import lined, seconds
from gilkit.kernels import lcg
from gilkit.results.stats import FEWEST_ROUNDS, quantile
from gilkit.studies.claims.bench import Bench, kernel_call
from gilkit.studies.claims.claim import (
    Figures,
    Finding,
    Ruling,
    above,
    all_of,
    claim,
    negated,
    releases,
    ruled,
    told_share,
)
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.workload import Workload

TICK = 0.001  # seconds between ticks
LATE = 0.020  # seconds of lateness from which a program does not respond: a frame or so
CALL_LENGTHS = {"gil-1ms": 0.001, "gil-10ms": 0.01, "gil-100ms": 0.1, "nogil": 0.01}  # seconds of a call
ALONE = ("none", "process")  # what keeps no thread busy
COLLECTED = "-collected"  # behind which garbage is collected, too
COLLECTIONS = [what + COLLECTED for what in ("none", "nogil", "gil-100ms")]
PAUSE_BETWEEN = 0.01  # seconds from one collection to the next
BEHIND = {
    "none": "nothing",
    "python": "pure Python",
    "gil-1ms": "calls of 1 ms {kept}",
    "gil-10ms": "calls of 10 ms {kept}",
    "gil-100ms": "calls of 100 ms {kept}",
    "nogil": "calls of 10 ms {released}",
    "process": "a process",
    "none-collected": "garbage collection",
    "nogil-collected": "calls of 10 ms {released}, and collection",
    "gil-100ms-collected": "calls of 100 ms {kept}, and collection",
}
IN_C = {  # calls in which no bytecode runs
    "sorted": ("import random", "a = [random.random() for _ in range(50_000)]", "sorted(a)"),
    "multiplied": ("big = 3 ** 100_000", "big * big"),
}
WATCHED_CALLS = {
    "python": "a loop in pure Python",
    "sorted": "sorted(a), a list of floats",
    "multiplied": "big * big, two long integers",
    "released": "C code that releases it",
}


def _per_second() -> float:
    """Iterations of the compiled `lcg` in a second."""
    begin = time.perf_counter()
    lcg.gil(1_000_000)
    return 1e6 / (time.perf_counter() - begin)


def _collect() -> None:
    gc.collect()
    time.sleep(PAUSE_BETWEEN)


def _jobs(what: str) -> list[Callable[[], None]]:
    """Return what each thread behind does again and again."""
    call = what.removesuffix(COLLECTED)
    jobs: list[Callable[[], None]] = [_collect] if what.endswith(COLLECTED) else []
    if call in ALONE:
        return jobs
    loops = int(_per_second() * CALL_LENGTHS[call]) if call in CALL_LENGTHS else 20_000
    body = lcg.python if call == "python" else lcg.nogil if call == "nogil" else lcg.gil
    return [*jobs, partial(body, loops)]


@contextmanager
def _behind(what: str) -> Iterator[None]:
    """Keep threads busy meanwhile."""
    stop = threading.Event()

    def run(job: Callable[[], None]) -> None:
        while not stop.is_set():
            job()

    threads = [threading.Thread(target=run, args=(job,)) for job in _jobs(what)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def ticks(what: str, length: float) -> list[float]:
    """In the host process: sleep for a millisecond, again and again; seconds that each was late."""
    late = []
    with _behind(what):
        until = time.perf_counter() + length
        while (begin := time.perf_counter()) < until:
            time.sleep(TICK)
            late.append(max(0.0, time.perf_counter() - begin - TICK))
    return late


def _busy(seconds: float) -> None:
    """In a process of a pool: compute for so long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        lcg.python(10_000)


def _occupied(pool: ProcessPoolExecutor, bench: Bench, length: float) -> list[float]:
    future = pool.submit(_busy, length)
    late = bench.lab.call(ticks, "process", length)
    future.result()
    return late


def _responsive(f: Figures) -> Finding:
    kept, released = ("with the GIL", "without it") if f.gil else ("attached", "detached")
    p99 = {what: f.time(what) for what in BEHIND if (what, "threads", 1) in f.series}
    named = {what: BEHIND[what].format(kept=kept, released=released) for what in p99}
    middle = {what: median(f.facts[f"p50 {what}"]) for what in p99}
    worst = {what: max(f.facts[f"max {what}"]) for what in p99}
    rows = [[named[w], seconds(middle[w]), seconds(p99[w]), seconds(worst[w])] for w in p99]
    measured = lined(
        "how late is a tick each millisecond, beside what runs behind it?",
        [["", "median", "99 %", "most"], *rows],
    )
    prompt = {what: negated(above(p99[what], LATE)) for what in p99 if what not in ALONE}
    if negated(above(p99["none"], LATE)) is not True:
        why = "with nothing behind them ticks are late already: the machine is too busy to tell"
        return Finding(Ruling.UNDECIDED, why, measured)
    if True in prompt.values() and False in prompt.values():
        late = ", ".join(named[what] for what, answer in prompt.items() if answer is False)
        why = "on what runs behind them"
        if f.gil:
            why = "on how long a call keeps the GIL"
        elif prompt.get("gil-100ms-collected") is False and all(
            prompt.get(what)
            for what in ("none-collected", "nogil-collected")  # as late without them?
        ):
            why = "on calls that stay attached: a collection stops the world, so all wait until they end"
        return Finding(Ruling.DEPENDS, f"{why}; more than {seconds(LATE)} late behind {late}", measured)
    return ruled(
        all_of(prompt.values()),
        measured,
        f"whatever ran behind them, 99% of the ticks were less than {seconds(LATE)} late",
        f"whatever ran behind them, ticks were more than {seconds(LATE)} late",
    )


@claim("responsive", "Threads keep a program responsive.", _responsive, cpus=2, quiet=True)
def responsive(bench: Bench) -> None:
    """Work on a thread leaves a program responsive.

    Method: one thread sleeps for a millisecond, again and again, while behind it runs: nothing, pure
    Python, calls that hold the GIL for 1, 10 and 100 ms, calls that release it, or pure Python in a
    process. How late is it? Without a GIL also while another thread collects garbage, which stops all.
    Limits: one thread behind, and a CPU for each. Late is more than 20 ms, about a frame of a screen.
    """
    length = 0.15 if bench.quick else 0.4

    def lateness(what: str) -> float:
        if what == "process":
            late = bench.lab.through("processes", _occupied, bench, length)
        else:
            late = bench.lab.call(ticks, what, length)
        bench.found(f"p50 {what}", median(late))
        bench.found(f"max {what}", max(late))
        return quantile(late, 0.99)

    tried = [what for what in BEHIND if not (machine.gil_enabled() and what in COLLECTIONS)]
    bench.rounds(
        {(what, "threads", 1): partial(lateness, what) for what in tried},
        FEWEST_ROUNDS,
        0.1 if bench.quick else 10.0,
    )


def _only_bytecode(f: Figures) -> Finding:
    held = f.facts["held"]
    measured = lined(
        "for how much of its time each holds the GIL:",
        [[title, told_share(held[name][0])] for name, title in WATCHED_CALLS.items()],
    )
    if f.facts["note"]:
        return Finding(Ruling.UNDECIDED, f"that was not told: {f.facts['note']}", measured)
    free = {name: releases(f.share(name)) for name in IN_C}
    if False in free.values():
        kept = " and ".join(WATCHED_CALLS[name] for name, answer in free.items() if answer is False)
        why = f"C code keeps it until it releases it itself: no bytecode runs in {kept}"
        return Finding(Ruling.REFUTED, why, measured)
    return ruled(all_of(free.values()), measured, "calls into C released it here", "")


@claim(
    "only-bytecode", "The GIL is held only while bytecode runs.", _only_bytecode, cpus=2, quiet=True,
    missing=lambda: None if machine.gil_enabled() else "there is no GIL here",
    seconds=1.5,
)  # fmt: skip
def only_bytecode(bench: Bench) -> None:
    """The GIL is held only while the interpreter runs bytecode.

    Method: for what share of its time, by the monitor, the GIL is held by a loop in plain Python; by `sorted`
    of a list of floats and the product of two long integers, each one call into C of milliseconds that runs
    no bytecode; and by a compiled loop that releases it.
    Limits: two calls of many. Which of your own release it `gilkit timeit` tells.
    """
    work: dict[str, Workload] = {
        "python": kernel_call("lcg", "python"),
        **{name: StatementCall("; ".join(setup), call) for name, (*setup, call) in IN_C.items()},
        "released": kernel_call("lcg", "nogil"),
    }
    bench.watch(work)
