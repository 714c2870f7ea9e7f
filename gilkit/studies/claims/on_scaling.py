"""Claims on how CPU-bound work scales."""

from __future__ import annotations

import threading
import time
from typing import Any

from gilkit import machine
from gilkit.display.units import seconds, times
from gilkit.gil.monitor import GilMonitor
from gilkit.kernels import lcg
from gilkit.results.stats import Estimate, estimate
from gilkit.studies.claims.bench import Bench, kernel_call, known, of_lcg
from gilkit.studies.claims.claim import (
    NO_GAIN,
    SCALE,
    SLOWER,
    Figures,
    Finding,
    above,
    all_of,
    claim,
    negated,
    ruled,
)
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.workload import KernelCall, Workload, ready

RUN = 0.3  # seconds of threads under the monitor
TURN = 1e-3  # seconds from which a hold counts as a turn
ONE_LIST = StatementCall("a = list(range(1000))", "for i in range(1000): a[i]", shared=True)


def turns(recipe: bytes | KernelCall, workers: int) -> dict[str, Any]:
    """In the host process: run threads under the monitor; how many had the GIL, for how long at a time."""
    until = time.perf_counter() + RUN

    def run(place: int) -> None:
        call = ready(recipe, place)
        while time.perf_counter() < until:
            call()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(workers)]
    with GilMonitor(50e-6, bridge=1e-3) as monitor:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    native = {thread.native_id for thread in threads}
    seen = [hold for hold in monitor.holds if hold.seconds >= TURN and hold.thread.native_id in native]
    held = monitor.held_share
    return {
        "note": held.note,
        "held": known(held),
        "holders": len({hold.thread.native_id for hold in seen}),
        "turn": estimate([hold.seconds for hold in seen]) if seen else 0.0,
    }


def _one_at_a_time(f: Figures) -> Finding:
    gains = {n: f.speedup("python", "threads", n) for n in f.counts("python", "threads") if n > 1}
    cpus = {n: f.spread(f"cpu python/threads/{n}") for n in gains}
    seen = f.facts.get("turns")
    measured = " and ".join(
        f"{n} threads do {times(gain)} the work of one and use {cpus[n]:.2f} CPUs"
        for n, gain in gains.items()
    )
    if seen and seen["held"] is None:
        measured += f"; for how long they held the GIL was not told: {seen['note']}"
    elif seen and not seen["note"]:
        measured += (
            f"; the monitor saw the GIL held {seen['held']:.0%} of the time, by {seen['holders']} threads in "
            f"turns of some {seconds(seen['turn'])}"
        )
    at_once = [all_of([above(gains[n], NO_GAIN), above(cpus[n], NO_GAIN)]) for n in gains]
    return ruled(
        False if True in at_once else all_of(negated(answer) for answer in at_once),
        measured,
        "they take turns: whoever runs Python code has the GIL, and there is one",
        "they run at once" + ("" if f.gil else ": this interpreter runs without a GIL"),
    )


@claim(
    "one-at-a-time",
    "Pure Python threads do not run at once.",
    _one_at_a_time,
    cpus=2,
    quiet=True,
)
def one_at_a_time(bench: Bench) -> None:
    """Pure Python threads do not run at once.

    Method: `lcg` in plain Python on one thread and on more, up to twice the CPUs: work done, and CPU time
    by wall time; then, where there is a GIL, the monitor watches who holds it, on as many threads as CPUs.
    Limits: the lock itself names one holder at a time; that nobody runs beside it, the CPU time says. The
    monitor wants a CPU of its own, and overlooks holds shorter than its interval of 50 µs.
    """
    bench.compare(("python", "threads", n, kernel_call("lcg", "python")) for n in bench.counts)
    if machine.gil_enabled():
        bench.facts["turns"] = bench.lab.call(turns, kernel_call("lcg", "python"), bench.cpus)


def _longer(f: Figures, variant: str) -> dict[int, Estimate]:
    """Return how many times as long as one thread several take for the same work."""
    counts = [n for n in f.counts(variant, "threads") if n > 1]
    return {n: f.ratio((variant, "threads", n), (variant, "threads", 1), 1 / n) for n in counts}


def _slower_with_threads(f: Figures) -> Finding:
    own, one_list = _longer(f, "python"), _longer(f, "list")
    measured = "for the same work, " + ", ".join(
        f"{n} threads take {times(ratio)} as long as one" for n, ratio in own.items()
    )
    if one_list:
        reading = ", ".join(f"{n} take {times(ratio)} as long" for n, ratio in one_list.items())
        measured += f"; where all read one list, {reading}"
    slower = [above(ratio, SLOWER) for ratio in (*own.values(), *one_list.values())]
    if f.gil:
        why = "threads that take turns pay for each hand-over"
    elif True in slower[: len(own)]:
        why = "there is no GIL, and each has data of its own: they share something else"
    else:
        why = "each use of a shared object changes its count of references, for which they wait"
    return ruled(
        True if True in slower else None if None in slower else False,
        measured,
        why,
        f"no thread count cost {SLOWER - 1:.0%} or more",
    )


@claim(
    "slower-with-threads",
    "Threads can make CPU-bound Python slower.",
    _slower_with_threads,
    cpus=2,
    quiet=True,
)
def slower_with_threads(bench: Bench) -> None:
    """Threads can make CPU-bound Python slower than one thread is.

    Method: `lcg` in plain Python, on as many threads as CPUs and on twice as many: the time for the same
    work, relative to that of one thread in the same round. Without a GIL also threads that read one list.
    Limits: one kind of work, with long turns; code that waits and computes by turns may lose more.
    """
    work: dict[str, Workload] = {"python": kernel_call("lcg", "python")}
    if not machine.gil_enabled():
        work["list"] = ONE_LIST
    bench.compare((name, "threads", n, call) for n in bench.counts if n > 1 for name, call in work.items())


def _processes_scale(f: Figures) -> Finding:
    gain = f.speedup("python", "processes")
    cpu = f.spread(f"cpu python/processes/{f.cpus}")
    return ruled(
        above(gain, SCALE * f.cpus),
        f"{f.cpus} processes do {times(gain)} the work of one and use {cpu:.2f} CPUs",
        "each has an interpreter"
        + (", and so a GIL, of its own" if f.gil else " of its own, and none has a GIL"),
        "they get less than a CPU's worth each: the machine's own limit, not the GIL's",
    )


@claim(
    "processes-scale", "Each process runs on a CPU of its own, at full speed.", _processes_scale,
    cpus=2, quiet=True,
)  # fmt: skip
def processes_scale(bench: Bench) -> None:
    """Each process runs on its own CPU at full speed.

    Method: `lcg` in plain Python in as many processes as CPUs, warm and pinned at their start: work done,
    and CPU time by wall time.
    Limits: arithmetic that needs no memory; what shares a memory bus scales less. Starting is not counted.
    """
    bench.compare(of_lcg(bench.cpus, ("python", "processes")))


def _nogil_scales(f: Figures) -> Finding:
    released, held = f.speedup("nogil", "threads"), f.speedup("gil", "threads")
    keep, let_go = f.keeping
    gains = above(held, NO_GAIN)
    return ruled(
        above(released, SCALE * f.cpus),
        f"on {f.cpus} threads, calls that {keep} do {times(held)} the work of one, and calls that {let_go} "
        f"{times(released)}",
        ("it is releasing that does it" if f.gil else "there is no GIL to release")
        + ("" if gains is None else f": calls that {keep} gain {'as well' if gains else 'nothing'}"),
        "that was not enough here",
    )


@claim(
    "nogil-scales", "C extensions that release the GIL run in parallel on threads.", _nogil_scales,
    cpus=2, quiet=True,
)  # fmt: skip
def nogil_scales(bench: Bench) -> None:
    """Compiled code that releases the GIL runs in parallel.

    Method: `lcg`, compiled once, called with the GIL held and released, on as many threads as CPUs.
    Limits: calls of milliseconds; calls of microseconds lose to handing the GIL over (`gilkit threshold`).
    """
    bench.compare(of_lcg(bench.cpus, ("gil", "threads"), ("nogil", "threads")))


def _only_processes(f: Figures) -> Finding:
    rivals = {
        name: f.speedup(variant, executor)
        for name, variant, executor in (
            ("pure Python threads", "python", "threads"),
            ("nogil threads", "nogil", "threads"),
            ("processes", "nogil", "processes"),
            ("native threads", "native", "openmp"),
        )
        if f.counts(variant, executor)
    }
    gains = {name: above(gain, NO_GAIN) for name, gain in rivals.items()}
    plain, released = gains.get("pure Python threads", False), gains["nogil threads"]
    return ruled(
        False if True in (plain, released) else all_of([negated(plain), negated(released)]),
        f"{f.cpus} workers do, of the work of one: "
        + ", ".join(f"{name} {times(gain)}" for name, gain in rivals.items()),
        "threads gained nothing here, even those that released the GIL",
        "threads of pure Python run in parallel in one process: there is no GIL"
        if plain and not f.gil
        else "threads that release the GIL run in parallel in one process",
    )


@claim(
    "only-processes", "Multiprocessing is the only way to true parallelism.", _only_processes,
    cpus=2, quiet=True,
)  # fmt: skip
def only_processes(bench: Bench) -> None:
    """Only processes run in parallel.

    Method: one compiled body, `lcg`, on Python threads that release the GIL, in processes, and on native
    threads with no Python around; and the same in plain Python on threads.
    Limits: with a GIL it takes compiled code. See `one-at-a-time`, too.
    """
    pairs = [("python", "threads"), ("nogil", "threads"), ("nogil", "processes")]
    contestants = of_lcg(bench.cpus, *pairs)
    if lcg.native:
        contestants += of_lcg(bench.cpus, ("native", "openmp"))
    bench.compare(contestants)
