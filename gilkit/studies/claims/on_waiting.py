"""Claims on waiting: for I/O, and for those that hold the GIL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np

from gilkit.display.units import lined, seconds
from gilkit.kernels import lcg
from gilkit.results.stats import FEWEST_ROUNDS, Estimate, estimate, paired
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.claim import Figures, Finding, Ruling, above, all_of, claim, negated, ruled

TICK = 0.001  # seconds between ticks
LATE = 0.020  # seconds of lateness from which a program does not respond: a frame or so
CALL_LENGTHS = {"gil-1ms": 0.001, "gil-10ms": 0.01, "gil-100ms": 0.1, "nogil": 0.01}  # seconds of a call
BEHIND = {
    "none": "nothing",
    "python": "pure Python",
    "gil-1ms": "calls of 1 ms with the GIL",
    "gil-10ms": "calls of 10 ms with the GIL",
    "gil-100ms": "calls of 100 ms with the GIL",
    "nogil": "calls of 10 ms without it",
    "process": "a process",
}
SAME_PART = 0.05  # the part of a wait that is called the same
URLS, ANSWER = 5, 0.050  # how many are fetched; seconds until the server answers
GAIN = 2.0  # times as fast from which a way is a great option


def _per_second() -> float:
    """Iterations of the compiled `lcg` in a second."""
    begin = time.perf_counter()
    lcg.gil(1_000_000)
    return 1e6 / (time.perf_counter() - begin)


@contextmanager
def _behind(what: str) -> Iterator[None]:
    """Keep a thread busy meanwhile."""
    if what in ("none", "process"):
        yield
        return
    loops = int(_per_second() * CALL_LENGTHS[what]) if what in CALL_LENGTHS else 20_000
    call = lcg.python if what == "python" else lcg.nogil if what == "nogil" else lcg.gil
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            call(loops)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
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
    p99 = {what: f.time(what) for what in BEHIND if (what, "threads", 1) in f.series}
    middle = {what: float(np.median(f.facts[f"p50 {what}"])) for what in p99}
    worst = {what: max(f.facts[f"max {what}"]) for what in p99}
    rows = [[BEHIND[w], seconds(middle[w]), seconds(p99[w]), seconds(worst[w])] for w in p99]
    measured = lined(
        "how late is a tick each millisecond, beside what runs behind it?",
        [["", "median", "99 %", "most"], *rows],
    )
    behind = [what for what in p99 if what not in ("none", "process")]
    prompt = {what: negated(above(p99[what], LATE)) for what in behind}
    if negated(above(p99["none"], LATE)) is not True:
        why = "with nothing behind them ticks are late already: the machine is too busy to tell"
        return Finding(Ruling.UNDECIDED, why, measured)
    if True in prompt.values() and False in prompt.values():
        late = ", ".join(BEHIND[what] for what, answer in prompt.items() if answer is False)
        why = f"on how long a call keeps the GIL: more than {seconds(LATE)} late behind {late}"
        return Finding(Ruling.DEPENDS, why, measured)
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
    process. How late is it?
    Limits: one thread behind, and a CPU for each. Late is more than 20 ms, about a frame of a screen.
    """
    length = 0.15 if bench.quick else 0.4

    def lateness(what: str) -> float:
        if what == "process":
            late = bench.lab.through("processes", _occupied, bench, length)
        else:
            late = bench.lab.call(ticks, what, length)
        p50, p99 = np.quantile(late, [0.5, 0.99])
        bench.found(f"p50 {what}", float(p50))
        bench.found(f"max {what}", max(late))
        return float(p99)

    bench.rounds(
        {(what, "threads", 1): partial(lateness, what) for what in BEHIND},
        FEWEST_ROUNDS,
        0.1 if bench.quick else 10.0,
    )


def _io_same(f: Figures) -> Finding:
    wait = f.facts["wait"]
    counts = f.counts("sleep", "threads")
    more = {n: _more(f, n) for n in counts}
    rows = [
        [
            f"{n} worker{'s' * (n > 1)}",
            *(seconds(f.time("sleep", kind, n)) for kind in ("threads", "processes")),
        ]
        for n in counts
    ]
    measured = lined(
        f"waits of {wait:g} s, start and end of the workers included:", [["", "threads", "processes"], *rows]
    )
    most = max(more, key=lambda n: more[n])
    cost = more[most]
    longer = above(cost, 0.0)
    twice = above(cost, wait)
    if longer and twice is False:
        why = (
            f"on how long the wait is: {most} {'processes take' if most > 1 else 'process takes'} "
            f"{seconds(cost)} more to start and to end, which is {SAME_PART:.0%} or less of waits "
            f"from {seconds(cost / SAME_PART)} on"
        )
        return Finding(Ruling.DEPENDS, why, measured)
    return ruled(
        None if longer and twice is None else negated(longer),
        measured,
        "processes took no longer, their start and end included",
        "processes took twice as long and more, by their start and end alone",
    )


def _more(f: Figures, workers: int) -> Estimate:
    """Return by how many seconds processes took longer than threads, round by round."""
    apart, together = (f.series["sleep", executor, workers] for executor in ("processes", "threads"))
    rows = [(apart[id_], together[id_]) for id_ in paired(apart, together)]
    return estimate([processes - threads for processes, threads in rows])


@claim("io-same", "For I/O-bound work threads and processes are the same.", _io_same)
def io_same(bench: Bench) -> None:
    """Threads and processes are equally good at waiting.

    Method: workers that sleep for 1 s (quick: 0.1 s), as many as one, as CPUs and twice as many; from
    before the start of the first until after the end of the last.
    Limits: waits that send nothing back. The start of a process weighs more on shorter waits.
    """
    wait = bench.facts["wait"] = 0.1 if bench.quick else 1.0
    counts = bench.counts
    for row in launch.said("working.io", wait, counts, FEWEST_ROUNDS):
        for place, taken in enumerate(row):
            kind = ("threads", "processes")[place % 2]
            bench.note(taken, "sleep", kind, counts[place // 2])


def _io_threads(f: Figures) -> Finding:
    gain = f.ratio(("fetch", "serial", 1), ("fetch", "threads", URLS))
    apart = f.ratio(("fetch", "serial", 1), ("fetch", "processes", URLS))
    return ruled(
        above(gain, GAIN),
        f"{URLS} URLs whose server answers after {seconds(ANSWER)}: one after another "
        f"{seconds(f.time('fetch', 'serial'))}, on {URLS} threads "
        f"{seconds(f.time('fetch', 'threads', URLS))}, in {URLS} processes "
        f"{seconds(f.time('fetch', 'processes', URLS))}",
        f"threads wait together: {gain:.1f} times as fast as one after another, processes {apart:.1f} times",
        "threads were not much faster than one after another",
    )


@claim("io-threads", "Threads are a great option for I/O.", _io_threads)
def io_threads(bench: Bench) -> None:
    """Threads are good at waiting for I/O.

    Method: five URLs by `urllib.request.urlopen`, one after another, by a `ThreadPoolExecutor` and by a
    `ProcessPoolExecutor` of five, the pool's start included, from an HTTP server on 127.0.0.1, in a process
    of its own, that answers after 50 ms.
    Limits: small answers over the loopback interface; the server sleeps, and computes nothing.
    """
    with launch.program("working.serve", ANSWER) as server:
        for row in launch.said("working.fetch", server.told(), URLS, FEWEST_ROUNDS):
            for kind, taken in zip(("serial", "threads", "processes"), row, strict=True):
                bench.note(taken, "fetch", kind, 1 if kind == "serial" else URLS)
