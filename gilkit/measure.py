"""Rounds of timed calls on an executor. Nothing here prints."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from gilkit._start import spin
from gilkit.executors import EXECUTORS, ProcessPool
from gilkit.monitor import HeldCall, watch
from gilkit.workload import Call, KernelCall, Team, Workload, ready

SPIN = 0.001  # seconds before the start in which workers are awake, each on its CPU
T = TypeVar("T")

LEAD = 0.004  # seconds from handing out a round to its start
SENT = 10_000  # bytes of a workload that may be sent with every round
PATIENCE = 10  # tries to have all workers ready at the start, each with twice the lead


class CaseFailedError(Exception):
    """A case could not be measured; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Span:
    """What one worker did in a round: its start and end on the shared clock, and its CPU time, in seconds."""

    start: float
    end: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a case: ``loops`` calls on each worker."""

    loops: int
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """The wall time from the first start to the last end."""
        return max(span.end for span in self.spans) - min(span.start for span in self.spans)

    @property
    def value(self) -> float:
        """Wall seconds per call of each worker."""
        return self.seconds / self.loops

    @property
    def cpu(self) -> float:
        """CPU seconds used for each second of the wall clock."""
        return sum(span.cpu for span in self.spans) / self.seconds


@contextmanager
def _own_cpu(place: int) -> Iterator[None]:
    """Keep this thread on the CPU of worker number ``place`` meanwhile, where the system lets us.

    Threads that wake at one time often wake on one CPU, and a scheduler takes milliseconds to part them: in
    rounds of 20 ms that alone made 1.5 times out of 2. A worker waits for its start on a CPU of its own, and
    from there on belongs to the scheduler again.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cpus = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {sorted(cpus)[place % len(cpus)]})
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, cpus)


def stretch(
    recipe: Workload | bytes,
    loops: int,
    start: float,
    place: int,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
) -> Span | None:
    """Call what ``recipe`` makes ``loops`` times, from ``start`` on, as worker number ``place``.

    Returns None, having called nothing, if it was ready too late for the start.
    """
    call = ready(recipe)
    if clock() > start:
        return None
    with _own_cpu(place):
        sleep(max(0.0, start - SPIN - clock()))
        spin(max(0.0, start - clock()))
    cpu = time.thread_time()
    begin = clock()
    for _ in repeat(None, loops):
        call()
    end = clock()
    return Span(begin, end, time.thread_time() - cpu)


class _LateError(Exception):
    """No answer in time."""


def together(
    pool: Executor, recipe: Workload | bytes, workers: int, loops: int, timeout: float = 3600.0
) -> Round:
    """Run one round on ``pool``: all workers begin at one time on the clock that they share.

    A worker that first has to make its data misses the start, and then the round is run again.
    """
    lead = LEAD
    until = time.perf_counter() + timeout
    for _ in range(PATIENCE):
        start = time.perf_counter() + lead
        futures = [pool.submit(stretch, recipe, loops, start, place) for place in range(workers)]
        # All of them, before an error of one: none may still be running when the next round starts.
        if wait(futures, max(0.0, until - time.perf_counter())).not_done:
            raise _LateError
        spans = [future.result() for future in futures]
        ready_spans = [span for span in spans if span is not None]
        if len(ready_spans) == workers:
            return Round(loops, tuple(ready_spans))
        lead *= 2
    raise CaseFailedError("its workers were never ready at one time: the machine is too busy")


_pools: dict[tuple[str, int], Executor] = {}
_teams: dict[tuple[Workload | bytes, int], Team] = {}


def _team_round(recipe: Workload | bytes, workers: int, loops: int) -> Round:
    """Run one round of the native variant."""
    if (team := _teams.get((recipe, workers))) is None:
        workload = pickle.loads(recipe) if isinstance(recipe, bytes) else recipe
        assert isinstance(workload, KernelCall)
        while len(_teams) > 8:
            _teams.pop(next(iter(_teams)))
        team = _teams[recipe, workers] = workload.team(workers)
        team(1)
    cpu = time.process_time()
    spans = team(loops)
    cpu = (time.process_time() - cpu) / workers
    return Round(loops, tuple(Span(start, end, cpu) for start, end in spans))


def local_round(
    executor: str, recipe: Workload | bytes, workers: int, loops: int, most: int, timeout: float = 3600.0
) -> Round:
    """Run one round in this process, on an executor whose workers are no processes.

    Its pools stay for the next round, with ``most`` workers each; one that gives no answer in time is left.
    """
    kind = EXECUTORS[executor]
    if kind.native:
        return _team_round(recipe, workers, loops)
    pool = _pools.get((executor, most)) or _pools.setdefault((executor, most), kind.start(most))
    try:
        return together(pool, recipe, workers, loops, timeout)
    except _LateError:
        _pools.pop((executor, most)).shutdown(wait=False, cancel_futures=True)
        raise


def local_watch(recipe: Workload | bytes, seconds: float) -> HeldCall:
    """Watch the GIL while this thread makes the calls of ``recipe``."""
    return watch(ready(recipe), seconds)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A workload in a file, for those whose pickle is too long to be sent with every round."""

    path: str

    def prepare(self) -> Call:
        workload: Workload = pickle.loads(Path(self.path).read_bytes())
        return workload.prepare()


class Lab:
    """Where rounds are run: keeps the pools, and turns what goes wrong in one into a reason.

    A context manager: leaving it ends every process that it started. It belongs to one thread.

    Parameters
    ----------
    most : int
        The largest number of workers that any round will ask for.
    timeout : float
        Seconds after which a round is given up and its processes are killed.
    apart : bool
        Whether threads, too, run in a process of their own, which can crash, hang or be killed without harm
        to this one. Otherwise they run here, where functions work that no other process could import.

    Attributes
    ----------
    starts : dict of str to float
        Seconds that each pool took to start.
    """

    def __init__(self, most: int, timeout: float = 60.0, apart: bool = True) -> None:
        self.most = most
        self.timeout = timeout
        self.apart = apart
        self.starts: dict[str, float] = {}
        self._processes: dict[str, ProcessPool] = {}
        self._recipes: dict[Workload, bytes] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # for recipes too long to be sent

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._processes.values():
            pool.kill()
        self._processes.clear()
        if not self.apart:
            while _pools:
                _pools.popitem()[1].shutdown(wait=False, cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()

    def round(self, executor: str, workload: Workload, workers: int, loops: int) -> Round:
        """Run one round of ``loops`` calls on each of ``workers``.

        Raises
        ------
        CaseFailedError
            If it cannot be measured. What was broken is started anew for the next round.
        """
        if EXECUTORS[executor].apart:
            with self._reasons(executor):
                recipe = self._recipe(workload)
                return together(self._pool(executor, self.most), recipe, workers, loops, self.timeout)
        return self._in_host(local_round, executor, workload, workers, loops, self.most, self.timeout)

    def watch(self, workload: Workload, seconds: float) -> HeldCall:
        """Return for what share of its calls ``workload`` holds the GIL, where threads are measured.

        Raises
        ------
        CaseFailedError
            If it cannot be told.
        """
        return self._in_host(local_watch, workload, seconds)

    def _in_host(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function of this module where threads are measured; workloads are sent as recipes."""
        with self._reasons("host"):
            if not self.apart:
                return function(*args)
            sent = [self._recipe(arg) if isinstance(arg, Workload) else arg for arg in args]
            future = self._pool("host", 1).submit(function, *sent)
            if wait([future], self.timeout).not_done:
                raise _LateError
            return future.result()
        raise AssertionError("_reasons swallows nothing")

    @contextmanager
    def _reasons(self, name: str) -> Iterator[None]:
        """Turn what goes wrong on the pool called ``name`` into a reason, and drop what is broken."""
        try:
            yield
        except CaseFailedError:
            raise
        except _LateError:
            if name in self._processes:
                self._processes.pop(name).kill()
                raise CaseFailedError(f"no answer within {self.timeout:g} s: killed") from None
            raise CaseFailedError(
                f"no answer within {self.timeout:g} s: left to run on, as threads cannot be killed"
            ) from None
        except BrokenExecutor as error:
            if (broken := self._processes.pop(name, None)) is None:  # the call's own error
                raise CaseFailedError(_line(error)) from error
            # Kept until it has shut down: CPython 3.12 deadlocks otherwise.
            raise CaseFailedError(f"a worker process {broken.ends()}") from error
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            raise CaseFailedError(_line(error)) from error

    def _pool(self, name: str, workers: int) -> ProcessPool:
        if name not in self._processes:
            start = time.perf_counter()
            try:
                self._processes[name] = ProcessPool(workers)
            except (BrokenExecutor, OSError, RuntimeError, TimeoutError) as error:
                raise CaseFailedError(
                    "worker processes do not start; a script has to call this under "
                    f"if __name__ == '__main__' ({_line(error)})"
                ) from error
            self.starts.setdefault(name, time.perf_counter() - start)
        return self._processes[name]

    def _recipe(self, workload: Workload) -> bytes:
        """Return what is sent to a worker with every round: a few bytes, or where to find more."""
        if workload not in self._recipes:
            try:
                recipe = pickle.dumps(workload)
            except Exception as error:
                raise CaseFailedError(f"it cannot be sent to a process: {_line(error)}") from error
            if len(recipe) > SENT:
                self._folder = self._folder or tempfile.TemporaryDirectory(prefix="gilkit-")
                path = Path(self._folder.name, f"{len(self._recipes)}.pickle")
                path.write_bytes(recipe)
                recipe = pickle.dumps(_Stored(str(path)))
            self._recipes[workload] = recipe
        return self._recipes[workload]


def calibrated(run: Callable[[int], float], seconds: float) -> tuple[int, float]:
    """Return how many loops make ``run(loops)``, which returns its length, last about ``seconds``.

    Also returns the length of one. Loops grow until a run is long enough to be believed.
    """

    def shortest(loops: int) -> float:
        """The shortest of a few runs, which no single slow moment spoils; one run where it is long."""
        length = run(loops)
        return length if length > 2 * seconds else min(length, run(loops), run(loops))

    loops = 1
    while (length := shortest(loops)) < seconds / 4 and loops < 2**40:
        loops = max(2 * loops, min(100 * loops, int(loops * seconds / 2 / length) if length > 0 else 0))
    call = length / loops
    return max(1, round(seconds / call)), call


def _line(error: BaseException) -> str:
    """The error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
