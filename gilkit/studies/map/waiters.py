"""Calls that wait: many items at one time, in threads, where one by one only few could be called."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gilkit.errors import one_line
from gilkit.studies.map.driver import load
from gilkit.studies.map.job import Job


def called(job: Job, places: Sequence[int], workers: int, seconds: float) -> tuple[list[int], dict[int, str]]:
    """Call the function on items, so many at one time, until the time is over or there are no more.

    Returns
    -------
    list of int, dict of int to str
        The items that were called, and what others raise.
    """
    known, late = load(job), time.perf_counter() + seconds
    left, done, failed = deque(places), list[int](), dict[int, str]()

    def work() -> None:
        while time.perf_counter() < late:
            try:
                place = left.popleft()
            except IndexError:
                return
            try:
                known.function(known.items[place])
            except BaseException as error:  # noqa: BLE001 (it is told; interrupts are of the main thread)
                failed[place] = one_line(error)
            else:
                done.append(place)

    with ThreadPoolExecutor(workers) as pool:
        for _ in range(workers):
            pool.submit(work)
    return done, failed
