"""Child processes of `multiprocessing`, watched as their parent is: whatever starts them.

Each writes what it sees to a file of its own, bit by bit: one that is killed loses only its last moments.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing import process, spawn
from pathlib import Path
from typing import Any

from gilkit.errors import MonitorError
from gilkit.gil.places import Stall
from gilkit.gil.stalls import Stalls
from gilkit.studies.stalls.notes import SUFFIX
from gilkit.studies.stalls.watched import Keeper

GILKIT = str(Path(__file__).parents[3])  # where gilkit is imported from
IN_A_CHILD = """
import sys
plain, path = set(sys.modules), sys.path[:]
try:
    sys.path[:] = [*path[1:], {home!r}]  # without the working folder
    from gilkit.studies.stalls.children import watch_children
    from gilkit.studies.stalls.own_modules import make_way
    watch_children({folder!r}, {longer!r})
    make_way({own!r}, plain)
except Exception:
    pass  # another interpreter, which has no gilkit: it runs all the same
finally:
    sys.path[:] = path
"""


class _Join:
    """Stands in what a new interpreter is told first: to read it there is to watch there, too."""

    def __init__(self, folder: str, longer: float, own: str) -> None:
        self.code = IN_A_CHILD.format(home=GILKIT, folder=folder, longer=longer, own=own)

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str, dict[str, Any]]]:
        return exec, (self.code, {})


class _Notes:
    """What one child sees, and the file that it goes to. Nothing that fails here is the child's affair."""

    def __init__(self, name: str, folder: str, longer: float) -> None:
        self._watch = Stalls(longer, self._noted)
        self._watch.listed = False
        self._keeper = Keeper(name, self._watch, {__file__}, time.perf_counter())
        self._written = 0
        self._new: list[Stall] = []  # those that are not written yet
        path = Path(folder, f"{os.getpid()}-{time.monotonic_ns()}{SUFFIX}")
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self._write(False)
        try:
            self._watch.start()
        except MonitorError as error:
            self._keeper.missing = str(error)

    def end(self) -> None:
        """Write the rest."""
        with suppress(BaseException):  # an interrupt, too: what the child did is done
            self._watch.stop()
            self._write(True)
            os.close(self._file)

    def _noted(self, stall: Stall) -> None:
        self._new.append(stall)
        with suppress(Exception):
            self._write(False)

    def _write(self, ended: bool) -> None:
        new = tuple(self._new)
        seen = self._keeper.watched(time.perf_counter(), ended, new)
        forgotten = max(0, self._written - len(self._watch.stalls))  # which the file has
        seen = replace(seen, dropped=max(0, seen.dropped - forgotten))
        os.write(self._file, (json.dumps(seen.packed()) + "\n").encode())
        self._written += len(new)
        del self._new[: len(new)]


def watch_children(folder: str, longer: float) -> None:
    """Watch every child that this process will have, and theirs; each writes a file in ``folder``."""
    usual, usual_data = process.BaseProcess._bootstrap, spawn.get_preparation_data  # type: ignore[attr-defined]

    def bootstrap(child: Any, *args: Any, **options: Any) -> Any:
        notes = None
        with suppress(Exception):
            notes = _Notes(child.name, folder, longer)
        try:
            return usual(child, *args, **options)
        finally:
            if notes is not None:
                notes.end()

    def preparation_data(name: str) -> dict[str, Any]:
        usual = usual_data(name)
        own = next(iter(usual.get("sys_path", ())), None)
        return {**usual, "gilkit": _Join(folder, longer, own if isinstance(own, str) else "")}

    process.BaseProcess._bootstrap = bootstrap  # type: ignore[attr-defined]
    spawn.get_preparation_data = preparation_data
