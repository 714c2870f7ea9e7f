"""A client of Dask: who makes it is told in time what is wrong, and once, and closes it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from distributed import Client

SAID_AFTER = 2.0  # seconds in which Dask itself says that it could not connect
GIVEN_UP_WITHIN = 2.0  # seconds for a client that could not


class QuietClient(Client):  # type: ignore[misc]
    """A client that waits for nobody who takes a connection and never answers, as Dask's own does.

    Whoever makes it closes it. One that could not be made closes itself, at once: Dask's own is left to the
    garbage collector, which may come while Dask holds the lock that closing takes, and then waits for ever.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
        except BaseException:
            with suppress(Exception):
                self.close(timeout=GIVEN_UP_WITHIN)
            with suppress(Exception):  # closing leaves the thread of one that was refused
                self._loop_runner.stop()
            raise

    async def _start(self, timeout: float, **options: Any) -> None:
        limit = timeout + SAID_AFTER
        try:
            await asyncio.wait_for(super()._start(timeout=timeout, **options), limit)
        except TimeoutError as error:
            raise error if str(error) else TimeoutError(f"no answer for {limit:g} s") from None

    def __del__(self) -> None:
        pass
