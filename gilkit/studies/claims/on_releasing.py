"""Claims on real calls: which release the GIL, and what threads are."""

from __future__ import annotations

import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from functools import lru_cache, partial
from typing import Any

from gilkit.display.units import lined, times
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import data, lcg, primes
from gilkit.results.stats import FEWEST_ROUNDS, Estimate
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.claim import (
    NO_GAIN,
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

STREAM = 32_000_000  # bytes that are decompressed
QUICK_NUMBERS = 2  # of the six
REAL_CALLS = {
    "np.sort": ("a = numpy.random.default_rng(0).random(500_000)", "numpy.sort(a)"),
    "np.sqrt": ("a = numpy.random.default_rng(0).random(1_000_000); b = a.copy()", "numpy.sqrt(a, out=b)"),
    "objects": ("a = numpy.arange(200_000).astype(object)", "a + a"),
}
TITLES = {"np.sort": "np.sort", "np.sqrt": "the ufunc np.sqrt", "objects": "adding object arrays"}


def _tested(variant: str, number: int) -> bool:
    """Whether a number is prime, by a variant of `primes`."""
    import numpy as np

    return bool(primes.variant(variant)(np.array([number], dtype=np.int64))[0])


def tested(executor: str | Executor, variant: str, workers: int, count: int) -> float:
    """Test the first numbers in a pool, a task each: seconds. Of threads, in the host process."""
    pool = EXECUTORS[executor].start(workers) if isinstance(executor, str) else executor
    numbers = data.PRIME_CANDIDATES[:count]
    try:
        list(pool.map(partial(_tested, variant), [3] * workers))  # all are there
        begin = time.perf_counter()
        found = list(pool.map(partial(_tested, variant), numbers))
        taken = time.perf_counter() - begin
    finally:
        if isinstance(executor, str):
            pool.shutdown()
    if found != [number != data.PRIME_CANDIDATES[-1] for number in numbers]:
        raise ValueError("a number was found to be what it is not")
    return taken


def _six_primes(f: Figures) -> Finding:
    def gain(variant: str, executor: str) -> Estimate:
        return f.ratio((variant, "serial", 1), (variant, executor, f.cpus))

    processes, threads = gain("python", "processes"), gain("python", "threads")
    keep, let_go = f.keeping
    if not f.gil and above(threads, NO_GAIN):
        why = "so do threads: there is no GIL"
    elif above(gain("nogil", "threads"), NO_GAIN):
        why = "so do threads, if the test releases the GIL"
    else:
        why = "it takes more than one interpreter, or none that is locked"
    return ruled(
        above(processes, NO_GAIN),
        f"{f.facts['numbers']} numbers in pure Python: {f.cpus} processes are {times(processes)} as fast as "
        f"one worker, {f.cpus} threads {times(threads)}; compiled, threads whose calls {keep} "
        f"{times(gain('gil', 'threads'))}, and whose calls {let_go} {times(gain('nogil', 'threads'))}",
        why,
        "processes were no faster than one worker",
    )


@claim(
    "primes",
    "ProcessPoolExecutor speeds up six primality tests.",
    _six_primes,
    cpus=2,
    quiet=True,
    seconds=15.0,
)
def six_primes(bench: Bench) -> None:
    """A process pool speeds up the six primality tests of the documentation.

    Method: the six numbers of `primes` (quick: two), a task each, one after another, on as many threads as
    CPUs and in the processes of a pool; in plain Python, and compiled with the GIL held and released.
    Limits: the pools are warm; to start one costs tens of milliseconds more. Six tasks do not divide evenly
    among every number of workers.
    """
    count = QUICK_NUMBERS if bench.quick else len(data.PRIME_CANDIDATES)
    bench.facts["numbers"] = count
    runs: dict[tuple[str, str, int], Callable[[], float]] = {}
    for variant in ("python", "gil", "nogil"):
        for executor, workers in (("serial", 1), ("threads", bench.cpus)):
            runs[variant, executor, workers] = partial(
                bench.lab.call, tested, executor, variant, workers, count
            )
    runs["python", "processes", bench.cpus] = partial(
        bench.lab.through, "processes", tested, "python", bench.cpus, count
    )
    bench.rounds(runs, FEWEST_ROUNDS, 1.0 if bench.quick else 10.0)


@lru_cache(maxsize=1)
def stream() -> bytes:
    """A zlib stream of 32 MB of source text; for the workers."""
    return zlib.compress(data.library_source(STREAM), 1)


def _gzip(f: Figures) -> Finding:
    gain = f.speedup("decompress", "threads")
    return ruled(
        negated(above(gain, 1.0)),
        f"{f.cpus} threads that each decompress 32 MB do {times(gain)} the work of one",
        "they lose by it",
        "zlib releases the GIL while it works" if f.gil else "nothing keeps them from running at once",
    )


@claim(
    "gzip", "Threads hinder CPU-heavy work, such as decompressing gzip.", _gzip, cpus=2, quiet=True
)  # fmt: skip
def gzip(bench: Bench) -> None:
    """Threads hinder the decompression of gzip.

    Method: `zlib.decompress`, which gzip uses, of a stream of 32 MB of text, on one thread and on as many
    as CPUs, each the whole.
    Limits: from memory to memory. `gzip.open(...).read()` in small pieces goes through Python between them.
    """
    setup = f"import zlib, {__name__} as here; z = here.stream()"
    work = StatementCall(setup, "zlib.decompress(z)")
    bench.compare([("decompress", "threads", bench.cpus, work)])


def _numpy_releases(f: Figures) -> Finding:
    gains = {name: f.speedup(name, "threads") for name in REAL_CALLS}
    held: dict[str, list[Any]] = f.facts["held"]
    measured = lined(
        f"what {'holds the GIL' if f.gil else 'stays attached'} for how much of a call, and what {f.cpus} "
        "threads do of the work of one:",
        [[TITLES[name], told_share(held[name][0]), times(gains[name])] for name in REAL_CALLS],
    )
    untold = [TITLES[name] for name, (share, _) in held.items() if share is None]
    if untold:
        why = f"for how much of {' and '.join(untold)} the GIL is held was not told: {f.facts['note']}"
        return Finding(Ruling.UNDECIDED, why, measured)
    if f.facts["note"]:
        return Finding(Ruling.UNDECIDED, f"there is nothing to release: {f.facts['note']}", measured)
    answers = {name: releases(f.share(name)) for name in held}
    if True in answers.values() and False in answers.values():
        yes, no = (
            " and ".join(TITLES[name] for name, answer in answers.items() if answer is wanted)
            for wanted in (True, False)
        )
        what = "release it" if f.gil else "detach, which is what releasing is without a GIL"
        why = f"on what it works on: {yes} {what}, {no} cannot, as it works on Python objects"
        return Finding(Ruling.DEPENDS, why, measured)
    return ruled(all_of(answers.values()), measured, "all three do", "none of the three does")


@claim("numpy-releases", "NumPy releases the GIL.", _numpy_releases, cpus=2, quiet=True)
def numpy_releases(bench: Bench) -> None:
    """NumPy releases the GIL while it computes.

    Method: `np.sort`, the ufunc `np.sqrt` and the sum of two object arrays, each of milliseconds: the share
    of a call that holds the GIL, from the monitor, and the work of as many threads as CPUs. Without a GIL,
    the share for which its thread stays attached.
    Limits: large arrays. On small ones the part of a call that holds the GIL is most of it (`gilkit
    threshold`).
    """
    work = {name: StatementCall("import numpy; " + setup, call) for name, (setup, call) in REAL_CALLS.items()}
    bench.watch(work)
    bench.compare((name, "threads", bench.cpus, call) for name, call in work.items())


def _cpu_number() -> Callable[[], int] | None:
    """Return a function that tells on which CPU the calling thread runs, where the system tells."""
    if sys.platform != "linux":
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), "sched_getcpu", None)


def seen(workers: int, length: float) -> dict[str, list[Any]]:
    """In the host process: run threads; the native id of each, and the CPUs that it was seen on."""
    where = _cpu_number()
    gate = threading.Barrier(workers)
    ids: list[int] = []
    cpus: list[list[int]] = []

    def run() -> None:
        mine: set[int] = set()
        gate.wait()
        until = time.perf_counter() + length
        while time.perf_counter() < until:
            lcg.nogil(10_000)
            if where is not None:
                mine.add(where())
        ids.append(threading.get_native_id())
        cpus.append(sorted(mine))
        gate.wait()

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"ids": ids, "cpus": cpus}


def _one_os_thread(f: Figures) -> Finding:
    ids, cpus = f.facts["ids"], f.facts["cpus"]
    used = sorted({cpu for mine in cpus for cpu in mine})
    measured = f"{len(ids)} threads had {len(set(ids))} native id{'s' * (len(set(ids)) > 1)}"
    measured += f", and were seen on CPU{'s' * (len(used) > 1)} {', '.join(map(str, used))}" if used else ""
    return ruled(
        len(set(ids)) == 1,
        measured,
        "one thread of the system ran them all",
        "each is a thread of the system's own; it is the GIL that lets one at a time run Python code"
        if f.gil
        else "each is a thread of the system's own",
    )


@claim("one-os-thread", "Python threads are pseudo-threads on one OS thread.", _one_os_thread, seconds=0.5)
def one_os_thread(bench: Bench) -> None:
    """Python threads are not real threads.

    Method: twice as many threads as CPUs, alive at one time: the id that the system has for each, and the
    CPUs they run on while they compute without the GIL.
    Limits: CPUs are told on Linux only.
    """
    bench.facts.update(bench.lab.call(seen, 2 * bench.cpus, 0.1 if bench.quick else 0.3))
