"""What it costs to send the data of a call to a process and its result back."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass
from typing import Any

from gilkit.errors import is_interrupt, one_line
from gilkit.workloads.workload import Workload, own_call

ENOUGH = 0.2  # seconds after which a pickling is not timed again
PICKLINGS = 3  # of each object, of which the fastest counts
RESULT = "result"


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


def weighed(name: str, value: object) -> Pickled:
    """Return what one object costs to be sent."""
    best = float("inf")
    begin = time.perf_counter()
    for _ in range(PICKLINGS):
        try:
            start = time.perf_counter()
            data = pickle.dumps(value)
            pickle.loads(data)
            best = min(best, time.perf_counter() - start)
        except BaseException as error:  # objects fail to be pickled in many ways
            if is_interrupt(error):
                raise
            return Pickled(name, problem=one_line(error))
        if time.perf_counter() - begin > ENOUGH:
            break
    return Pickled(name, len(data), best)


def pickled(recipe: Workload | bytes) -> list[Pickled]:
    """Return what the data of a call and its result cost to be sent."""
    call = own_call(recipe)
    return [*(weighed(*item) for item in call.inputs().items()), weighed(RESULT, call())]


def inputs(recipe: Workload | bytes) -> dict[str, Any]:
    """Return the data of a call by name."""
    return own_call(recipe).inputs()
