"""Does a call give the same result from many threads at once as from one? `assert_same_under_threads`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from reprlib import repr as short
from typing import Any

from gilkit.arguments import MOST_WORKERS, positive
from gilkit.errors import one_line
from gilkit.gil.assertions import called

TURN_LENGTH = 10e-6  # seconds after which threads that run Python take turns meanwhile
LEFT_AFTER = 1.0  # seconds after an interrupt in which threads may end


@dataclass(slots=True)
class _Seen:
    """What the workers met: how many calls differed or raised, on which workers, and the first of each."""

    different: int = 0
    result: Any = None
    raised: int = 0
    error: BaseException | None = None
    workers: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def differs(self, worker: int, result: object) -> None:
        with self.lock:
            if not self.different:
                self.result = result
            self.different += 1
            self.workers.add(worker)

    def raises(self, worker: int, error: BaseException) -> None:
        with self.lock:
            self.error = self.error or error
            self.raised += 1
            self.workers.add(worker)


def assert_same_under_threads(
    func: Callable[..., object], /, *args: Any, workers: int = 8, repeat: int = 20
) -> None:
    """Assert that ``func(*args)`` gives the same result from many threads at once as from one.

    Its result is compared with ``==``, within lists, tuples and dicts, too; numpy arrays by dtype, shape and
    elements. NaN equals NaN.

    Parameters
    ----------
    func : callable
    *args
        Its arguments, which all threads share.
    workers : int
        Threads. Python code changes between them every 10 µs meanwhile.
    repeat : int
        How many times they call, released together each time.

    Raises
    ------
    AssertionError
        If a result differs, or a call raises that does not raise alone: it says how many did, and what the
        first was. Also if two calls on one thread differ.
    """
    __tracebackhide__ = True
    if not callable(func):
        raise TypeError(f"func must be callable, not {type(func).__name__}")
    if positive("workers", workers) > MOST_WORKERS:
        raise ValueError(f"workers must be at most {MOST_WORKERS}, not {workers}")
    positive("repeat", repeat)
    name = called(func, args)
    expected = func(*args)
    if not same(again := func(*args), expected):
        raise AssertionError(
            f"{name} gives different results on one thread already: {difference(expected, again)}"
        )
    seen = _Seen()
    with _switching(TURN_LENGTH):
        _run(func, args, expected, workers, repeat, seen)
    if not seen.workers:
        return
    calls, who = f"of {workers * repeat} calls", f"seen by {len(seen.workers)} of {workers} threads"
    said = [f"{name} does not do the same on {workers} threads at once as on one"]
    if seen.different:
        first = difference(expected, seen.result)
        said.append(f"  measured  {seen.different} {calls} gave another result, {who}; the first: {first}")
    if seen.error is not None:
        said.append(f"  measured  {seen.raised} {calls} raised, {who}; the first: {one_line(seen.error)}")
    said.append("  means     calls share something that they change: a buffer, a cache, a global")
    said.append("  to do     give each call its own, or put a lock around what is shared")
    raise AssertionError("\n".join(said)) from seen.error


def _run(
    func: Callable[..., object],
    args: tuple[Any, ...],
    expected: object,
    workers: int,
    repeat: int,
    seen: _Seen,
) -> None:
    """Call from all threads at once, and end all of them whatever happens."""
    together = threading.Barrier(workers)

    def work(worker: int) -> None:
        __tracebackhide__ = True
        for _ in range(repeat):
            try:
                together.wait()
            except threading.BrokenBarrierError:
                return
            try:
                result = func(*args)
                if not same(result, expected):
                    seen.differs(worker, result)
            except BaseException as error:  # noqa: BLE001 (it is the report)
                seen.raises(worker, error)

    threads = [
        threading.Thread(target=work, args=(i,), name=f"gilkit-same-{i}", daemon=True) for i in range(workers)
    ]
    begun = []
    try:
        for thread in threads:
            thread.start()
            begun.append(thread)
        for thread in begun:
            thread.join()
    except BaseException:  # an interrupt, or no more threads to be had
        together.abort()
        late = time.monotonic() + LEFT_AFTER  # a call that blocks for ever is left to itself
        for thread in begun:
            thread.join(max(0.0, late - time.monotonic()))
        raise


_turns = threading.RLock()  # of both below
_switchers: set[object] = set()  # who want threads to take turns so often
_usual_interval = 0.0


@contextmanager
def _switching(interval: float) -> Iterator[None]:
    """Let threads take turns so often meanwhile; the last one out restores what the first one found."""
    global _usual_interval
    switcher = object()
    try:
        with _turns:
            if not _switchers:
                _usual_interval = sys.getswitchinterval()
            _switchers.add(switcher)  # before the change: whatever interrupts it, it is undone
            sys.setswitchinterval(interval)
        yield
    finally:
        with _turns:
            if _switchers == {switcher}:
                sys.setswitchinterval(_usual_interval)
            _switchers.discard(switcher)


def same(one: Any, other: Any) -> bool:
    """Return whether two results are the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if _of_numpy(one, "ndarray", "generic"):
        return _same_arrays(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    equal = one == other
    if not isinstance(equal, bool):
        import numpy as np

        if np.ndim(equal):  # of a type that compares its elements, as a data frame does
            return bool(np.all(equal | ((one != one) & (other != other))))
    return bool(equal) or bool(one != one and other != other)


def _of_numpy(result: object, *names: str) -> bool:
    """Return whether it is an array of NumPy's, or a scalar; which may not be loaded."""
    return any(kind.__module__ == "numpy" and kind.__name__ in names for kind in type(result).__mro__)


def _same_arrays(one: Any, other: Any) -> bool:
    import numpy as np

    one, other = np.asarray(one), np.asarray(other)
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.names:
        return all(_same_arrays(one[name], other[name]) for name in one.dtype.names)
    if one.dtype == object:
        return all(map(same, one.flat, other.flat))
    equal = one == other
    return bool(np.all(equal | ((one != one) & (other != other))))  # NaN and NaT differ from themselves


def difference(expected: Any, found: Any) -> str:
    """Return what differs, in short."""
    if type(expected) is not type(found):
        return f"expected {type(expected).__name__}, got {type(found).__name__}: {short(found)}"
    if _of_numpy(expected, "ndarray"):
        if expected.dtype != found.dtype:
            return f"expected dtype {expected.dtype}, got {found.dtype}"
        if expected.shape != found.shape:
            return f"expected shape {expected.shape}, got {found.shape}"
        import numpy as np

        places = [i for i in np.ndindex(expected.shape) if not same(expected[i], found[i])]
        place = ", ".join(map(str, places[0]))
        return (
            f"{len(places)} of {expected.size} elements; at [{place}], expected {expected[places[0]]}, "
            f"got {found[places[0]]}"
        )
    if isinstance(expected, list | tuple) and len(expected) == len(found):
        i = next(i for i, pair in enumerate(zip(expected, found, strict=True)) if not same(*pair))
        return f"at [{i}], {difference(expected[i], found[i])}"
    if isinstance(expected, dict) and expected.keys() == found.keys():
        key = next(key for key in expected if not same(expected[key], found[key]))
        return f"at [{key!r}], {difference(expected[key], found[key])}"
    return f"expected {short(expected)}, got {short(found)}"
