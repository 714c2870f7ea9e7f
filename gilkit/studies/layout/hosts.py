"""What hosts of a cluster found, each for itself: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.facts import Metadata
from gilkit.results.file import Results, build
from gilkit.results.stats import Estimate
from gilkit.results.windows import undisturbed
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.merged import there
from gilkit.studies.layout.figures import call_figures, standings
from gilkit.studies.layout.verdict import decision

ALLOWED_ON_HOSTS = 0.1  # the share of a window that others may take from a worker
GAINS = 1.1  # times the work of one worker from which several pay
AS_GOOD = 0.95  # of what processes do, from which threads do as much
ONCE = {fact.key for fact in (facts.FAILURES, facts.ROUND_IDS, facts.WINDOWS, facts.DROPPED)}  # written anew


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host of a cluster, and what it found.

    Parameters
    ----------
    name, now : str
        What it is called, and its workers with their threads.
    python : str
    cpus : int
    call : Estimate or None
        Seconds of a call alone.
    held, attached : float or None
        The share of a call that holds the GIL, or that stays attached where there is none.
    note : str
        Why that is not known; or empty.
    figures : mapping of str to Estimate
        Speedups of the ceiling, threads and processes; or calls in a second, of the best split.
    use : str
        What it is best there; empty where that is not decided.
    load : float
        CPUs that other programs used.
    failed : str
        Why there are no figures; or empty.
    """

    name: str
    now: str
    python: str
    cpus: int
    call: Estimate | None = None
    held: float | None = None
    attached: float | None = None
    note: str = ""
    figures: Mapping[str, Estimate] = field(default_factory=dict)
    use: str = ""
    load: float = 0.0
    failed: str = ""


def hosts_of(results: Results) -> dict[str, list[Any]]:
    """Return the hosts of a cluster, with what is known of each; empty where none was asked."""
    known = facts.HOSTS.of(results.facts, {})
    return {host: said for host, said in known.items() if isinstance(said, list) and len(said) == 3}


def busy_cluster(tasks: int) -> str:
    """Say that others use a cluster."""
    return f"BUSY: the cluster works on {tasks} task{'s' * (tasks != 1)} of others"


def host_statement(results: Results) -> str:
    """Return what was measured on the hosts."""
    named = ((kernel, there(host, "")) for host in hosts_of(results) for kernel in results.kernels)
    return next((kernel.removeprefix(host) for kernel, host in named if kernel.startswith(host)), "")


def of_all_hosts(found: Mapping[str, Results], known: Metadata, failed: Mapping[Case, str]) -> Any:
    """Return one pyperf suite of what hosts found, whose cases are called by their host first.

    Raises
    ------
    NothingMeasuredError
        If none of them has results.
    """
    failures = dict(failed)
    records = []
    for host, results in found.items():
        for case, why in results.failures.items():
            failures[_on(host, case)] = why
        records += [_record(results, case, _on(host, case)) for case in results]
    return build(records, known, failures)


def own_results(results: Results, host: str) -> Results | None:
    """Return the results of one host; None where it has none.

    The cluster's own processes take part of every window there, so more is allowed than elsewhere.
    """
    records = [
        _lenient(_record(results, case, own)) for case in results if (own := _off(host, case)) is not None
    ]
    failed = {own: why for case, why in results.failures.items() if (own := _off(host, case)) is not None}
    return Results(build(records, {}, failed)) if records else None


def _on(host: str, case: Case) -> Case:
    return replace(case, kernel=there(host, case.kernel))


def _off(host: str, case: Case) -> Case | None:
    """Return a case as its host calls it; None where it is of another host."""
    if not case.kernel.startswith(there(host, "")):
        return None
    return replace(case, kernel=case.kernel.removeprefix(there(host, "")))


def _lenient(record: Record) -> Record:
    """Return the rounds of a record of which others took little, or else all of them."""
    kept = undisturbed(dict(zip(record.ids, record.windows, strict=False)), ALLOWED_ON_HOSTS)
    if not kept:
        return record
    both = [(id_, value) for id_, value in zip(record.ids, record.values, strict=True) if id_ in kept]
    return Record(record.case, [value for _, value in both], record.facts, [id_ for id_, _ in both])


def _record(results: Results, case: Case, name: Case) -> Record:
    """Return the record of a case under another name."""
    every = results.every(case)
    known = {key: value for key, value in results.metadata(case).items() if key not in ONCE}
    return Record(name, list(every.values()), known, list(every), list(results.windows(case).values()))


def host_rows(results: Results) -> list[HostRow]:
    """Return what every host found."""
    return [_row(results, host, known) for host, known in hosts_of(results).items()]


def _row(results: Results, host: str, known: list[Any]) -> HostRow:
    now, python, cpus = known
    row = HostRow(host, str(now), str(python), int(cpus))
    failed = [why for case, why in results.failures.items() if case.kernel.startswith(there(host, ""))]
    own = own_results(results, host)
    if own is None:
        return replace(row, failed=failed[0] if failed else "it was not measured")
    row = replace(row, cpus=own.cpus, load=own.load)
    if facts.ASKED.of(results.facts) == "layout":
        return _with_splits(row, own)
    return _with_speedups(row, own)


def _with_speedups(row: HostRow, own: Results) -> HostRow:
    kernel = next(iter(own.kernels))
    known = evidence(own, kernel)
    found = {
        "ceiling": known.ceiling,
        "threads": known.threads.get("function"),
        "processes": known.processes,
    }
    return replace(
        row,
        call=known.call,
        held=known.held,
        attached=known.attached,
        note=known.held_note or "",
        figures={name: figure for name, figure in found.items() if figure is not None},
        use=_use(known.to_processes, [found["threads"], found["processes"]]),
    )


def _use(to_processes: Estimate | None, speedups: Sequence[Estimate | None]) -> str:
    """Return what to use on a host; empty where the intervals do not decide it."""
    decided = [one for one in speedups if one is not None and one.decided]
    if len(decided) < len(speedups) or to_processes is None or not to_processes.decided:
        return ""
    if all(one.high < GAINS for one in decided):
        return "one worker"
    if to_processes.low >= AS_GOOD:
        return "threads"
    return "processes" if to_processes.high < 1 else ""


def _with_splits(row: HostRow, own: Results) -> HostRow:
    call, choice = call_figures(own), decision(own)
    rates = {one.split: one.rate for one in standings(own) if one.rate is not None}
    best = choice.split or max(rates, key=lambda split: float(rates[split]), default=None)
    figures = {} if best is None else {"calls a second": rates[best]}
    return replace(
        row,
        call=None if call.seconds is None else Estimate(call.seconds),
        held=call.held,
        attached=call.attached,
        note=call.note,
        figures=figures,
        use="" if choice.split is None else str(choice.split),
    )


def differing(figures: Mapping[str, Estimate | None]) -> set[str]:
    """Return the hosts whose figure surely differs from that of the host in the middle."""
    known = {host: figure for host, figure in figures.items() if figure is not None and figure.decided}
    if len(known) < 2:
        return set()
    middle = sorted(known.values(), key=float)[(len(known) - 1) // 2]
    return {host for host, one in known.items() if one.low > middle.high or one.high < middle.low}
