"""What was measured of neighbours, from the rounds in which nobody disturbed any of them: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from gilkit.engine.neighbours import PERIOD
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE, with_interval
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate, estimate, paired
from gilkit.results.windows import Lateness
from gilkit.studies.beside.sides import (
    TICKER,
    WHERE,
    alone,
    baseline,
    neighbour,
    other_of,
    side,
    statements,
    where_of,
)
from gilkit.studies.compare.evidence import held_share_in
from gilkit.studies.compare.speedups import over_sets, sets_of

TOLD = 2.0  # periods of the ticker from which it saw a hold, whatever else is known: it sleeps for one
USED_TO_IT = 0.9  # of the time that a call holds the GIL, from which its holds are as long as others let it
TO_ITS_END = 0.85  # of a hold, from which a ticker that waits for so long is not let in before it ends
SOME_LONGER = 1.5  # holds, from which the longest that a ticker waited shows that some are longer than others


@dataclass(frozen=True, slots=True)
class Late:
    """How late a ticker is somewhere, in seconds.

    Parameters
    ----------
    usual, nearly_all : Estimate
        What the median of a round is late, and what 99 % of its ticks are at the most.
    most : float
        What the latest of all rounds was.
    beyond : Estimate or None
        By how much `nearly_all` is more than of a ticker beside nothing, paired by rounds.
    """

    usual: Estimate
    nearly_all: Estimate
    most: float
    beyond: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One statement, and what is known of it.

    Parameters
    ----------
    letter, statement : str
    other : str
        Who it is measured beside: a letter, or the ticker.
    call : Estimate or None
        Seconds of a call alone on a thread.
    kept : mapping of str to Estimate
        By where it runs (threads, processes, or shorter: threads with a shorter switch interval): the share
        of its throughput alone that it keeps beside the other.
    to_processes, to_shorter : Estimate or None
        What it keeps on threads as a share of that in processes; with a shorter switch interval, of that on
        threads. Both are paired by rounds.
    held, error : float or None
        The share of a call that holds the GIL, and its standard error.
    note : str
        Why that is not known; or empty.
    hold : Estimate or None
        Seconds for which it holds the GIL at a time, where another wants it.
    late : mapping of str to Late
        By where it runs: how late a ticker is beside it.
    late_to_shorter : Estimate or None
        How late a ticker is with a shorter switch interval, as a multiple of that on threads.
    attached : float or None
        The share of a call in which its thread is attached, where there is no GIL.
    """

    letter: str
    statement: str
    other: str
    call: Estimate | None = None
    kept: Mapping[str, Estimate] = field(default_factory=dict)
    to_processes: Estimate | None = None
    to_shorter: Estimate | None = None
    held: float | None = None
    error: float | None = None
    note: str = ""
    hold: Estimate | None = None
    late: Mapping[str, Late] = field(default_factory=dict)
    late_to_shorter: Estimate | None = None
    attached: float | None = None

    @property
    def watched(self) -> float | None:
        """The share of a call that holds the GIL, or that stays attached where there is none."""
        return self.held if self.attached is None else self.attached


def kept(results: Results, case: Case) -> Estimate | None:
    """Return the share of its throughput alone that is kept in a case; None where that is not known."""
    if not other_of(case) or case.kernel == TICKER:
        return None
    return _settled(results, case, _kept(results, case), _kept(results, case, every=True))


def sides(results: Results) -> dict[str, Side]:
    """Return what is known of every statement, by letter."""
    letters = statements(results)
    return {letter: _side(results, letter, text, list(letters)) for letter, text in letters.items()}


def quiet(results: Results) -> Late | None:
    """Return how late a ticker is beside nothing."""
    return _late(results, alone(TICKER))


def undisturbed_rounds(results: Results) -> tuple[int, int]:
    """Return how many rounds of what the verdict is about count, of how many."""
    letters = list(statements(results))
    cases = [side(letter, neighbour(letter, letters), "threads") for letter in letters]
    if len(letters) == 1:
        cases = [side(TICKER, letter, "threads") for letter in letters]
    counts = []
    for case in cases:
        whole = alone(TICKER) if case.kernel == TICKER else baseline(case)
        counts.append(len(paired(_counting(results, case), results.rounds(whole))))
    return min(counts), max(len(results.every(case)) for case in cases)


def _side(results: Results, letter: str, text: str, letters: list[str]) -> Side:
    other = neighbour(letter, letters)
    cases = {where: side(letter, other, where) for where in WHERE}
    threads = cases["threads"]
    late = {where: _late(results, side(TICKER, letter, where)) for where in WHERE}
    held, hold = held_share_in(results, alone(letter), HELD_SHARE), _hold(results, letter)
    call = results.values(alone(letter))
    return Side(
        letter,
        text,
        other,
        call=estimate(call) if call else None,
        kept={where: known for where, case in cases.items() if (known := kept(results, case)) is not None},
        to_processes=_ratio(results, threads, cases["processes"]),
        to_shorter=_ratio(results, cases["shorter"], threads),
        held=held,
        attached=held_share_in(results, alone(letter), ATTACHED_SHARE),
        error=results.fact(alone(letter), facts.HELD_ERROR),
        note=results.fact(alone(letter), facts.HELD_NOTE) or "",
        hold=hold,
        late={where: known for where, known in late.items() if known is not None},
        late_to_shorter=_late_ratio(results, letter),
    )


def _counting(results: Results, case: Case) -> Mapping[int, float]:
    """Return the seconds of a case, of the rounds in which neither it nor who is beside it was disturbed."""
    found = results.rounds(case)
    if not (other := other_of(case)):
        return found
    beside = results.rounds(side(other, case.kernel, where_of(case)))
    return {id_: found[id_] for id_ in paired(found, beside)}


def _kept(results: Results, case: Case, every: bool = False) -> dict[int, float]:
    """Return the share of its throughput that is kept in a case, by round."""
    if case in results.failures:
        return {}
    beside = results.every(case) if every else _counting(results, case)
    whole = results.every(baseline(case)) if every else results.rounds(baseline(case))
    return {id_: whole[id_] / beside[id_] for id_ in paired(beside, whole)}


def _settled(
    results: Results, case: Case, counting: Mapping[int, float], every: Mapping[int, float]
) -> Estimate | None:
    """Return the median of what counts; where that is nothing, the range of all, which decides nothing."""
    if counting:
        return over_sets(counting, sets_of(results, case))
    if not every:
        return None
    return Estimate(median(every.values()), least=min(every.values()), most=max(every.values()))


def _ratio(results: Results, top: Case, bottom: Case) -> Estimate | None:
    """Return what is kept in one case as a share of what is kept in another.

    Where too few rounds have both, it is as wide as the intervals of both allow.
    """
    tops, bottoms = _kept(results, top), _kept(results, bottom)
    both = {id_: tops[id_] / bottoms[id_] for id_ in paired(tops, bottoms)}
    found = over_sets(both, sets_of(results, top))
    if found is not None and found.decided:
        return found
    high, low = kept(results, top), kept(results, bottom)
    if high is None or low is None or not (high.decided and low.decided):
        return found
    return Estimate(high / low, high.low / low.high, high.high / low.low)


def ticks(results: Results, case: Case) -> dict[int, Lateness]:
    """Return how late the ticks of a case were, by round."""
    known = results.fact(case, facts.LATENESS) or []
    return dict(zip(results.every(case), map(Lateness.unpacked, known), strict=True))


def _over_rounds(results: Results, case: Case, figure: str) -> Estimate | None:
    """Return one figure of how late the ticks of a case were; None where there were none."""
    every = ticks(results, case)
    counting = _counting(results, case) if every else {}
    known, all_ = ({id_: getattr(every[id_], figure) for id_ in some} for some in (counting, every))
    return _settled(results, case, known, all_)


def _late(results: Results, case: Case) -> Late | None:
    usual, nearly_all = (_over_rounds(results, case, figure) for figure in ("usual", "nearly_all"))
    if usual is None or nearly_all is None:
        return None
    every, nothing = ticks(results, case), ticks(results, alone(TICKER))
    counting = _counting(results, case)
    both = paired(counting, results.rounds(alone(TICKER))) if case != alone(TICKER) else []
    more = {id_: every[id_].nearly_all - nothing[id_].nearly_all for id_ in both}
    most = max(every[id_].most for id_ in counting or every)
    return Late(usual, nearly_all, most, over_sets(more, sets_of(results, case)))


def _late_ratio(results: Results, letter: str) -> Estimate | None:
    top, bottom = (side(TICKER, letter, where) for where in ("shorter", "threads"))
    tops, bottoms = ticks(results, top), ticks(results, bottom)
    both = paired(_counting(results, top), _counting(results, bottom)) if tops and bottoms else []
    ratios = {id_: tops[id_].nearly_all / max(1e-9, bottoms[id_].nearly_all) for id_ in both}
    return over_sets(ratios, sets_of(results, top))


def _hold(results: Results, letter: str) -> Estimate | None:
    """Return for how long a statement holds the GIL at a time, where a ticker wants it."""
    case = side(TICKER, letter, "threads")
    found, longest = (_over_rounds(results, case, figure) for figure in ("hold", "most"))
    if found is None or longest is None:
        return None
    case = alone(letter)
    held, times = held_share_in(results, case, HELD_SHARE), results.fact(case, facts.HELD_TIMES) or 0.0
    call = _settled(results, case, results.rounds(case), results.every(case))
    if held is None or call is None:
        return found if found > TOLD * PERIOD else None
    if held >= USED_TO_IT and times <= 1:
        return found
    # It lets go by itself: mostly the ticker only slept, and a hold in which it woke up had begun before.
    # What keeps it waiting to its end is a call in C, and takes as long as alone; Python code lets it in.
    share, each = with_interval(held, results.fact(case, facts.HELD_ERROR)), 1 / max(1.0, times)
    hold = Estimate(each * share * call, each * share.low * call.low, each * share.high * call.high)
    least = longest.low if longest.decided else longest
    idle = _over_rounds(results, alone(TICKER), "most") or 0.0
    if least >= TO_ITS_END * hold and longest <= SOME_LONGER * (hold + idle):
        return hold
    return Estimate(longest)
