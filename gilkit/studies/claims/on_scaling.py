"""Claims on how CPU-bound work scales."""

from __future__ import annotations

import threading
import time
from typing import Any

import psutil

from gilkit.display.units import seconds, times
from gilkit.gil.monitor import GilMonitor
from gilkit.kernels import lcg
from gilkit.results.stats import estimate
from gilkit.studies.claims.bench import Bench, Contestant, kernel_call, known
from gilkit.studies.claims.claim import (
    NO_GAIN,
    SCALE,
    Figures,
    Finding,
    Ruling,
    above,
    all_of,
    claim,
    negated,
    ruled,
)
from gilkit.workloads.workload import KernelCall, ready

SLOWER = 1.02  # times as long from which work is called slower
RUN = 0.3  # seconds of threads under the monitor
TURN = 1e-3  # seconds from which a hold counts as a turn


def of_lcg(cpus: int, *pairs: tuple[str, str]) -> list[Contestant]:
    """Return contestants of `lcg`, for variants on executors, with a worker a CPU."""
    return [(variant, executor, cpus, kernel_call("lcg", variant)) for variant, executor in pairs]


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
    "Under the GIL, pure Python threads do not run at once.",
    _one_at_a_time,
    cpus=2,
    quiet=True,
)
def one_at_a_time(bench: Bench) -> None:
    """Pure Python threads do not run at once.

    Method: `lcg` in plain Python on one thread and on more, up to twice the CPUs: work done, and CPU time
    by wall time; then the monitor watches who holds the GIL, on as many threads as CPUs.
    Limits: the lock itself names one holder at a time; that nobody runs beside it, the CPU time says. The
    monitor wants a CPU of its own, and overlooks holds shorter than its interval of 50 µs.
    """
    bench.compare(("python", "threads", n, kernel_call("lcg", "python")) for n in bench.counts)
    bench.facts["turns"] = bench.lab.call(turns, kernel_call("lcg", "python"), bench.cpus)


def _slower_with_threads(f: Figures) -> Finding:
    counts = [n for n in f.counts("python", "threads") if n > 1]
    ratios = {n: f.ratio(("python", "threads", n), ("python", "threads", 1), 1 / n) for n in counts}
    measured = "for the same work, " + ", ".join(
        f"{n} threads take {times(ratio)} as long as one" for n, ratio in ratios.items()
    )
    slower = [above(ratio, SLOWER) for ratio in ratios.values()]
    answer = True if True in slower else None if None in slower else False
    return ruled(
        answer,
        measured,
        "threads that take turns pay for each hand-over",
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
    work, relative to that of one thread in the same round.
    Limits: one kind of work, with long turns; code that waits and computes by turns may lose more.
    """
    bench.compare(("python", "threads", n, kernel_call("lcg", "python")) for n in bench.counts if n > 1)


def _processes_scale(f: Figures) -> Finding:
    gain = f.speedup("python", "processes")
    cpu = f.spread(f"cpu python/processes/{f.cpus}")
    return ruled(
        above(gain, SCALE * f.cpus),
        f"{f.cpus} processes do {times(gain)} the work of one and use {cpu:.2f} CPUs",
        "each has an interpreter, and so a GIL, of its own",
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
    return ruled(
        above(released, SCALE * f.cpus),
        f"on {f.cpus} threads, the version that releases the GIL does {times(released)} the work of one, "
        f"the one that holds it {times(held)}",
        "it is releasing that does it: the same compiled body with the GIL held gains nothing"
        if above(held, NO_GAIN) is False
        else "and here the body that asks for the GIL gains as well",
        "releasing was not enough here",
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
    rivals = {"nogil threads": f.speedup("nogil", "threads"), "processes": f.speedup("nogil", "processes")}
    if lcg.native and f.counts("native", "openmp"):
        rivals["native threads"] = f.speedup("native", "openmp")
    at_once = above(rivals["nogil threads"], NO_GAIN)
    return ruled(
        None if at_once is None else not at_once,
        f"{f.cpus} workers do, of the work of one: "
        + ", ".join(f"{name} {times(gain)}" for name, gain in rivals.items()),
        "threads gained nothing here, even without the GIL",
        "threads that release the GIL run in parallel in one process",
    )


@claim(
    "only-processes", "Multiprocessing is the only way to true parallelism.", _only_processes,
    cpus=2, quiet=True,
)  # fmt: skip
def only_processes(bench: Bench) -> None:
    """Only processes run in parallel.

    Method: one compiled body, `lcg`, on Python threads that release the GIL, in processes, and on native
    threads with no Python around.
    Limits: it takes compiled code, or an interpreter without a GIL. For pure Python see `one-at-a-time`.
    """
    contestants = of_lcg(bench.cpus, ("nogil", "threads"), ("nogil", "processes"))
    if lcg.native:
        contestants += of_lcg(bench.cpus, ("native", "openmp"))
    bench.compare(contestants)


def _quarter_cpu(f: Figures) -> Finding:
    most = 2 * f.cpus
    used = {
        kind: estimate([cpu / f.cpus for cpu in f.facts[f"cpu python/{kind}/{most}"]])
        for kind in ("threads", "processes")
    }
    one = all_of([above(used["processes"], SCALE), negated(above(used["threads"], NO_GAIN / f.cpus))])
    return ruled(
        one,
        f"{most} threads use {used['threads']:.0%} of {f.cpus} CPUs, "
        f"{most} processes {used['processes']:.0%}",
        f"threads of pure Python share one CPU, which is {1 / f.cpus:.0%} of {f.cpus} and 25% of four",
        "threads use more than one CPU, or processes less than all",
    )


@claim(
    "quarter-cpu", "Ten threads on four cores use 25 % of the CPU, ten processes 100 %.", _quarter_cpu,
    cpus=2, quiet=True,
)  # fmt: skip
def quarter_cpu(bench: Bench) -> None:
    """Threads of pure Python use one core of four, processes all.

    Method: `lcg` in plain Python on twice as many workers as CPUs: CPU time by wall time and CPUs.
    Limits: on this machine's CPUs, not on four; the share of one CPU is what is compared.
    """
    work = kernel_call("lcg", "python")
    bench.compare(("python", kind, 2 * bench.cpus, work) for kind in ("threads", "processes"))


def _smt_ceiling(f: Figures) -> Finding:
    processes = f.speedup("python", "processes")
    native = f.speedup("native", "openmp") if f.counts("native", "openmp") else None
    cores, logical = f.facts["cores"], f.facts["logical"]
    measured = (
        f"{f.cpus} CPUs of {logical}, which the system says are {cores or 'an unknown number of'} cores: "
        f"processes of pure Python do {times(processes)} the work of one"
        + (f", native threads {times(native)}" if native is not None else "")
    )
    if not cores or cores >= logical:
        why = "no hyperthreads are to be seen on this machine; where there are, two share a core's units"
        return Finding(Ruling.UNDECIDED, why, measured)
    if f.cpus < logical:
        why = f"only {f.cpus} of the {logical} CPUs may be used, and which share a core is not known"
        return Finding(Ruling.UNDECIDED, why, measured)
    scale = above(processes, SCALE * f.cpus)
    beyond = None if native is None else above(native, SCALE * f.cpus)
    if scale:
        return ruled(False, measured, "", "the hyperthreads give more than that here")
    if scale is None or beyond is None:
        return ruled(None, measured, "", "")
    if beyond:
        return ruled(False, measured, "", "native threads go beyond it: it is not the hardware's ceiling")
    why = "the ceiling is the hardware's: native threads, without Python, stop there, too"
    return Finding(Ruling.HOLDS, why, measured)


@claim(
    "smt-ceiling", "Threads and processes only scale to 4x on 8 hyperthreads, and nobody knows why.",
    _smt_ceiling,
    cpus=2, quiet=True,
)  # fmt: skip
def smt_ceiling(bench: Bench) -> None:
    """Eight hyperthreads give a speedup of four, whatever runs on them.

    Method: pure Python in as many processes as CPUs, beside native threads on the same arithmetic, and what
    the system says of its cores.
    Limits: a virtual machine may hide that its CPUs are hyperthreads. Whose ceiling it is shows only where
    there are more CPUs than cores.
    """
    bench.facts["cores"] = psutil.cpu_count(logical=False)
    bench.facts["logical"] = psutil.cpu_count()
    contestants = of_lcg(bench.cpus, ("python", "processes"))
    if lcg.native:
        contestants += of_lcg(bench.cpus, ("native", "openmp"))
    bench.compare(contestants)
