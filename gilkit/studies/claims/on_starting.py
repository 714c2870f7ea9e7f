"""Claims on what starting workers costs, and when it pays."""

from __future__ import annotations

from functools import partial

from gilkit.display.units import lined, rounded, seconds
from gilkit.results.stats import FEWEST_ROUNDS, estimate, paired_ratio, quantile
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.claim import Figures, Finding, Ruling, above, claim, ruled
from gilkit.studies.costs.constants import CONSTANTS

STARTS = [name for name, constant in CONSTANTS.items() if constant.group == "start"]
DEAR = 5.0  # times a thread's start from which another start is costly
STARTED = 40  # times: the start of a thread is a matter of chance


def _where(name: str) -> str:
    return CONSTANTS[name].executor


def _measure(bench: Bench, names: list[str]) -> None:
    """Start each once in every round, so that every start is kept."""
    bench.rounds(
        {(name, _where(name), 1): partial(CONSTANTS[name].probe, bench.lab, 1, 1) for name in names},
        FEWEST_ROUNDS if bench.quick else STARTED,
    )


def _spans(f: Figures) -> str:
    """The distribution of each."""
    rows = []
    for name in STARTS:
        if (name, _where(name), 1) in f.series:
            values = list(f.series[name, _where(name), 1].values())
            figures = [quantile(values, part) for part in (0, 0.5, 0.9, 1)]
            rows.append([CONSTANTS[name].label, *map(seconds, figures)])
    return lined("until the first line runs:", [["", "fastest", "median", "90 %", "slowest"], *rows])


def _start_cost(f: Figures) -> Finding:
    processes = [
        name for name in STARTS if _where(name) == "processes" and (name, _where(name), 1) in f.series
    ]
    ratios = {name: f.ratio((name, _where(name), 1), ("start-thread", "threads", 1)) for name in processes}
    cheapest = min(ratios, key=lambda name: ratios[name])
    dearest = max(ratios, key=lambda name: ratios[name])
    return ruled(
        above(ratios[cheapest], DEAR),
        _spans(f),
        f"a process takes {rounded(ratios[cheapest])} ({cheapest.removeprefix('start-')}) to "
        f"{rounded(ratios[dearest])} ({dearest.removeprefix('start-')}) times as long to start as a thread",
        f"a process by {cheapest.removeprefix('start-')} starts nearly as fast as a thread",
    )


@claim("start-cost", "Making a process is costly, making a thread is cheap.", _start_cost)
def start_cost(bench: Bench) -> None:
    """Processes are costly to start, threads are cheap.

    Method: a thread, a process by each start method, and an interpreter where there are any: from the call
    until the first line runs, again and again. As in `gilkit costs start`.
    Limits: programs that have imported nothing; what a worker must import comes on top. A thread is started
    in a process that has started others.
    """
    _measure(bench, [name for name in STARTS if CONSTANTS[name].missing() is None])


def _windows(f: Figures) -> Finding:
    ratio = f.ratio(("start-spawn", "processes", 1), ("start-fork", "processes", 1))
    more = above(ratio, 1.0)
    measured = (
        f"{_spans(f)}\nspawn, which is all that Windows has, takes {rounded(ratio)} times as long as fork"
    )
    if not more:
        return ruled(more, measured, "", "spawn costs no more than fork here")
    why = "on the start method, and Unix has both; how long Windows itself takes cannot be measured here"
    return Finding(Ruling.DEPENDS, why, measured)


@claim(
    "windows", "Processes cost more on Windows than on Unix.", _windows,
    missing=CONSTANTS["start-fork"].missing,
)  # fmt: skip
def windows(bench: Bench) -> None:
    """Processes cost more on Windows.

    Method: spawn, the only way that Windows has, beside fork, on this machine.
    Limits: it tells what the method costs, and nothing of the system: Windows itself would have to be
    measured.
    """
    _measure(bench, ["start-fork", "start-spawn"])


def _always_faster(f: Figures) -> Finding:
    shown, answers = [], {}
    for key, rows in f.facts["jobs"].items():
        size = float(key)
        taken = [[row[place] for row in rows] for place in (0, 1)]
        shown.append([f"a job of {seconds(size)}", *(seconds(estimate(values)) for values in taken)])
        if len(rows) > 1:  # one round has no interval
            answers[size] = above(paired_ratio(dict(enumerate(taken[0])), dict(enumerate(taken[1]))), 1.0)
    measured = lined(
        f"in a pool of {f.cpus}, its start and end included:", [["", "threads", "processes"], *shown]
    )
    faster = [size for size, answer in answers.items() if answer]
    slower = [size for size, answer in answers.items() if answer is False]
    if faster and slower:
        if max(slower) < min(faster):
            rest = f"lose up to {seconds(max(slower))}, and win from {seconds(min(faster))} on"
        else:  # not in order: on a busy machine
            lost, won = (", ".join(map(seconds, sizes)) for sizes in (slower, faster))
            rest = f"lose at {lost}, and win at {won}"
        return Finding(Ruling.DEPENDS, f"on the size of the job: processes {rest}", measured)
    if slower:  # one is enough
        lost = f"they were slower, for jobs of {seconds(max(slower))}"
        lost += "" if f.gil else ": without a GIL threads run at once, too, and start sooner"
        return ruled(False, measured, "", lost)
    return ruled(None if None in answers.values() else True, measured, "they were, at every size", "")


@claim(
    "cpu-processes-always-faster", "For CPU-bound work processes are always faster.", _always_faster,
    cpus=2, quiet=True,
)  # fmt: skip
def cpu_processes_always_faster(bench: Bench) -> None:
    """For CPU-bound work, processes are faster than threads, always.

    Method: jobs of 1 ms to 10 s (quick: 0.3 s) of the loop of `lcg` in plain Python, divided among as many
    workers as CPUs, in a pool of threads and one of processes, by turns; starting and ending the pool is
    included.
    Limits: work that needs nothing sent. The largest job is done once, and so does not decide.
    """
    sizes = [0.001, 0.01, 0.03, 0.1, 0.3] + ([] if bench.quick else [1.0, 10.0])
    rounds = [FEWEST_ROUNDS if size <= 1 else 1 for size in sizes]
    found: dict[str, list[list[float]]] = {}
    for size, threads, processes in launch.said("working.jobs", bench.cpus, sizes, rounds):
        found.setdefault(str(size), []).append([threads, processes])
        bench.note(threads, f"job-{size:g}s", "threads", bench.cpus)
        bench.note(processes, f"job-{size:g}s", "processes", bench.cpus)
    bench.facts["jobs"] = found
