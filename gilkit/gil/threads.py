"""Which thread is behind a state that was seen with the GIL.

Threads end, their states are freed, and the next thread's state may lie at the same address.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from gilkit._ext import _threads

T = TypeVar("T")
KEPT_BEGINNINGS = 2000  # threads that began while somebody watched, the newest

OUR_NAMES = "gilkit-"  # the names of our own threads begin so


@dataclass(frozen=True, slots=True)
class ThreadId:
    """A thread that was seen with the GIL; both are None for one that had ended before it could be named."""

    name: str | None
    native_id: int | None

    def __str__(self) -> str:
        if self.name is None:
            return "a thread that ended"
        return self.name if self.native_id is None else f"{self.name} ({self.native_id})"


NAMELESS = ThreadId(None, None)


@dataclass(frozen=True, slots=True)
class State:
    """A thread's state: its address, its unique id among all that were ever made, and its thread."""

    address: int
    unique: int
    thread: ThreadId


@dataclass(frozen=True, slots=True)
class Present:
    """The states at one moment, and how many had been made until then."""

    states: tuple[State, ...] = ()
    made: int = 0


def copied(kept: Iterable[T]) -> list[T]:
    """Return what is kept at one moment, while other threads add to it.

    They do it without a lock: a new thread notes itself, maybe in the middle of a signal handler. Without a
    GIL that may happen while it is copied, and then it is copied again.
    """
    while True:
        try:
            return list(kept)
        except RuntimeError:
            continue


_unlisted: dict[int, str] = {}


class UnlistedThread:
    """A thread of ours that programs do not see: many wait until all the others that they see have ended.

    It is not in `threading.enumerate`, and the interpreter does not wait for it.

    Parameters
    ----------
    target : callable
    args : tuple
    name : str
    """

    def __init__(self, target: Callable[..., object], args: tuple[Any, ...], name: str) -> None:
        self.name = name
        self.ident: int | None = None
        self._given = target, args
        self._begun, self._running = _thread.allocate_lock(), _thread.allocate_lock()
        self._process = os.getpid()

    def start(self) -> None:
        """Begin, and return when it runs; each is started once."""
        _threads.load_ends()  # the interpreter may end before it does
        self._begun.acquire()
        self._running.acquire()
        try:
            _thread.start_new_thread(self._run, ())
        except BaseException:
            self._running.release()
            raise
        with self._begun:
            pass

    def _run(self) -> None:
        target, args = self._given
        del self._given  # it keeps nothing alive that its target does not
        self.ident = threading.get_ident()
        _unlisted[self.ident] = self.name
        self._begun.release()
        try:
            target(*args)
        finally:
            del _unlisted[self.ident]
            self._running.release()

    def join(self, timeout: float = -1) -> None:
        """Wait until it has ended, for so many seconds at the most; in a forked child it has."""
        if self._process == os.getpid() and self._running.acquire(timeout=timeout):
            self._running.release()

    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self._process == os.getpid() and self._running.locked()


def is_ours(thread: ThreadId) -> bool:
    """Return whether it is one of our own, which have names of their own."""
    return thread.name is not None and thread.name.startswith(OUR_NAMES)


def unlisted() -> list[str]:
    """Return the names of our own threads that run."""
    return list(_unlisted.values())


def present() -> Present:
    """Return the threads that this interpreter has now."""
    names = {thread.ident: thread.name for thread in threading.enumerate()} | _unlisted
    states, made = _threads.thread_states()
    return Present(
        tuple(
            State(address, unique, ThreadId(names.get(ident) or f"thread {ident}", native or None))
            for address, unique, ident, native in states
        ),
        made,
    )


class Notes:
    """What threads that began said of themselves, the newest of them."""

    def __init__(self) -> None:
        self.kept = _threads.NewestThreads(KEPT_BEGINNINGS)

    def states(self) -> tuple[State, ...]:
        """Return the states of all that were noted."""
        return tuple(
            State(address, unique, ThreadId(name, native))
            for address, unique, name, native in self.kept.all()
        )


class Beginnings:
    """The threads that begin meanwhile: they may have ended before anybody asks for their names.

    Each tells of itself when `threading` asks in it whether there is a hook for profilers; whoever had that
    hook before gets it back at once.

    Parameters
    ----------
    wanted : callable
        Returns whether anybody watches.
    """

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self.notes = Notes()
        self._wanted = wanted
        self._hook: _Hook | None = None

    def settle(self) -> None:
        """Take notes from now on if anybody watches, and else no more.

        A signal handler or the garbage collector may do the same in the middle of this, in the same thread:
        whatever they leave, in the end it is as it should be.
        """
        while (self._hook is None) == self._wanted():
            if self._hook is None:
                self.notes = Notes()
                before = threading.getprofile()
                while isinstance(before, _Hook):  # a handler's, in the middle of this: one will do
                    before = before.before
                self._hook = hook = _Hook(self.notes, before)
                threading.setprofile(hook)
            else:
                hook, self._hook = self._hook, None
                hook.end()


class _Hook(_threads.Asked):
    """What `threading` has for new threads: a new one for each watch, so that none is chained to itself.

    It is true, and so made the profiler of a new thread, only where somebody had the hook before: one that
    comes and goes in every thread costs programs whose threads do so a tenth of their speed, and stops all of
    them where there is no GIL.

    Somebody else may have set a hook that goes on to this one, and keep it when the watch is over: then it
    only hands the call on.
    """

    def __init__(self, notes: Notes, before: Any) -> None:
        super().__init__(notes.kept, threading.current_thread, before)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        sys.setprofile(self.before)
        self.note()
        if self.before is not None:
            self.before(frame, event, arg)

    def end(self) -> None:
        """Take no more notes."""
        self.ended = True
        if threading.getprofile() is self:
            threading.setprofile(self.before)


class Namer:
    """Tells who was at an address when so many states had been made.

    Parameters
    ----------
    first : Present
        The threads when the watch began.
    begun : tuple of State
        Those that began meanwhile.
    last : Present
        The threads when it ended.
    """

    def __init__(self, first: Present, begun: tuple[State, ...], last: Present) -> None:
        self._candidates: dict[int, list[tuple[State, int]]] = {}
        self._places = {s.unique: s.address for s in (*first.states, *begun, *last.states)}
        still = {s.unique for s in last.states}
        since = {s.unique: s.unique for s in begun} | {s.unique: first.made for s in first.states}
        everyone = {s.unique: s for s in (*first.states, *begun, *last.states)}
        for unique in sorted(everyone, reverse=True):
            state = everyone[unique]
            # How many states had been made when it was last seen alive; -1 if it is alive still.
            seen = -1 if unique in still else since[unique]
            self._candidates.setdefault(state.address, []).append((state, seen))
        self._found: dict[tuple[int, int], ThreadId] = {}
        self._by_id = {s.thread.native_id: s.thread for _, s in sorted(everyone.items())}

    def with_id(self, native: int) -> ThreadId:
        """Return the thread that has or had the system's number, the newest if there were several."""
        return self._by_id.get(native) or ThreadId(None, native)

    def __call__(self, address: int, made: int) -> ThreadId:
        """Return that thread; a nameless one if it may have been another."""
        if (address, made) not in self._found:
            self._found[address, made] = self._look(address, made)
        return self._found[address, made]

    def _look(self, address: int, made: int) -> ThreadId:
        for state, seen in self._candidates.get(address, []):
            if state.unique > made:
                continue
            # It may have ended, and one of the states that were made later may have taken its place.
            later = range(seen + 1, made + 1) if seen >= 0 else ()
            if all(self._places.get(unique, address) != address for unique in later):
                return state.thread
            break
        return NAMELESS
