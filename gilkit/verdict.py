"""Verdicts: pure functions from results to speedups, causes and advice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from math import isnan
from typing import Any

from gilkit.results import SUBJECTS, Case, Results
from gilkit.stats import Estimate, estimate, paired_ratio

SCALES = 0.90  # of the ceiling
SAME = 0.10  # two speedups this close, relative to the larger, stop at the same point
LEAST = 0.03  # the held share below which the GIL is not to blame for long calls
AGAIN = 5.0  # times that a call takes the GIL from which it is said
FREE = 0.1  # the held share up to which a call releases the GIL; as much from 1, it holds it
HALF = 0.5  # the held share from which the GIL is to blame, however short the call
LITTLE = 1.3  # the ceiling below which a machine is too busy or too small to tell
HAND_OFF = 20e-6  # seconds that a call may lose and the loss still be that of handing the GIL over


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
class Figures:
    """What is known of one kernel at the worker count that its table shows.

    Speedups are None where they were not measured.

    Parameters
    ----------
    kernel : str
    workers : int
    call : Estimate or None
        The length of one call, in seconds, on one worker.
    threads : dict of str to Estimate
        Speedups on threads, by variant.
    processes, native, ceiling : Estimate or None
        Speedups of processes, of the kernel's own native threads, and of the control's.
    size, unit : int, str
        How much work one call is.
    gil : bool
        Whether the interpreter has a GIL.
    held : float or None
        The share of a call that holds it.
    times : float
        How often, at least, a call takes it.
    sent : Estimate or None
        Speedup of processes that are sent the data of every call.
    pickling : float
        Seconds to pickle and unpickle the data and the result of a call.
    pickled : int
        Bytes of these pickles.
    unsendable : str
        Why they cannot be sent; or empty.
    """

    kernel: str
    workers: int
    call: Estimate | None
    threads: dict[str, Estimate]
    processes: Estimate | None
    native: Estimate | None
    ceiling: Estimate | None
    size: int
    unit: str
    gil: bool
    held: float | None = None
    times: float = 1.0
    sent: Estimate | None = None
    pickling: float = 0.0
    pickled: int = 0
    unsendable: str = ""

    @property
    def own(self) -> bool:
        """Whether it is the reader's own code."""
        return self.subject == "function"

    @property
    def subject(self) -> str:
        """The variant whose threads the verdict is about: the most that was released."""
        return next((v for v in SUBJECTS if v in self.threads), "")


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


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return W · value(one worker) / value(W workers), paired by rounds; None where it was not measured."""
    one, many = results.values(case.baseline), results.values(case)
    if case in results.failures or not one or not many:
        return None
    return paired_ratio(one, many, case.workers)


def shown_workers(results: Results, kernel: str) -> int:
    """Return the worker count that a kernel's row shows: as many as CPUs, or else the most measured."""
    cases = [c for c in (*results, *results.failures) if c.kernel == kernel]
    chosen = {c.workers for c in cases if c != c.baseline} or {c.workers for c in cases} or {1}
    return results.cpus if results.cpus > 1 and results.cpus in chosen else max(chosen)


def figures(results: Results, kernel: str) -> Figures:
    """Return what the table and the verdict of ``kernel`` need."""
    workers = shown_workers(results, kernel)

    def at(variant: str, executor: str) -> Estimate | None:
        return speedup(results, Case(kernel, variant, executor, workers))

    variants = ("python", "gil", "nogil", "function")
    threads = {v: s for v in variants if (s := at(v, "threads")) is not None}
    in_processes = [
        s for v in ("nogil", "function", "gil", "python") if (s := at(v, "processes")) is not None
    ]
    order = [*(v for v in SUBJECTS if v in threads), *SUBJECTS]  # what is judged, if that was measured
    serial = [*(Case(kernel, v, "serial", 1) for v in order), Case(kernel, "native", "openmp", 1)]
    one = next((case for case in serial if results.values(case)), None)
    pickled = pickles(results, one) if one else []
    return Figures(
        kernel=kernel,
        workers=workers,
        call=estimate(results.values(one)) if one else None,
        threads=threads,
        processes=in_processes[0] if in_processes else None,
        native=at("native", "openmp"),
        ceiling=at("ceiling", "openmp") or at("ceiling", "processes"),
        size=int((results.fact(one, "size") if one else 0) or 0),
        unit=str((results.fact(one, "unit") if one else "") or ""),
        held=results.fact(one, "held") if one else None,
        times=float((results.fact(one, "held_times") if one else 1.0) or 1.0),
        gil=results.facts.get("gilkit_gil") != "off",
        sent=at("sent", "processes"),
        pickling=sum(item["seconds"] for item in pickled),
        pickled=sum(item["nbytes"] for item in pickled),
        unsendable=next((problem(item) for item in pickled if item["problem"]), ""),
    )


def pickles(results: Results, case: Case) -> list[dict[str, Any]]:
    """Return what the data of a call and its result cost to be sent: see `gilkit.transfer.Pickled`."""
    found: list[dict[str, Any]] = json.loads(results.fact(case, "pickles") or "[]")
    return found


def problem(item: dict[str, Any]) -> str:
    """Say why one of `pickles` cannot be sent."""
    return f"{item['name']} cannot be pickled ({item['problem']})"


def judge(f: Figures) -> Verdict:
    """Return the verdict on threads, by the first cause whose figures fit."""
    subject = f.threads.get(f.subject)
    if subject is None or f.ceiling is None:
        return Verdict(Cause.UNEXPLAINED, "threads were not measured beside a ceiling", "")
    if f.workers < 2:
        return Verdict(Cause.UNEXPLAINED, "one worker shows no scaling", "use --workers 2 or more")
    if f.ceiling < LITTLE:
        why = (
            f"{f.workers} native threads do {f.ceiling:.2f} times the work of one, so nothing can scale here"
        )
        return Verdict(Cause.UNEXPLAINED, why, "use a quiet machine with as many CPUs")
    name = "threads" if f.own else f"{f.subject} threads"
    return next(found for find in (_scales, _gil, _hardware, _rest) if (found := find(f, subject, name)))


def _scales(f: Figures, threads: Estimate, name: str) -> Verdict | None:
    assert f.ceiling is not None
    if threads < SCALES * f.ceiling:
        return None
    why = f"{name} reach {threads:.2f}×, {threads / f.ceiling:.0%} of the ceiling"
    if f.processes is not None and _below(f.processes, threads):
        why += f", processes {f.processes:.2f}×"
    held = f.threads.get("gil")
    if f.subject == "nogil" and held is not None:
        if held < SCALES * f.ceiling:
            return Verdict(
                Cause.SCALES, f"{why}; with the GIL {held:.2f}×", "release the GIL and use threads"
            )
        why += f"; the gil version {held:.2f}×" + ("" if f.gil else ", for there is no GIL here")
    return Verdict(Cause.SCALES, why, "threads: use as many as CPUs" if f.own else "use threads")


def _others(f: Figures) -> dict[str, Estimate]:
    """What the same work reaches without sharing a GIL: what shares the memory, too, comes first."""
    return {
        name: s for name, s in (("native threads", f.native), ("processes", f.processes)) if s is not None
    }


def _below(a: Estimate, b: Estimate) -> bool:
    """Whether ``a`` stops short of ``b``, and their intervals leave no doubt of it."""
    return a < (1 - SAME) * b and a.high < b.low


def _gil(f: Figures, threads: Estimate, name: str) -> Verdict | None:
    """Both causes that lie in the GIL: the same work scales better wherever workers do not share it."""
    if not f.gil or f.call is None:
        return None
    assert f.ceiling is not None
    other, best = next(iter(_others(f).items()), ("the ceiling", f.ceiling))
    if not _below(threads, best) or (other == "the ceiling" and (f.held or 0.0) < HALF):
        return None
    lost = f.workers * f.call * (1 / threads - 1 / best)  # seconds, of each call
    releases = f.subject == "nogil" if f.held is None else f.held < HALF
    if lost < HAND_OFF and releases:
        needed = _worth(f, lost)
        size = f" ({_count(f.size * needed / f.call)} {f.unit})" if f.size and f.unit else ""
        advice = f"batch calls to about {seconds(needed)}{size} or more"
        return Verdict(
            Cause.SHORT,
            f"{name} stop at {threads:.2f}×: a call of {seconds(f.call)} loses {seconds(lost)} to hand-offs",
            _neither(f, needed) if f.own else advice,
        )
    if f.held is not None and (f.held < LEAST or not _explains(f, threads, best)):
        return None
    why = f"{name} stop at {threads:.2f}× where {other} reach{'es' * (other == 'the ceiling')} {best:.2f}×"
    if f.held is not None:
        why += f"; held for {f.held:.0%} of a call"
        if f.held * best > 1:
            why += f", so at most {1 / f.held:.2f}×"
        if f.subject == "nogil" and f.times > AGAIN and f.held < 1 - LEAST:
            why += f": released, but taken again at least {f.times:.0f} times a call"
            return Verdict(
                Cause.GIL, why, "look for checks and callbacks in the nogil block, such as a missing noexcept"
            )
    if f.processes is not None and _below(threads, f.processes):
        if f.own:
            return _apart(f, threads, f.processes, why)
        return Verdict(Cause.GIL, why, "use processes, or release the GIL inside the call")
    return Verdict(Cause.GIL, why, "release the GIL inside the call")


def _explains(f: Figures, threads: Estimate, best: Estimate) -> bool:
    """Whether what the GIL is held for can be all that a call loses, at the least that the interval allows.

    A worker waits while each of the others holds it, and each time that it takes it again costs a hand-off.
    """
    assert f.call is not None
    assert f.held is not None
    if f.held >= HALF or f.times > AGAIN or isnan(threads.high):
        return True
    lost = f.workers * f.call * (1 / threads.high - 1 / best)
    return lost <= (f.workers - 1) * f.held * f.call + (1 + f.times) * HAND_OFF


def _worth(f: Figures, lost: float) -> float:
    """Return the length of a call that may lose so many seconds and still reach the share SCALES."""
    assert f.ceiling is not None
    # W v / (W v / C + lost) = SCALES C
    return SCALES * lost * f.ceiling / (f.workers * (1 - SCALES))


def _neither(f: Figures, needed: float) -> str:
    assert f.call is not None
    return f"neither: calls are {seconds(f.call)}; batch them to ≥ {seconds(needed)}"


def _apart(f: Figures, threads: Estimate, processes: Estimate, why: str) -> Verdict:
    """The GIL is held, and processes would do: unless sending the data of each call costs what they gain."""
    assert f.call is not None
    if f.sent is None:
        there = "let each make or load its data"
        if f.unsendable:
            there += f", for {f.unsendable}"
        return Verdict(Cause.GIL, why, f"processes: {processes:.2f}×; {there}")
    if _below(threads, f.sent) and f.sent > 1 + SAME:
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


def _hardware(f: Figures, threads: Estimate, name: str) -> Verdict | None:
    """Nothing scales, GIL or not, though the machine can do more: what workers share is used up."""
    assert f.ceiling is not None
    others = _others(f)
    known = f.native is not None or (f.own and f.processes is not None and (f.held or 0.0) < LEAST)
    if not known or not all(s.high < SCALES * f.ceiling for s in others.values()):
        return None
    if any(_below(threads, s) or _below(s, threads) for s in others.values()):
        return None
    beside = " and ".join(f"{other} at {s:.2f}×" for other, s in others.items())
    return Verdict(
        Cause.HARDWARE,
        f"{name} stop at {threads:.2f}×, {beside}, where arithmetic reaches {f.ceiling:.2f}×",
        ("neither: " if f.own else "") + "more workers will not help; less memory traffic would",
    )


def _rest(f: Figures, threads: Estimate, name: str) -> Verdict:
    assert f.ceiling is not None
    beside = ", ".join(f"{other} {s:.2f}×" for other, s in (*_others(f).items(), ("ceiling", f.ceiling)))
    why = f"{name} reach {threads:.2f}× ({beside})"
    if isnan(threads.high):
        why += ": one round has no interval"
    elif threads.high >= SCALES * f.ceiling:
        why = f"{name} reach {threads:.2f}×, but anything from {threads.low:.2f}× to {threads.high:.2f}× fits"
    return Verdict(Cause.UNEXPLAINED, why, "run it alone, with more --rounds, on a quiet machine")


def _count(number: float) -> str:
    """A count to two digits: it is an estimate."""
    return f"{float(f'{number:.1e}'):,.0f}"


def seconds(value: float) -> str:
    """Return a time to three digits with its unit, as ``3.44 ms``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{value / 1e-9:#.3g}".rstrip(".") + " ns"


def nbytes(count: float) -> str:
    """Return a number of bytes with its unit, as ``1.5 MB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{count:.0f} B"


def behaviour(held: float) -> str:
    """Say what a call does that holds the GIL for such a share: ``holds``, ``releases`` or ``… in part``."""
    return "releases" if held <= FREE else "holds" if held >= 1 - FREE else "releases in part"


def verdicts(results: Results) -> Iterator[tuple[str, Verdict]]:
    """Yield every kernel with its verdict."""
    for kernel in results.kernels:
        reasons = [reason for case, reason in results.failures.items() if case.kernel == kernel]
        if reasons and not any(c.kernel == kernel and c.variant != "ceiling" for c in results):
            yield kernel, Verdict(Cause.FAILED, reasons[0], "")
        else:
            yield kernel, judge(figures(results, kernel))
