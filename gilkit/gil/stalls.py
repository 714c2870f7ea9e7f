"""Which line made the other threads wait: `Stalls`.

Two looks check each other. While others wait, the sampler copies the frames of whoever has the GIL,
without taking it. And a thread of ours asks for the GIL as anybody would, and looks where its last holder is.

Where there is no GIL others wait for who is last to stop when all threads have to, and then for who stopped
them. The first look alone finds where that one is.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from types import TracebackType

from gilkit._ext import _monitor, _threads
from gilkit.arguments import LONGEST_STALL, SHORTEST_STALL, STALL, number
from gilkit.errors import MonitorError
from gilkit.gil.canary import Canary
from gilkit.gil.monitor import TURNED_ON_SINCE, GilMonitor, kind_now
from gilkit.gil.places import CodePlace, Stall, StalledLine, by_line, place_now
from gilkit.gil.sampled import SampledStall, stall_of
from gilkit.gil.share import HELD_SHARE, Share
from gilkit.gil.threads import Namer, Present, ThreadId, UnlistedThread, copied

INTERVAL = 1e-3  # mean seconds between samples; shorter while somebody waits
SEEN_ALL = 3  # samples after which all is known that came before them: two may be under way
SETTLED_IN = 1000  # intervals in which it is
LOOKS_AFTER = 60.0  # seconds after which the collector looks for itself; the sampler wakes it when it ends
CLOSING = 20  # milliseconds in which the sampler sees that a stall is over


class Stalls:
    """Find out which lines make other threads wait for the GIL, for as long as it runs.

    Where there is no GIL: for a thread that stays attached while another wants to stop all of them, as to
    collect garbage.

    Use it as a context manager, or call `start` and `stop`. What is found may be read meanwhile.

    Parameters
    ----------
    longer : float
        Seconds from which on it counts as a stall that somebody waits.
    on_stall : callable, optional
        Called with each `Stall`, soon after it has ended, from a thread of its own. What it raises is
        reported as for any thread, and the watch goes on.
    room : int
        How many stalls to keep, the newest.
    canary : Canary, optional
        A thread that asks for the GIL all the time, for a program in which nobody else does. It runs as long
        as the watch does.

    Raises
    ------
    ValueError
        If an argument is out of range.
    MonitorError
        If this interpreter's GIL, or where there is none its threads, cannot be read.

    Notes
    -----
    How many threads wait for the GIL is read from its lock, where the system counts them: with glibc.
    Elsewhere who waits asks for it after one switch interval (see ``sys.getswitchinterval``), and shorter
    waits are not seen. It takes less than 2 % of a CPU, and some more while others wait.

    Examples
    --------
    >>> with Stalls(longer=0.02) as watch:
    ...     pass
    >>> watch.stalls
    []
    """

    def __init__(
        self,
        longer: float = STALL,
        on_stall: Callable[[Stall], object] | None = None,
        room: int = 10_000,
        canary: Canary | None = None,
    ) -> None:
        self.longer = number(longer, "longer")
        if not SHORTEST_STALL <= self.longer <= LONGEST_STALL:
            raise ValueError(f"longer must be between 0.001 and 3600 seconds, not {longer}")
        if on_stall is not None and not callable(on_stall):
            raise TypeError(f"on_stall must be callable, not {type(on_stall).__name__}")
        if not isinstance(canary, Canary | None):
            raise TypeError(f"canary must be a Canary, not {type(canary).__name__}")
        self._monitor = GilMonitor(INTERVAL, "light", room)
        self._monitor._longer = self.longer
        self._kept: deque[Stall] = deque(maxlen=room)
        self._on_stall = on_stall
        self._canary = canary
        self._collector: UnlistedThread | threading.Thread | None = None
        self._counted = 0
        self._lock = threading.RLock()  # a finalizer may count in the middle of it
        self._started = False
        self.listed = on_stall is not None  # theirs runs on a thread that can be seen, and has a name

    def start(self) -> Stalls:
        """Begin to watch; each is started once."""
        monitor = self._monitor
        if self._started:
            raise RuntimeError("Stalls are started once: make another")
        # On newer Pythons who waits asks in the holder's own memory, which can only be copied.
        if (
            sys.version_info >= (3, 13)
            and kind_now() == HELD_SHARE
            and not _threads.counts_waiting()
            and (why := _threads.frames_missing())
        ):
            raise MonitorError(f"it cannot be read who waits for the GIL: {why}")
        self._started = True
        monitor.__enter__()
        if (sampler := monitor._sampler) is None:
            return self
        make = partial(threading.Thread, daemon=True) if self.listed else UnlistedThread
        sampler.may_wait(True)  # until it collects
        try:
            if self._canary is not None:
                self._canary.start()
            canary = self._canary.state if self._canary else 0
            given = weakref.ref(self), sampler, self._on_stall is not None, canary
            self._collector = collector = make(target=_collect, args=given, name="gilkit-stalls")
            collector.start()
        except BaseException:
            if self._canary is not None:
                self._canary.stop()
            monitor.__exit__(None, None, None)
            raise
        return self

    def stop(self) -> None:
        """End the watch; what it found stays."""
        if self._canary is not None:
            self._canary.stop()
        self._monitor.__exit__(None, None, None)
        if self._collector is not None and self._collector.ident != threading.get_ident():
            self._collector.join()

    def __enter__(self) -> Stalls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def stalls(self) -> list[Stall]:
        """The newest stalls, oldest first."""
        self._gather()
        return copied(self._kept)

    @property
    def dropped(self) -> int:
        """How many stalls are not kept any more, or could not be."""
        self._gather()
        return max(0, self._counted - len(self._kept)) + self._sums()[0]

    @property
    def by_line(self) -> list[StalledLine]:
        """The lines of the stalls that are kept, those first that others waited for longest."""
        return by_line(self.stalls)

    @property
    def alone(self) -> int:
        """How many times the GIL was held for as long, and nobody waited: these harm nobody."""
        return self._sums()[1]

    @property
    def waited(self) -> float:
        """For how many seconds at least somebody waited: short waits cannot be seen."""
        return self._sums()[2]

    @property
    def looks(self) -> int:
        """How many times it was looked where the holder of the GIL is."""
        return self._sums()[3]

    @property
    def held_share(self) -> Share:
        """The fraction of the time in which the GIL was locked, or any thread attached; see `GilMonitor`."""
        return self._monitor.held_share

    @property
    def by_thread(self) -> dict[ThreadId, Share]:
        """The share of every thread that was seen with the GIL, or attached, the largest first."""
        return self._monitor.by_thread

    @property
    def note(self) -> str:
        """What cannot be known here, and why; empty if all can."""
        if self._monitor.turned_on:
            return f"{TURNED_ON_SINCE}: who waits for it is seen with PYTHON_GIL=1 from the start"
        return _threads.frames_missing() or ""

    def settle(self) -> bool:
        """Wait, without the GIL, until all stalls that have ended by now are among `stalls`, and were told.

        Returns
        -------
        bool
            Whether they are, after a second or so at most.
        """
        if (sampler := self._monitor._sampler) is None:
            return True
        seen = sampler.sums()[0] + SEEN_ALL
        for _ in range(SETTLED_IN):  # by no clock of Python's: a test may have put another in its place
            if sampler.ended() or sampler.sums()[0] >= seen:
                self._gather()
                if self._counted >= self._sums()[4]:
                    return True
            sampler.rest(INTERVAL)
        return False

    def _sums(self) -> tuple[int, int, float, int, int]:
        sampler = self._monitor._sampler
        return sampler.stall_sums() if sampler else (0, 0, 0.0, 0, 0)

    def _gather(self) -> None:
        """Take what there is; where a callback is to be told, only the collector does, and soon anyway."""
        if self._on_stall is None and (sampler := self._monitor._sampler) is not None:
            self._take(sampler.stalls(), (0, ()))

    def _take(self, found: list[SampledStall], after: tuple[int, tuple[CodePlace, ...]]) -> None:
        """Keep what was found; ``after``: the state that had the GIL last, and its place."""
        for one in found:
            stall = stall_of(one, after if one is found[-1] else (0, ()), self._who())
            self._kept.append(stall)
            if self._on_stall is not None:
                self._tell(self._on_stall, stall)
            with self._lock:
                self._counted += 1

    def _who(self) -> Namer:
        """Return who names threads: nobody, where a program has changed what that takes."""
        try:
            return self._monitor._namer()
        except Exception:  # noqa: BLE001 (a stall without a name is better than none)
            return Namer(Present(), (), Present())

    def _tell(self, whom: Callable[[Stall], object], stall: Stall) -> None:
        """Call back; that may let the GIL go, and wait for it."""
        sampler = self._monitor._sampler
        assert sampler is not None
        sampler.may_wait(True)
        try:
            whom(stall)
        except BaseException as error:  # noqa: BLE001 (theirs; the next stall is told, too)
            given = (type(error), error, error.__traceback__, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(given))
        finally:
            sampler.may_wait(False)


def _collect(of: weakref.ref[Stalls], sampler: _monitor.Sampler, eager: bool, canary: int) -> None:
    """Collect stalls until the sampler has ended, or nobody wants to know."""
    sampler.collect_here(eager, canary)
    while True:
        ended = sampler.ended()
        if sampler.wait_for_stall(0.0 if ended else LOOKS_AFTER):
            address = sampler.just_let_go()
            after = (address, place_now(address) if address else ())
            found = sampler.stalls()
            for _ in range(CLOSING):
                if found or not address or sampler.ended():
                    break
                sampler.may_wait(True)
                sampler.rest(1e-3)
                sampler.may_wait(False)
                found = sampler.stalls()
            watch = of()
            if watch is None:
                return
            watch._take(found, after)
            del watch
        if ended or of() is None:
            return
