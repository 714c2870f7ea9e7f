"""Temporary files: a folder for each process, which the next one removes where a process was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from multiprocessing import process, util
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nobody can tell
    fcntl = None  # type: ignore[assignment]

PREFIX, LOCK, NEW = "gilkit-", "in-use", "new"
LONGEST = 89  # bytes of its path, so that the names of sockets, 18 more, fit into the 107 that there are
OF_PYTHON = 14  # bytes of the folder that a program's multiprocessing makes in there for its own sockets


@cache
def folder() -> Path:
    """Return this process's folder for temporary files; it goes when the process ends.

    What processes left that were killed goes now. That of a worker is in the folder of who started it, which
    may kill it.
    """
    parent = (_settings().get("tempdir") if process.parent_process() else None) or tempfile.gettempdir()
    _remove_stale(Path(parent))
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    util.Finalize(None, _remove, args=(made,), exitpriority=-100)  # after the sockets in it
    if fcntl is not None:
        # Held for as long as the process lives, however it ends: so nobody else removes the folder. It gets
        # its name when it is held, so that nobody finds it in between.
        fcntl.flock(os.open(made / NEW, os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)
        (made / NEW).rename(made / LOCK)
    return made


def lend() -> None:
    """Let `multiprocessing` put its sockets there, too, unless it has a folder already."""
    settings = _settings()
    if settings.get("tempdir") is None and _short():
        settings["tempdir"] = str(folder())


def _settings() -> dict[str, str]:
    """Return those of `multiprocessing`, which workers have, too."""
    settings: dict[str, str] = getattr(process.current_process(), "_config", {})
    return settings


def environment() -> dict[str, str]:
    """Return the environment for a program of ours, whose temporary files are in our folder, too."""
    return {**os.environ, "TMPDIR": str(folder())} if _short(OF_PYTHON) else dict(os.environ)


def _short(below: int = 0) -> bool:
    """Whether the names of sockets in our folder, or so much further below, are short enough."""
    return len(os.fsencode(folder())) + below <= LONGEST


def _remove_stale(parent: Path) -> None:
    """Remove the folders of processes of ours that have ended."""
    if fcntl is None:
        return
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.getuid():
                continue
            lock = os.open(path / LOCK, os.O_RDWR)  # a folder without one may be anybody's
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
            finally:
                os.close(lock)


def _remove(path: Path) -> None:
    """Remove a folder, its lock last: who is killed meanwhile leaves what the next start knows as ours."""
    for inside in list(path.iterdir()) if path.is_dir() else ():
        if inside.name != LOCK:
            shutil.rmtree(inside, ignore_errors=True)
            with suppress(OSError):  # no folder
                inside.unlink()
    shutil.rmtree(path, ignore_errors=True)
