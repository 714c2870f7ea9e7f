"""`compare`: plan, run, and return a Comparison, which has the results and what follows from them."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from gilkit import machine, results
from gilkit.executors import EXECUTORS
from gilkit.kernels import VARIANTS, Kernel
from gilkit.lab import Lab
from gilkit.outcome import Outcome, obtained
from gilkit.plan import (
    CLOSE,
    DEFAULT,
    OWN,
    QUICK,
    allowed,
    chosen_kernels,
    function_name,
    kernel_subject,
    own_subject,
    worker_counts,
)
from gilkit.results import Case
from gilkit.run import Progress, Run
from gilkit.settings import (
    LARGEST,
    SECONDS,
    SHORT,
    checked_rounds,
    checked_timeout,
    positive,
    resolved,
    shown_count,
    worker_list,
)
from gilkit.statement import StatementCall, check, named
from gilkit.stats import Estimate
from gilkit.verdict import Verdict, shown_workers, speedup, verdicts
from gilkit.workload import FunctionCall


class Comparison(Outcome):
    """What was measured of one or several kernels, and what follows from it.

    Its ``repr`` is the table.

    Parameters
    ----------
    suite : pyperf.BenchmarkSuite
    """

    kind = "comparison"

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on every kernel."""
        return dict(verdicts(self._results))

    @property
    def verdict(self) -> Verdict:
        """The verdict, where one kernel or function was compared."""
        return self.verdicts[self._only()]

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


def compare(
    target: Any = None,
    /,
    *args: Any,
    variants: Iterable[str] | None = None,
    executors: Iterable[str] | None = None,
    workers: Iterable[int] | int | None = None,
    size: int | None = None,
    rounds: int | None = None,
    quick: bool = False,
    seed: int | None = None,
    input: str | os.PathLike[str] | None = None,  # noqa: A002 (the name of the option)
    output: str | os.PathLike[str] | None = None,
    timeout: float = SECONDS,
    progress: Callable[[Progress], None] | None = None,
) -> Comparison:
    """Measure kernels, or a function, on threads and on processes, in interleaved rounds.

    Parameters
    ----------
    target : str, Kernel, list of these, or callable, optional
        The kernels to compare, all by default; or a function to call with `args`. A function runs on threads
        of this process, and on processes if they can import it.
    *args
        The arguments of the function.
    variants, executors : list of str, optional
        Some of `gilkit.kernels.VARIANTS` and of `gilkit.executors.EXECUTORS`; all by default.
    workers : list of int, or int, optional
        Worker counts; by default 1 … 2 × CPUs.
    size : int, optional
        How much work a call is, in the kernel's unit; by default the kernel's own size for each variant.
    rounds : int, optional
        By default as many as fit into two minutes, or into ten seconds for a function.
    quick : bool
        Fewer rounds and worker counts: half a minute for all kernels.
    seed : int, optional
        For the order of the cases in a round; recorded in the results.
    input : path, optional
        A file to take data from: any for kernels of bytes, a .npy array for kernels of arrays.
    output : path, optional
        Where to write the results after every kernel.
    timeout : float
        Seconds after which a round is given up and its processes are killed.
    progress : callable, optional
        Called with a `Progress` before every case of every round.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit; the message says what is allowed.
    OSError
        If `input` cannot be read.
    ResultsError
        If `output` cannot be written: before anything is measured where that can be told, else at the end,
        as an `UnsavedError` that has what was measured. If every case failed, as a
        `NothingMeasuredError` with the reasons.
    KeyboardInterrupt
        On Ctrl-C, as an `InterruptedRunError` that has what was measured until then; `output` has it
        too.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.compare("lcg", quick=True)  # doctest: +SKIP
    """
    if size is not None and positive("size", size) > LARGEST:
        raise ValueError("size is too large: at most 2**63 - 1 is allowed")
    own = callable(target) and not isinstance(target, Kernel)
    if own and (variants is not None or size is not None or input is not None):
        raise TypeError("variants, size and input are for kernels, not for a function")
    if not own and args:
        raise TypeError("arguments are for a function, not for kernels: give kernels as one list")
    path = None if input is None else resolved("input", input)
    if output is not None:
        results.check_writable(output)
        if path is not None and resolved("output", output) == path:
            raise ValueError(f"output must not be the input, {input}")
    chosen = allowed("executor", executors, list(EXECUTORS))
    cpus = machine.usable_cpus()
    counts = worker_list(workers, (max(2, cpus),) if quick else worker_counts(cpus))
    shown = shown_count(counts, cpus)
    if own:
        workload = FunctionCall(target, args)
        subjects = [own_subject(function_name(target), workload, chosen, counts, shown, workers is None)]
    else:
        wanted = allowed("variant", variants, VARIANTS)
        subjects = [
            kernel_subject(kernel, wanted, chosen, counts, shown, size, path)
            for kernel in chosen_kernels(target, path)
        ]
    subjects = [s for s in subjects if any(case.variant != "ceiling" for case in s.cases)]
    if not subjects:
        raise ValueError(
            "nothing to measure: no kernel that was chosen has such a variant on such an executor"
        )
    pace = OWN if own else QUICK if quick else DEFAULT if len(subjects) > 4 else CLOSE
    lab = Lab(max(counts), checked_timeout(timeout), apart=not own)
    run = Run(subjects, pace, checked_rounds(rounds), seed, cpus, output, progress)
    with nullcontext() if lab.apart else _undisturbed():
        return obtained(Comparison, lab, run.measure, run.suite, output)


def timeit(
    stmt: str = "pass",
    setup: str = "pass",
    *,
    executors: Iterable[str] | None = None,
    workers: Iterable[int] | int | None = None,
    rounds: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    timeout: float = SHORT,
    progress: Callable[[Progress], None] | None = None,
) -> Comparison:
    """Measure a statement, on threads and on processes, in interleaved rounds.

    Parameters
    ----------
    stmt : str
        What is timed. Its last expression is its result, where that is sent back from a process.
    setup : str
        What every worker runs first, once and for itself: so nothing needs to be pickled.
    executors, workers, rounds, seed, output, timeout, progress
        As in `compare`.

    Returns
    -------
    Comparison

    Raises
    ------
    StatementError
        If `stmt` or `setup` is not Python; a ValueError. One that fails is a failed case.
    TypeError, ValueError, ResultsError, KeyboardInterrupt
        As `compare` does.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.timeit("zlib.compress(data)", "import zlib; data = bytes(10**6)")  # doctest: +SKIP
    """
    for name, text in (("stmt", stmt), ("setup", setup)):
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a string, not {type(text).__name__}")
    check(setup, stmt)
    if output is not None:
        results.check_writable(output)
    chosen = allowed("executor", executors, [e for e in EXECUTORS if e != "openmp"])
    cpus = machine.usable_cpus()
    counts = worker_list(workers, worker_counts(cpus))
    name = named(stmt)
    subject = own_subject(
        name, StatementCall(setup, stmt), chosen, counts, shown_count(counts, cpus), workers is None
    )
    subject.facts["function"].update(
        {"gilkit_statement": json.dumps(stmt), "gilkit_setup": json.dumps(setup)}
    )
    run = Run([subject], OWN, checked_rounds(rounds), seed, cpus, output, progress)
    return obtained(Comparison, Lab(max(counts), checked_timeout(timeout)), run.measure, run.suite, output)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Measure in this process as in a worker: no garbage collector, one thread in BLAS."""
    import threadpoolctl

    collecting = gc.isenabled()
    gc.disable()
    try:
        with threadpoolctl.threadpool_limits(limits=1):
            yield
    finally:
        if collecting:
            gc.enable()
