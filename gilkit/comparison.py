"""Plan the cases, interleave their rounds, and return a Comparison."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilkit import __version__, machine, results
from gilkit.executors import EXECUTORS
from gilkit.kernels import VARIANTS, Kernel
from gilkit.measure import CaseFailedError, Lab, calibrated
from gilkit.plan import (
    CLOSE,
    DEFAULT,
    FEW,
    QUICK,
    Pace,
    Subject,
    allowed,
    chosen_kernels,
    function_subject,
    kernel_subject,
    worker_counts,
)
from gilkit.results import Case, Metadata, Record, Results
from gilkit.stats import Estimate
from gilkit.verdict import Verdict, shown_workers, speedup, verdicts
from gilkit.workload import Workload

SECONDS = 60.0  # the default timeout of a round
LARGEST = 2**63 - 1  # what the kernels count to
LOOK = 0.2  # seconds to watch what others use, before every kernel


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: seconds of measuring done and planned, and what is being measured."""

    done: float
    total: float
    label: str


class Comparison:
    """What was measured of one or several kernels, and what follows from it.

    Its ``repr`` is the table.

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
    def failures(self) -> dict[str, str]:
        """The names of the cases that failed, each with the reason."""
        return {case.name: reason for case, reason in self._results.failures.items()}

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the suite to ``path``, in pyperf's JSON."""
        results.save(self.suite, path)

    def _only(self) -> str:
        if len(names := self._results.kernels) != 1:
            raise ValueError(f"several kernels were compared: name one of {', '.join(names)}")
        return names[0]

    def __repr__(self) -> str:
        from gilkit.report import text

        return text(self._results)


def load(path: str | os.PathLike[str]) -> Comparison:
    """Read the comparison that was saved to ``path``.

    Raises
    ------
    ResultsError
        If it cannot be read, is cut off, is not gilkit's or is of a later version.
    """
    return Comparison(results.load(path).suite)


class InterruptedComparisonError(KeyboardInterrupt):
    """An interrupt during `compare`; ``comparison`` is what was measured until then, or None."""

    def __init__(self, comparison: Comparison | None) -> None:
        super().__init__("interrupted")
        self.comparison = comparison


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return value


def compare(
    target: Any = None,
    /,
    *args: Any,
    variants: Iterable[str] | None = None,
    executors: Iterable[str] | None = None,
    workers: Iterable[int] | None = None,
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
    workers : list of int, optional
        Worker counts; by default 1 … 2 × CPUs.
    size : int, optional
        How much work a call is, in the kernel's unit; by default the kernel's own size for each variant.
    rounds : int, optional
        By default as many as fit into two minutes.
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
        If `output` cannot be written, or nothing could be measured.
    KeyboardInterrupt
        On Ctrl-C, as an `InterruptedComparisonError` that has what was measured until then; `output` has it
        too.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.compare("lcg", quick=True)  # doctest: +SKIP
    """
    if output is not None:
        results.check_writable(output)
    if not timeout > 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
    if rounds is not None:
        _positive("rounds", rounds)
    if size is not None and _positive("size", size) > LARGEST:
        raise ValueError("size is too large: at most 2**63 - 1 is allowed")
    cpus = machine.usable_cpus()
    usual = (cpus,) if quick else worker_counts(cpus)
    counts = sorted({_positive("workers", count) for count in (usual if workers is None else workers)})
    if not counts:
        raise ValueError("workers must name at least one count")
    shown = cpus if cpus in counts else counts[-1]
    chosen = allowed("executor", executors, list(EXECUTORS))
    path = None if input is None else str(Path(input).resolve())

    if callable(target) and not isinstance(target, Kernel):
        if variants is not None or size is not None or input is not None:
            raise TypeError("variants, size and input are for kernels, not for a function")
        subjects = [function_subject(target, args, chosen, counts, shown)]
        apart = False
    else:
        if args:
            raise TypeError("arguments are for a function, not for kernels: give kernels as one list")
        subjects = [
            kernel_subject(kernel, allowed("variant", variants, VARIANTS), chosen, counts, shown, size, path)
            for kernel in chosen_kernels(target, path)
        ]
        apart = True
    pace = QUICK if quick else DEFAULT if len(subjects) > 4 else CLOSE
    run = _Run(subjects, pace, rounds, seed, cpus, output, progress)
    with ExitStack() as deaf, _undisturbed(apart):
        try:
            with Lab(max(counts), timeout, apart) as lab:
                try:
                    return run.measured(lab)
                except KeyboardInterrupt:
                    deaf.enter_context(_deaf())
                    raise
        except KeyboardInterrupt:
            raise InterruptedComparisonError(run.kept()) from None


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore further interrupts while the first is seen to: processes ended, results kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _undisturbed(apart: bool) -> Iterator[None]:
    """Measure in this process, unless ``apart``, as in a worker: no garbage collector, one thread in BLAS."""
    if apart:
        yield
        return
    import threadpoolctl

    collecting = gc.isenabled()
    gc.disable()
    try:
        with threadpoolctl.threadpool_limits(limits=1):
            yield
    finally:
        if collecting:
            gc.enable()


class _Run:
    """The course of one comparison: calibrate every subject, then run its rounds."""

    def __init__(
        self,
        subjects: list[Subject],
        pace: Pace,
        rounds: int | None,
        seed: int | None,
        cpus: int,
        output: str | os.PathLike[str] | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.subjects = subjects
        self.pace = pace
        self.rounds = rounds
        self.cpus = cpus
        self.output = output
        self.progress = progress
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self.random = random.Random(self.seed)
        self.records: dict[Case, Record] = {}
        self.failures: dict[Case, str] = {}
        self.facts: Metadata = {}
        self.planned = self.done = 0.0

    def measured(self, lab: Lab) -> Comparison:
        """Measure everything and return it."""
        self.facts = {
            **results.system_facts(),
            **machine.metadata(),
            "gilkit_version": __version__,
            "gilkit_seed": self.seed,
        }
        for subject in self.subjects:
            self._calibrate(lab, subject)
        costs = {s.name: sum(s.seconds(case, self.cpus) for case in self._open(s)) for s in self.subjects}
        rounds = self.pace.rounds(costs)
        if self.rounds is not None:
            rounds = dict.fromkeys(rounds, self.rounds)
        self.planned = sum(rounds[name] * cost for name, cost in costs.items())
        for subject in self.subjects:
            self._measure(lab, subject, rounds[subject.name], costs[subject.name])
            self._save()
        return self._comparison()

    def _open(self, subject: Subject) -> list[Case]:
        """The cases of ``subject`` that have not failed."""
        return [case for case in subject.cases if case not in self.failures]

    def _say(self, label: str, done: float = 0.0) -> None:
        if self.progress is not None:
            self.progress(Progress(self.done, self.planned, label))
        self.done += done

    def _calibrate(self, lab: Lab, subject: Subject) -> None:
        """Find the loops of every variant on one worker; a variant that fails there has failed everywhere."""
        for variant, workload in subject.workloads.items():
            cases = [case for case in subject.cases if case.variant == variant]
            if not cases:
                continue
            self._say(f"{subject.name}: calibrating {variant}")
            serial = "openmp" if cases[0].executor == "openmp" else "serial"

            def run(loops: int, workload: Workload = workload, serial: str = serial) -> float:
                return lab.round(serial, workload, 1, loops).seconds

            try:
                loops, call = calibrated(run, self.pace.stretch)
            except CaseFailedError as error:
                self.failures.update(dict.fromkeys(cases, str(error)))
                continue
            subject.loops[variant], subject.calls[variant] = loops, call

    def _measure(self, lab: Lab, subject: Subject, rounds: int, cost: float) -> None:
        """Run the rounds of one subject, each with its cases in an order of its own."""
        load = machine.load_by_others(LOOK)
        for case in self._open(subject):
            facts: dict[str, str | int | float] = {
                **subject.facts[case.variant],
                "loops": subject.loops_of(case, self.cpus),
                "gilkit_workers": case.workers,
                "gilkit_load": round(load, 3),
            }
            self.records[case] = Record(case, facts=facts)
        late = time.perf_counter() + 1.2 * rounds * cost + 0.5
        for index in range(rounds):
            if index >= FEW and self.rounds is None and time.perf_counter() > late:
                break  # the machine is slower than it was when this was planned
            order = self._open(subject)
            self.random.shuffle(order)
            values = {}
            for case in order:
                self._say(f"{subject.name}: round {index + 1} of {rounds}", subject.seconds(case, self.cpus))
                try:
                    loops = subject.loops_of(case, self.cpus)
                    done = lab.round(case.executor, subject.workloads[case.variant], case.workers, loops)
                except CaseFailedError as error:
                    self.failures[case] = str(error)
                else:
                    values[case] = done
            # Only whole rounds count: an interrupt in this one leaves the values of all cases paired.
            for case, done in values.items():
                self.records[case].values.append(done.value)
                self.records[case].facts["gilkit_cpu"] = round(done.cpu, 4)

    def _comparison(self) -> Comparison:
        return Comparison(results.build(self.records.values(), self.facts, self.failures))

    def _save(self) -> None:
        if self.output is not None and any(record.values for record in self.records.values()):
            self._comparison().save(self.output)

    def kept(self) -> Comparison | None:
        """Return what an interrupted run leaves, after it was written to its file."""
        if not any(record.values for record in self.records.values()):
            return None
        self._save()
        return self._comparison()
