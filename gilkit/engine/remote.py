"""Programs of gilkit that a worker of Dask runs for somebody: begun, asked for and ended by short calls.

None of these calls takes long, as the worker's own loop waits for them. A program ends by itself where nobody
asks for it any more: see `gilkit.engine.leash`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gilkit.engine.families import kill_families

LOOKED_EACH = 0.5  # seconds after which one looks again whether a program is done: it measures meanwhile
LEFT_WITHIN_END = 3.0  # seconds in which a program ends that is told to


class Errand:
    """A program that runs here, with what it has said so far.

    Parameters
    ----------
    program : str
        In Python.
    asked : mapping
        What it is to do, of what JSON has.
    """

    def __init__(self, program: str, asked: Mapping[str, Any]) -> None:
        # In a session of its own: what ends this worker ends it, too, but by its leash.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._said: dict[str, bytes] = {}
        self._readers = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("stdout", "stderr")
        ]
        for reader in self._readers:
            reader.start()
        self._write(json.dumps(asked).encode() + b"\n")

    def _read(self, name: str) -> None:
        stream = getattr(self._process, name)
        self._said[name] = stream.read()
        stream.close()
        self._process.wait()  # also where nobody asks any more

    def _write(self, what: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(what)
            self._process.stdin.flush()

    def found(self) -> dict[str, Any] | None:
        """Return its status and what it said; None while it runs."""
        status = self._process.poll()
        if status is None or any(reader.is_alive() for reader in self._readers):
            return None
        self._let_go()
        said = {name: text.decode("utf-8", "replace") for name, text in self._said.items()}
        return {"status": status, **said}

    def wanted(self) -> None:
        """Tell it that somebody waits for it."""
        self._write(b"\n")

    def end(self) -> None:
        """Tell it to end, and see to it from elsewhere."""
        self._let_go()
        threading.Thread(target=self._finish, daemon=True).start()

    def _let_go(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def _finish(self) -> None:
        try:
            self._process.wait(LEFT_WITHIN_END)
        except subprocess.TimeoutExpired:
            kill_families([self._process.pid])
            self._process.wait()


errands: dict[str, Errand] = {}  # of this worker, by token


def begin_errand(token: str, program: str, asked: Mapping[str, Any]) -> None:
    """Begin a program."""
    errands[token] = Errand(program, asked)


async def ask_errand(token: str, patience: float) -> dict[str, Any] | None:
    """Return what a program comes to within so many seconds; None where it runs on."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    errands[token].wanted()
    while (found := errands[token].found()) is None and loop.time() < until:
        await asyncio.sleep(LOOKED_EACH)
    if found is not None:
        del errands[token]
    return found


def end_errand(token: str) -> None:
    """End a program, if it is there still."""
    if (errand := errands.pop(token, None)) is not None:
        errand.end()
