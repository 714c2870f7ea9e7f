"""Who holds the GIL, and for how long; without one, who is attached, and who stops all others: `GilMonitor`.

The monitor reads the lock's own state, or that of threads, from a native thread and never takes a lock, so it
does not compete with those it watches.
"""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from math import nan
from types import TracebackType

from gilkit._ext import _monitor, _threads
from gilkit.arguments import number
from gilkit.errors import MonitorError
from gilkit.gil.holds import Hold, Holds, holds_of
from gilkit.gil.pauses import Pauses, pauses_of
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE, Share, Sums, ratio_error
from gilkit.gil.threads import Beginnings, Namer, Notes, Present, ThreadId, UnlistedThread, copied, present

EXACT_INTERVAL, LIGHT_INTERVAL = 10e-6, 2e-3  # default seconds, on average, between samples
KEPT_HOLDS = 10_000
NO_GIL = "this interpreter runs without a GIL"
TURNED_ON_SINCE = "an import turned the GIL on"


def why_missing() -> str | None:
    """Return why nothing can be watched on this interpreter, with its GIL or without, or None."""
    return _monitor.missing()


def kind_now() -> str:
    """Return what a share is of that is watched now: time with the GIL, or attached where there is none."""
    return HELD_SHARE if _threads.has_gil() else ATTACHED_SHARE


def gil_missing() -> str | None:
    """Return why the GIL cannot be watched on this interpreter, or None."""
    return why_missing() or (None if kind_now() == HELD_SHARE else NO_GIL)


_running: weakref.WeakSet[GilMonitor] = weakref.WeakSet()
_beginnings = Beginnings(lambda: bool(copied(_running)))
_lock = threading.RLock()  # of both; a signal handler may want it in the thread that has it
_at_fork = Present()


class GilMonitor:
    """Watch the GIL of this interpreter while the ``with`` block runs.

    Where there is none, it watches which threads are attached to the interpreter: they run Python code, or a
    call into C that has not detached, and who wants to stop the world waits for them. All shares are of that
    then, and say so by their ``kind``.

    Results may be read during the block and after it. Monitors may be nested and may run at the same time in
    any threads; each is entered once. In a child that is forked meanwhile it has ended, with what it had. It
    does not keep the interpreter from exiting.

    Parameters
    ----------
    interval : float, optional
        Mean seconds between samples: 10 µs by default, or 2 ms in the light mode.
    mode : str
        ``"exact"`` keeps a CPU busy, and wants one to spare. ``"light"`` sleeps between samples and takes
        less than 2 % of one, to watch a whole program.
    room : int
        How many holds to keep.
    bridge : float, optional
        A hold goes on over so many seconds without a sample, as where the monitor was kept from running: 10
        intervals by default.

    Raises
    ------
    ValueError
        If an argument is out of range.
    MonitorError
        If this interpreter's GIL, or where there is none its threads, cannot be read.

    Notes
    -----
    A sample stands for the time half the way to its neighbours. Where the system kept the monitor from
    running for more than a tenth of the time, no share is told: all are nan, and their ``note`` says why. A
    monitor that is kept from running sees too little of just those who run at the same time, without the GIL.

    Examples
    --------
    >>> with GilMonitor() as monitor:
    ...     _ = sum(range(100_000))
    >>> 0 <= monitor.held_share <= 1
    True
    """

    def __init__(
        self,
        interval: float | None = None,
        mode: str = "exact",
        room: int = KEPT_HOLDS,
        bridge: float | None = None,
    ) -> None:
        if mode not in ("exact", "light"):
            raise ValueError(f"mode must be 'exact' or 'light', not {mode!r}")
        usual = EXACT_INTERVAL if mode == "exact" else LIGHT_INTERVAL
        self.interval = usual if interval is None else number(interval, "interval")
        if not 1e-7 <= self.interval <= 10:
            raise ValueError(f"interval must be between 1e-7 and 10 seconds, not {interval}")
        if not isinstance(room, int):
            raise TypeError(f"room must be an integer, not {type(room).__name__}")
        if not 1 <= room <= 10_000_000:
            raise ValueError(f"room must be between 1 and 10000000, not {room}")
        self.bridge = 10 * self.interval if bridge is None else number(bridge, "bridge")
        if not self.interval <= self.bridge <= 1000:
            raise ValueError(f"bridge must be between the interval and 1000 seconds, not {bridge}")
        self.mode = mode
        self.kind = HELD_SHARE
        self._room = room
        self._caller = False  # where there is no GIL: look at the calling thread only
        self._longer = 0.0  # for stalls
        self._sampler: _monitor.Sampler | None = None
        self._thread: UnlistedThread | None = None
        self._dropped: weakref.finalize[[_monitor.Sampler], GilMonitor]
        self._first = Present()
        self._begun = Notes()
        self._last: Present | None = None

    def __enter__(self) -> GilMonitor:
        if self._thread is not None or self._sampler is not None:
            raise RuntimeError("a GilMonitor is entered once: make another")
        if why := why_missing() or (None if self._caller else _threads.others_missing()):
            raise MonitorError(why)
        self._sampler = _monitor.Sampler(
            self.interval,
            self.mode == "light",
            self._room,
            self.bridge,
            random.SystemRandom().randrange(2**63),
            self._longer,
            self._caller,
        )
        self.kind = ATTACHED_SHARE if self._sampler.free else HELD_SHARE
        self._thread = UnlistedThread(self._sampler.run, (), "gilkit-monitor")
        self._dropped = weakref.finalize(self, _ended, self._sampler)  # first: it may be interrupted anywhere
        try:
            self._thread.start()
            while not self._sampler.begun():  # all of the block is watched
                time.sleep(0)
            self._first = present()  # with the sampler's own thread in the count
            with _lock:
                _running.add(self)
                _beginnings.settle()
                self._begun = _beginnings.notes
            return self
        except BaseException:
            self._sampler.stop()
            self._leave()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sampler is None or self._thread is None:
            return
        self._sampler.stop()  # first, and the finalizer goes last: it may be interrupted anywhere
        try:
            self._thread.join()
            self._last = present()
        finally:
            self._leave()
        self._dropped.detach()

    def _leave(self) -> None:
        with _lock:
            _running.discard(self)
            _beginnings.settle()

    @property
    def held_share(self) -> Share:
        """The fraction of the time in which the GIL was locked; nan if the monitor saw too little of it.

        Where there is no GIL: in which any thread was attached.
        """
        return self._told(self._sums(), ratio_error(self._sampler.parts()) if self._sampler else nan)

    @property
    def by_thread(self) -> dict[ThreadId, Share]:
        """The share of every thread that was seen with the GIL, or attached, the largest first."""
        if self._sampler is None:
            return {}
        holders, crowd = self._sampler.holders()
        found: dict[ThreadId, float] = {}
        who = self._namer()
        for address, made, length in holders:
            thread = who(address, made)
            found[thread] = found.get(thread, 0.0) + length
        if crowd:
            ended = ThreadId(None, None)
            found[ended] = found.get(ended, 0.0) + crowd
        ordered = sorted(found.items(), key=lambda item: -item[1])
        sums = self._sums()
        return {thread: self._told(sums._replace(locked=length)) for thread, length in ordered}

    @property
    def stopped_share(self) -> Share:
        """The fraction of the time in which one thread stopped all others, or waited for them to stop.

        With a GIL it is 0: who has it need not stop anybody.
        """
        if self.kind == HELD_SHARE:
            return Share(0.0, 0.0, 0, "with a GIL nobody stops the others: who has it runs alone")
        return self._part(0)

    @property
    def collecting_share(self) -> Share:
        """The fraction of the time in which the interpreter collected garbage."""
        return self._part(1)

    @property
    def pauses(self) -> Pauses:
        """The newest times in which one thread stopped all others; none with a GIL. Short ones go unseen."""
        return pauses_of(self._sampler, self._namer()) if self._sampler else Pauses()

    @property
    def longest_hold(self) -> Hold | None:
        """The longest time in which every sample found the same thread with the GIL, or attached; or None."""
        found = self._sampler.longest_hold() if self._sampler else None
        return None if found is None else Hold(found[0], found[1], self._namer()(found[2], found[3]))

    @property
    def holds(self) -> Holds:
        """The newest holds, oldest first. Gaps shorter than the interval may go unseen."""
        return holds_of(self._sampler, self._namer()) if self._sampler else Holds()

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """The newest times without a sample, as (start, end): the system kept the monitor from running.

        A hold lasts over a short one, of up to ten intervals, if the same thread has the GIL at both ends.
        """
        return self._sampler.kept_gaps() if self._sampler else []

    @property
    def turned_on(self) -> bool:
        """Whether there was no GIL, and an import has turned it on meanwhile: shares are nan then."""
        return self._sampler is not None and self._sampler.turned_on

    def _part(self, which: int) -> Share:
        seconds = self._sampler.world_sums()[which] if self._sampler else 0.0
        return self._told(self._sums()._replace(locked=seconds))

    def _told(self, sums: Sums, error: float = nan) -> Share:
        """Return the share of the time that was locked, if it is of one kind."""
        return sums.share(
            error, self.kind, f"{TURNED_ON_SINCE} while it was watched" if self.turned_on else ""
        )

    def _sums(self) -> Sums:
        return Sums(*self._sampler.sums()) if self._sampler else Sums()

    def _held_by_caller(self) -> float:
        """Return the seconds for which the calling thread was seen with the GIL."""
        if self._sampler is None:
            return 0.0
        address, _ = _threads.own_state()
        return sum(length for holder, _, length in self._sampler.holders()[0] if holder == address)

    def _namer(self) -> Namer:
        return Namer(self._first, self._begun.states(), self._last or present())


def _ended(sampler: _monitor.Sampler) -> None:
    """End what a monitor began that was dropped before its block ended."""
    sampler.stop()
    with _lock:
        _beginnings.settle()


def _before_fork() -> None:
    global _at_fork
    _at_fork = present() if _running else Present()


def _after_fork() -> None:
    """In a forked child no monitor runs any more."""
    global _lock
    _lock = threading.RLock()
    for monitor in list(_running):
        monitor._thread = None
        monitor._last = _at_fork
        if monitor._sampler:
            monitor._sampler.forked()
    _running.clear()
    _beginnings.settle()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
