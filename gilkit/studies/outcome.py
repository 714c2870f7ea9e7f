"""What a study ends with: its results, and the table of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gilkit.results import file
from gilkit.results.file import Results
from gilkit.studies.drawn import Drawn

if TYPE_CHECKING:
    from rich.console import RenderableType


class Outcome(Drawn):
    """What was measured, and what follows from it. Its ``repr`` is the report.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    def __init__(self, suite: Any) -> None:
        self.suite = suite
        self._results = Results(suite)

    @property
    def results(self) -> Results:
        """The suite, read by case."""
        return self._results

    @property
    def _shown(self) -> Results:
        return self._results

    @property
    def failures(self) -> dict[str, str]:
        """The names of the cases that failed, each with the reason."""
        return {case.name: reason for case, reason in self._results.failures.items()}

    @property
    def missing(self) -> dict[str, str]:
        """The names of what cannot be measured here, each with the reason."""
        return self._results.missing

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the suite to ``path``, in pyperf's JSON.

        Parameters
        ----------
        path : path

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        file.save(self.suite, path)

    def __rich__(self) -> RenderableType:
        return self.study.table(self._results)

    def __repr__(self) -> str:
        from gilkit.display.tables import plain

        return plain(self)
