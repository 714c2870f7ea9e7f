"""What a study ends with: what was found, in every form in which it is shown."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gilkit.results import file
from gilkit.results.file import Results
from gilkit.studies.drawn import Drawn

if TYPE_CHECKING:
    from rich.console import RenderableType


class Report(ABC):
    """What was found: as a text, in a notebook, and for machines."""

    @abstractmethod
    def __rich__(self) -> RenderableType: ...

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: all that there is to say, in dicts, lists, numbers and texts.

        Returns
        -------
        dict
            Unknown figures are None.
        """

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """Return what ``--csv`` prints: a dict for each case, slice of a timeline or listed kernel."""

    @abstractmethod
    def _finest(self) -> Iterable[dict[str, Any]]:
        """Return what `to_frame` makes its rows of."""

    def to_frame(self) -> Any:
        """Return what was measured as a data frame of pandas, tidy.

        Returns
        -------
        pandas.DataFrame
            A row for each round of each case, and whether it counts: others may have disturbed it. Of a
            timeline, a row for each slice.

        Raises
        ------
        ImportError
            If there is no pandas: it is none of the dependencies.
        """
        from gilkit.display.data import frame

        return frame(self._finest())

    def __repr__(self) -> str:
        from gilkit.display.tables import plain

        return plain(self)

    def _repr_html_(self) -> str:
        from gilkit.display.tables import html

        return html(self)


class Outcome(Report, Drawn):
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

    def to_dict(self) -> dict[str, Any]:
        return self.study.document(self._results)

    def rows(self) -> list[dict[str, Any]]:
        from gilkit.display.data import case_rows

        return case_rows(self._results, self.study.speedup)

    def _finest(self) -> Iterable[dict[str, Any]]:
        from gilkit.display.data import round_rows

        return round_rows(self._results)

    def __rich__(self) -> RenderableType:
        return self.study.table(self._results)
