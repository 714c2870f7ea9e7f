"""A client of a cluster of Dask that is not ours: who made it is told in time what is wrong, and once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from distributed import Client

SAID_AFTER = 2.0  # seconds in which Dask itself says that it could not connect


class QuietClient(Client):  # type: ignore[misc]
    """A client that waits for nobody who takes a connection and never answers, as Dask's own does."""

    async def _start(self, timeout: float, **options: Any) -> None:
        limit = timeout + SAID_AFTER
        try:
            await asyncio.wait_for(super()._start(timeout=timeout, **options), limit)
        except TimeoutError as error:
            raise error if str(error) else TimeoutError(f"no answer for {limit:g} s") from None

    def __del__(self) -> None:
        with suppress(Exception):  # of one that was half made
            super().__del__()
