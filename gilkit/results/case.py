"""What is measured, and what came of it: cases and their rounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from gilkit.results.facts import Metadata

JUDGED_VARIANTS = ("nogil", "function", "gil", "python")  # what a verdict is about: the most that is released


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: a kernel's variant on an executor with so many workers.

    The variant is ``ceiling`` for the control kernel, which is measured in the rounds of every kernel; it is
    ``function`` for the reader's own code, and ``sent`` for that with its data sent with each call.
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
        """The case that the speedup of this one is relative to: one worker, with nobody beside it."""
        native = self.executor == "openmp" or self.variant == "ceiling"
        variant = "function" if self.variant == "sent" else self.variant
        return Case(self.kernel, variant, self.executor if native else "serial", 1)

    @classmethod
    def parse(cls, name: str) -> Case:
        """Return the case that is called ``name``."""
        kernel, variant, executor, workers = name.rsplit("/", 3)
        return cls(kernel, variant, executor, int(workers))


@dataclass(slots=True)
class Record:
    """The rounds of a case, in their order: seconds per call of each, and what else is known."""

    case: Case
    values: list[float] = field(default_factory=list)
    facts: Metadata = field(default_factory=dict)
