"""SETUP that runs again: what it adds to an object that it gets again is taken back.

A library may keep one object for all who ask for it by name, as `logging` its loggers. In a program SETUP
runs once, and adds one handler; here it runs for every worker, and each of its calls would do more work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FunctionType
from typing import Any

_got: dict[str, list[Any]] = {}  # by SETUP: objects that it gets again
_running = threading.RLock()  # held while SETUP runs that adds to what others have


def run(setup: str, made: Callable[[], dict[str, Any]]) -> None:
    """Run SETUP.

    Parameters
    ----------
    setup : str
    made : callable
        Runs it, and returns the names that it made.
    """
    with _running:
        if setup not in _got:
            _got[setup] = list(_registered(made().values()))
            return
        if _got[setup]:
            with _as_before(_got[setup]):
                made()
            return
    made()


def _registered(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the objects that their library gives to all who ask for them, with those that they lead to."""
    todo, seen = list(values), set[int]()
    while todo:
        value = todo.pop()
        if id(value) not in seen and _given_to_all(value):
            seen.add(id(value))
            todo += vars(value).values()
            yield value


def _given_to_all(value: Any) -> bool:
    """Whether an object is pickled as a name, by which one gets itself."""
    if not (
        isinstance(getattr(type(value), "__reduce__", None), FunctionType) and hasattr(value, "__dict__")
    ):
        return False
    with suppress(Exception):  # whatever it does
        make, given = value.__reduce__()
        return make(*given) is value
    return False


@contextmanager
def _as_before(objects: Iterable[Any]) -> Iterator[None]:
    """Let the lists, dicts and sets that objects keep be as before, afterwards."""
    kept = [
        (each, each.copy())
        for one in objects
        for each in vars(one).values()
        if isinstance(each, list | dict | set)
    ]
    try:
        yield
    finally:
        for each, before in kept:
            if each != before:
                each.clear()
                (each.extend if isinstance(each, list) else each.update)(before)
