"""The results file: a pyperf suite in JSON, with one benchmark a case, named kernel/variant/executor/workers.

Facts of a case or a run are metadata: see `facts`. One of them says which round each value is from; in files
of format 1, which have none, value i is from round i.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from gilkit.errors import NothingMeasuredError
from gilkit.results import facts
from gilkit.results.case import Case, Record, counted
from gilkit.results.facts import Fact, Metadata
from gilkit.results.windows import Window
from gilkit.results.writing import replace

FORMAT_VERSION = 2
STRETCHES = 1  # the last format in which stretches from a common start to the last end were timed
UNNAMED_KIND = "comparison"  # of results that name no kind
T = TypeVar("T")


class Results:
    """A suite, read by case.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    def __init__(self, suite: Any) -> None:
        self.suite = suite
        self._benchmarks = {Case.parse(b.get_name()): b for b in suite.get_benchmarks()}
        self._metadata: dict[Case, Metadata] = {c: b.get_metadata() for c, b in self._benchmarks.items()}
        self.facts: dict[str, Any] = {**next(iter(self._metadata.values())), **suite.get_metadata()}
        self.cpus = facts.CPUS.of(self.facts, 1)
        self.kind = facts.KIND.of(self.facts, UNNAMED_KIND)
        self.version = facts.FORMAT.of(self.facts, FORMAT_VERSION)
        self._every: dict[Case, Mapping[int, float]] = {}
        self._rounds: dict[Case, Mapping[int, float]] = {}
        self._windows: dict[Case, list[Window]] = {}
        self.failures: dict[Case, str] = {
            Case.parse(name): reason for name, reason in facts.FAILURES.of(self.facts, {}).items()
        }

    def __iter__(self) -> Iterator[Case]:
        return iter(self._benchmarks)

    @property
    def kernels(self) -> list[str]:
        """The kernels, in the order that they were measured."""
        return list(dict.fromkeys(case.kernel for case in (*self, *self.failures)))

    def values(self, case: Case) -> Sequence[float]:
        """Return the seconds per call of every round that counts; of all, where none does."""
        return list((self.rounds(case) or self.every(case)).values())

    def rounds(self, case: Case) -> Mapping[int, float]:
        """Return the seconds per call of the rounds that count, by round."""
        if case not in self._rounds:
            every = self.every(case)
            self._rounds[case] = counted(list(every), list(every.values()), self._seen(case))
        return self._rounds[case]

    def every(self, case: Case) -> Mapping[int, float]:
        """Return the seconds per call of all rounds, also of those that others disturbed."""
        if case not in self._every:
            benchmark = self._benchmarks.get(case)
            values = benchmark.get_values() if benchmark else ()
            self._every[case] = dict(zip(self._ids(case, len(values)), values, strict=True))
        return self._every[case]

    def windows(self, case: Case) -> dict[int, Window]:
        """Return what was seen of ``case``, by round, of disturbed ones too; empty if nobody looked."""
        if not (seen := self._seen(case)):
            return {}
        return dict(zip(self._ids(case, len(seen)), seen, strict=True))

    def baseline(self, case: Case) -> Case:
        """Return what the speedup of ``case`` is relative to."""
        native = case.executor == "openmp" or case.variant == "ceiling"
        if self.version > STRETCHES or native:
            return case.baseline
        return Case(case.kernel, case.baseline.variant, "serial", 1)

    def _ids(self, case: Case, values: int) -> Sequence[int]:
        return self.fact(case, facts.ROUND_IDS) or range(values)

    def _seen(self, case: Case) -> list[Window]:
        if case not in self._windows:
            packed = self.fact(case, facts.WINDOWS) or []
            self._windows[case] = [Window.unpacked(item) for item in packed]
        return self._windows[case]

    def metadata(self, case: Case) -> Mapping[str, Any]:
        """Return all that the file says of ``case``, and of its run."""
        return self._metadata.get(case, {})

    def fact(self, case: Case, fact: Fact[T]) -> T | None:
        """Return what is known of ``case``; None where that is nothing."""
        return fact.of(self.metadata(case))

    @property
    def gil(self) -> bool:
        """Whether the interpreter ran with a GIL."""
        return facts.GIL.of(self.facts, "on") == "on"

    @property
    def load(self) -> float:
        """The CPUs that others used: the most of all cases."""
        return max((self.fact(case, facts.LOAD) or 0.0 for case in self), default=0.0)

    @property
    def missing(self) -> dict[str, str]:
        """What cannot be measured there, each with the reason."""
        return facts.MISSING.of(self.facts, {})


def build(records: Iterable[Record], run: Metadata, failures: Mapping[Case, str]) -> Any:
    """Return the suite of what was measured.

    Parameters
    ----------
    records : iterable of Record
        Those without values are left out.
    run : mapping
        Facts of the run.
    failures : mapping of Case to str
        The cases that failed, and why.

    Returns
    -------
    pyperf.BenchmarkSuite

    Raises
    ------
    NothingMeasuredError
        If no case has values.
    """
    import pyperf

    common = {**run, **facts.FORMAT.entry(FORMAT_VERSION)}
    if failures:
        common |= facts.FAILURES.entry({case.name: reason for case, reason in failures.items()})
    benchmarks = [
        pyperf.Benchmark(
            [
                pyperf.Run(
                    record.values,
                    metadata={
                        **common,
                        **record.facts,
                        **facts.ROUND_IDS.entry(record.ids),
                        **(_of_windows(record) if record.windows else {}),
                        "name": record.case.name,
                        "unit": "second",
                    },
                    collect_metadata=False,
                )
            ]
        )
        for record in records
        if record.values
    ]
    if not benchmarks:
        raise NothingMeasuredError(failures)
    return pyperf.BenchmarkSuite(benchmarks)


def _of_windows(record: Record) -> facts.Metadata:
    dropped = 1 - len(record.rounds()) / len(record.values)
    return facts.WINDOWS.entry([w.packed() for w in record.windows]) | facts.DROPPED.entry(round(dropped, 4))


def save(suite: Any, path: str | os.PathLike[str]) -> None:
    """Write ``suite`` to ``path``: whole or not at all.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    replace(path, lambda name: suite.dump(name, replace=True))
