"""A client of Dask that says nothing where it could not be made: who asked for it is told."""

from __future__ import annotations

from contextlib import suppress

from distributed import Client


class QuietClient(Client):  # type: ignore[misc]
    """A client of a cluster that is not ours."""

    def __del__(self) -> None:
        with suppress(Exception):  # of one that was half made
            super().__del__()
