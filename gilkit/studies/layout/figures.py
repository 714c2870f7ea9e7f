"""What was measured of splits: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, paired
from gilkit.studies.compare.evidence import held_share_in
from gilkit.studies.compare.speedups import over_sets, sets_of
from gilkit.studies.layout.splits import EMPTY, Split, split_of, splits_in

WORTH = 10  # times what a task costs that it should work, for all workers to be fed


@dataclass(frozen=True, slots=True)
class Standing:
    """One split, and what is known of it.

    Parameters
    ----------
    split : Split
    rate : Estimate or None
        Calls in a second, of all its workers.
    to_best : Estimate or None
        The same as a share of that of the split that does most, paired by rounds; None of that itself.
    task : Estimate or None
        Seconds that a task costs beside its work.
    memory : int or None
        Bytes that one of its processes has to itself.
    failed : str
        Why it was not measured; or empty.
    """

    split: Split
    rate: Estimate | None = None
    to_best: Estimate | None = None
    task: Estimate | None = None
    memory: int | None = None
    failed: str = ""

    @property
    def whole_memory(self) -> int | None:
        """Bytes that all its processes have to themselves."""
        return None if self.memory is None else self.memory * self.split.processes


@dataclass(frozen=True, slots=True)
class CallFigures:
    """What is known of a call alone on a thread.

    Parameters
    ----------
    seconds : float or None
    held, attached : float or None
        The share that holds the GIL; or, where there is none, that stays attached.
    note : str
        Why that is not known; or empty.
    loops : int
        Calls in a task, as it was measured.
    """

    seconds: float | None = None
    held: float | None = None
    attached: float | None = None
    note: str = ""
    loops: int = 1


def statement(results: Results) -> str:
    """Return what is measured, as it is called in tables."""
    return next(name for name in results.kernels if name != EMPTY)


def call_figures(results: Results) -> CallFigures:
    """Return what is known of a call."""
    case = next((case for case in results if case.kernel != EMPTY), None)
    if case is None:
        return CallFigures()
    return CallFigures(
        results.fact(case, facts.CALL_SECONDS),
        held_share_in(results, case, HELD_SHARE),
        held_share_in(results, case, ATTACHED_SHARE),
        results.fact(case, facts.HELD_NOTE) or "",
        results.fact(case, facts.LOOPS) or 1,
    )


def standings(results: Results) -> list[Standing]:
    """Return what is known of every split, that of the fewest processes first."""
    name = statement(results)
    rates = {
        split: rate for split in splits_in(results) if (rate := _rate(results, split.case(name))) is not None
    }
    best = max(rates, key=lambda split: float(rates[split]), default=None)
    found = [_standing(results, split, rates, best) for split in splits_in(results)]
    there = {str(one.split) for one in found}
    found += [
        Standing(_parsed(text), failed=why) for text, why in results.missing.items() if text not in there
    ]
    return sorted(found, key=lambda one: one.split)


def _parsed(text: str) -> Split:
    processes, threads = map(int, text.split(" × "))
    return Split(processes, threads)


def _standing(
    results: Results, split: Split, rates: Mapping[Split, Estimate], best: Split | None
) -> Standing:
    name = statement(results)
    case, empty = split.case(name), split.case(EMPTY)
    if case in results.failures:
        return Standing(split, failed=results.failures[case])
    to_best = None
    if best is not None and best != split and split in rates:
        to_best = _settled(
            _ratios(results.rounds(best.case(name)), results.rounds(case)),
            _ratios(results.every(best.case(name)), results.every(case)),
            sets_of(results, case),
        )
    memory = results.fact(case, facts.MEMORY.named("process"))
    task = over_sets(results.rounds(empty), []) if results.rounds(empty) else None
    return Standing(split, rates.get(split), to_best, task, memory)


def _rate(results: Results, case: Case) -> Estimate | None:
    """Return the calls in a second of a case."""
    if case in results.failures:
        return None
    counting, every = (
        {id_: 1 / value for id_, value in rounds.items()}
        for rounds in (results.rounds(case), results.every(case))
    )
    return _settled(counting, every, sets_of(results, case))


def _ratios(tops: Mapping[int, float], bottoms: Mapping[int, float]) -> dict[int, float]:
    return {id_: tops[id_] / bottoms[id_] for id_ in paired(tops, bottoms)}


def _settled(
    counting: Mapping[int, float], every: Mapping[int, float], sets: Sequence[int]
) -> Estimate | None:
    """Return the median of what counts; where that is nothing, the range of all, which decides nothing."""
    if counting or not every:
        return over_sets(counting, sets)
    return Estimate(median(every.values()), least=min(every.values()), most=max(every.values()))


def undisturbed_rounds(results: Results) -> tuple[int, int]:
    """Return of how many rounds nobody disturbed the split with the fewest such, and how many were tried."""
    cases = [case for case in results if results.windows(case)]
    if not cases:
        return 0, 0
    fewest = min(cases, key=lambda case: len(results.rounds(case)))
    return len(results.rounds(fewest)), len(results.every(fewest))


def speedup(results: Results, case: Case) -> Estimate | None:
    """Return the throughput of a case as a share of that of the split that does most."""
    if case.kernel == EMPTY:
        return None
    found = next((one for one in standings(results) if one.split == split_of(case)), None)
    if found is None or found.rate is None:
        return None
    return Estimate(1.0) if found.to_best is None else found.to_best


def calls_worth_a_task(results: Results) -> int | None:
    """Return how many calls a task should be, so that all workers are fed; None where that is not known."""
    call = call_figures(results).seconds
    costs = [(float(one.task), one.split.workers) for one in standings(results) if one.task is not None]
    if call is None or not costs:
        return None
    return max(1, ceil(WORTH * median(cost for cost, _ in costs) * costs[0][1] / call))
