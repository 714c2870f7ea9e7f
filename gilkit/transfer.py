"""What it costs to send the data of a call to a process and its result back."""

from __future__ import annotations

import pickle
import time
from collections import deque
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import Any

from gilkit.measure import LateError, Round, Span, one_line
from gilkit.workload import OwnCall, Workload, ready

ENOUGH = 0.2  # seconds after which a pickling is not timed again
RESULT = "result"
TIMES = 3  # that each pickling is timed


@dataclass(frozen=True, slots=True)
class Pickled:
    """What one object costs to be sent.

    Parameters
    ----------
    name : str
        Of the variable or argument; ``result`` for what the call returns.
    nbytes : int
        The length of its pickle.
    seconds : float
        To pickle and to unpickle it, together.
    problem : str
        Why it cannot be pickled; or empty.
    """

    name: str
    nbytes: int = 0
    seconds: float = 0.0
    problem: str = ""


def _pickled(name: str, value: object) -> Pickled:
    best = float("inf")
    begin = time.perf_counter()
    for _ in range(TIMES):
        try:
            start = time.perf_counter()
            data = pickle.dumps(value)
            pickle.loads(data)
            best = min(best, time.perf_counter() - start)
        except Exception as error:  # noqa: BLE001 (objects fail to be pickled in many ways)
            return Pickled(name, problem=one_line(error))
        if time.perf_counter() - begin > ENOUGH:
            break
    return Pickled(name, len(data), best)


def pickled(recipe: Workload | bytes) -> list[Pickled]:
    """Return what the data of a call and its result cost to be sent."""
    call = _own(recipe)
    return [*(_pickled(*item) for item in call.inputs().items()), _pickled(RESULT, call())]


def data(recipe: Workload | bytes) -> dict[str, Any]:
    """Return the data of a call by name."""
    return _own(recipe).inputs()


def _own(recipe: Workload | bytes) -> OwnCall:
    call = ready(recipe)
    assert isinstance(call, OwnCall)
    return call


def _sent(recipe: Workload | bytes, inputs: dict[str, Any]) -> object:
    """In a worker: make the call on the data that came with it."""
    return _own(recipe).sent(inputs)


def sent_round(
    pool: Executor,
    recipe: Workload | bytes,
    inputs: dict[str, Any],
    workers: int,
    loops: int,
    timeout: float = 3600.0,
) -> Round:
    """Run one round of calls on a pool of ``workers`` processes, ``loops`` for each, all sent ``inputs``.

    This process hands out the data and takes the results, as a program does that has them.
    """
    until = time.perf_counter() + timeout
    cpu, start = time.thread_time(), time.perf_counter()
    futures = deque(pool.submit(_sent, recipe, inputs) for _ in range(workers * loops))
    while futures:
        future = futures.popleft()  # results are not kept
        if wait([future], max(0.0, until - time.perf_counter())).not_done:
            raise LateError
        future.result()
    return Round(loops, (Span(start, time.perf_counter(), time.thread_time() - cpu),))
