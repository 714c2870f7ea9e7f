"""What maps of these tests send to workers: each imports this, so that it imports little itself."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import BrokenExecutor
from typing import Any

import gilkit._ext._start  # noqa: F401 (so that no interpreter of its own can import this)


def double(x: int) -> int:
    return 2 * x


class Scales:
    """A method to map."""

    def __init__(self, by: int) -> None:
        self.by = by

    def times(self, x: int) -> int:
        return self.by * x


def cannot_be_loaded(_: object = None) -> None:
    raise ValueError("not here")


class UnloadableError(Exception):
    """It can be pickled, but not unpickled."""

    def __reduce__(self) -> Any:
        return cannot_be_loaded, ()


def unloadable(_: int) -> UnloadableError:
    return UnloadableError()


def raises_unloadable_elsewhere(x: int) -> int:
    if multiprocessing.parent_process() is not None:
        raise UnloadableError
    return x


def locked(_: int) -> Any:
    return threading.Lock()


def says_broken_elsewhere(x: int) -> int:
    if multiprocessing.parent_process() is not None:
        raise BrokenExecutor("mine")
    return x


def dies_elsewhere(x: int) -> int:
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    return x


def hangs_elsewhere(x: int) -> int:
    if multiprocessing.parent_process() is not None:
        time.sleep(60)
    return x
