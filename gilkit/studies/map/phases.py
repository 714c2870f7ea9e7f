"""Where the time of the workers goes while a pool maps: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gilkit.studies.map.task import Worker

Stamp = tuple[float, float, Worker]  # the begin and the end of an item, and who had it


@dataclass(frozen=True, slots=True)
class Phases:
    """What all workers do from the begin of a map to its last result, as shares that make 1.

    Parameters
    ----------
    send : float
        They have nothing to do, as their next item is on its way: pickled, sent, unpickled.
    compute : float
        They are in the function.
    back : float
        All items are done, and results are on their way back.
    idle : float
        No item is left for them, while others are at work still.
    seconds : float
        Of all calls together: where workers wait for one another in them, more than of a loop.
    """

    send: float
    compute: float
    back: float
    idle: float
    seconds: float


def phases(begin: float, end: float, stamps: Sequence[Stamp], workers: int) -> Phases:
    """Return where the time of so many workers went, between two instants."""
    own: dict[Worker, list[tuple[float, float]]] = defaultdict(list)
    for start, stop, who in stamps:
        own[who].append((start, stop))
    last = max(stop for _, stop, _ in stamps)
    there = max(workers, len(own))
    whole = there * max(1e-9, end - begin)
    compute = sum(stop - start for start, stop, _ in stamps)
    idle = sum(last - max(stop for _, stop in spans) for spans in own.values())
    idle += (there - len(own)) * (last - begin)  # those that never had an item
    back = there * (end - last)
    send = max(0.0, whole - compute - idle - back)
    return Phases(send / whole, compute / whole, back / whole, idle / whole, compute)
