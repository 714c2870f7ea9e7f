"""The folder whose modules statements find."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

# What gilkit may yet load in a process that makes calls: not what an interpreter of its own has no use for.
LOADED_LATER = (
    "multiprocessing.shared_memory", "numpy", "psutil", "pyperf", "rich.console", "threadpoolctl",
)  # fmt: skip
_folder = ""


def see(folder: str) -> None:
    """Let statements made from now on find the modules of a folder before all others, as `timeit` does."""
    global _folder
    _folder = folder


def seen_folder() -> str:
    """Return the folder that `see` was told of; empty for none."""
    return _folder


def look_first_in(folder: str) -> None:
    """Look for modules in a folder before all others, from now on in this process; empty for none.

    What gilkit itself loads later is not looked for in there: where something has the name of a module of
    Python's, or of those, it is loaded now.
    """
    if not folder or folder in sys.path:
        return
    if _in_the_way(folder):
        for name in LOADED_LATER:
            with suppress(ImportError):  # in an interpreter of its own
                import_module(name)
    sys.path.insert(0, folder)


def _in_the_way(folder: str) -> bool:
    known = sys.stdlib_module_names | {name.partition(".")[0] for name in LOADED_LATER}
    try:
        return not known.isdisjoint(path.name.partition(".")[0] for path in Path(folder).iterdir())
    except OSError:  # nothing is found there
        return False
