"""What follows for two neighbours, or for one and an event loop: pure functions of figures with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gilkit.results.stats import Estimate
from gilkit.studies.beside.figures import Late, Side

FAIR = 0.9  # of its throughput that one keeps who does not mind its neighbour
PROMPT = 0.001  # seconds that an event loop may be late, beyond what it is beside nothing
BEYOND_INTERVAL = (
    1.5  # switch intervals of one hold, from which it is one call in C: Python code would let go
)
TELLING_APART = 1.5  # times as long as that of the other, from which one hold is the longer
WORTH_IT = 1.1  # times as much, from which a shorter switch interval helps
SOONER = 0.8  # of how late a ticker was, up to which a shorter switch interval helps


class Answer(Enum):
    """What to do with neighbours."""

    TOGETHER = "keep together"
    PROCESS = "put into a process"
    RELEASE = "release the GIL"
    CUT = "cut into pieces"
    OPEN = "not decided"


class Effect(Enum):
    """What a shorter switch interval does."""

    HELPS = "helps"
    HURTS = "hurts"
    NOTHING = "changes little"
    OPEN = "is not decided"


@dataclass(frozen=True, slots=True)
class Ruled:
    """What to do.

    Parameters
    ----------
    answer : Answer
    whom : str
        The letter of the statement that it is about; of two, if either will do; empty for none.
    pieces : float
        Seconds that a piece may be long, where it is to be cut.
    processes : bool or None
        Whether processes were seen to help; None where that was not measured.
    """

    answer: Answer
    whom: str = ""
    pieces: float = 0.0
    processes: bool | None = None


def together(a: Side, b: Side, switch: float) -> Ruled:
    """Return what to do with two statements, of what each keeps beside the other.

    Parameters
    ----------
    a, b : Side
    switch : float
        Seconds of the switch interval.
    """
    losing = {one.letter: _loses(one) for one in (a, b)}
    if any(loses is None for loses in losing.values()) and not any(losing.values()):
        return Ruled(Answer.OPEN)
    if not any(losing.values()):
        return Ruled(Answer.TOGETHER)
    victim = next((one for one in (a, b) if losing[one.letter]), a)
    whom = _the_longer(a, b) if all(losing.values()) else (b if victim is a else a).letter
    culprits = [one for one in (a, b) if one.letter in whom]
    helped = all(_helped(one) for one in (a, b) if losing[one.letter])
    if len(culprits) == 1 and in_one_call(culprits[0], switch):
        return Ruled(Answer.RELEASE, whom, processes=helped)
    return Ruled(Answer.PROCESS if helped else Answer.OPEN, whom, processes=helped)


def _loses(one: Side) -> bool | None:
    """Whether one loses by sharing an interpreter: more than it does in a process beside the other."""
    threads = one.kept.get("threads")
    if threads is None or not threads.decided:
        return None
    against = one.to_processes if one.to_processes is not None else threads
    if threads.low >= FAIR or (against.decided and against.low >= FAIR):
        return False
    if threads.high < FAIR and against.high < FAIR:
        return True
    return None


def _helped(one: Side) -> bool:
    """Whether one keeps more in a process, and the interval leaves no doubt of it."""
    return one.to_processes is not None and one.to_processes.high < FAIR


def _the_longer(a: Side, b: Side) -> str:
    """Return who of two holds the GIL for longer at a time; both, where neither is told apart."""
    for one, other in ((a, b), (b, a)):
        if one.hold and other.hold and one.hold.low > TELLING_APART * other.hold.high:
            return one.letter
    return a.letter + b.letter


def in_one_call(one: Side, switch: float) -> bool:
    """Whether one holds the GIL for longer than Python code would, which lets go when it is asked to."""
    return one.hold is not None and one.hold.low > BEYOND_INTERVAL * switch


def event_loop(one: Side, switch: float) -> Ruled:
    """Return what to do with a statement that runs on a thread beside an event loop."""
    late = one.late.get("threads")
    prompt = is_prompt(late)
    if prompt is None:
        return Ruled(Answer.OPEN, one.letter)
    if prompt:
        return Ruled(Answer.TOGETHER, one.letter)
    elsewhere = is_prompt(one.late.get("processes"))
    if in_one_call(one, switch):
        return Ruled(Answer.CUT, one.letter, switch, elsewhere)
    return Ruled(Answer.OPEN if elsewhere is False else Answer.PROCESS, one.letter, processes=elsewhere)


def is_prompt(late: Late | None) -> bool | None:
    """Whether a ticker is hardly later than beside nothing; None where that is not decided."""
    if late is None or late.beyond is None or not late.beyond.decided:
        return None
    if late.beyond.high < PROMPT:
        return True
    return False if late.beyond.low >= PROMPT else None


def shorter_interval(a: Side, b: Side | None = None) -> Effect:
    """Return what a shorter switch interval does for who keeps least; without another, for the event loop."""
    if b is None:
        return _sooner(a.late_to_shorter)
    known = [one for one in (a, b) if "threads" in one.kept]
    if len(known) < 2:
        return Effect.OPEN
    gain = min(known, key=lambda one: one.kept["threads"]).to_shorter
    if gain is None or not gain.decided:
        return Effect.OPEN
    if gain.low > WORTH_IT:
        return Effect.HELPS
    if gain.high < 1 / WORTH_IT:
        return Effect.HURTS
    return Effect.NOTHING if gain.low >= 1 / WORTH_IT and gain.high <= WORTH_IT else Effect.OPEN


def _sooner(ratio: Estimate | None) -> Effect:
    if ratio is None or not ratio.decided:
        return Effect.OPEN
    if ratio.high < SOONER:
        return Effect.HELPS
    if ratio.low > 1 / SOONER:
        return Effect.HURTS
    return Effect.NOTHING if ratio.low >= SOONER and ratio.high <= 1 / SOONER else Effect.OPEN
