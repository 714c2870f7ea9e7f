"""Worker processes of loky, to which functions are sent by value, as cloudpickle does it."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor

import loky
from loky.backend import resource_tracker

from gilkit.engine.bursts import everybody, starting, why_not
from gilkit.engine.member_pool import MemberPool
from gilkit.engine.processes import begin_pool


class LokyPool(loky.ProcessPoolExecutor, MemberPool):  # type: ignore[misc]
    """A pool of loky, of our own: nobody reuses it, and its workers stay however long they are idle."""

    def __init__(self, workers: int) -> None:
        begin_pool()
        self.members = []
        try:
            with starting(resource_tracker) as start:
                super().__init__(workers)
                try:
                    self.submit(os.getpid)  # that starts all of them
                finally:
                    self._began()
                everybody(self, workers, start)
        except BrokenExecutor:
            raise BrokenExecutor(why_not(self.ends())) from None
        except BaseException:
            self.kill()
            raise

    def slay(self) -> None:
        # loky replaces a worker whose memory has grown by much.
        self.members += set((vars(self).get("_processes") or {}).values()) - set(self.members)
        super().slay()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End the workers once they have nothing to do; see `concurrent.futures.Executor`."""
        super().shutdown(wait=wait)
