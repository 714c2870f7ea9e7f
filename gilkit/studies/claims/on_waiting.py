"""Claims on waiting for I/O."""

from __future__ import annotations

from gilkit.display.units import lined, seconds
from gilkit.results.stats import FEWEST_ROUNDS, Estimate, estimate, paired
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.claim import Figures, Finding, Ruling, above, claim, negated, ruled

SAME_PART = 0.05  # the part of a wait that is called the same
URLS, ANSWER = 5, 0.050  # how many are fetched; seconds until the server answers
GAIN = 2.0  # times as fast from which a way is a great option


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


@claim("io-same", "For I/O-bound work threads and processes are the same.", _io_same, seconds=15.0)
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
