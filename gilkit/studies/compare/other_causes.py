"""The clues beside the GIL: a small pure function for each cause, which returns one if it fits."""

from __future__ import annotations

from gilkit.display.units import seconds
from gilkit.engine.worker import MANY_THREADS
from gilkit.studies.compare.advice import PIN, processes, surely_better
from gilkit.studies.compare.causes import (
    SCALING,
    Cause,
    Clue,
    all_may_stop,
    all_stop,
    beside_what,
    busy_share,
    by_the_system,
    cost_of_call,
    held_words,
    may_stop,
    said,
    shown,
    stop,
    stop_where,
)
from gilkit.studies.compare.culprits import Culprit
from gilkit.studies.compare.figures import Evidence, surely_above, surely_below
from gilkit.studies.compare.gil_causes import law_words, reach

ALONE_AT_WORK = 0.8  # CPU time per wall second of one worker alone, from which it does not wait by itself
MOSTLY_IDLE = 0.8  # of the CPUs that threads keep busy, up to which they wait
AT_WORK = 0.9  # of them, from which they do not
DEARER, MAY_BE_DEARER = 1.25, 1.1  # times the CPU time that a call takes: surely more; perhaps
DELAYED = 0.15  # of their time for which threads are ready and wait for a CPU


def parallel(f: Evidence) -> Clue | None:
    """A call has threads of its own: one alone uses more than one CPU."""
    if f.inside <= MANY_THREADS or f.subject is None:
        return None
    usual = f"by default one call uses {f.inside:.1f} CPUs, and {f.workers} {f.name} do {shown(f.subject)}"
    if f.single is None:
        how = f"with {f.limits} set to 1" if f.limits else "with its own threads set to one"
        advice = f"measure it {how}, too: then workers outside, or its own threads inside, not both"
        return Clue(Cause.PARALLEL, True, said(f"{usual}: measured as it is", held_words(f)), advice)
    why = f"{usual}; with one thread inside they do {shown(f.single)}"
    if f.single_to_whole is not None:
        why += f", which is {shown(f.single_to_whole)} of one call as it is"
    return Clue(Cause.PARALLEL, True, said(why, held_words(f)), _inside_or_outside(f))


def _inside_or_outside(f: Evidence) -> str:
    """Return which of both gains, in work done by all, over one call as it is."""
    assert f.subject is not None
    limit = f"one thread inside{f' ({f.limits}=1)' if f.limits else ''} and {f.workers} threads outside"
    whole = f.single_to_whole
    if whole is None:
        return f"either its own threads, or {limit}"
    if surely_above(whole, 1.1 * max(1.0, f.subject)):
        return f"{limit}: {whole:.2f}× of one call as it is"
    if f.subject.low >= 1.1:
        return f"threads as it is: {f.subject:.2f}×"
    if surely_below(whole, 1.1) and surely_below(f.subject, 1.1):
        return f"neither gains: one call at a time keeps the CPUs busy; where many wait anyway, {limit}"
    return f"not decided: one call at a time, or {limit}"


def waiting(f: Evidence) -> Clue | None:
    """A call waits for something outside, and threads wait side by side."""
    if f.subject is None:
        return None
    beyond = not f.waits and f.subject.low > 1.1 * max(f.cpus, f.ceiling or 0.0)
    if not (f.waits or beyond):
        return None
    seen = f"one alone uses {f.alone.cpu:.0%} of a CPU" if f.alone else "more than CPUs could compute"
    advice = "threads: as many as should wait at once, not as many as CPUs"
    if surely_above(f.to_limit, SCALING) or beyond:
        why = said(f"{f.workers} {f.name} do {shown(f.subject)}", seen, held_words(f))
        return Clue(Cause.WAITING, True, why, advice)
    return None if stop(f) else Clue(Cause.WAITING, False, said(beside_what(f), seen), advice)


def scales(f: Evidence) -> Clue | None:
    """Threads reach what the machine gives, and no more than the law of the GIL allows."""
    if f.waits or f.subject is None or f.ceiling is None or f.to_limit is None or stop(f):
        return None
    found = reach(f)
    if found is not None and found.forbids(SCALING * f.ceiling.low):
        return None
    why = f"{f.name} reach {shown(f.subject)}, {f.to_limit:.0%} of the ceiling"
    slower = [r for r in f.rivals if r.name == "processes" and surely_above(r.threads, 1 / SCALING)]
    why += "".join(f", processes {r.speedup:.2f}×" for r in slower)
    held = f.threads.get("gil") if f.judged == "nogil" else None
    advice = "threads: use as many as CPUs" if f.own else "use threads"
    if held is not None:
        unsure = f.gil and not held.decided  # of few rounds; but it holds the GIL, and one is all that does
        if unsure or held.high < SCALING * f.ceiling.low:
            why, advice = f"{why}; with the GIL {held:.2f}×", "release the GIL and use threads"
        else:
            why += f"; the gil version {held:.2f}×" + ("" if f.gil else ", for there is no GIL here")
    if f.shared is not None and f.shared.high < SCALING * f.subject.low:
        why += f"; but {shown(f.shared)} where they share {f.culprit.name if f.culprit else 'one setup'}"
        own = "a " + f.culprit.name + " of" if f.culprit else "what SETUP makes for"
        advice = f"threads, each with {own} its own: shared, it is locked or fought for"
        if f.culprit and f.culprit.guards:
            advice = f"threads: {f.culprit.advice}"
    return Clue(Cause.SCALES, surely_above(f.to_limit, SCALING), said(why, law_words(f)), advice)


def scheduler(f: Evidence) -> Clue | None:
    """Threads that were not pinned are ready, and wait for a CPU, though there is one for each."""
    if f.pinned or f.beside is None or f.workers > f.cpus or not may_stop(f) or f.subject is None:
        return None
    if f.beside.delay < DELAYED or f.limit is None:
        return None
    found = reach(f)
    allowed = min(f.limit, found.low) if found is not None else f.limit
    explained = f.subject.high / max(1 - f.beside.delay, 0.01) >= SCALING * allowed
    why = f"each thread waits for a CPU for {f.beside.delay:.0%} of its time, though there is one for each"
    return Clue(
        Cause.SCHEDULER,
        stop(f) and explained,
        said(stop_where(f), why, law_words(f)),
        PIN,
    )


def lock(f: Evidence) -> Clue | None:
    """Threads wait, one alone does not, and it is not for the GIL."""
    busy = busy_share(f)
    unseen = busy is None and f.own and stop(f)  # nobody looked: it may be, but not in a kernel
    if not may_stop(f) or not (unseen or f.waits or (busy is not None and busy <= AT_WORK)):
        return None
    why, advice = said(stop_where(f), law_words(f)), _own_instances(f)
    if busy is None or f.alone is None or f.beside is None:
        return Clue(Cause.LOCK, False, why, advice)
    cost, idle = cost_of_call(f) or 1.0, 1 / max(busy, 0.01)
    ahead = surely_better(f)
    stopped = surely_below(f.of_limit(f.processes, f.processes_to_ceiling), SCALING)
    outside = not ahead and stopped and _processes_wait(f)
    # Who waits alone, too, cannot be short of CPUs: if it stops, it waits for what threads share.
    alone = f.waits or (f.alone.cpu >= ALONE_AT_WORK and idle >= cost)
    seen = stop(f) and (f.waits or busy <= MOSTLY_IDLE) and alone
    why = said(
        stop_where(f),
        _named(f),
        f"threads wait: {f.workers} use {f.beside.cpu:.2f} CPUs, one alone {f.alone.cpu:.2f}"
        + (f", {f.beside.voluntary:.1f} switches a call" if f.beside.voluntary else ""),
        "so do processes" if outside else "",
        law_words(f),
    )
    if outside:
        advice = "find what processes share, too, such as a locked file: one of its own for every worker"
    return Clue(Cause.LOCK, seen and (ahead or outside), why, advice)


def _shared_still(f: Evidence) -> Culprit | None:
    """Return what stops the judged threads, where the ladder found it: these have all of SETUP already."""
    return f.culprit if f.culprit is not None and f.culprit.shared_still else None


def _named(f: Evidence) -> str:
    """Say what it is that threads share, where the ladder found it."""
    if (found := _shared_still(f)) is None:
        return ""
    return f"{found.name} is shared: {found.shared:.2f}× → {found.private:.2f}× with one for each thread"


def _processes_wait(f: Evidence) -> bool:
    """Whether processes leave CPUs idle, too."""
    return (
        f.apart is not None and f.alone is not None and f.apart.cpu <= MOSTLY_IDLE * f.alone.cpu * f.busy_cpus
    )


def _own_instances(f: Evidence) -> str:
    """Return the advice on something that threads share: who has it decides."""
    each = "give every thread an instance of its own of what is locked"
    if (found := _shared_still(f)) is not None:
        each = found.advice
    elif f.own and f.shared is not None:
        each += " (it is not what SETUP makes: each has that already)"
    rest = processes(f) if surely_better(f) else ""
    return said(each, f"or {rest}" if rest else "")


def shared_memory(f: Evidence) -> Clue | None:
    """Threads compute all the time, and a call takes more CPU time than in processes, or than alone."""
    cost, busy = cost_of_call(f), busy_share(f)
    if not may_stop(f) or all_stop(f) or f.subject is None or f.waits:
        return None
    if cost is None or f.alone is None or f.beside is None:
        if stop(f):  # nobody looked: it may be
            why = said(stop_where(f), law_words(f))
            return Clue(Cause.SHARED, False, why, _data_of_its_own(f))
        return None
    if cost < MAY_BE_DEARER:
        return None
    more = f.beside.cpu_per_call * (1 - 1 / cost)
    handing = f.times * f.handover if f.gil else 0.0  # what it may cost to hand the GIL over
    seen = stop(f) and cost >= DEARER and busy is not None and busy >= AT_WORK and more > handing
    than = (f.apart, "in a process") if f.apart is not None and f.apart.cpu_per_call else (f.alone, "alone")
    why = said(
        stop_where(f),
        _named(f),
        f"{f.workers} threads use {f.beside.cpu:.2f} CPUs, but a call takes {seconds(f.beside.cpu_per_call)} "
        f"of CPU time, {than[1]} {seconds(than[0].cpu_per_call)}",
        f"{system}: the allocator" if (system := by_the_system(f.beside, than[0])) else "",
        law_words(f),
    )
    advice = _data_of_its_own(f) if not system or _shared_still(f) else _fewer_pages(f)
    return Clue(Cause.SHARED, seen and surely_better(f), why, advice)


def _fewer_pages(f: Evidence) -> str:
    rest = processes(f) if surely_better(f) else ""
    return said("use the same memory again in every call, instead of new", f"or {rest}" if rest else "")


def _data_of_its_own(f: Evidence) -> str:
    rest = processes(f) if surely_better(f) else ""
    own = "give every thread data of its own, not side by side with the others'"
    if (found := _shared_still(f)) is not None:
        own = found.advice
    return said(own, f"or {rest}" if rest else "")


def hardware(f: Evidence) -> Clue | None:
    """Nothing scales, GIL or not, though the machine can do more: what workers share is used up."""
    if f.ceiling is None or f.waits or not may_stop(f) or not all_may_stop(f):
        return None
    busy = busy_share(f)
    if busy is not None and (busy <= MOSTLY_IDLE or _processes_wait(f)):
        return None  # they wait: that is no hardware
    looked = (busy is not None and busy >= AT_WORK) if f.own else True
    others = " and ".join(f"{rival.name} at {shown(rival.speedup)}" for rival in f.rivals)
    assert f.subject is not None
    why = f"{f.name} stop at {shown(f.subject)}, {others}, where arithmetic reaches {shown(f.ceiling)}"
    advice = ("neither: " if f.own else "") + "more workers will not help; less memory traffic would"
    return Clue(Cause.HARDWARE, stop(f) and all_stop(f) and looked, said(why, law_words(f)), advice)
