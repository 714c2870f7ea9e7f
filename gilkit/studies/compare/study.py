"""`compare`: plan, run, and return a Comparison."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from gilkit import machine
from gilkit.arguments import (
    LARGEST_INTEGER,
    TIMEOUT,
    allowed,
    checked_rounds,
    checked_timeout,
    positive,
    resolved,
    shown_count,
    worker_list,
)
from gilkit.display.progress import Listener, with_bar
from gilkit.engine.executors import EXECUTORS, chosen_executors
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.engine.session import obtained
from gilkit.kernels import VARIANTS, Kernel
from gilkit.results.writing import check_writable
from gilkit.studies.compare.budget import OWN_PACE, QUICK_PACE, USUAL_PACE, Budget
from gilkit.studies.compare.by_pythons import Task, by_pythons, listed
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.course import Course
from gilkit.studies.compare.plan import Batch, Subject, kernel_subject, left_out, own_subject, usual_executors
from gilkit.workloads.target import Own, chosen_kernels, own_function

QUICK_VARIANTS = [variant for variant in VARIANTS if variant != "python"]


@with_bar
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
    pythons: Iterable[str | os.PathLike[str]] = (),
    output: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
    progress: Listener | bool | None = None,
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
        Some of `gilkit.kernels.VARIANTS`, and some of the executors that ``gilkit list`` names; all by
        default.
    workers : list of int, or int, optional
        Worker counts; by default 1 and as many as CPUs.
    size : int, optional
        How much work a call is, in the kernel's unit; by default the kernel's own size for each variant.
    rounds : int, optional
        By default as many as narrow intervals take, within two minutes, or ten seconds for a function.
    quick : bool
        The fewest rounds, of shorter windows, without the Python variant: half a minute for all kernels.
    seed : int, optional
        For the order of the cases in a round; recorded in the results.
    input : path, optional
        A file to take data from: any for kernels of bytes, a .npy array for kernels of arrays.
    pythons : list of path
        Interpreters, each with this gilkit installed, that measure kernels by turns and are compared; this
        one is not among them unless it is named. Names are looked for on PATH.
    output : path, optional
        Where to write the results after every kernel.
    timeout : float
        Seconds after which a window is given up and its processes are killed.
    progress : bool or callable, optional
        True for a bar, on a terminal or in a notebook; or what is called with a `Progress` before every case
        of every round.

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
    if size is not None and positive("size", size) > LARGEST_INTEGER:
        raise ValueError("size is too large: at most 2**63 - 1 is allowed")
    own = _function(target, args, variants, size, input)
    path = None if input is None else resolved("input", input)
    if output is not None:
        check_writable(output)
        if path is not None and resolved("output", output) == path:
            raise ValueError(f"output must not be the input, {input}")
    given = listed(pythons)
    chosen = usual_executors(own is not None)
    if executors:
        chosen = chosen_executors(executors, list(EXECUTORS), elsewhere=bool(given))
    cpus = machine.usable_cpus()
    counts = worker_list(workers, (1, max(2, cpus)))
    shown = shown_count(counts, cpus)
    wanted = allowed("variant", variants, VARIANTS) if variants or not quick else QUICK_VARIANTS
    if given:
        if own is not None:
            raise TypeError("pythons are for kernels and statements, not for a function")
        names = [kernel.name for kernel in chosen_kernels(target, path)]
        options = {"variants": wanted, "workers": counts, "size": size, "quick": quick, "input": path}
        options |= {"executors": chosen if executors else None, "timeout": checked_timeout(timeout)}
        task = Task("compare", [names], options, names, checked_rounds(rounds))
        return by_pythons(given, task, Runner(seed, progress), output)
    if own is not None:
        subjects = [own_subject(own, chosen, counts, shown)]
    else:
        subjects = [
            kernel_subject(kernel, wanted, chosen, counts, shown, size, path)
            for kernel in chosen_kernels(target, path)
        ]
    subjects = _with_cases(subjects)
    for subject in subjects:
        subject.offered = not executors
        if quick and own is None:  # another look at threads is for those who have time
            subject.cases = [case for case in subject.cases if case.variant != "unpinned"]
    runner = Runner(seed, progress, output)
    batches = [Batch([subject]) for subject in subjects]
    course = Course(batches, _pace(subjects, quick), checked_rounds(rounds), cpus, runner)
    lab = Lab(max(counts), checked_timeout(timeout), hosted=own is None)
    with nullcontext() if lab.hosted else _uncollected():
        return obtained(Comparison, lab, course.measure, runner.suite, output)


def _function(target: Any, args: tuple[Any, ...], variants: object, size: object, path: object) -> Own | None:
    """Return the function that is to be measured; None for kernels."""
    if callable(target) and not isinstance(target, Kernel):
        if variants is not None or size is not None or path is not None:
            raise TypeError("variants, size and input are for kernels, not for a function")
        return own_function(target, args)
    if args:
        raise TypeError("arguments are for a function, not for kernels: give kernels as one list")
    return None


def _with_cases(subjects: list[Subject]) -> list[Subject]:
    """Return the subjects of which there is something to measure."""
    found = [s for s in subjects if any(case.variant != "ceiling" for case in s.cases)]
    if not found:
        why = "".join(f"; no {what}: {reason}" for what, reason in left_out(subjects).items())
        raise ValueError(
            f"nothing to measure: no kernel that was chosen has such a variant on such an executor{why}"
        )
    return found


def _pace(subjects: list[Subject], quick: bool) -> Budget:
    return OWN_PACE if subjects[0].own else QUICK_PACE if quick else USUAL_PACE


@contextmanager
def _uncollected() -> Iterator[None]:
    """Measure in this process as in a worker: without the garbage collector."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
