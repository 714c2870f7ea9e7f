"""What to do, in words for somebody in a hurry, with the gain that is to be expected: pure."""

from __future__ import annotations

from gilkit.display.units import nbytes, rough_count, seconds
from gilkit.gil.law import law
from gilkit.results.stats import Estimate
from gilkit.studies.compare.causes import SCALING, Cause, said, shown
from gilkit.studies.compare.figures import Evidence, decided, quotient, surely_above, surely_below

WORTHWHILE = 1.10  # times as much, from which something is worth doing
SENT_IN = 1e-3  # seconds that it takes at most to send next to nothing; longer calls lose by their data
PIN = "pin each to a CPU (os.sched_setaffinity)"
CHECKS = "look for checks and callbacks in the nogil block, such as a missing noexcept"


def release(f: Evidence) -> str:
    """Say what to release the GIL would gain by the law; nothing if that is little."""
    if f.limit is None or f.subject is None:
        return ""
    most = law(f.workers, f.limit / f.workers, f.call or 1.0, 0.0, 1.0, f.handover if f.call else 0.0)
    if most < WORTHWHILE * max(1.0, f.subject):
        return ""
    where = "while it waits" if f.waits else "there" if f.own else "inside the call"
    return f"release the GIL {where}: the law then allows up to {most:.2f}×"


def for_held(f: Evidence) -> tuple[Cause, str, str]:
    """Return cause, further figures and advice where the GIL is held: release it, or processes."""
    if not f.own:
        free = release(f) or "release the GIL inside the call"
        return Cause.GIL, "", f"use processes, or {free}" if surely_better(f) else free
    free = release(f)
    cause, why, rest = _in_processes(f)
    if not free:
        return cause, why, rest
    who = "if that is C or Cython" if f.waits else "if it computes in C or Cython"
    return cause, why, said(f"{who}: {free}", f"if it is Python: {rest}" if rest else "")


def for_taken_again(f: Evidence) -> str:
    """Return the advice where a call releases the GIL and takes it again and again."""
    if not f.own:
        return CHECKS
    rest = _in_processes(f)[2]
    return said(f"if it is your extension: {CHECKS}", f"otherwise {rest}" if rest else "")


def surely_better(f: Evidence) -> bool:
    """Whether processes surely do more than threads."""
    return surely_below(f.to_processes, SCALING)


def instead_of_threads(f: Evidence) -> dict[str, Estimate]:
    """Return what surely does more than threads, with no GIL in common: processes, and what does as well.

    Where there are no processes, it is what surely does more by itself.
    """
    if f.processes is None:
        ahead = {r.name: r.threads for r in f.rivals if r.name in f.alike}
        return {name: f.alike[name].speedup for name, ratio in ahead.items() if surely_below(ratio, SCALING)}
    if not surely_better(f):
        return {}
    return {"processes": f.processes} | {
        name: one.speedup
        for name, one in f.alike.items()
        if surely_above(decided(one.to_processes, one.speedup, f.processes), SCALING)
    }


def processes(f: Evidence) -> str:
    """Return the advice to use processes, with what they reach; or nothing where they do not help."""
    return _in_processes(f)[2]


def batched(f: Evidence, needed: float) -> str:
    """Return the advice to make calls longer."""
    assert f.subject is not None
    size = ""
    if f.size and f.unit and f.call:
        size = f" ({rough_count(f.size * needed / f.call)} {f.unit})"
    if not f.own:
        return f"batch calls to about {seconds(needed)}{size} or more"
    if f.subject.low > WORTHWHILE:
        return f"threads, with longer calls: batch them to ≥ {seconds(needed)}"
    return _neither(f, needed)


def _neither(f: Evidence, needed: float) -> str:
    return f"neither: calls are {seconds(f.call or 0.0)}; batch them to ≥ {seconds(needed)}"


def _in_processes(f: Evidence) -> tuple[Cause, str, str]:
    """Return what processes would do: unless sending the data of each call costs what they gain."""
    others = {name: does for name, does in instead_of_threads(f).items() if name != "processes"}
    more = ", ".join(f"{name}: {does:.2f}×" for name, does in others.items())
    if f.processes is None:
        return Cause.GIL, "", said(more, "processes, which were not measured")
    more, reach = f"or {more}" if more else "", f"processes: {f.processes:.2f}×"
    if not surely_better(f):
        if surely_above(f.to_processes, SCALING):
            return Cause.GIL, "", ""
        return Cause.GIL, "", f"processes may do more: {shown(f.processes)}"
    if f.sent is None:
        there = "let each make or load its data" + (f", for {f.unsendable}" if f.unsendable else "")
        return Cause.GIL, "", said(reach, there, more)
    to_sent = quotient(f.subject, f.sent)
    if surely_below(to_sent, SCALING) and f.sent.low >= WORTHWHILE:
        sent = f"even if its data are sent with each call, {f.sent:.2f}×"
        if surely_below(quotient(f.sent, f.processes), SCALING):
            sent = f"{f.sent:.2f}× if its data are sent with each call"
        return Cause.GIL, "", said(reach, sent, more)
    if not (surely_above(to_sent, SCALING) or surely_below(f.sent, WORTHWHILE)):
        sent = f"if data are sent with each call, not decided: {shown(f.sent)}"
        return Cause.GIL, "", said(reach, sent, more)
    return _sending_loses(f, f.processes, f.sent)


def _sending_loses(f: Evidence, processes: Estimate, sent: Estimate) -> tuple[Cause, str, str]:
    """Tell what the data cost from what every task of a pool costs, however little it is sent.

    The pool's parent pickles for all workers: what it costs there is lost to the whole, once a call.
    """
    call = float(f.call or 0.0)
    why = f"processes reach {shown(processes)}, and {shown(sent)} where data are sent with each call"
    lost = call * (1 / sent - 1 / processes)
    if call < SENT_IN and f.pickling < lost / 2:
        # A worker's share of it is W times as long; W v / (W v / C + W lost) = SCALING C.
        most = f.ceiling if f.ceiling is not None else processes
        return Cause.SHORT, why, _neither(f, SCALING * lost * most / (1 - SCALING))
    why += f" ({nbytes(f.pickled)} are pickled in {seconds(f.pickling)})" if f.pickled else ""
    return Cause.TRANSFER, why, "processes, only if the data stay in them or in shared memory"
