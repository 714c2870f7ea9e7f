"""What a pool of worker processes has to be able to do, beside what every executor does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Executor


class WorkerPool(Executor, ABC):
    """An executor whose workers are processes: all of them there from the start, and it always ends.

    As many tasks as workers run at once, each on its own. Where a worker ends within a task, that raises a
    `concurrent.futures.BrokenExecutor`. Nothing below waits for ever, whatever the workers do.
    """

    @abstractmethod
    def pids(self) -> list[int]:
        """Return the numbers of the workers' processes, as far as they are on this machine."""

    @abstractmethod
    def end(self) -> None:
        """End every worker: ask those that are idle, so that they tidy up, and kill the rest."""

    @abstractmethod
    def kill(self) -> None:
        """End every worker at once, whatever it does, with the processes that it started."""

    @abstractmethod
    def slay(self) -> None:
        """Kill every worker, with the processes that it started, and wait for nothing."""

    @abstractmethod
    def ends(self) -> str:
        """Say how a worker of a broken pool ended, as ``was killed by SIGSEGV``."""
