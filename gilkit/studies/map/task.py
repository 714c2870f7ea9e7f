"""What workers of a pool are sent, beside the reader's own function: light, as every worker imports it."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

from gilkit.errors import one_line

Worker = tuple[int, int]  # who it was: its process, and its thread there
Stamped = tuple[float, float, Worker, Any]


class Traced:
    """A function that says when it was called, and by which worker, with what it returns.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: Any) -> Stamped:
        begin = time.perf_counter()
        result = self.function(item)
        return begin, time.perf_counter(), (os.getpid(), threading.get_ident()), result


def loads(*data: bytes) -> tuple[int, str] | None:
    """Return which of these a worker cannot unpickle, the first one, and why; None if it can.

    A pool of processes breaks where one cannot unpickle its task, and nobody is told why.
    """
    for number, one in enumerate(data):
        try:
            pickle.loads(one)
        except Exception as error:  # noqa: BLE001 (objects fail to be unpickled in many ways)
            return number, one_line(error)
    return None
