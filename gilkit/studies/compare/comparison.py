"""A Comparison: what was measured of kernels or of the reader's own code, and what follows from it."""

from __future__ import annotations

from gilkit.results.case import Case
from gilkit.results.stats import Estimate
from gilkit.studies.compare import STUDY
from gilkit.studies.compare.evidence import evidence, shown_workers
from gilkit.studies.compare.ladder import climbed
from gilkit.studies.compare.rungs import Ladder
from gilkit.studies.compare.speedups import speedup
from gilkit.studies.compare.verdict import Verdict, verdicts
from gilkit.studies.outcome import Outcome


class Comparison(Outcome):
    """What was measured of one or several kernels, and what follows from it.

    Its ``repr`` is the table.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    study = STUDY

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on every kernel."""
        return dict(verdicts(self._results))

    @property
    def verdict(self) -> Verdict:
        """The verdict, where one kernel or function was compared."""
        return self.verdicts[self._only()]

    @property
    def ladder(self) -> Ladder | None:
        """What threads do by what they share, where ``ladder=True`` asked for it."""
        kernel = self._only()
        return climbed(self._results, evidence(self._results, kernel))

    def speedup(
        self, variant: str, executor: str, workers: int | None = None, kernel: str | None = None
    ) -> Estimate:
        """Return how many times the work of one worker is done at once.

        Parameters
        ----------
        variant : str
            ``python``, ``gil``, ``nogil``, ``native``; or ``function`` for a function of one's own.
        executor : str
            ``threads``, ``processes``; or ``openmp`` for native.
        workers : int, optional
            By default as many as the table shows: the CPUs.
        kernel : str, optional
            Needed where several were compared.

        Returns
        -------
        Estimate
            A float with the ends of its 95 % interval, ``low`` and ``high``.

        Raises
        ------
        ValueError
            If that was not measured; the message says what was, or why it failed.
        """
        kernel = kernel or self._only()
        if kernel not in self._results.kernels:
            raise ValueError(f"kernel must be one of {', '.join(self._results.kernels)}, not {kernel!r}")
        workers = shown_workers(self._results, kernel) if workers is None else workers
        case = Case(kernel, variant, executor, workers)
        found = speedup(self._results, case)
        if found is None:
            if case in self._results.failures:
                raise ValueError(f"{case.name} failed: {self._results.failures[case]}")
            names = ", ".join(c.name for c in self._results if c.kernel == kernel)
            raise ValueError(f"{case.name} was not measured; measured were {names}")
        return found

    def _only(self) -> str:
        if len(names := self._results.kernels) != 1:
            raise ValueError(f"several kernels were compared: name one of {', '.join(names)}")
        return names[0]
