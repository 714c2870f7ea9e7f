"""The claim on watching threads at work."""

from __future__ import annotations

from gilkit.gil.monitor import why_missing
from gilkit.studies.claims.bench import Bench, kernel_call
from gilkit.studies.claims.claim import Figures, Finding, Ruling, above, claim, ruled
from gilkit.studies.timeline.capture import Captured, Plan, Stamped, captured
from gilkit.studies.timeline.cover import Cover

NAMED = 0.9  # the share of the time for which the holder has to be known
SLICES, SLICE_LENGTH = 20, 0.005  # stretches of calls of each thread, and seconds of one
LANES = 2


def _timeline(f: Figures) -> Finding:
    named, least = f.spread("named"), f.spread("least")
    if not f.gil:
        why = "on a GIL: without one threads run at once, and gilkit timeline draws the calls of each"
        used = f.spread("used")
        return Finding(Ruling.DEPENDS, why, f"{LANES} threads at work used {used:.2f} CPUs at any time")
    measured = (
        f"of the time of {LANES} threads at work, the lock named the one that had it for {named:.1%}; "
        f"each was seen for at least {least:.0%}"
    )
    return ruled(
        above(named, NAMED),
        measured,
        "the GIL itself says who has it, at any time: gilkit timeline draws it",
        "the monitor missed too much",
    )


@claim(
    "timeline", "One can see which thread runs at any time.", _timeline, cpus=2, quiet=True,
    missing=why_missing,
)  # fmt: skip
def timeline(bench: Bench) -> None:
    """One can see which thread runs at any time.

    Method: two threads make calls that hold the GIL, while the monitor looks every 20 µs at who has it: the
    share of the time in which it was one of them, by name. As in `gilkit timeline`. Without a GIL, how many
    CPUs they use.
    Limits: what runs without the GIL is not seen by the lock; a call's own time tells that.
    """
    work = kernel_call("lcg", "gil")
    loops = max(1, round(SLICE_LENGTH / bench.lab.pace("threads", work).call))

    def watched() -> float:
        found = captured(bench.lab, "threads", work, LANES, Plan(SLICES, loops, exact=True))
        begin = max(worker.stamps[0][0] for worker in found.workers)
        end = min(worker.stamps[-1][0] for worker in found.workers)
        bench.found("used", sum(map(_used, found.workers)))
        shares = _shares(found, begin, end)
        bench.found("named", sum(shares))
        bench.found("least", min(shares))
        return end - begin

    bench.rounds({("gil", "threads", LANES): watched})


def _used(worker: Stamped) -> float:
    """The CPUs that a worker used in its slices."""
    (begin, used_before), *_, (end, used) = worker.stamps
    return (used - used_before) / (end - begin)


def _shares(found: Captured, begin: float, end: float) -> list[float]:
    """For what share of a time the lock named each of the workers."""
    return [
        Cover(
            (hold.start, hold.end)
            for seen in found.locks
            for hold in seen.holds
            if hold.thread.native_id == worker.native_id
        ).between(begin, end)
        / (end - begin)
        for worker in found.workers
    ]
