"""Workloads: small picklable recipes that a worker turns into the call to be measured.

An interpreter of its own has to import this: so NumPy, kernels and what is compiled are imported where they
are used.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from abc import ABC, abstractmethod
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
Call = Callable[[], object]
USED = 6  # figures of what a thread used: see `gilkit._ext._start.usage`
NativeRows = list[tuple[list[float], list[float]]]
Team = Callable[[int, float, int, "Sequence[int] | None"], NativeRows]

READY = 4  # calls that one worker keeps: of the sizes and variants of one kernel, and of the control


@runtime_checkable
class Workload(Protocol):
    """What a case runs."""

    def prepare(self) -> Call:
        """Make or load the data, in the worker, and return the call without arguments."""


_of_thread = threading.local()
_places: dict[object, OrderedDict[object, Any]] = {}  # of all threads: one works at a place at a time


def _kept(caches: dict[Any, OrderedDict[object, Any]], kind: object, key: object, make: Callable[[], T]) -> T:
    """Return what was made for ``key`` before, or make it; the last few of a kind are kept."""
    cache: OrderedDict[object, T] = caches.setdefault(kind, OrderedDict())
    if key not in cache:
        while len(cache) >= READY:
            cache.popitem(last=False)
        cache[key] = make()
    cache.move_to_end(key)
    return cache[key]


def ready(recipe: Workload | bytes, place: int = 0) -> Call:
    """Return the prepared call of a workload, pickled or not; the first time, after one call to warm up.

    A pickled workload is for a process of its own. It is unpickled here, where a failure is the case's own
    and does not break the pool. Calls of kernels belong to worker number ``place``, others to a thread, which
    may have made in their setup what only that thread may use.
    """
    if isinstance(recipe, KernelCall):
        return _kept(_places, ("calls", place), recipe, lambda: _warm(recipe.prepare(place)))

    def make() -> Call:
        workload: Workload = pickle.loads(recipe) if isinstance(recipe, bytes) else recipe
        return _warm(workload.prepare())

    return _kept(_of_thread.__dict__, "calls", recipe, make)


def _warm(call: Call) -> Call:
    call()
    return call


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One variant of a kernel at a size, on made-up data or on those of a file.

    Every worker of a process has data of its own, and all executors there use the same: a Python thread and a
    native one at a place work on one memory. Where arrays lie in it may double the time of a call, and would
    otherwise be taken for a difference between the two.

    Parameters
    ----------
    kernel, variant : str
    size : int
        In the kernel's unit.
    path : str, optional
        The file to take the data from.
    """

    kernel: str
    variant: str
    size: int
    path: str | None = None

    def _arguments(self, place: int) -> tuple[Any, ...]:
        from gilkit.kernels import KERNELS

        key = (self.kernel, self.size, self.path)
        return _kept(
            _places, ("arguments", place), key, lambda: KERNELS[self.kernel].make(self.size, self.path)
        )

    def prepare(self, place: int = 0) -> Call:
        """Return the call of worker number ``place``; the variants of a kernel at one size share its data."""
        from gilkit.kernels import KERNELS

        return partial(KERNELS[self.kernel].variant(self.variant), *self._arguments(place))

    def team(self, places: Sequence[int]) -> Team:
        """Return a function that runs the native variant on a thread for each of ``places``, with its data.

        ``team(batch, until, room, cpus)`` repeats batches of calls until then, with room for so many stamps,
        on CPUs of these numbers, or on any for None. It returns of each thread what it used, as
        `_start.usage` has it, its start, and the end of every batch.
        """
        from gilkit.kernels import KERNELS

        native = KERNELS[self.kernel].native
        calls = [self._arguments(place) for place in places]

        def run(batch: int, until: float, room: int, cpus: Sequence[int] | None) -> NativeRows:
            shape = len(calls), USED + 1 + room
            spans = memoryview(bytearray(8 * shape[0] * shape[1])).cast("d", shape)
            pins = None if cpus is None else array("q", cpus)
            native(calls, loops=batch, spans=spans, until=until, cpus=pins)
            rows: Any = spans.tolist()
            return [(row[:USED], [stamp for stamp in row[USED:] if stamp > 0]) for row in rows]

        return run


THREAD_SETTINGS = {  # by library or its threading layer: what tells it how many threads a call may have
    "openmp": "OMP_NUM_THREADS",
    "openblas": "OPENBLAS_NUM_THREADS",
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
    "numba": "NUMBA_NUM_THREADS",
    "numexpr": "NUMEXPR_NUM_THREADS",
    "polars": "POLARS_MAX_THREADS",
    "rayon": "RAYON_NUM_THREADS",
    "accelerate": "VECLIB_MAXIMUM_THREADS",
}


def one_thread_inside() -> None:
    """Limit the threads that libraries run inside a call to one, in this process and for good."""
    import threadpoolctl

    os.environ.update(dict.fromkeys(THREAD_SETTINGS.values(), "1"))
    threadpoolctl.threadpool_limits(limits=1)


def thread_settings() -> list[str]:
    """Return the environment variables that set the threads of the libraries that this process has loaded."""
    import threadpoolctl

    loaded = {pool["internal_api"] for pool in threadpoolctl.threadpool_info()} | set(sys.modules)
    return [setting for name, setting in THREAD_SETTINGS.items() if name in loaded]


class OwnCall(ABC):
    """A prepared call of the reader's own code, which may be sent its data with each call."""

    @abstractmethod
    def __call__(self) -> object:
        """Make the call, and return what it returns."""

    @abstractmethod
    def loop(self, loops: int) -> None:
        """Make the call so many times."""

    @abstractmethod
    def inputs(self) -> dict[str, Any]:
        """Return its data by name."""

    @abstractmethod
    def sent(self, inputs: dict[str, Any]) -> object:
        """Make the call on other data of the same names."""


def own_call(recipe: Workload | bytes) -> OwnCall:
    """Return the prepared call of the reader's own code."""
    call = ready(recipe)
    assert isinstance(call, OwnCall)
    return call


def looped(call: Call) -> Callable[[int], object]:
    """Return a function that makes ``call`` so many times, in Python bytecode: there the GIL is offered."""
    if isinstance(call, OwnCall):
        return call.loop

    def loop(loops: int) -> None:
        for _ in repeat(None, loops):
            call()

    return loop


def repeated(call: Call, loops: int) -> None:
    """Make ``call`` so many times."""
    looped(call)(loops)


class Function(OwnCall):
    """A function and its arguments, as a call."""

    def __init__(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self._call = partial(function, *args)

    def __call__(self) -> object:
        return self.function(*self.args)

    def loop(self, loops: int) -> None:
        """Call it so many times."""
        call = self._call
        for _ in repeat(None, loops):
            call()

    def inputs(self) -> dict[str, Any]:
        """Return the arguments, by position."""
        return {f"argument {i}": arg for i, arg in enumerate(self.args, 1)}

    def sent(self, inputs: dict[str, Any]) -> object:
        """Call it with other arguments."""
        return self.function(*inputs.values())


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCall:
    """A function and its arguments."""

    function: Callable[..., object]
    args: tuple[Any, ...] = ()

    def prepare(self) -> Function:
        """Return the call."""
        return Function(self.function, self.args)


@dataclass(frozen=True, slots=True, eq=False)
class PlainCall:
    """A function by the source of its module, which needs nothing but Python, and its arguments.

    It is for workers that can import neither NumPy nor what is compiled, and so no kernel.
    """

    source: str
    name: str
    args: tuple[Any, ...]

    def prepare(self) -> Function:
        """Return the call."""
        names: dict[str, Any] = {"__name__": "__gilkit__"}
        exec(self.source, names)
        return Function(names[self.name], self.args)


@dataclass(frozen=True, slots=True)
class StoredWorkload:
    """A workload in a file, for those whose pickle is too long to be sent with every window."""

    path: str

    def prepare(self) -> Call:
        """Load it, and prepare it."""
        workload: Workload = pickle.loads(Path(self.path).read_bytes())
        return workload.prepare()
