"""Somebody who asks for the GIL where nobody else does; without one, for all to stop: `Canary`."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from gilkit._ext._canary import lap
from gilkit._ext._threads import thread_states
from gilkit.gil.monitor import kind_now
from gilkit.gil.share import ATTACHED_SHARE
from gilkit.gil.threads import UnlistedThread, copied

EVERY = 2e-3  # seconds between its turns: it asks in time for a hold to count from its beginning
LEAST_WAIT = 1e-3  # seconds of a wait that is kept
KEPT_WAITS = 10_000
RESTS_IN = 1.0  # seconds in which it has noticed that it is to be silent


class Wait(NamedTuple):
    """A time in which it waited for the GIL, on the clock of `time.perf_counter`.

    ``delay``: for how many seconds from ``begun`` to ``had`` the thread that it looks at was ready to run and
    had no CPU; None if the system does not tell.
    """

    begun: float
    asked: float
    had: float
    delay: float | None


class Canary:
    """A thread that sleeps, asks for the GIL as any other would, and lets it go at once, again and again.

    A program with one thread keeps the GIL from nobody. With a canary `gilkit.Stalls` finds the lines that
    would keep others waiting. Python code lets go when it is asked. It costs a hand-over every few
    milliseconds.

    Where there is no GIL it stops all threads for a moment instead, as who collects garbage does for longer:
    it waits for those that stay attached.

    Parameters
    ----------
    beside : int, optional
        The native id of a thread, to know when others kept it from running.
    """

    def __init__(self, beside: int | None = None) -> None:
        self._waits: deque[Wait] = deque(maxlen=KEPT_WAITS)
        self._last = 0.0  # when it had the GIL last
        self._beside = beside
        self._stopping = False
        self._asking, self._resting = threading.Event(), threading.Event()
        self._asking.set()
        self._thread: UnlistedThread | None = None
        self.state = 0  # the address of its thread's, once it has begun

    def start(self) -> None:
        """Begin to ask; each is started once."""
        file = -1
        if self._beside is not None:
            with suppress(OSError):
                file = os.open(f"/proc/self/task/{self._beside}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        given = weakref.ref(self), file, self._asking, self._resting
        self._thread = thread = UnlistedThread(_ask, given, "gilkit-canary")
        thread.start()
        self.state = next(address for address, _, ident, _ in thread_states()[0] if ident == thread.ident)

    def stop(self) -> None:
        """Ask no more."""
        self._stopping = True
        self._asking.set()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let it not ask meanwhile."""
        self._resting.clear()
        self._asking.clear()
        if self._thread is not None:
            self._resting.wait(RESTS_IN)
        try:
            yield
        finally:
            self._asking.set()

    @property
    def waits(self) -> list[Wait]:
        """Its newest waits, but for the shortest, oldest first."""
        return copied(self._waits)

    @property
    def last(self) -> float:
        """When it had the GIL last."""
        return self._last

    def delay(self, start: float, end: float) -> float | None:
        """Return for how many seconds at most the thread that it looks at was kept from running in a time."""
        found = [wait.delay for wait in self.waits if wait.begun < end and wait.had > start]
        told = [delay for delay in found if delay is not None]
        return sum(told) if told and len(told) == len(found) else None


def _ask(of: weakref.ref[Canary], file: int, asking: threading.Event, resting: threading.Event) -> None:
    stopping = kind_now() == ATTACHED_SHARE
    while True:
        if not asking.is_set():
            resting.set()
            asking.wait()
        begun, asked, had, delay = lap(EVERY, file, stopping)
        canary = of()
        if canary is None or canary._stopping:
            if file >= 0:
                os.close(file)
            return
        if had - asked >= LEAST_WAIT:
            canary._waits.append(Wait(begun, asked, had, None if delay < 0 else delay))
        canary._last = had
        del canary
