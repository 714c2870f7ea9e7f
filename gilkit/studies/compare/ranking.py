"""Interpreters beside one another: what each does, of what another does, and which one to use. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from gilkit.engine.executors import EXECUTORS
from gilkit.results import facts
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate
from gilkit.studies.compare.advice import WORTHWHILE
from gilkit.studies.compare.contrast import differs
from gilkit.studies.compare.evidence import shown_workers
from gilkit.studies.compare.merged import plain_kernels, several_pythons, there
from gilkit.studies.compare.speedups import beside_one, speedup, work_ratio

FEWEST_SETS = 5  # of programs that have a say, with fewer of which no interpreters are told apart
TOLD_APART_IN_VAIN = 0.005  # of runs of the same interpreter twice, at most: 20 of 20 find nothing, with 90 %


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call may run.

    Parameters
    ----------
    python, executor : str
    workers : int
    """

    python: str
    executor: str
    workers: int

    @property
    def words(self) -> str:
        """What works there."""
        if self.workers > 1:
            return self.executor
        return "one thread" if self.executor == "threads" else f"one worker on {self.executor}"


@dataclass(frozen=True, slots=True)
class Ranking:
    """One kernel or statement on several interpreters.

    Parameters
    ----------
    kernel : str
    pythons : tuple of str
        In their order.
    first : str
        The one that sets the measure: the first that was measured.
    executors : tuple of str
        Those on which it was measured somewhere.
    workers : int
        How many work at once in what is shown.
    gil : dict of str to str
        Whether each ran with a GIL: on or off.
    calls : dict of str to Estimate
        Seconds of one call on one worker of each.
    speedups : dict of Place to Estimate
        Over one worker of the same executor of the same interpreter.
    work : dict of Place to Estimate
        The work that is done at once, in that of one thread of the first.
    ratios : dict of (Place, Place) to Estimate
        The work of one over that of another, paired by rounds.
    failed : set of Place
    """

    kernel: str
    pythons: tuple[str, ...]
    first: str
    executors: tuple[str, ...]
    workers: int
    gil: Mapping[str, str]
    calls: Mapping[str, Estimate]
    speedups: Mapping[Place, Estimate]
    work: Mapping[Place, Estimate]
    ratios: Mapping[tuple[Place, Place], Estimate]
    failed: frozenset[Place]

    @property
    def compared(self) -> Iterator[tuple[Place, Place, Estimate | None]]:
        """Yield what is told apart: of every other interpreter one thread and each executor, by the first."""
        kinds = dict.fromkeys([("threads", 1), *((e, self.workers) for e in self.executors)])
        for other in self.pythons:
            for executor, workers in kinds if other != self.first else ():
                top, bottom = Place(other, executor, workers), Place(self.first, executor, workers)
                if top in self.work or bottom in self.work:
                    yield top, bottom, self.ratios.get((top, bottom))


def ranking(results: Results, kernel: str, workers: int | None = None) -> Ranking:
    """Return how interpreters compare on one kernel or statement, which is called without their names."""
    pythons = several_pythons(results)
    named = {python: there(python, kernel) for python in pythons}
    measured = [case for case in (*results, *results.failures) if case.kernel in named.values()]
    if workers is None:
        workers = max((shown_workers(results, name) for name in named.values()), default=1)
    variant = next((v for v in JUDGED_VARIANTS if any(_judged(case, v) for case in measured)), "")
    used = {case.executor for case in measured if case.variant == variant}
    executors = [
        name for name, kind in EXECUTORS.items() if name in used and not kind.single and not kind.native
    ]
    cases = {
        Place(python, executor, count): Case(name, variant, executor, count)
        for python, name in named.items()
        for executor in executors
        for count in dict.fromkeys((1, workers))
    }
    ones = {python: Case(name, variant, "threads", 1) for python, name in named.items()}
    first = next((python for python, one in ones.items() if speedup(results, one) is not None), pythons[0])
    work = {place: beside_one(results, case, ones[first]) for place, case in cases.items()}
    return Ranking(
        kernel,
        tuple(pythons),
        first,
        tuple(executors),
        workers,
        {p: found for p, one in ones.items() if (found := results.fact(one, facts.GIL)) is not None},
        {p: estimate(values) for p, one in ones.items() if (values := results.values(one))},
        {place: s for place, case in cases.items() if (s := speedup(results, case)) is not None},
        {place: done for place, done in work.items() if done is not None},
        dict(_ratios(results, cases, len(plain_kernels(results)) * (len(pythons) - 1))),
        frozenset(place for place, case in cases.items() if case in results.failures),
    )


def _judged(case: Case, variant: str) -> bool:
    return case.variant == variant and case.executor == "threads"


def _ratios(
    results: Results, cases: Mapping[Place, Case], others: int
) -> Iterator[tuple[tuple[Place, Place], Estimate]]:
    """Yield the work of each over that of each other, of as many workers.

    The more is compared in all, with so many ``others``, the more certain each interval has to be.
    """
    figures = max(1, others) * len({(place.executor, place.workers) for place in cases})
    certain = 1 - TOLD_APART_IN_VAIN / figures
    for top, case in cases.items():
        for bottom, other in cases.items():
            if top == bottom or top.workers != bottom.workers:
                continue
            if (found := work_ratio(results, case, other, FEWEST_SETS, certain)) is not None:
                yield (top, bottom), found


def conclusion(r: Ranking) -> tuple[str, str]:
    """Say in one sentence which interpreter to use, and in what figures one sees it."""
    there_are = [python for python in r.pythons if any(place.python == python for place in r.speedups)]
    if len(there_are) < 2:
        seen = f"only {there_are[0]}" if there_are else "none"
        return "not decided", f"{seen} was measured"
    best = _best(r)
    if best is not None:
        place, rival = best
        return f"use {place.python}, {place.words}", _gain(r, place, rival)
    apart = [
        (top, bottom, ratio) for top, bottom, ratio in r.compared if ratio is not None and differs(ratio)
    ]
    if apart:
        return _at_the_top(r), "; ".join(map(_difference, apart))
    ratios = [ratio for *_, ratio in r.compared if ratio is not None]
    if not ratios or any(not ratio.decided for ratio in ratios):
        return "not decided", "too few rounds count to tell them apart; use more --rounds, on a quiet machine"
    return "no difference found", _alike(r)


def _best(r: Ranking) -> tuple[Place, Place] | None:
    """Return where most is done, surely more than on any other interpreter, and the best place of these."""
    shown = {place: r.work[place] for place in _shown(r)}
    most = max(shown, key=lambda place: shown[place], default=None)
    if most is None:
        return None
    rivals = [place for place in shown if place.python != most.python]
    if not rivals or not all(_surely_more(r.ratios.get((most, rival))) for rival in rivals):
        return None
    rival = max(rivals, key=lambda place: shown[place])
    as_good = (
        place
        for place in shown
        if place.python == most.python
        and not _worth(r.ratios.get((most, place)))
        and _surely_more(r.ratios.get((place, rival)))
    )
    return min(as_good, key=lambda place: r.executors.index(place.executor), default=most), rival


def _at_the_top(r: Ranking) -> str:
    """Say how far apart the best places are, where none is surely ahead: if that is certain to be little."""
    best = {place.python: place for place in sorted(_shown(r), key=lambda place: r.work[place])}
    most, *others = sorted(best.values(), key=lambda place: r.work[place], reverse=True)
    ratios = [r.ratios.get((most, other)) for other in others]
    if not ratios or any(ratio is None or not ratio.decided for ratio in ratios):
        return "not decided at the top"
    far = max(max(ratio.high, 1 / ratio.low) for ratio in ratios if ratio is not None)
    if far > WORTHWHILE:
        return "not decided at the top"
    return f"at most {ceil(100 * (far - 1))}% apart in the most that they do"


def _shown(r: Ranking) -> list[Place]:
    return [place for place in r.work if place.workers == r.workers]


def _surely_more(ratio: Estimate | None) -> bool:
    return ratio is not None and differs(ratio) and ratio > 1


def _worth(ratio: Estimate | None) -> bool:
    """Whether one surely does more than another, by so much that it is worth something."""
    return ratio is not None and ratio.low > 1 and ratio > WORTHWHILE


def _gain(r: Ranking, place: Place, rival: Place) -> str:
    """Say what is done there, beside the best of the others."""
    ratio = f"{r.ratios[place, rival]:.2f}× of what {rival.python}'s {_do(rival)}"
    if place.workers == 1:
        return ratio
    parts = [f"{place.words} do {r.speedups[place]:.2f}× there, and {ratio}"]
    one, other = Place(place.python, "threads", 1), Place(rival.python, "threads", 1)
    alone = r.ratios.get((one, other))
    if alone is not None and differs(alone):
        parts.append(f"one thread does {alone:.2f}×")
    return "; ".join(parts)


def _do(place: Place) -> str:
    return f"{place.words} {'does' if place.workers == 1 else 'do'}"


def _difference(found: tuple[Place, Place, Estimate]) -> str:
    top, bottom, ratio = found
    return f"{top.python}'s {_do(top)} {ratio:.2f}× of {bottom.python}'s"


def _alike(r: Ranking) -> str:
    """Say how much they could differ at the most."""
    parts = []
    for top, _, ratio in r.compared:
        if ratio is not None:
            who = f"{top.words} of {top.python}" if len(r.pythons) > 2 else top.words
            parts.append(f"{who} {ratio.low:.2f} to {ratio.high:.2f}×")
    of = f"of {r.first}'s" if len(r.pythons) > 2 else f"by {r.pythons[-1]} of {r.first}'s"
    return f"{', '.join(parts)}, {of}"


def kernels_by_use(rankings: Sequence[Ranking]) -> list[tuple[str, list[str]]]:
    """Return each conclusion once, with the kernels that it is said of."""
    found: dict[str, list[str]] = {}
    for r in rankings:
        found.setdefault(conclusion(r)[0], []).append(r.kernel)
    return list(found.items())
