"""Pools that know the processes of their workers: these can be killed, and say how they ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from gilkit.engine.ends import how_ended
from gilkit.engine.families import kill_families, kill_group
from gilkit.engine.worker_pool import WorkerPool

LEFT_WITHIN = 1.0  # seconds in which workers that are idle end when they are asked to
SEEN_WITHIN = 1.0  # seconds in which a pool has seen that its workers were killed
TOLD_WITHIN = 10.0  # seconds in which it has, in the middle of a result, without the other end of a pipe


class MemberPool(WorkerPool):
    """A pool of processes that it knows: they can be killed, and say how they ended.

    To end one never takes for ever. The thread that serves it may be in the middle of a result, or of what is
    sent, when a worker dies; it would wait for the rest as long as anybody has the other end of the pipe.

    Attributes
    ----------
    members : list of BaseProcess
    """

    members: list[BaseProcess]
    _serving: threading.Thread | None = None
    _theirs: tuple[Any, ...] = (None, None)

    def _began(self) -> None:
        """Note the processes that were started, and what serves them."""
        self.members = list((vars(self).get("_processes") or {}).values())
        self._serving = vars(self).get("_executor_manager_thread")
        self._theirs = tuple(vars(self).get(f"_{name}_queue") for name in ("call", "result"))

    def _close_their_ends(self) -> None:
        """Close the workers' ends of the pipes here: so that who waits for a dead worker is told."""
        calls, results = self._theirs
        for end in (getattr(calls, "_reader", None), getattr(results, "_writer", None)):
            if end is not None:
                end.close()

    def pids(self) -> list[int]:
        return [process.pid for process in self.members if process.pid is not None]

    def end(self) -> None:
        with suppress(OSError):
            self.shutdown(wait=False, cancel_futures=True)
        late = time.monotonic() + LEFT_WITHIN
        waiting = [process.sentinel for process in self.members]
        while waiting and (left := late - time.monotonic()) > 0:
            ended = wait(waiting, left)
            waiting = [sentinel for sentinel in waiting if sentinel not in ended]
        self.kill()

    def kill(self) -> None:
        self.slay()
        self._end()

    def slay(self) -> None:
        for process in self.members:
            kill(process)

    def ends(self) -> str:
        # The pool's own thread joins its processes: to join them here, too, would lose exit statuses.
        self._end()
        self.slay()  # what they have left behind
        return how_workers_ended(p.exitcode for p in self.members)

    def _end(self) -> None:
        """Let the pool see that its workers have ended, and wait for that: not for ever."""
        if self._serving is None or not self._serving.is_alive():
            return  # it has seen it, or has never begun
        with suppress(OSError):
            self.shutdown(wait=False, cancel_futures=True)
        self._serving.join(SEEN_WITHIN)
        if self._serving.is_alive():
            self._close_their_ends()
            self._serving.join(TOLD_WITHIN)


def how_workers_ended(statuses: Iterable[int | None]) -> str:
    """Say how a worker of a broken pool ended, by the exit statuses of all."""
    # The others are killed, by the pool or by us, so any other status tells more.
    codes = sorted(filter(None, statuses), key=(-signal.SIGKILL).__eq__)
    return how_ended(codes[0]) if codes else "ended unexpectedly"


def kill(process: BaseProcess) -> None:
    """Kill a process, if it has not ended, with those that it started, or that any of these left behind."""
    if process.pid is None:
        return
    if alive(process):
        kill_families([process.pid])
        with suppress(AttributeError):  # loky has none
            process.kill()  # families are not known everywhere
    kill_group(process.pid)


def alive(process: BaseProcess) -> bool:
    """Whether a process has not ended; its status is left to who joins it."""
    return not wait([process.sentinel], 0)
