"""Claims on Python without a GIL."""

from __future__ import annotations

from functools import partial
from statistics import geometric_mean
from typing import Any

from gilkit import machine
from gilkit.display.units import lined, times
from gilkit.results.stats import CONFIDENCE, Estimate, estimate
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench, Contestant
from gilkit.studies.claims.builds import Build, differences, own
from gilkit.studies.claims.claim import (
    NOT_MEASURED,
    SCALE,
    SLOWER,
    Figures,
    Finding,
    Ruling,
    above,
    all_of,
    claim,
    ruled,
)
from gilkit.workloads.statement import StatementCall

BOTH = (3, 13)  # the first version of which there are builds with a GIL and without
OBJECTS = {  # what threads read: made once for all of them, or once for each
    "function": ("def double(x): return 2 * x", "for i in range(1000): double(i)"),
    "list": ("a = list(range(1000))", "for i in range(1000): a[i]"),
    "dict": ("d = {i: i for i in range(1000)}", "for i in range(1000): d[i]"),
    "attribute": ("class Box: value = 1\nbox = Box(); box.own = 2", "for i in range(1000): box.own"),
}
READ = {
    "function": "a function",
    "list": "a list",
    "dict": "a dict",
    "attribute": "an attribute",
}
SHARED_BY_ALL = "-shared"
PAIRS = 8  # rounds of two builds: the intervals of six kinds of work hold together with 95 %
TIGHT = 0.05  # the widest margin of an interval from which it is said that something takes no longer


def _shared_scales(f: Figures) -> Finding:
    apart, shared, kept, scales = {}, {}, {}, {}
    for name in READ:
        one, own = ((name, "threads", workers) for workers in (1, f.cpus))
        same = (name + SHARED_BY_ALL, "threads", f.cpus)
        apart[name], shared[name] = (f.ratio(one, many, f.cpus) for many in (own, same))
        kept[name] = f.ratio(own, same)
        scales[name] = above(kept[name], SCALE)
        if scales[name]:  # it does as much as with its own: that has to be much
            scales[name] = above(shared[name], SCALE * f.cpus) or None
    measured = lined(
        f"what {f.cpus} threads do of the work of one that read in a loop",
        [
            ["", "one for each", "one for all", "of that"],
            *(
                [title, times(apart[name]), times(shared[name]), f"{kept[name]:.0%}"]
                for name, title in READ.items()
            ),
        ],
    )
    if False in [above(gain, SCALE * f.cpus) for gain in apart.values()]:
        why = "even threads with objects of their own do not scale here: it is not the sharing"
        return Finding(Ruling.UNDECIDED, why, measured)
    do, do_not = (
        " and ".join(READ[name] for name, answer in scales.items() if answer is wanted)
        for wanted in (True, False)
    )
    because = "each use changes a count of references, which goes from CPU to CPU"
    if do and do_not:
        why = f"on the object: threads scale that share {do}, not those that share {do_not}: {because}"
        return Finding(Ruling.DEPENDS, why, measured)
    return ruled(
        all_of(scales.values()), measured, "these do, if they are only read", f"none of these: {because}"
    )


def _has_a_gil() -> str | None:
    return "this interpreter has a GIL: it takes a free-threaded one" if machine.gil_enabled() else None


@claim(
    "shared-scales", "Shared objects scale on free-threaded Python.", _shared_scales, cpus=2, quiet=True,
    missing=_has_a_gil,
    seconds=8.0,
)  # fmt: skip
def shared_scales(bench: Bench) -> None:
    """Threads that use one object scale on free-threaded Python as those do that have their own.

    Method: as many threads as CPUs call a function, or read an item of a list, an item of a dict or an
    attribute of an object, a thousand times a call; each its own, or all the same. What do they do of the
    work of one thread with its own, and those that share of the work of those that do not?
    Limits: objects that are read, one after another. Who writes to them waits for their lock besides.
    """
    contestants: list[Contestant] = []
    for name, (setup, statement) in OBJECTS.items():
        for shared in (False, True):
            work = StatementCall(setup, statement, shared=shared)
            contestants.append((name + SHARED_BY_ALL * shared, "threads", bench.cpus, work))
    bench.compare(contestants)


def _not_a_pair(builds: dict[str, Build]) -> str:
    """Return why two builds do not show what the GIL's absence costs; or ''."""
    here = builds["here"]
    wanted = "a free-threaded one" if here.gil else "one with a GIL"
    advice = f"name {wanted} of {here.minor} with --python PATH"
    if not here.free_threaded and here.numbers < BOTH:
        advice = "run it with Python 3.13 or later, of which there are both"
    for build in builds.values():
        if build.free_threaded and build.gil:
            return f"{build} runs with its GIL on: run it without"
    if "other" not in builds:
        return f"it takes two builds, and this is {here}: {advice}"
    other = builds["other"]
    if here.gil is other.gil:
        return f"both run {'with' if here.gil else 'without'} a GIL, {here} and {other}: {advice}"
    if more := differences(here, other):
        return f"{more}; {advice}, compiled in the same way"
    return ""


def _longer(ratio: Estimate) -> bool | None:
    """Whether something takes longer; None where that is open, and "no longer" takes a narrow interval."""
    answer = above(ratio, SLOWER)
    return None if answer is False and ratio.margin > TIGHT else answer


def _free_threaded_slower(f: Figures) -> Finding:
    builds = {name: Build(**told) for name, told in f.facts["builds"].items()}
    no_pair = _not_a_pair(builds)
    free = "here" if not builds["here"].gil else "other"
    locked = "other" if free == "here" else "here"
    if no_pair and ("other" not in builds or builds[free].gil or not builds[locked].gil):
        return Finding(Ruling.UNDECIDED, no_pair, NOT_MEASURED)
    pairs: list[tuple[dict[str, float], dict[str, float]]]
    pairs = list(zip(f.facts[free], f.facts[locked], strict=True))
    kinds = list(pairs[0][0])
    each = 1 - (1 - CONFIDENCE) / len(kinds)  # of so many intervals: all are to hold
    ratios = {name: estimate([one[name] / other[name] for one, other in pairs], each) for name in kinds}
    whole = estimate([geometric_mean(one[name] / other[name] for name in one) for one, other in pairs])
    measured = lined(
        f"on one thread {builds[free]} takes, for the same work, as long as {builds[locked]}:",
        [*([name, times(ratio)] for name, ratio in ratios.items()), ["all of it", times(whole)]],
    )
    if no_pair:
        return Finding(Ruling.UNDECIDED, no_pair, measured)
    slower = {name: _longer(ratio) for name, ratio in ratios.items()}
    do, do_not = (
        ", ".join(name for name, answer in slower.items() if answer is wanted) for wanted in (True, False)
    )
    if do and do_not:
        return Finding(Ruling.DEPENDS, f"on what runs: {do} take longer, {do_not} do not", measured)
    because = "counts of references and containers that threads may share cost something on one thread, too"
    if builds[free].numbers == BOTH:
        because = "most of it because without a GIL 3.13 does not specialize its bytecode; 3.14 does again"
    return ruled(
        _longer(whole),
        measured,
        because,
        f"it does not take {SLOWER - 1:.0%} longer",
    )


@claim(
    "free-threaded-slower", "Free-threaded Python is slower on one thread.", _free_threaded_slower,
    quiet=True, pair=True,
)  # fmt: skip
def free_threaded_slower(bench: Bench) -> None:
    """Free-threaded Python takes longer for the work of one thread than Python with a GIL.

    Method: six kinds of work in plain Python, the fastest of three runs of each, in processes of this
    interpreter and of the other that `--python` names, by turns, each time a fresh one.
    Limits: small programs. Both must be of one version and compiled in the same way, or it is not the GIL
    alone that is compared.
    """
    builds = {"here": own()} | ({"other": bench.other} if bench.other else {})
    bench.facts["builds"] = {name: build.told() for name, build in builds.items()}
    if len({build.gil for build in builds.values()}) < 2:
        return

    def worked(name: str, build: Build) -> None:
        taken: dict[str, Any]
        taken = launch.said("single.work", python=build.path, free=build.free_threaded)[0]
        bench.found(name, taken)

    rounds = PAIRS if bench.quick else 2 * PAIRS
    bench.repeat({name: partial(worked, name, build) for name, build in builds.items()}, rounds)
