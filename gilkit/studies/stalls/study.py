"""Which lines of a program made other threads wait: the watch over it, as it was found."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from gilkit import machine
from gilkit.display.traces import save_trace
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import build
from gilkit.studies.outcome import Outcome
from gilkit.studies.stalls import STUDY
from gilkit.studies.stalls.findings import each_line, each_stall
from gilkit.studies.stalls.notes import children
from gilkit.studies.stalls.processes import processes
from gilkit.studies.stalls.trace_events import events
from gilkit.studies.stalls.watched import Watched

LONGEST_SUBJECT = 60  # characters of a program that stands in the command line


class StallReport(Outcome):
    """Which lines of a program made other threads wait for the GIL. Its ``repr`` is the report.

    ``gilkit stalls -o FILE`` leaves one in a file; `gilkit.load` reads it. `gilkit.Stalls` watches from
    within a program.
    """

    study = STUDY

    @classmethod
    def of(cls, told: dict[str, Any]) -> StallReport:
        """Return the report of what a program that was watched has told when it ended."""
        watched = [Watched.unpacked(told["main"]), *children(told["children"])]
        load = _load(told)
        records = []
        for number, one in enumerate(watched):
            case = Case("program", f"child-{number}" if number else "main", "process", 1)
            seen = facts.STALLS_SEEN.entry(one.packed()) | facts.LOAD.entry(load)
            records.append(Record(case, [max(one.seconds, 1e-9)], seen))
        run = {
            **facts.run_facts(),
            **facts.KIND.entry(STUDY.kind),
            **facts.SUBJECT.entry(_subject(told["how"], told["program"])),
            **facts.COUNTS_FROM.entry(told["longer"]),
            **told["gil"],
            **facts.SWITCH_INTERVAL.entry(told["switch_interval"]),
        }
        return cls(build(records, run, {}))

    @property
    def processes(self) -> list[Watched]:
        """What was seen of each process, of the program itself first."""
        return processes(self.results)

    def save_trace(self, path: str | os.PathLike[str]) -> None:
        """Write it to ``path`` in the Trace Event format, which Perfetto and chrome://tracing open.

        Parameters
        ----------
        path : path

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        save_trace(path, events(self.results))

    def rows(self) -> list[dict[str, Any]]:
        return each_line(self.results)

    def _finest(self) -> list[dict[str, Any]]:
        return each_stall(self.results)


def is_trace(path: str | os.PathLike[str]) -> bool:
    """Whether a file is to be a trace, by its name."""
    return str(path).lower().endswith(".trace.json")


def _subject(how: str, program: str) -> str:
    """Return what a program is called, in one line; pyperf takes no other."""
    if how == "script":
        plain = program.isprintable() and program.strip() == program != ""
        return "standard input" if program == "-" else program if plain else repr(program)
    first = " ".join(program.split())
    return f"-{how} {first if len(first) <= LONGEST_SUBJECT else first[: LONGEST_SUBJECT - 1] + '…'}".rstrip()


def _load(told: dict[str, Any]) -> float:
    """Return how many CPUs others kept busy meanwhile: all but the program, its children and this."""
    import psutil

    own = told["cpu"] - told["cpu_before"]
    with suppress(psutil.Error):
        running = psutil.Process(told["pid"]).children(recursive=True)  # this is one of them
        own += machine.cpu_seconds(child.pid for child in running)
    others: float = machine.busy_seconds() - told["busy"] - own
    return round(max(0.0, others) / (time.monotonic() - float(told["began"])), 3)
