"""What is measured, and what came of it: cases and their rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gilkit.results.facts import Metadata
from gilkit.results.windows import Window, undisturbed

JUDGED_VARIANTS = ("nogil", "function", "gil", "python")  # what a verdict is about: the most that is released
PRIVATE = "private"  # of a shared SETUP, what each thread has for itself: its names are in the variant
ONLY = "only"  # what alone is shared: the same
BASELINES = {  # variants that are relative to one worker of another
    "sent": "function",
    "shared": "function",
    PRIVATE: "function",
    ONLY: "function",
}


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: a kernel's variant on an executor with so many workers.

    The variant is ``ceiling`` for the control kernel, which is measured in the rounds of every kernel. It is
    ``function`` for the reader's own code; ``sent`` for that with its data sent with each call, ``shared`` on
    threads that share one SETUP, ``private-a+b`` on such that have these names of it for themselves,
    ``only-a+b`` on such that share nothing of it but these, ``single`` with one thread inside each call.
    ``unpinned`` are the threads that the verdict is about, left to the scheduler.
    """

    kernel: str
    variant: str
    executor: str
    workers: int

    @property
    def name(self) -> str:
        """The name of the case in tables and files."""
        return f"{self.kernel}/{self.variant}/{self.executor}/{self.workers}"

    @property
    def baseline(self) -> Case:
        """The case that the speedup of this one is relative to: one worker of the same executor, alone."""
        kind = self.variant.partition("-")[0]
        return Case(self.kernel, BASELINES.get(kind, self.variant), self.executor, 1)

    @classmethod
    def parse(cls, name: str) -> Case:
        """Return the case that is called ``name``."""
        kernel, variant, executor, workers = name.rsplit("/", 3)
        return cls(kernel, variant, executor, int(workers))


@dataclass(slots=True)
class Record:
    """The rounds of a case: seconds per call of each, and what else is known.

    Parameters
    ----------
    case : Case
    values : list of float
        In the order in which they were measured.
    facts : Metadata
    ids : list of int
        The round of each value; what is compared comes from one round. By default counted from 0 on.
    windows : list of Window
        What was seen in each; empty where that is more than a case of this kind has.
    """

    case: Case
    values: list[float] = field(default_factory=list)
    facts: Metadata = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    _counted: dict[int, float] = field(default_factory=dict, init=False, repr=False, compare=False)
    _judged: int = field(default=0, init=False, repr=False, compare=False)  # values that `_counted` is of

    def __post_init__(self) -> None:
        self.ids = self.ids or list(range(len(self.values)))

    def add(self, id_: int, seconds: float, window: Window | None = None) -> None:
        """Add what was measured in a round."""
        self.ids.append(id_)
        self.values.append(seconds)
        if window is not None:
            self.windows.append(window)

    def rounds(self) -> dict[int, float]:
        """Return the seconds per call of the rounds that nobody disturbed, by round."""
        if self._judged != len(self.values):  # it is asked for far more often than there is a new round
            self._counted = counted(self.ids, self.values, self.windows)
            self._judged = len(self.values)
        return dict(self._counted)


def counted(ids: Sequence[int], values: Sequence[float], windows: Sequence[Window]) -> dict[int, float]:
    """Return the values of the rounds that nobody disturbed, by round: of all where no windows are known."""
    every = dict(zip(ids, values, strict=True))
    if not windows:
        return every
    kept = undisturbed(dict(zip(ids, windows, strict=True)))
    return {id_: value for id_, value in every.items() if id_ in kept}
