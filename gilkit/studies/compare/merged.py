"""Results of several interpreters in one: each case is called by its interpreter first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.facts import Metadata
from gilkit.results.file import Results, build

OF_ALL = {  # said once for all interpreters, or anew
    fact.key for fact in (facts.FAILURES, facts.GENERATIONS, facts.SEED, facts.ROUND_IDS, facts.WINDOWS)
}


@dataclass(frozen=True, slots=True)
class TurnSet:
    """What one set of fresh processes measured, of each interpreter.

    Parameters
    ----------
    first : int
        The number of its first round.
    found : mapping of str to Results
        By the name of the interpreter.
    """

    first: int
    found: Mapping[str, Results]


def several_pythons(results: Results) -> list[str]:
    """Return the names of the interpreters that measured by turns; empty where one alone did."""
    return facts.PYTHONS.of(results.facts, [])


def there(python: str, kernel: str) -> str:
    """Return what a kernel or statement of an interpreter is called."""
    return f"{python}: {kernel}"


def plain_kernels(results: Results) -> list[str]:
    """Return the kernels or statements, without the names of interpreters."""
    named = ((kernel, name) for kernel in results.kernels for name in several_pythons(results))
    return list(
        dict.fromkeys(
            kernel.removeprefix(there(name, ""))
            for kernel, name in named
            if kernel.startswith(there(name, ""))
        )
    )


def merged(
    pythons: Sequence[str], sets: Iterable[TurnSet], known: Metadata, failed: Mapping[Case, str]
) -> Any:
    """Return one pyperf suite of what the sets found.

    Parameters
    ----------
    pythons : list of str
        The names of the interpreters.
    sets : iterable of TurnSet
    known : Metadata
        Facts of the run.
    failed : mapping of Case to str
        Why interpreters failed that have no results: nothing of theirs is kept.

    Raises
    ------
    NothingMeasuredError
        If there is nothing.
    """
    sets = list(sets)
    broken = {case.kernel for case in failed}
    failures = dict(failed)
    records: dict[Case, Record] = {}
    starts: dict[Case, list[int]] = {}
    for name in pythons:
        for one in sets:
            if (results := one.found.get(name)) is None:
                continue
            for case, reason in results.failures.items():
                failures.setdefault(_of(name, case), reason)
            for case in results:
                if (own := _of(name, case)).kernel in broken:
                    continue
                record = records.setdefault(own, Record(own, facts=_known(results, case)))
                starts.setdefault(own, []).append(one.first)
                every = results.every(case)
                record.ids += [one.first + id_ for id_ in every]
                record.values += every.values()
                record.windows += results.windows(case).values()
    for case, firsts in starts.items():
        if len(firsts) > 1:
            records[case].facts |= facts.GENERATIONS.entry(firsts[1:])
    measured = [record for case, record in records.items() if case not in failures]
    return build(measured, {**known, **facts.PYTHONS.entry(list(pythons))}, failures)


def _of(python: str, case: Case) -> Case:
    return replace(case, kernel=there(python, case.kernel))


def _known(results: Results, case: Case) -> Metadata:
    """Return what is known of a case, with what is known of its run."""
    return {key: value for key, value in results.metadata(case).items() if key not in OF_ALL}


def part(results: Results, python: str) -> Results:
    """Return the results of one interpreter, of which the facts of the run are its own.

    Where it has none, as it failed, they are those of all, with its failures.
    """
    import pyperf

    every = results.suite.get_benchmarks()
    own = [benchmark for benchmark in every if benchmark.get_name().startswith(there(python, ""))]
    found = Results(pyperf.BenchmarkSuite(own or every))
    found.failures = {c: why for c, why in results.failures.items() if c.kernel.startswith(there(python, ""))}
    return found
