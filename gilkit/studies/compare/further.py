"""Workers of executors that stand beside threads and processes: interpreters, and those of libraries."""

from __future__ import annotations

from dataclasses import dataclass

from gilkit.engine.executors import EXECUTORS
from gilkit.results.case import JUDGED_VARIANTS, Case
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.speedups import compared, speedup

FURTHER_EXECUTORS = tuple(name for name, kind in EXECUTORS.items() if kind.further)


@dataclass(frozen=True, slots=True)
class Further:
    """Workers of a further executor, beside threads and processes.

    Parameters
    ----------
    variant : str
        What they do: of a kernel it may be another variant than what is judged.
    speedup : Estimate
    from_threads, to_processes, to_ceiling : Estimate or None
        Ratios of speedups, paired by rounds: of the judged threads to these, and of these to processes and
        to the ceiling.
    shares_gil : bool
        Whether they have one GIL in common, as threads have.
    """

    variant: str
    speedup: Estimate
    from_threads: Estimate | None = None
    to_processes: Estimate | None = None
    to_ceiling: Estimate | None = None
    shares_gil: bool = False


def further(results: Results, subject: Case, apart: Case, ceiling: Case) -> dict[str, Further]:
    """Return what workers of further executors do: of the most that was released of what they were given."""
    found = {}
    for name in FURTHER_EXECUTORS:
        cases = (Case(subject.kernel, v, name, subject.workers) for v in JUDGED_VARIANTS)
        case = next((case for case in cases if results.values(case)), None)
        if case is None or (does := speedup(results, case)) is None:
            continue
        found[name] = Further(
            case.variant,
            does,
            compared(results, subject, case),
            compared(results, case, apart) if apart != subject else None,
            compared(results, case, ceiling) if ceiling.variant == "ceiling" else None,
            EXECUTORS[name].shares_gil,
        )
    return found
