"""Workers that are interpreters, each with its own GIL if there is one: their start. Each imports this."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

import gilkit.engine.worker  # noqa: F401 (by a worker, before the start that it must not miss)

ENTER = "import sys; sys.path[:] = path; from gilkit.engine.interpreters import enter; enter(main)"
OF_MAIN = ("init_main_from_path", "init_main_from_name")  # what tells a process which script it belongs to


def missing() -> str | None:
    """Return why there are no interpreters here, or None."""
    return None if sys.version_info >= (3, 14) else "interpreters came with Python 3.14"


def start(workers: int) -> Executor:
    """Return a pool of so many interpreters, which find modules as this one does."""
    from concurrent import futures
    from multiprocessing import spawn

    known = spawn.get_preparation_data("")
    names = {"path": sys.path, "main": {key: known[key] for key in OF_MAIN if key in known}}
    pool: Executor = futures.InterpreterPoolExecutor(  # type: ignore[attr-defined,unused-ignore]
        workers, initializer=exec, initargs=(ENTER, names)
    )
    return pool


def enter(main: Mapping[str, str]) -> None:
    """Set an interpreter up for measuring, without the cyclic garbage collector, as timeit does.

    What it is sent may be of the script that began it all. That is run when it is asked for, and not before:
    most of what it imports may be of no use here, or not be importable.
    """
    gc.disable()
    here = sys.modules["__main__"]

    def of_script(name: str) -> Any:
        if name.startswith("__") or not main:
            raise AttributeError(f"module {here.__name__!r} has no attribute {name!r}")
        del here.__getattr__
        from multiprocessing import spawn

        spawn.prepare(dict(main))
        return getattr(sys.modules["__main__"], name)

    here.__getattr__ = of_script  # type: ignore[method-assign]
