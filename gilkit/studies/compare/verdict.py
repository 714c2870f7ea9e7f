"""Verdicts: pure functions from evidence to causes and advice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from math import isnan

from gilkit.gil.law import HAND_OVER, bound, taken_again
from gilkit.report.units import nbytes, rough_count, seconds
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.evidence import Evidence, evidence

SCALING = 0.90  # of the ceiling
ALIKE = 0.10  # two speedups this close, relative to the larger, stop at the same point
BLAMELESS = 0.03  # the held share below which the GIL is not to blame for long calls
HALF = 0.5  # the held share from which the GIL is to blame, however short the call
LITTLE_CEILING = 1.3  # the ceiling below which a machine is too busy or too small to tell


class Cause(Enum):
    """Why threads scale as they do, in the order in which the causes are looked for."""

    SCALES = "scales"
    GIL = "the GIL is held"
    SHORT = "calls too short"
    HARDWARE = "the hardware"
    TRANSFER = "transfer"
    UNEXPLAINED = "not explained"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why threads scale or do not, with the figures that show it, and what to do."""

    cause: Cause
    why: str
    advice: str

    def __str__(self) -> str:
        head = self.cause.value
        return ": ".join(part for part in (head, self.why) if part) + (
            f" → {self.advice}" if self.advice else ""
        )


def judge(f: Evidence) -> Verdict:
    """Return the verdict on threads, by the first cause whose figures fit."""
    subject = f.threads.get(f.judged)
    if subject is None or f.ceiling is None:
        return Verdict(Cause.UNEXPLAINED, "threads were not measured beside a ceiling", "")
    if f.workers < 2:
        return Verdict(Cause.UNEXPLAINED, "one worker shows no scaling", "use --workers 2 or more")
    if f.ceiling < LITTLE_CEILING:
        why = (
            f"{f.workers} native threads do {f.ceiling:.2f} times the work of one, so nothing can scale here"
        )
        return Verdict(Cause.UNEXPLAINED, why, "use a quiet machine with as many CPUs")
    name = "threads" if f.own else f"{f.judged} threads"
    return next(
        found for find in (_scales, _short, _held, _hardware, _rest) if (found := find(f, subject, name))
    )


def _scales(f: Evidence, threads: Estimate, name: str) -> Verdict | None:
    assert f.ceiling is not None
    if threads < SCALING * f.ceiling:
        return None
    why = f"{name} reach {threads:.2f}×, {threads / f.ceiling:.0%} of the ceiling"
    if f.processes is not None and _below(f.processes, threads):
        why += f", processes {f.processes:.2f}×"
    held = f.threads.get("gil")
    if f.judged == "nogil" and held is not None:
        if held < SCALING * f.ceiling:
            return Verdict(
                Cause.SCALES, f"{why}; with the GIL {held:.2f}×", "release the GIL and use threads"
            )
        why += f"; the gil version {held:.2f}×" + ("" if f.gil else ", for there is no GIL here")
    return Verdict(Cause.SCALES, why, "threads: use as many as CPUs" if f.own else "use threads")


def _others(f: Evidence) -> dict[str, Estimate]:
    """What the same work reaches without sharing a GIL: what shares the memory, too, comes first."""
    return {
        name: s for name, s in (("native threads", f.native), ("processes", f.processes)) if s is not None
    }


def _below(a: Estimate, b: Estimate) -> bool:
    """Whether ``a`` stops short of ``b``, and their intervals leave no doubt of it."""
    return a < (1 - ALIKE) * b and a.high < b.low


@dataclass(frozen=True, slots=True)
class _Loss:
    """What threads lose beside workers that share no GIL.

    Parameters
    ----------
    other : str
        Who does better.
    best : Estimate
        Their speedup.
    seconds : float
        Lost in each call.
    """

    other: str
    best: Estimate
    seconds: float


def _loss(f: Evidence, threads: Estimate) -> _Loss | None:
    """Return what the GIL may cost: None where the same work does no better wherever it is not shared."""
    if not f.gil or f.call is None:
        return None
    assert f.ceiling is not None
    other, best = next(iter(_others(f).items()), ("the ceiling", f.ceiling))
    if not _below(threads, best) or (other == "the ceiling" and (f.held or 0.0) < HALF):
        return None
    return _Loss(other, best, f.workers * f.call * (1 / threads - 1 / best))


def _short(f: Evidence, threads: Estimate, name: str) -> Verdict | None:
    """The GIL is released, but a call loses no more than it takes to hand it over."""
    loss = _loss(f, threads)
    releases = f.judged == "nogil" if f.held is None else f.held < HALF
    if loss is None or f.call is None or loss.seconds >= HAND_OVER or not releases:
        return None
    needed = _worth(f, loss.seconds)
    size = f" ({rough_count(f.size * needed / f.call)} {f.unit})" if f.size and f.unit else ""
    return Verdict(
        Cause.SHORT,
        f"{name} stop at {threads:.2f}×: a call of {seconds(f.call)} loses {seconds(loss.seconds)} to "
        "hand-offs",
        _neither(f, needed) if f.own else f"batch calls to about {seconds(needed)}{size} or more",
    )


def _held(f: Evidence, threads: Estimate, name: str) -> Verdict | None:
    """The GIL is held for so long, or taken again so often, that it explains what threads lose."""
    loss = _loss(f, threads)
    if loss is None or (f.held is not None and (f.held < BLAMELESS or not _explains(f, threads, loss.best))):
        return None
    reach = "reaches" if loss.other == "the ceiling" else "reach"
    why = f"{name} stop at {threads:.2f}× where {loss.other} {reach} {loss.best:.2f}×"
    if f.held is not None:
        why += f"; held for {f.held:.0%} of a call"
        if f.held * loss.best > 1:
            why += f", so at most {bound(f.held):.2f}×"
    if f.held is not None and f.judged == "nogil" and taken_again(f.times) and f.held < 1 - BLAMELESS:
        why += f": released, but taken again at least {f.times:.0f} times a call"
        advice = "look for checks and callbacks in the nogil block, such as a missing noexcept"
    elif f.processes is None or not _below(threads, f.processes):
        advice = "release the GIL inside the call"
    elif f.own:
        return _in_processes(f, threads, f.processes, why)
    else:
        advice = "use processes, or release the GIL inside the call"
    return Verdict(Cause.GIL, why, advice)


def _explains(f: Evidence, threads: Estimate, best: Estimate) -> bool:
    """Whether what the GIL is held for can be all that a call loses, at the least that the interval allows.

    A worker waits while each of the others holds it, and each time that it takes it again costs a hand-off.
    """
    assert f.call is not None
    assert f.held is not None
    if f.held >= HALF or taken_again(f.times) or isnan(threads.high):
        return True
    lost = f.workers * f.call * (1 / threads.high - 1 / best)
    return lost <= (f.workers - 1) * f.held * f.call + (1 + f.times) * HAND_OVER


def _worth(f: Evidence, lost: float) -> float:
    """Return the length of a call that may lose so many seconds and still reach the share SCALING."""
    assert f.ceiling is not None
    # W v / (W v / C + lost) = SCALING C
    return SCALING * lost * f.ceiling / (f.workers * (1 - SCALING))


def _neither(f: Evidence, needed: float) -> str:
    assert f.call is not None
    return f"neither: calls are {seconds(f.call)}; batch them to ≥ {seconds(needed)}"


def _in_processes(f: Evidence, threads: Estimate, processes: Estimate, why: str) -> Verdict:
    """The GIL is held, and processes would do: unless sending the data of each call costs what they gain."""
    assert f.call is not None
    if f.sent is None:
        there = "let each make or load its data"
        if f.unsendable:
            there += f", for {f.unsendable}"
        return Verdict(Cause.GIL, why, f"processes: {processes:.2f}×; {there}")
    if _below(threads, f.sent) and f.sent > 1 + ALIKE:
        sent = f"even if its data are sent with each call, {f.sent:.2f}×"
        if _below(f.sent, processes):
            sent = f"{f.sent:.2f}× if its data are sent with each call"
        return Verdict(Cause.GIL, why, f"processes: {processes:.2f}×; {sent}")
    lost = f.workers * f.call * (1 / f.sent - 1 / processes)
    data = f"{nbytes(f.pickled)} are pickled in {seconds(f.pickling)}"
    why += f"; processes reach {processes:.2f}×, and {f.sent:.2f}× where data are sent with each call"
    if f.pickling < lost / 2:
        return Verdict(Cause.SHORT, why, _neither(f, _worth(f, lost)))
    return Verdict(
        Cause.TRANSFER, f"{why} ({data})", "processes: only if the data stay in them, or in shared memory"
    )


def _hardware(f: Evidence, threads: Estimate, name: str) -> Verdict | None:
    """Nothing scales, GIL or not, though the machine can do more: what workers share is used up."""
    assert f.ceiling is not None
    others = _others(f)
    known = f.native is not None or (f.own and f.processes is not None and (f.held or 0.0) < BLAMELESS)
    if not known or not all(s.high < SCALING * f.ceiling for s in others.values()):
        return None
    if any(_below(threads, s) or _below(s, threads) for s in others.values()):
        return None
    beside = " and ".join(f"{other} at {s:.2f}×" for other, s in others.items())
    return Verdict(
        Cause.HARDWARE,
        f"{name} stop at {threads:.2f}×, {beside}, where arithmetic reaches {f.ceiling:.2f}×",
        ("neither: " if f.own else "") + "more workers will not help; less memory traffic would",
    )


def _rest(f: Evidence, threads: Estimate, name: str) -> Verdict:
    assert f.ceiling is not None
    beside = ", ".join(f"{other} {s:.2f}×" for other, s in (*_others(f).items(), ("ceiling", f.ceiling)))
    why = f"{name} reach {threads:.2f}× ({beside})"
    if isnan(threads.high):
        why += ": one round has no interval"
    elif threads.high >= SCALING * f.ceiling:
        why = f"{name} reach {threads:.2f}×, but anything from {threads.low:.2f}× to {threads.high:.2f}× fits"
    return Verdict(Cause.UNEXPLAINED, why, "run it alone, with more --rounds, on a quiet machine")


def verdicts(results: Results) -> Iterator[tuple[str, Verdict]]:
    """Yield every kernel with its verdict."""
    for kernel in results.kernels:
        reasons = [reason for case, reason in results.failures.items() if case.kernel == kernel]
        if reasons and not any(c.kernel == kernel and c.variant != "ceiling" for c in results):
            yield kernel, Verdict(Cause.FAILED, reasons[0], "")
        else:
            yield kernel, judge(evidence(results, kernel))
