"""What a ladder showed, in words: pure."""

from __future__ import annotations

from gilkit.display.units import seconds
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.compare.causes import by_the_system, changing_words, said, shown
from gilkit.studies.compare.rungs import Found, Ladder, Rung
from gilkit.workloads.suspects import CHANGES

IDLE_SHARED, DEARER_SHARED = 0.8, 1.25  # of the CPUs that threads keep busy; times the CPU time of a call


def sentence(ladder: Ladder) -> tuple[str, str]:
    """Say what stops the threads, and in what figures one sees it."""
    shared, private = ladder.shared.speedup, ladder.private.speedup
    if shared is None or private is None:
        return "not decided", "threads that share one setup were not measured"
    if ladder.slower >= CHANGES:
        return "not decided", changing_words(ladder.slower, ladder.workers)
    both = f"{shown(private)} with SETUP for each thread, {shown(shared)} with one for all"
    if ladder.found is Found.CAUSE:
        return _cause(ladder, ladder.culprits[0])
    if ladder.found is Found.NOTHING and ladder.stops:
        return "not what threads share of SETUP stops them", both
    if ladder.found is Found.NOTHING:
        return Found.NOTHING.value, both
    untried = _untried(ladder)
    if ladder.found is Found.NOT_ONE:
        return "something that is shared stops it", said(both, _tried(ladder), untried)
    titles = " or ".join(rung.title for rung in ladder.culprits)
    perhaps = f"perhaps {titles}" if titles else untried
    return "not decided", said(perhaps, _too_few(ladder, known=bool(perhaps)), both)


def _too_few(ladder: Ladder, known: bool) -> str:
    """Say if too few rounds count; or that the intervals are too wide, where no other reason is known."""
    figures = [rung.speedup for rung in (ladder.private, ladder.shared, *ladder.culprits)]
    if not all(figure is not None and figure.decided for figure in figures):
        few = f"fewer than {FEWEST_ROUNDS} rounds count, which decide nothing"
        return f"{few}: run it again on a quiet machine, or with more --rounds"
    return "" if known else "the intervals do not tell: run it again with more --rounds"


def _cause(ladder: Ladder, rung: Rung) -> tuple[str, str]:
    assert rung.speedup is not None
    several = len(rung.names) > 1
    along = [f"`{name}`" for one in ladder.singles if one.own < rung.own for name in one.names]
    along = [name for name in along if name.strip("`") not in rung.names]
    each = f"one {'of each ' if several else ''}for each thread" + "".join(
        f", and of {name}" for name in along
    )
    what = rung.title + (", which cannot be told apart," if rung.alike else "")
    figures = f"{ladder.shared.speedup:.2f}× → {rung.speedup:.2f}× with {each}"
    more = "" if ladder.within or not ladder.stops else "; with all of SETUP they stop, for another reason"
    return f"{what} {'are' if several else 'is'} shared", figures + _how(ladder, rung) + more


def _tried(ladder: Ladder) -> str:
    """Say what was tried in vain."""
    alone = [" and ".join(f"`{name}`" for name in rung.names) for rung in ladder.singles]
    together = [
        " and ".join(f"`{name}`" for name in rung.names)
        for rung in ladder.rungs
        if not (rung.only or rung.single)
    ]
    if not alone:
        return "nothing could be tried"
    found = f"not {alone[0]}" if len(alone) == 1 else f"not one of {', '.join(alone)} alone"
    return found + "".join(f", nor {names} together" for names in together)


def _untried(ladder: Ladder) -> str:
    """Say what may stop the threads, and was not tried."""
    if ladder.failed:
        return f"what threads share was not found: {ladder.failed}"
    names = [f"`{name}`" for name in ladder.untried]
    if not names and ladder.stops and ladder.blind:
        names = [f"what `{module}` keeps" for module in ladder.modules]
    return f"{', '.join(names)} could not be tried" if names else ""


def _how(ladder: Ladder, rung: Rung) -> str:
    """Say how sharing it stops threads: they wait for it, or a call takes more CPU time."""
    shared, own = ladder.shared.used, rung.used
    if shared is None or own is None or not own.cpu:
        return ""
    if shared.cpu <= IDLE_SHARED * own.cpu:
        switches = f", {shared.voluntary:.1f} switches a call" if shared.voluntary >= 0.05 else ""
        return f"; threads wait for it, as for a lock: {ladder.workers} use {shared.cpu:.2f} CPUs{switches}"
    if own.cpu_per_call and shared.cpu_per_call >= DEARER_SHARED * own.cpu_per_call:
        instead = f"{seconds(shared.cpu_per_call)} of CPU time instead of {seconds(own.cpu_per_call)}"
        if system := by_the_system(shared, own):
            return f"; a call takes {instead}; {system}: they fight for the allocator"
        counts = "a cache line" if ladder.gil else "its reference count, or for a cache line"
        return f"; a call takes {instead}: they fight for {counts}"
    return ""
