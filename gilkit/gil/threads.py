"""Which thread is behind a state that was seen with the GIL.

Threads end, their states are freed, and the next thread's state may lie at the same address.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from gilkit._ext import _monitor

KEPT_BEGINNINGS = 10_000  # threads that began while somebody watched, the newest


@dataclass(frozen=True, slots=True)
class ThreadId:
    """A thread that was seen with the GIL; both are None for one that had ended before it could be named."""

    name: str | None
    native_id: int | None

    def __str__(self) -> str:
        if self.name is None:
            return "a thread that ended"
        return self.name if self.native_id is None else f"{self.name} ({self.native_id})"


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


def present() -> Present:
    """Return the threads that this interpreter has now."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    states, made = _monitor.thread_states()
    return Present(
        tuple(
            State(address, unique, ThreadId(names.get(ident) or f"thread {ident}", native or None))
            for address, unique, ident, native in states
        ),
        made,
    )


class Beginnings:
    """The threads that begin meanwhile: they may have ended before anybody asks for their names.

    Each tells of itself by the hook that `threading` calls in new threads for profilers; whoever had that
    hook before gets it back at once.

    Parameters
    ----------
    wanted : callable
        Returns whether anybody watches.
    """

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self.states: dict[int, State] = {}
        self._wanted = wanted
        self._hook: _Hook | None = None

    def settle(self) -> None:
        """Take notes from now on if anybody watches, and else no more.

        A signal handler or the garbage collector may do the same in the middle of this, in the same thread:
        whatever they leave, in the end it is as it should be.
        """
        while (self._hook is None) == self._wanted():
            if self._hook is None:
                self.states = {}
                before = threading.getprofile()
                while isinstance(before, _Hook):  # a handler's, in the middle of this: one will do
                    before = before.before
                self._hook = hook = _Hook(self.states, before)
                threading.setprofile(hook)
            else:
                hook, self._hook = self._hook, None
                hook.end()


class _Hook:
    """What `threading` calls in a new thread: a new one for each watch, so that none is chained to itself.

    Somebody else may have set a hook that goes on to this one, and keep it when the watch is over: then it
    only hands the call on.
    """

    def __init__(self, states: dict[int, State], before: Any) -> None:
        self.states = states
        self.before = before
        self.ended = False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        sys.setprofile(self.before)
        if not self.ended:
            address, unique = _monitor.own_state()
            thread = ThreadId(threading.current_thread().name, threading.get_native_id())
            if len(self.states) >= KEPT_BEGINNINGS:
                self.states.pop(next(iter(self.states)), None)
            self.states[unique] = State(address, unique, thread)
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
    begun : dict of int to State
        Those that began meanwhile, by unique id.
    last : Present
        The threads when it ended.
    """

    def __init__(self, first: Present, begun: dict[int, State], last: Present) -> None:
        self._candidates: dict[int, list[tuple[State, int]]] = {}
        self._places = {s.unique: s.address for s in (*first.states, *begun.values(), *last.states)}
        still = {s.unique for s in last.states}
        since = {s.unique: s.unique for s in begun.values()} | {s.unique: first.made for s in first.states}
        everyone = {s.unique: s for s in (*first.states, *begun.values(), *last.states)}
        for unique in sorted(everyone, reverse=True):
            state = everyone[unique]
            # How many states had been made when it was last seen alive; -1 if it is alive still.
            seen = -1 if unique in still else since[unique]
            self._candidates.setdefault(state.address, []).append((state, seen))
        self._found: dict[tuple[int, int], ThreadId] = {}

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
        return ThreadId(None, None)
