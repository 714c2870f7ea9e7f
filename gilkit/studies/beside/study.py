"""`beside`: what a statement costs its neighbour, another one or an event loop, in interleaved rounds."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from gilkit import machine
from gilkit.arguments import SHORT_TIMEOUT, checked_rounds, checked_timeout
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.engine.session import obtained
from gilkit.results import facts
from gilkit.results.stats import Estimate
from gilkit.results.writing import check_writable
from gilkit.studies.beside import STUDY, figures
from gilkit.studies.beside.course import Course
from gilkit.studies.beside.figures import Late
from gilkit.studies.beside.sides import LETTERS, WHERE, statements
from gilkit.studies.beside.verdict import Effect, Ruled, event_loop, shorter_interval, together
from gilkit.studies.outcome import Outcome
from gilkit.workloads.target import check_processes, own_statement


class Beside(Outcome):
    """What a statement costs its neighbour: another one, or an event loop. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def statements(self) -> dict[str, str]:
        """The statements, by the letters that they go by."""
        return statements(self.results)

    @property
    def sides(self) -> Mapping[str, figures.Side]:
        """What is known of each statement, by letter."""
        return figures.sides(self.results)

    def kept(self, letter: str, where: str = "threads") -> Estimate:
        """Return the share of its throughput alone that a statement keeps beside the other, or a ticker.

        Parameters
        ----------
        letter : str
            ``"A"``, or ``"B"``.
        where : str
            ``"threads"``, ``"processes"``; or ``"shorter"``: threads with a shorter switch interval.

        Returns
        -------
        Estimate
            1 for all of it; with the ends of its interval, ``low`` and ``high``.

        Raises
        ------
        ValueError
            If that was not measured.
        """
        found = self._side(letter, where).kept.get(where)
        if found is None:
            raise ValueError(f"{letter} was not measured beside its neighbour on {where}")
        return found

    def late(self, letter: str | None = None, where: str = "threads") -> Late:
        """Return how late a 1 ms ticker is beside a statement, in seconds.

        Parameters
        ----------
        letter : str, optional
            ``"A"``, or ``"B"``; by default beside nothing: what the system itself does.
        where : str
            As for `kept`.

        Returns
        -------
        Late
            ``usual``, ``nearly_all`` (99 %) and ``most``.

        Raises
        ------
        ValueError
            If that was not measured.
        """
        quiet = figures.quiet(self.results) if letter is None else self._side(letter, where).late.get(where)
        if quiet is None:
            raise ValueError(f"no ticker was measured beside {letter or 'nothing'} on {where}")
        return quiet

    @property
    def verdict(self) -> Ruled:
        """What to do with the two, or with the one beside an event loop."""
        known, switch = list(self.sides.values()), facts.SWITCH_INTERVAL.needed(self.results.facts)
        return together(known[0], known[1], switch) if len(known) > 1 else event_loop(known[0], switch)

    @property
    def shorter_interval(self) -> Effect:
        """What a shorter switch interval does."""
        return shorter_interval(*self.sides.values())

    def _side(self, letter: str, where: str) -> figures.Side:
        if letter not in self.statements:
            raise ValueError(f"there is no {letter}: measured were {', '.join(self.statements)}")
        if where not in WHERE:
            raise ValueError(f"where must be one of {', '.join(WHERE)}, not {where}")
        return self.sides[letter]


@with_bar
def beside(
    stmt: str,
    other: str | None = None,
    /,
    *,
    setup: str = "pass",
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT_TIMEOUT,
    progress: Listener | bool | None = None,
) -> Beside:
    """Measure what a statement costs its neighbour: another statement, or an event loop.

    Both run at once, on two threads of one process and in two processes, and each alone. A ticker, a thread
    that wakes every millisecond and notes how late, stands for the event loop.

    Parameters
    ----------
    stmt, other : str
        The statements. Without another one, `stmt` runs beside the ticker alone.
    setup : str
        What every worker runs first, once and for itself.
    rounds, seed, output, timeout, progress
        As in `gilkit.timeit`.

    Returns
    -------
    Beside

    Raises
    ------
    StatementError, TypeError, ValueError, ResultsError, KeyboardInterrupt
        As `gilkit.timeit` does.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.beside("json.dumps(data)", setup="import json; data = list(range(10**5))")  # doctest: +SKIP
    """
    wanted: Sequence[str] = [stmt] if other is None else [stmt, other]
    owns = {letter: own_statement(each, setup) for letter, each in zip(LETTERS, wanted, strict=False)}
    asked, timeout = checked_rounds(rounds), checked_timeout(timeout)
    check_processes(2)
    if output is not None:
        check_writable(output)
    runner = Runner(seed, progress, output)
    runner.facts |= facts.SETUP.entry(setup)
    course = Course(owns, asked, machine.usable_cpus(), sys.getswitchinterval(), runner)
    return obtained(Beside, Lab(2, timeout), course.measure, runner.suite, output)
