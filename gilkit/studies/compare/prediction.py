"""What more CPUs would give, by the law of the GIL: a bound, where there can be one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from gilkit.gil.law import QUEUED, contended, law
from gilkit.gil.observations import CERTAIN
from gilkit.results.stats import Estimate
from gilkit.studies.compare.causes import Cause
from gilkit.studies.compare.figures import Evidence, surely_above
from gilkit.studies.compare.gil_causes import held_share_of, reach
from gilkit.studies.compare.verdict import Verdict

MORE_CPUS = (4, 8, 16, 64)
COMPUTED = "computed from the time that a call holds the GIL, not measured"
UNTOLD = {Cause.SHARED, Cause.HARDWARE}  # another machine's memory may do otherwise
BOUNDED = {Cause.SCALES, Cause.GIL, Cause.AGAIN, Cause.SHORT, Cause.TRANSFER, Cause.SCHEDULER}


def predictions(f: Evidence) -> list[tuple[int, Estimate]]:
    """Return what as many threads as CPUs would reach at most, for more CPUs than here.

    The interval is that of the held share. Hand-overs count, at what they cost where many queue, unless
    threads do more here than these allow: then they are not contended, and the share alone is the bound.

    Parameters
    ----------
    f : Evidence

    Returns
    -------
    list of tuple of int and Estimate
        Empty where the held share is not known.
    """
    held = held_share_of(f)
    if held is None or not f.call:
        return []
    pace = 1.0 if f.ceiling is None else min(1.0, f.ceiling / f.busy_cpus)
    found = reach(f)
    beaten = found is not None and found.law < found.high and surely_above(f.subject, found.law.high)
    times = 0.0 if beaten else contended(f.call, held, f.times)
    return [
        (cpus, law(cpus, pace, f.call, held, times, QUEUED * f.handover, CERTAIN * f.held_error))
        for cpus in MORE_CPUS
        if cpus > f.cpus
    ]


def predicted(f: Evidence, verdict: Verdict) -> str | None:
    """Return a line on what more CPUs would give; None where there is nothing to say.

    Parameters
    ----------
    f : Evidence
    verdict : Verdict
        On the same evidence: the law bounds what the GIL stops, and what scales up to now.

    Returns
    -------
    str or None
    """
    causes = set(verdict.between) or {verdict.cause}
    figures = predictions(f)
    if not figures:
        return None
    if verdict.cause in UNTOLD and f.cpus > 1:
        return "what more CPUs would give cannot be told from here: their memory may do more, or less"
    if not causes <= BOUNDED:
        return None
    (most, counts), *others = _by_figure(figures)
    told = [f"{most} the work of one on {counts} CPUs", *(f"{does} on {on}" for does, on in others)]
    return f"with more CPUs threads would do at most {', '.join(told)} ({COMPUTED})"


def _by_figure(figures: Iterable[tuple[int, Estimate]]) -> list[tuple[str, str]]:
    """Return each figure once, with its interval where that can be seen, and the CPUs that it is said of."""
    found = []
    for most, group in groupby(figures, key=lambda pair: _compact(pair[1])):
        *first, last = (str(cpus) for cpus, _ in group)
        found.append((most, f"{', '.join(first)} and {last}" if first else last))
    return found


def _compact(figure: Estimate) -> str:
    value, low, high = (f"{end:.1f}" for end in (figure, figure.low, figure.high))
    return f"{value}×" if low == high else f"{value}× ({low}–{high})"
